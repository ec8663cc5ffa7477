#define LOG_SUBSYSTEM "calls"
#include "call/calls.h"

#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "call/bridge.h"
#include "call/call.h"
#include "call/call_limits.h"
#include "call/control_run.h"
#include "call/media_cache.h"
#include "call/rejected.h"
#include "call/status_callback.h"
#include "call/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_AFTER "Retry-After: 5\r\n"

struct call *calls_find(struct calls *calls, const char *sid, const char *account_sid)
{
	for (struct call *c = calls->live; c; c = c->next)
		if (!strcmp(c->sid, sid))
			return account_sid && strcmp(c->account_sid, account_sid) ? NULL : c;
	return NULL;
}

static void unlink_call(struct call **list, struct call *c)
{
	*(c->prev ? &c->prev->next : list) = c->next;
	if (c->next)
		c->next->prev = c->prev;
}

static void link_call(struct call **list, struct call *c)
{
	c->prev = NULL;
	c->next = *list;
	if (*list)
		(*list)->prev = c;
	*list = c;
}

void calls_add(struct calls *calls, struct call *c)
{
	link_call(&calls->live, c);
	calls->count++;
	call_limits_begin(calls->limits, CALL_LIMITS_NODE);
	call_limits_begin(calls->limits, c->account_sid);
	call_limits_begin(calls->limits, c->domain_sid);
	metrics_add(METRIC_CALLS_ACTIVE, 0, 0, 1);
	metrics_count(METRIC_CALLS_STARTED, call_metric_direction(c), 0);
}

void calls_bury(struct calls *calls, struct call *c)
{
	unlink_call(&calls->live, c);
	link_call(&calls->dead, c);
	calls->count--;
	call_limits_end(calls->limits, CALL_LIMITS_NODE);
	call_limits_end(calls->limits, c->account_sid);
	call_limits_end(calls->limits, c->domain_sid);
	metrics_add(METRIC_CALLS_ACTIVE, 0, 0, -1);
	calls->world->ops->timer_start(calls->world->w, calls->reaper, 0);
}

static void on_reaper(void *arg)
{
	struct calls *calls = arg;

	while (calls->dead) {
		struct call *c = calls->dead;

		unlink_call(&calls->dead, c);
		call_free(c);
	}
}

static void refuse(struct calls *calls, const struct leg_invite *invite, enum metric_refusal why)
{
	metrics_count(METRIC_CALLS_REFUSED, why, 0);
	calls->world->ops->sip_reply(calls->world->w, invite->transaction, 503,
				     "Service Unavailable", NULL, RETRY_AFTER, "");
}

static void on_incoming(void *arg, const struct leg_invite *invite)
{
	struct calls *calls = arg;
	unsigned limit = (unsigned)calls->world->config->max_calls;
	struct call *c;
	int r;

	if (call_limits_count(calls->limits, CALL_LIMITS_NODE) >= limit) {
		/* Not a line a call: this happens in floods. */
		if (calls->refused++ % 1000 == 0)
			log_warn("%u calls are the most that this node takes; refused so far: %llu",
				 limit, (unsigned long long)calls->refused);
		refuse(calls, invite, REFUSED_CAPACITY);
		return;
	}
	if (!invite->account_sid || !*invite->account_sid || !invite->domain_sid ||
	    !*invite->domain_sid) {
		log_error("an INVITE came without account or domain");
		refuse(calls, invite, REFUSED_INTERNAL);
		return;
	}
	r = call_new(&c, calls, invite);
	if (r == -EPROTO) {
		/* The leg answered it. */
		metrics_count(METRIC_CALLS_REFUSED, REFUSED_INVITE, 0);
		return;
	}
	if (r < 0) {
		log_error("a call could not be made: %s", strerror(-r));
		refuse(calls, invite, REFUSED_INTERNAL);
		return;
	}
	calls_add(calls, c);
	call_start(c);
}

static void on_rejected(void *arg, const json_t *params, const struct sip_msg *msg)
{
	metrics_count(METRIC_CALLS_REFUSED, REFUSED_SIP, 0);
	rejected_event(((struct calls *)arg)->rejected, params, msg);
}

static void on_media(void *arg, const struct leg_media_report *report)
{
	struct calls *calls = arg;
	struct store_item *item =
		store_item_call_media(&(struct store_call_media){ .call_sid = report->call_sid,
								  .protocol = report->protocol,
								  .suite = report->suite,
								  .received = report->received,
								  .rejected = report->rejected,
								  .sent = report->sent });

	if (!item || calls->world->ops->store(calls->world->w, item) < 0)
		log_error("%s: what was counted of its media is lost", report->call_sid);
}

static const struct legs_events legs_events = { .incoming = on_incoming,
						.rejected = on_rejected,
						.media = on_media };

struct calls *calls_new(struct world *world, struct loop *loop, struct domain_cache *domains)
{
	struct calls *calls = calloc(1, sizeof(*calls));

	if (!calls)
		return NULL;
	calls->world = world;
	calls->loop = loop;
	calls->domains = domains;
	metrics_set(METRIC_CALLS_LIMIT, 0, 0, world->config->max_calls);
	calls->reaper = world->ops->timer_new(world->w, on_reaper, calls);
	calls->callbacks = callbacks_new(world);
	calls->media = media_cache_new(world);
	calls->rejected = rejected_new(world);
	calls->limits = call_limits_new();
	calls->legs = legs_new(world, &legs_events, calls);
	if (!calls->reaper || !calls->callbacks || !calls->media || !calls->rejected ||
	    !calls->limits || !calls->legs) {
		calls_free(calls);
		return NULL;
	}
	return calls;
}

void calls_meet(struct calls *calls, struct siblings *siblings)
{
	calls->siblings = siblings;
}

void calls_free(struct calls *calls)
{
	if (!calls)
		return;
	control_stop(calls);
	while (calls->live) {
		struct call *c = calls->live;
		bool answered = call_answered(c);

		if (bridge_abandon(c))
			continue;
		if (answered)
			call_hangup(c, CALL_EV_HUNG_UP);
		else
			call_reject(c, 503, "Service Unavailable", 0, CALL_EV_FAILED);
		/* The leg's own end may come too late: the loop stops. */
		if (!c->finished)
			call_end(c, c->end_event, answered ? 200 : 503);
	}
	if (calls->reaper) {
		on_reaper(calls);
		calls->world->ops->timer_free(calls->world->w, calls->reaper);
	}
	callbacks_free(calls->callbacks);
	media_cache_free(calls->media);
	rejected_free(calls->rejected);
	legs_free(calls->legs);
	call_limits_free(calls->limits);
	free(calls);
}

struct legs *calls_legs(struct calls *calls)
{
	return calls->legs;
}

unsigned calls_count(const struct calls *calls)
{
	return calls->count;
}

unsigned calls_callbacks_waiting(const struct calls *calls)
{
	return callbacks_waiting(calls->callbacks);
}

int calls_resume_callbacks(struct calls *calls, char *err, size_t err_size)
{
	const struct config *c = calls->world->config;

	return store_load_callbacks(c->database_url, c->node, callbacks_resume, calls->callbacks,
				    err, err_size);
}
