/* The session timer (RFC 4028). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/leg_kit.h"

static const char *answer_headers(const struct kit *k)
{
	for (unsigned i = k->fw->n_replies; i-- > 0;)
		if (k->fw->replies[i].code == 200)
			return k->fw->replies[i].headers;
	fail_msg("no 200");
	return NULL;
}

static void the_answer_says_what_was_agreed(void **state)
{
	static const struct {
		const char *asked, *answered;
		bool require;
	} rows[] = {
		{ "Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n",
		  "Session-Expires: 600;refresher=uac\r\n", true },
		{ "k: foo, timer\r\nx: 600 ; refresher = UAS\r\n",
		  "Session-Expires: 600;refresher=uas\r\n", false },
		{ "Supported: timer\r\nSession-Expires: 600\r\n",
		  "Session-Expires: 600;refresher=uac\r\n", true },
		{ "Supported: timer\r\nSession-Expires: 7200\r\n",
		  "Session-Expires: 1800;refresher=uac\r\n", true },
		{ "Supported: timer\r\nSession-Expires: 99999999999999999999\r\n",
		  "Session-Expires: 1800;refresher=uac\r\n", true },
		{ "Supported: timer\r\nSession-Expires: 7200\r\nMin-SE: 3600\r\n",
		  "Session-Expires: 3600;refresher=uac\r\n", true },
		{ "Supported: timer\r\n", "Session-Expires: 1800;refresher=uas\r\n", false },
		{ "Session-Expires: 600\r\n", "Session-Expires: 600;refresher=uas\r\n", false },
		{ "Session-Expires: 10\r\n", NULL, false },
		{ NULL, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kit *k = kit_call_with(kit_new(), rows[i].asked);
		const char *headers = answer_headers(k);

		if (rows[i].answered)
			assert_non_null(strstr(headers, rows[i].answered));
		else
			assert_null(strstr(headers, "Session-Expires"));
		assert_int_equal(strstr(headers, "Require: timer") != NULL, rows[i].require);
		kit_done(k);
	}
}

static void a_party_that_does_not_refresh_is_hung_up_before_the_interval_ends(void **state)
{
	struct kit *k = kit_call_with(kit_new(),
				      "Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n");

	(void)state;
	fake_advance(k->fw, 567999);
	assert_int_equal(k->ended, 0);
	assert_int_equal(k->fw->n_requests, 0);
	fake_advance(k->fw, 1);
	assert_int_equal(k->ended, 1);
	assert_int_equal(k->why, LEG_END_SESSION_EXPIRED);
	assert_int_equal(fake_count_requests(k->fw, "BYE"), 1);
	kit_done(k);
}

static void a_refresh_of_the_party_begins_the_interval_anew(void **state)
{
	struct kit *k = kit_call_with(kit_new(),
				      "Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n");

	(void)state;
	for (int i = 0; i < 4; i++) {
		fake_advance(k->fw, 500000);
		assert_int_equal(k->ended, 0);
		if (i % 2) {
			kit_send(k, "UPDATE",
				 "Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n",
				 NULL);
			assert_non_null(
				strstr(answer_headers(k), "Session-Expires: 600;refresher=uac"));
		} else {
			kit_reinvite(k,
				     "Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n",
				     KIT_SDP);
			kit_ack(k, NULL);
		}
		assert_int_equal(kit_final(k, k->transaction), 200);
	}
	kit_send(k, "UPDATE", "Supported: timer\r\nSession-Expires: 60\r\n", NULL);
	assert_int_equal(kit_final(k, k->transaction), 422);
	fake_advance(k->fw, 500000);
	assert_int_equal(k->ended, 0); /* the refused one changed nothing */
	fake_advance(k->fw, 100000);
	assert_int_equal(k->why, LEG_END_SESSION_EXPIRED);
	kit_done(k);
}

static void we_refresh_by_update_at_half_when_it_is_ours(void **state)
{
	struct kit *k = kit_call_with(kit_new(), "Supported: timer\r\nSession-Expires: "
						 "600;refresher=uas\r\nAllow: INVITE, UPDATE\r\n");

	(void)state;
	fake_advance(k->fw, 299999);
	assert_int_equal(k->fw->n_requests, 0);
	fake_advance(k->fw, 1);
	assert_int_equal(fake_count_requests(k->fw, "UPDATE"), 1);
	assert_string_equal(k->fw->requests[0].body, "");
	assert_non_null(
		strstr(k->fw->requests[0].headers, "Session-Expires: 600;refresher=uac\r\n"));
	assert_non_null(strstr(k->fw->requests[0].headers, "Supported: timer\r\n"));
	assert_non_null(strstr(k->fw->requests[0].headers, "Contact: "));
	kit_response(k, 0, 200, "Session-Expires: 400;refresher=uac\r\n", NULL);
	fake_advance(k->fw, 200000);
	assert_int_equal(fake_count_requests(k->fw, "UPDATE"), 2);
	/* now the party will do it */
	kit_response(k, 1, 200, "Session-Expires: 400;refresher=uas\r\n", NULL);
	fake_advance(k->fw, 367000);
	assert_int_equal(k->fw->n_requests, 2);
	fake_advance(k->fw, 1000);
	assert_int_equal(k->why, LEG_END_SESSION_EXPIRED);
	kit_done(k);
}

