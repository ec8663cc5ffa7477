/*
 * db - one PostgreSQL connection, used by one thread at a time; and worker threads that own one.
 * db.c and db_worker.c are the only files that see libpq-fe.h.
 *
 * Every statement is parameterised; each distinct SQL text is prepared once per connection, so
 * `sql` must be a string constant. A lost connection is reported as -EIO for the statement that met
 * it and re-made before the next.
 */
#ifndef HOOKSWITCH_IO_DB_H
#define HOOKSWITCH_IO_DB_H

#include <stdbool.h>
#include <stddef.h>

struct db;
struct db_result;
struct loop;

struct db *db_open(const char *conninfo); /* connects at first use; NULL: out of memory */
void db_close(struct db *db);
/* Settings of the session, "-c name=value ..." (a constant): before the first use. */
void db_options(struct db *db, const char *options);

/*
 * Runs sql with n text parameters (NULL = SQL NULL). 0 and *ret (never NULL, also for no rows; free
 * it); -EEXIST unique violation, -ENOENT foreign key violation, -EINVAL other integrity or data
 * error, -EAGAIN serialisation failure, -EIO connection trouble. ret may be NULL when no rows are
 * wanted.
 */
int db_exec(struct db_result **ret, struct db *db, const char *sql, int n,
	    const char *const *params);
/*
 * Runs n statements as one transaction in one round trip (pipelined, no BEGIN): all take effect, or
 * none. Not within db_begin. 0, or the errors of db_exec: of the first that failed.
 */
struct db_statement {
	const char *sql;
	int n;
	const char *const *params;
};
int db_exec_together(struct db *db, const struct db_statement *statements, unsigned n);
int db_script(struct db *db, const char *sql); /* several statements, no parameters: migrations */
/* Once the connection is lost in a transaction every statement is -EIO until db_commit (-EIO too)
 * or db_rollback. */
int db_begin(struct db *db);
int db_commit(struct db *db); /* -EINVAL when a statement had failed: nothing was committed */
void db_rollback(struct db *db);
const char *db_error(const struct db *db);	/* of the last failed statement */
const char *db_constraint(const struct db *db); /* name of the violated constraint, or "" */

int db_rows(const struct db_result *res);
const char *db_value(const struct db_result *res, int row, int col); /* NULL for SQL NULL */
void db_result_free(struct db_result *res);

/*
 * A thread with its own connection and a bounded queue. job runs there; done (may be NULL) then on
 * the loop, both exactly once for each accepted submit, in the order of submission; once the loop
 * is stopping, done no longer runs. -EAGAIN when the queue is full. submit: any thread.
 */
struct db_worker;
typedef void db_job_fn(void *arg, struct db *db);
typedef void db_done_fn(void *arg);

/* options: of its sessions, as db_options; NULL: none. */
struct db_worker *db_worker_new(struct loop *loop, const char *conninfo, const char *options,
				unsigned queue_max);
void db_worker_free(struct db_worker *worker); /* finishes what is queued, joins */
int db_worker_submit(struct db_worker *worker, db_job_fn *job, db_done_fn *done, void *arg);
unsigned db_worker_queued(const struct db_worker *worker); /* any thread, for metrics */

/*
 * Applies the *.sql files of dir that schema_migrations does not list, in the order of their names,
 * each in a transaction, under an advisory lock (one owner). Waits up to wait_ms for the server. 0,
 * or -errno with a sentence in err.
 */
int db_migrate(const char *conninfo, const char *dir, unsigned wait_ms, char *err, size_t err_size);

#endif
