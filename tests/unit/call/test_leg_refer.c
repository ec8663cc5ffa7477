/* REFER of ours, and what the party's NOTIFYs tell of it (leg_refer.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/leg_kit.h"

#define TO     "<sip:carol@example.com?X-A=1>"
#define REFER  "Event: refer\r\n"
#define ACTIVE "Subscription-State: active;expires=60\r\n"
#define OVER   "Subscription-State: terminated;reason=noresource\r\n"
#define FRAG   "Content-Type: message/sipfrag;version=2.0\r\n"

static struct {
	unsigned told, last;
	int refer, notify;
	bool frees;
	struct kit *k;
} seen;

static void on_referral(void *arg, int refer_code, int notify_code, bool last)
{
	struct kit *k = arg;

	assert_int_equal(seen.last, 0);
	seen.told++;
	seen.last += last;
	seen.refer = refer_code;
	seen.notify = notify_code;
	if (seen.frees) {
		leg_free(k->leg);
		k->leg = NULL;
	}
}

static const struct leg_events refer_events = { .answered = kit_answered,
						.digit = kit_digit,
						.held = kit_held,
						.referral = on_referral,
						.ended = kit_ended };

static struct kit *call(void)
{
	struct kit *k = kit_call();

	memset(&seen, 0, sizeof(seen));
	leg_own(k->leg, &refer_events, k);
	return k;
}

/* A call whose REFER is out, and its index among our requests. */
static struct kit *referred(unsigned *at)
{
	struct kit *k = call();

	*at = k->fw->n_requests;
	assert_int_equal(leg_refer(k->leg, TO), 0);
	assert_int_equal(k->fw->n_requests, *at + 1);
	assert_int_equal(seen.told, 0);
	return k;
}

static int notify(struct kit *k, const char *headers, const char *body)
{
	char all[600];

	snprintf(all, sizeof(all), "%s%s", headers, body ? FRAG : "");
	kit_send(k, "NOTIFY", all, body);
	return kit_final(k, k->transaction);
}

static void check_told(unsigned told, int refer, int notified, bool last)
{
	assert_int_equal(seen.told, told);
	assert_int_equal(seen.refer, refer);
	assert_int_equal(seen.notify, notified);
	assert_int_equal(seen.last, last);
}

static void the_party_is_asked_and_its_notifys_are_told(void **state)
{
	unsigned at;
	struct kit *k = referred(&at);

	(void)state;
	assert_string_equal(k->fw->requests[at].method, "REFER");
	assert_non_null(strstr(k->fw->requests[at].headers, "\r\nRefer-To: " TO "\r\n"));
	assert_non_null(strstr(k->fw->requests[at].headers, "\r\nContact: <sip:"));
	kit_response(k, at, 100, NULL, NULL);
	assert_int_equal(seen.told, 0);
	kit_response(k, at, 202, NULL, NULL);
	check_told(1, 202, 0, false);
	kit_response(k, at, 202, NULL, NULL);
	assert_int_equal(seen.told, 1);
	assert_int_equal(notify(k, REFER ACTIVE, "SIP/2.0 100 Trying\r\n"), 200);
	check_told(2, 202, 100, false);
	assert_int_equal(notify(k, REFER ACTIVE, "SIP/2.0 180 Ringing"), 200);
	check_told(3, 202, 180, false);
	assert_int_equal(notify(k, REFER OVER, "SIP/2.0 200 OK\r\n"), 200);
	check_told(4, 202, 200, true);
	assert_int_equal(notify(k, REFER OVER, "SIP/2.0 200 OK\r\n"), 481);
	kit_done(k);
}

static void what_ends_before_the_subscription_is_told_once(void **state)
{
	unsigned at;
	struct kit *k = referred(&at);

	(void)state;
	kit_response(k, at, 200, NULL, NULL);
	assert_int_equal(notify(k, REFER ACTIVE, "SIP/2.0 486 Busy Here\r\n"), 200);
	check_told(2, 200, 486, true);
	assert_int_equal(notify(k, REFER OVER, NULL), 200);
	assert_int_equal(notify(k, REFER OVER, NULL), 481);
	fake_advance(k->fw, 400000);
	assert_int_equal(seen.told, 2);
	kit_done(k);
}

static void a_refusal_is_the_end(void **state)
{
	unsigned at;
	struct kit *k = referred(&at);

	(void)state;
	kit_response(k, at, 405, NULL, NULL);
	check_told(1, 405, 0, true);
	assert_int_equal(notify(k, REFER ACTIVE, "SIP/2.0 100 Trying\r\n"), 481);
	assert_int_equal(leg_state(k->leg), LEG_CONFIRMED);
	/* And the next one is a request of its own. */
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(leg_refer(k->leg, TO), 0);
	kit_response(k, at, 405, NULL, NULL);
	assert_int_equal(seen.told, 0);
	kit_response(k, at + 1, 603, NULL, NULL);
	check_told(1, 603, 0, true);
	kit_done(k);
}

