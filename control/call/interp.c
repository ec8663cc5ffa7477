#define LOG_SUBSYSTEM "call"
#include "call/interp.h"

#include "base/config.h"
#include "base/log.h"
#include "call/call.h"
#include "call/content_type.h"
#include "call/dial.h"
#include "call/notify.h"
#include "call/playlist.h"
#include "call/transfer.h"
#include "call/verb.h"
#include "call/webhook.h"
#include "proto/twiml.h"
#include "proto/url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPOKEN_MAX_BYTES 4096

static const char apology[] = "We are sorry. An application error has occurred. Goodbye.";

static void run(struct call *c);
static void start_step(struct call *c);

static int replace(char **at, const char *s)
{
	char *copy = s ? strdup(s) : NULL;

	if (s && !copy)
		return -ENOMEM;
	free(*at);
	*at = copy;
	return 0;
}

void interp_done(struct interp *in)
{
	free(in->step_url);
	free(in->step_method);
	form_done(&in->step_extra);
	twiml_free(in->doc);
	free(in->base_url);
	free(in->shown_method);
	free(in->shown_url);
	free(in->shown_variables);
	memset(in, 0, sizeof(*in));
}

void interp_stop(struct call *c)
{
	struct interp *in = &c->interp;
	const struct verb *verb = in->verb;

	webhook_cancel(in->fetch);
	in->fetch = NULL;
	in->awaiting = false;
	in->verb = NULL;
	if (verb && verb->cancel)
		verb->cancel(c);
	in->verb_state = NULL;
	playlist_free(in->closing);
	in->closing = NULL;
}

/* -- what is heard before the end */

static void on_closed(struct call *c, int code, const char *url)
{
	(void)code;
	(void)url;
	call_hangup(c, CALL_EV_HUNG_UP);
}

static void start_closing(struct call *c)
{
	struct interp *in = &c->interp;

	if (!call_answered(c)) {
		in->awaiting = true;
		call_answer(c);
		return;
	}
	in->awaiting = false;
	if (!in->closing || playlist_start(in->closing) != VERB_WAIT)
		call_hangup(c, CALL_EV_HUNG_UP);
}

static void on_document_heard(struct call *c, int code, const char *url)
{
	if (code)
		interp_fail(c, code, url, NULL, "the document is no audio that can be played");
	else
		on_closed(c, 0, NULL);
}

static void apologise(struct call *c)
{
	interp_stop(c);
	c->interp.closing = playlist_new(c, false, on_closed);
	if (c->interp.closing)
		playlist_add_text(c->interp.closing, apology);
	start_closing(c);
}

void interp_fail(struct call *c, int code, const char *url, const struct notify_about *about,
		 const char *text)
{
	struct interp *in = &c->interp;
	char *failed = strdup(url ? url : "");
	struct form extra;
	int bad = 0;

	if (c->finished || c->ending || !failed) {
		free(failed);
		if (!c->finished)
			call_hangup(c, CALL_EV_FAILED);
		return;
	}
	form_init(&extra);
	form_add(&extra, "url", failed);
	notify(c, code, about, &extra, "%s", text);
	interp_stop(c);
	if (transfer_failed(c)) {
		/* Back in the document from which it was transferred. */
	} else if (c->fallback.url && !in->step_fallback) {
		in->step_fallback = true;
		bad |= replace(&in->step_url, c->fallback.url);
		bad |= replace(&in->step_method, c->fallback.method);
		bad |= form_addf(&in->step_extra, "ErrorCode", "%d", code);
		bad |= form_add(&in->step_extra, "ErrorUrl", failed);
		if (bad)
			apologise(c);
		else
			start_step(c);
	} else {
		apologise(c);
	}
	form_done(&extra);
	free(failed);
}

/* -- documents */

static void take_document(struct call *c, struct twiml *doc, const char *base_url)
{
	struct interp *in = &c->interp;

	twiml_free(in->doc);
	in->doc = doc;
	in->node = doc->response->first;
	if (replace(&in->base_url, base_url) < 0) {
		interp_fail(c, 12400, base_url, NULL, "out of memory");
		return;
	}
	run(c);
}

