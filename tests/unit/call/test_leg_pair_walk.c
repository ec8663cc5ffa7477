/*
 * Random walks of two legs, one that came in and one of ours, joined and parted at any instant: any
 * event, at any state, in any order, with failures in between. What test_leg_walk.c promises must
 * hold for both. A failing walk prints its seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "call/leg_internal.h"
#include "call/leg_kit.h"
#include "proto/sip_target.h"

#define OTHER_SID "CA1123456789abcdef0123456789abcdef"

#define WALKS 2000
#define STEPS 100

static unsigned long long seed_state, walking;
static unsigned rests;

static unsigned roll(unsigned n)
{
	seed_state = seed_state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed_state >> 33) % n;
}

#define CRYPTO(suite) "a=crypto:1 " suite " inline:" FAKE_KEY "\r\n"
#define SECURE	      KIT_SDP_HEAD "m=audio 4000 RTP/SAVP 0 8\r\n"

static bool secure; /* both parties of this walk */

static const char *good_sdp(void)
{
	return secure ? SECURE CRYPTO("AES_CM_128_HMAC_SHA1_80") : KIT_SDP;
}

static const char *any_sdp(void)
{
	static const char *const plain[] = {
		NULL,
		KIT_SDP_HEAD "m=audio 4000 RTP/AVP 18\r\n",
		KIT_SDP_HEAD "m=audio 4000 RTP/AVP 8\r\na=sendonly\r\n",
		KIT_SDP_HEAD "m=audio 4002 RTP/AVP 0\r\na=inactive\r\n",
		KIT_SDP "m=video 4004 RTP/AVP 96\r\n",
	};
	static const char *const srtp[] = {
		NULL,
		KIT_SDP,
		SECURE CRYPTO("AES_CM_128_HMAC_SHA1_80") "a=sendonly\r\n",
		SECURE CRYPTO("AES_CM_128_HMAC_SHA1_32"),
		SECURE CRYPTO("AES_CM_128_HMAC_SHA1_80") "m=video 4004 RTP/AVP 96\r\n",
	};
	unsigned i = roll(7);

	return i < 5 ? (secure ? srtp : plain)[i] : good_sdp();
}

static void answer_some_ng(struct kit *k)
{
	for (unsigned i = 0; i < k->fw->n_ng; i++) {
		if (!k->fw->ng[i].open || roll(3) == 0)
			continue;
		if (roll(16) == 0)
			fake_ng_reply(k->fw, i, roll(2) ? -ETIMEDOUT : -EPROTO, NULL);
		else
			fake_ng_reply(k->fw, i, 0, fake_ng_ok(&k->fw->ng[i]));
	}
}

/* A response, with a tag of one of two branches where our request has none. */
static void respond(struct kit *k, unsigned i, int code)
{
	struct fake_request *r = &k->fw->requests[i];
	char *ours = r->headers, *to = strstr(ours, "To: "), *end = strchr(to, '\r'), *with;
	bool tagged = memmem(to, (size_t)(end - to), ";tag=", 5) != NULL;
	const char *tag = tagged || code == 100 ? "" : roll(8) ? ";tag=bob1" : ";tag=carol";

	assert_true(asprintf(&with, "%.*s%s%s", (int)(end - ours), ours, tag, end) > 0);
	r->headers = with;
	kit_response(k, i, code,
		     roll(8) ? "Contact: <sip:bob@192.0.2.20:5080>\r\nAllow: UPDATE\r\n" SDP_TYPE
			     : "Record-Route: <sip:192.0.2.30;lr>\r\n",
		     roll(5) ? good_sdp() : any_sdp());
	k->fw->requests[i].headers = ours;
	free(with);
}

static void answer_some_request(struct kit *k)
{
	static const int codes[] = { 100, 180, 183, 200, 200, 200, 302, 401,
				     408, 481, 486, 487, 488, 491, 500, 503 };
	unsigned i;

	if (!k->fw->n_requests)
		return;
	/* mostly the last one */
	i = roll(3) ? k->fw->n_requests - 1 : roll(k->fw->n_requests);
	if (k->fw->requests[i].open && roll(2))
		fake_request_sent(k->fw, i, roll(6) ? 0 : -EPROTO);
	else
		respond(k, i, codes[roll(16)]);
}