static void without_update_we_refresh_by_reinvite_with_the_same_sdp(void **state)
{
	struct kit *k = kit_call_with(kit_new(),
				      "Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n");
	unsigned ng;

	(void)state;
	fake_advance(k->fw, 300000);
	ng = k->fw->n_ng;
	assert_int_equal(fake_count_requests(k->fw, "INVITE"), 1);
	assert_non_null(strstr(k->fw->requests[0].headers, "Content-Type: application/sdp\r\n"));
	assert_non_null(strstr(k->fw->requests[0].body, "m=audio 30000"));
	/* glare with the party's */
	kit_reinvite(k, NULL, KIT_SDP);
	assert_int_equal(kit_final(k, k->transaction), 491);
	/* the party answers from another port: RTPengine is told */
	kit_response(k, 0, 200, "Session-Expires: 600;refresher=uac\r\n" SDP_TYPE,
		     KIT_SDP_HEAD
		     "m=audio 4444 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n");
	fake_run(k->fw);
	assert_int_equal(k->fw->n_ng, ng + 2);
	assert_string_equal(json_string_value(json_object_get(k->fw->ng[ng].command, "from-tag")),
			    "i" KIT_SID);
	assert_non_null(strstr(json_string_value(json_object_get(k->fw->ng[ng + 1].command, "sdp")),
			       "m=audio 4444"));
	assert_int_equal(k->ended, 0);
	kit_done(k);
}

static void a_refused_refresh_is_dealt_with_by_its_code(void **state)
{
	const char *ask =
		"Supported: timer\r\nSession-Expires: 600;refresher=uas\r\nAllow: UPDATE\r\n";
	struct kit *k = kit_call_with(kit_new(), ask);

	(void)state;
	fake_advance(k->fw, 300000);
	kit_response(k, 0, 422, "Min-SE: 900\r\n", NULL);
	fake_run(k->fw);
	assert_int_equal(fake_count_requests(k->fw, "UPDATE"), 2);
	assert_non_null(
		strstr(k->fw->requests[1].headers, "Session-Expires: 900;refresher=uac\r\n"));
	kit_response(k, 0, 481, NULL, NULL); /* of the first one: settles nothing */
	kit_response(k, 1, 491, NULL, NULL);
	fake_advance(k->fw, 2000);
	assert_int_equal(fake_count_requests(k->fw, "UPDATE"), 3);
	kit_response(k, 2, 405, NULL, NULL);
	fake_run(k->fw);
	assert_int_equal(fake_count_requests(k->fw, "INVITE"), 1);
	kit_response(k, 3, 503, NULL, NULL);
	fake_advance(k->fw, 30000);
	assert_int_equal(fake_count_requests(k->fw, "INVITE"), 2);
	kit_response(k, 4, 481, NULL, NULL);
	fake_run(k->fw);
	assert_int_equal(k->why, LEG_END_TRANSPORT);
	assert_int_equal(fake_count_requests(k->fw, "BYE"), 1);
	kit_done(k);
}

static void a_refresh_without_any_reply_ends_the_call(void **state)
{
	struct kit *k = kit_call_with(
		kit_new(),
		"Supported: timer\r\nSession-Expires: 600;refresher=uas\r\nAllow: UPDATE\r\n");

	(void)state;
	fake_advance(k->fw, 300000 + 31999);
	assert_int_equal(k->ended, 0);
	fake_advance(k->fw, 1);
	assert_int_equal(k->ended, 1);
	assert_int_equal(k->why, LEG_END_TRANSPORT);
	kit_done(k);
}

static void a_refresh_that_kamailio_refuses_for_ever_lets_the_session_expire(void **state)
{
	struct kit *k = kit_call_with(
		kit_new(),
		"Supported: timer\r\nSession-Expires: 600;refresher=uas\r\nAllow: UPDATE\r\n");

	(void)state;
	k->fw->fail_request = -ECONNREFUSED;
	fake_advance(k->fw, 567000);
	assert_int_equal(k->ended, 0);
	fake_advance(k->fw, 1000);
	assert_int_equal(k->ended, 1);
	assert_int_equal(k->why, LEG_END_SESSION_EXPIRED);
	kit_done(k);
}

static void a_refresh_that_kamailio_refused_is_sent_again_soon(void **state)
{
	struct kit *k = kit_call_with(
		kit_new(),
		"Supported: timer\r\nSession-Expires: 600;refresher=uas\r\nAllow: UPDATE\r\n");

	(void)state;
	fake_advance(k->fw, 300000);
	fake_request_sent(k->fw, 0, -EPROTO);
	fake_advance(k->fw, 2000);
	assert_int_equal(fake_count_requests(k->fw, "UPDATE"), 2);
	kit_response(k, 1, 200, NULL, NULL);
	assert_int_equal(k->ended, 0);
	kit_done(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_answer_says_what_was_agreed),
		cmocka_unit_test(a_party_that_does_not_refresh_is_hung_up_before_the_interval_ends),
		cmocka_unit_test(a_refresh_of_the_party_begins_the_interval_anew),
		cmocka_unit_test(we_refresh_by_update_at_half_when_it_is_ours),
		cmocka_unit_test(without_update_we_refresh_by_reinvite_with_the_same_sdp),
		cmocka_unit_test(a_refused_refresh_is_dealt_with_by_its_code),
		cmocka_unit_test(a_refresh_without_any_reply_ends_the_call),
		cmocka_unit_test(a_refresh_that_kamailio_refused_is_sent_again_soon),
		cmocka_unit_test(a_refresh_that_kamailio_refuses_for_ever_lets_the_session_expire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
