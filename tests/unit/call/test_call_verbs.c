/* The verbs of an answered call: Gather (T30-T38), Say, Play and its cache, Pause, Redirect;
 * twiml-and-webhooks.md §2.1-§2.4, §5.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "call/call_kit.h"

static struct leg *up(const char *body)
{
	struct leg *leg = kit_call();

	kit_twiml(body);
	kit_answered(leg);
	return leg;
}

static void end(struct leg *leg)
{
	kit_hangs_up(leg);
	kit_deliver();
}

/* -- Gather */

static void T30_a_digit_stops_the_prompt_and_is_submitted_at_once(void **state)
{
	struct leg *leg = up("<Gather numDigits=\"1\" "
			     "action=\"/g\"><Play>/long.wav</Play></Gather><Play>/no.wav</Play>");

	(void)state;
	kit_media(80000);
	assert_true(kit_playing(leg));
	kit_digits(leg, "5");
	assert_false(kit_playing(leg));
	assert_string_equal(kit_fetch()->url, "http://app/g");
	assert_string_equal(kit_fetch()->method, "POST");
	assert_string_equal(kit_param(kit_fetch(), "Digits"), "5");
	assert_string_equal(kit_param(kit_fetch(), "CallStatus"), "in-progress");
	assert_string_equal(kit_param(kit_fetch(), "FinishedOnKey"), "");
	assert_non_null(strstr(kit_fetch()->body, "&msg=Gather+End"));
	kit_twiml("<Hangup/>");
	kit_turn();
	assert_int_equal(kit_asked("http://app/no.wav"), 0);
	kit_deliver();
}

static void T32_the_finish_key_alone_is_an_empty_result(void **state)
{
	struct leg *leg = up("<Gather action=\"/g\"/><Play>/no.wav</Play>");

	(void)state;
	kit_digits(leg, "#");
	assert_int_equal(kit_asked("http://app/g"), 0);
	assert_string_equal(kit_fetch()->url, "http://app/no.wav");
	end(leg);
}

static void T34_without_a_finish_key_everything_is_collected_until_the_timeout(void **state)
{
	struct leg *leg = up("<Gather finishOnKey=\"\" timeout=\"2\" action=\"/g\"/>");

	(void)state;
	kit_digits(leg, "1");
	fake_advance(kit.fw, 1900);
	kit_digits(leg, "#*");
	fake_advance(kit.fw, 1999);
	assert_int_equal(kit_asked("http://app/g"), 0);
	fake_advance(kit.fw, 1);
	assert_string_equal(kit_param(kit_fetch(), "Digits"), "1#*");
	end(leg);
}

static void T36_bad_attributes_are_told_and_the_defaults_apply(void **state)
{
	struct leg *leg = up(
		"<Gather finishOnKey=\"12\" numDigits=\"0\" action=\"/g\"><Dial>1</Dial></Gather>");

	(void)state;
	assert_non_null(kit_notification(13311));
	assert_non_null(kit_notification(13314));
	assert_non_null(kit_notification(13320));
	kit_digits(leg, "42#");
	assert_string_equal(kit_param(kit_fetch(), "Digits"), "42");
	assert_string_equal(kit_param(kit_fetch(), "FinishedOnKey"), "#");
	end(leg);
}

static void T38_the_timeout_starts_when_the_prompts_have_been_heard(void **state)
{
	struct leg *leg = up("<Gather timeout=\"2\" action=\"/g\"><Play>/p.wav</Play><Pause "
			     "length=\"3\"/></Gather>");

	(void)state;
	kit_media(32000);
	fake_advance(kit.fw, 10000);
	kit_played(leg);
	fake_advance(kit.fw, 4999);
	assert_false(leg->end_due);
	fake_advance(kit.fw, 1);
	assert_true(leg->end_due); /* no input, no verb left */
	kit_turn();
	assert_int_equal(kit_asked("http://app/g"), 0);
	kit_deliver();
}

static void an_empty_result_asks_the_action_when_wanted(void **state)
{
	struct leg *leg = up("<Gather timeout=\"1\" actionOnEmptyResult=\"true\" method=\"GET\" "
			     "action=\"/g?x=1\"/>");

	(void)state;
	fake_advance(kit.fw, 1000);
	assert_string_equal(kit_fetch()->method, "GET");
	assert_non_null(strstr(kit_fetch()->url, "http://app/g?x=1&"));
	assert_non_null(strstr(kit_fetch()->url, "&Digits=&FinishedOnKey=&msg=Gather%20End"));
	end(leg);
	leg = up("<Gather actionOnEmptyResult=\"true\" action=\"/g\"/>");
	kit_digits(leg, "#");
	assert_string_equal(kit_param(kit_fetch(), "Digits"), "");
	assert_string_equal(kit_param(kit_fetch(), "FinishedOnKey"), "#");
	end(leg);
}

