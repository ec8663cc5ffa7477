/* <Refer> (sip-and-rest.md §4.1; T80 of twiml-and-webhooks.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "call/call_kit.h"

#define CAROL "<Sip>sip:carol@h.example</Sip>"

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

/* What the action was told; NULL: that parameter is not there. */
static void check_action(const char *status, const char *refer, const char *notify)
{
	static const char *const names[] = { "ReferCallStatus", "ReferSipResponseCode",
					     "NotifySipResponseCode" };
	const char *wanted[] = { status, refer, notify };

	assert_string_equal(kit_fetch()->url, "http://app/rf");
	for (int i = 0; i < 3; i++) {
		const char *value = kit_param(kit_fetch(), names[i]);

		if (wanted[i])
			assert_string_equal(value, wanted[i]);
		else
			assert_null(value);
	}
}

static void T80_the_action_hears_how_the_transfer_went(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Refer action=\"/rf\">" CAROL "</Refer>");
	assert_int_equal(leg->refers, 0);
	assert_true(leg->answer_asked); /* the call is answered first */
	kit_answered(leg);
	assert_string_equal(leg->refer_to, "<sip:carol@h.example>");
	kit_referral(leg, 202, 0, false);
	kit_referral(leg, 202, 100, false);
	assert_int_equal(kit_asked("http://app/rf"), 0);
	kit_referral(leg, 202, 200, true);
	check_action("in-progress", "202", "200");
	assert_string_equal(kit_fetch()->method, "POST");
	assert_string_equal(kit_param(kit_fetch(), "CallStatus"), "in-progress");
	assert_non_null(kit_param(kit_fetch(), "CallSid"));
	kit_twiml("<Hangup/>");
	assert_true(leg->end_due);
	kit_turn();
	kit_deliver();
}

