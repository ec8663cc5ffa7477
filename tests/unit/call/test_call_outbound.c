/* Calls that REST creates (sip-and-rest.md §1.6, twiml-and-webhooks.md §3.4, §4.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sid.h"
#include "call/call_kit.h"
#include "call/call_order.h"
#include "call/control_run.h"
#include "call/status_callback.h"

#define ALL 15u

static struct call_order order_of(unsigned n)
{
	static char sid[8][SID_SIZE];

	snprintf(sid[n], SID_SIZE, "CA%032u", n);
	return (struct call_order){ .sid = sid[n],
				    .account_sid = KIT_ACCOUNT,
				    .auth_token = "0123456789abcdef0123456789abcdef",
				    .to = "sip:bob@192.0.2.20",
				    .from = "alice",
				    .url = "http://app/v",
				    .status_callback = "http://app/sc",
				    .callback_events = ALL,
				    .timeout_s = 60 };
}

static struct leg *dial(const struct call_order *order)
{
	unsigned before = kit.n_legs;

	calls_order_run(kit.calls, order);
	assert_int_equal(kit.n_legs, before + 1);
	return kit.leg[before];
}

static struct leg *dial_usual(void)
{
	struct call_order order = order_of(0);

	return dial(&order);
}

static void rings(struct leg *leg)
{
	leg->state = LEG_ALERTING;
	leg->events->ringing(leg->arg);
}

static void answers(struct leg *leg)
{
	leg->state = LEG_CONFIRMED;
	leg->events->answered(leg->arg);
}

/* The n-th status callback, from 0; the ones before it are delivered. */
static const struct fake_fetch *told(unsigned n)
{
	for (unsigned i = 0; i < kit.fw->n_fetches; i++) {
		struct fake_fetch *f = kit.fw->fetches[i];

		if (strcmp(f->url, "http://app/sc"))
			continue;
		if (!n--)
			return f;
		if (f->open)
			fake_fetch_reply(kit.fw, i, 204, NULL, "");
	}
	fail_msg("there are not so many callbacks");
	return NULL;
}

static void a_told(unsigned n, const char *status)
{
	const struct fake_fetch *f = told(n);
	char number[16];

	snprintf(number, sizeof(number), "%u", n);
	assert_string_equal(kit_param(f, "CallStatus"), status);
	assert_string_equal(kit_param(f, "SequenceNumber"), number);
	assert_string_equal(kit_param(f, "Direction"), "outbound-api");
	assert_string_equal(kit_param(f, "CallbackSource"), "call-progress-events");
	assert_non_null(kit_param(f, "Timestamp"));
}

static void T74_a_call_is_dialled_and_tells_each_step(void **state)
{
	struct leg *leg = dial_usual();

	(void)state;
	assert_string_equal(leg->target, "sip:bob@192.0.2.20");
	assert_int_equal(strncmp(leg->from, "alice@", 6), 0);
	/* REST has written it; who is called and what was told is added. */
	assert_string_equal(kit_status(), "queued");
	assert_null(json_object_get(kit_last_row(), "direction"));
	assert_int_equal(json_integer_value(json_object_get(kit_last_row(), "callback_sequence")),
			 1);
	a_told(0, "initiated");
	rings(leg);
	assert_string_equal(kit_status(), "ringing");
	assert_int_equal(json_integer_value(json_object_get(kit_last_row(), "callback_sequence")),
			 2);
	a_told(1, "ringing");
	assert_int_equal(kit_asked("http://app/v"), 0);
	answers(leg);
	assert_string_equal(kit_status(), "in-progress");
	assert_int_equal(kit_asked("http://app/v"), 1);
	for (unsigned i = 0; i < kit.fw->n_fetches; i++) {
		const struct fake_fetch *f = kit.fw->fetches[i];

		if (strcmp(f->url, "http://app/v"))
			continue;
		assert_string_equal(kit_param(f, "CallStatus"), "in-progress");
		assert_string_equal(kit_param(f, "Direction"), "outbound-api");
		assert_string_equal(kit_param(f, "To"), "sip:bob@192.0.2.20");
		assert_string_equal(kit_param(f, "From"), "alice");
		assert_string_equal(kit_param(f, "SipCallId"), "ours@192.0.2.10");
		assert_null(kit_param(f, "SipDomain"));
	}
	a_told(2, "in-progress");
	fake_advance(kit.fw, 3000);
	kit_hangs_up(leg);
	assert_string_equal(kit_status(), "completed");
	a_told(3, "completed");
	assert_string_equal(kit_param(told(3), "CallDuration"), "3");
	assert_string_equal(kit_param(told(3), "SipResponseCode"), "200");
	assert_null(kit_param(told(2), "CallDuration"));
	kit_deliver();
}

