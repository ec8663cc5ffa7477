/* The dialog of an answered call: what the party may ask in it, and what we send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/leg_kit.h"

#define SDP_DIRECTION(direction)                                                                   \
	KIT_SDP_HEAD "m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 "                               \
		     "telephone-event/8000\r\na=" direction "\r\n"

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static const struct fake_request *last_request(const struct kit *k)
{
	assert_true(k->fw->n_requests > 0);
	return &k->fw->requests[k->fw->n_requests - 1];
}

/* ends */

static void a_bye_is_answered_and_ends_all(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	kit_send(k, "BYE", NULL, NULL);
	assert_int_equal(kit_final(k, k->transaction), 200);
	assert_int_equal(fake_count_ng(k->fw, "delete"), 1);
	assert_false(fake_last_port(k->fw)->open);
	fake_run(k->fw);
	assert_int_equal(k->ended, 1);
	assert_int_equal(k->why, LEG_END_REMOTE_BYE);
	assert_int_equal(k->end_code, 200);
	assert_int_equal(k->fw->n_requests, 0);
	assert_int_equal(leg_play_digits(k->leg, "1"), 0);
	kit_done(k);
}

static void a_second_bye_of_the_partys_finds_no_dialog(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	kit_send(k, "BYE", NULL, NULL);
	assert_int_equal(kit_final(k, k->transaction), 200);
	/* In the same turn of the loop: the leg is not free yet. */
	kit_send(k, "BYE", NULL, NULL);
	assert_int_equal(kit_final(k, k->transaction), 481);
	fake_run(k->fw);
	assert_int_equal(k->ended, 1);
	kit_done(k);
}

static void our_bye_has_the_dialogs_headers(void **state)
{
	struct kit *k = kit_call();
	const struct fake_request *bye;
	char from[160];

	(void)state;
	assert_int_equal(leg_hangup(k->leg), 0);
	bye = last_request(k);
	assert_string_equal(bye->method, "BYE");
	assert_string_equal(bye->ruri, "sip:alice@198.51.100.7:5070");
	assert_null(bye->next_hop);
	assert_string_equal(bye->socket, "udp:192.0.2.10:5060");
	snprintf(from, sizeof(from), "From: <sip:100@foo.sip.hookswitch.test>;tag=%s\r\n",
		 k->our_tag);
	assert_non_null(strstr(bye->headers, from));
	assert_non_null(strstr(bye->headers, "To: <sip:alice@198.51.100.7>;tag=alice1\r\n"));
	assert_non_null(strstr(bye->headers, "Call-ID: call-1@alice\r\n"));
	assert_non_null(strstr(bye->headers, " BYE\r\n"));
	assert_non_null(strstr(bye->headers, "Max-Forwards: 70\r\n"));
	assert_non_null(
		strstr(bye->headers, "Reason: Q.850;cause=16;text=\"Normal call clearing\"\r\n"));
	assert_null(strstr(bye->headers, "Route:"));
	assert_null(strstr(bye->headers, "Content-Length"));
	fake_run(k->fw);
	assert_int_equal(k->why, LEG_END_LOCAL);
	kit_response(k, 0, 200, NULL, NULL);
	leg_free(k->leg);
	k->leg = NULL;
	assert_int_equal(legs_count(k->legs), 0);
	kit_done(k);
}

static void the_route_set_is_kept_loose_and_strict(void **state)
{
	struct kit *k = kit_call_with(
		kit_new(), "Record-Route: <sip:p2.example.com;lr>, <sip:p1.example.com;lr>\r\n");

	(void)state;
	leg_hangup(k->leg);
	assert_string_equal(last_request(k)->ruri, "sip:alice@198.51.100.7:5070");
	assert_string_equal(last_request(k)->next_hop, "sip:p2.example.com;lr");
	assert_non_null(strstr(last_request(k)->headers,
			       "Route: <sip:p2.example.com;lr>, <sip:p1.example.com;lr>\r\n"));
	kit_done(k);

	k = kit_call_with(kit_new(), "Record-Route: <sip:strict.example.com>\r\nRecord-Route: "
				     "<sip:p1.example.com;lr>\r\n");
	leg_hangup(k->leg);
	assert_string_equal(last_request(k)->ruri, "sip:strict.example.com");
	assert_string_equal(last_request(k)->next_hop, "sip:strict.example.com");
	assert_non_null(strstr(last_request(k)->headers,
			       "<sip:p1.example.com;lr>, <sip:alice@198.51.100.7:5070>\r\n"));
	assert_null(strstr(last_request(k)->headers, "Route: <sip:strict"));
	kit_done(k);
}

