/* What a document makes of a call that rings: vectors T02-T28 of twiml-and-webhooks.md §5.1, and
 * the rules of §2.0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "call/call_kit.h"

static void the_first_request_carries_every_parameter_of_a_sip_call(void **state)
{
	struct leg *leg = kit_call();
	struct fake_fetch *f = kit_fetch();
	char expected[1024];

	(void)state;
	snprintf(expected, sizeof(expected),
		 "AccountSid=" KIT_ACCOUNT "&ApiVersion=2010-04-01&CallSid=%s&CallStatus=ringing"
		 "&Called=sip%%3A%%2B15551230000%%40acme.sip.example.com&Caller=sip%%3Aalice%%"
		 "40acme.sip.example.com"
		 "&Direction=inbound&From=sip%%3Aalice%%40acme.sip.example.com&SipCallId=abc123%%"
		 "40192.0.2.10"
		 "&SipDomain=acme.sip.example.com&SipDomainSid=" KIT_DOMAIN
		 "&SipHeader_X-Account=42"
		 "&SipHeader_x-lower=a%%3Bb%%3Dc&SipHeader_User-to-User=56a390%%3Bencoding%%3Dhex&"
		 "SipSourceIp=192.0.2.10"
		 "&To=sip%%3A%%2B15551230000%%40acme.sip.example.com",
		 leg->call_sid);
	assert_string_equal(f->method, "POST");
	assert_string_equal(f->url, "http://app/v");
	assert_string_equal(f->body, expected);
	assert_int_equal(leg->rings, 1);
	assert_string_equal(kit_status(), "ringing");
	assert_string_equal(json_string_value(json_object_get(kit_last_row(), "from")),
			    "sip:alice@acme.sip.example.com");
	assert_string_equal(json_string_value(json_object_get(kit_last_row(), "direction")),
			    "inbound");
	kit_hangs_up(leg);
	kit_deliver();
}

static void the_digest_user_is_told_when_there_was_one(void **state)
{
	struct leg *leg = kit_invite_of("", "alice");

	(void)state;
	fake_domain_reply(kit.fw, 0, &kit_domain);
	assert_string_equal(kit_param(kit_fetch(), "SipUsername"), "alice");
	kit_hangs_up(leg);
	kit_deliver();
}

static void a_get_webhook_has_its_parameters_in_the_query_and_signs_them(void **state)
{
	struct call_domain d = kit_domain;
	struct leg *leg;

	(void)state;
	d.voice_url = "http://app/v?x=1";
	d.voice_method = "GET";
	leg = kit_call_with(&d);
	assert_string_equal(kit_fetch()->method, "GET");
	assert_ptr_equal(strstr(kit_fetch()->url, "http://app/v?x=1&AccountSid=" KIT_ACCOUNT
						  "&ApiVersion=2010-04-01&CallSid=CA"),
			 kit_fetch()->url);
	assert_string_equal(kit_fetch()->body, "");
	assert_null(strstr(kit_fetch()->headers, "Content-Type"));
	kit_hangs_up(leg);
	kit_deliver();
}

static void a_request_has_the_headers_that_applications_expect(void **state)
{
	struct leg *leg = kit_call();
	const char *h = kit_fetch()->headers;

	(void)state;
	assert_non_null(strstr(h, "User-Agent: TwilioProxy/1.1\n"));
	assert_non_null(strstr(h, "Accept: */*\n"));
	assert_non_null(strstr(h, "X-Home-Region: us1\n"));
	assert_non_null(strstr(h, "X-Twilio-Signature: "));
	assert_non_null(strstr(h, "I-Twilio-Idempotency-Token: "));
	assert_non_null(
		strstr(h, "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\n"));
	kit_hangs_up(leg);
	kit_deliver();
}

static void a_domain_without_voice_url_is_404_without_a_call_row(void **state)
{
	struct call_domain d = kit_domain;
	struct leg *leg;

	(void)state;
	d.voice_url = NULL;
	leg = kit_call_with(&d);
	kit_turn();
	assert_int_equal(leg->end_code, 404);
	assert_null(kit_last_row());
	assert_null(kit_callback());
	assert_non_null(kit_notification(11321));
	assert_int_equal(leg->rings, 0);
}

