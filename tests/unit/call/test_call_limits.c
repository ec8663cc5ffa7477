#include "call/call_limits.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_counted_while_they_last),
		cmocka_unit_test(nobodys_calls_are_not_counted),
		cmocka_unit_test(a_second_takes_as_many_as_it_may_and_the_next_one_begins_anew),
		cmocka_unit_test(what_was_taken_stays_taken_when_the_calls_end),
		cmocka_unit_test(of_many_accounts_those_that_are_quiet_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