static void a_party_behind_nat_or_on_tcp_is_reached_where_it_came_from(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	k->contact = "<sip:alice@192.168.1.5:5060>";
	kit_call_with(k, NULL);
	leg_hangup(k->leg);
	assert_string_equal(last_request(k)->ruri, "sip:alice@192.168.1.5:5060");
	assert_string_equal(last_request(k)->next_hop, "sip:198.51.100.7:5070");
	kit_done(k);

	k = kit_new();
	k->proto = "tcp";
	kit_call_with(k, NULL);
	leg_hangup(k->leg);
	assert_string_equal(last_request(k)->next_hop, "sip:198.51.100.7:5070;transport=tcp");
	assert_string_equal(last_request(k)->socket, "tcp:192.0.2.10:5060");
	kit_done(k);
}

static void a_bye_that_kamailio_does_not_take_is_tried_again_and_given_up(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	k->fw->fail_request = -ECONNREFUSED;
	leg_hangup(k->leg);
	fake_advance(k->fw, 600);
	assert_int_equal(k->fw->n_requests, 0);
	k->fw->fail_request = 0;
	fake_advance(k->fw, 1000);
	assert_int_equal(k->fw->n_requests, 1);
	fake_request_sent(k->fw, 0, -EPROTO); /* accepted by the socket, refused by Kamailio */
	fake_advance(k->fw, 2000);
	assert_int_equal(k->fw->n_requests, 2);
	k->fw->fail_request = -ECONNREFUSED;
	fake_request_sent(k->fw, 1, -ETIMEDOUT);
	leg_free(k->leg);
	k->leg = NULL;
	fake_advance(k->fw, 60000);
	assert_int_equal(legs_count(k->legs), 0);
	kit_done(k);
}

static void a_late_completion_of_a_command_meets_no_freed_leg(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	leg_hangup(k->leg);
	kit_response(k, 0, 200, NULL, NULL);
	leg_free(k->leg);
	k->leg = NULL;
	fake_run(k->fw);
	assert_int_equal(legs_count(k->legs), 0);
	assert_false(k->fw->requests[0].open); /* forgotten */
	kit_done(k);
}

static void any_final_reply_settles_our_bye_and_repetitions_do_nothing(void **state)
{
	static const int codes[] = { 200, 401, 407, 408, 481, 500 };

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct kit *k = kit_call();

		leg_hangup(k->leg);
		kit_response(k, 0, 100, NULL, NULL);
		kit_response(k, 0, codes[i], NULL, NULL);
		kit_response(k, 0, codes[i], NULL, NULL);
		fake_run(k->fw);
		assert_int_equal(k->fw->n_requests, 1);
		leg_free(k->leg);
		k->leg = NULL;
		assert_int_equal(legs_count(k->legs), 0);
		kit_done(k);
	}
}

static void crossing_byes_are_fine_with_both(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	leg_hangup(k->leg);
	kit_send(k, "BYE", NULL, NULL);
	assert_int_equal(kit_final(k, k->transaction), 200);
	fake_run(k->fw);
	assert_int_equal(k->ended, 1);
	kit_response(k, 0, 481, NULL, NULL);
	kit_done(k);
}

static void requests_of_no_dialog_are_481(void **state)
{
	struct kit *k = kit_call();
	char right[64];

	(void)state;
	memcpy(right, k->our_tag, sizeof(right));
	strcpy(k->our_tag, "hs-of-another");
	kit_send(k, "BYE", NULL, NULL);
	assert_int_equal(kit_final(k, k->transaction), 481);
	memcpy(k->our_tag, right, sizeof(right));
	k->call_id = "another";
	kit_send(k, "BYE", NULL, NULL);
	assert_int_equal(kit_final(k, k->transaction), 481);
	k->call_id = "call-1@alice";
	assert_int_equal(leg_state(k->leg), LEG_CONFIRMED);
	leg_hangup(k->leg);
	kit_send(k, "INFO", NULL, NULL); /* after the end */
	assert_int_equal(kit_final(k, k->transaction), 481);
	kit_done(k);
}

