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

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(an_attended_transfer_joins_the_other_two),
		kit_test(who_is_hanging_up_is_no_target_of_a_transfer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
