/* SRTP of a leg: what is taken, what RTPengine is told, what the party's answers have to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/pair_kit.h"

#define CRYPTO(tag, suite) "a=crypto:" tag " AES_CM_128_HMAC_SHA1_" suite " inline:" FAKE_KEY "\r\n"
#define SECURE(crypto)                                                                             \
	KIT_SDP_HEAD "m=audio 4000 RTP/SAVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"        \
		     "a=sendrecv\r\n" crypto

static const char *text_of(const json_t *command, const char *key)
{
	return json_string_value(json_object_get(command, key));
}

static const json_t *last_ng(struct kit *k)
{
	assert_true(k->fw->n_ng > 0);
	return k->fw->ng[k->fw->n_ng - 1].command;
}

static void refused(bool secure, bool optional, const char *sdp, int error)
{
	struct kit *k = kit_new();

	k->secure = secure;
	k->fw->config.srtp_optional = optional;
	kit_invite(k, NULL, sdp);
	assert_int_equal(k->new_r, -EPROTO);
	assert_int_equal(k->refused_code, 488);
	assert_int_equal(k->refused_error, error);
	assert_int_equal(k->fw->n_ng, 0);
	kit_done(k);
}

static void a_domain_takes_what_it_is_set_to(void **state)
{
	(void)state;
	refused(true, false, KIT_SDP, 32208);
	refused(true, true, KIT_SDP, 32208);
	refused(false, false, SECURE(CRYPTO("1", "80")), 32207);
	/* Keys beside plain media do not make it secure. */
	refused(true, false, KIT_SDP CRYPTO("1", "80"), 32208);
	/* Nothing in it that we can use. */
	refused(true, false, SECURE(""), 32208);
	refused(false, true, SECURE("a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:x\r\n"), 32208);
	refused(true, false,
		SECURE("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" FAKE_KEY "|2^20|1:4\r\n"),
		32208);
	refused(true, false,
		KIT_SDP_HEAD "m=audio 4000 UDP/TLS/RTP/SAVP 0\r\na=fingerprint:sha-256 AA\r\n",
		32208);
}

/* Answered; what the INVITE offered, and the reply's crypto line. */
static struct kit *call_with(bool secure, bool optional, const char *sdp, const char *crypto)
{
	struct kit *k = kit_new();

	k->secure = secure;
	k->fw->config.srtp_optional = optional;
	kit_invite(k, NULL, sdp);
	assert_int_equal(k->new_r, 0);
	leg_ring(k->leg);
	leg_answer(k->leg);
	k->fw->ng_auto = true;
	fake_run(k->fw);
	assert_int_equal(kit_final(k, k->transaction), 200);
	snprintf(k->our_tag, sizeof(k->our_tag), "%s", fake_last_reply(k->fw)->to_tag);
	if (crypto)
		assert_non_null(strstr(fake_last_reply(k->fw)->body, crypto));
	else
		assert_null(strstr(fake_last_reply(k->fw)->body, "crypto"));
	return k;
}

static void either_suite_in_either_order_is_taken(void **state)
{
	static const struct {
		const char *lines, *told;
	} cases[] = {
		{ CRYPTO("1", "80") CRYPTO("2", "32"), "a=crypto:1 AES_CM_128_HMAC_SHA1_80" },
		{ CRYPTO("1", "32") CRYPTO("2", "80"), "a=crypto:1 AES_CM_128_HMAC_SHA1_32" },
		{ "a=crypto:1 AEAD_AES_128_GCM inline:x\r\n" CRYPTO("7", "32"),
		  "a=crypto:7 AES_CM_128_HMAC_SHA1_32" },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char sdp[900];
		struct kit *k;

		snprintf(sdp, sizeof(sdp), SECURE("%s"), cases[i].lines);
		k = call_with(true, false, sdp, cases[i].told);
		/* One key, and our side is plain. */
		assert_null(strstr(strstr(text_of(k->fw->ng[0].command, "sdp"), "a=crypto") + 1,
				   "a=crypto"));
		assert_string_equal(text_of(k->fw->ng[0].command, "transport protocol"), "RTP/AVP");
		kit_ack(k, NULL);
		kit_done(k);
	}
}

