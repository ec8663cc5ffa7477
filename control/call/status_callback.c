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
#include <utlist.h>

#define REPLY_MAX_BYTES 65536
#define ROW_MAX_BYTES	65536 /* of the parameters */
#define PARAMS_MAX	1000

struct callback;

/* One whose server is slow has its share of those that run; the others take turns for the rest. */
struct account {
	char sid[SID_SIZE];
	unsigned callbacks, running;
	struct callback *first, **tail; /* may be sent, and wait for a place */
	struct account *prev, *next;	/* among the ready */
	bool ready;			/* some wait, and it has not its share yet */
	UT_hash_handle hh;
};

/* What a call has to tell: the callback whose turn it is, and those behind it. */
struct channel {
	char call_sid[SID_SIZE];
	struct callback *turn, *behind, **tail;
	UT_hash_handle hh;
};

/* All that is needed of a call that is gone. */
struct callback {
	struct callbacks *all;
	struct channel *channel;
	struct account *account;
	struct callback *next; /* of its channel or, when it has its turn, of its account */
	struct webhook *webhook;
	bool written;	    /* its row is there, or cannot be */
	char sid[SID_SIZE]; /* of its row */
	char *auth_token, *url, *method;
	struct form params;
};

struct callbacks {
	struct world *world;
	struct channel *channels;
	struct account *accounts; /* of all callbacks */
	struct account *ready;
	unsigned count, n_running;
};

struct callbacks *callbacks_new(struct world *world)
{
	struct callbacks *cb = calloc(1, sizeof(*cb));

	if (cb)
		cb->world = world;
	return cb;
}

static void callback_free(struct callback *c)
{
	struct callbacks *cb;

	if (!c)
		return;
	cb = c->all;
	if (c->account && --c->account->callbacks == 0) {
		HASH_DEL(cb->accounts, c->account);
		free(c->account);
	}
	webhook_cancel(c->webhook);
	free(c->auth_token);
	free(c->url);
	free(c->method);
	form_done(&c->params);
	free(c);
}

void callbacks_free(struct callbacks *cb)
{
	struct channel *ch, *tmp;

	if (!cb)
		return;
	HASH_ITER(hh, cb->channels, ch, tmp)
	{
		HASH_DEL(cb->channels, ch);
		callback_free(ch->turn);
		while (ch->behind) {
			struct callback *c = ch->behind;

			ch->behind = c->next;
			callback_free(c);
		}
		free(ch);
	}
	free(cb);
}

unsigned callbacks_waiting(const struct callbacks *cb)
{
	return cb->count;
}

/* -- whose turn it is */

static void account_update(struct callbacks *cb, struct account *a)
{
	bool ready = a->first && a->running < CALLBACKS_ACCOUNT_MAX;

	if (ready == a->ready)
		return;
	a->ready = ready;
	if (ready)
		DL_APPEND(cb->ready, a);
	else
		DL_DELETE(cb->ready, a);
}

/* When it has its turn among those of its call, and its row is there. */
static void wait_for_place(struct callback *c)
{
	struct account *a = c->account;

	if (!c->written || c->channel->turn != c)
		return;
	c->next = NULL;
	*a->tail = c;
	a->tail = &c->next;
	account_update(c->all, a);
}

/* The next account's oldest; an account that has more goes behind the others. */
static struct callback *take_ready(struct callbacks *cb)
{
	struct account *a = cb->ready;
	struct callback *c;

	if (!a)
		return NULL;
	c = a->first;
	a->first = c->next;
	if (!a->first)
		a->tail = &a->first;
	a->ready = false;
	DL_DELETE(cb->ready, a);
	a->running++;
	cb->n_running++;
	account_update(cb, a);
	return c;
}