static void an_old_cseq_is_500_and_the_call_goes_on(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	k->cseq = 10;
	kit_send(k, "OPTIONS", NULL, NULL);
	assert_int_equal(kit_final(k, k->transaction), 200);
	kit_request_cseq(k, "BYE", 5, NULL, NULL);
	assert_int_equal(kit_final(k, k->transaction), 500);
	assert_int_equal(leg_state(k->leg), LEG_CONFIRMED);
	kit_done(k);
}

static void each_method_has_its_answer(void **state)
{
	static const struct {
		const char *method;
		int code;
	} rows[] = {
		{ "OPTIONS", 200 }, { "INFO", 200 },	   { "UPDATE", 200 },  { "REFER", 603 },
		{ "NOTIFY", 481 },  { "PRACK", 481 },	   { "MESSAGE", 405 }, { "SUBSCRIBE", 405 },
		{ "PUBLISH", 405 }, { "FROBNICATE", 405 },
	};
	struct kit *k = kit_call();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_send(k, rows[i].method, "Refer-To: <sip:b@example.com>\r\n", NULL);
		assert_int_equal(kit_final(k, k->transaction), rows[i].code);
		if (rows[i].code == 405 || !strcmp(rows[i].method, "OPTIONS"))
			assert_non_null(strstr(fake_last_reply(k->fw)->headers,
					       "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE"));
	}
	assert_int_equal(leg_state(k->leg), LEG_CONFIRMED);
	kit_done(k);
}

/* digits */

static void a_digit_of_the_party_is_told_once_and_ours_never(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	for (int i = 0; i < 16; i++)
		kit_dtmf(k, KIT_SID, i);
	kit_dtmf(k, KIT_SID, 5);
	kit_dtmf(k, KIT_SID, 5); /* the same key again, in the same second */
	kit_dtmf(k, "i" KIT_SID, 7);
	kit_dtmf(k, KIT_SID, 16);
	kit_dtmf(k, KIT_SID, -1);
	legs_dtmf_event(k->legs, "garbage", 7);
	legs_dtmf_event(k->legs, "[]", 2);
	legs_dtmf_event(k->legs, "{\"source_tag\":\"" KIT_SID "\"}", 51);
	legs_dtmf_event(k->legs, "{\"source_tag\":\"CAother\",\"event\":1}", 34);
	assert_string_equal(k->digits, "0123456789*#ABCD55");
	leg_hangup(k->leg);
	kit_dtmf(k, KIT_SID, 1);
	assert_string_equal(k->digits, "0123456789*#ABCD55");
	kit_done(k);
}

static void info_brings_digits_only_without_telephone_events(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	kit_send(k, "INFO", "Content-Type: application/dtmf-relay\r\n",
		 "Signal=5\r\nDuration=160\r\n");
	assert_int_equal(kit_final(k, k->transaction), 200);
	assert_string_equal(k->digits, "");
	kit_reinvite(k, NULL, KIT_SDP_HEAD "m=audio 4000 RTP/AVP 0\r\n");
	fake_run(k->fw);
	kit_ack(k, NULL);
	kit_send(k, "INFO", "Content-Type: application/dtmf-relay\r\n",
		 "Signal= #\r\nDuration=160\r\n");
	kit_send(k, "INFO", "Content-Type: application/dtmf\r\n", "7");
	kit_send(k, "INFO", "Content-Type: application/dtmf-relay\r\n", "Signal=x\r\n");
	kit_send(k, "INFO", "Content-Type: application/dtmf-relay\r\n", "Signal");
	assert_string_equal(k->digits, "#7");
	kit_send(k, "INFO", "Content-Type: application/media_control+xml\r\n", "<x/>");
	assert_int_equal(kit_final(k, k->transaction), 415);
	assert_non_null(strstr(fake_last_reply(k->fw)->headers, "Accept: application/dtmf-relay"));
	kit_send(k, "INFO", "Info-Package: nonsense\r\n", NULL);
	assert_int_equal(kit_final(k, k->transaction), 469);
	kit_done(k);
}

/* offers in the dialog */

