#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error_code.h"

static void every_row_is_found_by_its_code_and_they_ascend(void **state)
{
	const struct error_code *e;
	int last = 0;
	unsigned n;

	(void)state;
	for (n = 0; (e = error_code_at(n)); n++) {
		assert_true(e->code > last);
		last = e->code;
		assert_ptr_equal(error_code_find(e->code), e);
	}
	assert_true(n > 250);
	assert_null(error_code_at(n));
	assert_null(error_code_at(n + 100));
}

static void a_code_that_is_not_in_the_table_is_not_found(void **state)
{
	(void)state;
	assert_null(error_code_find(0));
	assert_null(error_code_find(-1));
	assert_null(error_code_find(12201));
	assert_null(error_code_find(99999));
}

static void texts_are_short_sentences_without_a_final_period(void **state)
{
	const struct error_code *e;

	(void)state;
	for (unsigned n = 0; (e = error_code_at(n)); n++) {
		assert_in_range(strlen(e->text), 3, 140);
		assert_int_not_equal(e->text[strlen(e->text) - 1], '.');
	}
}

static void rest_replies_have_the_status_that_clients_expect(void **state)
{
	static const struct {
		int code, status;
	} want[] = {
		{ 20003, 401 }, { 20004, 405 }, { 20006, 403 }, { 20007, 400 },
		{ 20404, 404 }, { 20409, 409 }, { 20429, 429 }, { 20500, 500 },
		{ 20503, 503 }, { 22005, 429 }, { 11200, 0 },	{ 32201, 0 },
	};
	const struct error_code *e;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(error_code_find(want[i].code)->http_status, want[i].status);
	for (unsigned n = 0; (e = error_code_at(n)); n++)
		if (e->code / 1000 == 21)
			assert_int_equal(e->http_status, 400);
}

static void levels_are_those_of_the_dictionary(void **state)
{
	(void)state;
	assert_int_equal(error_code_find(12200)->level, ERROR_LEVEL_WARNING);
	assert_int_equal(error_code_find(13520)->level, ERROR_LEVEL_WARNING);
	assert_int_equal(error_code_find(32014)->level, ERROR_LEVEL_WARNING);
	assert_int_equal(error_code_find(11200)->level, ERROR_LEVEL_ERROR);
	assert_int_equal(error_code_find(12100)->level, ERROR_LEVEL_ERROR);
	assert_int_equal(error_code_find(32202)->level, ERROR_LEVEL_ERROR);
	assert_string_equal(error_code_find(32201)->text, "SIP: Source IP address not in ACL");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_found_by_its_code_and_they_ascend),
		cmocka_unit_test(a_code_that_is_not_in_the_table_is_not_found),
		cmocka_unit_test(texts_are_short_sentences_without_a_final_period),
		cmocka_unit_test(rest_replies_have_the_status_that_clients_expect),
		cmocka_unit_test(levels_are_those_of_the_dictionary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
