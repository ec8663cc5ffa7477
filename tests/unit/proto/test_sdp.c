#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "proto/sdp.h"

#define HEAD "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"

static int parse_bytes(struct sdp_info *info, const char *text, size_t len)
{
	/* A copy of its exact size, so that the sanitizer sees a read behind it. */
	char *exact = malloc(len ? len : 1);
	int r;

	memcpy(exact, text, len);
	r = sdp_parse(info, exact, len);
	free(exact);
	return r;
}

static struct sdp_info parse(const char *text)
{
	struct sdp_info info;

	assert_int_equal(parse_bytes(&info, text, strlen(text)), 0);
	return info;
}

static void baresips_offer_is_read(void **state)
{
	struct sdp_info i =
		parse("v=0\r\no=- 2086312014 1393126434 IN IP4 192.0.2.33\r\ns=-\r\nc=IN IP4 "
		      "192.0.2.33\r\nt=0 0\r\n"
		      "a=tool:baresip 3.20.0\r\nm=audio 19824 RTP/AVP 96 0 8 101\r\nb=AS:125\r\n"
		      "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 stereo=1;sprop-stereo=1\r\na=rtpmap:0 "
		      "PCMU/8000\r\n"
		      "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 "
		      "0-15\r\na=rtcp:19825\r\n"
		      "a=sendrecv\r\na=label:1\r\na=rtcp-rsize\r\na=ssrc:1289374 "
		      "cname:sip:a@example.com\r\na=ptime:20\r\n");

	(void)state;
	assert_true(i.has_audio);
	assert_false(i.secure);
	assert_true(i.pcmu);
	assert_true(i.pcma);
	assert_int_equal(i.dtmf_pt, 101);
	assert_int_equal(i.direction, SDP_SENDRECV);
	assert_string_equal(i.address, "192.0.2.33");
	assert_int_equal(i.port, 19824);
	assert_int_equal(i.media_count, 1);
	assert_int_equal(i.version, 1393126434);
}

static void asterisks_offer_is_read(void **state)
{
	struct sdp_info i = parse(
		"v=0\r\no=- 1648387382 1648387382 IN IP4 198.51.100.7\r\ns=Asterisk\r\nc=IN IP4 "
		"198.51.100.7\r\nt=0 0\r\n"
		"m=audio 14386 RTP/AVP 8 3 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:3 GSM/8000\r\n"
		"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 "
		"0-16\r\na=ptime:20\r\na=maxptime:150\r\na=sendrecv\r\n");

	(void)state;
	assert_false(i.pcmu);
	assert_true(i.pcma);
	assert_int_equal(i.port, 14386);
	assert_int_equal(i.dtmf_pt, 101);
}

static void pjsips_offer_with_two_event_clocks_and_video_is_read(void **state)
{
	struct sdp_info i =
		parse("v=0\r\no=- 3856234561 3856234562 IN IP6 "
		      "2001:db8::5\r\ns=pjmedia\r\nb=AS:117\r\nt=0 0\r\na=X-nat:0\r\n"
		      "m=audio 4000 RTP/AVP 98 97 99 104 3 0 8 9 96 120\r\nc=IN IP6 "
		      "2001:db8::5\r\nb=TIAS:96000\r\na=rtcp:4001 IN IP6 2001:db8::5\r\n"
		      "a=sendrecv\r\na=rtpmap:98 speex/16000\r\na=rtpmap:97 "
		      "speex/8000\r\na=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-16\r\n"
		      "a=rtpmap:120 telephone-event/48000\r\na=ssrc:12 cname:x\r\n"
		      "m=video 4002 RTP/AVP 97\r\nc=IN IP6 2001:db8::6\r\na=rtpmap:97 "
		      "H264/90000\r\na=sendonly\r\n");

	(void)state;
	assert_true(i.has_audio);
	assert_true(i.pcmu);
	assert_int_equal(i.dtmf_pt, 96);
	assert_string_equal(i.address, "2001:db8::5");
	assert_int_equal(i.direction, SDP_SENDRECV);
	assert_int_equal(i.media_count, 2);
	assert_int_equal(i.version, 3856234562u);
}

