/* <Dial> and the calls that it makes (dial.h, bridge.h, transfer.h), on a fake leg. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/bridge.h"
#include "call/call.h"
#include "call/call_kit.h"

#define BOB   "<Sip>sip:bob@192.0.2.20</Sip>"
#define CAROL "<Sip>sip:carol@192.0.2.30</Sip>"

static struct leg *alice; /* the caller's leg; those that it dials are kit.leg[1] and on */

static void caller(const char *document, bool answered)
{
	alice = kit_call();
	kit_twiml(document);
	if (answered)
		kit_answered(alice);
}

static void answers(struct leg *leg)
{
	leg->state = LEG_CONFIRMED;
	leg->events->answered(leg->arg);
}

static void dialled(const char *document)
{
	caller(document, true);
	assert_true(kit.n_legs > 1);
}

static void connected(const char *attributes)
{
	char *document = NULL;

	assert_true(asprintf(&document, "<Dial %s>" BOB "</Dial><Say>after</Say>", attributes) > 0);
	dialled(document);
	free(document);
	answers(kit.leg[1]);
	assert_ptr_equal(alice->peer, kit.leg[1]);
}

/* What the last request of /d was told. */
static const char *told(const char *name)
{
	for (unsigned i = kit.fw->n_fetches; i-- > 0;)
		if (!strcmp(kit.fw->fetches[i]->url, "http://app/d"))
			return kit_param(kit.fw->fetches[i], name);
	return NULL;
}

static unsigned bridges(enum store_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < kit.fw->n_stored; i++)
		n += kit.fw->stored[i]->kind == kind;
	return n;
}

static void finish(void)
{
	kit_hangs_up(alice);
	for (unsigned i = 0; i < 20; i++) {
		kit_deliver();
		kit_turn();
	}
}

static void the_ring_tone_ends_when_the_party_is_there(void **state)
{
	(void)state;
	dialled("<Dial>" BOB "</Dial>");
	assert_true(kit_playing(alice));
	answers(kit.leg[1]);
	assert_false(kit_playing(alice));
	assert_ptr_equal(alice->peer, kit.leg[1]);
	finish();
	assert_int_equal(kit.leg[1]->state, LEG_ENDED);
}

static void of_two_answers_in_one_turn_the_second_is_hung_up(void **state)
{
	(void)state;
	dialled("<Dial action=\"/d\">" BOB CAROL "</Dial>");
	answers(kit.leg[1]);
	kit.leg[2]->end_due = false; /* its 200 crossed our CANCEL */
	kit.leg[2]->state = LEG_CONFIRMED;
	assert_ptr_equal(alice->peer, kit.leg[1]);
	kit_end(kit.leg[2], LEG_END_REMOTE_BYE, 200);
	kit_turn();
	assert_null(told("DialCallStatus"));
	kit_hangs_up(kit.leg[1]);
	assert_string_equal(told("DialCallStatus"), "completed");
	kit_twiml("<Hangup/>");
	kit_turn();
	finish();
}

static void the_best_of_several_refusals_is_told(void **state)
{
	(void)state;
	dialled("<Dial action=\"/d\">" BOB CAROL "</Dial>");
	kit_end(kit.leg[1], LEG_END_REFUSED, 486);
	kit_turn();
	assert_null(told("DialCallStatus"));
	kit_end(kit.leg[2], LEG_END_REFUSED, 404);
	kit_turn();
	assert_string_equal(told("DialCallStatus"), "busy");
	assert_string_equal(told("DialSipResponseCode"), "486");
	assert_string_equal(told("DialBridged"), "false");
	kit_twiml("<Hangup/>");
	kit_turn();
	finish();
}

static void the_star_key_ends_all_that_rings(void **state)
{
	(void)state;
	dialled("<Dial hangupOnStar=\"true\" sequential=\"true\" action=\"/d\">" BOB CAROL
		"</Dial>");
	assert_int_equal(kit.n_legs, 2);
	kit_digits(alice, "12*");
	kit_turn();
	assert_int_equal(kit.n_legs, 2); /* nobody else is dialled */
	assert_string_equal(told("DialCallStatus"), "canceled");
	kit_twiml("<Hangup/>");
	kit_turn();
	finish();
}

static void a_document_of_dials_to_nobody_ends(void **state)
{
	char document[4000] = "";

	(void)state;
	for (int i = 0; i < 100; i++)
		strcat(document, "<Dial></Dial>");
	caller(document, true);
	kit_turn();
	assert_string_equal(kit_status(), "completed");
	finish();
}

