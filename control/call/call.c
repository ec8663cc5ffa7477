#define LOG_SUBSYSTEM "call"
#include "call/call.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "call/bridge.h"
#include "call/call_outbound.h"
#include "call/dial.h"
#include "call/notify.h"
#include "call/playlist.h"
#include "call/refer.h"
#include "call/status_callback.h"
#include "call/store.h"
#include "call/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NS_PER_MS 1000000

void hook_done(struct hook *h)
{
	free(h->url);
	free(h->method);
	h->url = h->method = NULL;
}

int hook_set(struct hook *h, const char *url, const char *method)
{
	struct hook fresh = { NULL, NULL };

	if (url && *url) {
		fresh.url = strdup(url);
		fresh.method = strdup(method && !strcasecmp(method, "GET") ? "GET" : "POST");
		if (!fresh.url || !fresh.method) {
			hook_done(&fresh);
			return -ENOMEM;
		}
	}
	hook_done(h);
	*h = fresh;
	return 0;
}

enum metric_direction call_metric_direction(const struct call *c)
{
	if (!c->order)
		return DIRECTION_INBOUND;
	return c->order->parent_sid ? DIRECTION_OUTBOUND_DIAL : DIRECTION_OUTBOUND_API;
}

bool call_answered(const struct call *c)
{
	return c->status == CALL_IN_PROGRESS;
}

int call_duration_s(const struct call *c)
{
	return c->answered_ms
		       ? (int)((c->world->ops->now_ms(c->world->w) - c->answered_ms + 500) / 1000)
		       : 0;
}

struct http_jar *call_jar(struct call *c)
{
	if (!c->jar)
		c->jar = http_jar_new();
	return c->jar;
}

/* -- the row */

static void put_row(struct call *c, const struct store_call *row)
{
	struct store_item *item = store_item_call(row);

	if (!item || c->world->ops->store(c->world->w, item) < 0)
		log_error("%s: its row is lost", c->sid);
}

void call_insert_row(struct call *c)
{
	char *last_words = callbacks_last_words(c);

	put_row(c, &(struct store_call){
			   .sid = c->sid,
			   .account_sid = c->account_sid,
			   .parent_call_sid = c->order ? c->order->parent_sid : NULL,
			   .domain_sid = *c->domain_sid ? c->domain_sid : NULL,
			   .to = c->to,
			   .from = c->from,
			   .status = call_status_name(c->status),
			   .direction = c->direction,
			   .sip_call_id = c->sip_call_id,
			   .phone_number_sid = *c->phone_number_sid ? c->phone_number_sid : NULL,
			   .duration_s = -1,
			   .callback_url = last_words ? c->status_callback.url : NULL,
			   .callback_method = last_words ? c->status_callback.method : NULL,
			   .callback_parameters = last_words,
			   .insert = true,
		   });
	free(last_words);
	c->stored = true;
}

void call_update_callback(struct call *c, unsigned sequence)
{
	char *last_words = c->stored ? callbacks_last_words(c) : NULL;

	if (last_words)
		put_row(c, &(struct store_call){ .sid = c->sid,
						 .status = call_status_name(c->status),
						 .duration_s = -1,
						 .callback_url = c->status_callback.url,
						 .callback_method = c->status_callback.method,
						 .callback_parameters = last_words,
						 .callback_sequence = sequence });
	free(last_words);
}

/* -- status */

static bool call_set_status(struct call *c, enum call_event event)
{
	enum call_status to;

	if (call_status_step(&to, c->status, event) < 0)
		return false;
	log_info("%s: %s -> %s", c->sid, call_status_name(c->status), call_status_name(to));
	c->status = to;
	return true;
}

void call_on_deadline(void *arg)
{
	struct call *c = arg;

	if (c->order && !c->dialled) {
		call_dial(c);
		return;
	}
	if (!call_answered(c)) {
		call_reject(c, 480, "Temporarily Unavailable", 0, CALL_EV_GIVEN_UP);
		return;
	}
	if (!c->time_limit_s || call_duration_s(c) >= c->world->config->max_call_seconds)
		notify(c, 32015, NULL, NULL, "The call was longer than %d seconds",
		       c->world->config->max_call_seconds);
	call_hangup(c, CALL_EV_HUNG_UP);
}

