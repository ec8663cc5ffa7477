/*
 * <Dial> with <Number>, <Sip> and <Client> (twiml-and-webhooks.md §2.6-§2.9): makes a call to each
 * target, joins the caller with the first that answers, and tells its action how it went.
 */
#define LOG_SUBSYSTEM "dial"
#include "base/config.h"
#include "base/log.h"
#include "call/bridge.h"
#include "call/call.h"
#include "call/call_order.h"
#include "call/call_outbound.h"
#include "call/dial_internal.h"
#include "call/notify.h"
#include "call/status_callback.h"
#include "call/verb.h"
#include "media/media.h"
#include "media/prompt.h"
#include "media/ringtone.h"
#include "proto/e164.h"
#include "proto/twiml.h"

#include <stdlib.h>
#include <string.h>

#define CODE_SEGMENT  13201
#define CODE_CALLER   13214
#define CODE_NESTED   13215
#define CODE_TOO_MANY 13250
#define CODE_NOT_YET  13750

static struct dial *dial_of(struct call *c)
{
	return c->interp.verb_state;
}

bool verb_dial_unanswered(const struct twiml_node *n)
{
	return twiml_attr_bool(n, "answerOnBridge");
}

void dial_drop_others(struct dial *d, const struct call *but)
{
	for (unsigned i = 0; i < d->n_targets; i++) {
		struct call *callee = d->targets[i].call;

		if (callee && callee != but)
			call_hangup(callee, CALL_EV_CANCELED);
	}
}

void verb_dial_cancel(struct call *c)
{
	struct dial *d = dial_of(c);

	if (!d)
		return;
	c->interp.verb_state = NULL;
	bridge_drop(c);
	if (d->joined)
		leg_leave(c->leg);
	if (c->leg)
		leg_stop(c->leg);
	dial_free(d);
}

void dial_free(struct dial *d)
{
	for (unsigned i = 0; i < d->n_targets; i++) {
		struct call *callee = d->targets[i].call;

		if (!callee)
			continue;
		callee->target = NULL;
		call_hangup(callee, CALL_EV_CANCELED);
	}
	prompt_unref(d->ring_tone);
	dial_result_done(&d->result);
	free(d->caller);
	free(d);
}

/* -- its end */

void dial_finish(struct dial *d)
{
	struct call *c = d->c;
	struct form params;

	if (!d->action) {
		verb_dial_cancel(c);
		interp_next(c);
		return;
	}
	form_init(&params);
	if (dial_result_params(d, &params) == 0)
		interp_fetch(c, d->action, d->method, &params);
	else
		call_hangup(c, CALL_EV_FAILED);
	form_done(&params);
}

/* -- ringing */

void dial_ring_caller(struct dial *d)
{
	if (call_answered(d->c) && d->ring_tone)
		leg_play(d->c->leg, d->ring_tone, MEDIA_FOREVER);
}

/* -- targets */

static unsigned events_of(const char *words)
{
	static const char *const names[] = { [CALLBACK_INITIATED] = "initiated",
					     [CALLBACK_RINGING] = "ringing",
					     [CALLBACK_ANSWERED] = "answered",
					     [CALLBACK_COMPLETED] = "completed" };
	unsigned bits = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (words && strstr(words, names[i]))
			bits |= 1u << i;
	return bits;
}

/* Whom a noun names, as call_dial takes it; malloced. */
static char *name_of(const struct twiml_node *n)
{
	char *text = twiml_text(n, true), *name = NULL, number[E164_SIZE];

	if (!text)
		return NULL;
	if (!strcmp(n->name, "Client")) {
		if (asprintf(&name, "client:%s", text) < 0)
			name = NULL;
	} else if (!strcmp(n->name, "Sip")) {
		name = text;
		text = NULL;
	} else {
		name = strdup(e164_of_text(number, text) == 0 ? number : text);
	}
	free(text);
	return name;
}

