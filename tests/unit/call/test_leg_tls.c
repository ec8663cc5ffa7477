/* Calls over TLS to servers whose certificate counts: docs/tls.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/leg_kit.h"
#include "proto/sip_target.h"

#define MARK "X-Hookswitch-Connection: "

static struct kit *start(const char *uri, const char *verify, const char *addresses)
{
	struct kit *k = kit_new();
	struct sip_target_error error;
	struct sip_target target;
	struct leg_call call = { .target = &target,
				 .account_sid = "AC1",
				 .shown_sid = KIT_SID,
				 .from_user = "alice",
				 .from_host = "sip.example.com" };

	k->fw->config.sip_private_targets = true;
	k->fw->config.sip_tls_verify = verify;
	assert_int_equal(sip_target_parse(&target, uri, &error), 0);
	assert_int_equal(
		leg_new_outbound(&k->leg, &k->fw->world, k->legs, KIT_SID, &call, &kit_events, k),
		0);
	sip_target_done(&target);
	k->fw->ng_auto = true;
	fake_resolved(k->fw, addresses);
	fake_run(k->fw);
	return k;
}

static void told(struct kit *k, const char *id, int connection, int verified, const char *names)
{
	json_t *event =
		json_pack("{s:s,s:{s:s,s:i,s:i,s:s}}", "method", "tls.peer", "params", "id", id,
			  "connection", connection, "verified", verified, "names", names);
	char *text = json_dumps(event, JSON_COMPACT);

	legs_sip_event(k->legs, text, strlen(text));
	fake_run(k->fw);
	free(text);
	json_decref(event);
}

static void peer(struct kit *k, int verified, const char *names)
{
	told(k, k->fw->connect_id, 7, verified, names);
}

static const char *headers(const struct kit *k)
{
	return k->fw->requests[k->fw->n_requests - 1].headers;
}

static void a_contact_over_tls_names_tls_and_its_port(void **state)
{
	struct kit *k = start("sip:bob@example.com;transport=tls", "off", "192.0.2.20");

	(void)state;
	assert_int_equal(k->fw->n_connects, 0);
	assert_int_equal(k->fw->n_requests, 1);
	assert_string_equal(k->fw->requests[0].next_hop, "sip:192.0.2.20:5061;transport=tls");
	assert_non_null(strstr(headers(k), ":5061;transport=tls>\r\n"));
	assert_null(strstr(headers(k), MARK));
	leg_hangup(k->leg);
	kit_done(k);
}

static void the_invite_waits_until_its_connection_is_the_right_one(void **state)
{
	struct kit *k = start("sip:bob@pbx.example.com;transport=tls", "on", "192.0.2.20");

	(void)state;
	assert_int_equal(k->fw->n_connects, 1);
	assert_string_equal(k->fw->connect, "192.0.2.20:5061 pbx.example.com");
	assert_int_equal(k->fw->n_requests, 0);
	told(k, "of-somebody-else", 3, 1, "pbx.example.com");
	assert_int_equal(k->fw->n_requests, 0);
	peer(k, 1, "*.example.com");
	assert_int_equal(k->fw->n_requests, 1);
	assert_non_null(strstr(headers(k), MARK "7\r\n"));
	peer(k, 1, "*.example.com"); /* told twice: one INVITE */
	assert_int_equal(k->fw->n_requests, 1);
	leg_hangup(k->leg);
	kit_done(k);
}

static void other_transports_do_not_wait(void **state)
{
	struct kit *k = start("sip:bob@pbx.example.com;transport=tcp", "on", "192.0.2.20/tcp");

	(void)state;
	assert_int_equal(k->fw->n_connects, 0);
	assert_int_equal(k->fw->n_requests, 1);
	assert_null(strstr(headers(k), MARK));
	leg_hangup(k->leg);
	kit_done(k);
}

static void a_wrong_certificate_leads_to_the_next_address_and_then_to_the_end(void **state)
{
	static const struct {
		int verified;
		const char *names;
	} wrong[] = { { 1, "other.example.com" }, { 0, "pbx.example.com" }, { 1, "" } };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct kit *k = start("sip:bob@pbx.example.com;transport=tls", "on",
				      "192.0.2.20 192.0.2.21");

		peer(k, wrong[i].verified, wrong[i].names);
		assert_int_equal(k->fw->n_connects, 2);
		assert_string_equal(k->fw->connect, "192.0.2.21:5061 pbx.example.com");
		peer(k, wrong[i].verified, wrong[i].names);
		assert_int_equal(k->fw->n_requests, 0);
		assert_int_equal(k->ended, 1);
		assert_int_equal(k->why, LEG_END_UNREACHABLE);
		assert_int_equal(k->warned, wrong[i].verified ? 11235 : 11237);
		kit_done(k);
	}
}

static void with_warn_a_wrong_certificate_is_called_all_the_same(void **state)
{
	struct kit *k = start("sip:bob@pbx.example.com;transport=tls", "warn", "192.0.2.20");

	(void)state;
	assert_int_equal(k->fw->n_connects, 1);
	peer(k, 0, "other.example.com");
	assert_int_equal(k->fw->n_requests, 1);
	assert_null(strstr(headers(k), MARK));
	assert_int_equal(k->warned, 11235);
	leg_hangup(k->leg);
	kit_done(k);
}