static void the_call_beyond_an_accounts_limit_is_503_until_one_ends(void **state)
{
	struct call_domain d = kit_domain;
	struct leg *first, *second;

	(void)state;
	d.account_calls = 1;
	first = kit_call_with(&d);
	second = kit_call_with(&d);
	kit_turn();
	assert_int_equal(second->end_code, 503);
	assert_int_equal(second->rings, 0);
	assert_non_null(kit_notification(10004));
	kit_hangs_up(first);
	kit_deliver();
	kit_turn();
	first = kit_call_with(&d);
	assert_int_equal(first->rings, 1);
	kit_hangs_up(first);
	kit_deliver();
}

static void the_call_beyond_an_accounts_rate_is_503(void **state)
{
	struct call_domain d = kit_domain;
	struct leg *first, *second;

	(void)state;
	d.account_calls = d.owner_calls_per_second = -1;
	d.owner_sid = KIT_ACCOUNT;
	kit.fw->config.account_calls_per_second = 1;
	first = kit_call_with(&d);
	second = kit_call_with(&d);
	kit_turn();
	assert_int_equal(second->end_code, 503);
	assert_non_null(kit_notification(32013));
	kit_hangs_up(first);
	kit_deliver();
}

static void a_sip_domain_has_limits_of_its_own(void **state)
{
	struct call_domain d = kit_domain;
	struct leg *first, *second;

	(void)state;
	d.domain_calls = 1;
	first = kit_call_with(&d);
	second = kit_call_with(&d);
	kit_turn();
	assert_int_equal(second->end_code, 503);
	assert_non_null(kit_notification(10004));
	kit_hangs_up(first);
	kit_deliver();
}

static void a_flood_that_is_refused_fills_no_table(void **state)
{
	struct call_domain d = kit_domain;

	(void)state;
	d.voice_url = NULL;
	for (int i = 0; i < 40; i++) {
		kit_call_with(&d);
		kit_turn();
	}
	assert_int_equal(kit_notifications(), 10);
}

static void an_inactive_account_is_603_with_10001(void **state)
{
	struct call_domain d = kit_domain;
	struct leg *leg;

	(void)state;
	d.account_active = false;
	leg = kit_call_with(&d);
	kit_turn();
	assert_int_equal(leg->end_code, 603);
	assert_int_equal(leg->error_code, 10001);
	assert_non_null(kit_notification(10001));
	assert_int_equal(kit.fw->n_fetches, 0);
}

static void a_database_that_is_away_is_503(void **state)
{
	struct leg *leg = kit_call_with(&(struct call_domain){ .sid = NULL });

	(void)state;
	kit_turn();
	assert_int_equal(leg->end_code, 503);
}

static void a_domain_that_is_gone_is_404(void **state)
{
	struct leg *leg = kit_call_with(NULL);

	(void)state;
	kit_turn();
	assert_int_equal(leg->end_code, 404);
}

static void beyond_max_calls_an_invite_is_503_with_retry_after(void **state)
{
	struct leg *leg;

	(void)state;
	kit.fw->config.max_calls = 1;
	leg = kit_call();
	assert_null(kit_invite_of("", ""));
	assert_int_equal(fake_last_reply(kit.fw)->code, 503);
	assert_non_null(strstr(fake_last_reply(kit.fw)->headers, "Retry-After: "));
	assert_int_equal(calls_count(kit.calls), 1);
	kit_hangs_up(leg);
	assert_int_equal(calls_count(kit.calls), 0);
	assert_non_null(kit_invite_of("", ""));
}

static void an_invite_that_the_leg_refuses_is_told_and_leaves_nothing(void **state)
{
	(void)state;
	kit.refuse_code = 488;
	kit.refuse_error = 32207;
	assert_null(kit_invite_of("", ""));
	assert_int_equal(calls_count(kit.calls), 0);
	assert_non_null(kit_notification(32207));
	assert_int_equal(kit.fw->n_replies, 0);
}

