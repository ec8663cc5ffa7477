/* The vectors S1-S17 of twiml-and-webhooks.md §5.5, by their number. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/form.h"
#include "proto/signature.h"
#include "proto/url.h"

#define T "12345"
#define K "0123456789abcdef0123456789abcdef"
#define U "mycompany.com/myapp.php?foo=1&bar=2"

static void signs(const char *token, const char *url, const char *const (*pairs)[2], size_t count,
		  const char *wanted)
{
	char got[SIGNATURE_SIZE];
	struct form f;

	form_init(&f);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(form_add(&f, pairs[i][0], pairs[i][1]), 0);
	assert_int_equal(signature_make(got, token, url, count ? &f : NULL), 0);
	assert_string_equal(got, wanted);
	form_done(&f);
}

/* Signs the way a webhook does: what is signed comes of the configured URL. */
static void signs_configured(const char *token, const char *url, const char *const (*pairs)[2],
			     size_t count, const char *wanted)
{
	struct url u;
	int code;

	assert_int_equal(url_parse(&u, url, &code), 0);
	signs(token, u.sign, pairs, count, wanted);
	url_done(&u);
}

static const char *const p[][2] = { { "Digits", "1234" },
				    { "CallSid", "CA1234567890ABCDE" },
				    { "To", "+18005551212" },
				    { "From", "+14158675309" },
				    { "Caller", "+14158675309" } };

