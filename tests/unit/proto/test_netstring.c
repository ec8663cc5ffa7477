#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/netstring.h"

static int next(const char *data, size_t len, const char **payload, size_t *payload_len,
		size_t *used)
{
	/* A copy of its exact size, so that the sanitizer sees a read behind it. */
	char *exact = malloc(len ? len : 1);
	int r;

	memcpy(exact, data, len);
	r = netstring_next(exact, len, 100, payload, payload_len, used);
	if (r == 1)
		*payload = data + (*payload - exact);
	free(exact);
	return r;
}

static void whole_frames_come_one_after_the_other(void **state)
{
	static const char data[] = "5:hello,0:,3:a,b,";
	static const char *const wanted[] = { "hello", "", "a,b" };
	const char *payload, *at = data;
	size_t n, used;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(next(at, (size_t)(data + 17 - at), &payload, &n, &used), 1);
		assert_int_equal(n, strlen(wanted[i]));
		assert_memory_equal(payload, wanted[i], n);
		at += used;
	}
	assert_ptr_equal(at, data + 17);
}

static void every_cut_of_a_frame_needs_more_bytes(void **state)
{
	static const char data[] = "12:hello world!,";
	const char *payload;
	size_t n, used;

	(void)state;
	for (size_t len = 0; len < 16; len++)
		assert_int_equal(next(data, len, &payload, &n, &used), 0);
	assert_int_equal(next(data, 16, &payload, &n, &used), 1);
}

static void what_is_no_netstring_is_refused(void **state)
{
	static const char *const bad[] = { ":,",    "x",    "-1:a,", " 1:a,",	 "1x",
					   "01:a,", "00:,", "1:ab",  "5:hello.", "9999999999" };
	const char *payload;
	size_t n, used;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (next(bad[i], strlen(bad[i]), &payload, &n, &used) != -EPROTO)
			fail_msg("'%s' was taken", bad[i]);
}

static void a_frame_beyond_the_limit_is_refused_by_its_length_alone(void **state)
{
	const char *payload;
	size_t n, used;

	(void)state;
	assert_int_equal(next("101", 3, &payload, &n, &used), -EPROTO);
	assert_int_equal(next("100:", 4, &payload, &n, &used), 0);
	assert_int_equal(next("99999999999999999999:", 21, &payload, &n, &used), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_frames_come_one_after_the_other),
		cmocka_unit_test(every_cut_of_a_frame_needs_more_bytes),
		cmocka_unit_test(what_is_no_netstring_is_refused),
		cmocka_unit_test(a_frame_beyond_the_limit_is_refused_by_its_length_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
