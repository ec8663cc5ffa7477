/* An INVITE of ours (RFC 3261 §13.2, §9.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/leg_kit.h"
#include "proto/sip_target.h"

#define CONTACT "Contact: <sip:bob@192.0.2.20:5080>\r\n"
#define PARTY	";tag=bob1"

static unsigned rang;

static void on_ringing(void *arg)
{
	(void)arg;
	rang++;
}

static struct kit *start(const char *uri, const char *username)
{
	static struct leg_events events;
	struct kit *k = kit_new();
	struct sip_target_error error;
	struct sip_target target;
	struct leg_call call = { .target = &target,
				 .account_sid = "AC1",
				 .shown_sid = KIT_SID,
				 .from_user = "alice",
				 .from_host = "sip.example.com",
				 .username = username,
				 .password = "secret" };

	rang = 0;
	events = kit_events;
	events.ringing = on_ringing;
	k->fw->config.sip_private_targets = true;
	assert_int_equal(sip_target_parse(&target, uri, &error), 0);
	assert_int_equal(
		leg_new_outbound(&k->leg, &k->fw->world, k->legs, KIT_SID, &call, &events, k), 0);
	sip_target_done(&target);
	return k;
}

/* Its INVITE is out. */
static struct kit *calling(const char *uri, const char *addresses)
{
	struct kit *k = start(uri, NULL);

	k->fw->ng_auto = true;
	fake_resolved(k->fw, addresses);
	fake_run(k->fw);
	assert_int_equal(k->fw->n_requests, 1);
	return k;
}

static struct kit *usual(void)
{
	return calling("sip:bob@example.com:5070?X-a=b", "192.0.2.20");
}

static const struct fake_request *request(const struct kit *k, unsigned n)
{
	assert_true(n < k->fw->n_requests);
	return &k->fw->requests[n];
}

/* A response with the party's tag behind To. */
static void respond_as(struct kit *k, unsigned n, int code, const char *tag, const char *headers,
		       const char *body)
{
	const char *h = request(k, n)->headers, *to = strstr(h, "To: ");
	char *text = NULL, *with;
	int len = (int)strcspn(to, "\r");

	/* The kit copies our headers: put the tag where the party puts it. */
	assert_true(asprintf(&with, "%.*s%s%s", (int)(to - h) + len, h, tag, to + len) > 0);
	text = k->fw->requests[n].headers;
	k->fw->requests[n].headers = with;
	kit_response(k, n, code, headers, body);
	k->fw->requests[n].headers = text;
	free(with);
}

static void respond(struct kit *k, unsigned n, int code)
{
	respond_as(k, n, code, code > 100 ? PARTY : "", CONTACT, NULL);
}

static void answer(struct kit *k, unsigned n)
{
	respond_as(k, n, 200, PARTY,
		   CONTACT "Record-Route: <sip:p1.example.com;lr>\r\n"
			   "Record-Route: <sip:p2.example.com;lr>\r\n" SDP_TYPE,
		   KIT_SDP);
	fake_run(k->fw);
}

static void the_invite_says_who_calls_whom_with_our_offer(void **state)
{
	struct kit *k = usual();
	const struct fake_request *r = request(k, 0);

	(void)state;
	assert_string_equal(k->fw->lookups[0].host, "example.com");
	assert_int_equal(k->fw->lookups[0].port, 5070);
	assert_string_equal(r->method, "INVITE");
	assert_string_equal(r->ruri, "sip:bob@example.com:5070");
	assert_string_equal(r->next_hop, "sip:192.0.2.20:5070;transport=udp");
	assert_non_null(strstr(r->headers, "From: <sip:alice@sip.example.com>;tag=hs-"));
	assert_non_null(strstr(r->headers, "To: <sip:bob@example.com:5070>\r\n"));
	assert_non_null(strstr(r->headers, "CSeq: 1 INVITE\r\n"));
	assert_non_null(strstr(r->headers, "X-Twilio-CallSid: " KIT_SID "\r\n"));
	assert_non_null(strstr(r->headers, "X-Twilio-AccountSid: AC1\r\n"));
	assert_non_null(strstr(r->headers, "X-a: b\r\n"));
	assert_non_null(strstr(r->headers, "Supported: timer\r\n"));
	assert_non_null(strstr(r->headers, "Content-Type: application/sdp\r\n"));
	assert_non_null(strstr(r->body, "m=audio"));
	assert_int_equal(leg_state(k->leg), LEG_CALLING);
	leg_hangup(k->leg);
	fake_run(k->fw);
	kit_done(k);
}