static void hold_and_resume_mirror_the_direction_and_are_told(void **state)
{
	static const struct {
		const char *sdp, *answer;
		bool held, sends;
	} rows[] = {
		{ SDP_DIRECTION("sendonly"), "a=recvonly", true, false },
		{ SDP_DIRECTION("sendrecv"), "a=sendrecv", false, true },
		{ SDP_DIRECTION("inactive"), "a=inactive", true, false },
		{ SDP_DIRECTION("recvonly"), "a=sendonly", false, true },
		{ "v=0\r\no=a 1 2 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio "
		  "4000 RTP/AVP 0\r\n",
		  "a=recvonly", true, false },
		{ KIT_SDP, "a=sendrecv", false, true },
	};
	struct kit *k = kit_call();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned ng = k->fw->n_ng;

		kit_reinvite(k, NULL, rows[i].sdp);
		assert_int_equal(kit_final(k, k->transaction), 0);
		fake_run(k->fw);
		assert_int_equal(kit_final(k, k->transaction), 200);
		assert_non_null(strstr(fake_last_reply(k->fw)->body, rows[i].answer));
		assert_null(strstr(fake_last_reply(k->fw)->headers, "X-Twilio-CallSid"));
		assert_int_equal(k->fw->n_ng, ng + 2);
		assert_string_equal(text_of(k->fw->ng[ng].command, "from-tag"), KIT_SID);
		assert_string_equal(text_of(k->fw->ng[ng].command, "to-tag"), "i" KIT_SID);
		assert_int_equal(k->held, rows[i].held);
		assert_int_equal(fake_last_port(k->fw)->sending, rows[i].sends);
		assert_string_equal(fake_last_port(k->fw)->ip, "127.0.0.1"); /* and never 0.0.0.0 */
		kit_ack(k, NULL);
	}
	assert_int_equal(k->held_events, 6);
	kit_done(k);
}

static void silence_ends_the_call_but_not_while_the_party_holds_us(void **state)
{
	static const char *const holds[] = { SDP_DIRECTION("sendonly"), SDP_DIRECTION("inactive"),
					     SDP_DIRECTION("recvonly") };
	struct kit *k = kit_call();
	struct fake_port *port = fake_last_port(k->fw);

	(void)state;
	for (int i = 0; i < 3; i++) {
		kit_reinvite(k, NULL, holds[i]);
		fake_run(k->fw);
		kit_ack(k, NULL);
		port->events->silent(port->arg);
		fake_run(k->fw);
		assert_int_equal(k->ended, 0);
	}
	kit_reinvite(k, NULL, KIT_SDP);
	fake_run(k->fw);
	kit_ack(k, NULL);
	port->events->silent(port->arg);
	fake_run(k->fw);
	assert_int_equal(k->ended, 1);
	assert_int_equal(k->why, LEG_END_NO_RTP);
	assert_non_null(strstr(last_request(k)->headers, "Reason: Q.850"));
	kit_done(k);
}

static void the_same_offer_again_needs_no_media_work(void **state)
{
	struct kit *k = kit_call();
	unsigned ng = k->fw->n_ng;

	(void)state;
	for (int i = 0; i < 2; i++) {
		kit_reinvite(k, NULL, KIT_SDP);
		assert_int_equal(kit_final(k, k->transaction), 200);
		assert_non_null(strstr(fake_last_reply(k->fw)->body, "m=audio 30000"));
		kit_ack(k, NULL);
	}
	assert_int_equal(k->fw->n_ng, ng);
	kit_done(k);
}

static void an_unusable_offer_leaves_the_session_as_it_was(void **state)
{
	struct kit *k = kit_call();
	unsigned ng = k->fw->n_ng;

	(void)state;
	k->contact = "<sip:elsewhere@198.51.100.99>";
	kit_reinvite(k, NULL, KIT_SDP_HEAD "m=audio 4000 RTP/AVP 18\r\n");
	assert_int_equal(kit_final(k, k->transaction), 488);
	kit_reinvite(k, NULL, "no SDP");
	assert_int_equal(kit_final(k, k->transaction), 400);
	kit_send(k, "INVITE", "Content-Type: text/plain\r\n", "hello");
	assert_int_equal(kit_final(k, k->transaction), 415);
	assert_int_equal(k->fw->n_ng, ng);
	k->fw->ng_auto = false;
	kit_reinvite(k, NULL, SDP_DIRECTION("sendonly"));
	fake_ng_reply(k->fw, ng, -EPROTO, json_pack("{s:s}", "result", "error"));
	assert_int_equal(kit_final(k, k->transaction), 488);
	kit_reinvite(k, NULL, SDP_DIRECTION("sendonly"));
	fake_ng_reply(k->fw, ng + 1, -ETIMEDOUT, NULL);
	assert_int_equal(kit_final(k, k->transaction), 500);
	assert_int_equal(k->held_events, 0);
	assert_true(fake_last_port(k->fw)->sending);
	leg_hangup(k->leg);
	assert_string_equal(last_request(k)->ruri, "sip:alice@198.51.100.7:5070");
	kit_done(k);
}