static void a_cisco_phones_srtp_offer_is_read(void **state)
{
	struct sdp_info i = parse(
		"v=0\r\no=Cisco-SIPUA 17334 0 IN IP4 10.1.2.3\r\ns=SIP Call\r\nb=AS:4064\r\nt=0 "
		"0\r\n"
		"m=audio 22346 RTP/SAVP 0 8 116 18 101\r\nc=IN IP4 10.1.2.3\r\nb=TIAS:64000\r\n"
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
		"inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\na=rtpmap:0 PCMU/8000\r\n"
		"a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=yes\r\na=rtpmap:101 "
		"telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n"
		"m=video 0 RTP/AVP 97\r\n");

	(void)state;
	assert_true(i.has_audio);
	assert_true(i.secure);
	assert_true(i.pcmu);
	assert_int_equal(i.version, 0);
	assert_int_equal(i.media_count, 2);
}

static void a_browsers_offer_is_secure(void **state)
{
	struct sdp_info i =
		parse("v=0\r\no=- 46117 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
		      "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 110 126\r\nc=IN IP4 "
		      "0.0.0.0\r\na=rtpmap:110 telephone-event/48000\r\n"
		      "a=rtpmap:126 telephone-event/8000\r\na=sendrecv\r\n");

	(void)state;
	assert_true(i.has_audio);
	assert_true(i.secure);
	assert_int_equal(i.dtmf_pt, 126);
	assert_int_equal(i.direction, SDP_SENDRECV); /* its address comes by ICE */
	assert_null(i.suite);			     /* whose certificate, it does not say */
}

static void each_direction_is_read_and_the_media_line_has_the_last_word(void **state)
{
	static const struct {
		const char *session, *media;
		enum sdp_direction wanted;
	} cases[] = {
		{ "", "", SDP_SENDRECV },
		{ "", "a=sendonly\r\n", SDP_SENDONLY },
		{ "", "a=recvonly\r\n", SDP_RECVONLY },
		{ "", "a=inactive\r\n", SDP_INACTIVE },
		{ "a=sendonly\r\n", "", SDP_SENDONLY },
		{ "a=inactive\r\n", "a=sendrecv\r\n", SDP_SENDRECV },
		{ "", "a=sendonlyx\r\n", SDP_SENDRECV },
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		char text[500];

		snprintf(text, sizeof(text), HEAD "%sm=audio 4000 RTP/AVP 0\r\n%s",
			 cases[k].session, cases[k].media);
		assert_int_equal(parse(text).direction, cases[k].wanted);
	}
}

static void hold_by_a_null_address_is_hold(void **state)
{
	(void)state;
	assert_int_equal(
		parse("v=0\r\no=- 1 2 IN IP4 h\r\nc=IN IP4 0.0.0.0\r\nm=audio 4 RTP/AVP 0\r\n")
			.direction,
		SDP_SENDONLY);
	assert_int_equal(
		parse(HEAD "m=audio 4 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=sendrecv\r\n").direction,
		SDP_SENDONLY);
	assert_int_equal(
		parse(HEAD "m=audio 4 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=recvonly\r\n").direction,
		SDP_INACTIVE);
	assert_int_equal(parse(HEAD "m=audio 4 RTP/AVP 0\r\nc=IN IP6 ::\r\n").direction,
			 SDP_SENDONLY);
}

static void the_first_live_audio_line_counts(void **state)
{
	struct sdp_info i =
		parse(HEAD "m=audio 0 RTP/AVP 8 97\r\nc=IN IP4 198.51.100.1\r\na=rtpmap:97 "
			   "telephone-event/8000\r\na=inactive\r\n"
			   "m=audio 4000 RTP/AVP 0\r\nm=audio 5000 RTP/SAVP 8\r\nc=IN IP4 "
			   "198.51.100.3\r\na=sendonly\r\n");

	(void)state;
	assert_true(i.has_audio);
	assert_false(i.secure);
	assert_false(i.pcma);
	assert_true(i.pcmu);
	assert_int_equal(i.dtmf_pt, -1);
	assert_int_equal(i.port, 4000);
	assert_string_equal(i.address, "192.0.2.1");
	assert_int_equal(i.direction, SDP_SENDRECV);
	assert_int_equal(i.media_count, 3);
}

static void without_live_rtp_audio_there_is_none(void **state)
{
	(void)state;
	assert_false(parse(HEAD "m=audio 0 RTP/AVP 0\r\n").has_audio);
	assert_false(parse(HEAD "m=video 4000 RTP/AVP 97\r\n").has_audio);
	assert_false(parse(HEAD "m=image 4000 udptl t38\r\n").has_audio);
	assert_false(parse(HEAD "m=audio 4000 TCP/MRCPv2 0\r\n").has_audio);
	assert_false(parse(HEAD "m=audiox 4000 RTP/AVP 0\r\n").has_audio);
	assert_false(parse(HEAD).has_audio);
}

