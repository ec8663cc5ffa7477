#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/form.h"
#include "proto/url.h"

static void the_wire_sees_no_user_info_and_no_fragment(void **state)
{
	struct url u;
	int code;

	(void)state;
	assert_int_equal(
		url_parse(&u, "https://us%65r:p%40w@App.example.com:8443/v?x=1&y=%20#rc=2", &code),
		0);
	assert_string_equal(u.request, "https://App.example.com:8443/v?x=1&y=%20");
	assert_string_equal(u.sign, "https://App.example.com/v?x=1&y=%20");
	assert_string_equal(u.username, "user");
	assert_string_equal(u.password, "p@w");
	url_done(&u);
}

static void http_keeps_its_port_in_what_is_signed(void **state)
{
	struct url u;
	int code;

	(void)state;
	assert_int_equal(url_parse(&u, "HTTP://127.0.0.1:8080/voice", &code), 0);
	assert_string_equal(u.request, "http://127.0.0.1:8080/voice");
	assert_string_equal(u.sign, "http://127.0.0.1:8080/voice");
	assert_null(u.username);
	assert_null(u.password);
	url_done(&u);
}

static void no_slash_is_added_and_bytes_beyond_ascii_are_escaped(void **state)
{
	struct url u;
	int code;

	(void)state;
	assert_int_equal(url_parse(&u, "https://example.com", &code), 0);
	assert_string_equal(u.request, "https://example.com");
	url_done(&u);
	assert_int_equal(url_parse(&u, "http://[2001:db8::1]:80/\xc3\xab?q=\xc3\xab", &code), 0);
	assert_string_equal(u.request, "http://[2001:db8::1]:80/%C3%AB?q=%C3%AB");
	url_done(&u);
}

static void a_host_with_an_underscore_is_requested_but_no_callback_for_rest(void **state)
{
	struct url u;
	int code;

	(void)state;
	assert_int_equal(url_parse(&u, "http://my_app:8080/v_1", &code), 0);
	url_done(&u);
	assert_false(url_valid_webhook("http://my_app:8080/v"));
	assert_true(url_valid_webhook("http://u_ser@my-app:8080/v_1?a_b=1"));
}