static void a_new_contact_is_where_our_requests_go(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	k->contact = "<sip:elsewhere@198.51.100.99>";
	kit_send(k, "UPDATE", NULL, NULL);
	assert_int_equal(kit_final(k, k->transaction), 200);
	leg_hangup(k->leg);
	assert_string_equal(last_request(k)->ruri, "sip:elsewhere@198.51.100.99");
	kit_done(k);
}

static void a_second_offer_meanwhile_is_500_with_retry_after(void **state)
{
	struct kit *k = kit_call();
	char first[32];

	(void)state;
	k->fw->ng_auto = false;
	kit_reinvite(k, NULL, SDP_DIRECTION("sendonly"));
	strcpy(first, k->transaction);
	kit_reinvite(k, NULL, KIT_SDP);
	assert_int_equal(kit_final(k, k->transaction), 500);
	assert_non_null(strstr(fake_last_reply(k->fw)->headers, "Retry-After: "));
	kit_send(k, "UPDATE", SDP_TYPE, KIT_SDP);
	assert_int_equal(kit_final(k, k->transaction), 500);
	k->fw->ng_auto = true;
	fake_run(k->fw);
	assert_int_equal(kit_final(k, first), 200);
	kit_done(k);
}

static void an_offer_before_the_answer_is_500(void **state)
{
	struct kit *k = kit_new();
	char invite[32];

	(void)state;
	kit_invite(k, NULL, KIT_SDP);
	strcpy(invite, k->transaction);
	leg_ring(k->leg);
	strcpy(k->our_tag, fake_last_reply(k->fw)->to_tag);
	kit_send(k, "UPDATE", SDP_TYPE, KIT_SDP);
	assert_int_equal(kit_final(k, k->transaction), 500);
	kit_reinvite(k, NULL, KIT_SDP);
	assert_int_equal(kit_final(k, k->transaction), 500);
	assert_int_equal(kit_final(k, invite), 0);
	kit_done(k);
}

static void a_reinvite_without_sdp_gets_our_offer(void **state)
{
	struct kit *k = kit_call();
	unsigned ng = k->fw->n_ng;

	(void)state;
	kit_reinvite(k, NULL, NULL);
	fake_run(k->fw);
	assert_int_equal(kit_final(k, k->transaction), 200);
	assert_non_null(strstr(fake_last_reply(k->fw)->body, "m=audio 30000"));
	assert_string_equal(text_of(k->fw->ng[ng].command, "from-tag"), "i" KIT_SID);
	assert_string_equal(text_of(k->fw->ng[ng].command, "to-tag"), KIT_SID);
	/* our offer is open: another is glare */
	kit_send(k, "UPDATE", SDP_TYPE, KIT_SDP);
	assert_int_equal(kit_final(k, k->transaction), 491);
	k->cseq--;
	kit_ack(k, SDP_DIRECTION("sendonly"));
	fake_run(k->fw);
	assert_string_equal(text_of(k->fw->ng[ng + 1].command, "command"), "answer");
	assert_string_equal(text_of(k->fw->ng[ng + 1].command, "to-tag"), KIT_SID);
	assert_true(k->held);
	assert_int_equal(k->answered, 1);
	assert_int_equal(k->ended, 0);
	kit_done(k);
}

static void an_update_with_sdp_is_an_offer_without_ack(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	kit_send(k, "UPDATE", SDP_TYPE, SDP_DIRECTION("sendonly"));
	fake_run(k->fw);
	assert_int_equal(kit_final(k, k->transaction), 200);
	assert_non_null(strstr(fake_last_reply(k->fw)->body, "a=recvonly"));
	assert_true(k->held);
	fake_advance(k->fw, 60000);
	assert_int_equal(k->ended, 0);
	kit_done(k);
}

