#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/sip_target.h"

static struct sip_target target;
static struct sip_target_error error;

static int teardown(void **state)
{
	(void)state;
	sip_target_done(&target);
	return 0;
}

static void parse(const char *text)
{
	sip_target_done(&target);
	if (sip_target_parse(&target, text, &error) < 0)
		fail_msg("%s: %d %s", text, error.code, error.text);
}

static void refused(const char *text, int code)
{
	struct sip_target untouched = { 0 };

	memset(&error, 0, sizeof(error));
	if (sip_target_parse(&untouched, text, &error) == 0)
		fail_msg("%s was taken for %s", text, untouched.uri);
	assert_null(untouched.uri);
	if (error.code != code)
		fail_msg("%s: %d %s", text, error.code, error.text);
	assert_true(strlen(error.text) > 10);
}

static void becomes(const char *text, const char *uri)
{
	parse(text);
	assert_string_equal(target.uri, uri);
}

static void a_uri_is_taken_apart(void **state)
{
	(void)state;
	parse("sip:kate%20b@Example.COM:5070;transport=tcp;user=phone");
	assert_string_equal(target.uri, "sip:kate%20b@example.com:5070;transport=tcp;user=phone");
	assert_string_equal(target.user, "kate%20b");
	assert_string_equal(target.host, "example.com");
	assert_int_equal(target.port, 5070);
	assert_int_equal(target.transport, SIP_TCP);
	assert_true(target.transport_said);
	assert_false(target.secure);
	assert_string_equal(target.headers, "");
}

static void little_need_be_said(void **state)
{
	(void)state;
	parse("kate@example.com");
	assert_string_equal(target.uri, "sip:kate@example.com");
	assert_int_equal(target.port, 0);
	assert_int_equal(target.transport, SIP_UDP);
	assert_false(target.transport_said);
	parse(" \n\tSIP:192.0.2.7 \n");
	assert_string_equal(target.uri, "sip:192.0.2.7");
	assert_string_equal(target.user, "");
	parse("sip:+15551230000:secret@example.com");
	assert_string_equal(target.user, "+15551230000");
}

static void an_ipv6_host_stands_in_brackets(void **state)
{
	(void)state;
	parse("sip:a@[2001:DB8::1]:5061;transport=TLS");
	assert_string_equal(target.uri, "sip:a@[2001:db8::1]:5061;transport=tls");
	assert_string_equal(target.host, "2001:db8::1");
	assert_int_equal(target.port, 5061);
	becomes("a@[::1]", "sip:a@[::1]");
	refused("sip:a@2001:db8::1", 21211);
	refused("sip:a@[2001:db8::1", 21211);
	refused("sip:a@[2001:db8::1]5060", 21211);
	refused("sip:a@[example.com]", 21211);
	refused("sip:a@[fe80::1%25eth0]", 21211);
	refused("sip:a@[1.2.3.4]", 21211);
}

static void sips_is_sip_over_tls(void **state)
{
	(void)state;
	becomes("sips:a@example.com", "sip:a@example.com;transport=tls");
	assert_int_equal(target.transport, SIP_TLS);
	assert_true(target.transport_said);
	becomes("SIPS:a@example.com;transport=udp", "sip:a@example.com;transport=tls");
	becomes("sip:a@example.com;Transport=Udp", "sip:a@example.com");
	refused("sip:a@example.com;transport=sctp", 21211);
	assert_non_null(strstr(error.text, "udp, tcp or tls"));
	refused("sip:a@example.com;transport", 21211);
	refused("sip:a@example.com;transport=tcp;transport=udp", 21211);
	refused("sip:a@example.com;transport=tcp;TRANSPORT=tcp", 21211);
}

static void what_is_for_the_platform_does_not_go_out(void **state)
{
	(void)state;
	becomes("sip:a@example.com;edge=dublin;region=ie1;tnx=TK1;secure=true;x=1;y",
		"sip:a@example.com;transport=tls;x=1;y");
	assert_true(target.secure);
	/* The address of the host was checked, not theirs. */
	becomes("sip:a@example.com;maddr=10.0.0.1;ttl=1;method=BYE;;", "sip:a@example.com");
}

