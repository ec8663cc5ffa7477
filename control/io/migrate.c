/* Forward migrations: the files of sql/, each once, in the order of their names. */
#define LOG_SUBSYSTEM "migrate"
#include "io/db.h"

#include "base/clock.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_BYTES (1 << 20)
#define RETRY_US       200000

static int is_sql(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".sql");
}

static char *read_file(const char *dir, const char *name)
{
	char path[512];
	char *text = malloc(FILE_MAX_BYTES + 1);
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	if (!f || !text) {
		if (f)
			fclose(f);
		free(text);
		return NULL;
	}
	n = fread(text, 1, FILE_MAX_BYTES + 1, f);
	fclose(f);
	if (n > FILE_MAX_BYTES) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

/* A transaction that holds the lock of migrations: two daemons that start together take turns, and
 * a lost connection frees it. */
static int begin_locked(struct db *db)
{
	int r = db_begin(db);

	return r < 0 ? r : db_script(db, "SELECT pg_advisory_xact_lock(7305310)");
}

static int create_table(struct db *db, char *err, size_t err_size)
{
	int r = begin_locked(db);

	if (r == 0)
		r = db_script(
			db, "CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, "
			    "applied timestamptz NOT NULL DEFAULT now())");
	if (r == 0)
		r = db_commit(db);
	if (r < 0) {
		snprintf(err, err_size, "cannot create schema_migrations: %s", db_error(db));
		db_rollback(db);
	}
	return r;
}

static int apply(struct db *db, const char *dir, const char *name, char *err, size_t err_size)
{
	const char *params[] = { name };
	struct db_result *res = NULL;
	char *text = NULL;
	int r;

	r = begin_locked(db);
	if (r == 0)
		r = db_exec(&res, db, "SELECT 1 FROM schema_migrations WHERE name = $1", 1, params);
	if (r < 0)
		goto out;
	if (db_rows(res))
		goto done;
	text = read_file(dir, name);
	if (!text) {
		snprintf(err, err_size,
			 "cannot read the migration %s/%s: a file of at most %d bytes is expected",
			 dir, name, FILE_MAX_BYTES);
		r = -EIO;
		goto done;
	}
	r = db_script(db, text);
	if (r == 0)
		r = db_exec(NULL, db, "INSERT INTO schema_migrations (name) VALUES ($1)", 1,
			    params);
	if (r == 0)
		r = db_commit(db);
	if (r == 0)
		log_info("applied %s", name);
out:
	if (r < 0)
		snprintf(err, err_size, "migration %s failed: %s", name, db_error(db));
done:
	db_rollback(db);
	db_result_free(res);
	free(text);
	return r;
}

static int wait_for_server(struct db *db, unsigned wait_ms, char *err, size_t err_size)
{
	uint64_t deadline = clock_mono_ms() + wait_ms;

	while (db_script(db, "SELECT 1") < 0) {
		if (clock_mono_ms() > deadline) {
			snprintf(err, err_size, "no database within %u ms: %s", wait_ms,
				 db_error(db));
			return -EIO;
		}
		usleep(RETRY_US);
	}
	return 0;
}

int db_migrate(const char *conninfo, const char *dir, unsigned wait_ms, char *err, size_t err_size)
{
	struct db *db = db_open(conninfo);
	struct dirent **files = NULL;
	int n, r;

	if (!db) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	r = wait_for_server(db, wait_ms, err, err_size);
	if (r < 0)
		goto out;
	r = create_table(db, err, err_size);
	if (r < 0)
		goto out;
	n = scandir(dir, &files, is_sql, alphasort);
	if (n <= 0) {
		snprintf(err, err_size,
			 "no migrations in %s: set SQL_DIR to the folder that holds them", dir);
		r = -ENOENT;
		goto out;
	}
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = apply(db, dir, files[i]->d_name, err, err_size);
		free(files[i]);
	}
out:
	free(files);
	db_close(db);
	return r;
}