static void an_answer_makes_the_dialog_and_its_media(void **state)
{
	struct kit *k = usual();
	const struct fake_request *bye;

	(void)state;
	respond(k, 0, 100);
	assert_int_equal(rang, 0);
	respond(k, 0, 180);
	respond(k, 0, 183);
	assert_int_equal(rang, 1);
	assert_int_equal(leg_state(k->leg), LEG_ALERTING);
	fake_advance(k->fw, 60000); /* who rings is not given up by the leg */
	answer(k, 0);
	assert_int_equal(leg_state(k->leg), LEG_CONFIRMED);
	assert_int_equal(k->answered, 1);
	answer(k, 0); /* repeated */
	assert_int_equal(k->answered, 1);
	assert_int_equal(k->fw->n_requests, 1);
	leg_hangup(k->leg);
	bye = request(k, 1);
	assert_string_equal(bye->method, "BYE");
	assert_string_equal(bye->ruri, "sip:bob@192.0.2.20:5080");
	assert_non_null(strstr(bye->headers, "To: <sip:bob@example.com:5070>;tag=bob1\r\n"));
	assert_non_null(strstr(bye->headers, "CSeq: 2 BYE\r\n"));
	/* the route set of a UAC is the other way round (RFC 3261 §12.1.2) */
	assert_non_null(strstr(bye->headers,
			       "Route: <sip:p2.example.com;lr>, <sip:p1.example.com;lr>\r\n"));
	fake_run(k->fw);
	assert_int_equal(k->why, LEG_END_LOCAL);
	assert_int_equal(k->end_code, 200);
	kit_response(k, 1, 200, "", NULL);
	kit_done(k);
}

static void the_party_may_hang_up_and_send_requests(void **state)
{
	struct kit *k = usual();
	char text[2000];
	const char *from, *call_id;

	(void)state;
	answer(k, 0);
	from = strstr(request(k, 0)->headers, ";tag=hs-") + 5;
	call_id = strstr(request(k, 0)->headers, "Call-ID: ") + 9;
	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text),
			 "BYE sip:x@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP "
			 "192.0.2.20;branch=z9hG4bK%d\r\nFrom: "
			 "<sip:bob@example.com>;tag=%s\r\nTo: "
			 "<sip:alice@sip.example.com>;tag=%.*s\r\nCall-ID: %.*s\r\nCSeq: %d "
			 "BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
			 i, i ? "bob1" : "mallory", (int)strcspn(from, "\r"), from,
			 (int)strcspn(call_id, "\r"), call_id, 0);
		snprintf(k->transaction, sizeof(k->transaction), "%d:9", 100 + i);
		kit_event(k, "sip.request",
			  json_pack("{s:s,s:s,s:i,s:s,s:s,s:s,s:s,s:s,s:s}", "transaction",
				    k->transaction, "source", "192.0.2.20", "port", 5080, "proto",
				    "udp", "socket", "udp:192.0.2.10:5060", "account", "", "domain",
				    "", "domain_sid", "", "user", ""),
			  text);
		assert_int_equal(kit_final(k, k->transaction), i ? 200 : 481);
	}
	fake_run(k->fw);
	assert_int_equal(k->ended, 1);
	assert_int_equal(k->why, LEG_END_REMOTE_BYE);
	assert_int_equal(k->fw->n_requests, 1);
	kit_done(k);
}

static void a_refusal_is_the_end_with_its_code(void **state)
{
	struct kit *k = usual();

	(void)state;
	respond(k, 0, 180);
	respond(k, 0, 486);
	fake_run(k->fw);
	assert_int_equal(k->why, LEG_END_REFUSED);
	assert_int_equal(k->end_code, 486);
	assert_int_equal(k->fw->n_cancels, 0);
	assert_int_equal(k->fw->n_requests, 1);
	kit_done(k);
}