static void T02_an_empty_response_is_answered_and_hung_up(void **state)
{
	struct leg *leg = kit_call();
	const struct fake_fetch *sc;

	(void)state;
	kit_twiml("");
	assert_true(leg->answer_asked);
	kit_answered(leg);
	assert_true(leg->end_due);
	kit_turn();
	assert_string_equal(kit_status(), "completed");
	sc = kit_callback();
	assert_non_null(sc);
	assert_string_equal(kit_param(sc, "CallStatus"), "completed");
	assert_string_equal(kit_param(sc, "CallDuration"), "0");
	assert_string_equal(kit_param(sc, "SequenceNumber"), "0");
	assert_string_equal(kit_param(sc, "CallbackSource"), "call-progress-events");
	assert_string_equal(kit_param(sc, "SipResponseCode"), "200");
	assert_string_equal(kit_param(sc, "SipDomainSid"), KIT_DOMAIN);
	assert_int_equal(strlen(kit_param(sc, "Timestamp")),
			 strlen("Sun, 25 Mar 2018 09:53:19 +0000"));
	kit_deliver();
}

static void T04_reject_is_404_and_never_a_200(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Reject/>");
	assert_int_equal(leg->end_code, 404);
	assert_false(leg->answer_asked);
	kit_turn();
	assert_string_equal(kit_status(), "no-answer");
	assert_string_equal(kit_param(kit_callback(), "CallStatus"), "no-answer");
	assert_string_equal(kit_param(kit_callback(), "CallDuration"), "0");
	assert_string_equal(kit_param(kit_callback(), "Duration"), "0");
	assert_string_equal(kit_param(kit_callback(), "SipResponseCode"), "404");
	kit_deliver();
}

static void reject_busy_is_486_and_busy(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Reject reason=\"busy\"/>");
	kit_turn();
	assert_int_equal(leg->end_code, 486);
	assert_string_equal(kit_status(), "busy");
	kit_deliver();
}

static void T06_an_unknown_reason_is_13810_and_404(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Reject reason=\"foo\"/><Say>x</Say>");
	kit_turn();
	assert_int_equal(leg->end_code, 404);
	assert_non_null(kit_notification(13810));
	assert_int_equal(kit.fw->n_jobs, 0);
	kit_deliver();
}

static void T08_redirect_fetches_without_answering(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Redirect>/v2?x=1&amp;y=2</Redirect><Say>no</Say>");
	assert_false(leg->answer_asked);
	assert_string_equal(kit_fetch()->url, "http://app/v2?x=1&y=2");
	assert_string_equal(kit_param(kit_fetch(), "CallStatus"), "ringing");
	assert_int_equal(kit.fw->n_jobs, 0);
	kit_twiml("<Reject reason=\"busy\"/>");
	kit_turn();
	assert_int_equal(leg->end_code, 486);
	kit_deliver();
}

static void T10_a_document_that_does_not_parse_goes_to_the_fallback(void **state)
{
	struct leg *leg = kit_call();
	const json_t *n;

	(void)state;
	kit_reply(200, "text/xml", "not xml");
	n = kit_notification(12100);
	assert_non_null(n);
	assert_string_equal(json_string_value(json_object_get(n, "request_url")), "http://app/v");
	assert_string_equal(json_string_value(json_object_get(n, "response_body")), "not xml");
	assert_string_equal(json_string_value(json_object_get(n, "call_sid")), leg->call_sid);
	assert_string_equal(kit_fetch()->url, "http://app/fb");
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "12100");
	assert_string_equal(kit_param(kit_fetch(), "ErrorUrl"), "http://app/v");
	assert_string_equal(kit_param(kit_fetch(), "SipDomain"), "acme.sip.example.com");
	assert_string_equal(kit_param(kit_fetch(), "CallStatus"), "ringing");
	kit_twiml("<Reject reason=\"busy\"/>");
	assert_int_equal(leg->end_code, 486);
	kit_turn();
	kit_deliver();
}

static void T12_a_line_before_the_prolog_is_12100(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_reply(200, "text/xml", "\n<?xml version=\"1.0\"?><Response/>");
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "12100");
	kit_hangs_up(leg);
	kit_deliver();
}

