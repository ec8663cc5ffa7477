#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "proto/e164.h"

static void a_number_is_a_plus_and_two_to_fifteen_digits(void **state)
{
	static const char *const good[] = { "+14155550100", "+49", "+123456789012345" };
	static const char *const bad[] = { "",
					   "+",
					   "+1",
					   "14155550100",
					   "+04155550",
					   "+1234567890123456",
					   "+1415555010a",
					   " +14155550100",
					   "+1415 5550100",
					   "++1415" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(e164_ok(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(e164_ok(bad[i]));
}

static void the_user_of_a_uri_is_a_number_without_separators_and_parameters(void **state)
{
	static const char *const good[][2] = {
		{ "+14155550100", "+14155550100" },
		{ "+1-415-555.0100", "+14155550100" },
		{ "+1(415)5550100;npdi;rn=+1", "+14155550100" },
	};
	static const char *const bad[] = { "",	       "bob",	  "14155550100",       "-+1415",
					   "+1;2",     "+1415+5", "+1234567890123456", "+(-)",
					   "tel:+1415" };
	char number[E164_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(e164_of_user(number, good[i][0]), 0);
		assert_string_equal(number, good[i][1]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(e164_of_user(number, bad[i]), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_a_plus_and_two_to_fifteen_digits),
		cmocka_unit_test(the_user_of_a_uri_is_a_number_without_separators_and_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