static void a_cancel_waits_for_a_provisional(void **state)
{
	struct kit *k = usual();

	(void)state;
	leg_hangup(k->leg);
	fake_run(k->fw);
	assert_int_equal(k->ended, 1);
	assert_int_equal(k->why, LEG_END_LOCAL);
	assert_int_equal(k->end_code, 487);
	assert_int_equal(k->fw->n_cancels, 0);
	respond(k, 0, 100);
	assert_int_equal(k->fw->n_cancels, 1);
	assert_int_equal(k->fw->cancelled_cseq, 1);
	respond(k, 0, 180);
	assert_int_equal(k->fw->n_cancels, 1);
	assert_int_equal(rang, 0);
	respond(k, 0, 487);
	kit_done(k);
}

static void a_200_that_crosses_the_cancel_is_hung_up(void **state)
{
	struct kit *k = usual();

	(void)state;
	respond(k, 0, 180);
	leg_hangup(k->leg);
	assert_int_equal(k->fw->n_cancels, 1);
	fake_run(k->fw);
	answer(k, 0);
	assert_int_equal(k->answered, 0);
	assert_string_equal(request(k, 1)->method, "BYE");
	assert_string_equal(request(k, 1)->ruri, "sip:bob@192.0.2.20:5080");
	kit_response(k, 1, 200, "", NULL);
	kit_done(k);
}

static void a_second_dialog_of_a_fork_is_hung_up(void **state)
{
	struct kit *k = usual();

	(void)state;
	answer(k, 0);
	respond_as(k, 0, 200, ";tag=carol", "Contact: <sip:carol@192.0.2.21>\r\n" SDP_TYPE,
		   KIT_SDP);
	assert_string_equal(request(k, 1)->method, "BYE");
	assert_string_equal(request(k, 1)->ruri, "sip:carol@192.0.2.21");
	assert_non_null(strstr(request(k, 1)->headers, ";tag=carol\r\n"));
	assert_int_equal(leg_state(k->leg), LEG_CONFIRMED);
	leg_hangup(k->leg);
	fake_run(k->fw);
	kit_done(k);
}

static void an_address_that_says_nothing_is_left_for_the_next(void **state)
{
	struct kit *k = calling("sip:bob@example.com", "192.0.2.20 192.0.2.21");

	(void)state;
	fake_advance(k->fw, 4100);
	assert_int_equal(k->fw->n_requests, 2);
	assert_string_equal(request(k, 1)->next_hop, "sip:192.0.2.21:5060;transport=udp");
	assert_non_null(strstr(request(k, 1)->headers, "CSeq: 2 INVITE\r\n"));
	assert_int_equal(k->fw->n_cancels, 1); /* Kamailio repeats the first no longer */
	respond(k, 0, 486);		       /* too late */
	assert_int_equal(k->ended, 0);
	fake_advance(k->fw, 4100);
	assert_int_equal(k->ended, 1);
	assert_int_equal(k->why, LEG_END_UNREACHABLE);
	assert_int_equal(k->end_code, 408);
	kit_done(k);
}

static void each_target_is_tried_at_its_port_over_its_transport(void **state)
{
	static const char *const hops[] = { "sip:192.0.2.20:5071;transport=udp",
					    "sip:192.0.2.21:5081;transport=tcp",
					    "sip:192.0.2.22:5060;transport=udp" };
	struct kit *k =
		calling("sip:bob@example.com", "192.0.2.20:5071 192.0.2.21:5081/tcp 192.0.2.22");

	(void)state;
	assert_int_equal(k->fw->lookups[0].port, 0);
	assert_int_equal(k->fw->lookups[0].transport, RESOLVER_ANY);
	for (unsigned i = 0; i < 3; i++) {
		const char *contact = strstr(request(k, i)->headers, "Contact: ");

		assert_string_equal(request(k, i)->next_hop, hops[i]);
		assert_string_equal(request(k, i)->ruri, "sip:bob@example.com");
		/* It is called back over what it was called over. */
		assert_int_equal(!!memmem(contact, strcspn(contact, "\r"), ";transport=tcp", 14),
				 i == 1);
		respond(k, i, 503);
	}
	fake_run(k->fw);
	assert_int_equal(k->fw->n_requests, 3);
	assert_int_equal(k->why, LEG_END_REFUSED);
	kit_done(k);
}