static void T14_an_unknown_verb_is_a_warning_with_its_place_and_the_rest_runs(void **state)
{
	struct leg *leg = kit_call();
	const json_t *n;
	const char *text;

	(void)state;
	kit_twiml("<say>x</say><Play>/a.wav</Play>");
	n = kit_notification(12200);
	assert_non_null(n);
	text = json_string_value(json_object_get(n, "message_text"));
	assert_non_null(strstr(text, "ErrorCode=12200&LogLevel=WARN"));
	assert_non_null(strstr(text, "&line=1&cols="));
	assert_non_null(strstr(text, "&parserMessage=cvc-complex-type"));
	assert_int_equal(json_integer_value(json_object_get(n, "log")), 1);
	kit_answered(leg);
	assert_string_equal(kit_fetch()->url, "http://app/a.wav");
	kit_media(8000);
	assert_int_equal(leg->n_plays, 1);
	kit_played(leg);
	assert_true(leg->end_due);
	kit_turn();
	kit_deliver();
}

static void T16_a_bad_loop_is_13410_and_one_play(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Play loop=\"x\">/a.wav</Play>");
	assert_non_null(kit_notification(13410));
	kit_answered(leg);
	kit_media(800);
	assert_int_equal(leg->plays[0].loops, 1);
	kit_hangs_up(leg);
	kit_deliver();
}

static void T18_plain_text_is_spoken_and_hung_up(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_reply(200, "text/plain", "hello & <you>");
	assert_true(leg->answer_asked);
	assert_string_equal(kit_spoken(), "hello &amp; &lt;you&gt;");
	kit_answered(leg);
	kit_speak(800);
	assert_true(kit_playing(leg));
	kit_played(leg);
	assert_true(leg->end_due);
	kit_turn();
	kit_deliver();
}

static void plain_text_that_is_twiml_runs(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_reply(200, "text/plain; charset=utf-8",
		  "<Response><Reject reason=\"busy\"/></Response>");
	assert_int_equal(leg->end_code, 486);
	kit_turn();
	kit_deliver();
}

static void T20_html_with_twiml_runs(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_reply(200, "text/html; charset=UTF-8",
		  "<Response><Reject reason=\"busy\"/></Response>");
	assert_int_equal(leg->end_code, 486);
	kit_turn();
	kit_deliver();
}

static void an_audio_reply_is_played_once_and_hung_up(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_reply(200, "audio/wav", "RIFFxxxx");
	assert_string_equal(kit.fw->jobs[0]->content_type, "audio/wav");
	kit_answered(leg);
	kit_speak(800);
	assert_int_equal(leg->n_plays, 1);
	kit_played(leg);
	kit_turn();
	assert_string_equal(kit_status(), "completed");
	kit_deliver();
}

static void an_audio_reply_that_is_none_takes_the_failure_path(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_reply(200, "audio/wav", "garbage");
	fake_speech_done(kit.fw, 0, -EINVAL, 0);
	kit_answered(leg);
	kit_turn();
	assert_non_null(kit_notification(13420));
	assert_string_equal(kit_fetch()->url, "http://app/fb");
	kit_hangs_up(leg);
	kit_deliver();
}

static void other_content_types_are_12300(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_reply(200, "application/json", "{}");
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "12300");
	kit_hangs_up(leg);
	leg = kit_call();
	kit_reply(200, NULL, "<Response/>");
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "12300");
	kit_hangs_up(leg);
	kit_deliver();
}

static void an_empty_reply_is_11770_when_chunked_else_12100(void **state)
{
	struct http_reply chunked = { .status = 200,
				      .content_type = "text/xml",
				      .chunked = true,
				      .headers = "",
				      .body = "" };
	struct leg *leg = kit_call();

	(void)state;
	fake_fetch_done(kit.fw, 0, &chunked);
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "11770");
	kit_hangs_up(leg);
	leg = kit_call();
	kit_reply(204, NULL, "");
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "12100");
	kit_hangs_up(leg);
	kit_deliver();
}

