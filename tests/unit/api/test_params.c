#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "api/table.h"
#include "request_kit.h"

static bool takes(enum param_type type, long min, long max, const char *pattern, const char *value)
{
	const struct param p = {
		.name = "P", .type = type, .min = min, .max = max, .pattern = pattern
	};

	return !param_check(&p, value);
}

static void a_text_is_measured_in_characters_not_bytes(void **state)
{
	(void)state;
	assert_true(takes(PARAM_TEXT, 1, 3, NULL, "äöü"));
	assert_false(takes(PARAM_TEXT, 1, 3, NULL, "äöüx"));
	assert_false(takes(PARAM_TEXT, 1, 3, NULL, ""));
}

static void a_text_has_the_characters_of_its_pattern_alone(void **state)
{
	(void)state;
	assert_true(takes(PARAM_TEXT, 1, 9, "abc", "cab"));
	assert_false(takes(PARAM_TEXT, 1, 9, "abc", "cabd"));
}

static void a_url_is_absolute_http_with_a_host_that_dns_allows(void **state)
{
	(void)state;
	assert_true(takes(PARAM_URL, 0, 0, NULL, "https://example.com/voice?x=1#rc=2"));
	assert_false(takes(PARAM_URL, 0, 0, NULL, "/voice"));
	assert_false(takes(PARAM_URL, 0, 0, NULL, "ftp://example.com/voice"));
	assert_false(takes(PARAM_URL, 0, 0, NULL, "http://my_host/voice"));
}

static void whole_numbers_keep_their_range(void **state)
{
	(void)state;
	assert_true(takes(PARAM_INT, 0, 32, NULL, "0"));
	assert_true(takes(PARAM_INT, 0, 32, NULL, "32"));
	assert_false(takes(PARAM_INT, 0, 32, NULL, "33"));
	assert_false(takes(PARAM_INT, 0, 32, NULL, "-1"));
	assert_false(takes(PARAM_INT, 0, 32, NULL, "+1"));
	assert_false(takes(PARAM_INT, 0, 32, NULL, " 1"));
	assert_false(takes(PARAM_INT, 0, 32, NULL, "1x"));
	assert_false(takes(PARAM_INT, 0, 32, NULL, "18446744073709551617"));
}

static void an_address_is_complete(void **state)
{
	(void)state;
	assert_true(takes(PARAM_IP, 0, 0, NULL, "203.0.113.7"));
	assert_false(takes(PARAM_IP, 0, 0, NULL, "203.0.113"));
	assert_false(takes(PARAM_IP, 0, 0, NULL, "203.0.113.*"));
	assert_false(takes(PARAM_IP, 0, 0, NULL, "203.0.113.256"));
	assert_true(takes(PARAM_IP, 0, 0, NULL, "2001:db8::1"));
	assert_false(takes(PARAM_IP, 0, 0, NULL, "2001:db8::g"));
	assert_false(takes(PARAM_IP, 0, 0, NULL, "2001:db8::/32"));
	assert_false(takes(PARAM_IP, 0, 0, NULL, "203.0.113.7/24"));
	assert_false(takes(PARAM_IP, 0, 0, NULL, ""));
}

static void a_phone_number_is_in_e164(void **state)
{
	(void)state;
	assert_true(takes(PARAM_NUMBER, 0, 0, NULL, "+14155550100"));
	assert_true(takes(PARAM_NUMBER, 0, 0, NULL, "+123456789012345"));
	assert_false(takes(PARAM_NUMBER, 0, 0, NULL, "+1234567890123456"));
	assert_false(takes(PARAM_NUMBER, 0, 0, NULL, "14155550100"));
	assert_false(takes(PARAM_NUMBER, 0, 0, NULL, "+04155550100"));
	assert_false(takes(PARAM_NUMBER, 0, 0, NULL, "+1415555o100"));
	assert_false(takes(PARAM_NUMBER, 0, 0, NULL, "+"));
	assert_false(takes(PARAM_NUMBER, 0, 0, NULL, ""));
}

static void a_password_has_twelve_characters_a_digit_and_both_cases(void **state)
{
	(void)state;
	assert_true(takes(PARAM_PASSWORD, 0, 0, NULL, "Abcdefghijk1"));
	assert_false(takes(PARAM_PASSWORD, 0, 0, NULL, "Abcdefghij1"));
	assert_false(takes(PARAM_PASSWORD, 0, 0, NULL, "abcdefghijk1"));
	assert_false(takes(PARAM_PASSWORD, 0, 0, NULL, "ABCDEFGHIJK1"));
	assert_false(takes(PARAM_PASSWORD, 0, 0, NULL, "Abcdefghijkl"));
	assert_false(takes(PARAM_PASSWORD, 0, 0, NULL, ""));
}

