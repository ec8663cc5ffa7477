#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "api/paging.h"
#include "request_kit.h"

static void a_token_brings_back_its_row_and_direction(void **state)
{
	static const char *const seqs[] = { "0", "1", "4711", "9223372036854775807" };
	char token[PAGE_TOKEN_SIZE], seq[PAGE_SEQ_SIZE];
	bool back;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		paging_token(token, i & 1, "CA", seqs[i]);
		assert_int_equal(strlen(token), 36);
		assert_int_equal(strncmp(token, i & 1 ? "PBCA" : "PACA", 4), 0);
		assert_true(paging_token_read(&back, seq, token, "CA"));
		assert_string_equal(seq, seqs[i]);
		assert_int_equal(back, i & 1);
	}
}

static void a_token_of_nobody_is_refused(void **state)
{
	static const char *const bad[] = { "P",
					   "PA",
					   "PACA",
					   "PCCA00000000000000000000000000000001",
					   "PASD00000000000000000000000000000001",
					   "PACA0000000000000000000000000000000",
					   "PACA000000000000000000000000000000011",
					   "PACA0000000000000000f000000000000000",
					   "PACA00000000000000010000000000000001",
					   "PACA0000000000000000000000000000000x" };
	char seq[PAGE_SEQ_SIZE];
	bool back;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (paging_token_read(&back, seq, bad[i], "CA"))
			fail_msg("%s was taken", bad[i]);
}

static int code_of(const char *query)
{
	struct request_kit k;
	struct paging paging;
	int code;

	paging_take(&paging, request_new(&k, query, ""), "CA");
	code = request_code(&k);
	request_free(&k);
	return code;
}

static void page_sizes_end_at_a_thousand(void **state)
{
	(void)state;
	assert_int_equal(code_of("PageSize=1"), 0);
	assert_int_equal(code_of("PageSize=1000"), 0);
	assert_int_equal(code_of("PageSize=1001"), 20007);
	assert_int_equal(code_of("PageSize=99999999999999999999"), 20007);
	assert_int_equal(code_of("PageSize=0"), 20422);
	assert_int_equal(code_of("PageSize=-1"), 20422);
	assert_int_equal(code_of("PageSize=ten"), 20422);
	assert_int_equal(code_of("Page=x"), 20422);
	assert_int_equal(code_of("PageToken=x"), 20422);
}

/* The envelope of a page with these rows' seqs. */
static json_t *envelope(const char *query, const char *first, const char *last, bool before,
			bool behind)
{
	struct request_kit k;
	struct paging paging;
	json_t *rows = json_array(), *e;

	assert_int_equal(paging_take(&paging, request_new(&k, query, ""), "CA"), 0);
	snprintf(paging.first, sizeof(paging.first), "%s", first);
	snprintf(paging.last, sizeof(paging.last), "%s", last);
	paging.before = before;
	paging.behind = behind;
	for (int i = 0; *first && i < 2; i++)
		json_array_append_new(rows, json_object());
	e = paging_envelope(&paging, &k.q, "CA", "calls", rows);
	request_free(&k);
	return e;
}

static const char *text(json_t *e, const char *name)
{
	return json_string_value(json_object_get(e, name));
}

static void the_envelope_has_its_keys_and_one_list_and_nothing_else(void **state)
{
	static const char *const keys[] = { "first_page_uri",
					    "next_page_uri",
					    "previous_page_uri",
					    "page",
					    "page_size",
					    "start",
					    "end",
					    "uri",
					    "calls" };
	json_t *e = envelope("", "", "", false, false);

	(void)state;
	assert_int_equal(json_object_size(e), 9);
	for (size_t i = 0; i < 9; i++)
		assert_non_null(json_object_get(e, keys[i]));
	assert_true(json_is_null(json_object_get(e, "next_page_uri")));
	assert_true(json_is_null(json_object_get(e, "previous_page_uri")));
	assert_int_equal(json_integer_value(json_object_get(e, "end")), 0);
	assert_int_equal(json_integer_value(json_object_get(e, "page_size")), 50);
	json_decref(e);
}

static void neighbour_pages_keep_the_filters_and_border_on_this_one(void **state)
{
	json_t *e = envelope("Status=completed&StartTime%3E=2009-07-06&PageSize=2&Page=3&PageToken="
			     "PACA00000000000000000000000000000010",
			     "15", "14", true, true);

	(void)state;
	assert_string_equal(text(e, "next_page_uri"),
			    "/2010-04-01/Accounts/" ACCOUNT
			    "/Calls.json?Status=completed&StartTime%3E=2009-07-06&PageSize=2&Page=4"
			    "&PageToken=PACA0000000000000000000000000000000e");
	assert_string_equal(text(e, "previous_page_uri"),
			    "/2010-04-01/Accounts/" ACCOUNT
			    "/Calls.json?Status=completed&StartTime%3E=2009-07-06&PageSize=2&Page=2"
			    "&PageToken=PBCA0000000000000000000000000000000f");
	assert_string_equal(
		text(e, "first_page_uri"),
		"/2010-04-01/Accounts/" ACCOUNT
		"/Calls.json?Status=completed&StartTime%3E=2009-07-06&PageSize=2&Page=0");
	assert_int_equal(json_integer_value(json_object_get(e, "start")), 6);
	assert_int_equal(json_integer_value(json_object_get(e, "end")), 7);
	json_decref(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_brings_back_its_row_and_direction),
		cmocka_unit_test(a_token_of_nobody_is_refused),
		cmocka_unit_test(page_sizes_end_at_a_thousand),
		cmocka_unit_test(the_envelope_has_its_keys_and_one_list_and_nothing_else),
		cmocka_unit_test(neighbour_pages_keep_the_filters_and_border_on_this_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
