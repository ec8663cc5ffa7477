#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "proto/ng.h"

static json_t *read_all(const char *text, size_t len)
{
	/* A copy of its exact size, so that the sanitizer sees a read behind it. */
	char *exact = malloc(len ? len : 1);
	size_t used = 0;
	json_t *value;

	memcpy(exact, text, len);
	value = bencode_read(exact, len, &used);
	free(exact);
	if (value)
		assert_int_equal(used, len);
	return value;
}

static json_t *read_text(const char *text)
{
	return read_all(text, strlen(text));
}

static void an_offer_is_written_as_rtpengine_reads_it(void **state)
{
	json_t *o = json_pack("{s:s, s:s, s:[s,s], s:{s:[s]}, s:i, s:i}", "command", "offer", "sdp",
			      "v=0\r\n", "flags", "port latching", "trust-address", "codec",
			      "transcode", "PCMU", "n", 42, "m", -7);
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	assert_int_equal(bencode_write(&b, o), 0);
	assert_string_equal(b.data, "d7:command5:offer3:sdp5:v=0\r\n5:flagsl13:port "
				    "latching13:trust-addresse5:codecd9:transcode"
				    "l4:PCMUee1:ni42e1:mi-7ee");
	buf_done(&b);
	json_decref(o);
}

static void a_value_reads_back_as_written(void **state)
{
	json_t *o = json_pack("{s:[i,[],{},s], s:s%, s:{s:{s:i}}}", "list", 1, "", "bytes",
			      "a\0b\xc3\xab", (size_t)5, "a", "b", "c", 0);
	struct buf b;
	json_t *again;

	(void)state;
	assert_non_null(o);
	buf_init(&b, 4096);
	assert_int_equal(bencode_write(&b, o), 0);
	again = read_all(b.data, b.len);
	assert_true(json_equal(o, again));
	json_decref(again);
	json_decref(o);
	buf_done(&b);
}

static void other_json_types_are_refused(void **state)
{
	static const char *const bad[] = { "[true]", "[null]", "{\"a\":1.5}", "[[false]]" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *o = json_loads(bad[i], 0, NULL);
		struct buf b;

		buf_init(&b, 4096);
		assert_int_equal(bencode_write(&b, o), -EINVAL);
		buf_done(&b);
		json_decref(o);
	}
}

static void bytes_that_are_not_utf8_become_the_replacement_character(void **state)
{
	json_t *v = read_text("6:a\xff\xc3\xab\xc3z");

	(void)state;
	assert_string_equal(json_string_value(v), "a\xef\xbf\xbd\xc3\xab\xef\xbf\xbdz");
	json_decref(v);
}

static void what_follows_the_value_is_left(void **state)
{
	size_t used = 0;
	json_t *v = bencode_read("i1ei2e", 6, &used);

	(void)state;
	assert_int_equal(json_integer_value(v), 1);
	assert_int_equal(used, 3);
	json_decref(v);
}

static void what_is_no_bencode_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"i",
		"ie",
		"i1",
		"i-e",
		"i+1e",
		"i 1e",
		"i1.5e",
		"i1x e",
		"i99999999999999999999e",
		"5",
		"5:",
		"5:abcd",
		":abc",
		"-1:a",
		"l",
		"li1e",
		"d",
		"d1:a",
		"d1:ae",
		"d1:ai1e",
		"di1ei1ee",
		"99999999999:a",
		"l5:abee",
		"i1111111111111111111111111111111e",
		"d1:al",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *v = read_text(bad[i]);

		if (v)
			fail_msg("'%s' was taken", bad[i]);
	}
}

static void a_key_that_is_no_text_is_refused(void **state)
{
	(void)state;
	assert_null(read_all("d1:\0i1ee", 8));
	assert_null(read_all("d1:\xffi1ee", 8));
}

static void depth_is_bounded(void **state)
{
	char text[200];
	json_t *v;

	(void)state;
	memset(text, 'l', 32);
	memset(text + 32, 'e', 32);
	v = read_all(text, 64);
	assert_non_null(v);
	json_decref(v);
	memset(text, 'l', 100);
	memset(text + 100, 'e', 100);
	assert_null(read_all(text, 200));
}

static void the_number_of_values_is_bounded(void **state)
{
	size_t n = 20001;
	char *text = malloc(2 * n + 2);

	(void)state;
	text[0] = 'l';
	for (size_t i = 0; i < n; i++)
		memcpy(text + 1 + 2 * i, "le", 2);
	text[2 * n + 1] = 'e';
	assert_null(read_all(text, 2 * n + 2));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offer_is_written_as_rtpengine_reads_it),
		cmocka_unit_test(a_value_reads_back_as_written),
		cmocka_unit_test(other_json_types_are_refused),
		cmocka_unit_test(bytes_that_are_not_utf8_become_the_replacement_character),
		cmocka_unit_test(what_follows_the_value_is_left),
		cmocka_unit_test(what_is_no_bencode_is_refused),
		cmocka_unit_test(a_key_that_is_no_text_is_refused),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(the_number_of_values_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
