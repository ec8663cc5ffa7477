#include "call/call_limits.h"

#include "base/process.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static void calls_are_counted_while_they_last(void **state)
{
	struct call_limits *l = call_limits_new();

	(void)state;
	assert_int_equal(call_limits_count(l, "AC1"), 0);
	call_limits_begin(l, "AC1");
	call_limits_begin(l, "AC1");
	call_limits_begin(l, "AC2");
	assert_int_equal(call_limits_count(l, "AC1"), 2);
	call_limits_end(l, "AC1");
	assert_int_equal(call_limits_count(l, "AC1"), 1);
	call_limits_end(l, "AC1");
	call_limits_end(l, "AC1");
	assert_int_equal(call_limits_count(l, "AC1"), 0);
	assert_int_equal(call_limits_count(l, "AC2"), 1);
	call_limits_free(l);
}

static void nobodys_calls_are_not_counted(void **state)
{
	struct call_limits *l = call_limits_new();

	(void)state;
	call_limits_begin(l, "");
	assert_int_equal(call_limits_count(l, ""), 0);
	call_limits_end(l, "");
	call_limits_free(l);
}

static void a_second_takes_as_many_as_it_may_and_the_next_one_begins_anew(void **state)
{
	struct call_limits *l = call_limits_new();

	(void)state;
	for (unsigned second = 5; second < 8; second++) {
		assert_true(call_limits_take(l, "AC1", 2, second * 1000));
		assert_true(call_limits_take(l, "AC1", 2, second * 1000 + 500));
		assert_false(call_limits_take(l, "AC1", 2, second * 1000 + 999));
		assert_true(call_limits_take(l, "AC2", 2, second * 1000 + 999));
	}
	assert_true(call_limits_take(l, "AC1", 0, 7999));
	call_limits_free(l);
}

/* The end of the call that was taken does not give its second back. */
static void what_was_taken_stays_taken_when_the_calls_end(void **state)
{
	struct call_limits *l = call_limits_new();

	(void)state;
	call_limits_begin(l, "AC1");
	assert_true(call_limits_take(l, "AC1", 1, 1000));
	call_limits_end(l, "AC1");
	assert_false(call_limits_take(l, "AC1", 1, 1900));
	call_limits_free(l);
}

static void of_many_accounts_those_that_are_quiet_are_forgotten(void **state)
{
	struct call_limits *l = call_limits_new();
	char sid[35];

	(void)state;
	call_limits_begin(l, "AC1");
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(sid, sizeof(sid), "ACx%u", i);
		assert_true(call_limits_take(l, sid, 1, i));
	}
	assert_int_equal(call_limits_count(l, "AC1"), 1);
	assert_false(call_limits_take(l, sid, 1, 19999));
	call_limits_free(l);
}

static void those_who_have_calls_are_never_forgotten(void **state)
{
	struct call_limits *l = call_limits_new();
	char sid[35];

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(sid, sizeof(sid), "ACx%u", i);
		call_limits_begin(l, sid);
	}
	for (unsigned i = 0; i < 200000; i++) {
		snprintf(sid, sizeof(sid), "ACy%u", i);
		call_limits_take(l, sid, 1, i);
	}
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(sid, sizeof(sid), "ACx%u", i);
		assert_int_equal(call_limits_count(l, sid), 1);
	}
	call_limits_free(l);
}

static void an_accounts_calls_are_dialled_one_after_another(void **state)
{
	struct call_limits *l = call_limits_new();

	(void)state;
	assert_int_equal(call_limits_turn(l, "AC1", 10, 5000), 0);
	assert_int_equal(call_limits_turn(l, "AC1", 10, 5000), 100);
	assert_int_equal(call_limits_turn(l, "AC1", 10, 5050), 150);
	assert_int_equal(call_limits_turn(l, "AC2", 10, 5050), 0);
	/* A pause saves nothing up. */
	assert_int_equal(call_limits_turn(l, "AC1", 10, 9000), 0);
	assert_int_equal(call_limits_turn(l, "AC1", 10, 9000), 100);
	assert_int_equal(call_limits_turn(l, "AC1", 0, 9000), 0);
	assert_int_equal(call_limits_turn(l, "AC2", 1000, 9000), 0);
	assert_int_equal(call_limits_turn(l, "AC2", 1000, 9000), 1);
	call_limits_free(l);
}

static void run_as(unsigned index, void (*fn)(struct call_limits *l))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		process_set(index, 2);
		call_limits_begin_process();
		fn(call_limits_new());
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void two_calls(struct call_limits *l)
{
	call_limits_begin(l, "AC1");
	call_limits_begin(l, "AC1");
	call_limits_take(l, "AC1", 1, 1000);
	call_limits_turn(l, "AC1", 10, 1000);
}

static void no_calls(struct call_limits *l)
{
	(void)l;
}

/* The last: the table is shared from now on. */
static void the_processes_of_a_node_count_together(void **state)
{
	struct call_limits *l;

	(void)state;
	process_set(0, 2);
	assert_int_equal(call_limits_share(), 0);
	call_limits_begin_process();
	l = call_limits_new();
	call_limits_begin(l, "AC1");
	run_as(1, two_calls);
	assert_int_equal(call_limits_count(l, "AC1"), 3);
	assert_false(call_limits_take(l, "AC1", 1, 1500));
	assert_int_equal(call_limits_turn(l, "AC1", 10, 1000), 100);
	/* The other died with its calls, and is back. */
	run_as(1, no_calls);
	assert_int_equal(call_limits_count(l, "AC1"), 1);
	/* So do those of one that ends in order. */
	call_limits_free(l);
	assert_int_equal(call_limits_count(call_limits_new(), "AC1"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_counted_while_they_last),
		cmocka_unit_test(nobodys_calls_are_not_counted),
		cmocka_unit_test(a_second_takes_as_many_as_it_may_and_the_next_one_begins_anew),
		cmocka_unit_test(what_was_taken_stays_taken_when_the_calls_end),
		cmocka_unit_test(of_many_accounts_those_that_are_quiet_are_forgotten),
		cmocka_unit_test(those_who_have_calls_are_never_forgotten),
		cmocka_unit_test(an_accounts_calls_are_dialled_one_after_another),
		cmocka_unit_test(the_processes_of_a_node_count_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