static void what_is_no_http_url_is_11100(void **state)
{
	static const char *const bad[] = {
		"",
		"/voice",
		"voice",
		"//host/x",
		"ftp://host/x",
		"file:///etc/passwd",
		"http:/host",
		"http://",
		"http:///x",
		"http://user@/x",
		"http://host:port/x",
		"http://host:99999/",
		"http://host:123456/",
		"http://ho st/",
		"http://host/a b",
		"http://host/\r\nX: y",
		"http://host/\x7f",
		"http://host\\@evil/",
		"http://host/{id}",
		"http://[::1/x",
		"http://[::1]x/",
		"http://[]/",
		"http://h\xc3\xab/",
		"http://a%00b/",
		"http://a,b/",
		"http://u%0aser:p@host/",
		"http://user:%0D%0Ax@host/",
		"javascript:alert(1)",
		"wss://host/x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct url u;
		int code = 0;

		if (url_parse(&u, bad[i], &code) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(code, 11100);
	}
	for (size_t i = 0; i < 22; i++)
		assert_false(url_valid_webhook(bad[i]));
}

static void a_url_of_more_than_8_kilobytes_is_refused(void **state)
{
	char text[8300] = "http://host/";
	struct url u;
	int code;

	(void)state;
	memset(text + 12, 'a', sizeof(text) - 13);
	assert_int_equal(url_parse(&u, text, &code), -EINVAL);
	assert_false(url_valid_webhook(text));
}

static void every_override_is_read(void **state)
{
	struct url u;
	int code;

	(void)state;
	assert_int_equal(
		url_parse(&u,
			  "http://h/"
			  "v#ct=2000&rt=15000&tt=100&rc=5&rp=4xx,5xx,rt&sni=n&e=ashburn,dublin",
			  &code),
		0);
	assert_int_equal(u.overrides.connect_ms, 2000);
	assert_int_equal(u.overrides.read_ms, 15000);
	assert_int_equal(u.overrides.total_ms, 100);
	assert_int_equal(u.overrides.retry_count, 5);
	assert_int_equal(u.overrides.retry_policy, URL_RETRY_4XX | URL_RETRY_5XX | URL_RETRY_RT);
	assert_true(u.overrides.sni_off);
	assert_string_equal(u.request, "http://h/v");
	url_done(&u);
	assert_int_equal(url_parse(&u, "http://h/v#rp=all&sni=y&rc=0", &code), 0);
	assert_int_equal(u.overrides.retry_policy, URL_RETRY_ALL);
	assert_false(u.overrides.sni_off);
	assert_int_equal(u.overrides.retry_count, 0);
	url_done(&u);
}

static void an_anchor_is_no_override(void **state)
{
	static const char *const texts[] = { "http://h/v", "http://h/v#", "http://h/v#top",
					     "http://h/v#page=2&&x" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct url u;
		int code;

		assert_int_equal(url_parse(&u, texts[i], &code), 0);
		assert_int_equal(u.overrides.retry_count, -1);
		assert_int_equal(u.overrides.connect_ms, 0);
		assert_int_equal(u.overrides.retry_policy, 0);
		assert_string_equal(u.request, "http://h/v");
		url_done(&u);
	}
}

static void an_override_out_of_its_range_has_its_code(void **state)
{
	static const struct {
		const char *fragment;
		int code;
	} cases[] = {
		{ "ct=99", 11100 },
		{ "ct=10001", 11100 },
		{ "rt=99", 11100 },
		{ "rt=15001", 11100 },
		{ "tt=99", 11100 },
		{ "tt=15001", 11100 },
		{ "rc=6", 11100 },
		{ "rc=-1", 11100 },
		{ "rc=", 11100 },
		{ "ct=1e3", 11100 },
		{ "ct=99999999999", 11100 },
		{ "sni=maybe", 11100 },
		{ "rp=6xx", 11243 },
		{ "rp=", 11243 },
		{ "rp=5xx,", 0 },
		{ "rp=5xx,,rt", 11243 },
		{ "e=", 11240 },
		{ "e=Ash burn", 11100 },
		{ "e=A1", 11240 },
		{ "rc=1&rp=no", 11243 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[100] = "http://h/v#";
		struct url u = { 0 };
		int code = 0, r;

		strcat(text, cases[i].fragment);
		r = url_parse(&u, text, &code);
		if (cases[i].code == 0) {
			assert_int_equal(r, 0);
			url_done(&u);
			continue;
		}
		if (r != -ENOTSUP && !strchr(text, ' '))
			fail_msg("%s: %d", text, r);
		assert_int_equal(code, cases[i].code);
	}
}

static void resolves(const char *base, const char *ref, const char *wanted)
{
	char *got = NULL;
	int r = url_resolve(&got, base, ref);

	if (r < 0 || strcmp(got, wanted))
		fail_msg("%s against %s: %s, not %s", ref, base, r < 0 ? "an error" : got, wanted);
	free(got);
}

static void references_resolve_as_rfc_3986_section_5_4_says(void **state)
{
	static const char *const cases[][2] = {
		{ "g", "http://a/b/c/g" },
		{ "./g", "http://a/b/c/g" },
		{ "g/", "http://a/b/c/g/" },
		{ "/g", "http://a/g" },
		{ "//g", "http://g" },
		{ "?y", "http://a/b/c/d;p?y" },
		{ "g?y", "http://a/b/c/g?y" },
		{ "#s", "http://a/b/c/d;p?q#s" },
		{ "g#s", "http://a/b/c/g#s" },
		{ "g?y#s", "http://a/b/c/g?y#s" },
		{ ";x", "http://a/b/c/;x" },
		{ "g;x", "http://a/b/c/g;x" },
		{ "", "http://a/b/c/d;p?q" },
		{ ".", "http://a/b/c/" },
		{ "./", "http://a/b/c/" },
		{ "..", "http://a/b/" },
		{ "../", "http://a/b/" },
		{ "../g", "http://a/b/g" },
		{ "../..", "http://a/" },
		{ "../../", "http://a/" },
		{ "../../g", "http://a/g" },
		{ "../../../g", "http://a/g" },
		{ "../../../../g", "http://a/g" },
		{ "/./g", "http://a/g" },
		{ "/../g", "http://a/g" },
		{ "g.", "http://a/b/c/g." },
		{ ".g", "http://a/b/c/.g" },
		{ "g..", "http://a/b/c/g.." },
		{ "..g", "http://a/b/c/..g" },
		{ "./../g", "http://a/b/g" },
		{ "./g/.", "http://a/b/c/g/" },
		{ "g/./h", "http://a/b/c/g/h" },
		{ "g/../h", "http://a/b/c/h" },
		{ "g;x=1/./y", "http://a/b/c/g;x=1/y" },
		{ "g;x=1/../y", "http://a/b/c/y" },
		{ "g?y/./x", "http://a/b/c/g?y/./x" },
		{ "g#s/../x", "http://a/b/c/g#s/../x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		resolves("http://a/b/c/d;p?q", cases[i][0], cases[i][1]);
}

static void overrides_and_credentials_survive_resolving(void **state)
{
	(void)state;
	resolves("https://u:p@app:8443/voice?x=1#rc=1", "/g?y=http://z#rc=3&rt=2000",
		 "https://u:p@app:8443/g?y=http://z#rc=3&rt=2000");
	resolves("http://app", "v2", "http://app/v2");
	resolves("http://app?x", "v2", "http://app/v2");
	resolves(NULL, "http://other/x#ct=100", "http://other/x#ct=100");
	resolves("http://app/", "https://other/x", "https://other/x");
}

static void a_relative_reference_without_a_base_is_refused(void **state)
{
	char *got;

	(void)state;
	assert_int_equal(url_resolve(&got, NULL, "/g"), -EINVAL);
	assert_int_equal(url_resolve(&got, NULL, ""), -EINVAL);
	assert_int_equal(url_resolve(&got, "mailto:x", "/g"), -EINVAL);
	assert_int_equal(url_resolve(&got, "http://a/", "/g h"), -EINVAL);
	assert_int_equal(url_resolve(&got, "http://a/", "/g\r\nX: y"), -EINVAL);
}

static void a_query_is_appended_behind_the_one_that_is_there(void **state)
{
	static const struct {
		const char *url, *wanted;
	} cases[] = {
		{ "http://a/v", "http://a/v?From=a%20b&E=" },
		{ "http://a/v?", "http://a/v?From=a%20b&E=" },
		{ "http://a/v?x='%20'", "http://a/v?x='%20'&From=a%20b&E=" },
		{ "http://a/v?x&", "http://a/v?x&From=a%20b&E=" },
	};
	struct form f, none;

	(void)state;
	form_init(&f);
	form_init(&none);
	form_add(&f, "From", "a b");
	form_add(&f, "E", "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *got = url_with_query(cases[i].url, &f);

		assert_string_equal(got, cases[i].wanted);
		free(got);
		got = url_with_query(cases[i].url, &none);
		assert_string_equal(got, cases[i].url);
		free(got);
	}
	form_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wire_sees_no_user_info_and_no_fragment),
		cmocka_unit_test(http_keeps_its_port_in_what_is_signed),
		cmocka_unit_test(no_slash_is_added_and_bytes_beyond_ascii_are_escaped),
		cmocka_unit_test(a_host_with_an_underscore_is_requested_but_no_callback_for_rest),
		cmocka_unit_test(what_is_no_http_url_is_11100),
		cmocka_unit_test(a_url_of_more_than_8_kilobytes_is_refused),
		cmocka_unit_test(every_override_is_read),
		cmocka_unit_test(an_anchor_is_no_override),
		cmocka_unit_test(an_override_out_of_its_range_has_its_code),
		cmocka_unit_test(references_resolve_as_rfc_3986_section_5_4_says),
		cmocka_unit_test(overrides_and_credentials_survive_resolving),
		cmocka_unit_test(a_relative_reference_without_a_base_is_refused),
		cmocka_unit_test(a_query_is_appended_behind_the_one_that_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
