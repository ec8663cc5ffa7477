#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "failing_alloc.h"

#include "base/buf.c"

static void what_was_added_is_there_in_order_and_ends_in_a_nul(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(buf_adds(&b, "one "), 0);
	assert_int_equal(buf_addc(&b, 't'), 0);
	assert_int_equal(buf_add(&b, "wo\0three", 8), 0);
	assert_int_equal(buf_addf(&b, " %d-%s", 4, "x"), 0);
	assert_int_equal(b.len, 17);
	assert_memory_equal(b.data, "one two\0three 4-x", 18);
	buf_done(&b);
}

static void it_grows_to_its_maximum_and_not_a_byte_further(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_addc(&b, 'a'), 0);
	assert_int_equal(buf_addc(&b, 'b'), -ENOSPC);
	assert_int_equal(b.len, 1000);
	assert_int_equal(strlen(b.data), 1000);
	assert_true(b.cap <= 1001);
	buf_done(&b);
}

static void the_first_error_sticks_until_a_reset(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	assert_int_equal(buf_adds(&b, "12345"), -ENOSPC);
	assert_int_equal(buf_adds(&b, "1"), -ENOSPC);
	assert_int_equal(buf_addf(&b, "%d", 1), -ENOSPC);
	assert_int_equal(b.error, -ENOSPC);
	assert_int_equal(b.len, 0);
	buf_reset(&b);
	assert_int_equal(buf_adds(&b, "1234"), 0);
	assert_string_equal(b.data, "1234");
	buf_done(&b);
}

static void a_format_that_does_not_fit_leaves_what_was_there(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_int_equal(buf_adds(&b, "12345"), 0);
	assert_int_equal(buf_addf(&b, "%s", "678901"), -ENOSPC);
	assert_string_equal(b.data, "12345");
	buf_reset(&b);
	assert_int_equal(buf_addf(&b, "%s", "1234567890"), 0);
	assert_string_equal(b.data, "1234567890");
	buf_done(&b);
}

static void consuming_drops_the_first_bytes_and_never_more_than_there_are(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_consume(&b, 3);
	assert_int_equal(buf_adds(&b, "abcdef"), 0);
	buf_consume(&b, 2);
	assert_string_equal(b.data, "cdef");
	buf_consume(&b, 100);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	buf_done(&b);
}

static void a_stolen_string_is_the_callers_and_the_buffer_starts_anew(void **state)
{
	struct buf b;
	char *s;

	(void)state;
	buf_init(&b, 5);
	s = buf_steal(&b);
	assert_string_equal(s, "");
	free(s);
	assert_int_equal(buf_adds(&b, "abcde"), 0);
	s = buf_steal(&b);
	assert_string_equal(s, "abcde");
	free(s);
	assert_null(b.data);
	assert_int_equal(buf_adds(&b, "abcdef"), -ENOSPC);
	assert_null(buf_steal(&b));
}

static void a_buffer_without_a_limit_of_its_own_still_grows_safely(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, SIZE_MAX);
	assert_int_equal(buf_adds(&b, "x"), 0);
	assert_int_equal(buf_add(&b, "y", SIZE_MAX - 1), -ENOSPC);
	assert_string_equal(b.data, "x");
	buf_done(&b);
}

static void nothing_fits_a_buffer_of_nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	assert_int_equal(buf_adds(&b, ""), 0);
	assert_int_equal(buf_addc(&b, 'a'), -ENOSPC);
	buf_done(&b);
}

static void every_failing_allocation_is_an_error_and_leaks_nothing(void **state)
{
	int failures = 0;

	(void)state;
	FOR_EACH_FAILING_ALLOCATION
	{
		struct buf b;
		char *s;
		bool failed;

		buf_init(&b, 100000);
		for (int i = 0; i < 200; i++)
			buf_addf(&b, "%010d", i);
		buf_adds(&b, "end");
		failed = alloc_failed();
		assert_int_equal(b.error, failed ? -ENOMEM : 0);
		s = buf_steal(&b);
		assert_true(failed == !s);
		if (s)
			assert_int_equal(strlen(s), 2003);
		free(s);
		failures += failed;
	}
	assert_true(failures > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_there_in_order_and_ends_in_a_nul),
		cmocka_unit_test(it_grows_to_its_maximum_and_not_a_byte_further),
		cmocka_unit_test(the_first_error_sticks_until_a_reset),
		cmocka_unit_test(a_format_that_does_not_fit_leaves_what_was_there),
		cmocka_unit_test(consuming_drops_the_first_bytes_and_never_more_than_there_are),
		cmocka_unit_test(a_stolen_string_is_the_callers_and_the_buffer_starts_anew),
		cmocka_unit_test(a_buffer_without_a_limit_of_its_own_still_grows_safely),
		cmocka_unit_test(nothing_fits_a_buffer_of_nothing),
		cmocka_unit_test(every_failing_allocation_is_an_error_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