static void a_reinvite_whose_ack_is_lost_ends_in_bye(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	kit_reinvite(k, NULL, SDP_DIRECTION("sendonly"));
	fake_advance(k->fw, 32000);
	assert_int_equal(k->ended, 1);
	assert_int_equal(k->why, LEG_END_NO_ACK);
	assert_int_equal(fake_count_requests(k->fw, "BYE"), 1);
	kit_done(k);
}

static void a_hangup_before_the_ack_of_a_reinvite_sends_one_bye(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	kit_reinvite(k, NULL, SDP_DIRECTION("sendonly"));
	fake_run(k->fw);
	assert_int_equal(kit_final(k, k->transaction), 200);
	leg_hangup(k->leg);
	assert_int_equal(fake_count_requests(k->fw, "BYE"), 1);
	kit_response(k, 0, 200, NULL, NULL);
	kit_ack(k, NULL);
	fake_advance(k->fw, 40000);
	assert_int_equal(fake_count_requests(k->fw, "BYE"), 1);
	kit_done(k);
}

static void an_end_during_a_reinvite_answers_it_and_deletes_once_it_is_over(void **state)
{
	struct kit *k = kit_call();
	char reinvite[32];
	unsigned ng;

	(void)state;
	k->fw->ng_auto = false;
	ng = k->fw->n_ng;
	kit_reinvite(k, NULL, SDP_DIRECTION("sendonly"));
	strcpy(reinvite, k->transaction);
	kit_send(k, "BYE", NULL, NULL);
	assert_int_equal(kit_final(k, k->transaction), 200);
	assert_int_equal(kit_final(k, reinvite), 487);
	assert_int_equal(fake_count_ng(k->fw, "delete"), 0);
	leg_free(k->leg);
	k->leg = NULL;
	fake_run(k->fw);
	assert_int_equal(legs_count(k->legs), 1);
	fake_ng_reply(k->fw, ng, -ETIMEDOUT, NULL);
	assert_int_equal(fake_count_ng(k->fw, "delete"), 1);
	assert_int_equal(legs_count(k->legs), 0);
	kit_done(k);
}

static void plays_go_to_the_port_and_come_back(void **state)
{
	struct kit *k = kit_call();
	uint32_t id = leg_play_digits(k->leg, "12#");

	(void)state;
	assert_true(id != 0);
	fake_played(fake_last_port(k->fw));
	assert_int_equal(k->played, id);
	assert_true(leg_play_digits(k->leg, "3") != 0);
	leg_stop(k->leg);
	assert_int_equal(fake_last_port(k->fw)->stops, 1);
	kit_done(k);
}

/* what comes from outside cannot break a header, a command or an event */

static void hostile_text_stays_inside_its_place(void **state)
{
	static const char *const hostile[] = {
		"",
		"{",
		"[1,2]",
		"{\"method\":\"sip.request\"}",
		"{\"method\":\"sip.request\",\"params\":[]}",
		"{\"method\":\"sip.request\",\"params\":{\"transaction\":\"1:2\",\"message\":\"!!!"
		"\"}}",
		"{\"method\":\"sip.request\",\"params\":{\"transaction\":7,\"message\":7}}",
		"{\"method\":\"sip.request\",\"params\":{\"transaction\":"
		"\"11111111111111111111111111111111111111111:2\",\"message\":\"QUJD\"}}",
		"{\"method\":\"sip.request\",\"params\":{\"transaction\":\"1:2\",\"message\":"
		"\"QUJD\"}}",
		"{\"method\":\"sip.ack\",\"params\":{\"message\":\"QUJD\"}}",
		"{\"method\":\"sip.cancel\",\"params\":{}}",
		"{\"method\":\"sip.response\",\"params\":{\"message\":\"====\"}}",
		"{\"method\":\"sip.rejected\"}",
		"{\"method\":\"sip.unheard-of\",\"params\":{}}",
		"{\"method\":42}",
		"\xff\xfe",
	};
	struct kit *k = kit_new();

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
		legs_sip_event(k->legs, hostile[i], strlen(hostile[i]));
	assert_int_equal(k->incoming, 0);
	assert_int_equal(k->rejected, 100);
	k->contact = "\"x\\\"\" <sip:a%0d%0aX-Evil:1@198.51.100.7>;expires=1";
	k->call_id = "c\"\\all";
	kit_call_with(k, "X-Junk: a\r\n folded\r\n");
	leg_hangup(k->leg);
	for (const char *p = last_request(k)->headers; *p; p++)
		assert_false(*p == '\n' && p[-1] != '\r');
	assert_null(strstr(last_request(k)->headers, "\nX-Evil"));
	kit_done(k);
}