static void s1_a_post_over_https(void **state)
{
	(void)state;
	signs(T, "https://" U, p, 5, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
	signs_configured(T, "https://" U, p, 5, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
}

static void s2_the_port_443_written(void **state)
{
	(void)state;
	signs(T, "https://mycompany.com:443/myapp.php?foo=1&bar=2", p, 5,
	      "kvajT1Ptam85bY51eRf/AJRuM3w=");
	/* We never sign an https port: as S1. */
	signs_configured(T, "https://mycompany.com:443/myapp.php?foo=1&bar=2", p, 5,
			 "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
}

static void s3_http(void **state)
{
	(void)state;
	signs_configured(T, "http://" U, p, 5, "OyGYPqTF6ztdbRNCvuQO/oPvqQ4=");
}

static void s4_http_with_port_80(void **state)
{
	(void)state;
	signs_configured(T, "http://mycompany.com:80/myapp.php?foo=1&bar=2", p, 5,
			 "0ZXoZLH/DfblKGATFgpif+LLRf4=");
}

static void s5_http_with_another_port(void **state)
{
	(void)state;
	signs_configured(T, "http://mycompany.com:1234/myapp.php?foo=1&bar=2", p, 5,
			 "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=");
}

static void s6_a_name_with_several_values_has_each_once_in_order(void **state)
{
	static const char *const pairs[][2] = { { "Sid", "CA123" },
						{ "SidAccount", "AC123" },
						{ "Digits", "5678" },
						{ "Digits", "1234" },
						{ "Digits", "1234" } };

	(void)state;
	signs(T, "https://" U, pairs, 5, "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
}

static void s7_a_body_hash_in_the_query(void **state)
{
	(void)state;
	signs(T,
	      "https://" U
	      "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620",
	      NULL, 0, "a9nBmqA0ju/hNViExpshrM61xv4=");
}

static void s8_the_security_pages_sample(void **state)
{
	static const char *const pairs[][2] = { { "CallSid", "CA1234567890ABCDE" },
						{ "Caller", "+14158675310" },
						{ "Digits", "1234" },
						{ "From", "+14158675310" },
						{ "To", "+18005551212" } };

	(void)state;
	signs_configured(T, "https://example.com/myapp.php?foo=1&bar=2", pairs, 5,
			 "L/OH5YylLD5NRKLltdqwSvS0BnU=");
}

static void s9_a_post_without_a_query(void **state)
{
	static const char *const pairs[][2] = { { "CallSid", "CA1234567890ABCDE" },
						{ "Caller", "+12349013030" },
						{ "From", "+12349013030" },
						{ "Digits", "1234" },
						{ "To", "+18005551212" } };

	(void)state;
	signs_configured(T, "https://example.com/myapp", pairs, 5, "NGAgWNhdnsLF8j385frvrQoi9sg=");
}

static void s10_a_body_hash_alone(void **state)
{
	(void)state;
	signs(T,
	      "https://example.com/"
	      "myapp?bodySHA256=5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9",
	      NULL, 0, "hPXmLwIy3Fgqv1i9KPmH/HhQ6zo=");
}

static void s11_a_call_to_a_sip_domain(void **state)
{
	static const char *const pairs[][2] = {
		{ "To", "sip:+15551230000@acme.sip.example.com" },
		{ "SipSourceIp", "192.0.2.10" },
		{ "SipHeader_X-Account", "42" },
		{ "SipDomainSid", "SD00000000000000000000000000000001" },
		{ "SipDomain", "acme.sip.example.com" },
		{ "SipCallId", "abc123@192.0.2.10" },
		{ "From", "sip:alice@acme.sip.example.com" },
		{ "Direction", "inbound" },
		{ "Caller", "sip:alice@acme.sip.example.com" },
		{ "Called", "sip:+15551230000@acme.sip.example.com" },
		{ "CallStatus", "ringing" },
		{ "CallSid", "CA00000000000000000000000000000001" },
		{ "ApiVersion", "2010-04-01" },
		{ "AccountSid", "AC00000000000000000000000000000001" },
	};

	(void)state;
	signs_configured(K, "http://127.0.0.1:8080/voice", pairs, sizeof(pairs) / sizeof(pairs[0]),
			 "aeIlkeSf4jsDtIf8oqTivkIzq30=");
}

static void s12_a_get_has_its_parameters_in_the_url(void **state)
{
	struct form f;
	char *url;

	(void)state;
	form_init(&f);
	form_add(&f, "CallSid", "CA00000000000000000000000000000001");
	form_add(&f, "From", "sip:alice@acme.sip.example.com");
	form_add(&f, "Timestamp", "Sat, 07 May 2022 14:30:14 +0000");
	url = url_with_query("http://127.0.0.1:8080/voice?a=1", &f);
	signs(K, url, NULL, 0, "r7g/rWoy/x+CnPaV9xgWGr4hpP4=");
	free(url);
	form_done(&f);
}

static void s13_upper_case_sorts_first_and_an_empty_value_gives_its_name(void **state)
{
	static const char *const pairs[][2] = { { "a", "y" }, { "B", "x" }, { "A", "" } };

	(void)state;
	signs(K, "http://127.0.0.1:8080/voice", pairs, 3, "MgfmnvfZILCCcwyVnIfCQ95+P8g=");
}

static void s14_bytes_beyond_ascii_and_outer_spaces_stay(void **state)
{
	static const char *const pairs[][2] = { { "SpeechResult", " lead trail " },
						{ "CallerName",
						  "Zo\xc3\xab \xe6\xb5\x8b\xe8\xaf\x95" } };

	(void)state;
	signs(K, "http://127.0.0.1:8080/voice", pairs, 2, "3P8x5TqFcbZxdjs/iuouLMkmAYk=");
}

static void s15_a_websocket_url(void **state)
{
	(void)state;
	signs(K, "wss://127.0.0.1:8443/media", NULL, 0, "dhZLd0k/IkxsLbik2s+BbynI6vw=");
}

static void s16_a_configured_https_port_is_not_signed(void **state)
{
	static const char *const pairs[][2] = { { "CallSid", "CA1" } };

	(void)state;
	signs_configured(K, "https://app.example.com:8443/voice?x=1", pairs, 1,
			 "yFXFDcgt3RxWlcvlOAjo77dnXTc=");
}

static void s17_user_info_and_overrides_are_not_signed(void **state)
{
	(void)state;
	signs_configured(T, "https://user:pw@" U "#rc=3&rt=2000", p, 5,
			 "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s1_a_post_over_https),
		cmocka_unit_test(s2_the_port_443_written),
		cmocka_unit_test(s3_http),
		cmocka_unit_test(s4_http_with_port_80),
		cmocka_unit_test(s5_http_with_another_port),
		cmocka_unit_test(s6_a_name_with_several_values_has_each_once_in_order),
		cmocka_unit_test(s7_a_body_hash_in_the_query),
		cmocka_unit_test(s8_the_security_pages_sample),
		cmocka_unit_test(s9_a_post_without_a_query),
		cmocka_unit_test(s10_a_body_hash_alone),
		cmocka_unit_test(s11_a_call_to_a_sip_domain),
		cmocka_unit_test(s12_a_get_has_its_parameters_in_the_url),
		cmocka_unit_test(s13_upper_case_sorts_first_and_an_empty_value_gives_its_name),
		cmocka_unit_test(s14_bytes_beyond_ascii_and_outer_spaces_stay),
		cmocka_unit_test(s15_a_websocket_url),
		cmocka_unit_test(s16_a_configured_https_port_is_not_signed),
		cmocka_unit_test(s17_user_info_and_overrides_are_not_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