static void without_barge_in_the_prompt_is_heard_out(void **state)
{
	struct leg *leg = up(
		"<Gather bargeIn=\"false\" numDigits=\"1\" action=\"/g\"><Say>Hi</Say></Gather>");

	(void)state;
	kit_speak(8000);
	kit_digits(leg, "78");
	assert_true(kit_playing(leg));
	assert_int_equal(kit_asked("http://app/g"), 0);
	kit_played(leg);
	assert_string_equal(kit_param(kit_fetch(), "Digits"), "7");
	end(leg);
}

static void a_gather_without_action_asks_its_own_document(void **state)
{
	struct leg *leg = up("<Gather numDigits=\"1\"/>");

	(void)state;
	kit_digits(leg, "A");
	assert_string_equal(kit_fetch()->url, "http://app/v");
	assert_string_equal(kit_param(kit_fetch(), "Digits"), "A");
	end(leg);
}

static void nested_prompts_are_all_ready_before_the_first_is_heard(void **state)
{
	struct leg *leg =
		up("<Gather><Say>One</Say><Play>/a.wav</Play><Play>/b.wav</Play></Gather>");

	(void)state;
	assert_int_equal(kit.fw->n_fetches, 3);
	kit_speak(800);
	assert_int_equal(leg->n_plays, 0);
	fake_fetch_reply(kit.fw, 2, 200, "audio/wav", "b");
	kit_speak(1600);
	assert_int_equal(leg->n_plays, 0);
	fake_fetch_reply(kit.fw, 1, 200, "audio/wav", "a");
	kit_speak(2400);
	assert_int_equal(leg->plays[0].samples, 800);
	kit_played(leg);
	assert_int_equal(leg->plays[1].samples, 2400);
	kit_played(leg);
	assert_int_equal(leg->plays[2].samples, 1600);
	kit_played(leg);
	end(leg);
}

static void a_digit_before_the_prompts_are_ready_counts(void **state)
{
	struct leg *leg = up("<Gather numDigits=\"1\" action=\"/g\"><Play>/a.wav</Play></Gather>");

	(void)state;
	kit_digits(leg, "5");
	assert_true(kit.fw->fetches[1]->cancelled);
	assert_string_equal(kit_fetch()->url, "http://app/g");
	assert_int_equal(leg->n_plays, 0);
	end(leg);
}

static void nested_media_that_is_none_is_13325_and_left_out(void **state)
{
	struct leg *leg = up("<Gather numDigits=\"1\"><Play>/a.html</Play><Say>Hi</Say></Gather>");

	(void)state;
	kit_reply(200, "text/html", "<html>");
	assert_non_null(kit_notification(13325));
	kit_speak(800);
	assert_int_equal(leg->n_plays, 1);
	end(leg);
}

static void speech_input_is_told_and_digits_are_collected(void **state)
{
	struct leg *leg = up("<Gather input=\"speech dtmf\" numDigits=\"1\" action=\"/g\"/>");

	(void)state;
	assert_non_null(kit_notification(13326));
	kit_digits(leg, "1");
	assert_string_equal(kit_param(kit_fetch(), "Digits"), "1");
	end(leg);
}

static void digits_outside_a_gather_are_discarded(void **state)
{
	struct leg *leg = up("<Say>Hi</Say><Gather numDigits=\"1\" action=\"/g\"/>");

	(void)state;
	kit_digits(leg, "123");
	kit_speak(800);
	kit_played(leg);
	assert_int_equal(kit_asked("http://app/g"), 0);
	kit_digits(leg, "4");
	assert_string_equal(kit_param(kit_fetch(), "Digits"), "4");
	end(leg);
}

static void a_hangup_in_a_gather_asks_no_action(void **state)
{
	struct leg *leg = up("<Gather action=\"/g\" actionOnEmptyResult=\"true\"/>");

	(void)state;
	kit_digits(leg, "1");
	kit_hangs_up(leg);
	assert_int_equal(kit_asked("http://app/g"), 0);
	assert_string_equal(kit_status(), "completed");
	kit_deliver();
}

