/*
 * A REST request as the listener hands it over: lines of method, path?query, Authorization,
 * Idempotency-Key and content type (an empty one is absent), then the body. What is refused has a
 * code of the dictionary and a status of its own; what is taken is what its row allows.
 */
#include "fuzz.h"

#include "api/auth.h"
#include "api/idempotency.h"
#include "api/paging.h"
#include "api/path.h"
#include "api/protocol.h"
#include "api/resource.h"
#include "base/config.h"
#include "base/error_code.h"
#include "call/call_order.h"
#include "call/control.h"
#include "proto/utf8.h"

/* Requests are parsed and no more: whoever comes here has run one. */
int call_control(struct calls *calls, const struct call_command *command, int *error_code)
{
	(void)calls, (void)command, (void)error_code;
	MUST(!"a live call was touched");
	return -1;
}

int calls_order(struct calls *calls, const struct call_order *order)
{
	(void)calls, (void)order;
	MUST(!"a call was ordered");
	return -1;
}

struct lines {
	char *at;
};

/* The next line; NULL when it is empty or there is none. */
static char *next(struct lines *l)
{
	char *line = l->at, *end = strchr(line, '\n');

	l->at = end ? end + 1 : line + strlen(line);
	if (end)
		*end = '\0';
	return *line ? line : NULL;
}

/* An answer stands: its code is the dictionary's, its status a client's fault. */
static void is_refused(struct api_request *q)
{
	const struct http_out *out = q->out;
	const char *code = NULL;

	MUST(out->status >= 400 && out->status < 500 && out->body && out->content_type);
	MUST(utf8_ok(out->body, out->body_len));
	for (int i = 0; i < HTTP_OUT_HEADERS && out->headers[i].name; i++)
		if (!strcmp(out->headers[i].name, "X-Twilio-Error-Code"))
			code = out->headers[i].value;
	MUST(code && error_code_find(atoi(code)));
	MUST(error_code_find(atoi(code))->http_status);
}

static void try_auth(const char *header)
{
	char credentials[AUTH_CREDENTIALS_MAX], *password;

	if (!auth_decode(credentials, &password, header))
		return;
	MUST(password > credentials && password < credentials + sizeof(credentials));
	MUST(password[-1] == '\0' && !strchr(credentials, ':'));
	MUST(strlen(credentials) + strlen(password) + 2 <= sizeof(credentials));
}

static void try_key(const char *key)
{
	if (!key || !idempotency_key_ok(key))
		return;
	MUST(strlen(key) >= 1 && strlen(key) <= IDEMPOTENCY_KEY_MAX);
	for (const char *c = key; *c; c++)
		MUST(*c > 0x20 && *c < 0x7f);
}

/* A value that was taken is what its row allows, in the one spelling that is stored. */
static void keeps_rule(const struct param *p, const char *value)
{
	if (*value)
		MUST(!param_check(p, value));
	if (*value && p->type == PARAM_BOOL)
		MUST(!strcmp(value, "true") || !strcmp(value, "false"));
	if (*value && p->type == PARAM_METHOD)
		MUST(!strcmp(value, "GET") || !strcmp(value, "POST"));
	if (*value && p->type == PARAM_INT)
		MUST(atol(value) >= p->min && atol(value) <= p->max);
}

static void try_params(struct api_request *q, const struct resource *r, int when)
{
	struct buf unknown;
	json_t *json;

	if (params_take(q, r->params, r->n_params, when) < 0) {
		is_refused(q);
		return;
	}
	for (size_t i = 0; i < r->n_params; i++) {
		const struct param *p = &r->params[i];

		MUST(!q->values[i] || (p->when & when));
		MUST(q->values[i] || !(p->when & when) ||
		     !(p->when & (when == ON_CREATE ? REQUIRED : NEEDED)));
		if (q->values[i])
			keeps_rule(p, q->values[i]);
	}
	buf_init(&unknown, 2048);
	params_unknown(&unknown, &q->form, r, when);
	buf_done(&unknown);
	json = params_json(&q->form, r);
	MUST(json);
	json_decref(json);
}