/* The URL of an attribute against the document, or NULL. */
static char *url_of(struct call *c, const struct twiml_node *n, const char *attr)
{
	const char *ref = twiml_attr(n, attr);
	char *url = NULL;

	if (ref && *ref && interp_resolve(c, &url, ref) < 0) {
		notify(c, 11100, NULL, NULL, "%s of <%s> (line %u, column %u)", attr, n->name,
		       n->line, n->column);
		return NULL;
	}
	return url;
}

static void start_target(struct dial *d, struct dial_target *t)
{
	struct call *c = d->c, *callee = NULL;
	const struct twiml_node *n = t->node;
	bool noun = strcmp(n->name, "Dial") != 0;
	char sid[SID_SIZE], *to = name_of(n), *url = noun ? url_of(c, n, "url") : NULL,
			    *status_callback = noun ? url_of(c, n, "statusCallback") : NULL,
			    *amd_callback = noun ? url_of(c, n, "amdStatusCallback") : NULL;
	struct call_order order = {
		.sid = sid,
		.account_sid = c->account_sid,
		.auth_token = c->auth_token,
		.parent_sid = c->sid,
		.to = to,
		.number = !noun || !strcmp(n->name, "Number"),
		.from = d->caller,
		.url = url,
		.method = noun ? twiml_attr_text(n, "method") : NULL,
		.status_callback = status_callback,
		.status_callback_method = noun ? twiml_attr_text(n, "statusCallbackMethod") : NULL,
		.callback_events = events_of(noun ? twiml_attr_text(n, "statusCallbackEvent") : ""),
		.send_digits = noun ? twiml_attr(n, "sendDigits") : NULL,
		.username = noun ? twiml_attr(n, "username") : NULL,
		.password = noun ? twiml_attr(n, "password") : NULL,
		.machine_detection = noun && twiml_attr(n, "machineDetection"),
		.amd_callback = amd_callback,
		.amd_callback_method = noun ? twiml_attr_text(n, "amdStatusCallbackMethod") : NULL,
		.timeout_s = d->timeout_s,
		.time_limit_s = d->time_limit_s,
		.early_media = !call_answered(c),
		.dtmf_pt = leg_dtmf_pt(c->leg),
	};

	sid_new_beside(sid, c->sid);
	if (to && call_order_take(&callee, c->calls, &order) == 0) {
		t->call = callee;
		callee->target = t;
		call_insert_row(callee);
		if (call_within_limit(callee))
			call_dial(callee);
	}
	free(to);
	free(url);
	free(status_callback);
	free(amd_callback);
}

static bool all_over(const struct dial *d)
{
	for (unsigned i = 0; i < d->n_targets; i++)
		if (d->targets[i].call)
			return false;
	return d->next_target == d->n_targets;
}

/* Dials what is next; true: all is over. */
static bool start_targets(struct dial *d)
{
	/* A target that fails at once comes back to dial_go_on. */
	d->busy = true;
	while (d->next_target < d->n_targets && !d->winner) {
		struct dial_target *t = &d->targets[d->next_target++];

		start_target(d, t);
		if (d->sequential && t->call)
			break;
	}
	d->busy = false;
	return all_over(d);
}

void dial_go_on(struct dial *d)
{
	if (!d->busy && start_targets(d))
		dial_finish(d);
}

void verb_dial_digit(struct call *c, char digit)
{
	struct dial *d = dial_of(c);

	if (!d || !d->hangup_on_star || digit != '*')
		return;
	if (d->winner) {
		call_hangup(d->winner->call, CALL_EV_HUNG_UP);
		return;
	}
	d->next_target = d->n_targets;
	d->busy = true;
	dial_drop_others(d, NULL);
	d->busy = false;
	dial_go_on(d);
}

/* -- the verb */

static void add_target(struct dial *d, const struct twiml_node *n)
{
	if (d->n_targets == DIAL_TARGETS_MAX) {
		notify(d->c, CODE_TOO_MANY, NULL, NULL,
		       "a <Dial> has %d targets at most: the one in line %u, column %u is left out",
		       DIAL_TARGETS_MAX, n->line, n->column);
		return;
	}
	d->targets[d->n_targets++] = (struct dial_target){ .dial = d, .node = n };
}