static void endless_digits_are_submitted_at_a_bound(void **state)
{
	struct leg *leg = up("<Gather action=\"/g\"/>");

	(void)state;
	for (int i = 0; i < 1023; i++)
		kit_digits(leg, "1");
	assert_int_equal(kit_asked("http://app/g"), 0);
	kit_digits(leg, "1");
	assert_int_equal(kit_asked("http://app/g"), 1);
	assert_int_equal(strlen(kit_param(kit_fetch(), "Digits")), 1024);
	end(leg);
}

/* -- Say */

static void say_passes_its_markup_and_loops(void **state)
{
	struct leg *leg =
		up("<Say loop=\"3\">Tom &amp; <emphasis level=\"strong\">Jerry</emphasis></Say>");

	(void)state;
	assert_string_equal(kit_spoken(), "Tom &amp; <emphasis level=\"strong\">Jerry</emphasis>");
	kit_speak(800);
	assert_int_equal(leg->plays[0].loops, 3);
	end(leg);
	leg = up("<Say loop=\"0\">x</Say>");
	kit_speak(800);
	assert_int_equal(leg->plays[0].loops, 1000);
	end(leg);
}

static void unknown_voices_and_languages_are_warnings(void **state)
{
	struct leg *leg = up("<Say voice=\"unknownX\" language=\"unknownY\">x</Say>");

	(void)state;
	assert_non_null(kit_notification(13511));
	assert_non_null(kit_notification(13512));
	kit_speak(800);
	assert_true(kit_playing(leg));
	end(leg);
	leg = up("<Gather><Say voice=\"unknownX\">x</Say></Gather>");
	assert_non_null(kit_notification(13321));
	end(leg);
}

static void an_empty_or_endless_text_is_skipped(void **state)
{
	struct leg *leg = kit_call();
	char *body = NULL;

	(void)state;
	assert_true(
		asprintf(&body,
			 "<Say> </Say><Say "
			 "voice=\"Polly.Amy\">%03100d</Say><Say>%04097d</Say><Say>%04096d</Say>",
			 0, 0, 0) > 0);
	kit_twiml(body);
	free(body);
	kit_answered(leg);
	assert_non_null(kit_notification(13520));
	assert_non_null(kit_notification(13521));
	assert_int_equal(kit.fw->n_jobs, 1);
	end(leg);
}

static void a_text_that_cannot_be_spoken_is_left_out(void **state)
{
	struct leg *leg = up("<Say>x</Say><Say>y</Say>");

	(void)state;
	fake_speech_done(kit.fw, 0, -EIO, 0);
	assert_non_null(kit_notification(12400));
	assert_string_equal(kit_spoken(), "y");
	end(leg);
}

static void speech_that_never_comes_is_left_out_at_a_deadline(void **state)
{
	struct leg *leg = up("<Say>x</Say><Gather numDigits=\"1\" timeout=\"100\" action=\"/g\"/>");

	(void)state;
	fake_advance(kit.fw, 60000);
	assert_true(kit.fw->jobs[0]->cancelled);
	kit_digits(leg, "1");
	assert_int_equal(kit_asked("http://app/g"), 1);
	end(leg);
}

/* -- Play */

static void play_asks_without_parameters_but_signed(void **state)
{
	struct leg *leg = up("<Play loop=\"2\"> a.wav?x=1 </Play>");

	(void)state;
	assert_string_equal(kit_fetch()->method, "GET");
	assert_string_equal(kit_fetch()->url, "http://app/a.wav?x=1");
	assert_non_null(strstr(kit_fetch()->headers, "X-Twilio-Signature: "));
	assert_null(kit_fetch()->request.jar);
	kit_redirect(302, "http://cdn/b.wav");
	assert_string_equal(kit_fetch()->url, "http://cdn/b.wav");
	kit_media(800);
	assert_int_equal(leg->plays[0].loops, 2);
	end(leg);
}

static void play_digits_sends_tones(void **state)
{
	struct leg *leg = up("<Play digits=\"1w#\"/><Play digits=\"x\"/>");

	(void)state;
	assert_string_equal(leg->plays[0].digits, "1w#");
	assert_non_null(kit_notification(13430));
	kit_played(leg);
	assert_true(leg->end_due);
	kit_turn();
	kit_deliver();
}

static void a_failed_download_is_told_and_skipped(void **state)
{
	struct leg *leg = up("<Play>/a.wav</Play><Say>next</Say>");
	const json_t *n;

	(void)state;
	kit_reply(404, "text/html", "no");
	n = kit_notification(11200);
	assert_non_null(n);
	assert_string_equal(json_string_value(json_object_get(n, "request_url")),
			    "http://app/a.wav");
	assert_string_equal(kit_spoken(), "next");
	end(leg);
}

