#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "proto/sdp.h"
#include "proto/sdp_crypto.h"

#define KEY  "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define HEAD "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define E80  "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n"
#define E32  "a=crypto:22 AES_CM_128_HMAC_SHA1_32 inline:" KEY "\r\n"

/* In memory of its exact size: a read behind it shows. */
static bool read_line(struct sdp_crypto *c, const char *text)
{
	size_t n = strlen(text);
	char *exact = malloc(n ? n : 1);
	bool ok;

	memcpy(exact, text, n);
	ok = sdp_crypto_read(c, exact, n);
	free(exact);
	return ok;
}

static void both_suites_are_read(void **state)
{
	struct sdp_crypto c;

	(void)state;
	assert_true(read_line(&c, "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY));
	assert_int_equal(c.tag, 1);
	assert_string_equal(c.suite, SDP_SUITE_80);
	assert_true(read_line(&c, "999999999 AES_CM_128_HMAC_SHA1_32 inline:" KEY "|2^31"));
	assert_int_equal(c.tag, 999999999);
	assert_string_equal(c.suite, SDP_SUITE_32);
	assert_true(read_line(&c, "0 aes_cm_128_hmac_sha1_32 inline:" KEY "|1048576 WSH=128"));
	assert_ptr_equal(sdp_crypto_suite("AES_CM_128_HMAC_SHA1_32"), c.suite);
	assert_null(sdp_crypto_suite("AES_256_CM_HMAC_SHA1_80"));
	assert_null(sdp_crypto_suite(NULL));
}

static void what_we_do_not_do_is_not_usable(void **state)
{
	static const char *const lines[] = {
		"",
		"1",
		"1 ",
		"x AES_CM_128_HMAC_SHA1_80 inline:" KEY,
		" 1 AES_CM_128_HMAC_SHA1_80 inline:" KEY,
		"1234567890 AES_CM_128_HMAC_SHA1_80 inline:" KEY,
		"-1 AES_CM_128_HMAC_SHA1_80 inline:" KEY,
		"1 AES_CM_128_HMAC_SHA1_80",
		"1 AES_256_CM_HMAC_SHA1_80 inline:" KEY,
		"1 F8_128_HMAC_SHA1_80 inline:" KEY,
		"1 AES_CM_128_HMAC_SHA1_80 uri:" KEY,
		"1 AES_CM_128_HMAC_SHA1_80 inline:short",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "A",
		"1 AES_CM_128_HMAC_SHA1_80 inline:=" KEY,
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^x",
		/* MKI, with and without a lifetime; several keys */
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|1:4",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^20|1:4",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY ";inline:" KEY,
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY " UNENCRYPTED_SRTP",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY " UNAUTHENTICATED_SRTP",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY " WSH=64 UNENCRYPTED_SRTCP",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY " KDR=1",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY " WSH=",
	};
	struct sdp_crypto c;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (read_line(&c, lines[i]))
			fail_msg("usable: %s", lines[i]);
}

static void the_first_usable_line_of_the_live_audio_counts(void **state)
{
	static const struct {
		const char *sdp, *suite;
		unsigned tag;
	} cases[] = {
		{ HEAD "m=audio 4000 RTP/SAVP 0\r\n" E80 E32, SDP_SUITE_80, 1 },
		{ HEAD "m=audio 4000 RTP/SAVPF 0\r\n" E32 E80, SDP_SUITE_32, 22 },
		{ HEAD
		  "m=audio 4000 RTP/SAVP 0\r\na=crypto:5 AES_256_CM_HMAC_SHA1_80 inline:x\r\n" E80,
		  SDP_SUITE_80, 1 },
		{ HEAD "m=audio 4000 RTP/SAVP 0\r\n", NULL, 0 },
		/* Not SDES: its profile, or a line of something else. */
		{ HEAD "m=audio 4000 RTP/AVP 0\r\n" E80, NULL, 0 },
		{ HEAD "m=audio 4000 UDP/TLS/RTP/SAVP 0\r\n" E80, NULL, 0 },
		{ HEAD "m=video 4000 RTP/SAVP 0\r\n" E80 "m=audio 4002 RTP/SAVP 0\r\n", NULL, 0 },
		{ HEAD "m=audio 0 RTP/SAVP 0\r\n" E80 "m=audio 4002 RTP/SAVP 0\r\n", NULL, 0 },
		{ HEAD E80 "m=audio 4000 RTP/SAVP 0\r\n", NULL, 0 },
	};
	struct sdp_info info;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(sdp_parse(&info, cases[i].sdp, strlen(cases[i].sdp)), 0);
		if (cases[i].suite)
			assert_string_equal(info.suite, cases[i].suite);
		else
			assert_null(info.suite);
		assert_int_equal(cases[i].suite ? info.crypto_tag : 0, cases[i].tag);
	}
}

static void clean(const char *sdp, bool answer, const char *becomes)
{
	struct buf b;

	buf_init(&b, 4096);
	assert_int_equal(sdp_clean(&b, sdp, answer), 0);
	assert_string_equal(b.data, becomes);
	buf_done(&b);
}

static void rtpengine_hears_of_one_key_and_of_no_other_way(void **state)
{
	(void)state;
	clean(HEAD "a=fingerprint:sha-256 AA\r\nm=audio 4000 RTP/SAVP 0\r\n"
		   "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:x\r\n" E32 E80
		   "a=setup:actpass\r\na=sendrecv\r\n",
	      false, HEAD "m=audio 4000 RTP/SAVP 0\r\n" E32 "a=sendrecv\r\n");
	clean(HEAD "m=audio 4000 RTP/SAVP 0\r\n" E32, true,
	      HEAD "m=audio 4000 RTP/SAVP 0\r\n"
		   "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:" KEY "\r\n");
	/* Keys beside plain media are for nobody. */
	clean(HEAD "m=audio 4000 RTP/AVP 0\r\n" E80 "a=sendrecv\n", false,
	      HEAD "m=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n");
	/* Each section has its own. */
	clean(HEAD "m=audio 4000 RTP/SAVP 0\r\n" E80 E32 "m=video 4002 RTP/SAVP 99\r\n" E32, false,
	      HEAD "m=audio 4000 RTP/SAVP 0\r\n" E80 "m=video 4002 RTP/SAVP 99\r\n" E32);
}

#define HEX8	   "01:23:45:67:89:ab:CD:EF"
#define SHA256	   "a=fingerprint:sha-256 " HEX8 ":" HEX8 ":" HEX8 ":" HEX8 "\r\n"
#define DTLS_AUDIO "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"

static const char *way_of(const char *sdp)
{
	struct sdp_info info;

	assert_int_equal(sdp_parse(&info, sdp, strlen(sdp)), 0);
	assert_true(info.secure);
	return info.suite;
}

static void dtls_needs_the_fingerprint_of_a_certificate(void **state)
{
	static const char *const bad[] = {
		"",
		"a=fingerprint:sha-1 " HEX8 ":" HEX8 ":01:23:45:67\r\n",
		"a=fingerprint:sha-256 " HEX8 "\r\n",
		"a=fingerprint:sha-256\r\n",
		"a=fingerprint:\r\n",
		"a=fingerprint:sha-256 " HEX8 ":" HEX8 ":" HEX8 ":01:23:45:67:89:ab:CD:E\r\n",
		"a=fingerprint:sha-256 " HEX8 ":" HEX8 ":" HEX8 ":01:23:45:67:89:ab:CD:EG\r\n",
		"a=fingerprint:sha-256 " HEX8 ":" HEX8 ":" HEX8 ":01:23:45:67:89:ab:CD.EF\r\n",
		E80,
	};
	char sdp[600];

	(void)state;
	assert_string_equal(way_of(HEAD DTLS_AUDIO SHA256), SDP_DTLS);
	assert_string_equal(way_of(HEAD SHA256 DTLS_AUDIO), SDP_DTLS);
	assert_null(way_of(HEAD SHA256 "m=audio 9 RTP/SAVPF 0\r\n"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(sdp, sizeof(sdp), "%s%s", HEAD DTLS_AUDIO, bad[i]);
		assert_null(way_of(sdp));
	}
}

static void rtpengine_hears_of_dtls_where_it_is_the_profile(void **state)
{
	(void)state;
	clean(HEAD DTLS_AUDIO E80 SHA256 "a=setup:actpass\r\na=candidate:1\r\n", false,
	      HEAD DTLS_AUDIO SHA256 "a=setup:actpass\r\na=candidate:1\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_suites_are_read),
		cmocka_unit_test(what_we_do_not_do_is_not_usable),
		cmocka_unit_test(the_first_usable_line_of_the_live_audio_counts),
		cmocka_unit_test(rtpengine_hears_of_one_key_and_of_no_other_way),
		cmocka_unit_test(dtls_needs_the_fingerprint_of_a_certificate),
		cmocka_unit_test(rtpengine_hears_of_dtls_where_it_is_the_profile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
