/* Two legs in one NG call: RTPengine is told of both parties, and each packet crosses it once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/pair_kit.h"

static const char *text_of(const json_t *command, const char *key)
{
	return json_string_value(json_object_get(command, key));
}

static const json_t *ng(struct kit *k, unsigned index)
{
	assert_true(index < k->fw->n_ng);
	return k->fw->ng[index].command;
}

/* This command of the last two, from one tag to the other one. */
static void assert_ng(struct kit *k, unsigned index, const char *command, const char *from,
		      const char *to)
{
	assert_string_equal(text_of(ng(k, index), "command"), command);
	assert_string_equal(text_of(ng(k, index), "call-id"), KIT_SID);
	assert_string_equal(text_of(ng(k, index), "from-tag"), from);
	assert_string_equal(text_of(ng(k, index), "to-tag"), to);
}

static void assert_linked(struct kit *k)
{
	unsigned n = k->fw->n_ng;
	const char *from = text_of(ng(k, n - 1), "from-tag");
	bool from_alice = !strcmp(from, KIT_SID);

	assert_ng(k, n - 2, "offer", from_alice ? KIT_SID : OTHER_SID,
		  from_alice ? OTHER_SID : KIT_SID);
	assert_ng(k, n - 1, "answer", from_alice ? KIT_SID : OTHER_SID,
		  from_alice ? OTHER_SID : KIT_SID);
	for (int i = 0; i < 2; i++) {
		const json_t *flags = json_object_get(ng(k, n - 2 + (unsigned)i), "flags"), *flag;
		bool strict = false;
		size_t at;

		assert_string_equal(json_string_value(json_array_get(flags, 0)), "port latching");
		json_array_foreach(flags, at, flag)
		{
			assert_string_not_equal(json_string_value(flag), "asymmetric");
			strict |= !strcmp(json_string_value(flag), "strict source");
		}
		assert_true(strict);
		assert_false(k->fw->ports[i]->sending);
	}
}

static void both_parties_are_told_of_each_other_by_two_commands(void **state)
{
	struct kit *k = kit_call();
	unsigned before;

	(void)state;
	call_bob(k, false);
	bob_says(k, bob_invite, 200, KIT_SDP_OF("sendrecv"));
	fake_run(k->fw);
	before = k->fw->n_ng;
	assert_int_equal(leg_join(k->leg, bob.leg), 0);
	fake_run(k->fw);
	assert_int_equal(k->fw->n_ng, before + 2);
	assert_linked(k);
	assert_string_equal(text_of(ng(k, before), "transport protocol"), "RTP/AVP");
	/* Alice offered PCMA too, and was told PCMU. */
	assert_non_null(strstr(text_of(ng(k, before), "sdp"), "m=audio 4000 RTP/AVP 0 101\r\n"));
	assert_string_equal(text_of(ng(k, before + 1), "sdp"), KIT_SDP_OF("sendrecv"));
	done(k);
}

static void who_leaves_is_told_of_our_side_again(void **state)
{
	struct kit *k = joined();

	(void)state;
	leg_leave(k->leg);
	fake_run(k->fw);
	assert_int_equal(own_port(k, KIT_SID, "answer"), k->fw->ports[0]->number);
	assert_true(k->fw->ports[0]->sending && k->fw->ports[1]->sending);
	assert_int_equal(leg_join(bob.leg, k->leg), 0);
	fake_run(k->fw);
	assert_linked(k);
	done(k);
}

/* The last delete; from is NULL for the whole call. */
static void assert_deleted(struct kit *k, const char *from)
{
	const json_t *command = ng(k, k->fw->n_ng - 1);

	assert_string_equal(text_of(command, "command"), "delete");
	assert_string_equal(text_of(command, "call-id"), KIT_SID);
	if (from)
		assert_string_equal(text_of(command, "from-tag"), from);
	else
		assert_null(json_object_get(command, "from-tag"));
	assert_null(json_object_get(command, "to-tag"));
}

static void the_call_lives_until_the_last_of_them_has_left(void **state)
{
	struct kit *k = joined();

	(void)state;
	k->fw->ng_auto = false;
	leg_hangup(bob.leg);
	assert_deleted(k, OTHER_SID);
	k->fw->ng_auto = true;
	fake_run(k->fw);
	assert_true(k->fw->ports[0]->sending);
	bob_says(k, k->fw->n_requests - 1, 200, NULL);
	leg_free(bob.leg);
	bob.leg = NULL;
	fake_run(k->fw);
	leg_hangup(k->leg);
	assert_deleted(k, NULL);
	done(k);
}

