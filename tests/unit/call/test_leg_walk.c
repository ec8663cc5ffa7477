/*
 * Random walks: any event, at any state, in any order, with failures in between. After each walk
 * the call is ended and the same must hold: one final reply a transaction, at most one BYE accepted
 * by Kamailio, an NG delete if and only if there was an offer, `ended` once and last, and nothing
 * left. A failing walk prints its seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "call/leg_kit.h"

#define WALKS 1500
#define STEPS 40

static unsigned long long seed_state, walking;

static unsigned roll(unsigned n)
{
	seed_state = seed_state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed_state >> 33) % n;
}

static const char *any_sdp(void)
{
	static const char *const sdps[] = {
		KIT_SDP,
		NULL,
		"broken",
		KIT_SDP_HEAD "m=audio 4000 RTP/AVP 18\r\n",
		KIT_SDP_HEAD "m=audio 4000 RTP/AVP 8\r\na=sendonly\r\n",
		KIT_SDP_HEAD "m=audio 4002 RTP/AVP 0\r\na=inactive\r\n",
	};

	return sdps[roll(6)];
}

static const char *any_timer(void)
{
	static const char *const lines[] = {
		"", "Supported: timer\r\n",
		"Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n",
		"Session-Expires: 100\r\nSupported: timer\r\nAllow: UPDATE\r\n",
		"Session-Expires: 1\r\n"
	};

	return lines[roll(5)];
}

static void answer_some_ng(struct kit *k)
{
	for (unsigned i = 0; i < k->fw->n_ng; i++) {
		if (!k->fw->ng[i].open || roll(3) == 0)
			continue;
		if (roll(8) == 0)
			fake_ng_reply(k->fw, i, roll(2) ? -ETIMEDOUT : -EPROTO, NULL);
		else
			fake_ng_reply(k->fw, i, 0, fake_ng_ok(&k->fw->ng[i]));
	}
}

static void answer_some_request(struct kit *k)
{
	static const int codes[] = { 100, 200, 200, 401, 408, 422, 481, 491, 500 };
	unsigned i;

	if (!k->fw->n_requests)
		return;
	i = roll(k->fw->n_requests);
	if (k->fw->requests[i].open && roll(2))
		fake_request_sent(k->fw, i, roll(4) ? 0 : -EPROTO);
	else
		kit_response(k, i, codes[roll(9)], roll(2) ? SDP_TYPE : "",
			     roll(2) ? KIT_SDP : NULL);
}

static void step(struct kit *k)
{
	static const char *const methods[] = { "BYE",	"UPDATE", "OPTIONS", "INFO",
					       "REFER", "PRACK",  "PUBLISH" };
	static const char *const fragments[] = { "SIP/2.0 180 Ringing\r\n", "SIP/2.0 200 OK\r\n",
						 "garbage", NULL };
	const char *sdp;

	switch (roll(22)) {
	case 0:
		leg_ring(k->leg);
		break;
	case 1:
	case 2:
		leg_answer(k->leg);
		break;
	case 3:
		if (roll(4) == 0)
			leg_reject(k->leg, 486, "Busy Here", 0);
		break;
	case 4:
		if (roll(4) == 0)
			leg_hangup(k->leg);
		break;
	case 5:
		if (roll(3) == 0)
			kit_cancel(k);
		break;
	case 6:
	case 7:
		kit_ack(k, roll(2) ? KIT_SDP : NULL);
		break;
	case 8:
	case 9:
		kit_reinvite(k, any_timer(), any_sdp());
		break;
	case 10:
		sdp = any_sdp();
		kit_send(k, "UPDATE", sdp ? SDP_TYPE : any_timer(), sdp);
		break;
	case 11:
		kit_send(k, methods[roll(6) + (roll(6) > 0)], NULL, NULL);
		break;
	case 12:
		kit_dtmf(k, KIT_SID, (int)roll(16));
		break;
	case 13:
		answer_some_request(k);
		break;
	case 14:
	case 15:
	case 16:
		answer_some_ng(k);
		break;
	case 17:
		fake_advance(k->fw, roll(3) ? roll(3000) : roll(60000));
		break;
	case 18:
		k->fw->fail_request = roll(4) ? 0 : -ECONNREFUSED;
		k->fw->fail_media = roll(6) ? 0 : -EMFILE;
		k->fw->fail_ng = roll(8) == 0;
		k->fw->fail_reply = roll(12) ? 0 : -EAGAIN;
		break;
	case 19:
		if (k->fw->n_ports && fake_last_port(k->fw)->open &&
		    fake_last_port(k->fw)->starts && roll(6) == 0) {
			struct fake_port *port = fake_last_port(k->fw);

			port->events->silent(port->arg);
		}
		break;
	case 20:
		leg_refer(k->leg, "<sip:b@example.com>");
		break;
	case 21:
		kit_send(k, "NOTIFY",
			 roll(2) ? "Event: refer\r\nContent-Type: message/sipfrag\r\n"
				   "Subscription-State: active\r\n"
				 : "Event: refer\r\nContent-Type: message/sipfrag\r\n"
				   "Subscription-State: terminated\r\n",
			 fragments[roll(4)]);
		break;
	}
}

static void walk(unsigned long long seed)
{
	struct kit *k = kit_new();
	bool replies_failed = false;
	unsigned steps;

	seed_state = seed;
	k->free_at_end = roll(2);
	k->free_at_answer = roll(10) == 0;
	kit_invite(k, any_timer(), roll(5) ? KIT_SDP : any_sdp());
	for (steps = 0; steps < STEPS && k->leg; steps++) {
		step(k);
		replies_failed |= k->fw->fail_reply != 0;
		if (!k->our_tag[0] && k->fw->n_replies)
			snprintf(k->our_tag, sizeof(k->our_tag), "%s", k->fw->replies[0].to_tag);
	}
	k->fw->fail_reply = k->fw->fail_request = 0;
	k->fw->fail_ng = false;
	if (k->leg) {
		if (roll(2))
			leg_hangup(k->leg);
		k->free_at_end = false;
		leg_free(k->leg);
		k->leg = NULL;
	}
	k->fw->ng_auto = true;
	for (int i = 0; i < 5; i++)
		fake_advance(k->fw, 20000);
	for (unsigned i = 1; i <= k->transactions; i++) {
		char transaction[32];
		int code;

		snprintf(transaction, sizeof(transaction), "%u:77", i);
		code = kit_final(k, transaction); /* fails on a second one */
		if (!code && !replies_failed)
			fail_msg("transaction %s has no final reply", transaction);
	}
	assert_true(k->ended <= 1);
	kit_done(k);
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
