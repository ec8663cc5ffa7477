/* The initial INVITE: what is answered when, and everything that can come in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/leg_kit.h"
#include "call/leg_state.h"

static void state_table_is_as_the_architecture_says(void **state)
{
	(void)state;
	for (int s = 0; s <= LEG_ENDED; s++) {
		for (int e = 0; e < LEG_EVENTS; e++) {
			int next = leg_step((enum leg_state)s, (enum leg_event)e);

			/* nothing leaves the end; nothing goes back; every live state can end */
			if (s == LEG_ENDED)
				assert_int_equal(next, -1);
			else if (e == LEG_EV_END)
				assert_int_equal(next, LEG_ENDED);
			assert_true(next == -1 || next >= s);
			/* an answer is sent only from ANSWERING */
			if (e == LEG_EV_SENT)
				assert_int_equal(next, s == LEG_ANSWERING ? LEG_ANSWERED : -1);
			if (e == LEG_EV_ANSWER)
				assert_int_equal(next, s < LEG_CALLING ? LEG_ANSWERING : -1);
			if (e == LEG_EV_RING)
				assert_int_equal(next, s < LEG_CALLING ? LEG_RINGING : -1);
			/* what the party answers is of an INVITE of ours */
			if (e == LEG_EV_TAKEN)
				assert_int_equal(next, s == LEG_CALLING || s == LEG_ALERTING
							       ? LEG_CONFIRMED
							       : -1);
			if (e == LEG_EV_ACK)
				assert_int_equal(next, s == LEG_ANSWERED || s == LEG_CONFIRMED
							       ? LEG_CONFIRMED
							       : -1);
		}
		assert_non_null(leg_state_name((enum leg_state)s));
	}
}

static void ringing_costs_no_media_and_sends_no_200(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	kit_invite(k, NULL, KIT_SDP);
	assert_int_equal(k->fw->n_replies, 0);
	assert_int_equal(leg_ring(k->leg), 0);
	assert_int_equal(fake_last_reply(k->fw)->code, 180);
	assert_non_null(strstr(fake_last_reply(k->fw)->headers, "Contact: <sip:"));
	fake_advance(k->fw, 60000);
	assert_int_equal(k->fw->n_replies, 1);
	assert_int_equal(k->fw->n_ng, 0);
	assert_int_equal(k->fw->n_ports, 0);
	assert_int_equal(leg_reject(k->leg, 486, "Busy Here", 0), 0);
	assert_int_equal(k->ended, 0); /* not before its starter returned */
	fake_run(k->fw);
	assert_int_equal(k->ended, 1);
	assert_int_equal(k->why, LEG_END_LOCAL);
	assert_int_equal(k->end_code, 486);
	assert_int_equal(kit_final(k, k->transaction), 486);
	assert_int_equal(k->fw->n_ng, 0);
	kit_done(k);
}

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void an_answer_is_offer_then_answer_then_200_then_media(void **state)
{
	struct kit *k = kit_new();
	const struct fake_reply *ok;
	json_t *offer, *answer;

	(void)state;
	kit_invite(k, NULL, KIT_SDP);
	assert_int_equal(leg_ring(k->leg), 0);
	assert_int_equal(leg_answer(k->leg), 0);
	assert_int_equal(leg_answer(k->leg), -EINVAL);
	assert_int_equal(k->fw->n_ng, 1);
	offer = k->fw->ng[0].command;
	assert_string_equal(text_of(offer, "command"), "offer");
	assert_string_equal(text_of(offer, "call-id"), KIT_SID);
	assert_string_equal(text_of(offer, "from-tag"), KIT_SID);
	assert_null(text_of(offer, "to-tag"));
	assert_string_equal(text_of(offer, "sdp"), KIT_SDP);
	assert_string_equal(text_of(offer, "transport protocol"), "RTP/AVP");
	assert_string_equal(json_string_value(json_array_get(json_object_get(offer, "flags"), 0)),
			    "port latching");
	assert_string_equal(json_string_value(json_array_get(json_object_get(offer, "replace"), 0)),
			    "origin");
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(offer, "direction"), 0)),
		"external");
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(offer, "direction"), 1)),
		"internal");
	assert_string_equal(
		json_string_value(json_array_get(
			json_object_get(json_object_get(offer, "codec"), "transcode"), 0)),
		"PCMU");
	fake_ng_reply(k->fw, 0, 0, fake_ng_ok(&k->fw->ng[0]));
	assert_int_equal(k->fw->n_ng, 2);
	answer = k->fw->ng[1].command;
	assert_string_equal(text_of(answer, "command"), "answer");
	assert_string_equal(text_of(answer, "from-tag"), KIT_SID);
	assert_string_equal(text_of(answer, "to-tag"), "i" KIT_SID);
	assert_non_null(strstr(text_of(answer, "sdp"), "m=audio 20000 RTP/AVP 0 101"));
	assert_int_equal(kit_final(k, k->transaction), 0);
	assert_int_equal(fake_last_port(k->fw)->starts, 0);
	fake_ng_reply(k->fw, 1, 0, fake_ng_ok(&k->fw->ng[1]));
	ok = fake_last_reply(k->fw);
	assert_int_equal(ok->code, 200);
	assert_non_null(strstr(ok->body, "m=audio 30000"));
	assert_non_null(strstr(ok->headers, "Content-Type: application/sdp\r\n"));
	assert_non_null(strstr(ok->headers, "X-Twilio-CallSid: " KIT_SID "\r\n"));
	assert_non_null(
		strstr(ok->headers, "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY"));
	assert_non_null(strstr(ok->headers, "Supported: timer\r\n"));
	assert_non_null(strstr(ok->headers, "@192.0.2.10:5060>"));
	assert_non_null(strstr(ok->to_tag, "hs-"));
	assert_int_equal(fake_last_port(k->fw)->starts, 1);
	assert_int_equal(fake_last_port(k->fw)->peer, 30002);
	assert_string_equal(fake_last_port(k->fw)->ip, "127.0.0.1");
	assert_int_equal(fake_last_port(k->fw)->timeout_ms, 60000);
	assert_int_equal(k->answered, 1);
	assert_int_equal(leg_state(k->leg), LEG_ANSWERED);
	kit_done(k);
}

