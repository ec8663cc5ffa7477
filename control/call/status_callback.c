#define LOG_SUBSYSTEM "callback"
#include "call/status_callback.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "call/call.h"
#include "call/notify.h"
#include "call/webhook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#define REPLY_MAX_BYTES 65536

struct callback;

/* What a call has to tell: the callback that runs or waits for its turn, and those behind it. */
struct channel {
	char call_sid[SID_SIZE];
	struct callback *behind, **tail;
	UT_hash_handle hh;
};

/* All that is needed of a call that is gone. */
struct callback {
	struct callbacks *all;
	struct channel *channel;
	struct callback *prev, *next;
	struct webhook *webhook;
	char *account_sid, *auth_token, *url, *method;
	char call_sid[SID_SIZE];
	struct form params;
};

struct callbacks {
	struct world *world;
	struct channel *channels;
	struct callback *running;
	struct callback *waiting, **tail;
	unsigned n_running, n_waiting, n_behind;
};

static void callback_free(struct callback *c)
{
	if (!c)
		return;
	webhook_cancel(c->webhook);
	free(c->account_sid);
	free(c->auth_token);
	free(c->url);
	free(c->method);
	form_done(&c->params);
	free(c);
}

struct callbacks *callbacks_new(struct world *world)
{
	struct callbacks *cb = calloc(1, sizeof(*cb));

	if (!cb)
		return NULL;
	cb->world = world;
	cb->tail = &cb->waiting;
	return cb;
}

static void list_free(struct callback *list)
{
	while (list) {
		struct callback *c = list;

		list = c->next;
		callback_free(c);
	}
}

void callbacks_free(struct callbacks *cb)
{
	struct channel *ch, *tmp;

	if (!cb)
		return;
	list_free(cb->running);
	list_free(cb->waiting);
	HASH_ITER(hh, cb->channels, ch, tmp)
	{
		HASH_DEL(cb->channels, ch);
		list_free(ch->behind);
		free(ch);
	}
	free(cb);
}

unsigned callbacks_waiting(const struct callbacks *cb)
{
	return cb->n_running + cb->n_waiting + cb->n_behind;
}

static void start_waiting(struct callbacks *cb);

static void wait_for_turn(struct callbacks *cb, struct callback *c)
{
	c->next = NULL;
	*cb->tail = c;
	cb->tail = &c->next;
	cb->n_waiting++;
}

/* The next one of the call has its turn. */
static void channel_next(struct callbacks *cb, struct channel *ch)
{
	struct callback *c = ch->behind;

	if (!c) {
		BUG_ON(!cb->channels);
		HASH_DEL(cb->channels, ch);
		free(ch);
		return;
	}
	ch->behind = c->next;
	if (!ch->behind)
		ch->tail = &ch->behind;
	cb->n_behind--;
	wait_for_turn(cb, c);
}

static void on_done(void *arg, const struct webhook_result *result)
{
	struct callback *c = arg;
	struct callbacks *cb = c->all;
	int status = result->reply ? result->reply->status : 0;

	c->webhook = NULL;
	if (result->error_code) {
		struct notify_about about = notify_about_result(result);
		char message[400];
		/* A server that answered with an error has a code of its own here. */
		int code =
			result->error_code == 11200 && status >= 400 ? 15003 : result->error_code;

		snprintf(message, sizeof(message), "The status callback failed: %s",
			 result->error_text);
		notify_account(cb->world, c->account_sid, c->call_sid, code, &about, NULL, message);
	}
	*(c->prev ? &c->prev->next : &cb->running) = c->next;
	if (c->next)
		c->next->prev = c->prev;
	cb->n_running--;
	channel_next(cb, c->channel);
	callback_free(c);
	start_waiting(cb);
}

static int send_now(struct callback *c)
{
	struct callbacks *cb = c->all;
	struct webhook_request request = {
		.kind = WEBHOOK_STATUS_CALLBACK,
		.url = c->url,
		.method = c->method,
		.params = &c->params,
		.auth_token = c->auth_token,
		.account_sid = c->account_sid,
		.call_sid = c->call_sid,
		.max_bytes = REPLY_MAX_BYTES,
	};
	int r = webhook_start(&c->webhook, cb->world, &request, on_done, c);

	if (r < 0)
		return r;
	c->prev = NULL;
	c->next = cb->running;
	if (cb->running)
		cb->running->prev = c;
	cb->running = c;
	cb->n_running++;
	return 0;
}