static void a_word_is_one_of_its_list_whole(void **state)
{
	(void)state;
	assert_true(takes(PARAM_ENUM, 0, 0, "canceled|completed", "completed"));
	assert_true(takes(PARAM_ENUM, 0, 0, "canceled|completed", "canceled"));
	assert_false(takes(PARAM_ENUM, 0, 0, "canceled|completed", "complete"));
	assert_false(takes(PARAM_ENUM, 0, 0, "canceled|completed", "canceled|completed"));
}

static void a_sid_has_its_prefix_and_32_hex_digits(void **state)
{
	(void)state;
	assert_true(takes(PARAM_SID, 0, 0, "AL", "AL0123456789abcdef0123456789ABCDEF"));
	assert_false(takes(PARAM_SID, 0, 0, "AL", "CL0123456789abcdef0123456789abcdef"));
	assert_false(takes(PARAM_SID, 0, 0, "AL", "AL0123456789abcdef0123456789abcde"));
	assert_false(takes(PARAM_SID, 0, 0, "AL", "AL0123456789abcdef0123456789abcdeg"));
}

static void a_date_is_a_day_of_utc_and_a_time_a_second(void **state)
{
	long long from, to;

	(void)state;
	assert_true(date_range("2009-07-06", &from, &to));
	assert_int_equal(from, 1246838400);
	assert_int_equal(to, 1246838400 + 86400);
	assert_true(date_range("2009-07-06T01:02:03Z", &from, &to));
	assert_int_equal(from, 1246838400 + 3723);
	assert_int_equal(to, from + 1);
	assert_true(date_range("2009-07-06T01:02:03.123+01:00", &from, &to));
	assert_int_equal(from, 1246838400 + 123);
}

static void what_is_no_date_is_refused(void **state)
{
	static const char *const bad[] = { "",
					   "2009",
					   "2009-7-6",
					   "2009-02-29",
					   "2009-13-01",
					   "06-07-2009",
					   "2009-07-06x",
					   "2009-07-06T25:00:00Z",
					   "yesterday",
					   "2009-07-06T1:2",
					   "2009-07-06T01:02:03Q",
					   "2009-07-06T01:02:03+9" };
	long long from, to;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (date_range(bad[i], &from, &to))
			fail_msg("%s was taken", bad[i]);
}

static const struct param rules[] = {
	{ "Name", PARAM_TEXT, ON_BOTH | REQUIRED, 1, 5, NULL, 21231, "name", NULL },
	{ "Url", PARAM_URL, ON_BOTH, 0, 0, NULL, 21205, "url", NULL },
	{ "Method", PARAM_METHOD, ON_BOTH, 0, 0, NULL, 21209, "method", "POST" },
	{ "Secure", PARAM_BOOL, ON_UPDATE, 0, 0, NULL, 21231, "secure", "false" },
	{ "", PARAM_TEXT, COMPUTED, 0, 0, NULL, 0, "computed", NULL },
};

static int take(struct request_kit *k, const char *body, int when)
{
	return params_take(request_new(k, "", body), rules, sizeof(rules) / sizeof(*rules), when);
}

static void a_missing_or_empty_required_parameter_is_named_with_its_code(void **state)
{
	struct request_kit k;

	(void)state;
	assert_true(take(&k, "Url=http://a/", ON_CREATE) < 0);
	assert_int_equal(request_code(&k), 21231);
	assert_non_null(strstr(k.out.body, "Name is required"));
	assert_int_equal(k.out.status, 400);
	request_free(&k);
	assert_true(take(&k, "Name=", ON_CREATE) < 0);
	assert_int_equal(request_code(&k), 21231);
	request_free(&k);
}

static void an_update_may_leave_a_parameter_out_but_not_empty_what_must_be(void **state)
{
	struct request_kit k;

	(void)state;
	assert_int_equal(take(&k, "", ON_UPDATE), 0);
	assert_null(k.q.values[0]);
	request_free(&k);
	assert_true(take(&k, "Name=", ON_UPDATE) < 0);
	assert_int_equal(request_code(&k), 21231);
	request_free(&k);
}