static void what_was_asked_by_tcp_is_answered_for_tcp(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	k->proto = "tcp";
	kit_invite(k, NULL, KIT_SDP);
	leg_ring(k->leg);
	assert_non_null(strstr(fake_last_reply(k->fw)->headers, "@192.0.2.10:5060;transport=tcp>"));
	kit_done(k);
}

/* Refusals: the reply is out, no leg is left. */
static void expect_refusal(const char *headers, const char *sdp, int code, int error,
			   const char *header)
{
	struct kit *k = kit_new();

	kit_invite(k, headers, sdp);
	assert_int_equal(k->new_r, -EPROTO);
	assert_null(k->leg);
	assert_int_equal(k->refused_code, code);
	assert_int_equal(k->refused_error, error);
	assert_int_equal(kit_final(k, k->transaction), code);
	if (header)
		assert_non_null(strstr(fake_last_reply(k->fw)->headers, header));
	assert_int_equal(k->fw->n_ng, 0);
	assert_int_equal(k->fw->n_timers, 0);
	kit_done(k);
}

static void unusable_invites_are_refused_with_their_codes(void **state)
{
	(void)state;
	expect_refusal("Require: 100rel\r\n", KIT_SDP, 420, 0, "Unsupported: 100rel\r\n");
	expect_refusal("Require: timer\r\nRequire: foo, 100rel\r\n", KIT_SDP, 420, 0,
		       "Unsupported: foo, 100rel\r\n");
	expect_refusal(NULL, "this is not SDP", 400, 32102, "X-Twilio-Error: 32102 ");
	expect_refusal(NULL, KIT_SDP_HEAD "m=audio 4000 RTP/AVP 18\r\n", 488, 0, NULL);
	expect_refusal(NULL, KIT_SDP_HEAD "m=video 4000 RTP/AVP 99\r\n", 488, 0, NULL);
	expect_refusal(NULL, KIT_SDP_HEAD "m=audio 0 RTP/AVP 0\r\n", 488, 0, NULL);
	expect_refusal(NULL,
		       KIT_SDP_HEAD "m=audio 4000 RTP/SAVP 0\r\n"
				    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
				    "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n",
		       488, 32207, "X-Twilio-Error: 32207 ");
	expect_refusal("Supported: timer\r\nSession-Expires: 30\r\n", KIT_SDP, 422, 0,
		       "Min-SE: 90\r\n");
}

static void a_body_that_is_not_sdp_is_415(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	kit_request_cseq(k, "INVITE", 1, "Content-Type: text/plain\r\n", "hello");
	assert_int_equal(k->refused_code, 415);
	assert_non_null(strstr(fake_last_reply(k->fw)->headers, "Accept: application/sdp"));
	kit_done(k);
}