static void a_party_that_knows_no_dialog_ends_the_leg(void **state)
{
	unsigned at;
	struct kit *k = referred(&at);

	(void)state;
	kit_response(k, at, 481, NULL, NULL);
	fake_run(k->fw);
	check_told(1, 481, 0, false);
	assert_int_equal(k->ended, 1);
	assert_int_equal(k->why, LEG_END_TRANSPORT);
	kit_done(k);
}

static void a_notify_may_overtake_the_202(void **state)
{
	unsigned at;
	struct kit *k = referred(&at);

	(void)state;
	assert_int_equal(notify(k, REFER ACTIVE, "SIP/2.0 100 Trying\r\n"), 200);
	assert_int_equal(notify(k, REFER OVER, "SIP/2.0 200 OK\r\n"), 200);
	assert_int_equal(seen.told, 0);
	kit_response(k, at, 202, NULL, NULL);
	check_told(1, 202, 200, true);
	kit_done(k);
}

static void a_notify_that_is_not_of_the_refer_changes_nothing(void **state)
{
	static const struct {
		const char *headers, *body;
		int code;
	} rows[] = {
		{ "Event: message-summary\r\n" OVER, "SIP/2.0 200 OK\r\n", 489 },
		{ OVER, "SIP/2.0 200 OK\r\n", 489 },
		{ "Event: refer-to\r\n" OVER, "SIP/2.0 200 OK\r\n", 489 },
		{ "Event: refer;id=999999\r\n" OVER, "SIP/2.0 200 OK\r\n", 481 },
		{ REFER OVER, "200 OK", 400 },
		{ REFER OVER, "SIP/2.0 2", 400 },
		{ REFER OVER, "SIP/2.0 2000 OK", 400 },
		{ REFER OVER, "SIP/2.0 900 OK", 400 },
		{ REFER OVER, "INVITE sip:a@b SIP/2.0\r\n", 400 },
	};
	unsigned at;
	struct kit *k = referred(&at);

	(void)state;
	kit_response(k, at, 202, NULL, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(notify(k, rows[i].headers, rows[i].body), rows[i].code);
	kit_send(k, "NOTIFY", REFER OVER "Content-Type: text/plain\r\n", "SIP/2.0 200 OK\r\n");
	assert_int_equal(kit_final(k, k->transaction), 415);
	assert_int_equal(seen.told, 1);
	assert_int_equal(notify(k, "o: Refer\r\n" OVER, "SIP/2.0 603 Decline\r\n"), 200);
	check_told(2, 202, 603, true);
	kit_done(k);
}

static void the_id_is_the_cseq_of_the_refer(void **state)
{
	char headers[200];
	unsigned at;
	struct kit *k = referred(&at);
	const char *cseq = strstr(k->fw->requests[at].headers, "CSeq: ");

	(void)state;
	kit_response(k, at, 202, NULL, NULL);
	snprintf(headers, sizeof(headers), "Event: refer;id=%d\r\n" OVER, atoi(cseq + 6));
	assert_int_equal(notify(k, headers, "SIP/2.0 200 OK\r\n"), 200);
	check_told(2, 202, 200, true);
	kit_done(k);
}

static void every_silence_of_the_party_has_an_end(void **state)
{
	unsigned at;
	struct kit *k = referred(&at);

	(void)state;
	fake_advance(k->fw, 31999);
	assert_int_equal(seen.told, 0);
	fake_advance(k->fw, 1);
	check_told(1, 408, 0, true);
	kit_response(k, at, 202, NULL, NULL); /* too late */
	assert_int_equal(seen.told, 1);
	kit_done(k);

	k = referred(&at);
	fake_advance(k->fw, 31000);
	kit_response(k, at, 202, NULL, NULL);
	fake_advance(k->fw, 31999);
	assert_int_equal(seen.last, 0);
	fake_advance(k->fw, 1);
	check_told(2, 202, 0, true);
	kit_done(k);

	k = referred(&at);
	kit_response(k, at, 202, NULL, NULL);
	notify(k, REFER ACTIVE, "SIP/2.0 100 Trying\r\n");
	fake_advance(k->fw, 100000);
	notify(k, REFER ACTIVE, "SIP/2.0 180 Ringing\r\n"); /* does not prolong it */
	fake_advance(k->fw, 79999);
	assert_int_equal(seen.last, 0);
	fake_advance(k->fw, 1);
	check_told(4, 202, 180, true);
	assert_int_equal(notify(k, REFER OVER, "SIP/2.0 200 OK\r\n"), 481);
	kit_done(k);
}

static void a_subscription_that_ends_without_an_outcome_is_the_end(void **state)
{
	unsigned at;
	struct kit *k = referred(&at);

	(void)state;
	kit_response(k, at, 202, NULL, NULL);
	assert_int_equal(notify(k, REFER OVER, "SIP/2.0 100 Trying\r\n"), 200);
	check_told(2, 202, 100, true);
	kit_done(k);
}

static void the_refer_waits_for_the_ack_of_the_200(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	memset(&seen, 0, sizeof(seen));
	kit_invite(k, NULL, KIT_SDP);
	leg_own(k->leg, &refer_events, k);
	assert_int_equal(leg_refer(k->leg, TO), -EINVAL);
	leg_ring(k->leg);
	leg_answer(k->leg);
	k->fw->ng_auto = true;
	fake_run(k->fw);
	snprintf(k->our_tag, sizeof(k->our_tag), "%s", fake_last_reply(k->fw)->to_tag);
	assert_int_equal(leg_refer(k->leg, TO), 0);
	assert_int_equal(fake_count_requests(k->fw, "REFER"), 0);
	kit_ack(k, NULL);
	assert_int_equal(fake_count_requests(k->fw, "REFER"), 1);
	kit_response(k, k->fw->n_requests - 1, 202, NULL, NULL);
	check_told(1, 202, 0, false);
	kit_done(k);
}

static void one_runs_at_a_time_and_the_leg_s_end_is_its_end(void **state)
{
	unsigned at;
	struct kit *k = referred(&at);

	(void)state;
	assert_int_equal(leg_refer(k->leg, TO), -EINVAL);
	kit_response(k, at, 202, NULL, NULL);
	kit_send(k, "BYE", NULL, NULL);
	fake_run(k->fw);
	assert_int_equal(k->ended, 1);
	assert_int_equal(notify(k, REFER OVER, "SIP/2.0 200 OK\r\n"), 481);
	assert_int_equal(leg_refer(k->leg, TO), -EINVAL);
	fake_advance(k->fw, 400000);
	check_told(1, 202, 0, false);
	kit_done(k);
}

static void a_refer_that_cannot_be_sent_is_told(void **state)
{
	struct kit *k = call();

	(void)state;
	k->fw->fail_request = -EIO;
	assert_true(leg_refer(k->leg, TO) < 0);
	assert_int_equal(seen.told, 0);
	k->fw->fail_request = 0;
	assert_int_equal(leg_refer(k->leg, "<sip:a@b>\r\nX: y"), -EINVAL);
	assert_int_equal(leg_refer(k->leg, TO), 0);
	fake_request_sent(k->fw, k->fw->n_requests - 1, -EPROTO);
	check_told(1, 0, 0, true);
	assert_int_equal(leg_state(k->leg), LEG_CONFIRMED);
	/* What was answered was sent, whatever Kamailio says of it later. */
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(leg_refer(k->leg, TO), 0);
	kit_response(k, k->fw->n_requests - 1, 202, NULL, NULL);
	fake_request_sent(k->fw, k->fw->n_requests - 1, -ETIMEDOUT);
	check_told(1, 202, 0, false);
	kit_done(k);
}

static void the_owner_may_free_the_leg_when_it_hears_of_it(void **state)
{
	unsigned at;
	struct kit *k = referred(&at);

	(void)state;
	seen.frees = true;
	kit_response(k, at, 603, NULL, NULL);
	assert_null(k->leg);
	kit_done(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_party_is_asked_and_its_notifys_are_told),
		cmocka_unit_test(what_ends_before_the_subscription_is_told_once),
		cmocka_unit_test(a_refusal_is_the_end),
		cmocka_unit_test(a_party_that_knows_no_dialog_ends_the_leg),
		cmocka_unit_test(a_notify_may_overtake_the_202),
		cmocka_unit_test(a_notify_that_is_not_of_the_refer_changes_nothing),
		cmocka_unit_test(the_id_is_the_cseq_of_the_refer),
		cmocka_unit_test(every_silence_of_the_party_has_an_end),
		cmocka_unit_test(a_subscription_that_ends_without_an_outcome_is_the_end),
		cmocka_unit_test(the_refer_waits_for_the_ack_of_the_200),
		cmocka_unit_test(one_runs_at_a_time_and_the_leg_s_end_is_its_end),
		cmocka_unit_test(a_refer_that_cannot_be_sent_is_told),
		cmocka_unit_test(the_owner_may_free_the_leg_when_it_hears_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