static void with_srtp_optional_both_are_taken_and_stay_what_they_are(void **state)
{
	struct kit *k = call_with(false, true, SECURE(CRYPTO("1", "80")), "a=crypto:1");

	(void)state;
	kit_ack(k, NULL);
	kit_reinvite(k, NULL, KIT_SDP);
	fake_run(k->fw);
	assert_int_equal(kit_final(k, k->transaction), 488);
	assert_non_null(strstr(fake_last_reply(k->fw)->reason, "Secure media required"));
	kit_ack(k, NULL);
	kit_done(k);
	k = call_with(false, true, KIT_SDP, NULL);
	kit_ack(k, NULL);
	kit_reinvite(k, NULL, SECURE(CRYPTO("1", "80")));
	fake_run(k->fw);
	assert_int_equal(kit_final(k, k->transaction), 488);
	kit_ack(k, NULL);
	kit_done(k);
}

static void a_domain_has_its_own_word_on_srtp(void **state)
{
	(void)state;
	for (int takes = 0; takes < 2; takes++) {
		struct kit *k = kit_new();

		k->srtp = takes ? "o" : "n";
		k->fw->config.srtp_optional = !takes;
		kit_invite(k, NULL, SECURE(CRYPTO("1", "80")));
		assert_int_equal(k->new_r, takes ? 0 : -EPROTO);
		assert_int_equal(k->refused_error, takes ? 0 : 32207);
		kit_done(k);
	}
}

static void a_new_key_comes_with_a_new_offer(void **state)
{
	struct kit *k = call_with(true, false, SECURE(CRYPTO("1", "80")), "a=crypto:1");

	(void)state;
	kit_ack(k, NULL);
	kit_reinvite(k, NULL, SECURE(CRYPTO("3", "32")));
	fake_run(k->fw);
	assert_int_equal(kit_final(k, k->transaction), 200);
	assert_non_null(strstr(fake_last_reply(k->fw)->body, "a=crypto:3 AES_CM_128_HMAC_SHA1_32"));
	kit_ack(k, NULL);
	kit_done(k);
}

#define FINGERPRINT                                                                                \
	"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:" \
	"66:77:88:99:AA:BB:CC:DD:EE:FF\r\na=setup:actpass\r\n"
#define DTLS KIT_SDP_HEAD "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n" FINGERPRINT

static void dtls_is_taken_where_the_installation_has_it(void **state)
{
	struct kit *k;

	(void)state;
	refused(true, false, DTLS, 32208);
	refused(false, false, DTLS, 32207);
	k = kit_new();
	k->secure = k->fw->config.srtp_dtls = true;
	kit_invite(k, NULL, DTLS);
	assert_int_equal(k->new_r, 0);
	leg_answer(k->leg);
	/* The handshake is the party's matter: our side hears nothing of it. */
	assert_string_equal(text_of(last_ng(k), "transport protocol"), "RTP/AVP");
	assert_string_equal(text_of(last_ng(k), "ICE"), "remove");
	assert_non_null(strstr(text_of(last_ng(k), "sdp"), "a=fingerprint:sha-256"));
	kit_done(k);
}

static void a_secure_call_stays_on_tls(void **state)
{
	struct kit *k = kit_new();

	(void)state;
	k->secure = true;
	k->proto = "tls";
	kit_invite(k, NULL, SECURE(CRYPTO("1", "80")));
	leg_answer(k->leg);
	k->fw->ng_auto = true;
	fake_run(k->fw);
	snprintf(k->our_tag, sizeof(k->our_tag), "%s", fake_last_reply(k->fw)->to_tag);
	kit_ack(k, NULL);
	k->proto = "udp";
	kit_reinvite(k, NULL, SECURE(CRYPTO("1", "80")));
	fake_run(k->fw);
	assert_int_equal(kit_final(k, k->transaction), 488);
	assert_non_null(strstr(fake_last_reply(k->fw)->headers, "32209"));
	kit_ack(k, NULL);
	k->proto = "tls";
	kit_reinvite(k, NULL, SECURE(CRYPTO("3", "80")));
	fake_run(k->fw);
	assert_int_equal(kit_final(k, k->transaction), 200);
	kit_ack(k, NULL);
	kit_done(k);
}