static void a_document_beyond_64_kB_is_11750(void **state)
{
	struct leg *leg = kit_call();
	char *big = malloc(70001);

	(void)state;
	memset(big, ' ', 70000);
	memcpy(big, "<Response>", 10);
	strcpy(big + 70000 - 11, "</Response>");
	kit_reply(200, "text/xml", big);
	free(big);
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "11750");
	kit_hangs_up(leg);
	kit_deliver();
}

static void no_fallback_means_an_apology_and_the_end(void **state)
{
	struct call_domain d = kit_domain;
	struct leg *leg;

	(void)state;
	d.voice_fallback_url = NULL;
	leg = kit_call_with(&d);
	kit_reply(500, "text/html", "boom");
	assert_non_null(kit_notification(11200));
	assert_true(leg->answer_asked);
	kit_answered(leg);
	assert_non_null(strstr(kit_spoken(), "application error"));
	kit_speak(8000);
	assert_true(kit_playing(leg));
	kit_played(leg);
	kit_turn();
	assert_string_equal(kit_status(), "completed");
	kit_deliver();
}

static void a_fallback_that_fails_too_is_not_asked_again(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_reply(500, "text/html", "boom");
	kit_reply(500, "text/html", "boom");
	assert_int_equal(kit_asked("http://app/fb"), 1);
	kit_answered(leg);
	assert_non_null(strstr(kit_spoken(), "application error"));
	fake_speech_done(kit.fw, 0, -EIO, 0); /* not even that */
	assert_true(leg->end_due);
	kit_turn();
	kit_deliver();
}

static void a_later_failure_asks_the_fallback_with_the_parameters_of_that_step(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Gather numDigits=\"1\" action=\"/g\"/>");
	kit_answered(leg);
	kit_digits(leg, "7");
	kit_reply(404, "text/html", "");
	assert_string_equal(kit_fetch()->url, "http://app/fb");
	assert_string_equal(kit_param(kit_fetch(), "Digits"), "7");
	assert_string_equal(kit_param(kit_fetch(), "ErrorUrl"), "http://app/g");
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "11200");
	assert_string_equal(kit_param(kit_fetch(), "CallStatus"), "in-progress");
	/* The next step tries its own URL first again, and has the fallback again. */
	kit_twiml("<Redirect>/again</Redirect>");
	kit_reply(500, "text/html", "");
	assert_int_equal(kit_asked("http://app/fb"), 2);
	assert_null(kit_param(kit_fetch(), "Digits"));
	kit_hangs_up(leg);
	kit_deliver();
}

static void T28_a_cancel_while_the_webhook_waits_runs_nothing(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_hangs_up(leg);
	assert_true(kit.fw->fetches[0]->cancelled);
	assert_string_equal(kit_status(), "no-answer");
	assert_string_equal(kit_param(kit_callback(), "CallStatus"), "no-answer");
	assert_string_equal(kit_param(kit_callback(), "SipResponseCode"), "487");
	assert_int_equal(calls_count(kit.calls), 0);
	kit_deliver();
	assert_int_equal(calls_callbacks_waiting(kit.calls), 0);
}

static void a_cancel_while_the_domain_is_looked_up_leaves_nothing(void **state)
{
	struct leg *leg = kit_invite_of("", "");

	(void)state;
	kit_hangs_up(leg);
	assert_false(kit.fw->domains[0].open);
	assert_int_equal(calls_count(kit.calls), 0);
	assert_null(kit_last_row());
}

static void a_pause_first_waits_without_answering(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Pause length=\"2\"/><Say>Hi</Say>");
	fake_advance(kit.fw, 1900);
	assert_false(leg->answer_asked);
	fake_advance(kit.fw, 100);
	assert_true(leg->answer_asked);
	kit_answered(leg);
	assert_string_equal(kit_spoken(), "Hi");
	kit_hangs_up(leg);
	kit_deliver();
}

static void a_hangup_first_answers_and_ends(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Hangup/><Say>no</Say>");
	assert_true(leg->answer_asked);
	kit_answered(leg);
	assert_true(leg->end_due);
	assert_int_equal(kit.fw->n_jobs, 0);
	kit_turn();
	assert_string_equal(kit_status(), "completed");
	kit_deliver();
}

