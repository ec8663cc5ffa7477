/* What two joined legs do to each other, and REFER between them (leg_join.c, leg_transfer.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/pair_kit.h"

static void a_joined_leg_s_side_is_the_other_s_internal_port(void **state)
{
	struct kit *k = joined();

	(void)state;
	/* Alice offered: our answer for her names bob's internal port; bob was offered: our offer.
	 */
	assert_int_equal(own_port(k, KIT_SID, "answer"), k->fw->ports[1]->peer);
	assert_int_equal(own_port(k, OTHER_SID, "offer"), k->fw->ports[0]->peer);
	assert_false(k->fw->ports[0]->sending);
	assert_false(k->fw->ports[1]->sending);
	assert_int_equal(leg_join(k->leg, bob.leg), -EINVAL);
	done(k);
}

/* The flags of the last command of a call by that name. */
static bool last_has_flag(struct kit *k, const char *sid, const char *command, const char *flag)
{
	const json_t *one;
	size_t n;

	for (unsigned i = k->fw->n_ng; i-- > 0;) {
		const json_t *c = k->fw->ng[i].command;

		if (strcmp(json_string_value(json_object_get(c, "call-id")), sid) ||
		    strcmp(json_string_value(json_object_get(c, "command")), command))
			continue;
		json_array_foreach(json_object_get(c, "flags"), n,
				   one) if (!strcmp(json_string_value(one), flag)) return true;
		return false;
	}
	return false;
}

static void rtpengine_learns_the_address_of_a_party_and_never_ours(void **state)
{
	struct kit *k = joined();

	(void)state;
	assert_false(last_has_flag(k, KIT_SID, "offer", "asymmetric")); /* alice's */
	assert_true(last_has_flag(k, KIT_SID, "answer", "asymmetric"));
	assert_true(last_has_flag(k, OTHER_SID, "offer", "asymmetric"));
	assert_false(last_has_flag(k, OTHER_SID, "answer", "asymmetric")); /* bob's */
	done(k);
}

static void who_leaves_is_the_media_worker_s_again(void **state)
{
	struct kit *k = joined();

	(void)state;
	leg_leave(k->leg);
	fake_run(k->fw);
	assert_int_equal(own_port(k, KIT_SID, "answer"), k->fw->ports[0]->number);
	assert_int_equal(own_port(k, OTHER_SID, "offer"), k->fw->ports[1]->number);
	assert_true(k->fw->ports[0]->sending && k->fw->ports[1]->sending);
	leg_leave(k->leg);
	leg_leave(NULL);
	done(k);
}

static void a_leg_that_ends_leaves_by_itself(void **state)
{
	struct kit *k = joined();

	(void)state;
	leg_hangup(bob.leg);
	fake_run(k->fw);
	assert_int_equal(own_port(k, KIT_SID, "answer"), k->fw->ports[0]->number);
	assert_true(k->fw->ports[0]->sending);
	assert_int_equal(bob.ended, 1);
	done(k);
}

static void a_hold_is_shown_to_the_other_and_taken_back(void **state)
{
	struct kit *k = joined();
	unsigned before = k->fw->n_requests;

	(void)state;
	kit_reinvite(k, NULL, KIT_SDP_OF("sendonly"));
	fake_run(k->fw);
	assert_int_equal(kit_final(k, k->transaction), 200);
	kit_ack(k, NULL);
	fake_run(k->fw);
	assert_int_equal(k->fw->n_requests, before + 1);
	assert_string_equal(k->fw->requests[before].method, "INVITE");
	assert_non_null(strstr(k->fw->requests[before].body, "a=sendonly\r\n"));
	bob_says(k, before, 200, KIT_SDP_OF("recvonly"));
	fake_run(k->fw);
	kit_reinvite(k, NULL, KIT_SDP_OF("sendrecv"));
	fake_run(k->fw);
	kit_ack(k, NULL);
	assert_int_equal(k->fw->n_requests, before + 2);
	assert_non_null(strstr(k->fw->requests[before + 1].body, "a=sendrecv\r\n"));
	bob_says(k, before + 1, 200, KIT_SDP_OF("sendrecv"));
	fake_run(k->fw);
	done(k);
}

static void an_offer_while_rtpengine_is_told_waits_for_it(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	call_bob(k, false);
	bob_says(k, bob_invite, 200, KIT_SDP_OF("sendrecv"));
	fake_run(k->fw);
	k->fw->ng_auto = false;
	assert_int_equal(leg_join(k->leg, bob.leg), 0);
	kit_reinvite(k, NULL, KIT_SDP_OF("sendrecv"));
	assert_int_equal(kit_final(k, k->transaction), 0);
	k->fw->ng_auto = true;
	fake_run(k->fw);
	assert_int_equal(kit_final(k, k->transaction), 200);
	kit_ack(k, NULL);
	assert_int_equal(own_port(k, KIT_SID, "answer"), k->fw->ports[1]->peer);
	done(k);
}

