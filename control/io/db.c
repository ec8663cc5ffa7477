#define LOG_SUBSYSTEM "db"
#include "io/db.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define PARAMS_MAX 64

/* A statement prepared on the present connection; keyed by the address of its text, which is a
 * constant. */
struct statement {
	const char *sql;
	char name[16];
	UT_hash_handle hh;
};

struct db {
	char *conninfo;
	const char *options;
	PGconn *conn;
	struct statement *statements;
	unsigned n_statements;
	bool in_transaction;
	char error[512];
	char constraint[64];
};

struct db_result {
	PGresult *pg;
};

struct db *db_open(const char *conninfo)
{
	struct db *db = calloc(1, sizeof(*db));

	if (!db)
		return NULL;
	db->conninfo = strdup(conninfo);
	if (!db->conninfo) {
		free(db);
		return NULL;
	}
	return db;
}

void db_options(struct db *db, const char *options)
{
	db->options = options;
}

static void disconnect(struct db *db)
{
	struct statement *s, *tmp;

	HASH_ITER(hh, db->statements, s, tmp)
	{
		HASH_DEL(db->statements, s);
		free(s);
	}
	PQfinish(db->conn);
	db->conn = NULL;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	disconnect(db);
	free(db->conninfo);
	free(db);
}

static void ignore_notice(void *arg, const PGresult *res)
{
	(void)arg;
	(void)res;
}

static int connected(struct db *db)
{
	/* What stands before dbname is a default that conninfo may change, what stands behind it is
	 * not. */
	const char *const keys[] = { "connect_timeout",	 "keepalives_idle",
				     "tcp_user_timeout", "fallback_application_name",
				     "options",		 "dbname",
				     "client_encoding",	 NULL };
	const char *const values[] = { "5",	    "15",	  "20000", "hookswitchd",
				       db->options, db->conninfo, "UTF8",  NULL };

	if (db->conn && PQstatus(db->conn) == CONNECTION_OK)
		return 0;
	disconnect(db);
	/* A transaction does not outlive its connection: nothing runs until its owner has ended it.
	 */
	if (db->in_transaction) {
		snprintf(db->error, sizeof(db->error), "the connection was lost in a transaction");
		return -EIO;
	}
	db->conn = PQconnectdbParams(keys, values, 1);
	if (PQstatus(db->conn) != CONNECTION_OK) {
		snprintf(db->error, sizeof(db->error), "%s", PQerrorMessage(db->conn));
		disconnect(db);
		return -EIO;
	}
	PQsetNoticeReceiver(db->conn, ignore_notice, NULL);
	return 0;
}

/* SQLSTATE classes: PostgreSQL's appendix A. */
static int error_of(struct db *db, const PGresult *res)
{
	static const struct {
		const char *prefix;
		int r;
	} map[] = {
		{ "23505", -EEXIST }, { "23503", -ENOENT }, { "23001", -ENOENT }, { "23", -EINVAL },
		{ "22", -EINVAL },    { "40", -EAGAIN },    { "55P03", -EAGAIN }, { "57", -EIO },
		{ "08", -EIO },	      { "53", -EIO },	    { "58", -EIO },	  { "25006", -EIO },
		{ "", -EINVAL },
	};
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *constraint = PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);
	size_t i = 0;

	snprintf(db->error, sizeof(db->error), "%s",
		 state ? PQresultErrorMessage(res) : PQerrorMessage(db->conn));
	snprintf(db->constraint, sizeof(db->constraint), "%s", constraint ? constraint : "");
	if (!state || PQstatus(db->conn) != CONNECTION_OK)
		return -EIO;
	while (strncmp(state, map[i].prefix, strlen(map[i].prefix)))
		i++;
	return map[i].r;
}

static int prepare(struct statement **ret, struct db *db, const char *sql, int n)
{
	struct statement *s;
	PGresult *res;
	int r = 0;

	HASH_FIND_PTR(db->statements, &sql, s);
	if (s) {
		*ret = s;
		return 0;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->sql = sql;
	snprintf(s->name, sizeof(s->name), "s%u", db->n_statements++);
	res = PQprepare(db->conn, s->name, sql, n, NULL);
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		r = error_of(db, res);
	PQclear(res);
	if (r < 0) {
		free(s);
		return r;
	}
	HASH_ADD_PTR(db->statements, sql, s);
	*ret = s;
	return 0;
}

/* Takes res; 0 and *ret, or the error. */
static int take(struct db_result **ret, struct db *db, PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);
	int r;

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK &&
	    status != PGRES_EMPTY_QUERY) {
		r = error_of(db, res);
		PQclear(res);
		return r;
	}
	if (!ret) {
		PQclear(res);
		return 0;
	}
	*ret = malloc(sizeof(**ret));
	if (!*ret) {
		PQclear(res);
		return -ENOMEM;
	}
	(*ret)->pg = res;
	return 0;
}