static void a_server_that_says_nothing_over_tls_is_left_for_the_next(void **state)
{
	struct kit *k =
		start("sip:bob@pbx.example.com;transport=tls", "on", "192.0.2.20 192.0.2.21");

	(void)state;
	fake_advance(k->fw, 4100);
	assert_string_equal(k->fw->connect, "192.0.2.21:5061 pbx.example.com");
	fake_advance(k->fw, 4100);
	assert_int_equal(k->ended, 1);
	assert_int_equal(k->why, LEG_END_UNREACHABLE);
	assert_int_equal(k->end_code, 408);
	peer(k, 1, "pbx.example.com"); /* too late */
	assert_int_equal(k->fw->n_requests, 0);
	kit_done(k);
}

static void a_call_that_ends_meanwhile_sends_nothing(void **state)
{
	struct kit *k = start("sip:bob@pbx.example.com;transport=tls", "on", "192.0.2.20");

	(void)state;
	leg_hangup(k->leg);
	fake_run(k->fw);
	assert_int_equal(k->ended, 1);
	peer(k, 1, "pbx.example.com");
	fake_advance(k->fw, 5000);
	assert_int_equal(k->fw->n_requests, 0);
	kit_done(k);
}

static void a_server_that_answers_too_late_is_not_taken_for_the_next_one(void **state)
{
	struct kit *k =
		start("sip:bob@pbx.example.com;transport=tls", "on", "192.0.2.20 192.0.2.21");
	char first[sizeof(k->fw->connect_id)];

	(void)state;
	snprintf(first, sizeof(first), "%s", k->fw->connect_id);
	fake_advance(k->fw, 4000);
	assert_int_equal(k->fw->n_connects, 2);
	told(k, first, 3, 1, "pbx.example.com");
	assert_int_equal(k->fw->n_requests, 0);
	peer(k, 1, "pbx.example.com");
	assert_int_equal(k->fw->n_requests, 1);
	assert_non_null(strstr(headers(k), MARK "7\r\n"));
	assert_string_equal(k->fw->requests[0].next_hop, "sip:192.0.2.21:5061;transport=tls");
	leg_hangup(k->leg);
	kit_done(k);
}

#define SECURE                                                                                     \
	KIT_SDP_HEAD "m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "              \
		     "inline:" FAKE_KEY "\r\n"

static void a_key_of_ours_leaves_over_tls_alone(void **state)
{
	/* What a party says of where it is, and where a request with our key goes. */
	static const struct {
		const char *headers, *next_hop;
	} answers[] = {
		{ "Contact: <sips:bob@192.0.2.44>\r\n", "sip:192.0.2.99:5099;transport=tls" },
		{ "Contact: <sip:bob@192.0.2.99>\r\n", "sip:192.0.2.99:5099;transport=tls" },
		{ "Contact: <sip:bob@192.0.2.99;transport=tcp>\r\n",
		  "sip:192.0.2.99:5099;transport=tls" },
		{ "Contact: <sip:bob@10.0.0.1>\r\nRecord-Route: <sip:192.0.2.30;lr>\r\n",
		  "sip:192.0.2.99:5099;transport=tls" },
		{ "Contact: <sip:bob@10.0.0.1>\r\nRecord-Route: <sip:192.0.2.30;transport=tls;lr>"
		  "\r\n",
		  "sip:192.0.2.30;transport=tls;lr" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct kit *k = start("sip:bob@example.com;secure=true", "off", "192.0.2.20");
		const char *next_hop;
		char lines[400];

		k->proto = "tls";
		snprintf(lines, sizeof(lines), "%sSession-Expires: 600;refresher=uac\r\n" SDP_TYPE,
			 answers[i].headers);
		kit_response(k, 0, 200, lines, SECURE);
		fake_run(k->fw);
		assert_int_equal(k->answered, 1);
		fake_advance(k->fw, 300000);
		assert_int_equal(k->fw->n_requests, 2);
		assert_non_null(strstr(k->fw->requests[1].body, "a=crypto:"));
		next_hop = k->fw->requests[1].next_hop;
		assert_non_null(next_hop);
		assert_string_equal(next_hop, answers[i].next_hop);
		kit_response(k, 1, 200, lines, SECURE);
		fake_run(k->fw);
		leg_hangup(k->leg);
		kit_done(k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_contact_over_tls_names_tls_and_its_port),
		cmocka_unit_test(the_invite_waits_until_its_connection_is_the_right_one),
		cmocka_unit_test(other_transports_do_not_wait),
		cmocka_unit_test(a_wrong_certificate_leads_to_the_next_address_and_then_to_the_end),
		cmocka_unit_test(with_warn_a_wrong_certificate_is_called_all_the_same),
		cmocka_unit_test(a_server_that_says_nothing_over_tls_is_left_for_the_next),
		cmocka_unit_test(a_call_that_ends_meanwhile_sends_nothing),
		cmocka_unit_test(a_server_that_answers_too_late_is_not_taken_for_the_next_one),
		cmocka_unit_test(a_key_of_ours_leaves_over_tls_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
