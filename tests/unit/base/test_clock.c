#include <limits.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static void a_date_is_shown_as_rfc_2822_says_in_utc(void **state)
{
	char text[CLOCK_RFC2822_SIZE];

	(void)state;
	setenv("TZ", "America/New_York", 1);
	tzset();
	clock_rfc2822(text, 1521971599);
	assert_string_equal(text, "Sun, 25 Mar 2018 09:53:19 +0000");
	clock_rfc2822(text, 0);
	assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 +0000");
	clock_rfc2822(text, 1709164800);
	assert_string_equal(text, "Thu, 29 Feb 2024 00:00:00 +0000");
	clock_rfc2822(text, -1);
	assert_string_equal(text, "Wed, 31 Dec 1969 23:59:59 +0000");
}

static void a_time_beyond_every_year_is_shown_all_the_same(void **state)
{
	char text[CLOCK_RFC2822_SIZE];

	(void)state;
	clock_rfc2822(text, LONG_MAX);
	assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 +0000");
}

static void the_monotonic_clock_never_goes_back_and_its_units_agree(void **state)
{
	uint64_t before = clock_mono_ns(), last = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint64_t now = clock_mono_ns();

		assert_true(now >= last);
		last = now;
	}
	assert_in_range(clock_mono_ms(), before / 1000000, before / 1000000 + 10000);
}

static void the_wall_clock_counts_milliseconds_since_the_epoch(void **state)
{
	int64_t now = (int64_t)time(NULL) * 1000;

	(void)state;
	assert_in_range(clock_wall_ms(), now - 2000, now + 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_date_is_shown_as_rfc_2822_says_in_utc),
		cmocka_unit_test(a_time_beyond_every_year_is_shown_all_the_same),
		cmocka_unit_test(the_monotonic_clock_never_goes_back_and_its_units_agree),
		cmocka_unit_test(the_wall_clock_counts_milliseconds_since_the_epoch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
