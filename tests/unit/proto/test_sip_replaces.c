#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/sip_replaces.h"

static void the_dialog_is_read_whatever_stands_around_it(void **state)
{
	static const char *const texts[] = {
		"<sip:c@x?Replaces=id%40host%3Bto-tag%3Da%3Bfrom-tag%3Db>",
		"<sip:c@x?Replaces=id%40host%3Bfrom-tag%3Db%3Bto-tag%3Da%3Bearly-only>;x=y",
		"sip:c@x?X-A=1&replaces=id@host%3bTO-TAG%3da%3bFrom-Tag%3db&X-B=2",
	};
	struct sip_replaces r;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(sip_replaces_of(&r, texts[i]), 0);
		assert_string_equal(r.call_id, "id@host");
		assert_string_equal(r.to_tag, "a");
		assert_string_equal(r.from_tag, "b");
	}
}

static void none_is_told_from_a_bad_one(void **state)
{
	static const char *const none[] = { "", "<sip:c@x>", "<sip:c@x?X-Replaces=1>", "sip:c@x?" };
	static const char *const bad[] = {
		"sip:c@x?Replaces=",
		"sip:c@x?Replaces=id",
		"sip:c@x?Replaces=id%3Bto-tag%3Da",
		"sip:c@x?Replaces=id%3Bfrom-tag%3Da",
		"sip:c@x?Replaces=%3Bto-tag%3Da%3Bfrom-tag%3Db",
		"sip:c@x?Replaces=id%3Bto-tag%3D%3Bfrom-tag%3Db",
		"sip:c@x?Replaces=i%0Ad%3Bto-tag%3Da%3Bfrom-tag%3Db",
	};
	struct sip_replaces r;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(sip_replaces_of(&r, none[i]), -ENOENT);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(sip_replaces_of(&r, bad[i]), -EINVAL);
}

static void what_is_too_long_is_refused(void **state)
{
	struct sip_replaces r;
	char id[600], text[700];

	(void)state;
	for (size_t n = 255; n < sizeof(id); n += 1 + n / 2) {
		memset(id, 'x', n);
		id[n] = '\0';
		snprintf(text, sizeof(text), "sip:c@x?Replaces=%s%%3Bto-tag%%3Da%%3Bfrom-tag%%3Db",
			 id);
		assert_int_equal(sip_replaces_of(&r, text), n < 256 ? 0 : -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_dialog_is_read_whatever_stands_around_it),
		cmocka_unit_test(none_is_told_from_a_bad_one),
		cmocka_unit_test(what_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
