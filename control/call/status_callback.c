#define LOG_SUBSYSTEM "callback"
#include "call/status_callback.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "call/call.h"
#include "call/notify.h"
#include "call/store.h"
#include "call/webhook.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#define REPLY_MAX_BYTES 65536
#define ROW_MAX_BYTES	65536 /* of the parameters */
#define PARAMS_MAX	1000

struct callback;

/* How many of an account run: one whose server is slow does not hold up the others. */
struct account {
	char sid[SID_SIZE];
	unsigned running;
	UT_hash_handle hh;
};

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
	struct account *account;
	struct callback *prev, *next;
	struct webhook *webhook;
	char sid[SID_SIZE]; /* of its row */
	char *account_sid, *auth_token, *url, *method;
	char call_sid[SID_SIZE];
	struct form params;
};

struct callbacks {
	struct world *world;
	struct channel *channels;
	struct account *accounts;   /* of which some run */
	struct callback *unwritten; /* their rows are on the way */
	struct callback *running;
	struct callback *waiting, **tail;
	unsigned n_unwritten, n_running, n_waiting, n_behind;
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
	struct account *a, *a_tmp;

	if (!cb)
		return;
	list_free(cb->unwritten);
	list_free(cb->running);
	list_free(cb->waiting);
	HASH_ITER(hh, cb->channels, ch, tmp)
	{
		HASH_DEL(cb->channels, ch);
		list_free(ch->behind);
		free(ch);
	}
	HASH_ITER(hh, cb->accounts, a, a_tmp)
	{
		HASH_DEL(cb->accounts, a);
		free(a);
	}
	free(cb);
}

unsigned callbacks_waiting(const struct callbacks *cb)
{
	return cb->n_unwritten + cb->n_running + cb->n_waiting + cb->n_behind;
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

static void unlink_from(struct callback **list, struct callback *c)
{
	*(c->prev ? &c->prev->next : list) = c->next;
	if (c->next)
		c->next->prev = c->prev;
}

static void link_to(struct callback **list, struct callback *c)
{
	c->prev = NULL;
	c->next = *list;
	if (*list)
		(*list)->prev = c;
	*list = c;
}

/* Delivered, or given up: its row goes, the next of its call has its turn. */
static void settle(struct callback *c)
{
	struct callbacks *cb = c->all;
	struct store_item *item = store_item_callback_done(c->sid);

	if (!item || cb->world->ops->store(cb->world->w, item) < 0)
		log_error("%s: a callback that was settled may be sent again", c->call_sid);
	channel_next(cb, c->channel);
	callback_free(c);
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
	unlink_from(&cb->running, c);
	cb->n_running--;
	if (--c->account->running == 0) {
		HASH_DEL(cb->accounts, c->account);
		free(c->account);
	}
	settle(c);
	start_waiting(cb);
}

static struct account *account_of(struct callbacks *cb, const char *sid)
{
	struct account *a;

	HASH_FIND_STR(cb->accounts, sid, a);
	return a;
}

/* Counts it as one that runs; NULL: out of memory. */
static struct account *account_take(struct callbacks *cb, const char *sid)
{
	struct account *a = account_of(cb, sid);

	if (!a) {
		a = calloc(1, sizeof(*a));
		if (!a)
			return NULL;
		snprintf(a->sid, sizeof(a->sid), "%s", sid);
		HASH_ADD_STR(cb->accounts, sid, a);
	}
	a->running++;
	return a;
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

	c->account = account_take(cb, c->account_sid);
	if (!c->account)
		return -ENOMEM;
	if (webhook_start(&c->webhook, cb->world, &request, on_done, c) < 0) {
		c->account->running--;
		return -ENOMEM;
	}
	link_to(&cb->running, c);
	cb->n_running++;
	return 0;
}

/* The first whose account has not its share already, off the list. */
static struct callback *take_waiting(struct callbacks *cb)
{
	for (struct callback **at = &cb->waiting; *at; at = &(*at)->next) {
		struct callback *c = *at;
		const struct account *a = account_of(cb, c->account_sid);

		if (a && a->running >= CALLBACKS_ACCOUNT_MAX)
			continue;
		*at = c->next;
		if (!*at)
			cb->tail = at;
		cb->n_waiting--;
		return c;
	}
	return NULL;
}

static void start_waiting(struct callbacks *cb)
{
	struct callback *c;

	while (cb->n_running < CALLBACKS_RUNNING_MAX && (c = take_waiting(cb))) {
		if (send_now(c) < 0) {
			log_error("%s: out of memory, its status callback is lost", c->call_sid);
			settle(c);
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

/* Its row is there: it may go. */
static void on_written(void *arg)
{
	struct callback *c = arg;
	struct callbacks *cb = c->all;

	unlink_from(&cb->unwritten, c);
	cb->n_unwritten--;
	if (enqueue(cb, c) == 0)
		return;
	log_error("%s: out of memory, its status callback is lost", c->call_sid);
	callback_free(c);
}

static void write_row(struct callback *c)
{
	struct callbacks *cb = c->all;
	struct store_item *item = NULL;
	struct buf b;

	buf_init(&b, ROW_MAX_BYTES);
	if (form_encode(&c->params, &b, 1) == 0)
		item = store_item_callback(
			&(struct store_callback){ .sid = c->sid,
						  .account_sid = c->account_sid,
						  .call_sid = c->call_sid,
						  .url = c->url,
						  .method = c->method,
						  .parameters = b.data ? b.data : "" },
			on_written, c);
	buf_done(&b);
	link_to(&cb->unwritten, c);
	cb->n_unwritten++;
	/* Without a row it is sent all the same: a restart would forget it. */
	if (!item || cb->world->ops->store(cb->world->w, item) < 0)
		on_written(c);
}

void callbacks_put_request(struct callbacks *cb, struct call *call, const char *url,
			   const char *method, const struct form *params)
{
	struct callback *c;

	if (cb->n_unwritten + cb->n_waiting + cb->n_behind >= CALLBACKS_WAITING_MAX) {
		notify_account(cb->world, call->account_sid, call->sid, 15002, NULL, NULL,
			       "The status callback was not sent: too many wait already");
		return;
	}
	c = calloc(1, sizeof(*c));
	if (c) {
		c->all = cb;
		c->url = strdup(url);
		c->method = strdup(method);
		sid_new(c->sid, "CB");
	}
	if (!c || fill(c, call, params) != 0) {
		log_error("%s: out of memory, its status callback is lost", call->sid);
		callback_free(c);
		return;
	}
	write_row(c);
}

void callbacks_resume(void *arg, const struct store_callback *row, const char *auth_token)
{
	struct callbacks *cb = arg;
	struct callback *c = calloc(1, sizeof(*c));

	if (!c)
		return;
	c->all = cb;
	snprintf(c->sid, sizeof(c->sid), "%s", row->sid);
	snprintf(c->call_sid, sizeof(c->call_sid), "%s", row->call_sid);
	form_init(&c->params);
	c->account_sid = strdup(row->account_sid);
	c->auth_token = strdup(auth_token);
	c->url = strdup(row->url);
	c->method = strdup(row->method);
	if (!c->account_sid || !c->auth_token || !c->url || !c->method ||
	    form_parse(&c->params, row->parameters, strlen(row->parameters), PARAMS_MAX, NULL) <
		    0 ||
	    enqueue(cb, c) != 0) {
		log_error("%s: a callback of the last run cannot be resumed", row->call_sid);
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