static void codecs_come_from_the_offered_types_only(void **state)
{
	struct sdp_info i = parse(HEAD "m=audio 4000/2 RTP/AVP 9 100\r\na=rtpmap:0 "
				       "PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n");

	(void)state;
	assert_false(i.pcmu);
	assert_false(i.pcma);
	assert_int_equal(i.dtmf_pt, -1);
	i = parse(HEAD "m=audio 4000 RTP/AVP 97 98 99\r\na=rtpmap:97 pcmu/8000\r\na=rtpmap:98 "
		       "PCMA/8000/1\r\na=rtpmap:99 PCMU/80000\r\n");
	assert_true(i.pcmu);
	assert_true(i.pcma);
	i = parse(HEAD "m=audio 4000 RTP/AVP 99\r\na=rtpmap:99 PCMU/16000\r\n");
	assert_false(i.pcmu);
}

static void bare_line_feeds_and_unknown_lines_are_tolerated(void **state)
{
	struct sdp_info i =
		parse("v=0\no=- 1 2 IN IP4 h\nz=9\nnoise\n\nc=IN IP4 224.2.17.12/127\nm=audio 4000 "
		      "RTP/AVP 0 300 x\na=rtpmap:\na=rtpmap:x y");

	(void)state;
	assert_true(i.has_audio);
	assert_string_equal(i.address, "224.2.17.12");
}

static void what_is_no_description_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"\r\n",
		"hello",
		"m=audio 4000 RTP/AVP 0\r\n",
		"v=0\r\n",
		"v=0\r\nm=audio 4000 RTP/AVP 0\r\n",
		"v=0\r\no=- 1 2 IN IP4 h\r\nm=audio 4000 RTP/AVP 0\r\n",
		HEAD "m=audio 65536 RTP/AVP 0\r\n",
		HEAD "m=audio -1 RTP/AVP 0\r\n",
		HEAD "m=audio x RTP/AVP 0\r\n",
		HEAD "m=audio 4000\r\n",
		HEAD "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 \r\n",
		HEAD "m=audio 4000 RTP/AVP 0\r\nc=IN ATM x\r\n",
		HEAD "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 a\"b\r\n",
		HEAD "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 "
		     "012345678901234567890123456789012345678901234567890123456789\r\n",
	};
	static const char nul[] = HEAD "m=audio 4000 RTP/AVP 0\r\na=\0\r\n";
	struct sdp_info info;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse_bytes(&info, bad[i], strlen(bad[i])) != -EINVAL)
			fail_msg("was taken: %s", bad[i]);
	assert_int_equal(parse_bytes(&info, nul, sizeof(nul) - 1), -EINVAL);
}

static void too_long_a_description_is_refused(void **state)
{
	char *text = malloc(20000);
	struct sdp_info info;

	(void)state;
	strcpy(text, HEAD);
	for (int i = 0; i < 1000; i++)
		strcat(text, "a=x\r\n");
	assert_int_equal(parse_bytes(&info, text, strlen(text)), -EINVAL);
	memset(text, 'a', 20000);
	memcpy(text, HEAD, strlen(HEAD));
	assert_int_equal(parse_bytes(&info, text, 20000), -EINVAL);
	assert_int_equal(parse_bytes(&info, text, 10000), 0);
	free(text);
}

static void our_own_description_reads_back(void **state)
{
	struct sdp_own own = { .address = "127.0.0.9",
			       .port = 31000,
			       .session_id = 7,
			       .version = 8,
			       .direction = SDP_RECVONLY };
	struct sdp_info i;
	struct buf b;

	(void)state;
	for (int pcma = 0; pcma < 2; pcma++) {
		buf_init(&b, 4096);
		own.pcma_too = pcma;
		assert_int_equal(sdp_write(&b, &own), 0);
		assert_non_null(strstr(b.data, "s=Hookswitch\r\n"));
		assert_non_null(strstr(b.data, "a=ptime:20\r\n"));
		assert_non_null(strstr(b.data, pcma ? "RTP/AVP 0 8 101\r\n" : "RTP/AVP 0 101\r\n"));
		i = parse(b.data);
		assert_true(i.pcmu);
		assert_int_equal(i.pcma, pcma);
		assert_int_equal(i.dtmf_pt, 101);
		assert_int_equal(i.port, 31000);
		assert_int_equal(i.version, 8);
		assert_int_equal(i.direction, SDP_RECVONLY);
		assert_string_equal(i.address, "127.0.0.9");
		buf_done(&b);
	}
	own.address = "::1";
	buf_init(&b, 4096);
	assert_int_equal(sdp_write(&b, &own), 0);
	assert_non_null(strstr(b.data, "c=IN IP6 ::1\r\n"));
	buf_done(&b);
}