static bool asked_for(const json_t *command, const char *suite)
{
	const json_t *list = json_object_get(command, "SDES");

	return !strcmp(text_of(command, "transport protocol"), "RTP/SAVP") &&
	       !strcmp(text_of(command, "DTLS"), "off") && json_array_size(list) == 1 &&
	       !strcmp(json_string_value(json_array_get(list, 0)), suite);
}

static void our_offer_in_a_secure_domain_is_secure(void **state)
{
	/* Without an offer in the INVITE ours is in the 200, and the party's key in the ACK. */
	static const struct {
		const char *sdp;
		enum leg_end why; /* LEG_END_LOCAL: taken */
	} acks[] = {
		{ SECURE(CRYPTO("1", "80")), LEG_END_LOCAL },
		{ SECURE(CRYPTO("1", "32")), LEG_END_INSECURE },
		{ SECURE(CRYPTO("2", "80")), LEG_END_INSECURE },
		{ KIT_SDP, LEG_END_INSECURE },
		{ "no description", LEG_END_MEDIA_FAILURE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(acks) / sizeof(acks[0]); i++) {
		struct kit *k = call_with(true, false, NULL, "a=crypto:1 AES_CM_128_HMAC_SHA1_80");

		assert_true(asked_for(last_ng(k), "only-AES_CM_128_HMAC_SHA1_80"));
		kit_ack(k, acks[i].sdp);
		fake_run(k->fw);
		assert_int_equal(k->ended, acks[i].why != LEG_END_LOCAL);
		if (k->ended)
			assert_int_equal(k->why, acks[i].why);
		kit_done(k);
	}
}

/* -- ours */

static void call_bob_by(struct kit *k, const char *uri)
{
	call_uri = uri;
	call_bob(k, false);
	call_uri = "sip:bob@acme.sip.example.com";
}

static void a_secure_target_is_offered_one_suite(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	call_bob_by(k, "sip:bob@acme.sip.example.com;secure=true");
	assert_true(asked_for(last_ng(k), "only-AES_CM_128_HMAC_SHA1_80"));
	assert_non_null(strstr(k->fw->requests[bob_invite].body, "m=audio 30000 RTP/SAVP"));
	bob_says(k, bob_invite, 200, SECURE(CRYPTO("1", "80")));
	fake_run(k->fw);
	assert_int_equal(bob.answered, 1);
	assert_null(strstr(text_of(last_ng(k), "sdp"), "a=crypto:1 AES_256"));
	done(k);
}

static void a_party_that_answers_without_our_key_is_hung_up(void **state)
{
	static const char *const answers[] = {
		KIT_SDP,
		SECURE(""),
		SECURE(CRYPTO("1", "32")),
		SECURE(CRYPTO("7", "80")),
		KIT_SDP_HEAD
		"m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct kit *k = kit_call();

		call_bob_by(k, "sip:bob@acme.sip.example.com;secure=true");
		bob_says(k, bob_invite, 200, answers[i]);
		fake_run(k->fw);
		assert_int_equal(bob.answered, 0);
		assert_int_equal(bob.ended, 1);
		assert_int_equal(bob.why, LEG_END_INSECURE);
		assert_int_equal(fake_count_requests(k->fw, "BYE"), 1);
		done(k);
	}
}

static void a_plain_call_is_not_answered_with_srtp(void **state)
{
	struct kit *k = kit_call();

	(void)state;
	call_bob_by(k, "sip:bob@acme.sip.example.com");
	assert_string_equal(text_of(last_ng(k), "transport protocol"), "RTP/AVP");
	bob_says(k, bob_invite, 200, SECURE(CRYPTO("1", "80")));
	fake_run(k->fw);
	assert_int_equal(bob.why, LEG_END_INSECURE);
	done(k);
}

/* Both ways of a join, to each other and apart: each party is told of by its own means. */
static void joined_legs_keep_their_keys(void **state)
{
	(void)state;
	for (int way = 0; way < 2; way++) {
		struct kit *k = call_with(true, false, SECURE(CRYPTO("2", "32")), "a=crypto:2");
		unsigned before;

		kit_ack(k, NULL);
		one_ng_call = way == 0;
		call_bob_by(k, "sip:bob@acme.sip.example.com;secure=true");
		bob_says(k, bob_invite, 200, SECURE(CRYPTO("1", "80")));
		fake_run(k->fw);
		before = k->fw->n_ng;
		assert_int_equal(leg_join(k->leg, bob.leg), 0);
		fake_run(k->fw);
		for (unsigned i = before; i < k->fw->n_ng; i++) {
			const json_t *c = k->fw->ng[i].command;
			const char *name = text_of(c, "command"), *to = text_of(c, "to-tag");

			if (!strcmp(name, "offer") && to[0] != 'i')
				assert_true(asked_for(c, !strcmp(to, KIT_SID)
								 ? "only-AES_CM_128_HMAC_SHA1_32"
								 : "only-AES_CM_128_HMAC_SHA1_80"));
			/* RTPengine was told to offer that suite alone, as the first. */
			if (one_ng_call)
				assert_non_null(strstr(text_of(c, "sdp"), "a=crypto:1 "));
		}
		leg_leave(k->leg);
		fake_run(k->fw);
		assert_int_equal(k->ended + bob.ended, 0);
		done(k);
	}
	one_ng_call = false;
}

static void two_of_one_suite_are_joined_by_our_sides(void **state)
{
	struct kit *k = call_with(true, false, SECURE(CRYPTO("1", "80")), "a=crypto:1");

	(void)state;
	kit_ack(k, NULL);
	one_ng_call = true;
	call_bob_by(k, "sip:bob@acme.sip.example.com;secure=true");
	bob_says(k, bob_invite, 200, SECURE(CRYPTO("1", "80")));
	fake_run(k->fw);
	assert_int_equal(leg_join(k->leg, bob.leg), 0);
	fake_run(k->fw);
	assert_int_equal(own_port(k, KIT_SID, "answer"), k->fw->ports[1]->peer);
	assert_int_equal(own_port(k, OTHER_SID, "offer"), k->fw->ports[0]->peer);
	/* Another suite, and they can be told of each other. */
	kit_reinvite(k, NULL, SECURE(CRYPTO("1", "32")));
	fake_run(k->fw);
	kit_ack(k, NULL);
	fake_run(k->fw);
	assert_string_equal(text_of(last_ng(k), "command"), "answer");
	assert_int_equal(text_of(last_ng(k), "from-tag")[0], 'C');
	assert_int_equal(text_of(last_ng(k), "to-tag")[0], 'C');
	done(k);
	one_ng_call = false;
}

/* What RTPengine says of a query. */
static json_t *counted(const char *tag, int packets, int errors)
{
	return json_pack("{s:s, s:{s:{s:[{s:s, s:[{s:s, s:{s:i, s:i}, s:{s:i}}]}]}}}", "result",
			 "ok", "tags", tag, "medias", "protocol", "RTP/SAVP", "streams",
			 "crypto suite", "AES_CM_128_HMAC_SHA1_80", "stats", "packets", packets,
			 "errors", errors, "stats_out", "packets", 7);
}

/* The suite of a party that was offered is known as that of one that offered. */
static void an_answer_in_the_ack_has_its_suite_too(void **state)
{
	struct kit *k = call_with(true, false, NULL, "a=crypto:1 AES_CM_128_HMAC_SHA1_80");

	(void)state;
	kit_ack(k, SECURE(CRYPTO("1", "80")));
	fake_run(k->fw);
	one_ng_call = true;
	call_bob_by(k, "sip:bob@acme.sip.example.com;secure=true");
	bob_says(k, bob_invite, 200, SECURE(CRYPTO("1", "80")));
	fake_run(k->fw);
	assert_int_equal(leg_join(k->leg, bob.leg), 0);
	fake_run(k->fw);
	assert_int_equal(own_port(k, KIT_SID, "offer"), k->fw->ports[1]->peer);
	assert_int_equal(own_port(k, OTHER_SID, "offer"), k->fw->ports[0]->peer);
	leg_hangup(k->leg);
	fake_run(k->fw);
	assert_int_equal(k->reports, 0); /* nothing was counted in this world */
	for (unsigned i = k->fw->n_ng; i-- > 0;)
		if (!strcmp(text_of(k->fw->ng[i].command, "command"), "query"))
			k->reports++;
	assert_int_equal(k->reports, 1); /* but it was asked */
	done(k);
	one_ng_call = false;
}

static void what_was_decrypted_is_told_when_the_leg_is_over(void **state)
{
	struct kit *k = call_with(true, false, SECURE(CRYPTO("1", "80")), "a=crypto:1");

	(void)state;
	kit_ack(k, NULL);
	k->fw->ng_auto = false;
	leg_hangup(k->leg);
	assert_string_equal(text_of(last_ng(k), "command"), "query");
	fake_ng_reply(k->fw, k->fw->n_ng - 1, 0, counted(KIT_SID, 250, 3));
	assert_string_equal(text_of(last_ng(k), "command"), "delete");
	assert_int_equal(k->reports, 1);
	assert_int_equal(k->received, 250);
	assert_int_equal(k->counted_out, 3);
	assert_string_equal(k->report_sid, KIT_SID);
	k->fw->ng_auto = true;
	kit_done(k);
}

static void what_cannot_be_counted_is_deleted_all_the_same(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct kit *k = call_with(true, false, SECURE(CRYPTO("1", "80")), "a=crypto:1");

		kit_ack(k, NULL);
		k->fw->ng_auto = false;
		k->fw->fail_ng = i == 0;
		leg_hangup(k->leg);
		k->fw->fail_ng = false;
		if (i == 1)
			fake_ng_reply(k->fw, k->fw->n_ng - 1, -ETIMEDOUT, NULL);
		else if (i == 2)
			fake_ng_reply(k->fw, k->fw->n_ng - 1, 0, counted("another", 1, 1));
		if (i)
			assert_string_equal(text_of(last_ng(k), "command"),
					    i == 3 ? "query" : "delete");
		k->fw->ng_auto = true;
		kit_done(k);
	}
}