static void collect_targets(struct dial *d, const struct twiml_node *n)
{
	static const char *const nouns[] = { "Number", "Sip", "Client" };
	bool text = false;

	for (const struct twiml_node *k = n->first; k; k = k->next) {
		bool known = false;

		if (k->type == TWIML_TEXT) {
			text = text || k->text[strspn(k->text, " \t\r\n")];
			continue;
		}
		for (size_t i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++)
			known = known || !strcmp(k->name, nouns[i]);
		if (known)
			add_target(d, k);
		else
			notify(d->c, CODE_NOT_YET, NULL, NULL,
			       "<%s> in <Dial> is not supported and was skipped (line %u, column "
			       "%u)",
			       k->name, k->line, k->column);
	}
	/* The number of a <Dial>number</Dial>; beside nouns text says nothing. */
	if (text && !d->n_targets)
		add_target(d, n);
}

static const char *caller_of(struct call *c, const struct twiml_node *n)
{
	const char *caller = twiml_attr(n, "callerId");

	if (!caller || !*caller)
		return c->from;
	if (!strncmp(caller, "client:", 7))
		caller += 7;
	if (*caller && !caller[strspn(caller, CALLER_CHARS)])
		return caller;
	notify(c, CODE_CALLER, NULL, NULL,
	       "callerId has letters, digits and +-_. and no others (line %u, column %u)", n->line,
	       n->column);
	return c->from;
}

static void read_attributes(struct call *c, struct dial *d, const struct twiml_node *n)
{
	const char *record = twiml_attr_text(n, "record");

	d->c = c;
	d->action = twiml_attr(n, "action");
	d->method = twiml_attr_text(n, "method");
	d->refer_url = twiml_attr(n, "referUrl");
	d->refer_method = twiml_attr_text(n, "referMethod");
	if (!d->refer_url && c->order && c->order->refer_url) {
		d->refer_url = c->order->refer_url;
		d->refer_method = c->order->refer_method ? c->order->refer_method : "POST";
	}
	d->sequential = twiml_attr_bool(n, "sequential");
	d->answer_on_bridge = twiml_attr_bool(n, "answerOnBridge");
	d->hangup_on_star = twiml_attr_bool(n, "hangupOnStar");
	d->timeout_s = twiml_attr_int(n, "timeout");
	d->time_limit_s = twiml_attr_int(n, "timeLimit");
	d->result.duration_s = -1;
	d->caller = strdup(caller_of(c, n));
	if (ringtone_get(&d->ring_tone, twiml_attr_text(n, "ringTone")) < 0)
		log_error("%s: out of memory, no ring tone", c->sid);
	if (record && strcmp(record, "do-not-record") && strcmp(record, "false"))
		notify(c, CODE_NOT_YET, NULL, NULL,
		       "record of <Dial> is not supported and was left out (line %u, column %u)",
		       n->line, n->column);
}

enum verb_step verb_dial_run(struct call *c, const struct twiml_node *n)
{
	struct dial *d;

	if (c->target && !c->transferor) {
		interp_fail(c, CODE_SEGMENT, c->interp.shown_url, NULL,
			    "a document that a dialled party hears first has no <Dial>");
		return VERB_DONE;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		return VERB_MORE;
	c->interp.verb_state = d;
	read_attributes(c, d, n);
	if (!d->caller) {
		verb_dial_cancel(c);
		return VERB_MORE;
	}
	collect_targets(d, n);
	if (d->n_targets)
		dial_ring_caller(d);
	else
		notify(c, CODE_NESTED, NULL, NULL,
		       "there is nobody to dial in it (line %u, column %u)", n->line, n->column);
	if (!start_targets(d))
		return VERB_WAIT;
	if (d->action) {
		dial_finish(d);
		return VERB_DONE;
	}
	verb_dial_cancel(c);
	return VERB_MORE;
}
