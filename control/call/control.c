#define LOG_SUBSYSTEM "control"
#include "call/control.h"

#include "base/config.h"
#include "base/log.h"
#include "call/call.h"
#include "call/control_run.h"
#include "call/dial.h"
#include "call/domain_cache.h"
#include "call/transfer.h"
#include "io/loop.h"
#include "proto/twiml.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define WAIT_S	      5
#define INLINE_MAX    4000
#define CODE_TOO_LONG 32018
#define CODE_RELATIVE 15004
#define CODE_SCHEMA   12100

/* -- on the loop */

/* A URL that would need a document's address to resolve against; an inline document has none. */
static bool relative(const char *url)
{
	return url && *url && strncasecmp(url, "http://", 7) && strncasecmp(url, "https://", 8);
}

static bool has_relative_action(const struct twiml_node *n)
{
	for (; n; n = n->next)
		if (n->type == TWIML_ELEMENT &&
		    (relative(twiml_attr(n, "action")) || has_relative_action(n->first)))
			return true;
	return false;
}

static int parse_inline(struct twiml **ret, const char *text, int *error_code)
{
	struct twiml_error error = { .code = CODE_SCHEMA };
	struct twiml *doc;
	int r;

	if (strlen(text) > INLINE_MAX) {
		*error_code = CODE_TOO_LONG;
		return -EBADMSG;
	}
	r = twiml_parse(&doc, &error, text, strlen(text), "UTF-8", INLINE_MAX);
	if (r < 0) {
		*error_code = error.code;
		return r == -ENOMEM ? r : -EBADMSG;
	}
	if (has_relative_action(doc->response->first)) {
		twiml_free(doc);
		*error_code = CODE_RELATIVE;
		return -EBADMSG;
	}
	*ret = doc;
	return 0;
}

/* Status=canceled has no effect on an answered call, completed ends any. */
static void set_status(struct call *c, const char *status)
{
	if (!call_answered(c))
		call_hangup(c, CALL_EV_CANCELED);
	else if (!strcmp(status, "completed"))
		call_hangup(c, CALL_EV_HUNG_UP);
}

/* It goes on alone, with a document of its own. */
static void leave_others(struct call *c)
{
	transfer_leave(c);
	dial_released(c);
	call_part(c);
}

int control_run(struct calls *calls, const struct call_command *cmd, int *error_code)
{
	struct call *c = calls_find(calls, cmd->call_sid, cmd->account_sid);
	struct twiml *doc = NULL;
	int r = 0;

	if (!c || c->ending || !c->stored)
		return -ENOENT;
	/* Before the answer a call of ours has no document that another could replace. */
	if (c->order && !call_answered(c) && !cmd->status && (cmd->url || cmd->twiml))
		return -ENOENT;
	if (cmd->twiml && !cmd->url)
		r = parse_inline(&doc, cmd->twiml, error_code);
	if (r == 0 && cmd->fallback_url)
		r = hook_set(&c->fallback, cmd->fallback_url, cmd->fallback_method);
	if (r == 0 && cmd->status_callback)
		r = hook_set(&c->status_callback, cmd->status_callback,
			     cmd->status_callback_method);
	if (r < 0) {
		twiml_free(doc);
		return r;
	}
	if (cmd->status_callback)
		call_update_callback(c, 0);
	if (cmd->time_limit > 0)
		call_set_limit(c, cmd->time_limit);
	if (cmd->url || cmd->twiml)
		c->digits_play = 0; /* the order's document is not what follows them any more */
	if (cmd->status) {
		twiml_free(doc);
		set_status(c, cmd->status);
	} else if (cmd->url) {
		leave_others(c);
		interp_fetch_first(c, cmd->url, cmd->method);
	} else if (doc) {
		leave_others(c);
		interp_run_inline(c, doc);
	}
	return 0;
}

/* -- from any thread */

/* Shared by who asks and the loop; the last one frees it, since the asker may give up first. */
struct errand {
	struct calls *calls;
	struct call_command cmd;
	char *strings[9]; /* of cmd */
	unsigned n_strings;
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t done;
	bool finished, abandoned;
	int r, error_code;
};

static void errand_free(struct errand *e)
{
	while (e->n_strings)
		free(e->strings[--e->n_strings]);
	pthread_mutex_destroy(&e->lock);
	pthread_cond_destroy(&e->done);
	free(e);
}

static int keep(struct errand *e, const char **at, const char *s)
{
	*at = NULL;
	if (!s)
		return 0;
	e->strings[e->n_strings] = strdup(s);
	if (!e->strings[e->n_strings])
		return -ENOMEM;
	*at = e->strings[e->n_strings++];
	return 0;
}

static struct errand *errand_new(struct calls *calls, const struct call_command *cmd)
{
	struct errand *e = calloc(1, sizeof(*e));
	pthread_condattr_t attr;
	int bad = 0;

	if (!e)
		return NULL;
	pthread_mutex_init(&e->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&e->done, &attr);
	pthread_condattr_destroy(&attr);
	e->calls = calls;
	bad |= keep(e, &e->cmd.call_sid, cmd->call_sid);
	bad |= keep(e, &e->cmd.account_sid, cmd->account_sid);
	bad |= keep(e, &e->cmd.status, cmd->status);
	bad |= keep(e, &e->cmd.url, cmd->url);
	bad |= keep(e, &e->cmd.method, cmd->method);
	bad |= keep(e, &e->cmd.twiml, cmd->twiml);
	bad |= keep(e, &e->cmd.fallback_url, cmd->fallback_url);
	bad |= keep(e, &e->cmd.fallback_method, cmd->fallback_method);
	bad |= keep(e, &e->cmd.status_callback, cmd->status_callback);
	e->cmd.status_callback_method =
		cmd->status_callback_method && !strcasecmp(cmd->status_callback_method, "GET")
			? "GET"
			: "POST";
	e->cmd.time_limit = cmd->time_limit;
	if (bad) {
		errand_free(e);
		return NULL;
	}
	return e;
}

static void run_errand(void *arg)
{
	struct errand *e = arg;
	int error_code = 0, r;
	bool abandoned;

	pthread_mutex_lock(&e->lock);
	abandoned = e->abandoned;
	pthread_mutex_unlock(&e->lock);
	/* Nobody waits for it any more, and was told that it did not happen. */
	r = abandoned ? -ETIMEDOUT : control_run(e->calls, &e->cmd, &error_code);
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

int call_control(struct calls *calls, const struct call_command *command, int *error_code)
{
	struct errand *e = errand_new(calls, command);
	struct timespec until;
	int r;

	if (!e)
		return -ENOMEM;
	r = loop_post(calls->loop, run_errand, e);
	if (r < 0) {
		errand_free(e);
		return r == -ENOMEM ? r : -ETIMEDOUT;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += WAIT_S;
	pthread_mutex_lock(&e->lock);
	r = 0;
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

void calls_forget_domain(struct calls *calls, const char *domain_sid)
{
	if (calls->domains)
		domain_cache_forget(calls->domains, domain_sid);
}