static void secure_is_by_tls_whatever_the_transport_says(void **state)
{
	static const char *const other[] = { "yes", "1", "truely", NULL };
	char uri[80];

	(void)state;
	becomes("sip:a@example.com;secure=TRUE;transport=udp", "sip:a@example.com;transport=tls");
	assert_true(target.secure && target.transport_said);
	assert_false(target.dtls);
	becomes("sip:a@example.com;secure=dtls", "sip:a@example.com;transport=tls");
	assert_true(target.secure && target.dtls);
	error.code = 0;
	becomes("sip:a@example.com:5070;secure=false", "sip:a@example.com:5070");
	assert_false(target.secure);
	assert_int_equal(error.code, 0);
	for (int i = 0; i < 4; i++) {
		snprintf(uri, sizeof(uri), "sip:a@example.com;secure%s%s", other[i] ? "=" : "",
			 other[i] ? other[i] : "");
		parse(uri);
		assert_false(target.secure);
		assert_int_equal(error.code, 32114);
	}
}

static void only_host_names_and_addresses_are_hosts(void **state)
{
	static const char *const bad[] = {
		"",
		"   ",
		"sip:",
		"sip:@example.com",
		"sip:a@",
		"sip:a@b@example.com",
		"example.com",
		"tel:+15551230000",
		"tel:a@example.com",
		"http://example.com/",
		"sip:a@exa_mple.com",
		"sip:a@-example.com",
		"sip:a@example-.com",
		"sip:a@example..com",
		"sip:a@.example.com",
		"sip:a@example.com..",
		"sip:a@.",
		"sip:a@127.1",
		"sip:a@2130706433",
		"sip:a@0x7f000001",
		"sip:a@1.2.3.256",
		"sip:a@\xc3\xabxample.com",
		"sip:a@exa%6dple.com",
		"sip:a@exa mple.com",
		"sip:a@example.com:",
		"sip:a@example.com:0",
		"sip:a@example.com:65536",
		"sip:a@example.com:+5060",
		"sip:a@example.com:5060x",
		"sip:a@example.com:000005060",
		"sip:a@example.com>",
		"sip:a@example.com\r\nX: y",
		"sip:a@example.com/",
		"sip:a@example.com;x=\"",
		"sip:a@example.com;x=%0d%0a",
		"sip:a@example.com;x=%4",
		"sip:a@example.com;=1",
		"sip:a@example.com;x=1;X=2",
		"<sip:a@example.com>",
		"\"A\" <sip:a@example.com>",
		"sip:a b@example.com",
		"sip:a\x01@example.com",
		"sip:a%@example.com",
		"sip:a%zz@example.com",
		"sip:a%00@example.com",
		"sip:a%0D%0a@example.com",
		"sip:a#@example.com",
		"sip:<a>@example.com",
		"sip:a:b:c@example.com",
		"sip:a\xc3\xab@example.com",
	};
	char text[300] = "sip:a@";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(bad[i], 21211);
	memset(text + 6, 'b', 64);
	strcpy(text + 70, ".com");
	refused(text, 21211);
	memmove(text + 6, text + 7, strlen(text + 6)); /* a label of 63 */
	becomes(text, text);
	becomes("sip:a@9lives.example.com.", "sip:a@9lives.example.com.");
	becomes("sip:a@xn--exmple-cua.com", "sip:a@xn--exmple-cua.com");
}

static void a_uri_has_254_characters_before_its_headers(void **state)
{
	char text[400];

	(void)state;
	snprintf(text, sizeof(text), "sip:%0238d@example.com?X-A=1", 7);
	assert_int_equal(strcspn(text, "?"), 254);
	parse(text);
	assert_string_equal(target.headers, "X-A: 1\r\n");
	snprintf(text, sizeof(text), "sip:%0239d@example.com?X-A=1", 7);
	refused(text, 21211);
	/* transport=tls comes on top. */
	snprintf(text, sizeof(text), "sips:%0237d@example.com", 7);
	parse(text);
	assert_int_equal(target.transport, SIP_TLS);
}

static void headers_are_decoded_into_lines(void **state)
{
	(void)state;
	parse("sip:a@example.com?X-customName=Bob%2CShield%2BTitle%2DManager&"
	      "User-to-User=a%3Bencoding%3Dhex&x-e=&X-P=1+1=2&amp;remote-party-id=%3Csip:b@c%3E"
	      "&P-Preferred-Identity=p&P-Called-Party-ID=q&&X-U=%c3%AB\xc3\xab&");
	assert_string_equal(target.uri, "sip:a@example.com");
	assert_string_equal(target.headers, "X-customName: Bob,Shield+Title-Manager\r\n"
					    "User-to-User: a;encoding=hex\r\n"
					    "x-e: \r\n"
					    "X-P: 1+1=2\r\n"
					    "remote-party-id: <sip:b@c>\r\n"
					    "P-Preferred-Identity: p\r\n"
					    "P-Called-Party-ID: q\r\n"
					    "X-U: \xc3\xab\xc3\xab\r\n");
	parse("sip:a@example.com?");
	assert_string_equal(target.headers, "");
	parse("sip:a@example.com?X-A=1?2&X-none&X-a=;transport=tcp");
	assert_string_equal(target.headers, "X-A: 1?2\r\nX-none: \r\nX-a: ;transport=tcp\r\n");
	assert_int_equal(target.transport, SIP_UDP);
}