/* Plays or speaks the whole reply, then hangs up. */
static void take_sound(struct call *c, const struct webhook_result *result, bool audio)
{
	const struct http_reply *reply = result->reply;
	struct interp *in = &c->interp;
	char *text;

	in->closing = playlist_new(c, false, on_document_heard);
	if (!in->closing) {
		call_hangup(c, CALL_EV_FAILED);
		return;
	}
	if (audio) {
		playlist_add_audio(in->closing, reply->body, reply->body_len, reply->content_type);
	} else {
		text = strndup(reply->body, SPOKEN_MAX_BYTES);
		playlist_add_text(in->closing, text ? text : "");
		free(text);
	}
	start_closing(c);
}

static void take_twiml(struct call *c, const struct webhook_result *result,
		       const struct notify_about *about, bool or_text)
{
	const struct http_reply *reply = result->reply;
	struct twiml_error error = { .code = 12400, .message = "out of memory" };
	struct twiml *doc = NULL;
	char charset[40], text[400];
	bool has_charset = content_charset(charset, sizeof(charset), reply->content_type);
	int r;

	r = twiml_parse(&doc, &error, reply->body, reply->body_len, has_charset ? charset : NULL,
			(size_t)c->world->config->twiml_max_bytes);
	if (r == -EINVAL && or_text && error.code != 11750) {
		take_sound(c, result, false);
		return;
	}
	if (r < 0) {
		snprintf(text, sizeof(text), "%s (line %u, column %u)", error.message, error.line,
			 error.column);
		interp_fail(c, error.code, result->url, about, error.line ? text : error.message);
		return;
	}
	notify_warnings(c, doc, about);
	take_document(c, doc, result->document_url);
}

static void on_document(void *arg, const struct webhook_result *result)
{
	struct call *c = arg;
	struct interp *in = &c->interp;
	struct notify_about about = notify_about_result(result);

	in->fetch = NULL;
	/* The request stays in view for what the document does wrong later. */
	if (replace(&in->shown_method, result->method) < 0 ||
	    replace(&in->shown_url, result->url) < 0 ||
	    replace(&in->shown_variables, result->variables) < 0) {
		call_hangup(c, CALL_EV_FAILED);
		return;
	}
	if (result->error_code) {
		interp_fail(c, result->error_code, result->url, &about, result->error_text);
		return;
	}
	if (!result->reply->body_len) {
		interp_fail(c, result->reply->chunked ? 11770 : 12100, result->url, &about,
			    "the reply is empty");
		return;
	}
	switch (content_kind(result->reply->content_type)) {
	case CONTENT_TWIML:
		take_twiml(c, result, &about, false);
		break;
	case CONTENT_TEXT:
		take_twiml(c, result, &about, true);
		break;
	case CONTENT_AUDIO:
		take_sound(c, result, true);
		break;
	case CONTENT_OTHER:
		interp_fail(c, 12300, result->url, &about,
			    result->reply->content_type
				    ? "the Content-Type is neither TwiML nor audio"
				    : "the reply has no Content-Type");
		break;
	}
}

static void start_step(struct call *c)
{
	struct interp *in = &c->interp;
	struct form params;
	int r = -ENOMEM;

	form_init(&params);
	if (params_standard(&params, c, NULL) == 0 && form_copy(&params, &in->step_extra) == 0)
		r = webhook_start(
			&in->fetch, c->world,
			&(struct webhook_request){
				.kind = in->step_fallback ? WEBHOOK_FALLBACK : WEBHOOK_VOICE,
				.url = in->step_url,
				.method = in->step_method,
				.params = &params,
				.auth_token = c->auth_token,
				.account_sid = c->account_sid,
				.call_sid = c->sid,
				.jar = call_jar(c),
				/* An audio file may be the answer; a document has its own limit. */
				.max_bytes = c->world->config->play_max_bytes,
			},
			on_document, c);
	form_done(&params);
	if (r < 0) {
		in->fetch = NULL;
		log_error("%s: a webhook could not be started: %s", c->sid, strerror(-r));
		apologise(c);
	}
}