static void try_list(struct api_request *q, const struct resource *r)
{
	struct paging paging;
	char token[PAGE_TOKEN_SIZE], seq[PAGE_SEQ_SIZE];
	bool back;

	if (paging_take(&paging, q, r->prefix) < 0) {
		is_refused(q);
		return;
	}
	MUST(paging.size >= 1 && paging.size <= PAGE_SIZE_MAX && paging.page >= 0);
	if (paging.cursor[0]) {
		paging_token(token, paging.back, r->prefix, paging.cursor);
		MUST(paging_token_read(&back, seq, token, r->prefix));
		MUST(back == paging.back && !strcmp(seq, paging.cursor));
		MUST(!strcasecmp(token, form_get(&q->query, "PageToken")));
	}
	if (filters_take(q, r->filters, r->n_filters) < 0) {
		is_refused(q);
		return;
	}
	for (size_t i = 0; i < r->n_filters; i++)
		MUST(!q->filters[i] || utf8_ok(q->filters[i], strlen(q->filters[i])));
}

static void try_request(struct api_request *q)
{
	const struct resource *r;
	struct path path;
	bool instance;

	if (protocol_check(q) < 0 || path_take(&path, q) < 0) {
		is_refused(q);
		return;
	}
	MUST(path.accounts ? !q->account_sid[0] : sid_valid(q->account_sid, "AC"));
	r = path_resource(&path, q, &instance);
	if (!r || protocol_take_query(q) < 0) {
		is_refused(q);
		return;
	}
	MUST(!r->parent_prefix || sid_valid(q->parent_sid, r->parent_prefix));
	MUST(r->singleton || !instance || sid_valid(q->sid, r->prefix));
	if (strcmp(q->method, "POST"))
		try_list(q, r);
	else if (protocol_take_body(q) < 0)
		is_refused(q);
	else
		try_params(q, r, instance ? ON_UPDATE : ON_CREATE);
}

/* The body is held against the rows of the resource that the input's length chooses, too: few
 * mutations of a path reach another one. */
static void try_row(struct api_request *q, const char *body, size_t len)
{
	size_t n = 0;

	while (resource_at(n))
		n++;
	q->resource = resource_at(len % n);
	q->in = &(const struct http_in){
		.method = "POST", .path = "/", .query = body, .body = body, .body_len = len
	};
	if (protocol_take_query(q) < 0 || protocol_take_body(q) < 0) {
		is_refused(q);
		return;
	}
	try_params(q, q->resource, ON_CREATE);
	try_params(q, q->resource, ON_UPDATE);
	try_list(q, q->resource);
}

static void one(const struct http_in *in, bool row)
{
	static struct config config = { .sip_domain = "sip.example.test" };
	static const struct api_options options = { .config = &config };
	struct http_out out = { 0 };
	struct api_request q = { .options = &options, .in = in, .method = in->method, .out = &out };

	form_init(&q.query);
	form_init(&q.form);
	if (row)
		try_row(&q, in->body, in->body_len);
	else
		try_request(&q);
	form_done(&q.query);
	form_done(&q.form);
	for (int i = 0; i < q.n_scratch; i++)
		buf_done(&q.scratch[i]);
	free(out.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *query, *path;
	struct lines l = { text };
	const struct sockaddr_in peer = { .sin_family = AF_INET,
					  .sin_addr.s_addr = htonl(0xc0000201) };
	struct http_in in = { .peer = (const struct sockaddr *)&peer };

	in.method = next(&l);
	path = next(&l);
	query = path ? strchr(path, '?') : NULL;
	if (query)
		*query++ = '\0';
	in.path = path;
	in.query = query ? query : "";
	in.authorization = next(&l);
	in.idempotency_key = next(&l);
	in.content_type = next(&l);
	in.body = l.at;
	in.body_len = size - (size_t)(l.at - text);
	try_auth(in.authorization);
	try_key(in.idempotency_key);
	if (in.method && path && *path == '/')
		one(&in, false);
	in.body_len = strlen(in.body);
	one(&in, true);
	free(text);
	return 0;
}