static void a_secure_leg_outlives_the_process(void **state)
{
	struct kit *k = call_with(true, false, SECURE(CRYPTO("2", "32")), "a=crypto:2");
	json_t *saved;
	struct leg *again;

	(void)state;
	kit_ack(k, NULL);
	saved = leg_save(k->leg);
	assert_non_null(saved);
	leg_abandon(k->leg);
	k->leg = NULL;
	assert_int_equal(leg_resume(&again, &k->fw->world, k->legs, saved, &kit_events, k), 0);
	json_decref(saved);
	k->leg = again;
	kit_reinvite(k, NULL, KIT_SDP);
	assert_int_equal(kit_final(k, k->transaction), 488);
	kit_done(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_domain_takes_what_it_is_set_to),
		cmocka_unit_test(either_suite_in_either_order_is_taken),
		cmocka_unit_test(a_domain_has_its_own_word_on_srtp),
		cmocka_unit_test(a_secure_call_stays_on_tls),
		cmocka_unit_test(dtls_is_taken_where_the_installation_has_it),
		cmocka_unit_test(with_srtp_optional_both_are_taken_and_stay_what_they_are),
		cmocka_unit_test(a_new_key_comes_with_a_new_offer),
		cmocka_unit_test(our_offer_in_a_secure_domain_is_secure),
		cmocka_unit_test(a_secure_target_is_offered_one_suite),
		cmocka_unit_test(a_party_that_answers_without_our_key_is_hung_up),
		cmocka_unit_test(a_plain_call_is_not_answered_with_srtp),
		cmocka_unit_test(joined_legs_keep_their_keys),
		cmocka_unit_test(two_of_one_suite_are_joined_by_our_sides),
		cmocka_unit_test(an_answer_in_the_ack_has_its_suite_too),
		cmocka_unit_test(what_was_decrypted_is_told_when_the_leg_is_over),
		cmocka_unit_test(what_cannot_be_counted_is_deleted_all_the_same),
		cmocka_unit_test(a_secure_leg_outlives_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
