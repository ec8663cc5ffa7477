/* REFER with Replaces in <Dial>: who is joined with whom (RFC 3891). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/call_kit.h"

/* A caller, and whom its <Dial> connected it with, as the legs n and n + 1. */
static void connect_pair(unsigned n)
{
	kit_call();
	assert_int_equal(kit.n_legs, n + 1);
	kit_twiml("<Dial referUrl=\"/r\"><Sip>sip:b@192.0.2.1</Sip></Dial>");
	kit_answered(kit.leg[n]);
	assert_int_equal(kit.n_legs, n + 2);
	kit.leg[n + 1]->state = LEG_CONFIRMED;
	kit.leg[n + 1]->events->answered(kit.leg[n + 1]->arg);
	assert_ptr_equal(kit.leg[n]->peer, kit.leg[n + 1]);
}

/* The callee of the first pair, who is the caller of the second, connects the other two. */
static void transfer(void)
{
	kit.leg[1]->events->referred(kit.leg[1]->arg,
				     "<sip:c@x?Replaces=2%3Bto-tag%3Do%3Bfrom-tag%3Dp>");
}

static void an_attended_transfer_joins_the_other_two(void **state)
{
	(void)state;
	connect_pair(0);
	connect_pair(2);
	transfer();
	assert_int_equal(kit.leg[1]->refer_answer, 202);
	assert_ptr_equal(kit.leg[0]->peer, kit.leg[3]);
	assert_true(kit.leg[1]->end_due && kit.leg[2]->end_due);
	kit_turn();
	kit_hangs_up(kit.leg[3]);
	kit_turn();
	assert_int_equal(kit.leg[0]->state, LEG_ENDED);
}

static void who_is_hanging_up_is_no_target_of_a_transfer(void **state)
{
	struct leg *target;

	(void)state;
	connect_pair(0);
	connect_pair(2);
	/* Its BYE came in this turn, and its call does not know yet. */
	target = kit.leg[3];
	target->state = LEG_ENDED;
	transfer();
	assert_int_equal(kit.leg[1]->refer_answer, 603);
	assert_ptr_equal(kit.leg[0]->peer, kit.leg[1]);
	target->events->ended(target->arg, LEG_END_REMOTE_BYE, 200);
	kit_turn();
	assert_false(kit.leg[0]->end_due || kit.leg[1]->end_due);
	kit_hangs_up(kit.leg[0]);
	kit_turn();
}

/* -- blind, with answerOnBridge: who transfers stays until somebody else is connected */

static void again(void **state)
{
	kit_deliver();
	kit_teardown(state);
	kit_setup(state);
}

static void answers(struct leg *leg)
{
	leg->state = LEG_CONFIRMED;
	leg->events->answered(leg->arg);
}

/* Legs 0 and 1 talk in a <Dial>; one of them transfers the other. */
static void refer(unsigned of)
{
	struct leg *leg;

	kit_call();
	kit_twiml("<Dial answerOnBridge=\"true\" referUrl=\"/r\" action=\"/d\">"
		  "<Sip>sip:b@192.0.2.1</Sip></Dial>");
	answers(kit.leg[1]);
	kit_answered(kit.leg[0]);
	assert_ptr_equal(kit.leg[0]->peer, kit.leg[1]);
	leg = kit.leg[of];
	leg->events->referred(leg->arg, "<sip:c@x>");
	assert_int_equal(leg->refer_answer, 202);
	assert_int_equal(leg->refer_code, 0);
	assert_false(leg->end_due);
	assert_null(kit.leg[0]->peer);
	assert_string_equal(kit_fetch()->url, "http://app/r");
	assert_string_equal(kit_param(kit_fetch(), "ReferTransferTarget"), "<sip:c@x>");
}

/* The document says something and connects the transferee with leg 2. */
static void connect_target(struct leg *transferee)
{
	kit_twiml("<Say>a</Say><Dial><Sip>sip:c@192.0.2.1</Sip></Dial>");
	kit_speak(160);
	kit_played(transferee);
	assert_int_equal(kit.n_legs, 3);
	answers(kit.leg[2]);
	assert_ptr_equal(transferee->peer, kit.leg[2]);
}

/* What the last request of /d was told. */
static const char *told(const char *name)
{
	for (unsigned i = kit.fw->n_fetches; i-- > 0;)
		if (!strcmp(kit.fw->fetches[i]->url, "http://app/d"))
			return kit_param(kit.fw->fetches[i], name);
	fail_msg("/d was not asked");
	return NULL;
}

static void the_transferor_goes_when_the_target_is_connected(void **state)
{
	for (unsigned of = 0; of < 2; of++) {
		refer(of);
		connect_target(kit.leg[!of]);
		assert_int_equal(kit.leg[of]->refer_code, 200);
		assert_true(kit.leg[of]->end_due);
		kit_turn();
		assert_false(kit.leg[!of]->end_due || kit.leg[2]->end_due);
		kit_hangs_up(kit.leg[2]);
		kit_turn();
		/* Its document is over, and there is no other one to go back to. */
		assert_int_equal(kit.leg[!of]->state, LEG_ENDED);
		again(state);
	}
}