static void who_never_answered_goes_by_our_side_s_tag(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	call_bob(k, false);
	leg_hangup(bob.leg);
	assert_deleted(k, "i" OTHER_SID);
	bob_says(k, bob_invite, 487, NULL);
	done(k);
}

static void the_called_stays_when_the_caller_goes(void **state)
{
	struct kit *k = joined();

	(void)state;
	leg_hangup(k->leg);
	fake_run(k->fw);
	assert_int_equal(own_port(k, OTHER_SID, "offer"), k->fw->ports[1]->number);
	assert_int_equal(bob.ended, 0);
	assert_true(k->fw->ports[1]->sending);
	done(k);
}

static void an_offer_of_a_party_is_negotiated_with_our_side_and_linked_again(void **state)
{
	struct kit *k = joined();
	unsigned before = k->fw->n_ng;

	(void)state;
	kit_reinvite(k, NULL, KIT_SDP_OF("sendonly"));
	fake_run(k->fw);
	assert_int_equal(kit_final(k, k->transaction), 200);
	assert_ng(k, before, "offer", KIT_SID, "i" KIT_SID);
	assert_ng(k, before + 1, "answer", KIT_SID, "i" KIT_SID);
	assert_linked(k);
	/* The hold is shown without a word to RTPengine, which goes on meanwhile. */
	before = k->fw->n_ng;
	kit_ack(k, NULL);
	fake_run(k->fw);
	assert_int_equal(k->fw->n_ng, before);
	bob_says(k, k->fw->n_requests - 1, 200, KIT_SDP_OF("recvonly"));
	fake_run(k->fw);
	assert_ng(k, before, "offer", "i" OTHER_SID, OTHER_SID);
	assert_ng(k, before + 1, "answer", "i" OTHER_SID, OTHER_SID);
	assert_linked(k);
	done(k);
}

static void a_party_with_more_than_audio_is_joined_by_our_sides(void **state)
{
	struct kit *k = joined();

	(void)state;
	kit_reinvite(k, NULL, KIT_SDP "m=video 4002 RTP/AVP 96\r\n");
	fake_run(k->fw);
	kit_ack(k, NULL);
	fake_run(k->fw);
	assert_int_equal(own_port(k, KIT_SID, "answer"), k->fw->ports[1]->peer);
	assert_int_equal(own_port(k, OTHER_SID, "offer"), k->fw->ports[0]->peer);
	kit_reinvite(k, NULL, KIT_SDP);
	fake_run(k->fw);
	kit_ack(k, NULL);
	fake_run(k->fw);
	assert_linked(k);
	done(k);
}

static void two_that_were_offered_and_cannot_be_linked_come_to_rest(void **state)
{
	struct kit *k = joined();
	unsigned before;

	(void)state;
	/* Our offer in the 200, and alice's answer in the ACK. */
	kit_reinvite(k, NULL, NULL);
	fake_run(k->fw);
	kit_ack(k, KIT_SDP "m=video 4002 RTP/AVP 96\r\n");
	fake_run(k->fw);
	before = k->fw->n_ng;
	assert_true(before < 40);
	assert_int_equal(own_port(k, KIT_SID, "offer"), k->fw->ports[1]->peer);
	assert_int_equal(own_port(k, OTHER_SID, "offer"), k->fw->ports[0]->peer);
	kit_reinvite(k, NULL, NULL);
	fake_run(k->fw);
	kit_ack(k, KIT_SDP);
	fake_run(k->fw);
	assert_linked(k);
	done(k);
}

static void a_party_that_leaves_while_rtpengine_is_told_is_forgotten(void **state)
{
	(void)state;
	/* At the offer, at its answer; who called or who was called; ended, or just gone. */
	for (int i = 0; i < 8; i++) {
		struct kit *k = kit_call();
		struct leg *one;

		call_bob(k, false);
		bob_says(k, bob_invite, 200, KIT_SDP_OF("sendrecv"));
		fake_run(k->fw);
		k->fw->ng_auto = false;
		assert_int_equal(leg_join(k->leg, bob.leg), 0);
		if (i & 1)
			fake_ng_reply(k->fw, k->fw->n_ng - 1, 0,
				      fake_ng_ok(&k->fw->ng[k->fw->n_ng - 1]));
		one = i & 2 ? k->leg : bob.leg;
		if (i & 4)
			leg_leave(one);
		else
			leg_hangup(one);
		k->fw->ng_auto = true;
		fake_run(k->fw);
		assert_true(k->fw->ports[i & 2 ? 1 : 0]->sending);
		assert_int_equal(k->ended + bob.ended, i & 4 ? 0 : 1);
		done(k);
	}
}