static void start_waiting(struct callbacks *cb)
{
	while (cb->waiting && cb->n_running < CALLBACKS_RUNNING_MAX) {
		struct callback *c = cb->waiting;

		cb->waiting = c->next;
		if (!cb->waiting)
			cb->tail = &cb->waiting;
		cb->n_waiting--;
		if (send_now(c) < 0) {
			log_error("%s: out of memory, its status callback is lost", c->call_sid);
			channel_next(cb, c->channel);
			callback_free(c);
		}
	}
}

static int fill(struct callback *c, const struct call *call, const struct form *params)
{
	snprintf(c->call_sid, sizeof(c->call_sid), "%s", call->sid);
	form_init(&c->params);
	c->account_sid = strdup(call->account_sid);
	c->auth_token = strdup(call->auth_token);
	return c->account_sid && c->auth_token && c->url && c->method &&
			       form_copy(&c->params, params) == 0
		       ? 0
		       : -1;
}

static int event_params(struct form *f, const struct call *call, enum callback_event event,
			int sip_code)
{
	int seconds = call_duration_s(call), bad = 0;
	char date[CLOCK_RFC2822_SIZE];

	clock_rfc2822(date, time(NULL));
	bad |= params_standard(f, call, event == CALLBACK_INITIATED ? "initiated" : NULL);
	bad |= form_add(f, "CallbackSource", "call-progress-events");
	bad |= form_addf(f, "SequenceNumber", "%u", call->callback_sequence);
	bad |= form_add(f, "Timestamp", date);
	if (event != CALLBACK_COMPLETED)
		return bad;
	bad |= form_addf(f, "CallDuration", "%d", seconds);
	bad |= form_addf(f, "Duration", "%d", (seconds + 59) / 60);
	if (sip_code)
		bad |= form_addf(f, "SipResponseCode", "%d", sip_code);
	return bad;
}

/* Behind those of its call, or among those whose turn comes. */
static int enqueue(struct callbacks *cb, struct callback *c)
{
	struct channel *ch;

	HASH_FIND_STR(cb->channels, c->call_sid, ch);
	if (ch) {
		c->channel = ch;
		*ch->tail = c;
		ch->tail = &c->next;
		cb->n_behind++;
		return 0;
	}
	ch = calloc(1, sizeof(*ch));
	if (!ch)
		return -1;
	strcpy(ch->call_sid, c->call_sid);
	ch->tail = &ch->behind;
	HASH_ADD_STR(cb->channels, call_sid, ch);
	c->channel = ch;
	wait_for_turn(cb, c);
	start_waiting(cb);
	return 0;
}

void callbacks_put_request(struct callbacks *cb, struct call *call, const char *url,
			   const char *method, const struct form *params)
{
	struct callback *c;

	if (cb->n_waiting + cb->n_behind >= CALLBACKS_WAITING_MAX) {
		notify_account(cb->world, call->account_sid, call->sid, 15002, NULL, NULL,
			       "The status callback was not sent: too many wait already");
		return;
	}
	c = calloc(1, sizeof(*c));
	if (c) {
		c->all = cb;
		c->url = strdup(url);
		c->method = strdup(method);
	}
	if (!c || fill(c, call, params) != 0 || enqueue(cb, c) != 0) {
		log_error("%s: out of memory, its status callback is lost", call->sid);
		callback_free(c);
	}
}

void callbacks_put(struct callbacks *cb, struct call *call, enum callback_event event, int sip_code)
{
	struct form params;

	if (!call->status_callback.url || !(call->callback_events & 1u << event))
		return;
	form_init(&params);
	if (event_params(&params, call, event, sip_code) == 0) {
		callbacks_put_request(cb, call, call->status_callback.url,
				      call->status_callback.method, &params);
		call->callback_sequence++;
	} else {
		log_error("%s: out of memory, its status callback is lost", call->sid);
	}
	form_done(&params);
}