static void a_contact_that_leads_nowhere_is_32105(void **state)
{
	static const char *const contacts[] = { "<sip:a@127.0.0.1>", "<sip:127.9.9.9:5060>",
						"<sip:a@localhost>", "<sip:a@[::1]:5060>" };

	(void)state;
	for (size_t i = 0; i < sizeof(contacts) / sizeof(contacts[0]); i++) {
		struct kit *k = kit_new();

		k->contact = contacts[i];
		kit_invite(k, NULL, KIT_SDP);
		assert_int_equal(k->refused_code, 400);
		assert_int_equal(k->refused_error, 32105);
		kit_done(k);
	}
}

static void an_invite_without_contact_is_400(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	k->contact = NULL;
	kit_invite(k, NULL, KIT_SDP);
	assert_int_equal(k->refused_code, 400);
	kit_done(k);
}

static void sdp_text_in_another_encoding_does_not_matter(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	kit_invite(k, NULL,
		   "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=T\xe9l\xe9phone\r\nc=IN IP4 "
		   "198.51.100.7\r\nt=0 0\r\n"
		   "m=audio 4000 RTP/AVP 8\r\n");
	assert_int_equal(k->new_r, 0);
	k->fw->ng_auto = true;
	leg_answer(k->leg);
	fake_run(k->fw);
	assert_int_equal(kit_final(k, k->transaction), 200);
	kit_done(k);
}

/* CANCEL */

static void expect_cancelled(struct kit *k)
{
	assert_int_equal(kit_final(k, k->transaction), 487);
	assert_int_equal(k->ended, 0);
	fake_run(k->fw);
	assert_int_equal(k->ended, 1);
	assert_int_equal(k->why, LEG_END_CANCELED);
	assert_int_equal(k->end_code, 487);
	assert_int_equal(leg_ring(k->leg), -EINVAL);
	assert_int_equal(leg_answer(k->leg), -EINVAL);
	assert_int_equal(leg_reject(k->leg, 486, "Busy Here", 0), -EINVAL);
	kit_done(k);
}

static void a_cancel_ends_in_487_before_ringing_while_ringing_and_during_the_offer(void **state)
{
	(void)state;
	for (int at = 0; at < 3; at++) {
		struct kit *k = kit_new();

		kit_invite(k, NULL, KIT_SDP);
		if (at >= 1)
			leg_ring(k->leg);
		if (at >= 2)
			leg_answer(k->leg);
		kit_cancel(k);
		kit_cancel(k); /* a repeated event changes nothing */
		assert_int_equal(k->answered, 0);
		expect_cancelled(k);
	}
}

static void a_cancel_during_the_media_answer_deletes_the_call_once_it_is_over(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	kit_invite(k, NULL, KIT_SDP);
	leg_answer(k->leg);
	fake_ng_reply(k->fw, 0, 0, fake_ng_ok(&k->fw->ng[0]));
	kit_cancel(k);
	/* not before: a delete that overtakes the answer would leave the call behind */
	assert_int_equal(fake_count_ng(k->fw, "delete"), 0);
	assert_false(fake_last_port(k->fw)->open);
	fake_ng_reply(k->fw, 1, 0, fake_ng_ok(&k->fw->ng[1]));
	assert_int_equal(fake_count_ng(k->fw, "delete"), 1);
	expect_cancelled(k);
}

static void a_cancel_that_overtook_its_invite_still_ends_it(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	kit_cancel(k);
	kit_invite(k, NULL, KIT_SDP);
	assert_int_equal(k->incoming, 0);
	assert_int_equal(kit_final(k, k->transaction), 487);
	/* and only that one, for a moment */
	kit_invite(k, NULL, KIT_SDP);
	assert_int_equal(k->incoming, 1);
	kit_done(k);
}

static void a_cancel_that_crosses_the_200_changes_nothing(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	k->fw->ng_auto = true;
	kit_invite(k, NULL, KIT_SDP);
	leg_answer(k->leg);
	fake_run(k->fw);
	kit_cancel(k);
	fake_run(k->fw);
	assert_int_equal(k->ended, 0);
	assert_int_equal(kit_final(k, k->transaction), 200);
	assert_int_equal(leg_state(k->leg), LEG_ANSWERED);
	kit_done(k);
}

