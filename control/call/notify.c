#define LOG_SUBSYSTEM "call"
#include "call/notify.h"

#include "base/buf.h"
#include "base/error_code.h"
#include "base/log.h"
#include "base/metrics.h"
#include "call/call.h"
#include "call/store.h"
#include "call/webhook.h"
#include "proto/twiml.h"

#include <stdarg.h>
#include <stdio.h>

/* A document that leads to itself must not fill the table. */
#define NOTIFICATIONS_MAX 300
#define EXTRA_MAX_BYTES	  4096

struct notify_about notify_about_result(const struct webhook_result *result)
{
	return (struct notify_about){
		.method = result->method,
		.url = result->url,
		.variables = result->variables,
		.headers = result->reply ? result->reply->headers : NULL,
		.body = result->reply ? result->reply->body : NULL,
	};
}

void notify_account(struct world *world, const char *account_sid, const char *call_sid, int code,
		    const struct notify_about *about, const struct form *extra, const char *message)
{
	const struct error_code *known = error_code_find(code);
	struct store_item *item;
	struct buf b;

	metrics_count(METRIC_CALL_NOTIFICATIONS, known ? known->level : ERROR_LEVEL_ERROR, 0);
	buf_init(&b, EXTRA_MAX_BYTES);
	if (extra && form_encode(extra, &b, 1) < 0)
		buf_reset(&b);
	item = store_item_notification(&(struct store_notification){
		.account_sid = account_sid,
		.call_sid = call_sid,
		.error_code = code,
		.message = message,
		.extra = b.data,
		.request_method = about ? about->method : NULL,
		.request_url = about ? about->url : NULL,
		.request_variables = about ? about->variables : NULL,
		.response_headers = about ? about->headers : NULL,
		.response_body = about ? about->body : NULL,
	});
	buf_done(&b);
	if (!item || world->ops->store(world->w, item) < 0)
		log_error("a notification of %d is lost", code);
}

void notify(struct call *c, int code, const struct notify_about *about, const struct form *extra,
	    const char *fmt, ...)
{
	struct notify_about document = { c->interp.shown_method, c->interp.shown_url,
					 c->interp.shown_variables, NULL, NULL };
	const struct error_code *known = error_code_find(code);
	char text[512], message[768];
	va_list ap;

	if (c->notifications++ >= NOTIFICATIONS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(message, sizeof(message), "%s%s%s", known ? known->text : "",
		 known && *text ? ": " : "", text);
	log_info("%s: %d %s", c->sid, code, message);
	notify_account(c->world, c->account_sid, c->sid, code, about ? about : &document, extra,
		       message);
}

void notify_warnings(struct call *c, const struct twiml *doc, const struct notify_about *about)
{
	for (const struct twiml_warning *w = doc->warnings; w; w = w->next) {
		struct form extra;

		form_init(&extra);
		form_add(&extra, "url", about->url);
		form_addf(&extra, "line", "%u", w->line);
		form_addf(&extra, "cols", "%u", w->column);
		form_add(&extra, "parserMessage", w->message);
		notify(c, w->code, about, &extra, "%s (line %u, column %u)", w->message, w->line,
		       w->column);
		form_done(&extra);
	}
}
