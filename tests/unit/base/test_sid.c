#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sid.h"

static void a_new_sid_is_its_prefix_and_32_lower_case_hex_digits(void **state)
{
	char sid[SID_SIZE];

	(void)state;
	sid_new(sid, "CA");
	assert_int_equal(strlen(sid), 34);
	assert_int_equal(strspn(sid + 2, "0123456789abcdef"), 32);
	assert_true(sid_valid(sid, "CA"));
	assert_false(sid_valid(sid, "AC"));
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, SID_SIZE);
}

static void ten_thousand_sids_are_all_different(void **state)
{
	enum { N = 10000 };
	char(*sids)[SID_SIZE] = calloc(N, SID_SIZE);

	(void)state;
	for (int i = 0; i < N; i++)
		sid_new(sids[i], "SD");
	qsort(sids, N, SID_SIZE, compare);
	for (int i = 1; i < N; i++)
		assert_string_not_equal(sids[i - 1], sids[i]);
	free(sids);
}

static void what_is_not_a_sid_is_refused(void **state)
{
	(void)state;
	assert_true(sid_valid("AC0123456789abcdefABCDEF0123456789", "AC"));
	assert_false(sid_valid("", "AC"));
	assert_false(sid_valid("AC", "AC"));
	assert_false(sid_valid("AC0123456789abcdef0123456789abcde", "AC"));
	assert_false(sid_valid("AC0123456789abcdef0123456789abcdef0", "AC"));
	assert_false(sid_valid("AC0123456789abcdef0123456789abcdeg", "AC"));
	assert_false(sid_valid("ac0123456789abcdef0123456789abcdef", "AC"));
	assert_false(sid_valid("AC0123456789abcdef0123456789abcde'", "AC"));
}

static void random_hex_has_the_length_asked_for_odd_and_long_ones_too(void **state)
{
	char text[302];
	static const int lengths[] = { 0, 1, 7, 32, 128, 129, 300 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		memset(text, '#', sizeof(text));
		random_hex(text, lengths[i]);
		assert_int_equal(strspn(text, "0123456789abcdef"), lengths[i]);
		assert_int_equal(text[lengths[i]], '\0');
		assert_int_equal(text[lengths[i] + 1], '#');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_sid_is_its_prefix_and_32_lower_case_hex_digits),
		cmocka_unit_test(ten_thousand_sids_are_all_different),
		cmocka_unit_test(what_is_not_a_sid_is_refused),
		cmocka_unit_test(random_hex_has_the_length_asked_for_odd_and_long_ones_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
