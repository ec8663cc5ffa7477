#include "api/request.h"

#include "base/error_code.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_header(struct http_out *out, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void add_header(struct http_out *out, const char *name, const char *fmt, ...)
{
	va_list ap;

	for (int i = 0; i < HTTP_OUT_HEADERS; i++) {
		if (out->headers[i].name)
			continue;
		out->headers[i].name = name;
		va_start(ap, fmt);
		vsnprintf(out->headers[i].value, sizeof(out->headers[i].value), fmt, ap);
		va_end(ap);
		return;
	}
}

void api_reply(struct api_request *q, int status, json_t *json)
{
	q->out->status = status;
	free(q->out->body);
	q->out->body = NULL;
	if (!json)
		return;
	q->out->content_type = "application/json";
	q->out->body = json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER);
	q->out->body_len = q->out->body ? strlen(q->out->body) : 0;
	json_decref(json);
	if (!q->out->body)
		q->out->status = 500;
}

/* A message may quote what the client sent; bytes that are no UTF-8 are not repeated. */
static json_t *text_json(const char *text)
{
	json_t *json = json_string(text);

	return json ? json : json_string("The request cannot be read");
}

int api_error(struct api_request *q, int code, const char *fmt, ...)
{
	const struct error_code *e = error_code_find(code);
	int status = e && e->http_status ? e->http_status : 400;
	char message[600], more[80];
	va_list ap;

	if (fmt) {
		va_start(ap, fmt);
		vsnprintf(message, sizeof(message), fmt, ap);
		va_end(ap);
	} else {
		snprintf(message, sizeof(message), "%s", e ? e->text : "Error");
	}
	snprintf(more, sizeof(more), "https://www.twilio.com/docs/errors/%d", code);
	api_reply(q, status, json_pack("{s:i, s:o, s:s, s:i}", "code", code, "message", text_json(message), "more_info", more, "status", status));
	add_header(q->out, "X-Twilio-Error-Code", "%d", code);
	if (status == 401)
		add_header(q->out, "WWW-Authenticate", "Basic realm=\"Twilio API\"");
	if (status == 503)
		add_header(q->out, "Retry-After", "5");
	return -EPROTO;
}

int api_not_found(struct api_request *q)
{
	return api_error(q, 20404, "The requested resource %.400s was not found", q->in->path);
}

int api_db_error(struct api_request *q, int r)
{
	return r == -EIO || r == -EAGAIN ? api_error(q, 20503, "The database is not reachable; try again in a few seconds") :
					   api_error(q, 20500, NULL);
}

const char *api_keep(struct api_request *q, const char *text)
{
	struct buf *b;

	if (q->n_scratch == (int)(sizeof(q->scratch) / sizeof(q->scratch[0])))
		return NULL;
	b = &q->scratch[q->n_scratch++];
	buf_init(b, 4096);
	return buf_adds(b, text) < 0 ? NULL : b->data;
}