static void a_bye_in_the_early_dialog_ends_both(void **state)
{
	struct kit *k = kit_new();
	char invite[32];

	(void)state;
	kit_invite(k, NULL, KIT_SDP);
	strcpy(invite, k->transaction);
	leg_ring(k->leg);
	strcpy(k->our_tag, fake_last_reply(k->fw)->to_tag);
	kit_send(k, "BYE", NULL, NULL);
	assert_int_equal(kit_final(k, k->transaction), 200);
	assert_int_equal(kit_final(k, invite), 487);
	fake_run(k->fw);
	assert_int_equal(k->why, LEG_END_CANCELED);
	kit_done(k);
}

/* twice */

static void the_same_event_twice_is_one_call_and_a_merged_request_is_482(void **state)
{
	struct kit *k = kit_new();
	char first[32];

	(void)state;
	kit_invite(k, NULL, KIT_SDP);
	strcpy(first, k->transaction);
	k->transactions--; /* the same transaction again */
	kit_invite(k, NULL, KIT_SDP);
	assert_string_equal(first, k->transaction);
	assert_int_equal(k->incoming, 1);
	assert_int_equal(k->fw->n_replies, 0);
	kit_invite(k, NULL, KIT_SDP); /* another transaction, same Call-ID, tag and CSeq */
	assert_int_equal(k->incoming, 1);
	assert_int_equal(kit_final(k, k->transaction), 482);
	assert_int_equal(kit_final(k, first), 0);
	kit_done(k);
}

/* failures */

static void media_that_fails_is_500_and_leaves_nothing(void **state)
{
	(void)state;
	for (int how = 0; how < 6; how++) {
		struct kit *k = kit_new();

		kit_invite(k, NULL, KIT_SDP);
		if (how == 0)
			k->fw->fail_media = -EMFILE;
		if (how == 1)
			k->fw->fail_ng = true;
		assert_int_equal(leg_answer(k->leg), 0);
		if (how == 2)
			fake_ng_reply(k->fw, 0, -ETIMEDOUT, NULL);
		if (how == 3)
			fake_ng_reply(k->fw, 0, -EPROTO, json_pack("{s:s}", "result", "error"));
		if (how == 4)
			fake_ng_reply(k->fw, 0, 0,
				      json_pack("{s:s,s:s}", "result", "ok", "sdp", "nonsense"));
		if (how == 5) {
			fake_ng_reply(k->fw, 0, 0, fake_ng_ok(&k->fw->ng[0]));
			fake_ng_reply(k->fw, 1, 0, json_pack("{s:s}", "result", "ok"));
		}
		assert_int_equal(kit_final(k, k->transaction), 500);
		fake_run(k->fw);
		assert_int_equal(k->answered, 0);
		assert_int_equal(k->why, LEG_END_MEDIA_FAILURE);
		assert_int_equal(k->end_code, 500);
		kit_done(k);
	}
}

static void no_timers_is_500_at_once(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	k->fw->fail_timer = true;
	kit_invite(k, NULL, KIT_SDP);
	assert_int_equal(k->new_r, -EPROTO);
	assert_int_equal(kit_final(k, k->transaction), 500);
	kit_done(k);
}

static void a_200_that_kamailio_does_not_take_ends_the_leg(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	kit_invite(k, NULL, KIT_SDP);
	leg_answer(k->leg);
	k->fw->ng_auto = true;
	k->fw->fail_reply = -ECONNREFUSED;
	fake_run(k->fw);
	assert_int_equal(k->answered, 0);
	assert_int_equal(k->ended, 1);
	assert_int_equal(k->why, LEG_END_TRANSPORT);
	kit_done(k);
}

static void a_refusal_carries_its_error_and_when_to_try_again(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	kit_invite(k, NULL, KIT_SDP);
	assert_int_equal(leg_reject(k->leg, 503, "bad\r\nInjected: yes", 0), -EINVAL);
	assert_int_equal(leg_reject(k->leg, 200, "OK", 0), -EINVAL);
	assert_int_equal(leg_reject(k->leg, 503, "Service Unavailable", 32200), 0);
	assert_non_null(strstr(fake_last_reply(k->fw)->headers, "Retry-After: "));
	assert_non_null(strstr(fake_last_reply(k->fw)->headers, "X-Twilio-Error: 32200 "));
	kit_done(k);
}