/* A request of the party that we called, as an event. */
static void called_party_says(struct kit *k, const char *event, const char *method, unsigned cseq,
			      const char *tag, const char *sdp)
{
	const char *from = strstr(k->fw->requests[0].headers, ";tag=hs-") + 5,
		   *call_id = strstr(k->fw->requests[0].headers, "Call-ID: ") + 9;
	char text[2000];

	snprintf(
		text, sizeof(text),
		"%s sip:x@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20;branch=z9hG4bK%u\r\n"
		"From: <sip:bob@example.com>;tag=%s\r\nTo: <sip:alice@sip.example.com>;tag=%.*s\r\n"
		"Call-ID: %.*s\r\nCSeq: %u %s\r\nMax-Forwards: 70\r\nContact: "
		"<sip:bob@192.0.2.20>\r\n"
		"%sContent-Length: %zu\r\n\r\n%s",
		method, k->transactions, tag, (int)strcspn(from, "\r"), from,
		(int)strcspn(call_id, "\r"), call_id, cseq, method, sdp ? SDP_TYPE : "",
		sdp ? strlen(sdp) : 0, sdp ? sdp : "");
	kit_event(k, event,
		  json_pack("{s:s,s:s,s:i,s:s,s:s,s:s,s:s,s:s,s:s}", "transaction", k->transaction,
			    "source", "192.0.2.20", "port", 5080, "proto", "udp", "socket",
			    "udp:192.0.2.10:5060", "account", "", "domain", "", "domain_sid", "",
			    "user", ""),
		  text);
}

static void called_party_sends(struct kit *k)
{
	static const char *const methods[] = { "BYE", "INVITE", "INVITE", "UPDATE", "INFO" };
	const char *method = methods[roll(5)], *sdp = any_sdp();

	if (!k->fw->n_requests)
		return;
	snprintf(k->transaction, sizeof(k->transaction), "%u:77", ++k->transactions);
	called_party_says(k, "sip.request", method, roll(8) ? ++k->cseq : k->cseq,
			  roll(8) ? "bob1" : "carol", sdp);
}

static void caller_sends(struct kit *k)
{
	const char *sdp;

	if (!k->our_tag[0])
		return; /* without a tag it would begin another call */
	switch (roll(8)) {
	case 0:
		if (roll(3) == 0)
			kit_cancel(k);
		break;
	case 1:
	case 2:
		kit_ack(k, roll(2) ? good_sdp() : NULL);
		break;
	case 3:
	case 4:
		kit_reinvite(k, NULL, any_sdp());
		break;
	case 5:
		sdp = any_sdp();
		kit_send(k, "UPDATE", sdp ? SDP_TYPE : "", sdp);
		break;
	case 6:
		if (roll(4) == 0)
			kit_send(k, "BYE", NULL, NULL);
		break;
	default:
		kit_dtmf(k, KIT_SID, (int)roll(16));
		break;
	}
}

static void owner_acts(struct kit *a, struct kit *b)
{
	switch (roll(8)) {
	case 0:
		if (a->leg)
			leg_ring(a->leg);
		break;
	case 1:
		if (a->leg)
			leg_progress(a->leg);
		break;
	case 2:
	case 3:
		if (a->leg)
			leg_answer(a->leg);
		break;
	case 4:
	case 5:
		if (a->leg && b->leg)
			leg_join(a->leg, b->leg);
		break;
	case 6:
		leg_leave(roll(2) ? a->leg : b->leg);
		break;
	case 7: {
		struct kit *k = roll(2) ? a : b;

		if (k->leg && roll(4) == 0) {
			if (roll(2)) {
				leg_hangup(k->leg);
			} else {
				leg_free(k->leg);
				k->leg = NULL;
			}
		}
		break;
	}
	}
}

static void trouble(struct kit *k)
{
	k->fw->fail_request = roll(4) ? 0 : -ECONNREFUSED;
	k->fw->fail_media = roll(6) ? 0 : -EMFILE;
	k->fw->fail_ng = roll(10) == 0;
	k->fw->fail_reply = roll(12) ? 0 : -EAGAIN;
}

static void silence(struct kit *k)
{
	struct fake_port *port = k->fw->n_ports ? fake_last_port(k->fw) : NULL;

	if (port && port->open && port->starts)
		port->events->silent(port->arg);
}

