/* The store's batches and the domains' cache, with the real loop and worker thread and a database that a test controls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "call/control.h"
#include "call/domain_cache.h"
#include "call/store.h"
#include "call/world.h"
#include "io/db.h"
#include "io/loop.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- a database: it keeps what a statement was asked, and fails as told. Replaces io/db.c; io/db_worker.c is the real one. */

struct db {
	int unused;
};

static struct {
	pthread_mutex_t lock;
	bool away, refuse_bad, slow;
	unsigned begins, statements, rows, selects;
	char order[65536]; /* the sids in the order of writing */
	char voice_url[64];
	bool domain_gone;
} server = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct db_result {
	int rows;
	char voice_url[64];
};

struct db *db_open(const char *conninfo)
{
	(void)conninfo;
	return calloc(1, sizeof(struct db));
}

void db_close(struct db *db)
{
	free(db);
}

static int take_rows(const char *json)
{
	json_t *rows = json_loads(json, 0, NULL), *row;
	size_t i;
	int r = 0;

	json_array_foreach(rows, i, row)
	{
		const char *sid = json_string_value(json_object_get(row, "sid"));

		if (server.refuse_bad && sid && strstr(sid, "bad"))
			r = -ENOENT;
	}
	if (r == 0) {
		json_array_foreach(rows, i, row)
		{
			const char *sid = json_string_value(json_object_get(row, "sid"));
			const char *status = json_string_value(json_object_get(row, "status"));

			server.rows++;
			if (status)
				snprintf(server.order + strlen(server.order), sizeof(server.order) - strlen(server.order), "%s=%s ", sid, status);
		}
	}
	json_decref(rows);
	return r;
}

int db_exec(struct db_result **ret, struct db *db, const char *sql, int n, const char *const *params)
{
	int r;

	(void)db;
	assert_int_equal(n, 1);
	pthread_mutex_lock(&server.lock);
	r = server.away ? -EIO : 0;
	if (r == 0 && !strncmp(sql, "SELECT", 6)) {
		server.selects++;
		*ret = calloc(1, sizeof(**ret));
		(*ret)->rows = !server.domain_gone;
		strcpy((*ret)->voice_url, server.voice_url);
	} else if (r == 0) {
		server.statements++;
		r = take_rows(params[0]);
	}
	pthread_mutex_unlock(&server.lock);
	return r;
}

int db_script(struct db *db, const char *sql)
{
	(void)db;
	(void)sql;
	return 0;
}

int db_begin(struct db *db)
{
	(void)db;
	pthread_mutex_lock(&server.lock);
	server.begins++;
	pthread_mutex_unlock(&server.lock);
	return server.away ? -EIO : 0;
}

int db_commit(struct db *db)
{
	(void)db;
	return 0;
}

void db_rollback(struct db *db)
{
	(void)db;
}

const char *db_error(const struct db *db)
{
	(void)db;
	return "refused";
}

const char *db_constraint(const struct db *db)
{
	(void)db;
	return "";
}

int db_rows(const struct db_result *res)
{
	return res->rows;
}

int db_affected(const struct db_result *res)
{
	(void)res;
	return 0;
}

const char *db_value(const struct db_result *res, int row, int col)
{
	static const char *const columns[] = { "SD1", "acme.test", "AC1", "token", "active", "f", NULL, "POST", NULL, "POST", NULL, "POST" };

	(void)row;
	return col == 6 ? res->voice_url : columns[col];
}

void db_result_free(struct db_result *res)
{
	free(res);
}

/* -- the loop, until a condition holds */

static struct loop *loop;
static struct loop_timer *tick;
static bool (*wanted)(void);
static uint64_t give_up_ms;

static void on_tick(void *arg)
{
	(void)arg;
	if (wanted() || clock_mono_ms() > give_up_ms)
		loop_stop(loop);
	else
		loop_timer_start(tick, 5);
}

static void until(bool (*condition)(void))
{
	wanted = condition;
	give_up_ms = clock_mono_ms() + 10000;
	loop_timer_start(tick, 0);
	loop_run(loop);
	assert_true(condition());
}

static int setup(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	server.away = server.refuse_bad = server.domain_gone = false;
	server.begins = server.statements = server.rows = server.selects = 0;
	*server.order = '\0';
	strcpy(server.voice_url, "http://app/v");
	loop = loop_new();
	tick = loop_timer_new(loop, on_tick, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	loop_timer_free(tick);
	loop_free(loop);
	return 0;
}

static unsigned rows(void)
{
	unsigned n;

	pthread_mutex_lock(&server.lock);
	n = server.rows;
	pthread_mutex_unlock(&server.lock);
	return n;
}

static void put(struct store *s, const char *sid, const char *status, bool insert)
{
	assert_int_equal(store_put(s, store_item_call(&(struct store_call){ .sid = sid, .status = status, .duration_s = -1, .insert = insert })), 0);
}

static bool hundred_rows(void)
{
	return rows() >= 100;
}

static bool two_rows(void)
{
	return rows() >= 2;
}

static void rows_that_come_together_are_written_together(void **state)
{
	struct store *s = store_new(loop, "");
	char sid[16];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(sid, sizeof(sid), "CA%d", i);
		put(s, sid, "ringing", true);
	}
	until(hundred_rows);
	assert_true(server.begins <= 2);
	assert_true(server.statements <= 2);
	store_free(s);
}

