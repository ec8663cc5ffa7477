/* The way to a live call from any thread: to the loop, and from there to the process whose call it
 * is. */
#define LOG_SUBSYSTEM "control"
#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "call/call.h"
#include "call/call_outbound.h"
#include "call/control_run.h"
#include "call/domain_cache.h"
#include "call/members.h"
#include "io/loop.h"
#include "io/siblings.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

#define WAIT_MS	       5000
#define CODE_TOO_LONG  32018
#define STRING(member) MEMBER_STRING(struct call_command, member)

static const struct member list[] = {
	STRING(call_sid),
	STRING(account_sid),
	STRING(status),
	STRING(url),
	STRING(method),
	STRING(twiml),
	STRING(fallback_url),
	STRING(fallback_method),
	STRING(status_callback),
	STRING(status_callback_method),
	MEMBER_NUMBER(struct call_command, time_limit),
};
static const struct members members = MEMBERS(list);

/* Shared by who asks and the loop; the last one frees it, since the asker may give up first. */
struct errand {
	struct calls *calls;
	struct call_command cmd; /* owned */
	uint64_t deadline_ms;	 /* of the monotonic clock, which all processes see */
	uint64_t number;	 /* among those that other processes were asked, which wait here: */
	struct errand *prev, *next;
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t done;
	bool finished, abandoned;
	int r, error_code;
};

static void errand_free(struct errand *e)
{
	members_free(&members, &e->cmd);
	pthread_mutex_destroy(&e->lock);
	pthread_cond_destroy(&e->done);
	free(e);
}

static struct errand *errand_new(struct calls *calls, const struct call_command *cmd)
{
	struct errand *e = calloc(1, sizeof(*e));
	pthread_condattr_t attr;

	if (!e)
		return NULL;
	pthread_mutex_init(&e->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&e->done, &attr);
	pthread_condattr_destroy(&attr);
	e->calls = calls;
	e->cmd = *cmd;
	e->deadline_ms = clock_mono_ms() + WAIT_MS;
	if (members_own(&members, &e->cmd) == 0)
		return e;
	errand_free(e);
	return NULL;
}

static bool is_abandoned(struct errand *e)
{
	bool ret;

	pthread_mutex_lock(&e->lock);
	ret = e->abandoned;
	pthread_mutex_unlock(&e->lock);
	return ret;
}

static void finish(struct errand *e, int r, int error_code)
{
	bool abandoned;

	pthread_mutex_lock(&e->lock);
	e->r = r;
	e->error_code = error_code;
	e->finished = true;
	abandoned = e->abandoned;
	pthread_cond_signal(&e->done);
	pthread_mutex_unlock(&e->lock);
	if (abandoned)
		errand_free(e);
}

/* -- another process's call */

static void on_late(void *arg)
{
	struct calls *calls = arg;
	uint64_t now_ms = clock_mono_ms();
	struct errand *e;

	while ((e = calls->errands) && e->deadline_ms <= now_ms) {
		DL_DELETE(calls->errands, e);
		finish(e, -ETIMEDOUT, 0);
	}
	if (e)
		loop_timer_start(calls->errand_timer, e->deadline_ms - now_ms);
}

static int ask_process(struct errand *e, unsigned process)
{
	struct calls *calls = e->calls;
	json_t *json = members_pack(&members, &e->cmd);
	int r = -ENOMEM;

	e->number = ++calls->errand_number;
	if (!calls->errand_timer)
		calls->errand_timer = loop_timer_new(calls->loop, on_late, calls);
	if (calls->errand_timer && json &&
	    json_object_set_new(json, "number", json_integer((json_int_t)e->number)) == 0 &&
	    json_object_set_new(json, "deadline_ms", json_integer((json_int_t)e->deadline_ms)) == 0)
		r = siblings_tell_json(calls->siblings, process, SIBLING_COMMAND, json);
	json_decref(json);
	return r;
}

static void ask(struct errand *e, unsigned process)
{
	struct calls *calls = e->calls;
	int r = ask_process(e, process);

	if (r < 0) {
		/* One that is not there now may be in a second, as after a crash. */
		finish(e,
		       r == -EMSGSIZE ? -EBADMSG
		       : r == -ENOMEM ? r
				      : -ETIMEDOUT,
		       r == -EMSGSIZE ? CODE_TOO_LONG : 0);
		return;
	}
	DL_APPEND(calls->errands, e);
	if (!loop_timer_active(calls->errand_timer))
		loop_timer_start(calls->errand_timer, WAIT_MS);
}