static void what_is_saved_of_a_dialog_is_told_when_it_changes(void **state)
{
	static const struct {
		const char *method, *contact, *sdp;
		unsigned changes;
	} requests[] = {
		{ "INVITE", "<sip:alice@198.51.100.7:5070>", KIT_SDP, 0 },
		{ "UPDATE", "<sip:alice@198.51.100.7:5070>", NULL, 0 },
		{ "UPDATE", "<sip:alice@198.51.100.8:5070>", NULL, 1 },
		/* As with a new key: neither held nor resumed. */
		{ "INVITE", "<sip:alice@198.51.100.8:5070>",
		  KIT_SDP_HEAD "m=audio 4010 RTP/AVP 0\r\n", 1 },
	};
	struct kit *k = kit_call();

	(void)state;
	assert_int_equal(k->changes, 0);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		unsigned before = k->changes;

		k->contact = requests[i].contact;
		kit_send(k, requests[i].method, requests[i].sdp ? SDP_TYPE : NULL, requests[i].sdp);
		fake_run(k->fw);
		assert_int_equal(kit_final(k, k->transaction), 200);
		if (!strcmp(requests[i].method, "INVITE"))
			kit_ack(k, NULL);
		assert_int_equal(k->changes - before, requests[i].changes);
	}
	kit_done(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bye_is_answered_and_ends_all),
		cmocka_unit_test(a_second_bye_of_the_partys_finds_no_dialog),
		cmocka_unit_test(our_bye_has_the_dialogs_headers),
		cmocka_unit_test(the_route_set_is_kept_loose_and_strict),
		cmocka_unit_test(a_party_behind_nat_or_on_tcp_is_reached_where_it_came_from),
		cmocka_unit_test(a_bye_that_kamailio_does_not_take_is_tried_again_and_given_up),
		cmocka_unit_test(a_late_completion_of_a_command_meets_no_freed_leg),
		cmocka_unit_test(any_final_reply_settles_our_bye_and_repetitions_do_nothing),
		cmocka_unit_test(crossing_byes_are_fine_with_both),
		cmocka_unit_test(requests_of_no_dialog_are_481),
		cmocka_unit_test(an_old_cseq_is_500_and_the_call_goes_on),
		cmocka_unit_test(each_method_has_its_answer),
		cmocka_unit_test(a_digit_of_the_party_is_told_once_and_ours_never),
		cmocka_unit_test(info_brings_digits_only_without_telephone_events),
		cmocka_unit_test(hold_and_resume_mirror_the_direction_and_are_told),
		cmocka_unit_test(silence_ends_the_call_but_not_while_the_party_holds_us),
		cmocka_unit_test(the_same_offer_again_needs_no_media_work),
		cmocka_unit_test(an_unusable_offer_leaves_the_session_as_it_was),
		cmocka_unit_test(a_new_contact_is_where_our_requests_go),
		cmocka_unit_test(a_second_offer_meanwhile_is_500_with_retry_after),
		cmocka_unit_test(an_offer_before_the_answer_is_500),
		cmocka_unit_test(a_reinvite_without_sdp_gets_our_offer),
		cmocka_unit_test(an_update_with_sdp_is_an_offer_without_ack),
		cmocka_unit_test(a_reinvite_whose_ack_is_lost_ends_in_bye),
		cmocka_unit_test(a_hangup_before_the_ack_of_a_reinvite_sends_one_bye),
		cmocka_unit_test(an_end_during_a_reinvite_answers_it_and_deletes_once_it_is_over),
		cmocka_unit_test(plays_go_to_the_port_and_come_back),
		cmocka_unit_test(hostile_text_stays_inside_its_place),
		cmocka_unit_test(what_is_saved_of_a_dialog_is_told_when_it_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