static void step(struct kit *a, struct kit *b)
{
	struct kit *k = roll(2) ? a : b;

	switch (roll(12)) {
	case 0:
	case 1:
		owner_acts(a, b);
		break;
	case 2:
		caller_sends(a);
		break;
	case 3:
		called_party_sends(b);
		break;
	case 4:
	case 5:
	case 6:
		answer_some_request(k);
		break;
	case 7:
	case 8:
		answer_some_ng(k);
		break;
	case 9:
		if (b->fw->lookups[0].open)
			fake_resolved(b->fw, roll(8) ? "192.0.2.20 192.0.2.21" : "");
		break;
	case 10:
		fake_advance(k->fw, roll(3) ? roll(3000) : roll(60000));
		break;
	case 11:
		if (roll(3))
			silence(k);
		else
			trouble(k);
		break;
	}
	if (!a->our_tag[0] && a->fw->n_replies)
		snprintf(a->our_tag, sizeof(a->our_tag), "%s", a->fw->replies[0].to_tag);
}

static void on_event(void *arg)
{
	(void)arg;
}

static void call_out(struct kit *k, const struct leg *beside)
{
	static struct leg_events events;
	struct sip_target_error error;
	struct sip_target target;
	struct leg_call call = { .target = &target,
				 .account_sid = "AC1",
				 .from_user = "alice",
				 .from_host = "sip.example.com",
				 .username = roll(2) ? "alice" : NULL,
				 .password = "secret",
				 .beside = beside,
				 .early_media = roll(2) };

	events = kit_events;
	events.ringing = events.progress = on_event;
	k->cseq = 0;
	k->fw->config.sip_private_targets = true;
	assert_int_equal(
		sip_target_parse(&target,
				 secure ? "sip:bob@example.com;secure=true" : "sip:bob@example.com",
				 &error),
		0);
	assert_int_equal(
		leg_new_outbound(&k->leg, &k->fw->world, k->legs, OTHER_SID, &call, &events, k), 0);
	sip_target_done(&target);
}

static void check(struct kit *k, bool replies_failed)
{
	for (unsigned i = 1; i <= k->transactions; i++) {
		char transaction[32];

		snprintf(transaction, sizeof(transaction), "%u:77", i);
		if (!kit_final(k, transaction) && !replies_failed)
			fail_msg("transaction %s has no final reply", transaction);
	}
	assert_true(k->ended <= 1);
	assert_true(k->answered <= 1);
}

static void calm(struct kit *k)
{
	k->fw->fail_reply = k->fw->fail_request = 0;
	k->fw->fail_ng = false;
	k->free_at_end = false;
	leg_free(k->leg);
	k->leg = NULL;
	k->fw->ng_auto = true;
}

/* -- at rest */

/* The party's ACK, and its answer to what we sent last. */
static void party_does_its_part(struct kit *k)
{
	struct leg *leg = k->leg;
	unsigned cseq = k->cseq;
	char line[40];

	if (leg && leg->ack_due) {
		k->cseq = leg->ack_cseq;
		if (leg->outbound)
			called_party_says(k, "sip.ack", "ACK", k->cseq, leg->outbound->party_tag,
					  leg->answer_in_ack ? good_sdp() : NULL);
		else
			kit_ack(k, leg->answer_in_ack ? good_sdp() : NULL);
		k->cseq = cseq;
	}
	for (unsigned i = 0; i < k->fw->n_requests; i++)
		if (k->fw->requests[i].open)
			fake_request_sent(k->fw, i, 0);
	if (!k->leg || !k->leg->pending.method[0])
		return;
	snprintf(line, sizeof(line), "CSeq: %u ", k->leg->pending.cseq);
	for (unsigned i = k->fw->n_requests; i-- > 0;) {
		if (!strstr(k->fw->requests[i].headers, line))
			continue;
		kit_response(k, i, 200, SDP_TYPE, good_sdp());
		break;
	}
}

/* What RTPengine was told last of our side of a leg: the port. */
static unsigned our_port(const struct kit *k, const char *sid)
{
	unsigned port = 0;

	for (unsigned i = 0; i < k->fw->n_ng; i++) {
		const json_t *c = k->fw->ng[i].command;
		const char *command = json_string_value(json_object_get(c, "command"));
		const char *tag = json_string_value(
			json_object_get(c, strcmp(command, "offer") ? "to-tag" : "from-tag"));
		const char *sdp = json_string_value(json_object_get(c, "sdp"));

		if (sdp && tag && *tag == 'i' && !strcmp(tag + 1, sid))
			port = (unsigned)atoi(strstr(sdp, "m=audio ") + 8);
	}
	return port;
}