static void early_media_reaches_a_caller_who_was_not_answered(void **state)
{
	struct kit *k = kit_new();
	unsigned replies;

	(void)state;
	kit_invite(k, NULL, KIT_SDP);
	leg_ring(k->leg);
	k->fw->ng_auto = true;
	call_bob(k, true);
	bob_says(k, bob_invite, 183, KIT_SDP_OF("sendrecv"));
	fake_run(k->fw);
	assert_int_equal(bob.progressed, 1);
	assert_int_equal(leg_join(k->leg, bob.leg), 0);
	assert_int_equal(leg_progress(k->leg), 0);
	fake_run(k->fw);
	replies = k->fw->n_replies;
	assert_int_equal(fake_last_reply(k->fw)->code, 183);
	assert_non_null(strstr(fake_last_reply(k->fw)->body, "m=audio"));
	assert_int_equal(leg_progress(k->leg), -EINVAL);
	bob_says(k, bob_invite, 200, KIT_SDP_OF("sendrecv"));
	fake_run(k->fw);
	assert_int_equal(leg_answer(k->leg), 0);
	fake_run(k->fw);
	assert_int_equal(k->fw->n_replies, replies + 1);
	assert_int_equal(fake_last_reply(k->fw)->code, 200);
	snprintf(k->our_tag, sizeof(k->our_tag), "%s", fake_last_reply(k->fw)->to_tag);
	kit_ack(k, NULL);
	assert_int_equal(k->answered, 1);
	done(k);
}

/* A request of bob's in his dialog. */
static void bob_sends(struct kit *k, const char *method, unsigned cseq, const char *headers)
{
	const char *h = k->fw->requests[bob_invite].headers;
	const char *from = strstr(h, "From: "), *id = strstr(h, "Call-ID: ");
	struct buf b;

	buf_init(&b, 8192);
	buf_addf(&b,
		 "%s sip:hs@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20;branch=z9hG4bKb%u\r\n"
		 "Max-Forwards: 70\r\nTo: %.*s\r\nFrom: <sip:bob@acme.sip.example.com>" PARTY
		 "\r\n%.*s\r\nCSeq: %u %s\r\n" BOB_CONTACT "%sContent-Length: 0\r\n\r\n",
		 method, cseq, (int)strcspn(from + 6, "\r"), from + 6, (int)strcspn(id, "\r"), id,
		 cseq, method, headers);
	snprintf(k->transaction, sizeof(k->transaction), "%u:99", cseq);
	kit_event(k, "sip.request",
		  json_pack("{s:s,s:s,s:i,s:s,s:s,s:s,s:s,s:s,s:s}", "transaction", k->transaction,
			    "source", "192.0.2.20", "port", 5070, "proto", "udp", "socket",
			    "udp:192.0.2.10:5060", "account", "", "domain", "", "domain_sid", "",
			    "user", ""),
		  b.data);
	buf_done(&b);
}

static void a_refer_is_accepted_and_its_outcome_told(void **state)
{
	struct kit *k = joined();
	unsigned before = k->fw->n_requests;

	(void)state;
	bob.accepts = true;
	bob_sends(k, "REFER", 10, "Refer-To: <sip:carol@example.com?X-A=1>\r\n");
	assert_int_equal(kit_final(k, k->transaction), 202);
	assert_string_equal(bob.refer_to, "<sip:carol@example.com?X-A=1>");
	assert_int_equal(k->fw->n_requests, before + 1);
	assert_string_equal(k->fw->requests[before].method, "NOTIFY");
	assert_non_null(strstr(k->fw->requests[before].headers, "Event: refer\r\n"));
	assert_non_null(strstr(k->fw->requests[before].headers, "Subscription-State: active"));
	assert_non_null(strstr(k->fw->requests[before].headers, "message/sipfrag"));
	assert_string_equal(k->fw->requests[before].body, "SIP/2.0 100 Trying\r\n");
	bob_sends(k, "REFER", 11, "Refer-To: <sip:dan@example.com>\r\n"); /* one at a time */
	assert_int_equal(kit_final(k, k->transaction), 491);
	leg_refer_notify(bob.leg, 200);
	assert_string_equal(k->fw->requests[before + 1].body, "SIP/2.0 200 OK\r\n");
	assert_non_null(strstr(k->fw->requests[before + 1].headers, "terminated"));
	leg_refer_notify(bob.leg, 200); /* once */
	assert_int_equal(k->fw->n_requests, before + 2);
	done(k);
}

static void a_second_refer_of_a_dialog_has_an_id(void **state)
{
	struct kit *k = joined();

	(void)state;
	bob.accepts = true;
	bob_sends(k, "REFER", 10, "Refer-To: <sip:carol@example.com>\r\n");
	leg_refer_notify(bob.leg, 503);
	bob_sends(k, "REFER", 12, "r: <sip:dan@example.com>\r\n");
	assert_int_equal(kit_final(k, k->transaction), 202);
	assert_string_equal(bob.refer_to, "<sip:dan@example.com>");
	assert_non_null(
		strstr(k->fw->requests[k->fw->n_requests - 1].headers, "Event: refer;id=12\r\n"));
	done(k);
}

static void a_refer_nobody_accepts_is_declined(void **state)
{
	struct kit *k = joined();

	(void)state;
	bob_sends(k, "REFER", 10, "Refer-To: <sip:carol@example.com>\r\n");
	assert_int_equal(kit_final(k, k->transaction), 603);
	bob_sends(k, "REFER", 11, "");
	assert_int_equal(kit_final(k, k->transaction), 400);
	done(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_joined_leg_s_side_is_the_other_s_internal_port),
		cmocka_unit_test(rtpengine_learns_the_address_of_a_party_and_never_ours),
		cmocka_unit_test(who_leaves_is_the_media_worker_s_again),
		cmocka_unit_test(a_leg_that_ends_leaves_by_itself),
		cmocka_unit_test(a_hold_is_shown_to_the_other_and_taken_back),
		cmocka_unit_test(an_offer_while_rtpengine_is_told_waits_for_it),
		cmocka_unit_test(early_media_reaches_a_caller_who_was_not_answered),
		cmocka_unit_test(a_refer_is_accepted_and_its_outcome_told),
		cmocka_unit_test(a_second_refer_of_a_dialog_has_an_id),
		cmocka_unit_test(a_refer_nobody_accepts_is_declined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
