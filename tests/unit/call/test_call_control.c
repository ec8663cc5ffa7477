/* What REST asks of a live call: twiml-and-webhooks.md §4.2, T76. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "call/call_kit.h"

static int update(const struct leg *leg, struct call_command cmd, int *code)
{
	int ignored;

	cmd.call_sid = leg->call_sid;
	if (!cmd.account_sid)
		cmd.account_sid = KIT_ACCOUNT;
	return control_run(kit.calls, &cmd, code ? code : &ignored);
}

static struct leg *playing(void)
{
	struct leg *leg = kit_call();

	kit_twiml("<Say>long</Say>");
	kit_answered(leg);
	kit_speak(80000);
	return leg;
}

static void completed_hangs_up_an_answered_call(void **state)
{
	struct leg *leg = playing();

	(void)state;
	assert_int_equal(update(leg, (struct call_command){ .status = "completed" }, NULL), 0);
	assert_true(leg->end_due);
	assert_false(kit_playing(leg));
	assert_int_equal(update(leg, (struct call_command){ .status = "completed" }, NULL),
			 -ENOENT);
	kit_turn();
	assert_string_equal(kit_status(), "completed");
	kit_deliver();
}

static void completed_and_canceled_end_a_ringing_call_as_canceled(void **state)
{
	static const char *const status[] = { "completed", "canceled" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct leg *leg = kit_call();

		assert_int_equal(update(leg, (struct call_command){ .status = status[i] }, NULL),
				 0);
		assert_int_equal(leg->end_code, 603);
		kit_turn();
		assert_string_equal(kit_status(), "canceled");
	}
	kit_deliver();
}

static void canceled_does_nothing_to_an_answered_call(void **state)
{
	struct leg *leg = playing();

	(void)state;
	assert_int_equal(update(leg, (struct call_command){ .status = "canceled" }, NULL), 0);
	assert_false(leg->end_due);
	assert_true(kit_playing(leg));
	kit_hangs_up(leg);
	kit_deliver();
}

static void T76_a_new_url_stops_the_audio_at_once_and_is_asked(void **state)
{
	struct leg *leg = playing();

	(void)state;
	assert_int_equal(update(leg,
				(struct call_command){ .url = "http://new/u",
						       .method = "POST",
						       .twiml = "<Response/>" },
				NULL),
			 0);
	assert_false(kit_playing(leg));
	assert_string_equal(kit_fetch()->url, "http://new/u");
	assert_string_equal(kit_param(kit_fetch(), "CallStatus"), "in-progress");
	kit_twiml("<Gather numDigits=\"1\" action=\"g\"/>");
	kit_digits(leg, "1");
	assert_string_equal(kit_fetch()->url, "http://new/g");
	kit_hangs_up(leg);
	kit_deliver();
}

static void inline_twiml_replaces_the_document(void **state)
{
	struct leg *leg = playing();

	(void)state;
	assert_int_equal(
		update(leg, (struct call_command){ .twiml = "<Response><Say>new</Say></Response>" },
		       NULL),
		0);
	assert_false(kit_playing(leg));
	assert_string_equal(kit_spoken(), "new");
	kit_speak(800);
	kit_played(leg);
	assert_true(leg->end_due);
	kit_turn();
	kit_deliver();
}

static void bad_inline_twiml_is_refused_and_the_call_goes_on(void **state)
{
	struct leg *leg = playing();
	int code = 0;
	char *big = NULL;

	(void)state;
	assert_int_equal(update(leg,
				(struct call_command){
					.twiml = "<Response><Gather action=\"/g\"/></Response>" },
				&code),
			 -EBADMSG);
	assert_int_equal(code, 15004);
	assert_int_equal(update(leg, (struct call_command){ .twiml = "nonsense" }, &code),
			 -EBADMSG);
	assert_int_equal(code, 12100);
	assert_true(asprintf(&big, "<Response><Say>%04000d</Say></Response>", 0) > 0);
	assert_int_equal(update(leg, (struct call_command){ .twiml = big }, &code), -EBADMSG);
	assert_int_equal(code, 32018);
	free(big);
	assert_true(kit_playing(leg));
	kit_hangs_up(leg);
	kit_deliver();
}

static void an_inline_document_has_no_base_for_relative_urls(void **state)
{
	struct leg *leg = playing();

	(void)state;
	assert_int_equal(update(leg,
				(struct call_command){
					.twiml = "<Response><Redirect>/x</Redirect></Response>" },
				NULL),
			 0);
	assert_non_null(kit_notification(11100));
	assert_string_equal(kit_fetch()->url, "http://app/fb");
	kit_hangs_up(leg);
	kit_deliver();
}

static void a_new_url_while_ringing_replaces_the_pending_request(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	assert_int_equal(
		update(leg, (struct call_command){ .url = "http://new/u", .method = "GET" }, NULL),
		0);
	assert_true(kit.fw->fetches[0]->cancelled);
	assert_non_null(strstr(kit_fetch()->url, "&CallStatus=ringing&"));
	kit_twiml("<Reject reason=\"busy\"/>");
	kit_turn();
	assert_int_equal(leg->end_code, 486);
	kit_deliver();
}

static void a_reject_while_the_ack_is_awaited_hangs_up(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Say>old</Say>");
	leg->answer_out = true;
	assert_int_equal(update(leg,
				(struct call_command){ .twiml = "<Response><Reject/></Response>" },
				NULL),
			 0);
	assert_true(leg->end_due);
	assert_int_not_equal(leg->end_code, 404);
	kit_turn();
	kit_deliver();
}

static void a_new_document_while_the_answer_is_on_its_way_runs_after_it(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Say>old</Say>");
	assert_int_equal(
		update(leg, (struct call_command){ .twiml = "<Response><Say>new</Say></Response>" },
		       NULL),
		0);
	kit_answered(leg);
	assert_int_equal(kit.fw->n_jobs, 1);
	assert_string_equal(kit_spoken(), "new");
	kit_hangs_up(leg);
	kit_deliver();
}

static void fallback_status_callback_and_time_limit_are_replaced(void **state)
{
	struct leg *leg = playing();

	(void)state;
	assert_int_equal(update(leg,
				(struct call_command){ .url = "http://new/u",
						       .fallback_url = "http://new/fb",
						       .status_callback = "http://new/sc",
						       .time_limit = 5 },
				NULL),
			 0);
	kit_reply(500, "text/html", "");
	assert_string_equal(kit_fetch()->url, "http://new/fb");
	fake_advance(kit.fw, 5000);
	assert_true(leg->end_due);
	kit_turn();
	assert_string_equal(kit_fetch()->url, "http://new/sc");
	assert_null(kit_notification(32015));
	kit_deliver();
}

static void a_call_of_another_account_is_not_found(void **state)
{
	struct leg *leg = playing();

	(void)state;
	assert_int_equal(
		update(leg, (struct call_command){ .account_sid = "AC0", .status = "completed" },
		       NULL),
		-ENOENT);
	assert_false(leg->end_due);
	kit_hangs_up(leg);
	assert_int_equal(update(leg, (struct call_command){ .status = "completed" }, NULL),
			 -ENOENT);
	kit_deliver();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(completed_hangs_up_an_answered_call),
		kit_test(completed_and_canceled_end_a_ringing_call_as_canceled),
		kit_test(canceled_does_nothing_to_an_answered_call),
		kit_test(T76_a_new_url_stops_the_audio_at_once_and_is_asked),
		kit_test(inline_twiml_replaces_the_document),
		kit_test(bad_inline_twiml_is_refused_and_the_call_goes_on),
		kit_test(an_inline_document_has_no_base_for_relative_urls),
		kit_test(a_new_url_while_ringing_replaces_the_pending_request),
		kit_test(a_reject_while_the_ack_is_awaited_hangs_up),
		kit_test(a_new_document_while_the_answer_is_on_its_way_runs_after_it),
		kit_test(fallback_status_callback_and_time_limit_are_replaced),
		kit_test(a_call_of_another_account_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