static void arm_limit(struct call *c)
{
	uint64_t limit_ms = (uint64_t)c->world->config->max_call_seconds * 1000, past;

	if (c->time_limit_s && (uint64_t)c->time_limit_s * 1000 < limit_ms)
		limit_ms = (uint64_t)c->time_limit_s * 1000;
	past = c->world->ops->now_ms(c->world->w) - c->answered_ms;
	c->world->ops->timer_start(c->world->w, c->deadline, limit_ms > past ? limit_ms - past : 0);
}

void call_set_limit(struct call *c, int seconds)
{
	c->time_limit_s = seconds;
	if (call_answered(c))
		arm_limit(c);
}

/* -- the leg's events */

static void on_ringing(void *arg)
{
	struct call *c = arg;

	if (c->finished || c->ending || !call_set_status(c, CALL_EV_RINGING))
		return;
	put_row(c, &(struct store_call){ .sid = c->sid,
					 .status = call_status_name(c->status),
					 .duration_s = -1,
					 .callback_sequence =
						 callbacks_sequence_after(c, CALLBACK_RINGING) });
	call_outbound_ringing(c);
}

static void on_answered(void *arg)
{
	struct call *c = arg;

	if (c->finished || c->ending || !call_set_status(c, CALL_EV_ANSWERED))
		return;
	c->answered_ms = c->world->ops->now_ms(c->world->w);
	c->answered_wall_ms = clock_wall_ms();
	metrics_count(METRIC_CALLS_ANSWERED, call_metric_direction(c), 0);
	metrics_observe(METRIC_CALL_ANSWER_NS, 0, 0, (c->answered_ms - c->started_ms) * NS_PER_MS);
	put_row(c, &(struct store_call){ .sid = c->sid,
					 .status = call_status_name(c->status),
					 .start_time_ms = c->answered_wall_ms,
					 .duration_s = -1,
					 .callback_sequence =
						 callbacks_sequence_after(c, CALLBACK_ANSWERED),
					 .sip_response_code = 200 });
	arm_limit(c);
	dial_caller_answered(c);
	if (c->order)
		call_outbound_answered(c);
	else
		interp_answered(c);
}

static void on_progress(void *arg)
{
	struct call *c = arg;

	if (c->target && !c->finished && !c->ending)
		dial_progress(c);
}

static void on_heard(void *arg, const struct sip_msg *msg)
{
	struct call *c = arg;

	if (c->order && !c->finished)
		call_outbound_heard(c, msg);
}

static void on_referred(void *arg, const char *refer_to)
{
	struct call *c = arg;

	if (!c->finished && !c->ending)
		call_referred(c, refer_to);
}

static void on_warned(void *arg, int error, const char *text)
{
	struct call *c = arg;

	if (!c->finished)
		notify(c, error, NULL, NULL, "%s", text);
}

static void on_referral(void *arg, int refer_code, int notify_code, bool final)
{
	struct call *c = arg;

	if (!c->finished && !c->ending)
		refer_told(c, refer_code, notify_code, final);
}

static void on_digit(void *arg, char digit, unsigned duration_ms)
{
	struct call *c = arg;

	(void)duration_ms;
	if (!c->finished && !c->ending)
		interp_digit(c, digit);
}

static void on_played(void *arg, uint32_t play_id)
{
	struct call *c = arg;

	if (c->finished)
		return;
	if (c->digits_play && play_id == c->digits_play)
		call_outbound_digits_sent(c);
	else if (c->playing)
		playlist_played(c->playing, play_id);
}

static enum call_event event_of(const struct call *c, enum leg_end why, int sip_code)
{
	if (why == LEG_END_CANCELED)
		return CALL_EV_GIVEN_UP;
	if (c->ending)
		return c->end_event;
	switch (why) {
	case LEG_END_REMOTE_BYE:
	case LEG_END_LOCAL:
		return CALL_EV_HUNG_UP;
	case LEG_END_REFUSED:
		return call_event_of_answer(sip_code);
	default:
		return CALL_EV_FAILED;
	}
}

static void notify_end(struct call *c, enum leg_end why, int sip_code)
{
	switch (why) {
	case LEG_END_REFUSED:
	case LEG_END_UNREACHABLE:
		call_outbound_notify(c, why, sip_code);
		break;
	case LEG_END_NO_ACK:
		notify(c, 32022, NULL, NULL, "No ACK came for the 200 to %s", c->source_ip);
		break;
	case LEG_END_NO_RTP:
		notify(c, 32014, NULL, NULL, "No RTP came for %d s",
		       c->world->config->rtp_timeout_ms / 1000);
		break;
	case LEG_END_SESSION_EXPIRED:
		notify(c, 32011, NULL, NULL, "The SIP session expired: it was not refreshed");
		break;
	case LEG_END_MEDIA_FAILURE:
		notify(c, 12400, NULL, NULL, "The media of the call could not be set up");
		break;
	case LEG_END_INSECURE:
		notify(c, 32208, NULL, NULL,
		       "The party answered an offer of SRTP without a key for it");
		break;
	case LEG_END_TRANSPORT:
		notify(c, 32011, NULL, NULL, "A SIP request in the call got no answer");
		break;
	default:
		break;
	}
}