static void an_offer_is_made_again_in_another_direction(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	assert_int_equal(sdp_reoffer(&b,
				     "v=0\no=- 7  41 IN IP4 192.0.2.1\r\ns=-\r\nno line\r\n"
				     "m=audio 4000 RTP/SAVP 0\r\na=crypto:1 x inline:y\r\n"
				     "a=sendrecv\r\na=sendrecvonly\r\n",
				     42, SDP_SENDONLY),
			 0);
	assert_string_equal(b.data, "v=0\r\no=- 7 42 IN IP4 192.0.2.1\r\ns=-\r\n"
				    "m=audio 4000 RTP/SAVP 0\r\na=crypto:1 x inline:y\r\n"
				    "a=sendonly\r\na=sendrecvonly\r\n");
	buf_done(&b);
	/* The origin may be cut short; what is written must still fit. */
	assert_int_equal(sdp_reoffer(&b, "v=0\r\no=\r\n", 1, SDP_INACTIVE), 0);
	assert_string_equal(b.data, "v=0\r\no= 1\r\n");
	buf_done(&b);
	buf_init(&b, 8);
	assert_int_equal(sdp_reoffer(&b, HEAD, 1, SDP_INACTIVE), -ENOSPC);
	buf_done(&b);
}

static void an_offer_is_narrowed_to_what_was_agreed(void **state)
{
	static const struct {
		const char *offer, *agreed, *becomes;
	} cases[] = {
		{ "0 8 18 101", "m=audio 9 RTP/AVP 0 101\r\n", "0 101" },
		{ "18 8 101", "m=audio 9 RTP/SAVP 8\r\n", "8" },
		{ "0  96", "m=audio 9/2 RTP/AVP 96 0\r\n", "0 96" },
		{ "0 8", "m=audio 0 RTP/AVP 8\r\nm=audio 9 RTP/AVP 0\r\n", "8" },
		{ "0 8 x 200", "m=audio 9 RTP/AVP 0 x\r\n", "0" },
		{ "0 8", "no description", "0 8" },
		{ "0 8", "m=audio\r\n", "0 8" },
	};
	char offer[300], becomes[300];
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(offer, sizeof(offer),
			 HEAD "m=audio 4000 RTP/AVP %s\na=rtpmap:8 PCMA/8000\r\n", cases[i].offer);
		snprintf(becomes, sizeof(becomes),
			 HEAD "m=audio 4000 RTP/AVP %s\r\na=rtpmap:8 PCMA/8000\r\n",
			 cases[i].becomes);
		buf_init(&b, 4096);
		assert_int_equal(sdp_narrow(&b, offer, cases[i].agreed), 0);
		assert_string_equal(b.data, becomes);
		buf_done(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(baresips_offer_is_read),
		cmocka_unit_test(asterisks_offer_is_read),
		cmocka_unit_test(pjsips_offer_with_two_event_clocks_and_video_is_read),
		cmocka_unit_test(a_cisco_phones_srtp_offer_is_read),
		cmocka_unit_test(a_browsers_offer_is_secure),
		cmocka_unit_test(each_direction_is_read_and_the_media_line_has_the_last_word),
		cmocka_unit_test(hold_by_a_null_address_is_hold),
		cmocka_unit_test(the_first_live_audio_line_counts),
		cmocka_unit_test(without_live_rtp_audio_there_is_none),
		cmocka_unit_test(codecs_come_from_the_offered_types_only),
		cmocka_unit_test(bare_line_feeds_and_unknown_lines_are_tolerated),
		cmocka_unit_test(what_is_no_description_is_refused),
		cmocka_unit_test(too_long_a_description_is_refused),
		cmocka_unit_test(our_own_description_reads_back),
		cmocka_unit_test(an_offer_is_made_again_in_another_direction),
		cmocka_unit_test(an_offer_is_narrowed_to_what_was_agreed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
