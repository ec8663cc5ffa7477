/* The store's batches and the domains' cache, with the real loop and worker thread and a database
 * that a test controls. */
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
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* -- a database: it keeps what a statement was asked, and fails as told. Replaces io/db.c;
 * io/db_worker.c is the real one. */

struct db {
	int unused;
};

static struct {
	pthread_mutex_t lock;
	bool away, refuse_bad, slow;
	unsigned begins, statements, rows, selects, failures;
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

void db_options(struct db *db, const char *options)
{
	(void)db;
	(void)options;
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
				snprintf(server.order + strlen(server.order),
					 sizeof(server.order) - strlen(server.order), "%s=%s ", sid,
					 status);
		}
	}
	json_decref(rows);
	return r;
}

int db_exec(struct db_result **ret, struct db *db, const char *sql, int n,
	    const char *const *params)
{
	int r;

	(void)db;
	assert_int_equal(n, !strncmp(sql, "SELECT", 6) ? 2 : 1);
	pthread_mutex_lock(&server.lock);
	r = server.away ? -EIO : 0;
	server.failures += r < 0;
	if (r == 0 && !strncmp(sql, "SELECT", 6)) {
		server.selects++;
		*ret = calloc(1, sizeof(**ret));
		(*ret)->rows = !server.domain_gone;
		assert_string_equal(params[0], "SD1");
		snprintf((*ret)->voice_url, sizeof((*ret)->voice_url), "%s%s", server.voice_url,
			 params[1] ? params[1] : "");
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

int db_exec_together(struct db *db, const struct db_statement *statements, unsigned n)
{
	int r = 0;

	pthread_mutex_lock(&server.lock);
	server.begins++;
	pthread_mutex_unlock(&server.lock);
	for (unsigned i = 0; i < n && r == 0; i++)
		r = db_exec(NULL, db, statements[i].sql, statements[i].n, statements[i].params);
	return r;
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

const char *db_value(const struct db_result *res, int row, int col)
{
	static const char *const columns[] = { "SD1", "acme.test", "AC1", "token", "active", "f",
					       NULL,  "POST",	   NULL,  "POST",  NULL,     "POST",
					       NULL,  "AC1",	   NULL,  NULL,	   NULL,     NULL };

	(void)row;
	return col == 6 ? res->voice_url : columns[col];
}

void db_result_free(struct db_result *res)
{
	free(res);
}

/* -- the loop, on a thread of its own as loop_run is for once */

static struct loop *loop;
static pthread_t loop_id;
static bool running;

static void *run(void *arg)
{
	(void)arg;
	loop_run(loop);
	return NULL;
}

/* The daemon frees its parts when the loop has ended. */
static void loop_end(void)
{
	if (running) {
		loop_stop(loop);
		pthread_join(loop_id, NULL);
	}
	running = false;
}

static int setup(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	server.away = server.refuse_bad = server.domain_gone = false;
	server.begins = server.statements = server.rows = server.selects = server.failures = 0;
	*server.order = '\0';
	strcpy(server.voice_url, "http://app/v");
	loop = loop_new();
	running = pthread_create(&loop_id, NULL, run, NULL) == 0;
	return running ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	loop_end();
	loop_free(loop);
	return 0;
}

static void until(bool (*condition)(void))
{
	uint64_t give_up_ms = clock_mono_ms() + 10000;

	while (!condition() && clock_mono_ms() < give_up_ms)
		sched_yield();
	assert_true(condition());
}

struct work {
	void (*fn)(void *arg);
	void *arg;
	_Atomic bool done;
};

static void do_work(void *arg)
{
	struct work *w = arg;

	w->fn(w->arg);
	w->done = true;
}

static void on_loop(void (*fn)(void *arg), void *arg)
{
	struct work w = { .fn = fn, .arg = arg };

	assert_int_equal(loop_post(loop, do_work, &w), 0);
	while (!w.done)
		sched_yield();
}

static unsigned rows(void)
{
	unsigned n;

	pthread_mutex_lock(&server.lock);
	n = server.rows;
	pthread_mutex_unlock(&server.lock);
	return n;
}

struct put {
	struct store *store;
	const char *status;
	bool insert;
	int first, count, r;
	const char *sid; /* NULL: CA<number> */
};

static void put_all(void *arg)
{
	struct put *p = arg;
	char sid[16];

	for (int i = p->first; i < p->first + p->count && p->r == 0; i++) {
		snprintf(sid, sizeof(sid), "CA%d", i);
		p->r = store_put(p->store,
				 store_item_call(&(struct store_call){ .sid = p->sid ? p->sid : sid,
								       .status = p->status,
								       .duration_s = -1,
								       .insert = p->insert }));
	}
}

static void put(struct store *s, int first, int count, const char *status, bool insert)
{
	struct put p = {
		.store = s, .first = first, .count = count, .status = status, .insert = insert
	};

	on_loop(put_all, &p);
	assert_int_equal(p.r, 0);
}

static void set(bool *flag, bool value)
{
	pthread_mutex_lock(&server.lock);
	*flag = value;
	pthread_mutex_unlock(&server.lock);
}

static bool hundred_rows(void)
{
	return rows() >= 100;
}

static bool three_rows(void)
{
	return rows() >= 3;
}

static bool two_rows(void)
{
	return rows() >= 2;
}

static bool three_failures(void)
{
	unsigned n;

	pthread_mutex_lock(&server.lock);
	n = server.failures;
	pthread_mutex_unlock(&server.lock);
	return n >= 3;
}

static void rows_that_come_together_are_written_together(void **state)
{
	struct store *s = store_new(loop, "", "n1", 0);

	(void)state;
	put(s, 0, 100, "ringing", true);
	until(hundred_rows);
	loop_end();
	assert_true(server.begins <= 2);
	assert_true(server.statements <= 2);
	store_free(s);
}

/* Gathering would take longer than the test. */
static void a_new_call_takes_along_what_gathers(void **state)
{
	struct store *s = store_new(loop, "", "n1", 3600000);

	(void)state;
	put(s, 0, 1, "in-progress", false);
	put(s, 1, 1, "completed", false);
	put(s, 2, 1, "ringing", true);
	until(three_rows);
	put(s, 3, 1, "completed", false);
	loop_end();
	assert_int_equal(server.begins, 1);
	assert_int_equal(server.rows, 3);
	store_free(s);
	assert_int_equal(server.rows, 4); /* nothing is lost at the end */
}

/* The first goes at once; those that follow without a pause, every ten ms. */
static void new_calls_without_a_pause_share_transactions(void **state)
{
	struct store *s = store_new(loop, "", "n1", 3600000);
	uint64_t start_ms = clock_mono_ms();

	(void)state;
	for (int i = 0; i < 100; i++) {
		put(s, i, 1, "ringing", true);
		/* In a turn of its own. */
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
	}
	until(hundred_rows);
	assert_true(server.statements <= (clock_mono_ms() - start_ms) / 10 + 2);
	loop_end();
	store_free(s);
}

static void save_bridge_again(void *arg)
{
	struct put *p = arg;
	json_t *state = json_array();

	p->r = store_put(p->store, store_item_bridge("CA1", "CA2", "AC1", state)) |
	       store_put(p->store, store_item_bridge_done("CA1")) |
	       store_put(p->store, store_item_bridge("CA1", "CA3", "AC1", state));
	json_decref(state);
}

static void a_bridge_that_is_saved_again_behind_its_end_stays(void **state)
{
	struct store *s = store_new(loop, "", "n1", 0);
	struct put p = { .store = s };

	(void)state;
	on_loop(save_bridge_again, &p);
	assert_int_equal(p.r, 0);
	until(two_rows);
	loop_end();
	store_free(s);
	assert_int_equal(server.statements, 1); /* nothing is deleted behind what was written */
	assert_int_equal(server.rows, 2);
}

static void the_last_status_of_a_call_wins_whatever_the_batches(void **state)
{
	struct store *s = store_new(loop, "", "n1", 0);

	(void)state;
	for (int i = 0; i < 3; i++) {
		/* A call has its row once. */
		put(s, 1, 1, "ringing", i == 0);
		put(s, 1, 1, "in-progress", false);
		put(s, 1, 1, "completed", false);
	}
	loop_end();
	store_free(s);
	assert_string_equal(server.order + strlen(server.order) - strlen("CA1=completed "),
			    "CA1=completed ");
}

static void a_lost_database_delays_rows_and_loses_none(void **state)
{
	struct store *s = store_new(loop, "", "n1", 0);

	(void)state;
	set(&server.away, true);
	put(s, 1, 2, "ringing", true);
	until(three_failures);
	assert_int_equal(rows(), 0);
	set(&server.away, false);
	until(two_rows);
	loop_end();
	store_free(s);
	assert_string_equal(server.order, "CA1=ringing CA2=ringing ");
}

static void what_waits_at_the_end_is_written(void **state)
{
	struct store *s = store_new(loop, "", "n1", 0);

	(void)state;
	put(s, 0, 1000, "ringing", true);
	loop_end();
	store_free(s);
	assert_int_equal(rows(), 1000);
}

static void a_row_that_the_database_refuses_takes_no_other_with_it(void **state)
{
	struct store *s = store_new(loop, "", "n1", 0);
	struct put bad = {
		.store = s, .status = "ringing", .insert = true, .count = 1, .sid = "CAbad"
	};

	(void)state;
	server.refuse_bad = true;
	put(s, 1, 1, "ringing", true);
	on_loop(put_all, &bad);
	put(s, 2, 1, "ringing", true);
	until(two_rows);
	loop_end();
	store_free(s);
	assert_string_equal(server.order, "CA1=ringing CA2=ringing ");
}

static void the_queue_is_bounded(void **state)
{
	struct store *s = store_new(loop, "", "n1", 0);
	struct put p = { .store = s, .status = "ringing", .insert = true, .count = 200000 };

	(void)state;
	set(&server.away, true);
	on_loop(put_all, &p);
	assert_int_equal(p.r, -EAGAIN);
	loop_end();
	store_free(s);
	assert_int_equal(rows(), 0);
}

static struct {
	_Atomic unsigned count;
	char order[64];
} told;

static void on_told(void *arg)
{
	told.count++;
	strncat(told.order, arg, sizeof(told.order) - strlen(told.order) - 1);
}

struct put_callback {
	struct store *store;
	const char *sid, *name;
};

static void put_callback(void *arg)
{
	struct put_callback *p = arg;
	unsigned before = told.count;

	assert_int_equal(store_put(p->store, store_item_callback(
						     &(struct store_callback){ .sid = p->sid,
									       .account_sid = "AC1",
									       .call_sid = "CA1",
									       .url = "http://app/",
									       .method = "POST",
									       .parameters = "" },
						     on_told, (void *)p->name)),
			 0);
	assert_int_equal(told.count, before);
}

static bool two_are_told(void)
{
	return told.count >= 2;
}

static void told_of(struct store *s, const char *sid, const char *name)
{
	on_loop(put_callback, &(struct put_callback){ .store = s, .sid = sid, .name = name });
}

static void who_waits_for_a_row_is_told_once_in_order(void **state)
{
	struct store *s = store_new(loop, "", "n1", 0);

	(void)state;
	memset(&told, 0, sizeof(told));
	server.refuse_bad = true;
	told_of(s, "CBbad", "1");
	told_of(s, "CB2", "2");
	until(two_are_told);
	assert_int_equal(rows(), 1);
	loop_end();
	store_free(s);
	assert_string_equal(told.order, "12");
}

static void nobody_waits_for_a_database_that_is_away(void **state)
{
	struct store *s = store_new(loop, "", "n1", 0);

	(void)state;
	memset(&told, 0, sizeof(told));
	set(&server.away, true);
	told_of(s, "CB1", "1");
	until(three_failures);
	told_of(s, "CB2", "2");
	until(two_are_told);
	assert_int_equal(rows(), 0);
	set(&server.away, false);
	until(two_rows);
	loop_end();
	store_free(s);
	assert_string_equal(told.order, "12");
}

/* -- the domains */

static struct {
	_Atomic unsigned done;
	unsigned gone, away;
	char url[64];
} seen;

static void on_domain(void *arg, const struct call_domain *d)
{
	(void)arg;
	seen.gone += !d;
	seen.away += d && !d->sid;
	snprintf(seen.url, sizeof(seen.url), "%s", d && d->voice_url ? d->voice_url : "");
	if (d && d->sid &&
	    (strcmp(d->auth_token, "token") || !d->account_active || d->voice_fallback_url))
		snprintf(seen.url, sizeof(seen.url), "wrong columns");
	seen.done++;
}

static unsigned want_done;

static bool all_done(void)
{
	return seen.done >= want_done;
}

struct get {
	struct domain_cache *cache;
	const char *number;
	unsigned times, early;
	bool cancel;
	int r;
};

static void get_all(void *arg)
{
	struct get *g = arg;
	unsigned before = seen.done;

	for (unsigned i = 0; i < g->times; i++) {
		uint64_t id;

		g->r |= domain_cache_get(g->cache, "SD1", g->number, on_domain, NULL, &id);
		if (g->cancel)
			domain_cache_cancel(g->cache, id);
	}
	g->early = seen.done - before; /* never before the starter returned */
}

static void get_number(struct domain_cache *c, unsigned times, const char *number)
{
	struct get g = { .cache = c, .times = times, .number = number };

	want_done = seen.done + times;
	on_loop(get_all, &g);
	assert_int_equal(g.r, 0);
	assert_int_equal(g.early, 0);
	until(all_done);
}

static void get(struct domain_cache *c, unsigned times)
{
	get_number(c, times, NULL);
}

static struct domain_cache *cache_new(void)
{
	seen.done = seen.gone = seen.away = 0;
	return domain_cache_new(loop, "");
}

static void set_url(const char *url)
{
	pthread_mutex_lock(&server.lock);
	strcpy(server.voice_url, url);
	pthread_mutex_unlock(&server.lock);
}

static void a_domain_is_read_once_and_kept_until_forgotten(void **state)
{
	struct domain_cache *c = cache_new();

	(void)state;
	get(c, 50);
	get(c, 1);
	assert_int_equal(server.selects, 1);
	assert_string_equal(seen.url, "http://app/v");
	set_url("http://app/new");
	domain_cache_forget(c, "SD1"); /* any thread; it is posted before what follows */
	get(c, 1);
	assert_string_equal(seen.url, "http://app/new");
	set_url("http://app/newer");
	domain_cache_forget(c, "SD2");
	get(c, 1);
	assert_string_equal(seen.url, "http://app/new");
	domain_cache_forget(c, NULL);
	get(c, 1);
	assert_string_equal(seen.url, "http://app/newer");
	loop_end();
	domain_cache_free(c);
}

static void a_number_is_kept_apart_and_forgotten_with_its_domain(void **state)
{
	struct domain_cache *c = cache_new();

	(void)state;
	get(c, 1);
	get_number(c, 20, "+14155550100");
	assert_string_equal(seen.url, "http://app/v+14155550100");
	get_number(c, 1, "+14155550101");
	assert_string_equal(seen.url, "http://app/v+14155550101");
	get(c, 1);
	assert_string_equal(seen.url, "http://app/v");
	assert_int_equal(server.selects, 3);
	set_url("http://app/new");
	domain_cache_forget(c, "SD1");
	get_number(c, 1, "+14155550100");
	assert_string_equal(seen.url, "http://app/new+14155550100");
	loop_end();
	domain_cache_free(c);
}

static void a_domain_that_is_gone_and_a_database_that_is_away_are_two_things(void **state)
{
	struct domain_cache *c = cache_new();

	(void)state;
	set(&server.away, true);
	get(c, 1);
	assert_int_equal(seen.away, 1);
	set(&server.away, false);
	set(&server.domain_gone, true);
	get(c, 1);
	assert_int_equal(seen.gone, 1);
	loop_end();
	domain_cache_free(c);
}

static void a_cancelled_get_is_not_completed(void **state)
{
	struct domain_cache *c = cache_new();
	struct get g = { .cache = c, .times = 3, .cancel = true };

	(void)state;
	on_loop(get_all, &g);
	get(c, 1);
	assert_int_equal(seen.done, 1);
	loop_end();
	g.cancel = false; /* left waiting */
	domain_cache_forget(c, NULL);
	get_all(&g);
	domain_cache_free(c);
	assert_int_equal(seen.done, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_that_come_together_are_written_together, setup,
						teardown),
		cmocka_unit_test_setup_teardown(new_calls_without_a_pause_share_transactions, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_new_call_takes_along_what_gathers, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_bridge_that_is_saved_again_behind_its_end_stays,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_status_of_a_call_wins_whatever_the_batches,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_database_delays_rows_and_loses_none, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_waits_at_the_end_is_written, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_row_that_the_database_refuses_takes_no_other_with_it, setup, teardown),
		cmocka_unit_test_setup_teardown(the_queue_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(who_waits_for_a_row_is_told_once_in_order, setup,
						teardown),
		cmocka_unit_test_setup_teardown(nobody_waits_for_a_database_that_is_away, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_number_is_kept_apart_and_forgotten_with_its_domain, setup, teardown),
		cmocka_unit_test_setup_teardown(a_domain_is_read_once_and_kept_until_forgotten,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_domain_that_is_gone_and_a_database_that_is_away_are_two_things, setup,
			teardown),
		cmocka_unit_test_setup_teardown(a_cancelled_get_is_not_completed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