static void a_hangup_first_may_be_configured_to_decline(void **state)
{
	struct leg *leg;

	(void)state;
	kit.fw->config.hangup_first = "603";
	leg = kit_call();
	kit_twiml("<Hangup/>");
	assert_int_equal(leg->end_code, 603);
	assert_false(leg->answer_asked);
	kit_turn();
	assert_string_equal(kit_status(), "no-answer");
	kit_deliver();
}

static void a_reject_after_the_answer_is_a_hangup(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Say>Hi</Say><Reject/>");
	kit_answered(leg);
	kit_speak(800);
	kit_played(leg);
	assert_true(leg->end_due);
	kit_turn();
	assert_string_equal(kit_status(), "completed");
	kit_deliver();
}

static void a_verb_of_a_later_version_is_told_and_skipped_without_answering(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Enqueue>q</Enqueue><Record/><Reject reason=\"busy\"/>");
	assert_non_null(kit_notification(13750));
	assert_int_equal(leg->end_code, 486);
	assert_false(leg->answer_asked);
	kit_turn();
	kit_deliver();
}

static void a_call_that_only_rings_ends_after_a_while(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Pause length=\"100000\"/>");
	fake_advance(kit.fw, 200000);
	assert_int_equal(leg->end_code, 480);
	kit_turn();
	assert_string_equal(kit_status(), "no-answer");
	kit_deliver();
}

static void a_call_beyond_the_limit_is_hung_up_with_32015(void **state)
{
	struct leg *leg;

	(void)state;
	kit.fw->config.max_call_seconds = 60;
	leg = kit_call();
	kit_twiml("<Pause length=\"1\"/><Gather timeout=\"1000\"/>");
	fake_advance(kit.fw, 1000);
	kit_answered(leg);
	fake_advance(kit.fw, 59000);
	assert_false(leg->end_due);
	fake_advance(kit.fw, 1000);
	assert_true(leg->end_due);
	kit_turn();
	assert_non_null(kit_notification(32015));
	assert_int_equal(json_integer_value(json_object_get(kit_last_row(), "duration")), 60);
	assert_string_equal(kit_param(kit_callback(), "CallDuration"), "60");
	assert_string_equal(kit_param(kit_callback(), "Duration"), "1");
	kit_deliver();
}

static void the_leg_s_own_ends_are_told(void **state)
{
	static const struct {
		enum leg_end why;
		int code;
	} ends[] = { { LEG_END_NO_ACK, 32022 },
		     { LEG_END_NO_RTP, 32014 },
		     { LEG_END_MEDIA_FAILURE, 12400 } };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct leg *leg = kit_call();

		kit_twiml("<Gather/>");
		kit_answered(leg);
		kit_end(leg, ends[i].why, 200);
		kit_turn();
		assert_non_null(kit_notification(ends[i].code));
		assert_string_equal(kit_status(), "completed");
	}
	kit_deliver();
}

static void media_that_fails_before_the_answer_is_failed(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Say>Hi</Say>");
	kit_end(leg, LEG_END_MEDIA_FAILURE, 500);
	kit_turn();
	assert_string_equal(kit_status(), "failed");
	assert_string_equal(kit_param(kit_callback(), "SipResponseCode"), "500");
	kit_deliver();
}

static void a_status_callback_that_fails_is_told_and_changes_nothing(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_hangs_up(leg);
	kit_reply(500, "text/html", "x");
	assert_non_null(kit_notification(15003));
	leg = kit_call();
	kit_hangs_up(leg);
	fake_fetch_error(kit.fw, kit.fw->n_fetches - 1, HTTP_BAD_HOST);
	assert_non_null(kit_notification(11210));
	assert_int_equal(calls_callbacks_waiting(kit.calls), 0);
}

static void ends_that_come_within_the_asking_are_safe(void **state)
{
	static const char *const documents[] = { "<Reject/>", "", "<Say>Hi</Say>", "<Hangup/>",
						 "<Gather/>" };

	(void)state;
	kit.sync_end = true;
	for (unsigned i = 0; i < 5; i++) {
		struct leg *leg = kit_call();

		kit_twiml(documents[i]);
		if (leg->state == LEG_ANSWERING)
			kit_answered(leg);
		if (leg->state != LEG_ENDED)
			kit_end(leg, LEG_END_REMOTE_BYE, 200);
		kit_turn();
		kit_deliver();
	}
	assert_int_equal(calls_count(kit.calls), 0);
}