static void an_empty_optional_parameter_is_taken_for_its_default(void **state)
{
	struct request_kit k;

	(void)state;
	assert_int_equal(take(&k, "Url=&Method=&Secure=", ON_UPDATE), 0);
	assert_string_equal(k.q.values[1], "");
	assert_string_equal(k.q.values[2], "");
	assert_string_equal(k.q.values[3], "");
	request_free(&k);
}

static void methods_and_booleans_are_stored_in_one_spelling(void **state)
{
	struct request_kit k;

	(void)state;
	assert_int_equal(take(&k, "Method=get&Secure=True", ON_UPDATE), 0);
	assert_string_equal(k.q.values[2], "GET");
	assert_string_equal(k.q.values[3], "true");
	request_free(&k);
	assert_true(take(&k, "Method=PUT", ON_UPDATE) < 0);
	assert_int_equal(request_code(&k), 21209);
	request_free(&k);
}

static void what_the_operation_does_not_take_is_ignored(void **state)
{
	struct request_kit k;

	(void)state;
	assert_int_equal(take(&k, "Name=a&Secure=nonsense&Unknown=1&=computed", ON_CREATE), 0);
	assert_null(k.q.values[3]);
	assert_null(k.q.values[4]);
	request_free(&k);
}

static void filters_are_checked_and_dates_become_seconds(void **state)
{
	static const struct filter filters[] = {
		{ "Status", PARAM_ENUM, "x = $?", "a|b" },
		{ "StartTime>", PARAM_DATE, "x >= $?", NULL },
	};
	struct request_kit k;

	(void)state;
	assert_int_equal(
		filters_take(request_new(&k, "Status=b&StartTime%3E=2009-07-06", ""), filters, 2),
		0);
	assert_string_equal(k.q.filters[0], "b");
	assert_string_equal(k.q.filters[1], "1246838400,1246924800");
	request_free(&k);
	assert_true(filters_take(request_new(&k, "StartTime%3E=soon", ""), filters, 2) < 0);
	assert_int_equal(request_code(&k), 20422);
	request_free(&k);
}

static void unknown(const char *names, const char *query, const char *body, int when)
{
	struct request_kit k;
	struct buf b;

	request_new(&k, query, body);
	buf_init(&b, 1000);
	params_unknown(&b, when ? &k.q.form : &k.q.query, &resource_credentials, when);
	assert_string_equal(b.len ? b.data : "", names);
	buf_done(&b);
	request_free(&k);
}

static void what_an_operation_does_not_know_is_named(void **state)
{
	(void)state;
	unknown("", "", "Username=a&Password=b", ON_CREATE);
	unknown("Odd, Even", "", "Odd=1&Username=a&Even=2", ON_CREATE);
	unknown("Username", "", "Username=a&Password=b", ON_UPDATE);
	unknown("PageSize", "", "PageSize=1&Password=b", ON_UPDATE);
	unknown("Username", "PageSize=1&Page=0&PageToken=x&Username=a", "", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_measured_in_characters_not_bytes),
		cmocka_unit_test(a_text_has_the_characters_of_its_pattern_alone),
		cmocka_unit_test(a_url_is_absolute_http_with_a_host_that_dns_allows),
		cmocka_unit_test(whole_numbers_keep_their_range),
		cmocka_unit_test(an_address_is_complete),
		cmocka_unit_test(a_phone_number_is_in_e164),
		cmocka_unit_test(a_password_has_twelve_characters_a_digit_and_both_cases),
		cmocka_unit_test(a_word_is_one_of_its_list_whole),
		cmocka_unit_test(a_sid_has_its_prefix_and_32_hex_digits),
		cmocka_unit_test(a_date_is_a_day_of_utc_and_a_time_a_second),
		cmocka_unit_test(what_is_no_date_is_refused),
		cmocka_unit_test(a_missing_or_empty_required_parameter_is_named_with_its_code),
		cmocka_unit_test(an_update_may_leave_a_parameter_out_but_not_empty_what_must_be),
		cmocka_unit_test(an_empty_optional_parameter_is_taken_for_its_default),
		cmocka_unit_test(methods_and_booleans_are_stored_in_one_spelling),
		cmocka_unit_test(what_the_operation_does_not_take_is_ignored),
		cmocka_unit_test(filters_are_checked_and_dates_become_seconds),
		cmocka_unit_test(what_an_operation_does_not_know_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
