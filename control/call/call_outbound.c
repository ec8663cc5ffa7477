/* Calls of ours: from REST's order to the answer. */
#define LOG_SUBSYSTEM "call"
#include "call/call_outbound.h"

#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "call/call.h"
#include "call/dial.h"
#include "call/notify.h"
#include "call/status_callback.h"
#include "io/loop.h"
#include "proto/e164.h"
#include "proto/sip_target.h"
#include "proto/twiml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uthash.h>

#define STRINGS_MAX	 20
#define PACES_MAX	 4096
#define DEADLINE_S	 600 /* of a ringing call, whatever the order says */
#define CODE_NO_ROUTE	 13224
#define CODE_BAD_URI	 21211 /* of REST's To; of a <Sip>: */
#define CODE_DIAL_URI	 13243
#define CODE_BAD_NUMBER	 13223
#define CODE_DIAL_HEADER 13252

/* An order that owns its strings. */
struct owned_order {
	struct call_order order; /* first */
	struct calls *calls;
	char *strings[STRINGS_MAX];
	unsigned n_strings;
};

/* When an account may dial next. */
struct call_pace {
	char account_sid[SID_SIZE];
	uint64_t next_ms;
	UT_hash_handle hh;
};

static int keep(struct owned_order *o, const char **at)
{
	if (!*at)
		return 0;
	*at = o->strings[o->n_strings] = strdup(*at);
	return o->strings[o->n_strings++] ? 0 : -ENOMEM;
}

void call_order_free(struct call_order *order)
{
	struct owned_order *o = (struct owned_order *)order;

	if (!o)
		return;
	while (o->n_strings)
		free(o->strings[--o->n_strings]);
	free(o);
}

static struct owned_order *order_copy(const struct call_order *order)
{
	struct owned_order *o = calloc(1, sizeof(*o));
	struct call_order *c = &o->order;
	int bad = 0;

	if (!o)
		return NULL;
	*c = *order;
	bad |= keep(o, &c->sid) | keep(o, &c->account_sid) | keep(o, &c->auth_token);
	bad |= keep(o, &c->to) | keep(o, &c->from) | keep(o, &c->url) | keep(o, &c->method);
	bad |= keep(o, &c->twiml) | keep(o, &c->fallback_url) | keep(o, &c->fallback_method);
	bad |= keep(o, &c->status_callback) | keep(o, &c->status_callback_method);
	bad |= keep(o, &c->send_digits) | keep(o, &c->username) | keep(o, &c->password);
	bad |= keep(o, &c->parent_sid);
	if (!bad)
		return o;
	call_order_free(c);
	return NULL;
}

/* -- when it is dialled */

/* How long this call of the account has to wait for its turn. */
static uint64_t take_turn(struct calls *calls, const char *account_sid)
{
	uint64_t now = calls->world->ops->now_ms(calls->world->w), at;
	int rate = calls->world->config->calls_per_second;
	struct call_pace *p, *tmp;

	if (!rate)
		return 0;
	HASH_FIND_STR(calls->paces, account_sid, p);
	if (!p) {
		if (HASH_COUNT(calls->paces) >= PACES_MAX)
			HASH_ITER(hh, calls->paces, p, tmp)
			{
				if (p->next_ms > now)
					continue;
				HASH_DEL(calls->paces, p);
				free(p);
			}
		p = calloc(1, sizeof(*p));
		if (!p)
			return 0;
		snprintf(p->account_sid, sizeof(p->account_sid), "%s", account_sid);
		HASH_ADD_STR(calls->paces, account_sid, p);
	}
	/* In milliseconds no rate above a thousand can be kept: as many as that go at once. */
	at = p->next_ms > now ? p->next_ms : now;
	p->next_ms = at + (uint64_t)(1000 / rate);
	return at - now;
}

void call_paces_free(struct calls *calls)
{
	struct call_pace *p, *tmp;

	HASH_ITER(hh, calls->paces, p, tmp)
	{
		HASH_DEL(calls->paces, p);
		free(p);
	}
}

/* -- dialling */

static void fail(struct call *c, int code, const char *text)
{
	notify(c, code, NULL, NULL, "%s", text);
	call_end(c, CALL_EV_FAILED, 0);
}

/* The user part of a URI; what is no URI is one itself. */
static void party_user(char *ret, size_t size, const char *party)
{
	size_t scheme = !strncasecmp(party, "sips:", 5)	 ? 5
			: !strncasecmp(party, "sip:", 4) ? 4
							 : 0,
	       n = scheme ? strcspn(party + scheme, "@;:?") : strlen(party);

	if (scheme && party[scheme + n] != '@' &&
	    !memchr(party + scheme, '@', strlen(party + scheme)))
		n = 0;
	snprintf(ret, size, "%.*s", (int)n, party + scheme);
	if (!*ret || ret[strspn(ret, CALLER_CHARS)])
		snprintf(ret, size, "anonymous");
}