static void count_end(const struct call *c)
{
	static const enum metric_call_status status[CALL_STATUSES] = {
		[CALL_COMPLETED] = CALLS_COMPLETED, [CALL_BUSY] = CALLS_BUSY,
		[CALL_FAILED] = CALLS_FAILED,	    [CALL_NO_ANSWER] = CALLS_NO_ANSWER,
		[CALL_CANCELED] = CALLS_CANCELED,
	};

	metrics_count(METRIC_CALLS_ENDED, call_metric_direction(c), status[c->status]);
	if (c->answered_ms)
		metrics_observe(METRIC_CALL_DURATION_NS, 0, 0,
				(c->world->ops->now_ms(c->world->w) - c->answered_ms) * NS_PER_MS);
}

void call_end(struct call *c, enum call_event event, int sip_code)
{
	call_set_status(c, event);
	bridge_drop(c);
	dial_caller_gone(c);
	refer_caller_gone(c);
	if (transfer_take_back(c))
		dial_caller_gone(c);
	transfer_leave(c);
	interp_stop(c);
	count_end(c);
	c->finished = true;
	c->world->ops->timer_stop(c->world->w, c->deadline);
	call_outbound_stop(c);
	if (c->stored) {
		put_row(c, &(struct store_call){ .sid = c->sid,
						 .status = call_status_name(c->status),
						 .end_time_ms = clock_wall_ms(),
						 .duration_s =
							 c->answered_ms ? call_duration_s(c) : -1,
						 .sip_response_code = sip_code });
		/* One that was canceled before it was dialled has told nobody of itself. */
		if (!c->order || c->dialled || event != CALL_EV_CANCELED)
			callbacks_put(c->calls->callbacks, c, CALLBACK_COMPLETED, sip_code);
	}
	calls_bury(c->calls, c);
	if (c->target)
		dial_ended(c, sip_code);
	call_part(c);
}

static void on_ended(void *arg, enum leg_end why, int sip_code)
{
	struct call *c = arg;

	if (c->finished)
		return;
	if (c->stored)
		notify_end(c, why, sip_code);
	call_end(c, event_of(c, why, sip_code), sip_code);
}

/* The document goes on while the party holds us: media stops sending, nothing else changes. */
static void on_held(void *arg, bool held)
{
	struct call *c = arg;

	log_debug("%s: %s", c->sid, held ? "held by the party" : "resumed by the party");
}

static void on_changed(void *arg)
{
	bridge_changed(arg);
}

const struct leg_events call_leg_events = {
	.ringing = on_ringing,
	.progress = on_progress,
	.heard = on_heard,
	.warned = on_warned,
	.answered = on_answered,
	.referred = on_referred,
	.referral = on_referral,
	.digit = on_digit,
	.played = on_played,
	.held = on_held,
	.changed = on_changed,
	.ended = on_ended,
};

/* -- ends */

void call_hangup(struct call *c, enum call_event why)
{
	if (c->finished || c->ending)
		return;
	interp_stop(c);
	if (!c->leg) {
		call_end(c, why, c->forks ? 487 : 0);
		return;
	}
	c->ending = true;
	c->end_event = why;
	leg_hangup(c->leg);
}

void call_reject(struct call *c, int code, const char *reason, int error_code, enum call_event why)
{
	if (c->finished || c->ending)
		return;
	if (c->order) {
		call_hangup(c, why);
		return;
	}
	interp_stop(c);
	c->ending = true;
	c->end_event = why;
	/* A 200 may be out while its ACK, with the party's SDP, is awaited: then only BYE ends it.
	 */
	if (leg_reject(c->leg, code, reason, error_code) < 0)
		leg_hangup(c->leg);
}

void call_answer(struct call *c)
{
	if (c->finished || c->ending || c->answering)
		return;
	c->answering = true;
	if (leg_answer(c->leg) < 0 && !c->finished)
		call_reject(c, 500, "Server Internal Error", 0, CALL_EV_FAILED);
}
