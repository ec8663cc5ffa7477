#define LOG_SUBSYSTEM "bridge"
#include "call/bridge.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "call/call.h"
#include "call/dial.h"
#include "call/store.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* -- saving */

static json_t *save_call(const struct call *c)
{
	json_t *leg = leg_save(c->leg), *j;

	if (!leg)
		return NULL;
	j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s*, s:s*, s:i, s:i, s:i, "
		      "s:I, s:o}",
		      "sid", c->sid, "account_sid", c->account_sid, "direction", c->direction,
		      "from", c->from, "to", c->to, "domain_sid", c->domain_sid, "domain_name",
		      c->domain_name, "source_ip", c->source_ip, "user", c->user, "callback_url",
		      c->status_callback.url, "callback_method", c->status_callback.method,
		      "callback_events", (int)c->callback_events, "callback_sequence",
		      (int)c->callback_sequence, "time_limit", c->time_limit_s, "answered",
		      (json_int_t)c->answered_wall_ms, "leg", leg);
	if (!j)
		return NULL;
	if (c->sip_call_id && json_object_set_new(j, "sip_call_id", json_string(c->sip_call_id))) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static void put(struct call *c, struct store_item *item)
{
	if (!item || c->world->ops->store(c->world->w, item) < 0)
		log_error("%s: its bridge is not kept over a restart", c->sid);
}

static void link_ends(struct call *first, struct call *other)
{
	first->bridged = other;
	other->bridged = first;
	first->bridge_first = true;
	other->bridge_first = false;
}

/* What the row of a bridge is called. */
static const char *name_of(const struct call *c)
{
	return c->bridge_first ? c->sid : c->bridged->sid;
}

void bridge_save(struct call *a, struct call *b)
{
	json_t *one, *other, *state;

	if (!call_answered(a) || !call_answered(b) || a->ending || b->ending)
		return;
	one = save_call(a);
	other = save_call(b);
	state = one && other ? json_pack("[O, O]", one, other) : NULL;
	json_decref(one);
	json_decref(other);
	if (!state) {
		log_info("%s: the bridge has text that cannot be kept over a restart", a->sid);
		return;
	}
	if (!a->bridged)
		link_ends(a, b);
	put(a, store_item_bridge(name_of(a), a->bridge_first ? b->sid : a->sid, a->account_sid,
				 state));
	json_decref(state);
}

void bridge_changed(struct call *c)
{
	if (c->bridged)
		bridge_save(c, c->bridged);
}

void bridge_drop(struct call *c)
{
	if (!c->bridged)
		return;
	put(c, store_item_bridge_done(name_of(c)));
	c->bridged->bridged = NULL;
	c->bridged = NULL;
}

bool bridge_abandon(struct call *c)
{
	struct call *both[2] = { c, c->bridged };

	if (!both[1])
		return false;
	log_info("%s: goes on with %s without us", c->sid, both[1]->sid);
	for (int i = 0; i < 2; i++) {
		both[i]->mate = both[i]->bridged = NULL;
		both[i]->finished = true;
		dial_abandon(both[i]);
	}
	for (int i = 0; i < 2; i++) {
		leg_abandon(both[i]->leg);
		both[i]->leg = NULL;
		calls_bury(both[i]->calls, both[i]);
	}
	return true;
}

/* -- resuming */

static char *text(const json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	return strdup(s ? s : "");
}

static int number(const json_t *j, const char *name)
{
	return (int)json_integer_value(json_object_get(j, name));
}

static const char *direction_of(const json_t *j)
{
	static const char *const all[] = { "inbound", "outbound-api", "outbound-dial" };
	const char *s = json_string_value(json_object_get(j, "direction"));

	for (size_t i = 0; s && i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(all[i], s))
			return all[i];
	return all[0];
}

/* A call that is answered, with its leg; among the live ones. */
static struct call *resume_call(struct calls *calls, const json_t *j, const char *auth_token)
{
	const char *sid = json_string_value(json_object_get(j, "sid"));
	const char *callback = json_string_value(json_object_get(j, "callback_url"));
	int64_t age;
	struct call *c = sid && strlen(sid) == SID_SIZE - 1 ? call_alloc(calls, sid) : NULL;

	if (!c)
		return NULL;
	c->status = CALL_IN_PROGRESS;
	c->stored = c->answering = true;
	c->direction = direction_of(j);
	c->account_sid = text(j, "account_sid");
	c->auth_token = strdup(auth_token);
	c->from = text(j, "from");
	c->to = text(j, "to");
	c->domain_sid = text(j, "domain_sid");
	c->domain_name = text(j, "domain_name");
	c->source_ip = text(j, "source_ip");
	c->user = text(j, "user");
	c->sip_call_id = text(j, "sip_call_id");
	c->callback_events = (unsigned)number(j, "callback_events");
	c->callback_sequence = (unsigned)number(j, "callback_sequence");
	c->answered_wall_ms = (int64_t)json_integer_value(json_object_get(j, "answered"));
	age = clock_wall_ms() - c->answered_wall_ms;
	c->started_ms = c->world->ops->now_ms(c->world->w);
	c->answered_ms = age > 0 && (uint64_t)age < c->started_ms ? c->started_ms - (uint64_t)age
								  : c->started_ms;
	if (!c->account_sid || !c->auth_token || !c->from || !c->to || !c->domain_sid ||
	    !c->domain_name || !c->source_ip || !c->user || !c->sip_call_id ||
	    (callback && hook_set(&c->status_callback, callback,
				  json_string_value(json_object_get(j, "callback_method"))) < 0) ||
	    leg_resume(&c->leg, c->world, calls->legs, json_object_get(j, "leg"), &call_leg_events,
		       c) < 0) {
		call_free(c);
		return NULL;
	}
	calls_add(calls, c);
	call_set_limit(c, number(j, "time_limit"));
	return c;
}

static bool resume_pair(void *arg, const char *state, const char *auth_token)
{
	struct calls *calls = arg;
	json_t *j = json_loads(state, 0, NULL);
	struct call *a = resume_call(calls, json_array_get(j, 0), auth_token);
	struct call *b = a ? resume_call(calls, json_array_get(j, 1), auth_token) : NULL;

	json_decref(j);
	if (!b) {
		log_error("a bridge of the last run cannot be resumed: its calls end");
		if (a) {
			a->finished = true;
			calls_bury(calls, a);
		}
		return false;
	}
	a->mate = b;
	b->mate = a;
	link_ends(a, b);
	leg_rejoin(a->leg, b->leg);
	log_info("%s: connected with %s since before the restart", a->sid, b->sid);
	return true;
}

int bridges_resume(struct calls *calls, char *err, size_t err_size)
{
	const struct config *c = calls->world->config;

	return store_load_bridges(c->database_url, c->node, resume_pair, calls, err, err_size);
}