static void on_command(struct calls *calls, unsigned from, const json_t *json)
{
	struct call_command cmd = { 0 };
	json_int_t deadline_ms = json_integer_value(json_object_get(json, "deadline_ms"));
	int error_code = 0, r;
	json_t *answer;

	members_unpack(&members, &cmd, json);
	/* Who asked was told by now that it did not happen. */
	if (!cmd.call_sid || !cmd.account_sid || clock_mono_ms() >= (uint64_t)deadline_ms)
		return;
	r = control_run(calls, &cmd, &error_code);
	answer = json_pack("{s:O, s:i, s:i}", "number", json_object_get(json, "number"), "r", r,
			   "code", error_code);
	if (answer)
		siblings_tell_json(calls->siblings, from, SIBLING_ANSWER, answer);
	json_decref(answer);
}

static void on_answer(struct calls *calls, const json_t *json)
{
	uint64_t number = (uint64_t)json_integer_value(json_object_get(json, "number"));
	struct errand *e;

	DL_SEARCH_SCALAR(calls->errands, e, number, number);
	if (!e)
		return;
	DL_DELETE(calls->errands, e);
	finish(e, (int)json_integer_value(json_object_get(json, "r")),
	       (int)json_integer_value(json_object_get(json, "code")));
}

void control_sibling(struct calls *calls, unsigned from, enum sibling_message what,
		     const char *data, size_t len)
{
	json_t *json;

	if (what == SIBLING_CHANGED) {
		if (calls->domains)
			domain_cache_forget(calls->domains, *data ? data : NULL);
		return;
	}
	json = json_loadb(data, len, 0, NULL);
	if (what == SIBLING_COMMAND)
		on_command(calls, from, json);
	else if (what == SIBLING_ANSWER)
		on_answer(calls, json);
	else if (what == SIBLING_ORDER)
		call_order_told(calls, json);
	json_decref(json);
}

void control_stop(struct calls *calls)
{
	struct errand *e;

	while ((e = calls->errands)) {
		DL_DELETE(calls->errands, e);
		finish(e, -ETIMEDOUT, 0);
	}
	loop_timer_free(calls->errand_timer);
}

/* -- from any thread */

static void run_errand(void *arg)
{
	struct errand *e = arg;
	unsigned process = process_of_call(e->cmd.call_sid);
	int error_code = 0, r;

	/* Nobody waits for it any more, and was told that it did not happen. */
	if (is_abandoned(e)) {
		finish(e, -ETIMEDOUT, 0);
		return;
	}
	if (process != process_index() && e->calls->siblings) {
		ask(e, process);
		return;
	}
	r = control_run(e->calls, &e->cmd, &error_code);
	finish(e, r, error_code);
}

int call_control(struct calls *calls, const struct call_command *command, int *error_code)
{
	struct errand *e = errand_new(calls, command);
	struct timespec until;
	int r;

	if (!e)
		return -ENOMEM;
	until = (struct timespec){ .tv_sec = (time_t)(e->deadline_ms / 1000),
				   .tv_nsec = (long)(e->deadline_ms % 1000) * 1000000L };
	r = loop_post(calls->loop, run_errand, e);
	if (r < 0) {
		errand_free(e);
		return r == -ENOMEM ? r : -ETIMEDOUT;
	}
	pthread_mutex_lock(&e->lock);
	while (!e->finished && r == 0)
		r = pthread_cond_timedwait(&e->done, &e->lock, &until);
	if (!e->finished) {
		e->abandoned = true;
		pthread_mutex_unlock(&e->lock);
		return -ETIMEDOUT;
	}
	pthread_mutex_unlock(&e->lock);
	r = e->r;
	if (r < 0)
		*error_code = e->error_code;
	errand_free(e);
	return r;
}

struct change {
	struct calls *calls;
	char domain_sid[SID_SIZE];
};

static void tell_change(void *arg)
{
	struct change *change = arg;

	siblings_tell_all(change->calls->siblings, SIBLING_CHANGED, change->domain_sid,
			  strlen(change->domain_sid));
	free(change);
}

void calls_forget_domain(struct calls *calls, const char *domain_sid)
{
	struct change *change;

	if (calls->domains)
		domain_cache_forget(calls->domains, domain_sid);
	if (process_count() == 1)
		return;
	change = calloc(1, sizeof(*change));
	if (change) {
		change->calls = calls;
		snprintf(change->domain_sid, sizeof(change->domain_sid), "%s",
			 domain_sid ? domain_sid : "");
	}
	if (!change || loop_post(calls->loop, tell_change, change) < 0) {
		log_error("out of memory: other processes keep a domain's settings for a while");
		free(change);
	}
}