static void a_transfer_that_fails_is_taken_back(void **state)
{
	static const char *const documents[] = { "", "<Dial/>", "<", NULL };

	for (unsigned i = 0; i < 8; i++) {
		unsigned of = i & 1;

		refer(of);
		if (documents[i / 2])
			kit_twiml(documents[i / 2]);
		else
			kit_reply(500, "text/plain", "no");
		assert_int_equal(kit.leg[of]->refer_code, 503);
		assert_ptr_equal(kit.leg[0]->peer, kit.leg[1]);
		kit_turn();
		assert_false(kit.leg[0]->end_due || kit.leg[1]->end_due);
		assert_int_equal(kit_asked("http://app/fb"), 0);
		/* They are in their <Dial>, whose action is asked, and says how it went. */
		kit_hangs_up(kit.leg[1]);
		assert_string_equal(kit_fetch()->url, "http://app/d");
		assert_string_equal(kit_param(kit_fetch(), "DialCallStatus"), "completed");
		again(state);
	}
}

static void a_target_that_is_busy_brings_the_two_together_again(void **state)
{
	for (unsigned of = 0; of < 2; of++) {
		refer(of);
		kit_twiml("<Dial><Sip>sip:c@192.0.2.1</Sip></Dial>");
		kit_end(kit.leg[2], LEG_END_REFUSED, 486);
		kit_turn();
		assert_int_equal(kit.leg[of]->refer_code, 503);
		assert_ptr_equal(kit.leg[0]->peer, kit.leg[1]);
		assert_false(kit.leg[0]->end_due || kit.leg[1]->end_due);
		/* And they may transfer again. */
		kit.leg[of]->refer_answer = kit.leg[of]->refer_code = 0;
		kit.leg[of]->events->referred(kit.leg[of]->arg, "<sip:d@x>");
		assert_int_equal(kit.leg[of]->refer_answer, 202);
		again(state);
	}
}

static void a_transferee_goes_on_without_a_transferor_that_hung_up(void **state)
{
	for (unsigned of = 0; of < 2; of++) {
		refer(of);
		kit_hangs_up(kit.leg[of]);
		kit_turn();
		assert_false(kit.leg[!of]->end_due);
		/* A caller who is gone had its <Dial>. */
		if (of == 0) {
			assert_string_equal(told("DialCallStatus"), "completed");
			assert_string_equal(told("DialBridged"), "true");
		}
		assert_true(kit_asked("http://app/r"));
		for (unsigned i = 0; i < kit.fw->n_fetches; i++)
			if (!strcmp(kit.fw->fetches[i]->url, "http://app/r"))
				fake_fetch_reply(kit.fw, i, 200, "text/xml",
						 "<Response><Dial><Sip>sip:c@192.0.2.1</Sip></Dial>"
						 "</Response>");
		assert_int_equal(kit.n_legs, 3);
		answers(kit.leg[2]);
		assert_ptr_equal(kit.leg[!of]->peer, kit.leg[2]);
		again(state);
	}
}

static void a_transferee_that_hangs_up_ends_the_dial_of_the_two(void **state)
{
	(void)state;
	/* The caller: the party goes with it. */
	refer(1);
	kit_hangs_up(kit.leg[0]);
	kit_turn();
	assert_int_equal(kit.leg[1]->state, LEG_ENDED);
	assert_string_equal(told("DialCallStatus"), "completed");
	assert_string_equal(told("DialCallSid"), kit.leg[1]->call_sid);
	again(state);
	/* The party: the caller goes on. */
	refer(0);
	kit_hangs_up(kit.leg[1]);
	assert_string_equal(kit_fetch()->url, "http://app/d");
	kit_twiml("<Pause/>");
	assert_false(kit.leg[0]->end_due);
}

static void rest_takes_either_away(void **state)
{
	char sid[64];

	for (unsigned i = 0; i < 4; i++) {
		unsigned of = i & 1, redirected = i / 2;
		int code = 0;

		refer(of);
		snprintf(sid, sizeof(sid), "%s", kit.leg[redirected]->call_sid);
		assert_int_equal(control_run(kit.calls,
					     &(struct call_command){ .account_sid = KIT_ACCOUNT,
								     .call_sid = sid,
								     .url = "http://app/n",
								     .method = "POST" },
					     &code),
				 0);
		kit_turn();
		assert_false(kit.leg[redirected]->end_due);
		assert_int_not_equal(kit.leg[redirected]->state, LEG_ENDED);
		assert_int_equal(kit_asked("http://app/n"), 1);
		/* A caller takes its party along, unless that is the transferee: its document goes
		 * on. */
		assert_int_equal(kit.leg[!redirected]->state == LEG_ENDED,
				 redirected == 0 && of == 1);
		again(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(an_attended_transfer_joins_the_other_two),
		kit_test(who_is_hanging_up_is_no_target_of_a_transfer),
		kit_test(the_transferor_goes_when_the_target_is_connected),
		kit_test(a_transfer_that_fails_is_taken_back),
		kit_test(a_transferee_goes_on_without_a_transferor_that_hung_up),
		kit_test(a_transferee_that_hangs_up_ends_the_dial_of_the_two),
		kit_test(a_target_that_is_busy_brings_the_two_together_again),
		kit_test(rest_takes_either_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
