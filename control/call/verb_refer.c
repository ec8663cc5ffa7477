/*
 * <Refer> (sip-and-rest.md §4.1, twiml-and-webhooks.md §2.14): asks the party by REFER to call a
 * SIP URI instead of us, waits for what its NOTIFYs say of that call, and tells its action.
 */
#define LOG_SUBSYSTEM "refer"
#include "call/refer.h"

#include "base/buf.h"
#include "base/log.h"
#include "call/call.h"
#include "call/notify.h"
#include "call/status_callback.h"
#include "call/verb.h"
#include "proto/sip_target.h"
#include "proto/twiml.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CODE_URI	   13243
#define CODE_TOO_MANY	   13250
#define CODE_HEADER	   13252
#define CODE_HEADER_LONG   13253
#define CODE_HEADER_VALUE  32112
#define TARGET_TOO_LONG	   21227 /* of sip_target */
#define TARGET_BAD_NAME	   21228
#define TARGET_BAD_VALUE   21229
#define REFER_TO_MAX_BYTES 8192 /* each byte of a headers part may become an escape */

struct refer {
	const char *action, *method; /* the document's; action NULL: the next verb */
	int refer_code, notify_code; /* 0: none came */
};

static struct refer *refer_of(struct call *c)
{
	return c->interp.verb_state;
}

void verb_refer_cancel(struct call *c)
{
	free(c->interp.verb_state);
	c->interp.verb_state = NULL;
}

/* -- its end */

static const char *outcome(const struct refer *r)
{
	if (r->refer_code >= 300 || (!r->refer_code && !r->notify_code))
		return "failed";
	if (r->notify_code < 200)
		return "no-answer"; /* nothing was told of its end */
	if (r->notify_code < 300)
		return "in-progress";
	return r->notify_code == 486 || r->notify_code == 600 ? "busy" : "failed";
}

static int add_params(const struct refer *r, struct form *ret, const char *status)
{
	int bad = form_add(ret, "ReferCallStatus", status);

	if (r->refer_code)
		bad |= form_addf(ret, "ReferSipResponseCode", "%d", r->refer_code);
	if (r->notify_code)
		bad |= form_addf(ret, "NotifySipResponseCode", "%d", r->notify_code);
	return bad;
}

/* The action is asked for; false: there is none. */
static bool ask_action(struct call *c)
{
	const struct refer *r = refer_of(c);
	struct form params;

	log_info("%s: REFER %d, NOTIFY %d: %s", c->sid, r->refer_code, r->notify_code, outcome(r));
	if (!r->action)
		return false;
	form_init(&params);
	if (add_params(r, &params, outcome(r)) == 0)
		interp_fetch(c, r->action, r->method, &params);
	else
		call_hangup(c, CALL_EV_FAILED);
	form_done(&params);
	return true;
}

void refer_told(struct call *c, int refer_code, int notify_code, bool final)
{
	struct refer *r = refer_of(c);

	/* A document of REST's may have taken the place of the verb's. */
	if (!r || !c->interp.verb || c->interp.verb->run != verb_refer_run)
		return;
	r->refer_code = refer_code;
	r->notify_code = notify_code;
	if (!final || ask_action(c))
		return;
	verb_refer_cancel(c);
	interp_next(c);
}

void refer_caller_gone(struct call *c)
{
	struct interp *in = &c->interp;
	const struct refer *r = in->verb && in->verb->run == verb_refer_run ? in->verb_state : NULL;
	struct form params;
	char *url;

	if (!r || !r->action || !c->stored || interp_resolve(c, &url, r->action) < 0)
		return;
	form_init(&params);
	if (params_standard(&params, c, NULL) == 0 &&
	    add_params(r, &params, r->refer_code >= 300 ? "failed" : "canceled") == 0)
		callbacks_put_request(c->calls->callbacks, c, url, r->method, &params);
	form_done(&params);
	free(url);
}

/* -- Refer-To */

/* The headers part anew (RFC 3261 §19.1.1), from whole lines. */
static void add_headers(struct buf *b, const char *lines)
{
	char before = '?';

	while (*lines) {
		const char *colon = strchr(lines, ':'), *end = strstr(lines, "\r\n");

		buf_addf(b, "%c%.*s=", before, (int)(colon - lines), lines);
		for (const char *p = colon + 1 + strspn(colon + 1, " "); p < end; p++) {
			unsigned char ch = (unsigned char)*p;

			if (isascii(ch) && (isalnum(ch) || strchr("-_.!~*'()", ch)))
				buf_addf(b, "%c", ch);
			else
				buf_addf(b, "%%%02X", ch);
		}
		before = '&';
		lines = end + 2;
	}
}

static void complain(struct call *c, const struct sip_target_error *error, bool refused,
		     const struct twiml_node *n)
{
	int code = !refused ? CODE_HEADER : CODE_URI;

	if (error->code == TARGET_TOO_LONG)
		code = CODE_HEADER_LONG;
	else if (error->code == TARGET_BAD_NAME)
		code = CODE_HEADER;
	else if (error->code == TARGET_BAD_VALUE)
		code = CODE_HEADER_VALUE;
	notify(c, code, NULL, NULL, "%s (line %u, column %u)", error->text, n->line, n->column);
}

/* What Refer-To says, malloced; NULL: told, or out of memory. */
static char *refer_to_of(struct call *c, const struct twiml_node *n)
{
	struct sip_target_error error = { .leave_out = true };
	char *text = twiml_text(n, true), *refer_to = NULL;
	struct sip_target target;
	struct buf b;
	int r = text ? sip_target_parse(&target, text, &error) : -ENOMEM;

	free(text);
	if (error.code)
		complain(c, &error, r < 0, n);
	if (r < 0)
		return NULL;
	buf_init(&b, REFER_TO_MAX_BYTES);
	buf_addf(&b, "<%s", target.uri);
	add_headers(&b, target.headers);
	buf_adds(&b, ">");
	if (b.error)
		log_error("%s: a Refer-To was not made: %s", c->sid, strerror(-b.error));
	else
		refer_to = buf_steal(&b);
	buf_done(&b);
	sip_target_done(&target);
	return refer_to;
}

static const struct twiml_node *target_of(struct call *c, const struct twiml_node *n)
{
	const struct twiml_node *target = NULL;

	for (const struct twiml_node *k = n->first; k; k = k->next) {
		/* The schema has told of other nouns. */
		if (k->type != TWIML_ELEMENT || strcmp(k->name, "Sip"))
			continue;
		if (target)
			notify(c, CODE_TOO_MANY, NULL, NULL,
			       "a <Refer> has one <Sip>: the one in line %u, column %u is left out",
			       k->line, k->column);
		else
			target = k;
	}
	if (!target)
		notify(c, CODE_URI, NULL, NULL, "a <Refer> has a <Sip> (line %u, column %u)",
		       n->line, n->column);
	return target;
}

enum verb_step verb_refer_run(struct call *c, const struct twiml_node *n)
{
	const struct twiml_node *target = target_of(c, n);
	char *refer_to = target ? refer_to_of(c, target) : NULL;
	struct refer *r = calloc(1, sizeof(*r));
	int sent = -EINVAL;

	if (r) {
		r->action = twiml_attr(n, "action");
		r->method = twiml_attr_text(n, "method");
		c->interp.verb_state = r;
		if (refer_to)
			sent = leg_refer(c->leg, refer_to);
	}
	free(refer_to);
	if (sent == 0)
		return VERB_WAIT;
	if (r && ask_action(c))
		return VERB_DONE;
	verb_refer_cancel(c);
	return VERB_MORE;
}