/* What RTPengine does with the party's packets, as it was told last. */
static bool drops(const struct kit *k, const char *sid)
{
	bool ret = false;

	for (unsigned i = 0; i < k->fw->n_ng; i++) {
		const json_t *c = k->fw->ng[i].command;
		const char *tag = json_string_value(json_object_get(c, "from-tag"));
		const char *command = json_string_value(json_object_get(c, "command"));

		if (tag && !strcmp(tag, sid) && strstr(command, "block media"))
			ret = *command == 'b';
	}
	return ret;
}

static void check_rest(const struct kit *k)
{
	const struct leg *leg = k->leg;

	assert_int_equal(leg->ng_id, 0);
	assert_false(leg->relink || leg->reoffer || leg->answer_waits || leg->exchange.waits);
	if (leg->peer && leg_links(leg))
		assert_true(leg->linked && leg->peer->linked && leg->muted);
	else
		assert_int_equal(our_port(k, leg->call_sid),
				 leg->peer ? leg->peer->media_number : k->fw->ports[0]->number);
	assert_int_equal(leg->muted, leg->held || leg->peer);
	assert_int_equal(drops(k, leg->call_sid), !leg->peer);
}

static bool talks(const struct kit *k)
{
	return k->leg && k->leg->state == LEG_CONFIRMED && k->leg->media_number;
}

/* When everybody does what he should for a while, both hear whom they should. */
static void come_to_rest(struct kit *a, struct kit *b)
{
	for (int i = 0; i < 24; i++) {
		for (int j = 0; j < 2; j++) {
			struct kit *k = j ? b : a;

			k->fw->fail_reply = k->fw->fail_request = k->fw->fail_media = 0;
			k->fw->fail_ng = false;
			fake_answer_ng(k->fw);
			party_does_its_part(k);
			fake_answer_ng(k->fw);
			fake_advance(k->fw, 500);
		}
	}
	if (!talks(a) || !talks(b))
		return;
	check_rest(a);
	check_rest(b);
	rests++;
}

/* Half of the walks begin where most calls are. */
static void connect_both(struct kit *a, struct kit *b)
{
	a->fw->ng_auto = b->fw->ng_auto = true;
	leg_answer(a->leg);
	fake_run(a->fw);
	snprintf(a->our_tag, sizeof(a->our_tag), "%s", a->fw->replies[0].to_tag);
	party_does_its_part(a);
	fake_resolved(b->fw, "192.0.2.20");
	fake_run(b->fw);
	respond(b, 0, 200);
	fake_run(b->fw);
	if (a->leg && b->leg)
		leg_join(a->leg, b->leg);
	if (roll(2)) {
		fake_run(a->fw);
		fake_run(b->fw);
	}
	a->fw->ng_auto = b->fw->ng_auto = false;
}

static void walk(unsigned long long seed)
{
	struct kit *a = kit_new(), *b = kit_new();
	unsigned steps = 0, most;
	bool failed[2] = { false, false };

	seed_state = seed;
	a->free_at_end = roll(2);
	b->free_at_end = roll(2);
	a->free_at_answer = roll(20) == 0;
	b->free_at_answer = roll(20) == 0;
	a->secure = secure = roll(4) == 0;
	kit_invite(a, NULL, roll(8) ? good_sdp() : NULL);
	call_out(b, roll(2) ? a->leg : NULL);
	if (roll(2))
		connect_both(a, b);
	/* Few of those that go on for long are still a conversation. */
	most = roll(2) ? STEPS : roll(STEPS / 4);
	for (; steps < most && (a->leg || b->leg); steps++) {
		step(a, b);
		failed[0] |= a->fw->fail_reply != 0;
		failed[1] |= b->fw->fail_reply != 0;
	}
	come_to_rest(a, b);
	calm(a);
	calm(b);
	for (int i = 0; i < 5; i++) {
		fake_advance(a->fw, 20000);
		fake_advance(b->fw, 20000);
	}
	check(a, failed[0]);
	check(b, failed[1]);
	kit_done(a);
	kit_done(b);
}

static void whatever_happens_in_any_order_nothing_is_left(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR + 1);
	for (unsigned long long seed = 1; seed <= WALKS; seed++) {
		walking = seed;
		walk(seed);
	}
	walking = 0;
	assert_true(rests > WALKS / 20);
}

static int tell_seed(void **state)
{
	(void)state;
	if (walking)
		fprintf(stderr, "the walk of seed %llu failed\n", walking);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(whatever_happens_in_any_order_nothing_is_left, tell_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
