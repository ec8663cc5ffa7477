#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/metrics.h"
#include "base/buf.h"
#include "base/process.h"
#include "base/sid.h"

static const char digits[] = "0123456789abcdef";

static int alone(void **state)
{
	(void)state;
	process_set(0, 1);
	return 0;
}

static void a_process_alone_has_all_digits_and_all_calls(void **state)
{
	bool seen[16] = { 0 };
	char sid[SID_SIZE];

	(void)state;
	for (int i = 0; i < 2000; i++)
		seen[strchr(digits, process_digit()) - digits] = true;
	for (int i = 0; i < 16; i++) {
		assert_true(seen[i]);
		snprintf(sid, sizeof(sid), "CA%c%031d", digits[i], 7);
		assert_int_equal(process_of_call(sid), 0);
	}
}

static void every_digit_is_of_one_process_and_each_takes_all_of_its_own(void **state)
{
	char sid[SID_SIZE];

	(void)state;
	for (unsigned count = 1; count <= PROCESSES_MAX; count++) {
		unsigned owners = 0;

		for (unsigned own = 0; own < count; own++) {
			bool seen[16] = { 0 };

			process_set(own, count);
			assert_int_equal(process_index(), own);
			assert_int_equal(process_count(), count);
			for (int i = 0; i < 1000; i++)
				seen[strchr(digits, process_digit()) - digits] = true;
			for (unsigned i = 0; i < 16; i++) {
				assert_int_equal(seen[i], i % count == own);
				owners += seen[i];
			}
			/* What REST and calls make is the own process's; other SIDs are as they
			 * were. */
			sid_new(sid, "CA");
			assert_int_equal(process_of_call(sid), own);
		}
		assert_int_equal(owners, 16);
	}
}

static void who_has_a_call_says_its_first_digit_of_either_case(void **state)
{
	(void)state;
	process_set(1, 4);
	assert_int_equal(process_of_call("CA00000000000000000000000000000001"), 0);
	assert_int_equal(process_of_call("CA70000000000000000000000000000001"), 3);
	assert_int_equal(process_of_call("CAe0000000000000000000000000000001"), 2);
	assert_int_equal(process_of_call("CAE0000000000000000000000000000001"), 2);
	/* Nobody's: ours to refuse. */
	assert_int_equal(process_of_call("CAg0000000000000000000000000000001"), 1);
	assert_int_equal(process_of_call("AC00000000000000000000000000000000"), 1);
	assert_int_equal(process_of_call("CA0"), 1);
	assert_int_equal(process_of_call(""), 1);
}

static void an_accounts_calls_are_of_one_process_when_accounts_are_shared_out(void **state)
{
	static const char account[] = "ACb0000000000000000000000000000000";
	bool seen[16] = { 0 };

	(void)state;
	process_set(1, 4);
	for (int i = 0; i < 100; i++)
		assert_int_equal((strchr(digits, process_digit_of_account(account)) - digits) % 4,
				 1);
	process_keep_accounts();
	for (int i = 0; i < 1000; i++)
		seen[strchr(digits, process_digit_of_account(account)) - digits] = true;
	for (int i = 0; i < 16; i++)
		assert_int_equal(seen[i], i % 4 == 3);
	assert_int_equal((strchr(digits, process_digit_of_account("")) - digits) % 4, 1);
}

static void what_goes_with_a_call_has_its_digit(void **state)
{
	char sid[SID_SIZE];

	(void)state;
	process_set(1, 4);
	assert_int_equal(process_digit_of_call("CA70000000000000000000000000000001"), '7');
	assert_int_equal(process_digit_of_call("CAE0000000000000000000000000000001"), 'e');
	sid_new_beside(sid, "CA70000000000000000000000000000001");
	assert_true(sid_valid(sid, "CA"));
	assert_int_equal(sid[2], '7');
	sid_new_beside(sid, "no SID");
	assert_int_equal(process_of_call(sid), 1);
}

struct both {
	struct process_lock lock;
	int counted;
};

static void wait_for(pid_t pid, int code)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

