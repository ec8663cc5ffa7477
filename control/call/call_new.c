/* How calls begin, inbound and of ours, up to the first document; and how their memory goes. */
#include "call/call.h"

#include "base/config.h"
#include "call/call_limits.h"
#include "call/call_outbound.h"
#include "call/rejected.h"
#include "call/status_callback.h"
#include "proto/sip_msg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A call to a number of the account: it is the number that is called, and a number may be who
 * calls. */
static int become_number_call(struct call *c, const char *phone_number_sid)
{
	snprintf(c->phone_number_sid, sizeof(c->phone_number_sid), "%s", phone_number_sid);
	free(c->to);
	c->to = strdup(c->called_number);
	if (*c->caller_number) {
		free(c->from);
		c->from = strdup(c->caller_number);
	}
	return c->to && c->from ? 0 : -ENOMEM;
}

static bool too_many(struct call *c, const char *sid, int calls)
{
	return calls > 0 && call_limits_count(c->calls->limits, sid) > (unsigned)calls;
}

/* Which limit this call is beyond: its code, or 0. */
static int beyond_limits(struct call *c, const struct call_domain *d)
{
	const struct config *config = c->world->config;
	int calls = d->account_calls < 0 ? config->account_calls : d->account_calls;
	int rate = d->owner_calls_per_second < 0 ? config->account_calls_per_second
						 : d->owner_calls_per_second;
	uint64_t now = c->world->ops->now_ms(c->world->w);

	if (too_many(c, c->account_sid, calls) || too_many(c, c->domain_sid, d->domain_calls))
		return 10004;
	if ((d->domain_calls_per_second > 0 &&
	     !call_limits_take(c->calls->limits, c->domain_sid,
			       (unsigned)d->domain_calls_per_second, now)) ||
	    !call_limits_take(c->calls->limits, d->owner_sid, (unsigned)rate, now))
		return 32013;
	return 0;
}

static void on_domain(void *arg, const struct call_domain *d)
{
	struct call *c = arg;
	int error;

	c->domain_get = 0;
	if (!d) {
		call_reject(c, 404, "Not Found", 32002, CALL_EV_FAILED);
		return;
	}
	if (!d->sid) {
		call_reject(c, 503, "Service Unavailable", 0, CALL_EV_FAILED);
		return;
	}
	if (!d->account_active) {
		rejected_tell(c->calls->rejected, d->account_sid, 10001,
			      "A call was refused: the account is not active");
		call_reject(c, 603, "Decline", 10001, CALL_EV_REFUSED);
		return;
	}
	error = beyond_limits(c, d);
	if (error) {
		rejected_tell(c->calls->rejected, d->account_sid, error,
			      error == 10004
				      ? "A call was refused: the account or its SIP domain has as "
					"many calls as it may"
				      : "A call was refused: the account or its SIP domain gets "
					"more calls a second than it may");
		call_reject(c, 503, "Service Unavailable", error, CALL_EV_REFUSED);
		return;
	}
	if (!d->voice_url) {
		rejected_tell(
			c->calls->rejected, d->account_sid, 11321,
			d->phone_number_sid
				? "A call was refused: the number that it calls has no VoiceUrl"
				: "A call was refused: its SIP domain has no VoiceUrl");
		call_reject(c, 404, "Not Found", 0, CALL_EV_FAILED);
		return;
	}
	free(c->auth_token);
	c->auth_token = strdup(d->auth_token ? d->auth_token : "");
	if (!c->auth_token ||
	    (d->phone_number_sid && become_number_call(c, d->phone_number_sid) < 0) ||
	    hook_set(&c->voice, d->voice_url, d->voice_method) < 0 ||
	    hook_set(&c->fallback, d->voice_fallback_url, d->voice_fallback_method) < 0 ||
	    hook_set(&c->status_callback, d->status_callback_url, d->status_callback_method) < 0) {
		call_reject(c, 500, "Server Internal Error", 0, CALL_EV_FAILED);
		return;
	}
	leg_ring(c->leg);
	if (c->finished)
		return;
	call_insert_row(c);
	interp_fetch_first(c, c->voice.url, c->voice.method);
}

void call_start(struct call *c)
{
	c->started_ms = c->world->ops->now_ms(c->world->w);
	c->world->ops->timer_start(c->world->w, c->deadline, CALL_RING_MAX_MS);
	if (c->world->ops->domain_get(c->world->w, c->domain_sid,
				      *c->called_number ? c->called_number : NULL, on_domain, c,
				      &c->domain_get) < 0) {
		c->domain_get = 0;
		call_reject(c, 503, "Service Unavailable", 0, CALL_EV_FAILED);
	}
}