static void only_the_allowed_headers_go_out(void **state)
{
	static const char *const names[] = { "Via",
					     "From",
					     "Route",
					     "Contact",
					     "Subject",
					     "X-",
					     "X",
					     "X-Twilio-CallSid",
					     "x-tWILIO-",
					     "X-Hookswitch-Connection",
					     "body",
					     "User-to-User2",
					     "XX-A",
					     "Replaces",
					     "P-Asserted-Identity",
					     "Content-Length" };
	char text[100];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(text, sizeof(text), "sip:a@example.com?X-A=1&%s=1", names[i]);
		refused(text, 32113);
		assert_non_null(strstr(error.text, names[i]));
	}
	parse("sip:a@example.com?X-Twilion=1&X-Twilio=2");
	assert_string_equal(target.headers, "X-Twilion: 1\r\nX-Twilio: 2\r\n");
}

static void no_header_breaks_out_of_its_line(void **state)
{
	static const char *const bad_names[] = { "X-A%zz:=1", "X-A :=1",      "X-A\r\nVia=1",
						 "=1",	      "X-\xc3\xab=1", "b@example.com",
						 "X-A(=1",    "amp;=1" };
	static const char *const bad_values[] = {
		"X-A=%0d%0aVia:1", "X-A=\r\nVia:1", "X-A=%00",	     "X-A=%0a",	 "X-A=%7f",
		"X-A=%1f",	   "X-A=%",	    "X-A=%4",	     "X-A=%zz",	 "X-A=%c3",
		"X-A=\xff",	   "X-A=\x7f",	    "X-A=%ed%a0%80", "X-A=%%34", "X-A=1&X-B=%09"
	};
	char text[100];

	(void)state;
	for (size_t i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++) {
		snprintf(text, sizeof(text), "sip:a@example.com?%s&X-B=1", bad_names[i]);
		refused(text, 21228);
	}
	for (size_t i = 0; i < sizeof(bad_values) / sizeof(bad_values[0]); i++) {
		snprintf(text, sizeof(text), "sip:a@example.com?%s", bad_values[i]);
		refused(text, 21229);
	}
}

static void headers_have_1023_characters(void **state)
{
	char text[1200];

	(void)state;
	snprintf(text, sizeof(text), "sip:a@example.com?X-A=%01019d", 7);
	assert_int_equal(strlen(strchr(text, '?') + 1), 1023);
	parse(text);
	snprintf(text, sizeof(text), "sip:a@example.com?X-A=%01020d", 7);
	refused(text, 21227);
	/* As many as can be: each line is longer than what it came from. */
	strcpy(text, "sip:a@example.com?");
	for (int i = 0; i < 204; i++)
		strcat(text, "X-A=&");
	parse(text);
	assert_int_equal(strlen(target.headers), 204 * strlen("X-A: \r\n"));
	/* A long name in what is wrong is cut. */
	snprintf(text, sizeof(text), "sip:a@example.com?%01000d=1", 7);
	refused(text, 32113);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_uri_is_taken_apart, teardown),
		cmocka_unit_test_teardown(little_need_be_said, teardown),
		cmocka_unit_test_teardown(an_ipv6_host_stands_in_brackets, teardown),
		cmocka_unit_test_teardown(sips_is_sip_over_tls, teardown),
		cmocka_unit_test_teardown(what_is_for_the_platform_does_not_go_out, teardown),
		cmocka_unit_test_teardown(secure_is_by_tls_whatever_the_transport_says, teardown),
		cmocka_unit_test_teardown(only_host_names_and_addresses_are_hosts, teardown),
		cmocka_unit_test_teardown(a_uri_has_254_characters_before_its_headers, teardown),
		cmocka_unit_test_teardown(headers_are_decoded_into_lines, teardown),
		cmocka_unit_test_teardown(only_the_allowed_headers_go_out, teardown),
		cmocka_unit_test_teardown(no_header_breaks_out_of_its_line, teardown),
		cmocka_unit_test_teardown(headers_have_1023_characters, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
