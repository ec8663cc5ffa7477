/* Whom nobody hears, RTPengine does not decode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/leg_kit.h"
#include "call/pair_kit.h"
#include "base/clock.h"

static unsigned blocks(const struct kit *k)
{
	return fake_count_ng(k->fw, "block media");
}

static unsigned lifts(const struct kit *k)
{
	return fake_count_ng(k->fw, "unblock media");
}

static void a_party_that_hears_us_for_four_seconds_is_blocked_once(void **state)
{
	struct kit *k = kit_call();
	const json_t *command;

	(void)state;
	fake_advance(k->fw, 3999);
	assert_int_equal(blocks(k), 0);
	fake_advance(k->fw, 1);
	assert_int_equal(blocks(k), 1);
	command = k->fw->ng[k->fw->n_ng - 1].command;
	assert_string_equal(json_string_value(json_object_get(command, "call-id")), KIT_SID);
	assert_string_equal(json_string_value(json_object_get(command, "from-tag")), KIT_SID);
	fake_advance(k->fw, 30000);
	/* Its re-INVITE changes nothing of that. */
	kit_reinvite(k, NULL, KIT_SDP_OF("sendonly"));
	fake_run(k->fw);
	kit_ack(k, NULL);
	fake_advance(k->fw, 30000);
	assert_int_equal(blocks(k), 1);
	assert_int_equal(lifts(k), 0);
	kit_done(k);
}

static void a_short_call_costs_no_command_more(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	fake_advance(k->fw, 3000);
	leg_hangup(k->leg);
	fake_advance(k->fw, 60000);
	assert_int_equal(blocks(k), 0);
	kit_done(k);
}

static void block_is_not_told_before_the_ack(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	kit_invite(k, NULL, KIT_SDP);
	leg_answer(k->leg);
	fake_run(k->fw);
	fake_advance(k->fw, 5000);
	assert_int_equal(blocks(k), 0);
	kit_done(k);
}

/* What RTPengine says of the party when it is asked. */
static void query_says(struct kit *k, int64_t last_packet)
{
	unsigned i = k->fw->n_ng - 1;

	assert_string_equal(json_string_value(json_object_get(k->fw->ng[i].command, "command")),
			    "query");
	fake_ng_reply(k->fw, i, 0,
		      json_pack("{s:s, s:{s:{s:[{s:[{s:I}]}]}}}", "result", "ok", "tags", KIT_SID,
				"medias", "streams", "last packet", (json_int_t)last_packet));
}

static struct kit *blocked(void)
{
	struct kit *k = kit_call();

	fake_advance(k->fw, 4000);
	assert_int_equal(blocks(k), 1);
	k->fw->ng_auto = false;
	return k;
}

static void hears_nothing(struct kit *k)
{
	struct fake_port *port = fake_last_port(k->fw);

	port->events->silent(port->arg);
}

static void a_blocked_party_that_sends_goes_on(void **state)
{
	struct kit *k = blocked();

	(void)state;
	for (int i = 0; i < 3; i++) {
		hears_nothing(k);
		assert_int_equal(k->ended, 0);
		query_says(k, clock_wall_ms() / 1000 - 1);
	}
	assert_int_equal(k->ended, 0);
	k->fw->ng_auto = true;
	kit_done(k);
}

static void a_blocked_party_that_sends_no_more_is_gone(void **state)
{
	struct kit *k = blocked();

	(void)state;
	hears_nothing(k);
	query_says(k, clock_wall_ms() / 1000 - 60);
	k->fw->ng_auto = true;
	fake_run(k->fw);
	assert_int_equal(k->why, LEG_END_NO_RTP);
	kit_done(k);
}

static void a_blocked_party_that_never_sent_is_gone(void **state)
{
	struct kit *k = blocked();

	(void)state;
	hears_nothing(k);
	query_says(k, 0);
	k->fw->ng_auto = true;
	fake_run(k->fw);
	assert_int_equal(k->why, LEG_END_NO_RTP);
	kit_done(k);
}

/* Where this command came last for this tag, plus one; 0: never. */
static unsigned place(const struct kit *k, const char *command, const char *tag)
{
	for (unsigned i = k->fw->n_ng; i-- > 0;) {
		const json_t *c = k->fw->ng[i].command;
		const char *from = json_string_value(json_object_get(c, "from-tag"));

		if (!strcmp(json_string_value(json_object_get(c, "command")), command) && from &&
		    !strcmp(from, tag))
			return i + 1;
	}
	return 0;
}