/* Delivered, or given up: its row goes, the next of its call has its turn. */
static void settle(struct callback *c)
{
	struct callbacks *cb = c->all;
	struct channel *ch = c->channel;
	struct store_item *item = store_item_callback_done(c->sid);

	if (!item || cb->world->ops->store(cb->world->w, item) < 0)
		log_error("%s: a callback that was settled may be sent again", ch->call_sid);
	cb->count--;
	cb->n_running--;
	c->account->running--;
	account_update(cb, c->account);
	callback_free(c);
	ch->turn = ch->behind;
	if (!ch->turn) {
		BUG_ON(!cb->channels);
		HASH_DEL(cb->channels, ch);
		free(ch);
		return;
	}
	ch->behind = ch->turn->next;
	if (!ch->behind)
		ch->tail = &ch->behind;
	wait_for_place(ch->turn);
}

/* -- sending */

static void start_ready(struct callbacks *cb);

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
		notify_account(cb->world, c->account->sid, c->channel->call_sid, code, &about, NULL,
			       message);
	}
	settle(c);
	start_ready(cb);
}

static int send_now(struct callback *c)
{
	struct webhook_request request = {
		.kind = WEBHOOK_STATUS_CALLBACK,
		.url = c->url,
		.method = c->method,
		.params = &c->params,
		.auth_token = c->auth_token,
		.account_sid = c->account->sid,
		.call_sid = c->channel->call_sid,
		/* The same when it is sent again after a restart. */
		.idempotency = c->sid + 2,
		.max_bytes = REPLY_MAX_BYTES,
	};

	return webhook_start(&c->webhook, c->all->world, &request, on_done, c);
}

static void start_ready(struct callbacks *cb)
{
	struct callback *c;

	while (cb->n_running < CALLBACKS_RUNNING_MAX && (c = take_ready(cb))) {
		if (send_now(c) < 0) {
			log_error("%s: out of memory, its status callback is lost",
				  c->channel->call_sid);
			settle(c);
		}
	}
}

/* -- from the call to its turn */

static struct account *account_get(struct callbacks *cb, const char *sid)
{
	struct account *a;

	HASH_FIND_STR(cb->accounts, sid, a);
	if (!a) {
		a = calloc(1, sizeof(*a));
		if (!a)
			return NULL;
		snprintf(a->sid, sizeof(a->sid), "%s", sid);
		a->tail = &a->first;
		HASH_ADD_STR(cb->accounts, sid, a);
	}
	a->callbacks++;
	return a;
}

/* Behind those of its call. */
static int join_channel(struct callback *c, const char *call_sid)
{
	struct callbacks *cb = c->all;
	struct channel *ch;

	HASH_FIND_STR(cb->channels, call_sid, ch);
	if (ch) {
		*ch->tail = c;
		ch->tail = &c->next;
	} else {
		ch = calloc(1, sizeof(*ch));
		if (!ch)
			return -ENOMEM;
		snprintf(ch->call_sid, sizeof(ch->call_sid), "%s", call_sid);
		ch->turn = c;
		ch->tail = &ch->behind;
		HASH_ADD_STR(cb->channels, call_sid, ch);
	}
	c->channel = ch;
	cb->count++;
	return 0;
}

/* In its place among those of its call; not to be sent before on_written. NULL: out of memory. */
static struct callback *callback_new(struct callbacks *cb, const struct store_callback *row,
				     const char *auth_token, const struct form *params)
{
	struct callback *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->all = cb;
	snprintf(c->sid, sizeof(c->sid), "%s", row->sid);
	form_init(&c->params);
	c->auth_token = strdup(auth_token);
	c->url = strdup(row->url);
	c->method = strdup(row->method);
	c->account = account_get(cb, row->account_sid);
	if (!c->auth_token || !c->url || !c->method || !c->account ||
	    form_copy(&c->params, params) < 0 || join_channel(c, row->call_sid) < 0) {
		callback_free(c);
		return NULL;
	}
	return c;
}

