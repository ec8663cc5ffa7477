#define LOG_SUBSYSTEM "routes"
#include "call/routes.h"

#include "base/log.h"
#include "base/sid.h"
#include "io/db.h"
#include "io/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 20000
#define COLUMNS	    9 /* the error, and what call_route has */

#define LIMIT_OF_ACCOUNT "(SELECT calls FROM call_limits WHERE sid = $1)"

/* $1 the account, $2 the user, number or host, $3 the domain, $4 (of some) `unlisted`. */
static const char *const statements[] = {
	[ROUTE_AOR] =
		"SELECT CASE WHEN d.sid IS NULL OR NOT (d.account_sid = a.sid"
		" OR d.account_sid = a.owner_account_sid OR o.owner_account_sid = a.sid) THEN 32214"
		" WHEN r.sid IS NULL THEN 32009 ELSE 0 END,"
		" r.contact, r.target, r.socket, d.domain_name, NULL, NULL, 0, " LIMIT_OF_ACCOUNT
		" FROM accounts a LEFT JOIN sip_domains d ON d.domain_name = lower($3)"
		" LEFT JOIN accounts o ON o.sid = d.account_sid"
		" LEFT JOIN registrations r ON r.domain_sid = d.sid AND r.username = $2"
		" WHERE a.sid = $1 ORDER BY r.seq LIMIT 10",
	[ROUTE_CLIENT] = "SELECT CASE WHEN r.sid IS NULL THEN 32009 ELSE 0 END,"
			 " r.contact, r.target, r.socket, d.domain_name, NULL, $3::text, "
			 "0, " LIMIT_OF_ACCOUNT " FROM (SELECT sid, domain_name FROM sip_domains"
			 " WHERE account_sid = $1 AND sip_registration ORDER BY seq LIMIT 1) d"
			 " LEFT JOIN registrations r ON r.domain_sid = d.sid AND r.username = $2"
			 " ORDER BY r.seq LIMIT 10",
	[ROUTE_NUMBER] =
		"SELECT CASE may WHEN 2 THEN 13227 ELSE 0 END,"
		" format('sip:%s%s@%s', prepend, substr($2, strip + 1), host),"
		" NULL, NULL, $3::text, username, password, may, " LIMIT_OF_ACCOUNT
		" FROM destination_check($1, $2, $4) AS may, sip_gateways WHERE account_sid = $1"
		" AND left($2, length(prefix)) = prefix ORDER BY length(prefix) DESC LIMIT 1",
	[ROUTE_HOST] = "SELECT CASE may WHEN 2 THEN 13227 ELSE 0 END,"
		       " NULL, NULL, NULL, $3::text, NULL, NULL, may, " LIMIT_OF_ACCOUNT
		       " FROM destination_check($1, $2, $4) AS may",
};

struct query {
	struct routes *all;
	struct query *prev, *next;
	uint64_t id;
	enum route_kind kind;
	bool unlisted;
	char account_sid[SID_SIZE];
	char *user, *domain;
	struct db_result *result; /* what was read */
	int r;
	routes_fn *done; /* NULL: cancelled */
	void *arg;
};

struct routes {
	struct loop *loop;
	struct db_worker *worker;
	bool unlisted;
	struct query *queries;
	uint64_t last_id;
};

static void query_run(void *arg, struct db *db)
{
	struct query *q = arg;
	const char *params[] = { q->account_sid, q->user, q->domain,
				 q->unlisted ? "true" : "false" };
	int n = q->kind == ROUTE_NUMBER || q->kind == ROUTE_HOST ? 4 : 3;

	q->r = db_exec(&q->result, db, statements[q->kind], n, params);
	/* A connection that was lost while nothing was asked shows at the next statement. */
	if (q->r == -EIO)
		q->r = db_exec(&q->result, db, statements[q->kind], n, params);
}

static void query_free(struct query *q)
{
	if (q->all) {
		*(q->prev ? &q->prev->next : &q->all->queries) = q->next;
		if (q->next)
			q->next->prev = q->prev;
	}
	if (q->r == 0)
		db_result_free(q->result);
	free(q->user);
	free(q->domain);
	free(q);
}

static int read_rows(const struct query *q, struct call_route *routes, unsigned *n)
{
	static const int none[] = { [ROUTE_AOR] = 32214,
				    [ROUTE_CLIENT] = 32009,
				    [ROUTE_NUMBER] = 13224,
				    [ROUTE_HOST] = 13227 };
	const struct db_result *res = q->result;
	const char *limit;
	int error;

	if (!db_rows(res))
		return none[q->kind];
	error = atoi(db_value(res, 0, 0));
	limit = db_value(res, 0, 8);
	for (int i = 0; !error && i < db_rows(res) && *n < ROUTES_MAX; i++)
		routes[(*n)++] = (struct call_route){ .uri = db_value(res, i, 1),
						      .next_hop = db_value(res, i, 2),
						      .socket = db_value(res, i, 3),
						      .domain = db_value(res, i, 4),
						      .username = db_value(res, i, 5),
						      .password = db_value(res, i, 6),
						      .restricted = atoi(db_value(res, i, 7)) != 0,
						      .account_calls = limit ? atoi(limit) : -1 };
	return error;
}

static void query_done(void *arg)
{
	struct query *q = arg;
	struct call_route routes[ROUTES_MAX];
	unsigned n = 0;
	int error = -1;

	if (q->r == 0)
		error = read_rows(q, routes, &n);
	else
		log_warn("routes cannot be read");
	if (q->done)
		q->done(q->arg, error, routes, n);
	query_free(q);
}

struct routes *routes_new(struct loop *loop, const char *conninfo, bool unlisted)
{
	struct routes *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->loop = loop;
	all->unlisted = unlisted;
	all->worker = db_worker_new(loop, conninfo, NULL, WAITING_MAX);
	if (!all->worker) {
		free(all);
		return NULL;
	}
	return all;
}

void routes_free(struct routes *all)
{
	if (!all)
		return;
	db_worker_free(all->worker);
	while (all->queries)
		query_free(all->queries);
	free(all);
}

int routes_get(struct routes *all, const struct route_want *want, routes_fn *done, void *arg,
	       uint64_t *ret_id)
{
	struct query *q = calloc(1, sizeof(*q));
	int r = -ENOMEM;

	if (!q)
		return r;
	q->kind = want->kind;
	q->unlisted = all->unlisted;
	snprintf(q->account_sid, sizeof(q->account_sid), "%s", want->account_sid);
	q->user = strdup(want->user);
	q->domain = strdup(want->domain ? want->domain : "");
	q->done = done;
	q->arg = arg;
	q->r = -ECANCELED;
	if (q->user && q->domain)
		r = db_worker_submit(all->worker, query_run, query_done, q);
	if (r < 0) {
		query_free(q);
		return r;
	}
	q->all = all;
	q->next = all->queries;
	if (q->next)
		q->next->prev = q;
	all->queries = q;
	q->id = *ret_id = ++all->last_id;
	return 0;
}

void routes_cancel(struct routes *all, uint64_t id)
{
	for (struct query *q = all->queries; q; q = q->next)
		if (q->id == id)
			q->done = NULL;
}