static void the_caller_of_a_dial_hangs_up_and_its_action_hears_of_it_once(void **state)
{
	unsigned before;

	(void)state;
	connected("action=\"/d\"");
	before = kit.fw->n_fetches;
	kit_hangs_up(alice);
	kit_turn();
	assert_string_equal(told("DialCallStatus"), "completed");
	assert_string_equal(told("CallStatus"), "completed");
	assert_true(kit.fw->n_fetches > before);
	finish();
}

static void the_action_of_a_caller_who_is_gone_can_be_switched_off(void **state)
{
	(void)state;
	kit.fw->config.dial_action_on_hangup = false;
	connected("action=\"/d\"");
	kit_hangs_up(alice);
	kit_turn();
	assert_null(told("DialCallStatus"));
	finish();
}

static void a_bridge_is_a_row_while_it_is_one(void **state)
{
	(void)state;
	connected("");
	assert_int_equal(bridges(STORE_BRIDGE_INSERT), 1);
	alice->events->changed(alice->arg);
	assert_int_equal(bridges(STORE_BRIDGE_INSERT), 2);
	assert_int_equal(bridges(STORE_BRIDGE_DELETE), 0);
	kit_hangs_up(kit.leg[1]);
	assert_int_equal(bridges(STORE_BRIDGE_DELETE), 1);
	finish();
	assert_int_equal(bridges(STORE_BRIDGE_DELETE), 1);
}

static void a_caller_who_was_not_answered_has_a_row_from_the_answer_on(void **state)
{
	(void)state;
	caller("<Dial answerOnBridge=\"true\">" BOB "</Dial>", false);
	assert_int_equal(kit.n_legs, 2);
	answers(kit.leg[1]);
	assert_int_equal(bridges(STORE_BRIDGE_INSERT), 0);
	kit_answered(alice);
	assert_int_equal(bridges(STORE_BRIDGE_INSERT), 1);
	finish();
}

static void a_shutdown_leaves_who_is_connected_talking(void **state)
{
	(void)state;
	connected("");
	calls_free(kit.calls);
	assert_true(alice->abandoned && kit.leg[1]->abandoned);
	assert_false(alice->end_due || kit.leg[1]->end_due);
	assert_int_equal(bridges(STORE_BRIDGE_DELETE), 0);
	kit.calls = calls_new(&kit.fw->world, NULL, NULL); /* for the teardown */
}

static void a_blind_transfer_takes_the_caller_to_refer_url(void **state)
{
	(void)state;
	connected("referUrl=\"/r\" action=\"/d\"");
	kit.leg[1]->events->referred(kit.leg[1]->arg, "<sip:dan@example.com>");
	assert_int_equal(kit.leg[1]->refer_answer, 202);
	assert_int_equal(kit.leg[1]->refer_code, 200);
	assert_string_equal(kit_fetch()->url, "http://app/r");
	assert_string_equal(kit_param(kit_fetch(), "ReferTransferTarget"), "<sip:dan@example.com>");
	kit_turn();
	assert_int_equal(kit.leg[1]->state, LEG_ENDED);
	assert_null(told("DialCallStatus"));
	kit_twiml("<Hangup/>");
	kit_turn();
	finish();
}

static void a_refer_while_it_rings_is_refused(void **state)
{
	(void)state;
	dialled("<Dial referUrl=\"/r\">" BOB "</Dial>");
	alice->events->referred(alice->arg, "<sip:dan@example.com>");
	assert_int_equal(alice->refer_answer, 603);
	assert_non_null(kit_notification(13802));
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(the_ring_tone_ends_when_the_party_is_there),
		kit_test(of_two_answers_in_one_turn_the_second_is_hung_up),
		kit_test(the_best_of_several_refusals_is_told),
		kit_test(the_star_key_ends_all_that_rings),
		kit_test(a_document_of_dials_to_nobody_ends),
		kit_test(the_caller_of_a_dial_hangs_up_and_its_action_hears_of_it_once),
		kit_test(the_action_of_a_caller_who_is_gone_can_be_switched_off),
		kit_test(a_bridge_is_a_row_while_it_is_one),
		kit_test(a_caller_who_was_not_answered_has_a_row_from_the_answer_on),
		kit_test(a_shutdown_leaves_who_is_connected_talking),
		kit_test(a_blind_transfer_takes_the_caller_to_refer_url),
		kit_test(a_refer_while_it_rings_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