static void a_failed_download_takes_the_failure_path_when_strict(void **state)
{
	struct leg *leg;

	(void)state;
	kit.fw->config.play_strict = true;
	leg = up("<Play>/a.wav</Play>");
	kit_reply(404, "text/html", "no");
	assert_string_equal(kit_fetch()->url, "http://app/fb");
	assert_string_equal(kit_param(kit_fetch(), "ErrorUrl"), "http://app/a.wav");
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "11200");
	end(leg);
}

static void a_wrong_type_is_13420_and_the_failure_path(void **state)
{
	struct leg *leg = up("<Play>/a.mp4</Play>");

	(void)state;
	kit_reply(200, "video/mp4", "xx");
	assert_non_null(kit_notification(13420));
	assert_string_equal(kit_fetch()->url, "http://app/fb");
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "13420");
	assert_string_equal(kit_param(kit_fetch(), "ErrorUrl"), "http://app/a.mp4");
	end(leg);
}

static void media_with_validators_is_asked_again_and_kept(void **state)
{
	struct http_reply full = { .status = 200,
				   .content_type = "audio/wav",
				   .etag = "\"e1\"",
				   .last_modified = "Mon",
				   .headers = "",
				   .body = "RIFF",
				   .body_len = 4 };
	struct leg *leg = up("<Play>/a.wav</Play><Play>/a.wav</Play>");

	(void)state;
	assert_null(strstr(kit_fetch()->headers, "If-None-Match"));
	fake_fetch_done(kit.fw, 1, &full);
	kit_speak(800);
	kit_played(leg);
	assert_int_equal(kit_asked("http://app/a.wav"), 2);
	assert_non_null(strstr(kit_fetch()->headers, "If-None-Match: \"e1\"\n"));
	assert_non_null(strstr(kit_fetch()->headers, "If-Modified-Since: Mon\n"));
	kit_reply(304, NULL, "");
	assert_int_equal(kit.fw->n_jobs, 1); /* not decoded again */
	assert_int_equal(leg->plays[1].samples, 800);
	end(leg);
}

static void fresh_media_is_not_asked_again_until_it_is_stale(void **state)
{
	struct http_reply full = { .status = 200,
				   .content_type = "audio/wav",
				   .cache_control = "public, max-age=60",
				   .headers = "",
				   .body = "RIFF",
				   .body_len = 4 };
	struct leg *leg = up(
		"<Play>/a.wav</Play><Play>/a.wav</Play><Pause length=\"60\"/><Play>/a.wav</Play>");

	(void)state;
	fake_fetch_done(kit.fw, 1, &full);
	kit_speak(800);
	kit_played(leg);
	fake_run(kit.fw);
	assert_int_equal(leg->n_plays, 2);
	assert_int_equal(kit_asked("http://app/a.wav"), 1);
	kit_played(leg);
	fake_advance(kit.fw, 60000);
	assert_int_equal(kit_asked("http://app/a.wav"), 2);
	end(leg);
}

static void media_without_validators_is_not_kept(void **state)
{
	struct leg *leg = up("<Play>/a.wav</Play><Play>/a.wav</Play>");

	(void)state;
	kit_media(800);
	kit_played(leg);
	assert_int_equal(kit_asked("http://app/a.wav"), 2);
	assert_null(strstr(kit_fetch()->headers, "If-None-Match"));
	end(leg);
}

static void calls_that_want_the_same_media_share_a_download(void **state)
{
	struct leg *a = up("<Play>/a.wav</Play>"), *b = up("<Play>/a.wav</Play>"),
		   *c = up("<Play>/a.wav</Play>");

	(void)state;
	assert_int_equal(kit_asked("http://app/a.wav"), 1);
	kit_hangs_up(a);
	assert_true(kit.fw->fetches[1]->open);
	fake_fetch_reply(kit.fw, 1, 200, "audio/wav", "RIFF");
	kit_speak(800);
	assert_true(kit_playing(b) && kit_playing(c));
	kit_hangs_up(b);
	end(c);
}

static void a_download_that_nobody_waits_for_is_cancelled(void **state)
{
	struct leg *a = up("<Play>/a.wav</Play>");

	(void)state;
	kit_hangs_up(a);
	assert_true(kit.fw->fetches[1]->cancelled);
	kit_deliver();
}