static void a_lock_of_two_processes_outlives_one_that_dies_with_it(void **state)
{
	struct both *both = process_shared(sizeof(*both));
	pid_t pid;

	(void)state;
	assert_non_null(both);
	process_lock_init(&both->lock);
	for (int round = 0; round < 2; round++) {
		pid = fork();
		if (pid == 0) {
			for (int i = 0; i < 10000; i++) {
				process_lock(&both->lock);
				both->counted++;
				process_unlock(&both->lock);
			}
			process_lock(&both->lock);
			_exit(7);
		}
		for (int i = 0; i < 10000; i++) {
			process_lock(&both->lock);
			both->counted++;
			process_unlock(&both->lock);
		}
		wait_for(pid, 7);
	}
	process_lock(&both->lock);
	assert_int_equal(both->counted, 40000);
	process_unlock(&both->lock);
	process_shared_free(both, sizeof(*both));
}

static char *page(void)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	assert_int_equal(metrics_render(&b), 0);
	return buf_steal(&b);
}

static void shows(const char *line)
{
	char *text = page();

	if (!strstr(text, line))
		fail_msg("no \"%s\" in\n%s", line, text);
	free(text);
}

static void as_another(unsigned index, void (*fn)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		process_set(index, 3);
		metrics_begin_process();
		fn();
		_exit(0);
	}
	wait_for(pid, 0);
}

static void count_something(void)
{
	metrics_add(METRIC_CALLS_STARTED, DIRECTION_INBOUND, 0, 5);
	metrics_add(METRIC_CALLS_ACTIVE, 0, 0, 3);
	metrics_set(METRIC_CALLS_LIMIT, 0, 0, 100);
	metrics_set(METRIC_DEPENDENCY_UP, DEPENDENCY_DATABASE, 0, 1);
	metrics_observe(METRIC_DB_STATEMENT_NS, 0, 0, 300000000);
}

static void lose_the_database(void)
{
	count_something();
	metrics_set(METRIC_DEPENDENCY_UP, DEPENDENCY_DATABASE, 0, 0);
}

static void nothing(void)
{
}

/* The last: the counters are shared from now on. */
static void the_page_shows_all_processes_together(void **state)
{
	(void)state;
	process_set(0, 3);
	assert_int_equal(metrics_share(), 0);
	metrics_begin_process();
	count_something();
	as_another(1, count_something);
	as_another(2, count_something);
	shows("\nhookswitch_calls_started_total{direction=\"inbound\"} 15\n");
	shows("\nhookswitch_calls_active 9\n");
	shows("\nhookswitch_calls_limit 100\n");
	shows("\nhookswitch_dependency_up{dependency=\"database\"} 1\n");
	shows("\nhookswitch_database_statement_seconds_count 3\n");
	shows("\nhookswitch_database_statement_seconds_sum 0.9\n");
	as_another(2, lose_the_database);
	shows("\nhookswitch_dependency_up{dependency=\"database\"} 0\n");
	shows("\nhookswitch_calls_started_total{direction=\"inbound\"} 20\n");
	/* It died and is back: what it had is gone, what it counted is not. */
	as_another(2, nothing);
	shows("\nhookswitch_calls_active 6\n");
	shows("\nhookswitch_calls_started_total{direction=\"inbound\"} 20\n");
	assert_int_equal(metrics_get(METRIC_CALLS_ACTIVE, 0, 0), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_process_alone_has_all_digits_and_all_calls, alone),
		cmocka_unit_test(every_digit_is_of_one_process_and_each_takes_all_of_its_own),
		cmocka_unit_test(who_has_a_call_says_its_first_digit_of_either_case),
		cmocka_unit_test(an_accounts_calls_are_of_one_process_when_accounts_are_shared_out),
		cmocka_unit_test(what_goes_with_a_call_has_its_digit),
		cmocka_unit_test_setup(a_lock_of_two_processes_outlives_one_that_dies_with_it,
				       alone),
		cmocka_unit_test(the_page_shows_all_processes_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