static void callbacks_of_a_call_come_one_at_a_time_in_their_order(void **state)
{
	struct leg *leg = dial_usual();

	(void)state;
	rings(leg);
	answers(leg);
	kit_hangs_up(leg);
	assert_int_equal(kit_asked("http://app/sc"), 1);
	assert_int_equal(calls_callbacks_waiting(kit.calls), 4);
	for (unsigned n = 0; n < 4; n++) {
		static const char *const statuses[] = { "initiated", "ringing", "in-progress",
							"completed" };

		a_told(n, statuses[n]);
		assert_int_equal(kit_asked("http://app/sc"), n + 1);
	}
	kit_deliver();
	assert_int_equal(calls_callbacks_waiting(kit.calls), 0);
}

static void only_what_is_wanted_is_told_and_counted(void **state)
{
	struct call_order order = order_of(0);
	struct leg *leg;

	(void)state;
	order.callback_events = 1u << CALLBACK_COMPLETED;
	leg = dial(&order);
	rings(leg);
	kit_end(leg, LEG_END_REFUSED, 486);
	a_told(0, "busy");
	assert_string_equal(kit_param(told(0), "SipResponseCode"), "486");
	assert_string_equal(kit_param(told(0), "CallDuration"), "0");
	assert_int_equal(kit_asked("http://app/v"), 0);
	kit_deliver();
}