static void freeing_it_at_any_state_answers_the_party_and_leaves_nothing(void **state)
{
	(void)state;
	for (int at = 0; at < 7; at++) {
		struct kit *k = kit_new();
		int expected = at < 4 ? 603 : 200;
		char invite[32];

		kit_invite(k, NULL, KIT_SDP);
		strcpy(invite, k->transaction);
		if (at >= 1)
			leg_ring(k->leg);
		if (at >= 2)
			leg_answer(k->leg);
		if (at >= 3)
			fake_ng_reply(k->fw, 0, 0, fake_ng_ok(&k->fw->ng[0]));
		k->free_at_answer = at == 4;
		if (at >= 4)
			fake_ng_reply(k->fw, 1, 0, fake_ng_ok(&k->fw->ng[1]));
		if (at >= 5) {
			strcpy(k->our_tag, fake_last_reply(k->fw)->to_tag);
			kit_ack(k, NULL);
		}
		if (at == 6) {
			k->free_at_end = true;
			leg_hangup(k->leg);
			fake_run(k->fw);
			assert_int_equal(k->ended, 1);
		}
		leg_free(k->leg);
		k->leg = NULL;
		assert_int_equal(kit_final(k, invite), expected);
		kit_done(k);
	}
}

/* INVITE without SDP */

static void an_invite_without_sdp_gets_our_offer_and_media_by_the_ack(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	k->fw->ng_auto = true;
	kit_invite(k, NULL, NULL);
	assert_int_equal(k->new_r, 0);
	leg_answer(k->leg);
	fake_run(k->fw);
	assert_int_equal(kit_final(k, k->transaction), 200);
	assert_non_null(strstr(fake_last_reply(k->fw)->body, "m=audio 30000"));
	assert_string_equal(text_of(k->fw->ng[0].command, "from-tag"), "i" KIT_SID);
	assert_string_equal(json_string_value(json_array_get(
				    json_object_get(k->fw->ng[0].command, "direction"), 0)),
			    "internal");
	assert_int_equal(k->answered, 0);
	assert_int_equal(fake_last_port(k->fw)->starts, 0);
	strcpy(k->our_tag, fake_last_reply(k->fw)->to_tag);
	kit_ack(k, KIT_SDP);
	fake_run(k->fw);
	assert_string_equal(text_of(k->fw->ng[1].command, "command"), "answer");
	assert_string_equal(text_of(k->fw->ng[1].command, "from-tag"), "i" KIT_SID);
	assert_string_equal(text_of(k->fw->ng[1].command, "to-tag"), KIT_SID);
	assert_string_equal(text_of(k->fw->ng[1].command, "sdp"), KIT_SDP);
	assert_int_equal(fake_last_port(k->fw)->peer, 30002);
	assert_int_equal(k->answered, 1);
	assert_int_equal(leg_state(k->leg), LEG_CONFIRMED);
	kit_done(k);
}

static void an_ack_without_or_with_an_unusable_answer_ends_the_call(void **state)
{
	static const char *const answers[] = { NULL, "rubbish",
					       KIT_SDP_HEAD "m=audio 4000 RTP/AVP 18\r\n" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct kit *k = kit_new();

		k->fw->ng_auto = true;
		kit_invite(k, NULL, NULL);
		leg_answer(k->leg);
		fake_run(k->fw);
		strcpy(k->our_tag, fake_last_reply(k->fw)->to_tag);
		kit_ack(k, answers[i]);
		fake_run(k->fw);
		assert_int_equal(k->ended, 1);
		assert_int_equal(k->why, LEG_END_MEDIA_FAILURE);
		assert_int_equal(fake_count_requests(k->fw, "BYE"), 1);
		kit_done(k);
	}
}

/* ACK */

static void a_lost_ack_ends_in_bye_after_32_seconds(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	k->fw->ng_auto = true;
	kit_invite(k, NULL, KIT_SDP);
	leg_answer(k->leg);
	fake_advance(k->fw, 31999);
	assert_int_equal(k->ended, 0);
	assert_int_equal(k->fw->n_requests, 0);
	fake_advance(k->fw, 1);
	assert_int_equal(k->ended, 1);
	assert_int_equal(k->why, LEG_END_NO_ACK);
	assert_int_equal(k->end_code, 200);
	assert_int_equal(fake_count_requests(k->fw, "BYE"), 1);
	kit_done(k);
}