static void a_shutdown_ends_every_call_and_its_row(void **state)
{
	struct leg *ringing = kit_call(), *up;

	(void)state;
	up = kit_call();
	kit_twiml("<Gather/>");
	kit_answered(up);
	calls_free(kit.calls);
	assert_int_equal(ringing->end_code, 503);
	assert_true(up->end_due && up->end_code == 200);
	kit.calls = calls_new(&kit.fw->world, NULL, NULL);
	for (unsigned i = 0; i < kit.n_legs; i++)
		kit.leg[i]->end_due = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(the_first_request_carries_every_parameter_of_a_sip_call),
		kit_test(the_digest_user_is_told_when_there_was_one),
		kit_test(a_get_webhook_has_its_parameters_in_the_query_and_signs_them),
		kit_test(a_request_has_the_headers_that_applications_expect),
		kit_test(a_domain_without_voice_url_is_404_without_a_call_row),
		kit_test(the_call_beyond_an_accounts_limit_is_503_until_one_ends),
		kit_test(the_call_beyond_an_accounts_rate_is_503),
		kit_test(a_sip_domain_has_limits_of_its_own),
		kit_test(a_flood_that_is_refused_fills_no_table),
		kit_test(an_inactive_account_is_603_with_10001),
		kit_test(a_database_that_is_away_is_503),
		kit_test(a_domain_that_is_gone_is_404),
		kit_test(beyond_max_calls_an_invite_is_503_with_retry_after),
		kit_test(an_invite_that_the_leg_refuses_is_told_and_leaves_nothing),
		kit_test(T02_an_empty_response_is_answered_and_hung_up),
		kit_test(T04_reject_is_404_and_never_a_200),
		kit_test(reject_busy_is_486_and_busy),
		kit_test(T06_an_unknown_reason_is_13810_and_404),
		kit_test(T08_redirect_fetches_without_answering),
		kit_test(T10_a_document_that_does_not_parse_goes_to_the_fallback),
		kit_test(T12_a_line_before_the_prolog_is_12100),
		kit_test(T14_an_unknown_verb_is_a_warning_with_its_place_and_the_rest_runs),
		kit_test(T16_a_bad_loop_is_13410_and_one_play),
		kit_test(T18_plain_text_is_spoken_and_hung_up),
		kit_test(plain_text_that_is_twiml_runs),
		kit_test(T20_html_with_twiml_runs),
		kit_test(an_audio_reply_is_played_once_and_hung_up),
		kit_test(an_audio_reply_that_is_none_takes_the_failure_path),
		kit_test(other_content_types_are_12300),
		kit_test(an_empty_reply_is_11770_when_chunked_else_12100),
		kit_test(a_document_beyond_64_kB_is_11750),
		kit_test(no_fallback_means_an_apology_and_the_end),
		kit_test(a_fallback_that_fails_too_is_not_asked_again),
		kit_test(a_later_failure_asks_the_fallback_with_the_parameters_of_that_step),
		kit_test(T28_a_cancel_while_the_webhook_waits_runs_nothing),
		kit_test(a_cancel_while_the_domain_is_looked_up_leaves_nothing),
		kit_test(a_pause_first_waits_without_answering),
		kit_test(a_hangup_first_answers_and_ends),
		kit_test(a_hangup_first_may_be_configured_to_decline),
		kit_test(a_reject_after_the_answer_is_a_hangup),
		kit_test(a_verb_of_a_later_version_is_told_and_skipped_without_answering),
		kit_test(a_call_that_only_rings_ends_after_a_while),
		kit_test(a_call_beyond_the_limit_is_hung_up_with_32015),
		kit_test(the_leg_s_own_ends_are_told),
		kit_test(media_that_fails_before_the_answer_is_failed),
		kit_test(a_status_callback_that_fails_is_told_and_changes_nothing),
		kit_test(ends_that_come_within_the_asking_are_safe),
		kit_test(a_shutdown_ends_every_call_and_its_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