/* Its row is there: it may go when it has its turn. */
static void on_written(void *arg)
{
	struct callback *c = arg;
	struct callbacks *cb = c->all;

	c->written = true;
	wait_for_place(c);
	start_ready(cb);
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

/* What peers said need be no text; a row that is read again must be. */
static void make_ascii(char *encoded)
{
	struct form form;

	form_init(&form);
	if (form_parse(&form, encoded, strlen(encoded), PARAMS_MAX, NULL) == -EINVAL)
		for (char *p = encoded; *p; p++)
			if (*p == '%' && p[1] >= '8')
				memcpy(p, "%3F", 3);
	form_done(&form);
}

/* To be freed; NULL: too long, or out of memory. */
static char *encode(const struct form *params)
{
	struct buf b;
	char *text = NULL;

	buf_init(&b, ROW_MAX_BYTES);
	if (form_encode(params, &b, 1) == 0)
		text = b.data ? buf_steal(&b) : strdup("");
	buf_done(&b);
	if (text)
		make_ascii(text);
	return text;
}

static void put(struct callbacks *cb, const struct call *call, const char *sid, const char *url,
		const char *method, const struct form *params)
{
	struct store_callback row = { .sid = sid,
				      .account_sid = call->account_sid,
				      .call_sid = call->sid,
				      .url = url,
				      .method = method };
	struct store_item *item = NULL;
	struct callback *c;
	char *text;

	if (cb->count - cb->n_running >= CALLBACKS_WAITING_MAX) {
		notify_account(cb->world, call->account_sid, call->sid, 15002, NULL, NULL,
			       "The status callback was not sent: too many wait already");
		return;
	}
	c = callback_new(cb, &row, call->auth_token, params);
	if (!c) {
		log_error("%s: out of memory, its status callback is lost", call->sid);
		return;
	}
	text = encode(params);
	row.parameters = text;
	if (text)
		item = store_item_callback(&row, on_written, c);
	free(text);
	/* Without a row it is sent all the same: a restart would forget it. */
	if (!item || cb->world->ops->store(cb->world->w, item) < 0)
		on_written(c);
}

void callbacks_put_request(struct callbacks *cb, struct call *call, const char *url,
			   const char *method, const struct form *params)
{
	char sid[SID_SIZE];

	sid_new(sid, "CB");
	put(cb, call, sid, url, method, params);
}

void callbacks_resume(void *arg, const struct store_callback *row, const char *auth_token)
{
	struct callbacks *cb = arg;
	struct callback *c = NULL;
	struct form params;

	form_init(&params);
	if (form_parse(&params, row->parameters, strlen(row->parameters), PARAMS_MAX, NULL) == 0)
		c = callback_new(cb, row, auth_token, &params);
	form_done(&params);
	if (c)
		on_written(c);
	else
		log_error("%s: a callback of the last run cannot be resumed", row->call_sid);
}

static bool wanted(const struct call *call, enum callback_event event)
{
	return call->status_callback.url && call->callback_events & 1u << event;
}

unsigned callbacks_sequence_after(const struct call *call, enum callback_event event)
{
	return call->callback_sequence + wanted(call, event);
}

char *callbacks_last_words(const struct call *call)
{
	struct form all, params;
	char *text = NULL;
	int bad;

	if (!wanted(call, CALLBACK_COMPLETED))
		return NULL;
	form_init(&all);
	form_init(&params);
	bad = params_standard(&all, call, NULL);
	for (size_t i = 0; i < all.count && !bad; i++)
		if (strcmp(all.pairs[i].name, "CallStatus"))
			bad = form_add(&params, all.pairs[i].name, all.pairs[i].value);
	if (!bad)
		text = encode(&params);
	form_done(&params);
	form_done(&all);
	return text;
}

void callbacks_put(struct callbacks *cb, struct call *call, enum callback_event event, int sip_code)
{
	char sid[SID_SIZE];
	struct form params;

	if (!wanted(call, event))
		return;
	sid_new(sid, "CB");
	/* By the call's name: the start that closes the call instead of us must not send another.
	 */
	if (event == CALLBACK_COMPLETED)
		memcpy(sid + 2, call->sid + 2, sizeof(sid) - 2);
	form_init(&params);
	if (event_params(&params, call, event, sip_code) == 0) {
		put(cb, call, sid, call->status_callback.url, call->status_callback.method,
		    &params);
		call->callback_sequence++;
	} else {
		log_error("%s: out of memory, its status callback is lost", call->sid);
	}
	form_done(&params);
}
