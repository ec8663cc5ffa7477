/* Without a server: how its absence shows. A real PostgreSQL is the system tests' part. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "io/db.h"
#include "io/loop.h"

#define NO_SERVER "host=/nonexistent dbname=x user=x password=secret connect_timeout=2"

static void a_server_that_is_away_is_an_io_error_with_a_reason(void **state)
{
	struct db *db = db_open(NO_SERVER);
	struct db_result *res = (struct db_result *)1;
	const char *params[] = { "1" };

	(void)state;
	assert_non_null(db);
	assert_string_equal(db_error(db), "");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(db_exec(&res, db, "SELECT $1::int", 1, params), -EIO);
		assert_ptr_equal(res, (struct db_result *)1);
		assert_string_not_equal(db_error(db), "");
		assert_null(strstr(db_error(db), "secret"));
		assert_string_equal(db_constraint(db), "");
	}
	assert_int_equal(db_script(db, "SELECT 1"), -EIO);
	db_close(db);
}

static void a_transaction_without_a_server_never_begins(void **state)
{
	struct db *db = db_open(NO_SERVER);

	(void)state;
	assert_int_equal(db_begin(db), -EIO);
	assert_int_equal(db_commit(db), -EIO);
	db_rollback(db);
	db_close(db);
	db_close(NULL);
	db_result_free(NULL);
}

static void connection_strings_that_are_none_are_io_errors(void **state)
{
	static const char *const bad[] = { "nonsense", "port=99999999", "postgres://[", "host='" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct db *db = db_open(bad[i]);

		assert_int_equal(db_script(db, "SELECT 1"), -EIO);
		assert_string_not_equal(db_error(db), "");
		db_close(db);
	}
}

/* -- migrations */

static void migrations_wait_for_a_server_only_so_long(void **state)
{
	char err[300] = "";
	uint64_t start = clock_mono_ms();

	(void)state;
	assert_int_equal(db_migrate(NO_SERVER, "/tmp", 300, err, sizeof(err)), -EIO);
	assert_in_range(clock_mono_ms() - start, 300, 5000);
	assert_ptr_equal(strstr(err, "no database within 300 ms: "), err);
}

/* -- workers */

enum { JOBS = 200 };

static struct loop *loop;
static pthread_t loop_thread;
static int runs[JOBS], dones[JOBS], next_run, next_done;
static atomic_bool held;

static void run_job(void *arg, struct db *db)
{
	int *n = arg;

	while (held)
		usleep(1000);
	assert_non_null(db);
	assert_false(pthread_equal(pthread_self(), loop_thread));
	runs[n - dones] = next_run++;
}

static void job_done(void *arg)
{
	int *n = arg;

	assert_true(pthread_equal(pthread_self(), loop_thread));
	*n = next_done++;
	if (next_done == JOBS)
		loop_stop(loop);
}

static void start_counting(void)
{
	loop = loop_new();
	loop_thread = pthread_self();
	next_run = next_done = 0;
	memset(dones, 0xff, sizeof(dones));
}

static void jobs_run_on_their_thread_and_end_on_the_loop_each_once_and_in_order(void **state)
{
	struct db_worker *w;

	(void)state;
	start_counting();
	w = db_worker_new(loop, NO_SERVER, NULL, JOBS);
	assert_non_null(w);
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(db_worker_submit(w, run_job, job_done, &dones[i]), 0);
	loop_run(loop);
	for (int i = 0; i < JOBS; i++) {
		assert_int_equal(runs[i], i);
		assert_int_equal(dones[i], i);
	}
	assert_int_equal(db_worker_queued(w), 0);
	db_worker_free(w);
	loop_free(loop);
}

static void a_full_queue_is_told(void **state)
{
	struct db_worker *w;

	(void)state;
	start_counting();
	held = true;
	w = db_worker_new(loop, NO_SERVER, NULL, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(db_worker_submit(w, run_job, NULL, &dones[i]), 0);
	assert_int_equal(db_worker_submit(w, run_job, NULL, &dones[3]), -EAGAIN);
	assert_int_equal(db_worker_queued(w), 3);
	held = false;
	db_worker_free(w);
	assert_int_equal(next_run, 3);
	loop_free(loop);
}

static void freeing_a_worker_finishes_what_is_queued(void **state)
{
	struct db_worker *w;

	(void)state;
	start_counting();
	w = db_worker_new(loop, NO_SERVER, NULL, JOBS);
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(db_worker_submit(w, run_job, job_done, &dones[i]), 0);
	db_worker_free(w);
	assert_int_equal(next_run, JOBS);
	assert_int_equal(next_done, 0);
	loop_run(loop);
	assert_int_equal(next_done, JOBS);
	loop_free(loop);
	db_worker_free(NULL);
}

static void a_loop_that_stopped_gets_no_completions_and_the_jobs_run_all_the_same(void **state)
{
	struct db_worker *w;

	(void)state;
	start_counting();
	held = true;
	w = db_worker_new(loop, NO_SERVER, NULL, JOBS);
	for (int i = 0; i < 10; i++)
		assert_int_equal(db_worker_submit(w, run_job, job_done, &dones[i]), 0);
	loop_stop(loop);
	held = false;
	loop_run(loop);
	db_worker_free(w);
	assert_int_equal(next_run, 10);
	assert_int_equal(next_done, 0);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_that_is_away_is_an_io_error_with_a_reason),
		cmocka_unit_test(a_transaction_without_a_server_never_begins),
		cmocka_unit_test(connection_strings_that_are_none_are_io_errors),
		cmocka_unit_test(migrations_wait_for_a_server_only_so_long),
		cmocka_unit_test(
			jobs_run_on_their_thread_and_end_on_the_loop_each_once_and_in_order),
		cmocka_unit_test(a_full_queue_is_told),
		cmocka_unit_test(freeing_a_worker_finishes_what_is_queued),
		cmocka_unit_test(
			a_loop_that_stopped_gets_no_completions_and_the_jobs_run_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