static void an_ack_of_another_transaction_confirms_nothing(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	k->fw->ng_auto = true;
	kit_invite(k, NULL, KIT_SDP);
	leg_answer(k->leg);
	fake_run(k->fw);
	strcpy(k->our_tag, fake_last_reply(k->fw)->to_tag);
	k->cseq = 2;
	kit_ack(k, NULL);
	assert_int_equal(leg_state(k->leg), LEG_ANSWERED);
	k->cseq = 1;
	kit_ack(k, NULL);
	kit_ack(k, NULL);
	assert_int_equal(leg_state(k->leg), LEG_CONFIRMED);
	kit_done(k);
}

static void a_hangup_before_the_ack_waits_for_it_with_its_bye(void **state)
{
	(void)state;
	for (int acked = 0; acked < 2; acked++) {
		struct kit *k = kit_new();

		k->fw->ng_auto = true;
		kit_invite(k, NULL, KIT_SDP);
		leg_answer(k->leg);
		fake_run(k->fw);
		strcpy(k->our_tag, fake_last_reply(k->fw)->to_tag);
		leg_hangup(k->leg);
		fake_run(k->fw);
		assert_int_equal(k->ended, 1);
		assert_int_equal(k->fw->n_requests, 0);
		leg_free(k->leg);
		k->leg = NULL;
		assert_int_equal(legs_count(k->legs), 1);
		if (acked)
			kit_ack(k, NULL);
		else
			fake_advance(k->fw, 32000);
		assert_int_equal(fake_count_requests(k->fw, "BYE"), 1);
		kit_done(k);
	}
}

static void a_bye_of_the_party_spares_ours(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	k->fw->ng_auto = true;
	kit_invite(k, NULL, KIT_SDP);
	leg_answer(k->leg);
	fake_run(k->fw);
	strcpy(k->our_tag, fake_last_reply(k->fw)->to_tag);
	leg_hangup(k->leg);
	kit_send(k, "BYE", NULL, NULL);
	assert_int_equal(kit_final(k, k->transaction), 200);
	fake_advance(k->fw, 40000);
	assert_int_equal(k->fw->n_requests, 0);
	kit_done(k);
}

static void a_party_may_count_its_requests_from_nought(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	k->cseq = 0;
	kit_call_with(k, NULL);
	fake_advance(k->fw, (uint64_t)k->fw->config.ack_timeout_ms + 1);
	assert_int_equal(k->ended, 0);
	kit_done(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_table_is_as_the_architecture_says),
		cmocka_unit_test(ringing_costs_no_media_and_sends_no_200),
		cmocka_unit_test(an_answer_is_offer_then_answer_then_200_then_media),
		cmocka_unit_test(what_was_asked_by_tcp_is_answered_for_tcp),
		cmocka_unit_test(unusable_invites_are_refused_with_their_codes),
		cmocka_unit_test(a_body_that_is_not_sdp_is_415),
		cmocka_unit_test(a_contact_that_leads_nowhere_is_32105),
		cmocka_unit_test(an_invite_without_contact_is_400),
		cmocka_unit_test(sdp_text_in_another_encoding_does_not_matter),
		cmocka_unit_test(
			a_cancel_ends_in_487_before_ringing_while_ringing_and_during_the_offer),
		cmocka_unit_test(a_cancel_during_the_media_answer_deletes_the_call_once_it_is_over),
		cmocka_unit_test(a_cancel_that_overtook_its_invite_still_ends_it),
		cmocka_unit_test(a_cancel_that_crosses_the_200_changes_nothing),
		cmocka_unit_test(a_bye_in_the_early_dialog_ends_both),
		cmocka_unit_test(the_same_event_twice_is_one_call_and_a_merged_request_is_482),
		cmocka_unit_test(media_that_fails_is_500_and_leaves_nothing),
		cmocka_unit_test(no_timers_is_500_at_once),
		cmocka_unit_test(a_200_that_kamailio_does_not_take_ends_the_leg),
		cmocka_unit_test(a_refusal_carries_its_error_and_when_to_try_again),
		cmocka_unit_test(freeing_it_at_any_state_answers_the_party_and_leaves_nothing),
		cmocka_unit_test(an_invite_without_sdp_gets_our_offer_and_media_by_the_ack),
		cmocka_unit_test(an_ack_without_or_with_an_unusable_answer_ends_the_call),
		cmocka_unit_test(a_lost_ack_ends_in_bye_after_32_seconds),
		cmocka_unit_test(an_ack_of_another_transaction_confirms_nothing),
		cmocka_unit_test(a_hangup_before_the_ack_waits_for_it_with_its_bye),
		cmocka_unit_test(a_bye_of_the_party_spares_ours),
		cmocka_unit_test(a_party_may_count_its_requests_from_nought),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