void call_dial(struct call *c)
{
	const struct call_order *order = c->order;
	char from_user[SIP_TARGET_URI_MAX + 1];
	struct sip_target_error error = { .leave_out = order->parent_sid != NULL };
	struct leg_call call = { .account_sid = c->account_sid,
				 .from_user = from_user,
				 .from_host = c->world->config->sip_domain,
				 .username = order->username,
				 .password = order->password,
				 .early_media = order->early_media,
				 .dtmf_pt = order->dtmf_pt };
	struct sip_target target;
	int r, timeout_s = order->timeout_s < DEADLINE_S ? order->timeout_s : DEADLINE_S;

	party_user(from_user, sizeof(from_user), order->from);
	if (order->number && !e164_ok(order->to)) {
		fail(c, CODE_BAD_NUMBER, order->to);
		return;
	}
	if (*order->to == '+' || !strncmp(order->to, "client:", 7)) {
		fail(c, CODE_NO_ROUTE,
		     "There is no route to numbers and clients: only to SIP URIs");
		return;
	}
	r = sip_target_parse(&target, order->to, &error);
	if (r < 0) {
		fail(c,
		     order->parent_sid && error.code == CODE_BAD_URI ? CODE_DIAL_URI : error.code,
		     r == -ENOMEM ? "out of memory" : error.text);
		return;
	}
	if (error.code)
		notify(c, CODE_DIAL_HEADER, NULL, NULL, "%s", error.text);
	call.target = &target;
	free(c->domain_name);
	c->domain_name = strdup(target.host);
	r = leg_new_outbound(&c->leg, c->world, c->calls->legs, c->sid, &call, &call_leg_events, c);
	sip_target_done(&target);
	if (r == 0 && (!c->domain_name || !(c->sip_call_id = strdup(leg_call_id(c->leg)))))
		r = -ENOMEM;
	if (r < 0) {
		c->leg ? call_hangup(c, CALL_EV_FAILED) : fail(c, 12400, "out of memory");
		return;
	}
	c->started_ms = c->world->ops->now_ms(c->world->w);
	c->world->ops->timer_start(c->world->w, c->deadline, (uint64_t)timeout_s * 1000);
	callbacks_put(c->calls->callbacks, c, CALLBACK_INITIATED, 0);
}

void call_outbound_ringing(struct call *c)
{
	callbacks_put(c->calls->callbacks, c, CALLBACK_RINGING, 0);
}

static void start_document(struct call *c)
{
	const struct call_order *order = c->order;
	struct twiml_error error = { .code = 12100 };
	struct twiml *doc;

	if (!order->url && !order->twiml) {
		dial_ready(c);
		return;
	}
	if (!order->twiml) {
		interp_fetch_first(c, c->voice.url, c->voice.method);
		return;
	}
	if (twiml_parse(&doc, &error, order->twiml, strlen(order->twiml), "UTF-8",
			(size_t)c->world->config->twiml_max_bytes) < 0)
		interp_fail(c, error.code, "", NULL, error.message);
	else
		interp_run_inline(c, doc);
}

void call_outbound_answered(struct call *c)
{
	callbacks_put(c->calls->callbacks, c, CALLBACK_ANSWERED, 0);
	if (c->target)
		dial_answered(c);
	if (c->ending || c->finished)
		return;
	if (c->order->send_digits)
		c->digits_play = leg_play_digits(c->leg, c->order->send_digits);
	if (!c->digits_play)
		start_document(c);
}

void call_outbound_digits_sent(struct call *c)
{
	c->digits_play = 0;
	start_document(c);
}

/* -- why it came to nothing */

void call_outbound_notify(struct call *c, enum leg_end why, int sip_code)
{
	static const struct {
		int sip, code;
	} codes[] = {
		{ 486, 34002 }, { 600, 34002 }, { 603, 31603 }, { 408, 31408 }, { 480, 31480 }
	};

	if (why == LEG_END_UNREACHABLE) {
		if (sip_code)
			notify(c, 32011, NULL, NULL, "%s: no SIP answer came", c->to);
		else
			notify(c, 13254, NULL, NULL,
			       "%s: the host has no address that may be called, or none that takes "
			       "a connection",
			       c->to);
		return;
	}
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].sip == sip_code) {
			notify(c, codes[i].code, NULL, NULL, "%s: the SIP answer was %d", c->to,
			       sip_code);
			return;
		}
	}
	notify(c, sip_code == 401 || sip_code == 407 ? 13244 : 32011, NULL, NULL,
	       "%s: the SIP answer was %d", c->to, sip_code);
}

void call_outbound_heard(struct call *c, const struct sip_msg *msg)
{
	form_done(&c->sip_headers);
	form_init(&c->sip_headers);
	params_sip_headers(&c->sip_headers, msg);
}

/* -- the order */

/* Takes the order. */
static int make(struct call **ret, struct calls *calls, struct call_order *order)
{
	if (call_new_outbound(ret, calls, order) == 0)
		return 0;
	log_error("%s: out of memory, it is not dialled", order->sid);
	call_order_free(order);
	return -ENOMEM;
}

int call_order_take(struct call **ret, struct calls *calls, const struct call_order *order)
{
	struct owned_order *own = order_copy(order);

	return own ? make(ret, calls, &own->order) : -ENOMEM;
}

bool call_within_limit(struct call *c)
{
	if (c->calls->count <= (unsigned)c->world->config->max_calls)
		return true;
	metrics_count(METRIC_CALLS_REFUSED, REFUSED_CAPACITY, 0);
	fail(c, 10004, "This node has as many calls as it takes (MAX_CALLS)");
	return false;
}

/* Takes the order. */
static void run(struct calls *calls, struct call_order *order)
{
	struct call *c = NULL;
	uint64_t wait_ms;

	if (make(&c, calls, order) < 0 || !call_within_limit(c))
		return;
	wait_ms = take_turn(calls, c->account_sid);
	if (wait_ms)
		calls->world->ops->timer_start(calls->world->w, c->deadline, wait_ms);
	else
		call_dial(c);
}

void calls_order_run(struct calls *calls, const struct call_order *order)
{
	struct owned_order *own = order_copy(order);

	if (own)
		run(calls, &own->order);
}

static void run_posted(void *arg)
{
	struct owned_order *o = arg;

	run(o->calls, &o->order);
}

int calls_order(struct calls *calls, const struct call_order *order)
{
	struct owned_order *o = order_copy(order);
	int r;

	if (!o)
		return -ENOMEM;
	o->calls = calls;
	r = loop_post(calls->loop, run_posted, o);
	if (r < 0)
		call_order_free(&o->order);
	return r;
}
