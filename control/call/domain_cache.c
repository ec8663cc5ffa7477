#define LOG_SUBSYSTEM "domain"
#include "call/domain_cache.h"

#include "base/log.h"
#include "base/sid.h"
#include "call/world.h"
#include "io/db.h"
#include "io/loop.h"
#include "proto/e164.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRESH_MS    5000
#define ENTRIES_MAX 10000
#define WAITING_MAX 20000
#define KEY_SIZE    (SID_SIZE + E164_SIZE) /* the domain's SID, and the number if one is called */
#define COLUMNS	    18

/* One domain as the database had it. Owned by the tree, or by the query that fills it. */
struct settings {
	char key[KEY_SIZE];
	char *column[COLUMNS];
	bool found;
	uint64_t read_ms;
	struct settings *prev, *next; /* by age: the oldest first */
};

struct waiter {
	uint64_t id;
	char key[KEY_SIZE];
	domain_cache_fn *done;
	void *arg;
	struct waiter *next;
};

struct query {
	struct domain_cache *cache;
	char key[KEY_SIZE];
	struct settings *entry; /* what was read */
	int r;
	bool stale; /* forgotten while it ran */
	struct query *next;
};

struct domain_cache {
	struct loop *loop;
	struct db_worker *worker;
	void *tree; /* of struct settings, by key */
	struct settings *oldest, *newest;
	unsigned entries;
	struct waiter *waiters, **waiter_tail;
	unsigned waiting;
	struct query *queries;
	struct loop_timer *soon; /* completes what the cache could answer at once */
	uint64_t last_id;
};

/* The hooks of the number's application, or else of the number, or else of the domain. */
static const char select_domain[] =
	"SELECT d.sid, d.domain_name, d.account_sid, a.auth_token, a.status, d.secure, h.*,"
	" a.owner_account_sid, la.calls, lo.calls_per_second, ld.calls, ld.calls_per_second"
	" FROM sip_domains d JOIN accounts a ON a.sid = d.account_sid"
	" LEFT JOIN call_limits la ON la.sid = a.sid"
	" LEFT JOIN call_limits lo ON lo.sid = a.owner_account_sid"
	" LEFT JOIN call_limits ld ON ld.sid = d.sid"
	" LEFT JOIN incoming_phone_numbers n ON n.account_sid = d.account_sid"
	" AND n.phone_number = $2"
	" LEFT JOIN applications ap ON ap.sid = n.voice_application_sid"
	" CROSS JOIN LATERAL ("
	"SELECT ap.voice_url, ap.voice_method, ap.voice_fallback_url, ap.voice_fallback_method,"
	" ap.status_callback, ap.status_callback_method, n.sid WHERE ap.sid IS NOT NULL"
	" UNION ALL "
	"SELECT n.voice_url, n.voice_method, n.voice_fallback_url, n.voice_fallback_method,"
	" n.status_callback, n.status_callback_method, n.sid"
	" WHERE ap.sid IS NULL AND n.sid IS NOT NULL"
	" UNION ALL "
	"SELECT d.voice_url, d.voice_method, d.voice_fallback_url, d.voice_fallback_method,"
	" d.voice_status_callback_url, d.voice_status_callback_method, NULL WHERE n.sid IS NULL"
	") AS h WHERE d.sid = $1";

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct settings *)a)->key, ((const struct settings *)b)->key);
}

static void entry_free(struct settings *e)
{
	if (!e)
		return;
	for (int i = 0; i < COLUMNS; i++)
		free(e->column[i]);
	free(e);
}

static struct settings *entry_find(struct domain_cache *c, const char *key)
{
	struct settings like, **at;

	strcpy(like.key, key);
	at = tfind(&like, &c->tree, by_key);

	return at ? *at : NULL;
}

static void entry_drop(struct domain_cache *c, struct settings *e)
{
	tdelete(e, &c->tree, by_key);
	*(e->prev ? &e->prev->next : &c->oldest) = e->next;
	*(e->next ? &e->next->prev : &c->newest) = e->prev;
	c->entries--;
	entry_free(e);
}

static void entry_keep(struct domain_cache *c, struct settings *e)
{
	struct settings *old = entry_find(c, e->key);

	if (old)
		entry_drop(c, old);
	if (c->entries >= ENTRIES_MAX)
		entry_drop(c, c->oldest);
	if (!tsearch(e, &c->tree, by_key)) {
		entry_free(e);
		return;
	}
	e->prev = c->newest;
	e->next = NULL;
	*(c->newest ? &c->newest->next : &c->oldest) = e;
	c->newest = e;
	c->entries++;
}