/* The account's gateway is the SIP domain whose name is the account's SID. */
static void take_numbers(struct call *c, const struct leg_invite *invite)
{
	size_t n = strlen(invite->account_sid);
	const struct sip_msg *msg = invite->msg;

	if (!invite->domain || strncasecmp(invite->domain, invite->account_sid, n) ||
	    invite->domain[n] != '.' || !msg->ruri_user ||
	    e164_of_user(c->called_number, msg->ruri_user) < 0) {
		*c->called_number = '\0';
		return;
	}
	if (!msg->from_user || e164_of_user(c->caller_number, msg->from_user) < 0)
		*c->caller_number = '\0';
}

static int copy(char **ret, const char *s)
{
	*ret = strdup(s ? s : "");
	return *ret ? 0 : -ENOMEM;
}

int call_new(struct call **ret, struct calls *calls, const struct leg_invite *invite)
{
	struct call *c = calloc(1, sizeof(*c));
	int r = -ENOMEM, code = 0, error = 0;

	if (!c)
		return r;
	c->calls = calls;
	c->world = calls->world;
	form_init(&c->sip_headers);
	sid_new(c->sid, "CA");
	take_numbers(c, invite);
	if (copy(&c->account_sid, invite->account_sid) < 0 ||
	    copy(&c->domain_sid, invite->domain_sid) < 0 ||
	    copy(&c->domain_name, invite->domain) < 0 || copy(&c->user, invite->user) < 0 ||
	    copy(&c->from, invite->msg->from_uri) < 0 || copy(&c->to, invite->msg->ruri) < 0 ||
	    copy(&c->sip_call_id, invite->msg->call_id) < 0 ||
	    copy(&c->source_ip, invite->source_ip) < 0 ||
	    params_sip_headers(&c->sip_headers, invite->msg) < 0)
		goto out;
	c->deadline = c->world->ops->timer_new(c->world->w, call_on_deadline, c);
	if (!c->deadline)
		goto out;
	c->status = CALL_RINGING;
	c->direction = "inbound";
	c->callback_events = 1u << CALLBACK_COMPLETED;
	r = leg_new_inbound(&c->leg, c->world, c->sid, invite, &call_leg_events, c, &code, &error);
	if (r == -EPROTO && error)
		rejected_tell(calls->rejected, c->account_sid, error,
			      "A call was refused for what its INVITE says");
	if (r < 0)
		goto out;
	*ret = c;
	c = NULL;
out:
	call_free(c);
	return r;
}

struct call *call_alloc(struct calls *calls, const char *sid)
{
	struct call *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->calls = calls;
	c->world = calls->world;
	form_init(&c->sip_headers);
	snprintf(c->sid, sizeof(c->sid), "%s", sid);
	c->deadline = c->world->ops->timer_new(c->world->w, call_on_deadline, c);
	if (c->deadline)
		return c;
	free(c);
	return NULL;
}

int call_new_outbound(struct call **ret, struct calls *calls, struct call_order *order)
{
	struct call *c = call_alloc(calls, order->sid);
	int r = -ENOMEM;

	if (!c)
		return r;
	c->status = CALL_QUEUED;
	c->direction = order->parent_sid ? "outbound-dial" : "outbound-api";
	c->stored = !order->parent_sid;
	c->callback_events = order->callback_events;
	c->time_limit_s = order->time_limit_s;
	if (copy(&c->account_sid, order->account_sid) < 0 ||
	    copy(&c->auth_token, order->auth_token) < 0 || copy(&c->from, order->from) < 0 ||
	    copy(&c->to, order->to) < 0 || copy(&c->domain_sid, "") < 0 ||
	    copy(&c->domain_name, "") < 0 || copy(&c->source_ip, "") < 0 ||
	    copy(&c->user, "") < 0 || hook_set(&c->voice, order->url, order->method) < 0 ||
	    hook_set(&c->fallback, order->fallback_url, order->fallback_method) < 0 ||
	    hook_set(&c->status_callback, order->status_callback, order->status_callback_method) <
		    0) {
		call_free(c);
		return r;
	}
	c->order = order;
	calls_add(calls, c);
	*ret = c;
	return 0;
}

void call_free(struct call *c)
{
	if (!c)
		return;
	c->finished = true; /* what the leg may still say is not heard */
	if (c->domain_get)
		c->world->ops->domain_get_cancel(c->world->w, c->domain_get);
	interp_stop(c);
	interp_done(&c->interp);
	call_outbound_stop(c);
	if (c->deadline)
		c->world->ops->timer_free(c->world->w, c->deadline);
	leg_free(c->leg);
	call_order_free(c->order);
	http_jar_free(c->jar);
	hook_done(&c->voice);
	hook_done(&c->fallback);
	hook_done(&c->status_callback);
	form_done(&c->sip_headers);
	free(c->account_sid);
	free(c->auth_token);
	free(c->domain_sid);
	free(c->domain_name);
	free(c->from);
	free(c->to);
	free(c->sip_call_id);
	free(c->source_ip);
	free(c->user);
	free(c);
}