static void each_outcome_has_its_status(void **state)
{
	static const struct {
		int refer, notify;
		const char *status, *refer_text, *notify_text;
	} rows[] = {
		{ 202, 299, "in-progress", "202", "299" }, { 202, 486, "busy", "202", "486" },
		{ 202, 600, "busy", "202", "600" },	   { 202, 404, "failed", "202", "404" },
		{ 202, 302, "failed", "202", "302" },	   { 405, 0, "failed", "405", NULL },
		{ 408, 0, "failed", "408", NULL },	   { 0, 0, "failed", NULL, NULL },
		{ 202, 0, "no-answer", "202", NULL },	   { 202, 180, "no-answer", "202", "180" },
		{ 0, 200, "in-progress", NULL, "200" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct leg *leg = up("<Refer action=\"/rf\">" CAROL "</Refer>");

		kit_referral(leg, rows[i].refer, rows[i].notify, true);
		check_action(rows[i].status, rows[i].refer_text, rows[i].notify_text);
		kit_hangs_up(leg);
		kit_deliver();
	}
}

static void without_an_action_the_document_goes_on_and_its_end_hangs_up(void **state)
{
	struct leg *leg = up("<Refer>" CAROL "</Refer><Play>/after.wav</Play>");

	(void)state;
	kit_referral(leg, 202, 486, true);
	assert_string_equal(kit_fetch()->url, "http://app/after.wav");
	end(leg);

	leg = up("<Refer>" CAROL "</Refer>");
	assert_false(leg->end_due);
	kit_referral(leg, 202, 200, true);
	assert_true(leg->end_due);
	kit_turn();
	assert_string_equal(kit_status(), "completed");
	kit_deliver();
}

static void who_hangs_up_meanwhile_has_canceled_it(void **state)
{
	struct leg *leg = up("<Refer action=\"/rf\" method=\"POST\">" CAROL "</Refer>");

	(void)state;
	kit_referral(leg, 202, 180, false);
	kit_hangs_up(leg);
	for (unsigned i = 0; i < kit.fw->n_fetches; i++) {
		const struct fake_fetch *f = kit.fw->fetches[i];

		if (strcmp(f->url, "http://app/rf"))
			continue;
		assert_string_equal(kit_param(f, "ReferCallStatus"), "canceled");
		assert_string_equal(kit_param(f, "ReferSipResponseCode"), "202");
		assert_string_equal(kit_param(f, "NotifySipResponseCode"), "180");
		assert_string_equal(kit_param(f, "CallStatus"), "completed");
	}
	assert_int_equal(kit_asked("http://app/rf"), 1);
	kit_deliver();
	assert_int_equal(kit_asked("http://app/rf"), 1);

	/* Without an action nobody is told. */
	leg = up("<Refer>" CAROL "</Refer>");
	end(leg);
	assert_int_equal(kit_asked("http://app/rf"), 1);
}

static void headers_stay_in_refer_to(void **state)
{
	static const struct {
		const char *sip, *refer_to;
	} rows[] = {
		{ " sip:carol@h.example:5070;transport=tcp ",
		  "<sip:carol@h.example:5070;transport=tcp>" },
		{ "carol@h.example?User-to-User=123%3Bencoding%3Dhex&amp;X-A=a%20b%26c",
		  "<sip:carol@h.example?User-to-User=123%3Bencoding%3Dhex&X-A=a%20b%26c>" },
		{ "sip:carol@h.example?X-B=1+2", "<sip:carol@h.example?X-B=1%2B2>" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char body[300];
		struct leg *leg;

		snprintf(body, sizeof(body), "<Refer><Sip>%s</Sip></Refer>", rows[i].sip);
		leg = up(body);
		assert_string_equal(leg->refer_to, rows[i].refer_to);
		end(leg);
	}
	assert_int_equal(kit_notifications(), 0);
}

static void a_header_that_is_not_allowed_is_left_out(void **state)
{
	struct leg *leg = up("<Refer><Sip>sip:carol@h.example?Route=x&amp;X-A=1</Sip></Refer>");

	(void)state;
	assert_non_null(kit_notification(13252));
	assert_string_equal(leg->refer_to, "<sip:carol@h.example?X-A=1>");
	end(leg);
}

static void a_bad_target_is_told_and_the_action_hears_that_it_failed(void **state)
{
	static const struct {
		const char *body;
		int code;
	} rows[] = {
		{ "<Sip>sip:carol@bad host</Sip>", 13243 },
		{ "<Sip/>", 13243 },
		{ "", 13243 },
		{ "carol", 13243 },
		{ "<Sip>sip:c@h.example?X-(=1</Sip>", 13252 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char body[300];
		struct leg *leg;

		snprintf(body, sizeof(body), "<Refer action=\"/rf\">%s</Refer>", rows[i].body);
		leg = up(body);
		assert_non_null(kit_notification(rows[i].code));
		check_action("failed", NULL, NULL);
		assert_int_equal(leg->refers, 0);
		end(leg);

		/* Without an action the next verb runs. */
		snprintf(body, sizeof(body), "<Refer>%s</Refer><Play>/n.wav</Play>", rows[i].body);
		leg = up(body);
		assert_string_equal(kit_fetch()->url, "http://app/n.wav");
		end(leg);
	}
}

static void a_second_target_is_left_out(void **state)
{
	struct leg *leg = up("<Refer>" CAROL "<Sip>sip:dan@h.example</Sip></Refer>");

	(void)state;
	assert_non_null(kit_notification(13250));
	assert_string_equal(leg->refer_to, "<sip:carol@h.example>");
	assert_int_equal(leg->refers, 1);
	end(leg);
}

static void a_refer_that_cannot_be_sent_has_failed(void **state)
{
	struct leg *leg;

	(void)state;
	kit.fail_refer = -EIO;
	leg = up("<Refer action=\"/rf\" method=\"GET\">" CAROL "</Refer>");
	assert_non_null(strstr(kit_fetch()->url, "http://app/rf?"));
	assert_non_null(strstr(kit_fetch()->url, "ReferCallStatus=failed"));
	end(leg);
}

static void what_comes_after_the_document_was_replaced_is_not_heard(void **state)
{
	struct leg *leg = up("<Refer action=\"/rf\">" CAROL "</Refer>");

	(void)state;
	kit_referral(leg, 202, 200, true);
	kit_twiml("<Pause length=\"5\"/>");
	kit_referral(leg, 202, 486, true);
	assert_int_equal(kit_asked("http://app/rf"), 1);
	assert_false(leg->end_due);
	end(leg);
	assert_int_equal(kit_asked("http://app/rf"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(T80_the_action_hears_how_the_transfer_went),
		kit_test(each_outcome_has_its_status),
		kit_test(without_an_action_the_document_goes_on_and_its_end_hangs_up),
		kit_test(who_hangs_up_meanwhile_has_canceled_it),
		kit_test(headers_stay_in_refer_to),
		kit_test(a_header_that_is_not_allowed_is_left_out),
		kit_test(a_bad_target_is_told_and_the_action_hears_that_it_failed),
		kit_test(a_second_target_is_left_out),
		kit_test(a_refer_that_cannot_be_sent_has_failed),
		kit_test(what_comes_after_the_document_was_replaced_is_not_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