static void what_the_uri_says_of_the_transport_is_asked_for(void **state)
{
	static const struct {
		const char *uri;
		enum resolver_transport transport;
		unsigned port;
	} rows[] = {
		{ "sip:bob@example.com", RESOLVER_ANY, 0 },
		{ "sip:bob@example.com;transport=udp", RESOLVER_UDP, 0 },
		{ "sip:bob@example.com:5070;transport=tcp", RESOLVER_TCP, 5070 },
		{ "sips:bob@example.com", RESOLVER_TLS, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kit *k = start(rows[i].uri, NULL);

		assert_int_equal(k->fw->lookups[0].transport, rows[i].transport);
		assert_int_equal(k->fw->lookups[0].port, rows[i].port);
		fake_resolved(k->fw, "");
		fake_run(k->fw);
		kit_done(k);
	}
}

static void of_the_targets_only_the_public_ones_are_tried(void **state)
{
	struct kit *k = start("sip:bob@example.com", NULL);

	(void)state;
	k->fw->config.sip_private_targets = false;
	k->fw->ng_auto = true;
	fake_resolved(k->fw, "10.0.0.1:5070 9.9.9.9:5071 127.0.0.1:5072");
	fake_run(k->fw);
	assert_string_equal(request(k, 0)->next_hop, "sip:9.9.9.9:5071;transport=udp");
	respond(k, 0, 503);
	fake_run(k->fw);
	assert_int_equal(k->fw->n_requests, 1);
	kit_done(k);
}

static void what_kamailio_cannot_send_goes_to_the_next_address(void **state)
{
	struct kit *k = calling("sip:bob@example.com;transport=tcp", "192.0.2.20 192.0.2.21");

	(void)state;
	assert_string_equal(request(k, 0)->next_hop, "sip:192.0.2.20:5060;transport=tcp");
	k->fw->requests[0].open = false;
	k->fw->requests[0].done(k->fw->requests[0].arg, -EPROTO);
	assert_int_equal(k->fw->n_requests, 2);
	respond(k, 1, 503);
	fake_run(k->fw);
	assert_int_equal(k->why, LEG_END_REFUSED);
	assert_int_equal(k->end_code, 503);
	kit_done(k);
}

static void hosts_without_a_usable_address_are_unreachable(void **state)
{
	static const char *const addresses[] = { "", "127.0.0.1", "10.0.0.1 192.168.1.1" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct kit *k = start("sip:bob@example.com", NULL);

		k->fw->config.sip_private_targets = false;
		fake_resolved(k->fw, addresses[i]);
		fake_run(k->fw);
		assert_int_equal(k->ended, 1);
		assert_int_equal(k->why, LEG_END_UNREACHABLE);
		assert_int_equal(k->end_code, 0);
		assert_int_equal(k->fw->n_requests, 0);
		kit_done(k);
	}
}

static void a_challenge_is_answered_once(void **state)
{
	static const char challenge[] = "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", "
					"qop=\"auth\"\r\n";
	struct kit *k = start("sip:bob@example.com", "alice");
	const char *line;

	(void)state;
	k->fw->ng_auto = true;
	fake_resolved(k->fw, "192.0.2.20");
	fake_run(k->fw);
	assert_null(strstr(request(k, 0)->headers, "Authorization"));
	respond_as(k, 0, 407, PARTY, challenge, NULL);
	line = strstr(request(k, 1)->headers, "Proxy-Authorization: Digest username=\"alice\", ");
	assert_non_null(line);
	assert_non_null(strstr(line, "uri=\"sip:bob@example.com\""));
	assert_non_null(strstr(request(k, 1)->headers, "CSeq: 2 INVITE\r\n"));
	respond_as(k, 1, 407, PARTY, challenge, NULL);
	fake_run(k->fw);
	assert_int_equal(k->why, LEG_END_REFUSED);
	assert_int_equal(k->end_code, 407);
	kit_done(k);
}

static void an_end_at_any_instant_leaves_nothing(void **state)
{
	(void)state;
	for (int at = 0; at < 6; at++) {
		struct kit *k = start("sip:bob@example.com", NULL);

		k->fw->ng_auto = at != 1;
		if (at > 0)
			fake_resolved(k->fw, "192.0.2.20");
		if (at > 1)
			fake_run(k->fw);
		if (at > 2)
			respond(k, 0, 100);
		if (at > 3)
			respond(k, 0, 180);
		if (at > 4)
			answer(k, 0);
		leg_free(k->leg);
		k->leg = NULL;
		k->fw->ng_auto = true;
		kit_done(k);
	}
}

static void an_answer_without_usable_sdp_is_hung_up(void **state)
{
	struct kit *k = usual();

	(void)state;
	respond_as(k, 0, 200, PARTY, CONTACT, NULL);
	fake_run(k->fw);
	assert_int_equal(k->why, LEG_END_MEDIA_FAILURE);
	assert_string_equal(request(k, 1)->method, "BYE");
	kit_response(k, 1, 200, "", NULL);
	kit_done(k);
}

/* Kamailio's answer to the command itself, unless nobody waits for it any more. */
static void command_fails(struct kit *k, unsigned n)
{
	struct fake_request *r = &k->fw->requests[n];

	if (r->open) {
		r->open = false;
		r->done(r->arg, -ETIMEDOUT);
	}
}

static void what_became_of_the_command_before_does_not_end_the_next_invite(void **state)
{
	struct kit *k = calling("sip:bob@example.com", "192.0.2.20 192.0.2.21 192.0.2.22");

	(void)state;
	fake_advance(k->fw, 4100);
	assert_int_equal(k->fw->n_requests, 2);
	command_fails(k, 0);
	assert_int_equal(k->fw->n_requests, 2);
	respond(k, 1, 180);
	assert_int_equal(rang, 1);
	command_fails(k, 1);
	answer(k, 1);
	assert_int_equal(k->answered, 1);
	kit_done(k);
}

static void who_rings_after_it_was_given_up_is_cancelled(void **state)
{
	struct kit *k = calling("sip:bob@example.com", "192.0.2.20 192.0.2.21");

	(void)state;
	k->free_at_end = true;
	fake_advance(k->fw, 4100);
	respond(k, 0, 180); /* the first address, while the second is tried */
	assert_int_equal(rang, 0);
	assert_int_equal(k->fw->n_cancels, 2);
	assert_int_equal(k->fw->cancelled_cseq, 1);
	fake_advance(k->fw, 4100);
	assert_int_equal(k->ended, 1);
	assert_int_equal(k->why, LEG_END_UNREACHABLE);
	assert_int_equal(k->end_code, 408);
	assert_int_equal(k->fw->n_cancels, 3); /* the second is not repeated any longer */
	respond(k, 1, 180);
	assert_int_equal(rang, 0);
	assert_int_equal(k->fw->n_cancels, 4);
	assert_int_equal(k->fw->cancelled_cseq, 2);
	assert_int_equal(legs_count(k->legs), 1);
	respond(k, 1, 487);
	assert_int_equal(legs_count(k->legs), 0);
	kit_done(k);
}

static void who_answers_after_it_was_given_up_is_hung_up(void **state)
{
	(void)state;
	for (int hung_up = 0; hung_up < 2; hung_up++) {
		struct kit *k = calling("sip:bob@example.com", "192.0.2.20");

		k->free_at_end = true;
		if (hung_up)
			leg_hangup(k->leg);
		fake_advance(k->fw, 4100);
		assert_int_equal(k->ended, 1);
		assert_null(k->leg);
		answer(k, 0);
		assert_int_equal(k->answered, 0);
		assert_string_equal(request(k, 1)->method, "BYE");
		assert_string_equal(request(k, 1)->ruri, "sip:bob@192.0.2.20:5080");
		kit_response(k, 1, 200, "", NULL);
		assert_int_equal(legs_count(k->legs), 0);
		kit_done(k);
	}
}

static void who_answers_an_invite_of_nobody_is_hung_up(void **state)
{
	struct kit *k = usual();
	const struct fake_request *bye;

	(void)state;
	k->free_at_end = true;
	respond(k, 0, 486);
	fake_run(k->fw);
	assert_int_equal(legs_count(k->legs), 0);
	respond(k, 0, 180);
	assert_int_equal(k->fw->n_cancels, 1);
	answer(k, 0);
	bye = request(k, 1);
	assert_string_equal(bye->method, "BYE");
	assert_string_equal(bye->ruri, "sip:bob@192.0.2.20:5080");
	/* where the answer came from: a Contact may name any host */
	assert_string_equal(bye->next_hop, "sip:192.0.2.99:5099;transport=udp");
	assert_non_null(strstr(bye->headers, "From: <sip:alice@sip.example.com>;tag=hs-"));
	assert_non_null(strstr(bye->headers, "To: <sip:bob@example.com:5070>;tag=bob1\r\n"));
	assert_non_null(strstr(bye->headers, "CSeq: 2 BYE\r\n"));
	assert_non_null(strstr(bye->headers,
			       "Route: <sip:p2.example.com;lr>, <sip:p1.example.com;lr>\r\n"));
	kit_response(k, 1, 200, "", NULL);
	assert_int_equal(k->fw->n_requests, 2);
	kit_done(k);
}

static void each_address_may_challenge(void **state)
{
	static const char challenge[] = "WWW-Authenticate: Digest realm=\"r\", nonce=\"%s\"\r\n";
	struct kit *k = start("sip:bob@example.com", "alice");
	char header[100];

	(void)state;
	k->fw->ng_auto = true;
	fake_resolved(k->fw, "192.0.2.20 192.0.2.21");
	fake_run(k->fw);
	snprintf(header, sizeof(header), challenge, "n1");
	respond_as(k, 0, 401, PARTY, header, NULL);
	assert_non_null(strstr(request(k, 1)->headers, "nonce=\"n1\""));
	respond(k, 1, 503);
	assert_string_equal(request(k, 2)->next_hop, "sip:192.0.2.21:5060;transport=udp");
	assert_null(strstr(request(k, 2)->headers, "Authorization"));
	snprintf(header, sizeof(header), challenge, "n2");
	respond_as(k, 2, 401, PARTY, header, NULL);
	assert_non_null(strstr(request(k, 3)->headers, "nonce=\"n2\""));
	respond(k, 3, 486);
	fake_run(k->fw);
	assert_int_equal(k->end_code, 486);
	kit_done(k);
}

static void a_party_without_a_tag_gets_requests_without_one(void **state)
{
	struct kit *k = usual();

	(void)state;
	respond_as(k, 0, 200, "", CONTACT SDP_TYPE, KIT_SDP);
	fake_run(k->fw);
	assert_int_equal(k->answered, 1);
	leg_hangup(k->leg);
	assert_non_null(strstr(request(k, 1)->headers, "To: <sip:bob@example.com:5070>\r\n"));
	kit_response(k, 1, 200, "", NULL);
	kit_done(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_invite_says_who_calls_whom_with_our_offer),
		cmocka_unit_test(an_answer_makes_the_dialog_and_its_media),
		cmocka_unit_test(the_party_may_hang_up_and_send_requests),
		cmocka_unit_test(a_refusal_is_the_end_with_its_code),
		cmocka_unit_test(a_cancel_waits_for_a_provisional),
		cmocka_unit_test(a_200_that_crosses_the_cancel_is_hung_up),
		cmocka_unit_test(a_second_dialog_of_a_fork_is_hung_up),
		cmocka_unit_test(an_address_that_says_nothing_is_left_for_the_next),
		cmocka_unit_test(each_target_is_tried_at_its_port_over_its_transport),
		cmocka_unit_test(what_the_uri_says_of_the_transport_is_asked_for),
		cmocka_unit_test(of_the_targets_only_the_public_ones_are_tried),
		cmocka_unit_test(what_kamailio_cannot_send_goes_to_the_next_address),
		cmocka_unit_test(hosts_without_a_usable_address_are_unreachable),
		cmocka_unit_test(a_challenge_is_answered_once),
		cmocka_unit_test(an_end_at_any_instant_leaves_nothing),
		cmocka_unit_test(an_answer_without_usable_sdp_is_hung_up),
		cmocka_unit_test(what_became_of_the_command_before_does_not_end_the_next_invite),
		cmocka_unit_test(who_rings_after_it_was_given_up_is_cancelled),
		cmocka_unit_test(who_answers_after_it_was_given_up_is_hung_up),
		cmocka_unit_test(who_answers_an_invite_of_nobody_is_hung_up),
		cmocka_unit_test(each_address_may_challenge),
		cmocka_unit_test(a_party_without_a_tag_gets_requests_without_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