static void a_final_answer_has_its_status_and_notification(void **state)
{
	static const struct {
		enum leg_end why;
		int sip, code;
		const char *status;
	} rows[] = {
		{ LEG_END_REFUSED, 486, 34002, "busy" },
		{ LEG_END_REFUSED, 600, 34002, "busy" },
		{ LEG_END_REFUSED, 603, 31603, "busy" },
		{ LEG_END_REFUSED, 408, 31408, "no-answer" },
		{ LEG_END_REFUSED, 480, 31480, "no-answer" },
		{ LEG_END_REFUSED, 407, 13244, "failed" },
		{ LEG_END_REFUSED, 404, 32011, "failed" },
		{ LEG_END_REFUSED, 503, 32011, "failed" },
		{ LEG_END_UNREACHABLE, 0, 13254, "failed" },
		{ LEG_END_UNREACHABLE, 408, 32011, "failed" },
		{ LEG_END_MEDIA_FAILURE, 0, 12400, "failed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_end(dial_usual(), rows[i].why, rows[i].sip);
		if (!kit_notification(rows[i].code) || strcmp(kit_status(), rows[i].status))
			fail_msg("%d: %s", rows[i].sip, kit_status());
		kit_deliver();
		kit_turn();
	}
}

static void digits_are_sent_before_the_document_is_asked_for(void **state)
{
	struct call_order order = order_of(0);
	struct leg *leg;

	(void)state;
	order.send_digits = "ww12#";
	leg = dial(&order);
	answers(leg);
	assert_int_equal(leg->n_plays, 1);
	assert_string_equal(leg->plays[0].digits, "ww12#");
	assert_int_equal(kit_asked("http://app/v"), 0);
	leg->events->played(leg->arg, leg->plays[0].id);
	assert_int_equal(kit_asked("http://app/v"), 1);
	kit_hangs_up(leg);
	kit_deliver();
}

static void a_redirect_while_digits_are_sent_is_not_undone_by_their_end(void **state)
{
	struct call_order order = order_of(0);
	struct call_command command = { .account_sid = KIT_ACCOUNT, .url = "http://app/other" };
	struct leg *leg;
	int code = 0;

	(void)state;
	order.send_digits = "wwww1";
	leg = dial(&order);
	answers(leg);
	command.call_sid = leg->call_sid;
	assert_int_equal(control_run(kit.calls, &command, &code), 0);
	assert_int_equal(kit_asked("http://app/other"), 1);
	leg->events->played(leg->arg, leg->plays[0].id);
	assert_int_equal(kit_asked("http://app/v"), 0);
	kit_hangs_up(leg);
	kit_deliver();
}

static void a_document_may_come_with_the_order(void **state)
{
	struct call_order order = order_of(0);
	struct leg *leg;

	(void)state;
	order.url = NULL;
	order.twiml = "<Response><Say>Hi there</Say></Response>";
	leg = dial(&order);
	answers(leg);
	assert_string_equal(kit_spoken(), "Hi there");
	kit_hangs_up(leg);
	kit_deliver();
}

static void nobody_rings_beyond_the_timeout(void **state)
{
	struct call_order order = order_of(0);
	struct leg *leg;

	(void)state;
	order.timeout_s = 20;
	leg = dial(&order);
	rings(leg);
	fake_advance(kit.fw, 19900);
	assert_false(leg->end_due);
	fake_advance(kit.fw, 100);
	assert_true(leg->end_due);
	kit_turn();
	assert_string_equal(kit_status(), "no-answer");
	assert_string_equal(kit_param(told(2), "SipResponseCode"), "487");
	kit_deliver();
}

static void an_account_dials_at_its_pace(void **state)
{
	struct call_order order;

	(void)state;
	kit.fw->config.calls_per_second = 2;
	for (unsigned i = 0; i < 3; i++) {
		order = order_of(i);
		calls_order_run(kit.calls, &order);
	}
	order = order_of(3);
	order.account_sid = "AC00000000000000000000000000000002";
	calls_order_run(kit.calls, &order);
	assert_int_equal(kit.n_legs, 2); /* the first of each account */
	assert_string_equal(kit.leg[1]->call_sid, order.sid);
	fake_advance(kit.fw, 499);
	assert_int_equal(kit.n_legs, 2);
	fake_advance(kit.fw, 1);
	assert_int_equal(kit.n_legs, 3);
	fake_advance(kit.fw, 500);
	assert_int_equal(kit.n_legs, 4);
	for (unsigned i = 0; i < 4; i++)
		kit_end(kit.leg[i], LEG_END_REFUSED, 486);
	kit_deliver();
	kit_deliver();
}

static void a_call_that_is_canceled_in_the_queue_tells_nobody(void **state)
{
	struct call_order order;
	struct call_command command = { .account_sid = KIT_ACCOUNT, .status = "canceled" };
	int code = 0;

	(void)state;
	kit.fw->config.calls_per_second = 1;
	order = order_of(0);
	calls_order_run(kit.calls, &order);
	order = order_of(1);
	calls_order_run(kit.calls, &order);
	command.call_sid = order.sid;
	assert_int_equal(control_run(kit.calls, &command, &code), 0);
	assert_string_equal(kit_status(), "canceled");
	fake_advance(kit.fw, 5000);
	assert_int_equal(kit.n_legs, 1);
	kit_end(kit.leg[0], LEG_END_REFUSED, 486);
	told(1);
	kit_deliver();
	assert_int_equal(kit_asked("http://app/sc"), 2);
}

static void before_the_answer_a_call_is_canceled_but_not_redirected(void **state)
{
	struct leg *leg = dial_usual();
	struct call_command command = { .call_sid = leg->call_sid,
					.account_sid = KIT_ACCOUNT,
					.url = "http://app/other" };
	int code = 0;

	(void)state;
	rings(leg);
	assert_int_equal(control_run(kit.calls, &command, &code), -ENOENT);
	command.url = NULL;
	command.status = "canceled";
	assert_int_equal(control_run(kit.calls, &command, &code), 0);
	kit_turn();
	assert_string_equal(kit_status(), "canceled");
	assert_string_equal(kit_param(told(2), "CallStatus"), "canceled");
	kit_deliver();
}

static void where_sql_knows_no_place_the_call_fails_with_its_reason(void **state)
{
	static const struct {
		const char *to;
		enum route_kind kind;
		const char *user, *domain;
		int error, code;
	} cases[] = {
		{ "+14155550100", ROUTE_NUMBER, "+14155550100", NULL, 13224, 13224 },
		{ "client:bob", ROUTE_CLIENT, "bob", NULL, 32009, 32009 },
		{ "sip:bob@acme.sip.hookswitch.test", ROUTE_AOR, "bob", "acme.sip.hookswitch.test",
		  32214, 32214 },
		{ "bob@sip.hookswitch.test", ROUTE_AOR, "bob", "sip.hookswitch.test", -1, 12400 },
	};

	(void)state;
	kit.fw->config.sip_domain = "sip.hookswitch.test";
	for (unsigned i = 0; i < 4; i++) {
		struct call_order order = order_of(i);
		const struct fake_route *r = &kit.fw->routes[i];

		order.to = cases[i].to;
		calls_order_run(kit.calls, &order);
		assert_int_equal(kit.n_legs, 0);
		assert_int_equal(r->kind, cases[i].kind);
		assert_string_equal(r->user, cases[i].user);
		if (cases[i].domain)
			assert_string_equal(r->domain, cases[i].domain);
		fake_routes_reply(kit.fw, cases[i].error, NULL, 0);
		assert_string_equal(kit_status(), "failed");
		assert_non_null(kit_notification(cases[i].code));
		kit_deliver();
		kit_turn();
	}
}

static void who_is_no_destination_of_the_account_is_not_called(void **state)
{
	struct call_order order = order_of(0);

	(void)state;
	kit.fw->hosts_refused = true;
	calls_order_run(kit.calls, &order);
	assert_int_equal(kit.n_legs, 0);
	assert_string_equal(kit_status(), "failed");
	assert_non_null(kit_notification(21215));
	kit_deliver();
	kit_turn();
}

static void a_number_that_is_no_destination_is_not_called(void **state)
{
	struct call_order order = order_of(0);

	(void)state;
	order.to = "+4490123456";
	calls_order_run(kit.calls, &order);
	fake_routes_reply(kit.fw, 13227, NULL, 0);
	assert_int_equal(kit.n_legs, 0);
	assert_non_null(kit_notification(21215));
	kit_deliver();
	kit_turn();
}

static void beyond_the_accounts_calls_nobody_is_called(void **state)
{
	static const struct call_route route = { .uri = "sip:1@192.0.2.3", .account_calls = 1 };
	struct call_order order = order_of(0);

	(void)state;
	calls_order_run(kit.calls, &order);
	assert_int_equal(kit.n_legs, 1);
	order = order_of(1);
	order.to = "+4930123456";
	calls_order_run(kit.calls, &order);
	fake_routes_reply(kit.fw, 0, &route, 1);
	assert_int_equal(kit.n_legs, 1);
	assert_non_null(kit_notification(10004));
	kit_turn();
}

static void a_sip_uri_without_user_at_a_domain_of_ours_is_refused(void **state)
{
	struct call_order order = order_of(0);

	(void)state;
	kit.fw->config.sip_domain = "sip.hookswitch.test";
	order.to = "sip:acme.sip.hookswitch.test";
	calls_order_run(kit.calls, &order);
	assert_non_null(kit_notification(32223));
	kit_deliver();
	kit_turn();
}

static const struct call_route phones[] = {
	{ .uri = "sip:bob@10.0.0.1;x=y",
	  .next_hop = "sip:198.51.100.1:5060",
	  .socket = "udp:192.0.2.10:5060",
	  .domain = "acme.sip.hookswitch.test" },
	{ .uri = "sip:bob@10.0.0.2 evil\r\nX: y",
	  .next_hop = "sip:198.51.100.2:5060;transport=TCP",
	  .socket = "tcp:192.0.2.10:5060",
	  .domain = "acme.sip.hookswitch.test" },
};

static void to_phones(unsigned n)
{
	struct call_order order = order_of(0);

	kit.fw->config.sip_domain = "sip.hookswitch.test";
	order.to = "client:bob";
	calls_order_run(kit.calls, &order);
	fake_routes_reply(kit.fw, 0, phones, n);
	assert_int_equal(kit.n_legs, n);
	a_told(0, "initiated");
}

static void a_registered_phone_is_called_where_it_registered_from(void **state)
{
	(void)state;
	to_phones(1);
	assert_string_equal(kit.leg[0]->target, "sip:bob@acme.sip.hookswitch.test");
	assert_string_equal(kit.leg[0]->from, "alice@acme.sip.hookswitch.test");
	assert_string_equal(kit.leg[0]->next_hop, "sip:198.51.100.1:5060");
	answers(kit.leg[0]);
	assert_string_equal(kit_status(), "in-progress");
	kit_hangs_up(kit.leg[0]);
	kit_deliver();
}

static void of_several_phones_the_first_answer_wins(void **state)
{
	(void)state;
	to_phones(2);
	rings(kit.leg[0]);
	rings(kit.leg[1]);
	assert_string_equal(kit_status(), "ringing");
	answers(kit.leg[1]);
	assert_true(kit.leg[0]->freed); /* which cancels it */
	assert_string_equal(kit_status(), "in-progress");
	assert_int_equal(kit_asked("http://app/v"), 1);
	kit_hangs_up(kit.leg[1]);
	assert_string_equal(kit_status(), "completed");
	kit_deliver();
}

static void a_key_before_the_answer_of_one_of_several_phones_is_nobodys(void **state)
{
	(void)state;
	to_phones(2);
	kit.leg[0]->events->digit(kit.leg[0]->arg, '1', 100);
	answers(kit.leg[0]);
	kit_hangs_up(kit.leg[0]);
	kit_deliver();
}

static void when_all_phones_refuse_the_best_answer_counts(void **state)
{
	(void)state;
	to_phones(2);
	kit_end(kit.leg[0], LEG_END_REFUSED, 486);
	assert_string_equal(kit_status(), "queued");
	kit_end(kit.leg[1], LEG_END_REFUSED, 404);
	kit_turn();
	assert_string_equal(kit_status(), "busy");
	assert_non_null(kit_notification(34002));
	kit_deliver();
}

static void several_phones_stop_ringing_when_nobody_answers_in_time(void **state)
{
	(void)state;
	to_phones(2);
	rings(kit.leg[0]);
	fake_advance(kit.fw, 61000);
	kit_turn();
	assert_true(kit.leg[0]->freed && kit.leg[1]->freed);
	assert_string_equal(kit_status(), "no-answer");
	kit_deliver();
}

static void a_call_that_is_canceled_while_sql_is_asked_is_not_dialled(void **state)
{
	struct call_order order = order_of(0);
	struct call_command cmd = { .call_sid = order.sid,
				    .account_sid = KIT_ACCOUNT,
				    .status = "canceled" };
	int code;

	(void)state;
	order.to = "client:bob";
	calls_order_run(kit.calls, &order);
	assert_int_equal(control_run(kit.calls, &cmd, &code), 0);
	kit_turn();
	assert_string_equal(kit_status(), "canceled");
	assert_false(kit.fw->routes[0].open);
	kit_deliver();
}

static void a_full_node_fails_the_call_and_says_so(void **state)
{
	struct call_order order;

	(void)state;
	kit.fw->config.max_calls = 1;
	dial_usual();
	order = order_of(1);
	calls_order_run(kit.calls, &order);
	assert_int_equal(kit.n_legs, 1);
	assert_string_equal(kit_status(), "failed");
	assert_non_null(kit_notification(10004));
	kit_end(kit.leg[0], LEG_END_REFUSED, 486);
	for (int i = 0; i < 3; i++)
		kit_deliver();
}

static void a_shutdown_ends_what_is_queued_and_what_rings(void **state)
{
	struct call_order order;

	(void)state;
	kit.fw->config.calls_per_second = 1;
	rings(dial_usual());
	order = order_of(1);
	calls_order_run(kit.calls, &order);
	/* the teardown frees all */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(T74_a_call_is_dialled_and_tells_each_step),
		kit_test(callbacks_of_a_call_come_one_at_a_time_in_their_order),
		kit_test(only_what_is_wanted_is_told_and_counted),
		kit_test(a_final_answer_has_its_status_and_notification),
		kit_test(digits_are_sent_before_the_document_is_asked_for),
		kit_test(who_is_no_destination_of_the_account_is_not_called),
		kit_test(a_number_that_is_no_destination_is_not_called),
		kit_test(beyond_the_accounts_calls_nobody_is_called),
		kit_test(a_redirect_while_digits_are_sent_is_not_undone_by_their_end),
		kit_test(a_document_may_come_with_the_order),
		kit_test(nobody_rings_beyond_the_timeout),
		kit_test(an_account_dials_at_its_pace),
		kit_test(a_call_that_is_canceled_in_the_queue_tells_nobody),
		kit_test(before_the_answer_a_call_is_canceled_but_not_redirected),
		kit_test(where_sql_knows_no_place_the_call_fails_with_its_reason),
		kit_test(a_sip_uri_without_user_at_a_domain_of_ours_is_refused),
		kit_test(a_registered_phone_is_called_where_it_registered_from),
		kit_test(of_several_phones_the_first_answer_wins),
		kit_test(a_key_before_the_answer_of_one_of_several_phones_is_nobodys),
		kit_test(when_all_phones_refuse_the_best_answer_counts),
		kit_test(several_phones_stop_ringing_when_nobody_answers_in_time),
		kit_test(a_call_that_is_canceled_while_sql_is_asked_is_not_dialled),
		kit_test(a_full_node_fails_the_call_and_says_so),
		kit_test(a_shutdown_ends_what_is_queued_and_what_rings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
