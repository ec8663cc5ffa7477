#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/sip_target.h"

static void what_is_said_of_a_target_is_taken_apart(void **state)
{
	static const struct {
		const char *text, *uri, *user, *host;
		unsigned port;
		enum sip_transport transport;
		bool secure;
	} rows[] = {
		{ "sip:bob@example.com", "sip:bob@example.com", "bob", "example.com", 0, SIP_UDP,
		  false },
		{ "kate@Example.COM", "sip:kate@example.com", "kate", "example.com", 0, SIP_UDP,
		  false },
		{ "SIP:example.com:5070", "sip:example.com:5070", "", "example.com", 5070, SIP_UDP,
		  false },
		{ "sip:bob@192.0.2.1;transport=TCP", "sip:bob@192.0.2.1;transport=tcp", "bob",
		  "192.0.2.1", 0, SIP_TCP, false },
		{ "sips:bob@example.com", "sip:bob@example.com;transport=tls", "bob", "example.com",
		  0, SIP_TLS, false },
		{ "sip:bob@[2001:DB8::1]:5080;x=y", "sip:bob@[2001:db8::1]:5080;x=y", "bob",
		  "2001:db8::1", 5080, SIP_UDP, false },
		{ "sip:bob@example.com;edge=dublin;region=ie1;secure=true;user=phone;tnx=1",
		  "sip:bob@example.com;user=phone", "bob", "example.com", 0, SIP_UDP, true },
		{ "sip:bob@example.com;secure=yes;transport=tls",
		  "sip:bob@example.com;transport=tls", "bob", "example.com", 0, SIP_TLS, false },
		{ "sip:+1-415;npdi@example.com", "sip:+1-415;npdi@example.com", "+1-415;npdi",
		  "example.com", 0, SIP_UDP, false },
		{ "sip:a%20b@example.com?", "sip:a%20b@example.com", "a%20b", "example.com", 0,
		  SIP_UDP, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_target_error error = { 0 };
		struct sip_target t;

		if (sip_target_parse(&t, rows[i].text, &error) < 0)
			fail_msg("%s: %s", rows[i].text, error.text);
		assert_string_equal(t.uri, rows[i].uri);
		assert_string_equal(t.user, rows[i].user);
		assert_string_equal(t.host, rows[i].host);
		assert_int_equal(t.port, rows[i].port);
		assert_int_equal(t.transport, rows[i].transport);
		assert_int_equal(t.secure, rows[i].secure);
		assert_string_equal(t.headers, "");
		sip_target_done(&t);
	}
}

static void headers_are_decoded_lines(void **state)
{
	static const struct {
		const char *text, *headers;
	} rows[] = {
		{ "?X-a=b", "X-a: b\r\n" },
		{ "?X-customName=Bob%2CShield%2BTitle%2DManager&x-b=1+2",
		  "X-customName: Bob,Shield+Title-Manager\r\nx-b: 1+2\r\n" },
		{ "?X-a=1&amp;User-to-User=123%3Bencoding%3Dhex&",
		  "X-a: 1\r\nUser-to-User: 123;encoding=hex\r\n" },
		{ "?Remote-Party-ID=a&P-Preferred-Identity=b&P-Called-Party-ID=c",
		  "Remote-Party-ID: a\r\nP-Preferred-Identity: b\r\nP-Called-Party-ID: c\r\n" },
		{ "?X-empty=&X-none&X-utf8=%C3%A9",
		  "X-empty: \r\nX-none: \r\nX-utf8: \xc3\xa9\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_target_error error = { 0 };
		struct sip_target t;
		char text[400];

		snprintf(text, sizeof(text), "sip:bob@example.com%s", rows[i].text);
		if (sip_target_parse(&t, text, &error) < 0)
			fail_msg("%s: %s", text, error.text);
		assert_string_equal(t.headers, rows[i].headers);
		assert_string_equal(t.uri, "sip:bob@example.com");
		sip_target_done(&t);
	}
}

static void what_is_wrong_has_its_code(void **state)
{
	static char long_uri[400], long_headers[1200];
	const struct {
		const char *text;
		int code;
	} rows[] = {
		{ "", 21211 },
		{ "sip:", 21211 },
		{ "sip:bob@", 21211 },
		{ "sip:bob@exa mple.com", 21211 },
		{ "sip:bob@exa_mple.com", 21211 },
		{ "sip:bob@-x.com", 21211 },
		{ "sip:bob@example.com:0", 21211 },
		{ "sip:bob@example.com:65536", 21211 },
		{ "sip:bob@example.com:99999999999999", 21211 },
		{ "sip:bob@example.com:", 21211 },
		{ "sip:bob@example.com:x", 21211 },
		{ "sip:bob@[::1", 21211 },
		{ "sip:bob@[zz]", 21211 },
		{ "sip:bob@example.com;transport=sctp", 21211 },
		{ "sip:bob@example.com\r\nX-a: b", 21211 },
		{ "sip:b>ob@example.com", 21211 },
		{ long_uri, 21211 },
		{ long_headers, 21227 },
		{ "sip:bob@example.com?X a=b", 21228 },
		{ "sip:bob@example.com?=b", 21228 },
		{ "sip:bob@example.com?X-a=b%0d%0aVia:%20c", 21229 },
		{ "sip:bob@example.com?X-a=%00", 21229 },
		{ "sip:bob@example.com?X-a=%f", 21229 },
		{ "sip:bob@example.com?X-a=%ff", 21229 },
		{ "sip:bob@example.com?Via=b", 32113 },
		{ "sip:bob@example.com?X-Twilio-CallSid=b", 32113 },
		{ "sip:bob@example.com?x-twilio-callsid=b", 32113 },
	};

	(void)state;
	snprintf(long_uri, sizeof(long_uri), "sip:%0250d@example.com", 1);
	snprintf(long_headers, sizeof(long_headers), "sip:bob@example.com?X-a=%01030d", 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_target_error error = { 0 };
		struct sip_target t = { 0 };

		if (sip_target_parse(&t, rows[i].text, &error) != -EINVAL ||
		    error.code != rows[i].code || !error.text[0])
			fail_msg("%s: %d %s", rows[i].text, error.code, error.text);
		assert_null(t.uri);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_of_a_target_is_taken_apart),
		cmocka_unit_test(headers_are_decoded_lines),
		cmocka_unit_test(what_is_wrong_has_its_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