static void both_are_heard_before_they_are_joined_and_blocked_again_apart(void **state)
{
	(void)state;
	for (int one = 0; one < 2; one++) {
		struct kit *k;
		unsigned before;

		one_ng_call = one;
		k = both_answered();
		fake_advance(k->fw, 5000);
		assert_int_equal(blocks(k), 2);
		before = k->fw->n_ng;
		k->fw->ng_auto = false;
		assert_int_equal(leg_join(k->leg, bob.leg), 0);
		/* Nothing else is told while it is being lifted. */
		assert_int_equal(lifts(k), 2);
		assert_int_equal(k->fw->n_ng, before + 2);
		fake_run(k->fw);
		assert_int_equal(k->fw->n_ng, before + 2);
		k->fw->ng_auto = true;
		fake_run(k->fw);
		assert_true(k->fw->n_ng > before + 3);
		fake_advance(k->fw, 60000);
		assert_int_equal(blocks(k), 2);
		assert_int_equal(lifts(k), 2);
		leg_leave(k->leg);
		fake_advance(k->fw, 3999);
		assert_int_equal(blocks(k), 2);
		fake_advance(k->fw, 1);
		assert_int_equal(blocks(k), 4);
		done(k);
	}
	one_ng_call = false;
}

static void a_block_that_is_on_its_way_is_lifted_when_it_has_arrived(void **state)
{
	struct kit *k = both_answered();
	unsigned before;

	(void)state;
	k->fw->ng_auto = false;
	fake_advance(k->fw, 4000);
	assert_int_equal(blocks(k), 2);
	before = k->fw->n_ng;
	assert_int_equal(leg_join(k->leg, bob.leg), 0);
	assert_int_equal(k->fw->n_ng, before);
	fake_answer_ng(k->fw);
	assert_int_equal(lifts(k), 2);
	k->fw->ng_auto = true;
	fake_run(k->fw);
	assert_true(place(k, "offer", KIT_SID) > place(k, "unblock media", KIT_SID));
	done(k);
}

static void a_block_without_an_answer_is_lifted_too(void **state)
{
	struct kit *k = both_answered();

	(void)state;
	k->fw->ng_auto = false;
	fake_advance(k->fw, 4000);
	fake_ng_reply(k->fw, place(k, "block media", KIT_SID) - 1, -ETIMEDOUT, NULL);
	k->fw->ng_auto = true;
	fake_run(k->fw);
	assert_int_equal(leg_join(k->leg, bob.leg), 0);
	fake_run(k->fw);
	assert_true(place(k, "unblock media", KIT_SID) > 0);
	assert_int_equal(lifts(k), 2);
	done(k);
}

static void an_rtpengine_that_blocks_nothing_is_asked_no_more(void **state)
{
	struct kit *k = kit_call();
	struct fake_port *port = fake_last_port(k->fw);

	(void)state;
	k->fw->ng_auto = false;
	fake_advance(k->fw, 4000);
	fake_ng_reply(k->fw, k->fw->n_ng - 1, -EPROTO, NULL);
	fake_advance(k->fw, 60000);
	assert_int_equal(blocks(k), 1);
	assert_int_equal(k->ended, 0);
	/* The media worker hears the party, and so knows when it does not. */
	port->events->silent(port->arg);
	k->fw->ng_auto = true;
	fake_run(k->fw);
	assert_int_equal(k->why, LEG_END_NO_RTP);
	kit_done(k);
}

static void a_block_that_cannot_be_lifted_ends_the_call(void **state)
{
	struct kit *k = both_answered();

	(void)state;
	fake_advance(k->fw, 4000);
	k->fw->ng_auto = false;
	assert_int_equal(leg_join(k->leg, bob.leg), 0);
	fake_ng_reply(k->fw, place(k, "unblock media", KIT_SID) - 1, -ETIMEDOUT, NULL);
	k->fw->ng_auto = true;
	fake_run(k->fw);
	assert_int_equal(k->why, LEG_END_MEDIA_FAILURE);
	done(k);
}

static void a_leg_that_ends_while_it_is_told_leaves_nothing(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	k->fw->ng_auto = false;
	fake_advance(k->fw, 4000);
	assert_int_equal(blocks(k), 1);
	leg_hangup(k->leg);
	k->fw->ng_auto = true;
	fake_advance(k->fw, 60000);
	assert_int_equal(fake_count_ng(k->fw, "delete"), 1);
	kit_done(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_party_that_hears_us_for_four_seconds_is_blocked_once),
		cmocka_unit_test(a_short_call_costs_no_command_more),
		cmocka_unit_test(block_is_not_told_before_the_ack),
		cmocka_unit_test(a_blocked_party_that_sends_goes_on),
		cmocka_unit_test(a_blocked_party_that_sends_no_more_is_gone),
		cmocka_unit_test(a_blocked_party_that_never_sent_is_gone),
		cmocka_unit_test(both_are_heard_before_they_are_joined_and_blocked_again_apart),
		cmocka_unit_test(a_block_that_is_on_its_way_is_lifted_when_it_has_arrived),
		cmocka_unit_test(a_block_without_an_answer_is_lifted_too),
		cmocka_unit_test(an_rtpengine_that_blocks_nothing_is_asked_no_more),
		cmocka_unit_test(a_block_that_cannot_be_lifted_ends_the_call),
		cmocka_unit_test(a_leg_that_ends_while_it_is_told_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