/* Takes url. */
static void fetch_resolved(struct call *c, char *url, const char *method, const struct form *extra)
{
	struct interp *in = &c->interp;
	struct form copy;

	form_init(&copy);
	if (!url || (extra && form_copy(&copy, extra) < 0) ||
	    replace(&in->step_method, method ? method : "POST") < 0) {
		free(url);
		form_done(&copy);
		call_hangup(c, CALL_EV_FAILED);
		return;
	}
	/* From here on the verb that asked, and all that it owned, is gone. */
	interp_stop(c);
	free(in->step_url);
	in->step_url = url;
	form_done(&in->step_extra);
	in->step_extra = copy;
	in->step_fallback = false;
	start_step(c);
}

int interp_resolve(const struct call *c, char **ret, const char *ref)
{
	const char *base = c->interp.base_url;

	if (*ref)
		return url_resolve(ret, base, ref);
	if (!base)
		return -EINVAL;
	*ret = strdup(base);
	return *ret ? 0 : -ENOMEM;
}

void interp_fetch(struct call *c, const char *ref, const char *method, const struct form *extra)
{
	struct interp *in = &c->interp;
	char *url = NULL, *shown;
	int r = interp_resolve(c, &url, ref);

	if (r == -EINVAL) {
		shown = strdup(ref);
		form_done(&in->step_extra);
		form_init(&in->step_extra);
		if (extra)
			form_copy(&in->step_extra, extra);
		in->step_fallback = false;
		interp_fail(c, 11100, shown, NULL,
			    in->base_url ? "a URL in the document is malformed"
					 : "an inline document has only absolute URLs");
		free(shown);
		return;
	}
	fetch_resolved(c, url, method, extra);
}

void interp_fetch_first(struct call *c, const char *url, const char *method)
{
	fetch_resolved(c, strdup(url), method, NULL);
}

void interp_run_inline(struct call *c, struct twiml *doc)
{
	struct interp *in = &c->interp;

	interp_stop(c);
	replace(&in->shown_method, NULL);
	replace(&in->shown_url, NULL);
	replace(&in->shown_variables, NULL);
	form_done(&in->step_extra);
	form_init(&in->step_extra);
	in->step_fallback = false;
	notify_warnings(c, doc, &(struct notify_about){ .url = "" });
	take_document(c, doc, NULL);
}

/* -- running */

static void end_of_document(struct call *c)
{
	if (transfer_failed(c))
		return;
	/* What a dialled party had to hear first is over. */
	if (c->target) {
		dial_ready(c);
		return;
	}
	if (call_answered(c)) {
		call_hangup(c, CALL_EV_HUNG_UP);
		return;
	}
	/* Only <Reject> keeps a call from being answered (§2.0). */
	c->interp.awaiting = true;
	call_answer(c);
}

static void run(struct call *c)
{
	struct interp *in = &c->interp;

	while (!c->finished && !c->ending) {
		const struct twiml_node *n = in->node;
		enum verb_step step;

		if (!n) {
			end_of_document(c);
			return;
		}
		in->verb = n->type == TWIML_ELEMENT ? verb_find(n->name) : NULL;
		if (!in->verb) {
			in->node = n->next;
			continue;
		}
		if (in->verb->answers && !call_answered(c) &&
		    !(in->verb->unanswered && in->verb->unanswered(n))) {
			in->verb = NULL;
			in->awaiting = true;
			call_answer(c);
			return;
		}
		in->node = n->next;
		step = in->verb->run(c, n);
		if (step != VERB_MORE)
			return;
		in->verb = NULL;
	}
}

void interp_answered(struct call *c)
{
	struct interp *in = &c->interp;

	if (!in->awaiting)
		return;
	in->awaiting = false;
	if (in->closing)
		start_closing(c);
	else
		run(c);
}

void interp_digit(struct call *c, char digit)
{
	const struct verb *verb = c->interp.verb;

	if (verb && verb->digit)
		verb->digit(c, digit);
}

void interp_next(struct call *c)
{
	c->interp.verb = NULL;
	c->interp.verb_state = NULL;
	run(c);
}