static void of_two_that_cannot_be_linked_one_goes_and_the_other_is_ours(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct kit *k = kit_call();
		unsigned n;

		call_bob(k, false);
		bob_says(k, bob_invite, 200, KIT_SDP_OF("sendrecv"));
		fake_run(k->fw);
		k->fw->ng_auto = false;
		assert_int_equal(leg_join(k->leg, bob.leg), 0);
		n = k->fw->n_ng - 1;
		if (i) {
			fake_ng_reply(k->fw, n, 0, fake_ng_ok(&k->fw->ng[n]));
			n++;
		}
		fake_ng_reply(k->fw, n, -ETIMEDOUT, NULL);
		k->fw->ng_auto = true;
		fake_run(k->fw);
		assert_int_equal(k->ended + bob.ended, 1);
		assert_true(k->fw->ports[k->ended]->sending);
		done(k);
	}
}

static void a_shutdown_forgets_what_rtpengine_was_being_told(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct kit *k = kit_call();

		call_bob(k, false);
		bob_says(k, bob_invite, 200, KIT_SDP_OF("sendrecv"));
		fake_run(k->fw);
		k->fw->ng_auto = false;
		assert_int_equal(leg_join(k->leg, bob.leg), 0);
		leg_abandon(i ? k->leg : bob.leg);
		leg_abandon(i ? bob.leg : k->leg);
		bob.leg = k->leg = NULL;
		done(k);
	}
}

/* The last command about a leg is the one that names our side, whose port is this. */
static void assert_ours_last(struct kit *k, const char *sid, unsigned port)
{
	const char *m;
	unsigned i = k->fw->n_ng;

	while (i-- > 0) {
		const char *from = text_of(ng(k, i), "from-tag"), *to = text_of(ng(k, i), "to-tag");

		if (strcmp(from + (*from == 'i'), sid) && strcmp(to + (*to == 'i'), sid))
			continue;
		/* An offer of ours is followed by the party's answer to it. */
		if (*from == 'i' && !strcmp(text_of(ng(k, i), "command"), "answer"))
			continue;
		assert_true(*from == 'i' || *to == 'i');
		m = strstr(text_of(ng(k, i), "sdp"), "m=audio ");
		assert_non_null(m);
		assert_int_equal(atoi(m + 8), port);
		return;
	}
	fail_msg("RTPengine was told nothing of %s", sid);
}

static void a_refresh_that_waited_keeps_nothing_back(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	call_bob(k, false);
	bob_says(k, bob_invite, 200, KIT_SDP_OF("sendrecv"));
	fake_run(k->fw);
	k->fw->ng_auto = false;
	assert_int_equal(leg_join(k->leg, bob.leg), 0);
	/* The same offer again has the same answer, but not while RTPengine is busy; and they part
	 * meanwhile. */
	kit_reinvite(k, NULL, KIT_SDP);
	leg_leave(k->leg);
	k->fw->ng_auto = true;
	fake_run(k->fw);
	assert_int_equal(kit_final(k, k->transaction), 200);
	kit_ack(k, NULL);
	fake_run(k->fw);
	assert_ours_last(k, KIT_SID, k->fw->ports[0]->number);
	assert_ours_last(k, OTHER_SID, k->fw->ports[1]->number);
	done(k);
}

static void two_that_waited_to_be_linked_and_cannot_be_any_more_hear_each_other(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	call_bob(k, false);
	bob_says(k, bob_invite, 200, KIT_SDP_OF("sendrecv"));
	fake_run(k->fw);
	k->fw->ng_auto = false;
	kit_reinvite(k, NULL, KIT_SDP "m=video 4002 RTP/AVP 96\r\n");
	assert_int_equal(leg_join(k->leg, bob.leg), 0);
	k->fw->ng_auto = true;
	fake_run(k->fw);
	kit_ack(k, NULL);
	fake_run(k->fw);
	assert_ours_last(k, KIT_SID, k->fw->ports[1]->peer);
	assert_ours_last(k, OTHER_SID, k->fw->ports[0]->peer);
	done(k);
}