static int limit(const char *column)
{
	return column ? atoi(column) : -1;
}

static void complete(const struct settings *e, bool away, const struct waiter *w)
{
	struct call_domain d = { .sid = NULL };

	if (away && !e) {
		w->done(w->arg, &d);
		return;
	}
	if (!e || !e->found) {
		w->done(w->arg, NULL);
		return;
	}
	d = (struct call_domain){
		.sid = e->column[0],
		.name = e->column[1],
		.account_sid = e->column[2],
		.auth_token = e->column[3],
		.account_active = e->column[4] && !strcmp(e->column[4], "active"),
		.secure = e->column[5] && *e->column[5] == 't',
		.voice_url = e->column[6],
		.voice_method = e->column[7],
		.voice_fallback_url = e->column[8],
		.voice_fallback_method = e->column[9],
		.status_callback_url = e->column[10],
		.status_callback_method = e->column[11],
		.phone_number_sid = e->column[12],
		.owner_sid = e->column[13],
		.account_calls = limit(e->column[14]),
		.owner_calls_per_second = limit(e->column[15]),
		.domain_calls = limit(e->column[16]),
		.domain_calls_per_second = limit(e->column[17]),
	};
	w->done(w->arg, &d);
}

/* Unlinks all that wait for key, in order: a done may get or cancel. */
static void complete_all(struct domain_cache *c, const char *key, const struct settings *e,
			 bool away)
{
	struct waiter **at;
	uint64_t last = c->last_id; /* who comes meanwhile waits for the next turn */

	for (at = &c->waiters; *at;) {
		struct waiter *w = *at;

		if (strcmp(w->key, key) || w->id > last) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		if (!w->next)
			c->waiter_tail = at;
		c->waiting--;
		complete(e, away, w);
		free(w);
		at = &c->waiters;
	}
}

static void query_run(void *arg, struct db *db)
{
	struct query *q = arg;
	struct db_result *res = NULL;
	char sid[SID_SIZE];
	const char *params[] = { sid, strchr(q->key, '+') };

	snprintf(sid, sizeof(sid), "%.*s", (int)strcspn(q->key, "+"), q->key);
	q->r = db_exec(&res, db, select_domain, 2, params);
	/* A connection that was lost while nothing was asked shows at the next statement: the one
	 * after it has a new one. */
	if (q->r == -EIO)
		q->r = db_exec(&res, db, select_domain, 2, params);
	if (q->r < 0)
		return;
	q->entry = calloc(1, sizeof(*q->entry));
	if (!q->entry) {
		q->r = -ENOMEM;
		goto out;
	}
	strcpy(q->entry->key, q->key);
	q->entry->found = db_rows(res) > 0;
	for (int i = 0; q->entry->found && i < COLUMNS; i++) {
		const char *v = db_value(res, 0, i);

		if (v && *v && !(q->entry->column[i] = strdup(v)))
			q->r = -ENOMEM;
	}
out:
	db_result_free(res);
}

static void query_free(struct query *q)
{
	entry_free(q->entry);
	free(q);
}

static void query_done(void *arg);

static int query_start(struct domain_cache *c, const char *key)
{
	struct query *q = calloc(1, sizeof(*q));
	int r;

	if (!q)
		return -ENOMEM;
	q->cache = c;
	strcpy(q->key, key);
	r = db_worker_submit(c->worker, query_run, query_done, q);
	if (r < 0) {
		query_free(q);
		return r;
	}
	q->next = c->queries;
	c->queries = q;
	return 0;
}

static struct query *query_find(struct domain_cache *c, const char *key)
{
	struct query *q;

	for (q = c->queries; q && strcmp(q->key, key); q = q->next)
		;
	return q;
}

static void query_done(void *arg)
{
	struct query *q = arg;
	struct domain_cache *c = q->cache;
	struct query **at;

	for (at = &c->queries; *at != q; at = &(*at)->next)
		;
	*at = q->next;
	if (q->stale && q->r == 0 && query_start(c, q->key) == 0) {
		query_free(q);
		return;
	}
	if (q->r == 0 && q->entry) {
		q->entry->read_ms = loop_now_ms(c->loop);
		entry_keep(c, q->entry);
		q->entry = NULL;
	} else {
		log_warn("a domain's settings cannot be read");
	}
	/* Old settings are better than none while the database is away. */
	complete_all(c, q->key, entry_find(c, q->key), q->r < 0);
	query_free(q);
}