static void the_last_status_of_a_call_wins_whatever_the_batches(void **state)
{
	struct store *s = store_new(loop, "");

	(void)state;
	for (int i = 0; i < 3; i++) {
		put(s, "CA1", "ringing", true);
		put(s, "CA1", "in-progress", false);
		put(s, "CA1", "completed", false);
	}
	store_free(s);
	assert_non_null(strstr(server.order, "CA1=completed"));
	assert_string_equal(server.order + strlen(server.order) - strlen("CA1=completed "), "CA1=completed ");
}

static void a_lost_database_delays_rows_and_loses_none(void **state)
{
	struct store *s = store_new(loop, "");

	(void)state;
	server.away = true;
	put(s, "CA1", "ringing", true);
	put(s, "CA2", "ringing", true);
	wanted = two_rows;
	give_up_ms = clock_mono_ms() + 700; /* longer than one retry */
	loop_timer_start(tick, 0);
	loop_run(loop);
	assert_int_equal(rows(), 0);
	server.away = false;
	until(two_rows);
	assert_string_equal(server.order, "CA1=ringing CA2=ringing ");
	store_free(s);
}

static void what_waits_at_the_end_is_written(void **state)
{
	struct store *s = store_new(loop, "");
	char sid[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(sid, sizeof(sid), "CA%d", i);
		put(s, sid, "ringing", true);
	}
	store_free(s);
	assert_int_equal(rows(), 1000);
}

static void a_row_that_the_database_refuses_takes_no_other_with_it(void **state)
{
	struct store *s = store_new(loop, "");

	(void)state;
	server.refuse_bad = true;
	put(s, "CA1", "ringing", true);
	put(s, "CAbad", "ringing", true);
	put(s, "CA2", "ringing", true);
	until(two_rows);
	store_free(s);
	assert_string_equal(server.order, "CA1=ringing CA2=ringing ");
}

static void the_queue_is_bounded(void **state)
{
	struct store *s = store_new(loop, "");
	int r = 0, n = 0;

	(void)state;
	server.away = true;
	while (r == 0 && n++ < 200000)
		r = store_put(s, store_item_call(&(struct store_call){ .sid = "CA1", .status = "x", .duration_s = -1, .insert = true }));
	assert_int_equal(r, -EAGAIN);
	assert_true(n > 10000);
	store_free(s);
}

/* -- the domains */

static struct {
	unsigned done, gone, away;
	char url[64];
} seen;

static void on_domain(void *arg, const struct call_domain *d)
{
	(void)arg;
	seen.done++;
	seen.gone += !d;
	seen.away += d && !d->sid;
	snprintf(seen.url, sizeof(seen.url), "%s", d && d->voice_url ? d->voice_url : "");
	if (d && d->sid) {
		assert_string_equal(d->auth_token, "token");
		assert_true(d->account_active);
		assert_null(d->voice_fallback_url);
	}
}

static unsigned want_done;

static bool all_done(void)
{
	return seen.done >= want_done;
}

static void get(struct domain_cache *c, unsigned times)
{
	uint64_t id;
	unsigned before = seen.done;

	for (unsigned i = 0; i < times; i++)
		assert_int_equal(domain_cache_get(c, "SD1", on_domain, NULL, &id), 0);
	assert_int_equal(seen.done, before); /* never before the starter returned */
	want_done = before + times;
	until(all_done);
}

static void a_domain_is_read_once_and_kept_until_forgotten(void **state)
{
	struct domain_cache *c = domain_cache_new(loop, "");

	(void)state;
	memset(&seen, 0, sizeof(seen));
	get(c, 50);
	get(c, 1);
	assert_int_equal(server.selects, 1);
	assert_string_equal(seen.url, "http://app/v");
	strcpy(server.voice_url, "http://app/new");
	domain_cache_forget(c, "SD1");
	get(c, 1);
	get(c, 1);
	assert_string_equal(seen.url, "http://app/new");
	strcpy(server.voice_url, "http://app/newer");
	domain_cache_forget(c, NULL);
	get(c, 1);
	get(c, 1);
	assert_string_equal(seen.url, "http://app/newer");
	domain_cache_free(c);
}

static void a_domain_that_is_gone_and_a_database_that_is_away_are_two_things(void **state)
{
	struct domain_cache *c = domain_cache_new(loop, "");

	(void)state;
	memset(&seen, 0, sizeof(seen));
	server.away = true;
	get(c, 1);
	assert_int_equal(seen.away, 1);
	server.away = false;
	server.domain_gone = true;
	get(c, 1);
	assert_int_equal(seen.gone, 1);
	domain_cache_free(c);
}

static void a_cancelled_get_is_not_completed(void **state)
{
	struct domain_cache *c = domain_cache_new(loop, "");
	uint64_t id;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	domain_cache_get(c, "SD1", on_domain, NULL, &id);
	domain_cache_cancel(c, id);
	get(c, 1);
	assert_int_equal(seen.done, 1);
	domain_cache_get(c, "SD1", on_domain, NULL, &id); /* left waiting */
	domain_cache_free(c);
	assert_int_equal(seen.done, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_that_come_together_are_written_together, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_status_of_a_call_wins_whatever_the_batches, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_database_delays_rows_and_loses_none, setup, teardown),
		cmocka_unit_test_setup_teardown(what_waits_at_the_end_is_written, setup, teardown),
		cmocka_unit_test_setup_teardown(a_row_that_the_database_refuses_takes_no_other_with_it, setup, teardown),
		cmocka_unit_test_setup_teardown(the_queue_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(a_domain_is_read_once_and_kept_until_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(a_domain_that_is_gone_and_a_database_that_is_away_are_two_things, setup, teardown),
		cmocka_unit_test_setup_teardown(a_cancelled_get_is_not_completed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
