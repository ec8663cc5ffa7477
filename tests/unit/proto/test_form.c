#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "proto/form.h"
#include "proto/utf8.h"

static int parse(struct form *f, const char *text, size_t *bad)
{
	form_init(f);
	return form_parse(f, text, strlen(text), 10, bad);
}

static void pairs_come_decoded_and_in_their_order(void **state)
{
	struct form f;

	(void)state;
	assert_int_equal(parse(&f, "b=2&a=x+y&a=%2B%C3%ab&flag&empty=&=v", NULL), 0);
	assert_int_equal(f.count, 6);
	assert_string_equal(f.pairs[0].name, "b");
	assert_string_equal(form_get(&f, "a"), "x y");
	assert_string_equal(f.pairs[2].value, "+\xc3\xab");
	assert_string_equal(form_get(&f, "flag"), "");
	assert_string_equal(form_get(&f, "empty"), "");
	assert_string_equal(form_get(&f, ""), "v");
	assert_null(form_get(&f, "c"));
	form_done(&f);
}

static void a_value_may_hold_equals_signs(void **state)
{
	struct form f;

	(void)state;
	assert_int_equal(parse(&f, "q=a=b=c", NULL), 0);
	assert_string_equal(form_get(&f, "q"), "a=b=c");
	form_done(&f);
}

static void empty_pairs_between_ampersands_are_nothing(void **state)
{
	struct form f;

	(void)state;
	assert_int_equal(parse(&f, "&&a=1&&b=2&", NULL), 0);
	assert_int_equal(f.count, 2);
	form_done(&f);
	assert_int_equal(parse(&f, "", NULL), 0);
	assert_int_equal(f.count, 0);
	form_done(&f);
}

static void a_bad_escape_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text;
		size_t bad;
	} cases[] = {
		{ "a=1&b=%4", 6 }, { "a=%zz", 2 }, { "%=1", 0 }, { "a%g1=1", 1 }, { "a=12%", 4 }
	};
	struct form f;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t bad = SIZE_MAX;

		assert_int_equal(parse(&f, cases[i].text, &bad), -EINVAL);
		assert_int_equal(bad, cases[i].bad);
		form_done(&f);
	}
}

static void a_nul_byte_is_refused_raw_and_escaped(void **state)
{
	struct form f;

	(void)state;
	assert_int_equal(parse(&f, "a=x%00y", NULL), -EINVAL);
	form_done(&f);
	form_init(&f);
	assert_int_equal(form_parse(&f, "a=x\0y", 5, 10, NULL), -EINVAL);
	form_done(&f);
}

static void bytes_that_are_not_utf8_are_refused(void **state)
{
	/* A lone continuation, an overlong '/', a surrogate, beyond U+10FFFF, a cut sequence. */
	static const char *const bad[] = { "a=%80",	  "a=%C0%AF",	    "a=%E0%80%AF",
					   "a=%ED%A0%80", "a=%F4%90%80%80", "a=%F5%80%80%80",
					   "a=%E2%82",	  "a=%C3",	    "%FF=1" };
	static const char *const good[] = { "a=%C2%80",	   "a=%E0%A0%80",    "a=%ED%9F%BF",
					    "a=%EE%80%80", "a=%F4%8F%BF%BF", "a=%F0%90%80%80" };
	struct form f;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(&f, bad[i], NULL), -EINVAL);
		form_done(&f);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(parse(&f, good[i], NULL), 0);
		form_done(&f);
	}
}

static void more_pairs_than_allowed_are_refused(void **state)
{
	struct form f;

	(void)state;
	assert_int_equal(parse(&f, "1&2&3&4&5&6&7&8&9&10", NULL), 0);
	form_done(&f);
	assert_int_equal(parse(&f, "1&2&3&4&5&6&7&8&9&10&11", NULL), -E2BIG);
	form_done(&f);
}

static char *encode(const struct form *f, int space_plus)
{
	struct buf b;

	buf_init(&b, 1 << 16);
	assert_int_equal(form_encode(f, &b, space_plus), 0);
	return buf_steal(&b);
}