static void the_cache_keeps_no_more_than_its_bound(void **state)
{
	struct http_reply full = { .status = 200,
				   .content_type = "audio/wav",
				   .cache_control = "max-age=60",
				   .headers = "",
				   .body = "RIFF",
				   .body_len = 4 };
	struct leg *leg;

	(void)state;
	kit.fw->config.prompt_cache_bytes = 100000;
	leg = up("<Play>/a.wav</Play><Play>/b.wav</Play><Play>/b.wav</Play><Play>/a.wav</Play>");
	fake_fetch_done(kit.fw, 1, &full);
	kit_speak(60000);
	kit_played(leg);
	fake_fetch_done(kit.fw, 2, &full);
	kit_speak(60000);
	kit_played(leg);
	fake_run(kit.fw);
	assert_int_equal(kit_asked("http://app/b.wav"), 1);
	kit_played(leg);
	fake_run(kit.fw);
	assert_int_equal(kit_asked("http://app/a.wav"), 2); /* it went when b came */
	end(leg);
}

/* -- Redirect */

static void an_empty_redirect_asks_the_same_document(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Pause/><Redirect method=\"GET\"/>");
	fake_advance(kit.fw, 1000);
	assert_string_equal(kit_fetch()->method, "GET");
	assert_ptr_equal(strstr(kit_fetch()->url, "http://app/v?AccountSid="), kit_fetch()->url);
	/* and by GET again: our parameters do not pile up */
	kit_twiml("<Redirect method=\"GET\"/>");
	assert_ptr_equal(strstr(kit_fetch()->url, "http://app/v?AccountSid="), kit_fetch()->url);
	assert_null(strstr(strstr(kit_fetch()->url, "AccountSid") + 1, "AccountSid"));
	end(leg);
}

static void a_malformed_redirect_is_11100_and_the_fallback(void **state)
{
	struct leg *leg = up("<Say>x</Say><Redirect>http://a b/</Redirect>");

	(void)state;
	kit_speak(800);
	kit_played(leg);
	fake_run(kit.fw);
	assert_non_null(kit_notification(11100));
	assert_string_equal(kit_fetch()->url, "http://app/fb");
	end(leg);
}

static void a_document_that_leads_to_itself_fills_no_table(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	for (int i = 0; i < 1000; i++)
		kit_twiml("<nonsense/><Redirect/>");
	assert_true(kit_notifications() <= 300);
	end(leg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(T30_a_digit_stops_the_prompt_and_is_submitted_at_once),
		kit_test(T32_the_finish_key_alone_is_an_empty_result),
		kit_test(T34_without_a_finish_key_everything_is_collected_until_the_timeout),
		kit_test(T36_bad_attributes_are_told_and_the_defaults_apply),
		kit_test(T38_the_timeout_starts_when_the_prompts_have_been_heard),
		kit_test(an_empty_result_asks_the_action_when_wanted),
		kit_test(without_barge_in_the_prompt_is_heard_out),
		kit_test(a_gather_without_action_asks_its_own_document),
		kit_test(nested_prompts_are_all_ready_before_the_first_is_heard),
		kit_test(a_digit_before_the_prompts_are_ready_counts),
		kit_test(nested_media_that_is_none_is_13325_and_left_out),
		kit_test(speech_input_is_told_and_digits_are_collected),
		kit_test(digits_outside_a_gather_are_discarded),
		kit_test(a_hangup_in_a_gather_asks_no_action),
		kit_test(endless_digits_are_submitted_at_a_bound),
		kit_test(say_passes_its_markup_and_loops),
		kit_test(unknown_voices_and_languages_are_warnings),
		kit_test(an_empty_or_endless_text_is_skipped),
		kit_test(a_text_that_cannot_be_spoken_is_left_out),
		kit_test(speech_that_never_comes_is_left_out_at_a_deadline),
		kit_test(play_asks_without_parameters_but_signed),
		kit_test(play_digits_sends_tones),
		kit_test(a_failed_download_is_told_and_skipped),
		kit_test(a_failed_download_takes_the_failure_path_when_strict),
		kit_test(a_wrong_type_is_13420_and_the_failure_path),
		kit_test(media_with_validators_is_asked_again_and_kept),
		kit_test(fresh_media_is_not_asked_again_until_it_is_stale),
		kit_test(media_without_validators_is_not_kept),
		kit_test(calls_that_want_the_same_media_share_a_download),
		kit_test(a_download_that_nobody_waits_for_is_cancelled),
		kit_test(the_cache_keeps_no_more_than_its_bound),
		kit_test(an_empty_redirect_asks_the_same_document),
		kit_test(a_malformed_redirect_is_11100_and_the_fallback),
		kit_test(a_document_that_leads_to_itself_fills_no_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
