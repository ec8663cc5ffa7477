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
#include "io/loop.h"
#include "io/siblings.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

#define WAIT_MS	       5000
#define CODE_TOO_LONG  32018
#define STRING(member) { #member, offsetof(struct call_command, member) }

/* The strings of a command. */
static const struct {
	const char *name;
	size_t at;
} strings[] = {
	STRING(call_sid),	 STRING(account_sid),
	STRING(status),		 STRING(url),
	STRING(method),		 STRING(twiml),
	STRING(fallback_url),	 STRING(fallback_method),
	STRING(status_callback), STRING(status_callback_method),
};

#define STRINGS (sizeof(strings) / sizeof(strings[0]))

/* Shared by who asks and the loop; the last one frees it, since the asker may give up first. */
struct errand {
	struct calls *calls;
	struct call_command cmd;
	char *strings[STRINGS]; /* of cmd */
	uint64_t deadline_ms;	/* of the monotonic clock, which all processes see */
	uint64_t number;	/* among those that other processes were asked, which wait here: */
	struct errand *prev, *next;
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t done;
	bool finished, abandoned;
	int r, error_code;
};

static const char **string_of(struct call_command *cmd, size_t i)
{
	return (const char **)((char *)cmd + strings[i].at);
}

static void errand_free(struct errand *e)
{
	for (size_t i = 0; i < STRINGS; i++)
		free(e->strings[i]);
	pthread_mutex_destroy(&e->lock);
	pthread_cond_destroy(&e->done);
	free(e);
}

static struct errand *errand_new(struct calls *calls, const struct call_command *cmd)
{
	struct errand *e = calloc(1, sizeof(*e));
	pthread_condattr_t attr;
	bool bad = false;

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
	for (size_t i = 0; i < STRINGS; i++) {
		const char **s = string_of(&e->cmd, i);

		if (!*s)
			continue;
		*s = e->strings[i] = strdup(*s);
		bad |= !*s;
	}
	if (bad) {
		errand_free(e);
		return NULL;
	}
	return e;
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

static void ask(struct errand *e, unsigned process)
{
	struct calls *calls = e->calls;
	json_t *json = json_pack("{s:I, s:I, s:i}", "number", (json_int_t)++calls->errand_number,
				 "deadline_ms", (json_int_t)e->deadline_ms, "time_limit",
				 e->cmd.time_limit);
	char *text;
	int r = -ENOMEM;

	for (size_t i = 0; i < STRINGS; i++)
		if (e->strings[i])
			json_object_set_new(json, strings[i].name, json_string(e->strings[i]));
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (!calls->errand_timer)
		calls->errand_timer = loop_timer_new(calls->loop, on_late, calls);
	if (text && calls->errand_timer)
		r = siblings_tell(calls->siblings, process, SIBLING_COMMAND, text, strlen(text));
	free(text);
	if (r < 0) {
		/* One that is not there now may be in a second, as after a crash. */
		finish(e,
		       r == -EMSGSIZE ? -EBADMSG
		       : r == -ENOMEM ? r
				      : -ETIMEDOUT,
		       r == -EMSGSIZE ? CODE_TOO_LONG : 0);
		return;
	}
	e->number = calls->errand_number;
	DL_APPEND(calls->errands, e);
	if (!loop_timer_active(calls->errand_timer))
		loop_timer_start(calls->errand_timer, WAIT_MS);
}

static void on_command(struct calls *calls, unsigned from, const json_t *json)
{
	struct call_command cmd = {
		.time_limit = (int)json_integer_value(json_object_get(json, "time_limit")),
	};
	json_int_t deadline_ms = json_integer_value(json_object_get(json, "deadline_ms"));
	int error_code = 0, n, r;
	char answer[128];

	for (size_t i = 0; i < STRINGS; i++)
		*string_of(&cmd, i) = json_string_value(json_object_get(json, strings[i].name));
	/* Who asked was told by now that it did not happen. */
	if (!cmd.call_sid || !cmd.account_sid || clock_mono_ms() >= (uint64_t)deadline_ms)
		return;
	r = control_run(calls, &cmd, &error_code);
	n = snprintf(answer, sizeof(answer), "{\"number\":%" PRId64 ",\"r\":%d,\"code\":%d}",
		     (int64_t)json_integer_value(json_object_get(json, "number")), r, error_code);
	siblings_tell(calls->siblings, from, SIBLING_ANSWER, answer, (size_t)n);
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