static void writing_escapes_all_but_unreserved_characters(void **state)
{
	struct form f;
	char *text;

	(void)state;
	form_init(&f);
	assert_int_equal(form_add(&f, "From", "sip:a b+c@h"), 0);
	assert_int_equal(form_add(&f, "N", "-._~'*\xc3\xab"), 0);
	assert_int_equal(form_add(&f, "none", NULL), 0);
	assert_int_equal(form_add(&f, "empty", ""), 0);
	text = encode(&f, 1);
	assert_string_equal(text, "From=sip%3Aa+b%2Bc%40h&N=-._~%27%2A%C3%AB&empty=");
	free(text);
	text = encode(&f, 0);
	assert_string_equal(text, "From=sip%3Aa%20b%2Bc%40h&N=-._~%27%2A%C3%AB&empty=");
	free(text);
	form_done(&f);
}

static void what_is_written_reads_back_the_same(void **state)
{
	struct form f, g;
	char *text, all[256];

	(void)state;
	for (int i = 0; i < 127; i++)
		all[i] = (char)(i + 1);
	strcpy(all + 127, "\xc3\xab\xe6\xb5\x8b");
	form_init(&f);
	assert_int_equal(form_add(&f, all, all), 0);
	for (int plus = 0; plus < 2; plus++) {
		text = encode(&f, plus);
		assert_int_equal(parse(&g, text, NULL), 0);
		assert_string_equal(g.pairs[0].name, all);
		assert_string_equal(g.pairs[0].value, all);
		form_done(&g);
		free(text);
	}
	form_done(&f);
}

static void a_copy_appends_in_order(void **state)
{
	struct form f, g;

	(void)state;
	assert_int_equal(parse(&f, "a=1&b=2&a=3", NULL), 0);
	assert_int_equal(form_add(&f, "c", "4"), 0);
	assert_int_equal(form_addf(&f, "n", "%d:%s", 7, "x"), 0);
	form_init(&g);
	assert_int_equal(form_copy(&g, &f), 0);
	assert_int_equal(g.count, 5);
	assert_string_equal(g.pairs[0].value, "1");
	assert_string_equal(g.pairs[2].value, "3");
	assert_string_equal(form_get(&g, "c"), "4");
	assert_string_equal(form_get(&g, "n"), "7:x");
	form_done(&g);
	form_done(&f);
}

static void a_form_beyond_the_buffers_limit_is_an_error(void **state)
{
	struct form f;
	struct buf b;

	(void)state;
	assert_int_equal(parse(&f, "name=0123456789", NULL), 0);
	buf_init(&b, 10);
	assert_int_equal(form_encode(&f, &b, 1), -ENOSPC);
	buf_done(&b);
	form_done(&f);
}

static void cleaning_puts_a_question_mark_for_each_byte_that_is_no_utf8(void **state)
{
	char cut[] = "Zo\xc3\xab \xe6\xb5", fine[] = "Zo\xc3\xab";

	(void)state;
	utf8_clean(cut);
	assert_string_equal(cut, "Zo\xc3\xab ??");
	utf8_clean(fine);
	assert_string_equal(fine, "Zo\xc3\xab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_come_decoded_and_in_their_order),
		cmocka_unit_test(a_value_may_hold_equals_signs),
		cmocka_unit_test(empty_pairs_between_ampersands_are_nothing),
		cmocka_unit_test(a_bad_escape_is_refused_with_its_place),
		cmocka_unit_test(a_nul_byte_is_refused_raw_and_escaped),
		cmocka_unit_test(bytes_that_are_not_utf8_are_refused),
		cmocka_unit_test(more_pairs_than_allowed_are_refused),
		cmocka_unit_test(writing_escapes_all_but_unreserved_characters),
		cmocka_unit_test(what_is_written_reads_back_the_same),
		cmocka_unit_test(a_copy_appends_in_order),
		cmocka_unit_test(a_form_beyond_the_buffers_limit_is_an_error),
		cmocka_unit_test(cleaning_puts_a_question_mark_for_each_byte_that_is_no_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
