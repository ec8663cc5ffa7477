/* Calls of ours: from REST's order to the answer. */
#define LOG_SUBSYSTEM "call"
#include "call/call_outbound.h"

#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "call/call.h"
#include "call/call_fork.h"
#include "call/call_limits.h"
#include "call/dial.h"
#include "call/notify.h"
#include "call/status_callback.h"
#include "io/loop.h"
#include "proto/twiml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CODE_NO_DETECTION 13750

/* -- from dialling to the document */

void call_outbound_fail(struct call *c, int code, int sip_code, const char *text)
{
	notify(c, code, NULL, NULL, "%s", text);
	call_end(c, CALL_EV_FAILED, sip_code);
}

void call_outbound_stop(struct call *c)
{
	if (c->routes_get)
		c->world->ops->routes_cancel(c->world->w, c->routes_get);
	c->routes_get = 0;
	call_forks_drop(c);
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

/* Detection is of a later version: whoever answers is `unknown`, at once. Digits that are sent rule
 * it out (sip-and-rest.md §1.6). */
static void detect_machine(struct call *c)
{
	const struct call_order *order = c->order;
	struct form params;

	if (!order->machine_detection || order->send_digits)
		return;
	c->answered_by = "unknown";
	notify(c, CODE_NO_DETECTION, NULL, NULL,
	       "machine detection is not available: AnsweredBy is unknown");
	if (!order->amd_callback)
		return;
	form_init(&params);
	if (params_standard(&params, c, NULL) == 0)
		callbacks_put_request(
			c->calls->callbacks, c, order->amd_callback,
			order->amd_callback_method ? order->amd_callback_method : "POST", &params);
	form_done(&params);
}

void call_outbound_answered(struct call *c)
{
	detect_machine(c);
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
	if (sip_code >= 300 && sip_code < 400) {
		notify(c, 32219, NULL, NULL, "%s: the redirect %d could not be followed", c->to,
		       sip_code);
		return;
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
	struct call_order *copy = call_order_copy(order);

	return copy ? make(ret, calls, copy) : -ENOMEM;
}

bool call_within_limit(struct call *c)
{
	if (call_limits_count(c->calls->limits, CALL_LIMITS_NODE) <=
	    (unsigned)c->world->config->max_calls)
		return true;
	metrics_count(METRIC_CALLS_REFUSED, REFUSED_CAPACITY, 0);
	call_outbound_fail(c, 10004, 0, "This node has as many calls as it takes (MAX_CALLS)");
	return false;
}

void call_order_run(struct calls *calls, struct call_order *order)
{
	struct call *c = NULL;
	uint64_t wait_ms;

	if (make(&c, calls, order) < 0 || !call_within_limit(c))
		return;
	wait_ms = call_limits_turn(calls->limits, c->account_sid,
				   (unsigned)calls->world->config->calls_per_second,
				   calls->world->ops->now_ms(calls->world->w));
	if (!wait_ms) {
		call_dial(c);
		return;
	}
	call_update_callback(c, 0);
	calls->world->ops->timer_start(calls->world->w, c->deadline, wait_ms);
}

void call_order_fail(struct calls *calls, struct call_order *order, int code, const char *why)
{
	struct call *c = NULL;

	if (make(&c, calls, order) == 0)
		call_outbound_fail(c, code, 0, why);
}