static bool fresh(struct domain_cache *c, const struct settings *e)
{
	return e && loop_now_ms(c->loop) - e->read_ms < FRESH_MS;
}

/* Completes what the cache knew when it was asked. What was forgotten since is read again. */
static void on_soon(void *arg)
{
	struct domain_cache *c = arg;
	uint64_t last = c->last_id;
	struct waiter *w;

	for (;;) {
		struct settings *e;
		char key[KEY_SIZE];

		for (w = c->waiters; w && (w->id > last || query_find(c, w->key)); w = w->next)
			;
		if (!w)
			break;
		e = entry_find(c, w->key);
		if (!e && query_start(c, w->key) == 0)
			continue;
		strcpy(key, w->key); /* the waiter goes */
		complete_all(c, key, e, true);
	}
	for (w = c->waiters; w; w = w->next)
		if (!query_find(c, w->key))
			loop_timer_start(c->soon, 1);
}

struct domain_cache *domain_cache_new(struct loop *loop, const char *conninfo)
{
	struct domain_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->loop = loop;
	c->waiter_tail = &c->waiters;
	c->worker = db_worker_new(loop, conninfo, NULL, WAITING_MAX);
	c->soon = loop_timer_new(loop, on_soon, c);
	if (!c->worker || !c->soon) {
		domain_cache_free(c);
		return NULL;
	}
	return c;
}

void domain_cache_free(struct domain_cache *c)
{
	if (!c)
		return;
	loop_timer_free(c->soon);
	db_worker_free(c->worker);
	while (c->queries) {
		struct query *q = c->queries;

		c->queries = q->next;
		query_free(q);
	}
	while (c->waiters) {
		struct waiter *w = c->waiters;

		c->waiters = w->next;
		free(w);
	}
	while (c->oldest)
		entry_drop(c, c->oldest);
	free(c);
}

int domain_cache_get(struct domain_cache *c, const char *sid, const char *number,
		     domain_cache_fn *done, void *arg, uint64_t *ret_id)
{
	struct waiter *w;
	int r = 0;

	if (c->waiting >= WAITING_MAX)
		return -EAGAIN;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	snprintf(w->key, sizeof(w->key), "%.*s%s", SID_SIZE - 1, sid, number ? number : "");
	if (fresh(c, entry_find(c, w->key)))
		loop_timer_start(c->soon, 0);
	else if (!query_find(c, w->key))
		r = query_start(c, w->key);
	if (r < 0) {
		free(w);
		return r;
	}
	w->id = ++c->last_id;
	w->done = done;
	w->arg = arg;
	*c->waiter_tail = w;
	c->waiter_tail = &w->next;
	c->waiting++;
	*ret_id = w->id;
	return 0;
}

void domain_cache_cancel(struct domain_cache *c, uint64_t id)
{
	for (struct waiter **at = &c->waiters; *at; at = &(*at)->next) {
		struct waiter *w = *at;

		if (w->id != id)
			continue;
		*at = w->next;
		if (!w->next)
			c->waiter_tail = at;
		c->waiting--;
		free(w);
		return;
	}
}

struct forget {
	struct domain_cache *cache;
	char sid[64]; /* "": all */
};

static void on_forget(void *arg)
{
	struct forget *f = arg;
	struct domain_cache *c = f->cache;
	size_t n = strlen(f->sid);
	struct settings *e, *next;

	for (struct query *q = c->queries; q; q = q->next)
		if (!strncmp(q->key, f->sid, n))
			q->stale = true;
	for (e = c->oldest; e; e = next) {
		next = e->next;
		if (!strncmp(e->key, f->sid, n))
			entry_drop(c, e);
	}
	free(f);
}

void domain_cache_forget(struct domain_cache *c, const char *sid)
{
	struct forget *f = calloc(1, sizeof(*f));

	if (!f)
		return;
	f->cache = c;
	if (sid && strlen(sid) < sizeof(f->sid))
		strcpy(f->sid, sid);
	if (loop_post(c->loop, on_forget, f) < 0)
		free(f);
}