/* Each statement goes through here once it ended; gives r back. */
static int counted(uint64_t started_ns, int r)
{
	enum metric_db_outcome outcome = r == 0		? DB_OK
					 : r == -EIO	? DB_UNAVAILABLE
					 : r == -EAGAIN ? DB_CONFLICT
					 : r == -ENOMEM ? DB_INTERNAL
							: DB_REFUSED;

	metrics_count(METRIC_DB_STATEMENTS, outcome, 0);
	metrics_observe(METRIC_DB_STATEMENT_NS, 0, 0, clock_mono_ns() - started_ns);
	return r;
}

static int exec(struct db_result **ret, struct db *db, const char *sql, int n,
		const char *const *params)
{
	struct statement *s;
	int r;

	db->error[0] = db->constraint[0] = '\0';
	r = connected(db);
	if (r < 0)
		return r;
	r = prepare(&s, db, sql, n);
	if (r < 0)
		return r;
	return take(ret, db, PQexecPrepared(db->conn, s->name, n, params, NULL, NULL, 0));
}

int db_exec(struct db_result **ret, struct db *db, const char *sql, int n,
	    const char *const *params)
{
	uint64_t started_ns = clock_mono_ns();

	BUG_ON(n < 0 || n > PARAMS_MAX);
	return counted(started_ns, exec(ret, db, sql, n, params));
}

/* All n statements and the end of their transaction are on the way: what they came to. */
static int results(struct db *db, unsigned n)
{
	PGresult *res;
	int r = 0;

	for (unsigned i = 0; i < n + 1; i++) {
		res = PQgetResult(db->conn);
		if (PQresultStatus(res) == PGRES_PIPELINE_SYNC ||
		    PQresultStatus(res) == PGRES_PIPELINE_ABORTED) {
			PQclear(res);
		} else {
			int e = take(NULL, db, res);

			r = r < 0 ? r : e;
		}
		/* Behind each statement's result stands a NULL; behind the transaction's end not.
		 */
		if (i < n)
			PQclear(PQgetResult(db->conn));
	}
	return r;
}

static int exec_together(struct db *db, const struct db_statement *statements, unsigned n)
{
	struct statement *s;
	unsigned sent = 0;
	int r, e;

	db->error[0] = db->constraint[0] = '\0';
	r = connected(db);
	for (unsigned i = 0; i < n && r == 0; i++)
		r = prepare(&s, db, statements[i].sql, statements[i].n);
	if (r < 0)
		return r;
	if (!PQenterPipelineMode(db->conn))
		return error_of(db, NULL);
	while (sent < n && r == 0) {
		const struct db_statement *one = &statements[sent];

		prepare(&s, db, one->sql, one->n);
		if (PQsendQueryPrepared(db->conn, s->name, one->n, one->params, NULL, NULL, 0))
			sent++;
		else
			r = error_of(db, NULL);
	}
	if (!PQpipelineSync(db->conn))
		r = r < 0 ? r : error_of(db, NULL);
	else
		e = results(db, sent), r = r < 0 ? r : e;
	/* A connection that cannot leave it is of no use any more. */
	if (!PQexitPipelineMode(db->conn))
		disconnect(db);
	return r;
}

int db_exec_together(struct db *db, const struct db_statement *statements, unsigned n)
{
	uint64_t started_ns = clock_mono_ns();

	BUG_ON(db->in_transaction);
	return counted(started_ns, exec_together(db, statements, n));
}

int db_script(struct db *db, const char *sql)
{
	uint64_t started_ns = clock_mono_ns();
	int r;

	db->error[0] = db->constraint[0] = '\0';
	r = connected(db);
	return counted(started_ns, r < 0 ? r : take(NULL, db, PQexec(db->conn, sql)));
}

int db_begin(struct db *db)
{
	int r;

	db_rollback(db);
	r = db_script(db, "BEGIN");
	if (r == 0)
		db->in_transaction = true;
	return r;
}

int db_commit(struct db *db)
{
	uint64_t started_ns = clock_mono_ns();
	PGresult *res;
	int r = connected(db);

	if (r == 0) {
		/* PostgreSQL answers the COMMIT of a transaction in which a statement failed with a
		 * ROLLBACK. */
		res = PQexec(db->conn, "COMMIT");
		if (!strcmp(PQcmdStatus(res), "ROLLBACK")) {
			snprintf(db->error, sizeof(db->error),
				 "a statement of the transaction had failed");
			PQclear(res);
			r = -EINVAL;
		} else {
			r = take(NULL, db, res);
		}
	}
	db->in_transaction = false;
	return counted(started_ns, r);
}

void db_rollback(struct db *db)
{
	if (db->in_transaction && db->conn && PQstatus(db->conn) == CONNECTION_OK)
		PQclear(PQexec(db->conn, "ROLLBACK"));
	db->in_transaction = false;
}

const char *db_error(const struct db *db)
{
	return db->error;
}

const char *db_constraint(const struct db *db)
{
	return db->constraint;
}

int db_rows(const struct db_result *res)
{
	return PQntuples(res->pg);
}

const char *db_value(const struct db_result *res, int row, int col)
{
	return PQgetisnull(res->pg, row, col) ? NULL : PQgetvalue(res->pg, row, col);
}

void db_result_free(struct db_result *res)
{
	if (!res)
		return;
	PQclear(res->pg);
	free(res);
}
