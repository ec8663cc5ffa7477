#define LOG_SUBSYSTEM "api"
#include "api/request.h"

#include "api/resource.h"
#include "base/error_code.h"
#include "base/log.h"
#include "io/db.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX_BYTES 600
#define KEPT_MAX_BYTES	  4096
#define ANSWER_MAX_BYTES  (64u << 20) /* 1000 rows with their long texts */

void api_header(struct api_request *q, const char *name, const char *fmt, ...)
{
	struct http_out *out = q->out;
	va_list ap;
	int i = 0;

	while (i < HTTP_OUT_HEADERS && out->headers[i].name)
		i++;
	BUG_ON(i == HTTP_OUT_HEADERS);
	out->headers[i].name = name;
	va_start(ap, fmt);
	vsnprintf(out->headers[i].value, sizeof(out->headers[i].value), fmt, ap);
	va_end(ap);
}

static int render(struct buf *b, const struct api_request *q, const json_t *json)
{
	char *text;

	switch (q->out->status < 400 || q->format != FORMAT_CSV ? q->format : FORMAT_JSON) {
	case FORMAT_XML:
		q->out->content_type = "application/xml; charset=utf-8";
		return render_xml(b, q->resource, q->out->status, json);
	case FORMAT_CSV:
		q->out->content_type = "text/csv; charset=utf-8; header=present";
		return render_csv(b, q->resource, json);
	case FORMAT_JSON:
		break;
	}
	q->out->content_type = "application/json";
	text = json_dumps(json, JSON_COMPACT);
	if (!text)
		return -ENOMEM;
	/* No copy: it is the buffer's as if it had grown there. */
	b->data = text;
	b->len = strlen(text);
	return 0;
}

void api_reply(struct api_request *q, int status, json_t *json)
{
	struct buf b;
	int r = 0;

	buf_init(&b, ANSWER_MAX_BYTES);
	free(q->out->body);
	q->out->body = NULL;
	q->out->body_len = 0;
	q->out->status = status;
	if (json)
		r = render(&b, q, json);
	/* Only an answer without a body has none; else memory ran out on the way. */
	if (r < 0 || (!json && status != 204)) {
		q->out->status = 500;
		q->out->content_type = NULL;
		buf_done(&b);
	}
	json_decref(json);
	q->out->body_len = b.len;
	q->out->body = b.data;
}

/* A message may quote what the client sent; bytes that are no UTF-8 are not repeated. */
static json_t *text_json(char *text)
{
	json_t *json = json_string(text);

	if (json)
		return json;
	for (char *c = text; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return json_string(text);
}

static int answer_error(struct api_request *q, int status, int code, char *message)
{
	char more[80];

	snprintf(more, sizeof(more), "https://www.twilio.com/docs/errors/%d", code);
	api_reply(q, status,
		  json_pack("{s:i, s:o, s:s, s:i}", "code", code, "message", text_json(message),
			    "more_info", more, "status", status));
	api_header(q, "X-Twilio-Error-Code", "%d", code);
	if (status == 401)
		api_header(q, "WWW-Authenticate", "Basic realm=\"Twilio API\"");
	if (status == 503)
		api_header(q, "Retry-After", "5");
	if (status == 429)
		api_header(q, "Retry-After", "%u", q->retry_after_s ? q->retry_after_s : 1);
	return -EPROTO;
}

int api_error(struct api_request *q, int code, const char *fmt, ...)
{
	const struct error_code *e = error_code_find(code);
	char message[MESSAGE_MAX_BYTES];
	va_list ap;

	if (fmt) {
		va_start(ap, fmt);
		vsnprintf(message, sizeof(message), fmt, ap);
		va_end(ap);
	} else {
		snprintf(message, sizeof(message), "%s", e ? e->text : "Error");
	}
	return answer_error(q, e && e->http_status ? e->http_status : 400, code, message);
}

int api_error_as(struct api_request *q, int status, int code, const char *fmt, ...)
{
	char message[MESSAGE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	return answer_error(q, status, code, message);
}

int api_not_found(struct api_request *q)
{
	return api_error(q, 20404, "The requested resource %.400s was not found", q->in->path);
}

int api_db_error(struct api_request *q, int r)
{
	/* The first line alone: what follows may quote the row. */
	log_warn("%s %s: %.*s", q->method, q->in->path, (int)strcspn(db_error(q->db), "\n"),
		 db_error(q->db));
	if (r == -EIO || r == -EAGAIN)
		return api_error(q, 20503,
				 "The database is not reachable; try again in a few seconds");
	return api_error(q, 20500, NULL);
}

int api_ask(struct api_request *q, const char *sql, int n, const char *const *params)
{
	struct db_result *res;
	int r = db_exec(&res, q->db, sql, n, params);

	if (r < 0)
		return api_db_error(q, r);
	r = db_rows(res) > 0;
	db_result_free(res);
	return r;
}

const char *api_keep(struct api_request *q, const char *text)
{
	struct buf *b;

	if (q->n_scratch == API_KEPT_MAX)
		return NULL;
	b = &q->scratch[q->n_scratch++];
	buf_init(b, KEPT_MAX_BYTES);
	return buf_adds(b, text) < 0 ? NULL : b->data;
}
