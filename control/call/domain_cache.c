#define LOG_SUBSYSTEM "domain"
#include "call/domain_cache.h"

#include "base/log.h"
#include "call/world.h"
#include "io/db.h"
#include "io/loop.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#define FRESH_MS    5000
#define ENTRIES_MAX 10000
#define WAITING_MAX 20000
#define COLUMNS	    12

/* One domain as the database had it. Owned by the tree, or by the query that fills it. */
struct settings {
	char *sid; /* the key */
	char *column[COLUMNS];
	bool found;
	uint64_t read_ms;
	struct settings *prev, *next; /* by age: the oldest first */
};

struct waiter {
	uint64_t id;
	char *sid;
	domain_cache_fn *done;
	void *arg;
	struct waiter *next;
};

struct query {
	struct domain_cache *cache;
	char *sid;
	struct settings *entry; /* what was read */
	int r;
	bool stale; /* forgotten while it ran */
	struct query *next;
};

struct domain_cache {
	struct loop *loop;
	struct db_worker *worker;
	void *tree; /* of struct settings, by sid */
	struct settings *oldest, *newest;
	unsigned entries;
	struct waiter *waiters, **waiter_tail;
	unsigned waiting;
	struct query *queries;
	struct loop_timer *soon; /* completes what the cache could answer at once */
	uint64_t last_id;
};

static const char select_domain[] =
	"SELECT d.sid, d.domain_name, d.account_sid, a.auth_token, a.status, d.secure, "
	"d.voice_url, d.voice_method,"
	" d.voice_fallback_url, d.voice_fallback_method, d.voice_status_callback_url, "
	"d.voice_status_callback_method"
	" FROM sip_domains d JOIN accounts a ON a.sid = d.account_sid WHERE d.sid = $1";

static int by_sid(const void *a, const void *b)
{
	return strcmp(((const struct settings *)a)->sid, ((const struct settings *)b)->sid);
}

static void entry_free(struct settings *e)
{
	if (!e)
		return;
	for (int i = 0; i < COLUMNS; i++)
		free(e->column[i]);
	free(e->sid);
	free(e);
}

static struct settings *entry_find(struct domain_cache *c, const char *sid)
{
	struct settings key = { .sid = (char *)sid };
	struct settings **at = tfind(&key, &c->tree, by_sid);

	return at ? *at : NULL;
}

static void entry_drop(struct domain_cache *c, struct settings *e)
{
	tdelete(e, &c->tree, by_sid);
	*(e->prev ? &e->prev->next : &c->oldest) = e->next;
	*(e->next ? &e->next->prev : &c->newest) = e->prev;
	c->entries--;
	entry_free(e);
}

static void entry_keep(struct domain_cache *c, struct settings *e)
{
	struct settings *old = entry_find(c, e->sid);

	if (old)
		entry_drop(c, old);
	if (c->entries >= ENTRIES_MAX)
		entry_drop(c, c->oldest);
	if (!tsearch(e, &c->tree, by_sid)) {
		entry_free(e);
		return;
	}
	e->prev = c->newest;
	e->next = NULL;
	*(c->newest ? &c->newest->next : &c->oldest) = e;
	c->newest = e;
	c->entries++;
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
	};
	w->done(w->arg, &d);
}

/* Unlinks all that wait for sid, in order: a done may get or cancel. */
static void complete_all(struct domain_cache *c, const char *sid, const struct settings *e,
			 bool away)
{
	struct waiter **at;
	uint64_t last = c->last_id; /* who comes meanwhile waits for the next turn */

	for (at = &c->waiters; *at;) {
		struct waiter *w = *at;

		if (strcmp(w->sid, sid) || w->id > last) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		if (!w->next)
			c->waiter_tail = at;
		c->waiting--;
		complete(e, away, w);
		free(w->sid);
		free(w);
		at = &c->waiters;
	}
}

static void query_run(void *arg, struct db *db)
{
	struct query *q = arg;
	struct db_result *res = NULL;
	const char *param = q->sid;

	q->r = db_exec(&res, db, select_domain, 1, &param);
	/* A connection that was lost while nothing was asked shows at the next statement: the one
	 * after it has a new one. */
	if (q->r == -EIO)
		q->r = db_exec(&res, db, select_domain, 1, &param);
	if (q->r < 0)
		return;
	q->entry = calloc(1, sizeof(*q->entry));
	if (!q->entry || !(q->entry->sid = strdup(q->sid))) {
		q->r = -ENOMEM;
		goto out;
	}
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
	free(q->sid);
	free(q);
}

static void query_done(void *arg);

static int query_start(struct domain_cache *c, const char *sid)
{
	struct query *q = calloc(1, sizeof(*q));
	int r = -ENOMEM;

	if (!q)
		return r;
	q->cache = c;
	q->sid = strdup(sid);
	if (q->sid)
		r = db_worker_submit(c->worker, query_run, query_done, q);
	if (r < 0) {
		query_free(q);
		return r;
	}
	q->next = c->queries;
	c->queries = q;
	return 0;
}

static struct query *query_find(struct domain_cache *c, const char *sid)
{
	struct query *q;

	for (q = c->queries; q && strcmp(q->sid, sid); q = q->next)
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
	if (q->stale && q->r == 0 && query_start(c, q->sid) == 0) {
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
	complete_all(c, q->sid, entry_find(c, q->sid), q->r < 0);
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
		char *sid;

		for (w = c->waiters; w && (w->id > last || query_find(c, w->sid)); w = w->next)
			;
		if (!w)
			break;
		e = entry_find(c, w->sid);
		if (!e && query_start(c, w->sid) == 0)
			continue;
		sid = strdup(w->sid);
		if (!sid)
			break;
		complete_all(c, sid, e, true);
		free(sid);
	}
	for (w = c->waiters; w; w = w->next)
		if (!query_find(c, w->sid))
			loop_timer_start(c->soon, 1);
}

struct domain_cache *domain_cache_new(struct loop *loop, const char *conninfo)
{
	struct domain_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->loop = loop;
	c->waiter_tail = &c->waiters;
	c->worker = db_worker_new(loop, conninfo, WAITING_MAX);
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
		free(w->sid);
		free(w);
	}
	while (c->oldest)
		entry_drop(c, c->oldest);
	free(c);
}

int domain_cache_get(struct domain_cache *c, const char *sid, domain_cache_fn *done, void *arg,
		     uint64_t *ret_id)
{
	struct waiter *w;
	int r = 0;

	if (c->waiting >= WAITING_MAX)
		return -EAGAIN;
	w = calloc(1, sizeof(*w));
	if (!w || !(w->sid = strdup(sid))) {
		free(w);
		return -ENOMEM;
	}
	if (fresh(c, entry_find(c, sid)))
		loop_timer_start(c->soon, 0);
	else if (!query_find(c, sid))
		r = query_start(c, sid);
	if (r < 0) {
		free(w->sid);
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
		free(w->sid);
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
	struct settings *e;

	for (struct query *q = c->queries; q; q = q->next)
		if (!*f->sid || !strcmp(q->sid, f->sid))
			q->stale = true;
	if (*f->sid) {
		e = entry_find(c, f->sid);
		if (e)
			entry_drop(c, e);
	} else {
		while (c->oldest)
			entry_drop(c, c->oldest);
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