static void an_offer_that_rtpengine_takes_half_of_changes_nothing(void **state)
{
	struct kit *k = joined();
	unsigned n;

	(void)state;
	k->fw->ng_auto = false;
	kit_reinvite(k, NULL, KIT_SDP "m=video 4002 RTP/AVP 96\r\n");
	n = k->fw->n_ng;
	fake_ng_reply(k->fw, n - 1, 0, fake_ng_ok(&k->fw->ng[n - 1]));
	fake_ng_reply(k->fw, n, -EPROTO, NULL);
	k->fw->ng_auto = true;
	fake_run(k->fw);
	assert_int_equal(kit_final(k, k->transaction), 488);
	kit_ack(k, NULL);
	fake_run(k->fw);
	assert_linked(k);
	assert_int_equal(k->ended + bob.ended, 0);
	done(k);
}

static void a_command_that_cannot_be_sent_ends_a_leg_and_no_more(void **state)
{
	struct kit *k = joined();
	unsigned n;

	(void)state;
	/* They cannot be linked any more, and RTPengine cannot be told of it. */
	k->fw->ng_auto = false;
	kit_reinvite(k, NULL, NULL);
	n = k->fw->n_ng;
	fake_ng_reply(k->fw, n - 1, 0, fake_ng_ok(&k->fw->ng[n - 1]));
	kit_ack(k, KIT_SDP "m=video 4002 RTP/AVP 96\r\n");
	k->fw->fail_next_ng = 2;
	fake_ng_reply(k->fw, n, 0, fake_ng_ok(&k->fw->ng[n]));
	k->fw->ng_auto = true;
	fake_run(k->fw);
	assert_int_equal(k->ended + bob.ended, 2);
	done(k);
}

static void of_a_link_that_breaks_off_one_goes_and_the_other_may_go_at_once(void **state)
{
	struct kit *k = kit_call();
	unsigned n;

	(void)state;
	call_bob(k, false);
	bob_says(k, bob_invite, 200, KIT_SDP_OF("sendrecv"));
	fake_run(k->fw);
	k->fw->ng_auto = false;
	assert_int_equal(leg_join(k->leg, bob.leg), 0);
	n = k->fw->n_ng;
	k->fw->fail_next_ng = 1;
	fake_ng_reply(k->fw, n - 1, 0, fake_ng_ok(&k->fw->ng[n - 1]));
	fake_run(k->fw);
	assert_int_equal(bob.ended, 1);
	/* Who stays is told of our side; that is still under way when its dialog is over. */
	leg_free(k->leg);
	k->leg = NULL;
	fake_run(k->fw);
	kit_response(k, k->fw->n_requests - 1, 200, NULL, NULL);
	k->fw->ng_auto = true;
	fake_run(k->fw);
	done(k);
}

static int beside(void **state)
{
	(void)state;
	one_ng_call = true;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_parties_are_told_of_each_other_by_two_commands),
		cmocka_unit_test(who_leaves_is_told_of_our_side_again),
		cmocka_unit_test(the_call_lives_until_the_last_of_them_has_left),
		cmocka_unit_test(who_never_answered_goes_by_our_side_s_tag),
		cmocka_unit_test(the_called_stays_when_the_caller_goes),
		cmocka_unit_test(an_offer_of_a_party_is_negotiated_with_our_side_and_linked_again),
		cmocka_unit_test(a_party_with_more_than_audio_is_joined_by_our_sides),
		cmocka_unit_test(two_that_were_offered_and_cannot_be_linked_come_to_rest),
		cmocka_unit_test(a_party_that_leaves_while_rtpengine_is_told_is_forgotten),
		cmocka_unit_test(of_two_that_cannot_be_linked_one_goes_and_the_other_is_ours),
		cmocka_unit_test(a_refresh_that_waited_keeps_nothing_back),
		cmocka_unit_test(
			two_that_waited_to_be_linked_and_cannot_be_any_more_hear_each_other),
		cmocka_unit_test(an_offer_that_rtpengine_takes_half_of_changes_nothing),
		cmocka_unit_test(a_command_that_cannot_be_sent_ends_a_leg_and_no_more),
		cmocka_unit_test(of_a_link_that_breaks_off_one_goes_and_the_other_may_go_at_once),
		cmocka_unit_test(a_shutdown_forgets_what_rtpengine_was_being_told),
	};

	return cmocka_run_group_tests(tests, beside, NULL);
}
