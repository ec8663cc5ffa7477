#include "api/protocol.h"

#include "api/resource.h"
#include "proto/form.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FORM_TYPE "application/x-www-form-urlencoded"
#define ETAG_SIZE 40 /* 32 hex digits in quotes */

static bool is_get(const struct api_request *q)
{
	return !strcmp(q->method, "GET") || !strcmp(q->method, "HEAD");
}

/* Clients that can only GET and POST say what they mean in a header. */
static int take_override(struct api_request *q)
{
	const char *want = q->in->method_override;

	if (!want || strcmp(q->in->method, "POST"))
		return 0;
	if (strcmp(want, "DELETE") && strcmp(want, "POST") && strcmp(want, "GET"))
		return api_error(q, 20422,
				 "X-HTTP-Method-Override is GET, POST or DELETE, not %.20s", want);
	/* A literal: the header's text lives no longer than the request, as q does. */
	q->method = want;
	return 0;
}

int protocol_check(struct api_request *q)
{
	q->method = q->in->method;
	if (q->in->ambiguous)
		return api_error(
			q, 20422,
			"There are two of a header that stands once, or two headers that say where "
			"the body ends");
	if (q->in->expect)
		return api_error_as(q, 417, 20422, "Expect: %.40s is not met; 100-continue is",
				    q->in->expect);
	if (strlen(q->in->path) + strlen(q->in->query) > PROTOCOL_URI_MAX_BYTES)
		return api_error_as(q, 414, 20422, "The URI is over %d bytes",
				    PROTOCOL_URI_MAX_BYTES);
	if (q->in->too_large)
		return api_error_as(q, 413, 20422, "The body is over %u kB",
				    PROTOCOL_BODY_MAX_BYTES >> 10);
	return take_override(q);
}

void protocol_not_allowed(struct api_request *q, const char *allow)
{
	if (!strcmp(q->method, "OPTIONS"))
		api_reply(q, 204, NULL);
	else
		api_error(q, 20004, "%.20s is not allowed on %.300s; allowed: %s", q->method,
			  q->in->path, allow);
	api_header(q, "Allow", "%s", allow);
}

int protocol_only_get(struct api_request *q)
{
	if (is_get(q))
		return 0;
	protocol_not_allowed(q, "GET, HEAD");
	return -EPROTO;
}

/* -- the query and the body */

static int bad_form(struct api_request *q, const char *what, int r, size_t at)
{
	if (r == -E2BIG)
		return api_error(q, 20422, "The %s has more than %d parameters", what,
				 API_PAIRS_MAX);
	if (r == -ENOMEM)
		return api_error(q, 20500, NULL);
	return api_error(q, 20422,
			 "The %s cannot be read at byte %zu: a broken %% escape, a NUL, or bytes "
			 "that are not UTF-8",
			 what, at);
}

static bool may_repeat(const struct resource *r, const char *name)
{
	for (size_t i = 0; r && i < r->n_params; i++)
		if ((r->params[i].when & REPEATED) && !strcmp(r->params[i].name, name))
			return true;
	return false;
}

/* Which of two values counts is not for us to guess. */
static int check_duplicates(struct api_request *q, const char *what, const struct form *f)
{
	for (size_t i = 1; i < f->count; i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(f->pairs[i].name, f->pairs[k].name) &&
			    !may_repeat(q->resource, f->pairs[i].name))
				return api_error(q, 20422, "The %s has %.100s more than once", what,
						 f->pairs[i].name);
	return 0;
}

static int take(struct api_request *q, const char *what, struct form *f, const char *text,
		size_t len)
{
	size_t at = 0;
	int r = form_parse(f, text, len, API_PAIRS_MAX, &at);

	return r < 0 ? bad_form(q, what, r, at) : check_duplicates(q, what, f);
}

int protocol_take_query(struct api_request *q)
{
	return take(q, "query", &q->query, q->in->query, strlen(q->in->query));
}

/* application/x-www-form-urlencoded, in UTF-8 when it says a charset; none is taken for that. */
static bool type_ok(const char *type)
{
	size_t n = strlen(FORM_TYPE);
	const char *charset;

	if (!type)
		return true;
	if (strncasecmp(type, FORM_TYPE, n) || !strchr("; \t", type[n]))
		return false;
	charset = strcasestr(type + n, "charset");
	if (!charset)
		return true;
	charset += strlen("charset");
	charset += strspn(charset, " \t=\"");
	return !strncasecmp(charset, "utf-8", 5) && strchr("\" \t;", charset[5]);
}

int protocol_take_body(struct api_request *q)
{
	if (!q->in->body_len && !q->in->waiting)
		return 0;
	if (!type_ok(q->in->content_type))
		return api_error_as(q, 415, 20422,
				    "The body must be " FORM_TYPE " in UTF-8, not %.80s",
				    q->in->content_type);
	return q->in->waiting ? 0 : take(q, "body", &q->form, q->in->body, q->in->body_len);
}

/* -- conditional GET: RFC 9110 §8.8.3, §13.1.2 */

static bool make_etag(char ret[ETAG_SIZE], const struct http_out *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t n = 0;

	if (!EVP_Q_digest(NULL, "SHA256", NULL, out->body, out->body_len, digest, &n))
		return false;
	ret[0] = '"';
	for (int i = 0; i < 16; i++)
		snprintf(ret + 1 + 2 * i, 3, "%02x", digest[i]);
	strcpy(ret + 33, "\"");
	return true;
}

/* A list of tags, weak ones too, or "*". */
static bool lists(const char *header, const char *etag)
{
	while (*(header += strspn(header, " \t,"))) {
		size_t n = strcspn(header, ",");

		if (*header == '*')
			return true;
		if (!strncmp(header, "W/", 2)) {
			header += 2;
			n -= 2;
		}
		if (!strncmp(header, etag, strlen(etag)))
			return true;
		header += n;
	}
	return false;
}

void protocol_finish(struct api_request *q)
{
	struct http_out *out = q->out;
	char etag[ETAG_SIZE];

	if (!is_get(q) || out->status != 200 || !out->body || !make_etag(etag, out))
		return;
	api_header(q, "ETag", "%s", etag);
	if (!q->in->if_none_match || !lists(q->in->if_none_match, etag))
		return;
	out->status = 304;
	out->content_type = NULL;
	free(out->body);
	out->body = NULL;
	out->body_len = 0;
}
