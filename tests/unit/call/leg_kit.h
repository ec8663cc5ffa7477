/* A party that calls one leg, as Kamailio's events would tell it; on the fake world. Header only,
 * after cmocka.h. */
#ifndef HOOKSWITCH_TEST_LEG_KIT_H
#define HOOKSWITCH_TEST_LEG_KIT_H

#include "base/buf.h"
#include "call/fake_world.h"
#include "call/leg.h"
#include "proto/sip_msg.h"

#include <openssl/evp.h>
#include <stdarg.h>

#define KIT_SID "CA0123456789abcdef0123456789abcdef"
#define KIT_SDP_HEAD                                                                               \
	"v=0\r\no=alice 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n"
#define KIT_SDP                                                                                    \
	KIT_SDP_HEAD "m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 "                               \
		     "telephone-event/8000\r\na=sendrecv\r\n"

struct kit {
	struct fake_world *fw;
	struct legs *legs;
	struct leg *leg; /* NULL: none, or freed */
	int new_r, refused_code, refused_error;
	unsigned incoming, answered, ended, held_events, changes, rejected;
	bool held;
	char digits[64];
	enum leg_end why;
	int end_code;
	uint32_t played;
	bool free_at_end, free_at_answer; /* the owner frees the leg inside that event */
	char our_tag[64];
	unsigned cseq, transactions;
	char transaction[32]; /* of the last request */
	const char *proto, *contact, *call_id;
	bool secure;	  /* the domain asks for SRTP */
	const char *srtp; /* or takes it ("o"), or refuses it ("n"); NULL: says nothing */
	int warned;	  /* the last code of that event */
	unsigned reports;
	int64_t received, counted_out;
	char report_sid[40];
};

static void kit_answered(void *arg)
{
	struct kit *k = arg;

	k->answered++;
	if (k->free_at_answer) {
		leg_free(k->leg);
		k->leg = NULL;
	}
}

static void kit_warned(void *arg, int error, const char *text)
{
	assert_true(*text);
	((struct kit *)arg)->warned = error;
}

static void kit_digit(void *arg, char digit, unsigned duration_ms)
{
	struct kit *k = arg;
	size_t n = strlen(k->digits);

	(void)duration_ms;
	assert_true(n + 1 < sizeof(k->digits));
	k->digits[n] = digit;
}

static void kit_played(void *arg, uint32_t play_id)
{
	((struct kit *)arg)->played = play_id;
}

static void kit_held(void *arg, bool held)
{
	struct kit *k = arg;

	k->held = held;
	k->held_events++;
}

static void kit_changed(void *arg)
{
	((struct kit *)arg)->changes++;
}

static void kit_ended(void *arg, enum leg_end why, int sip_code)
{
	struct kit *k = arg;

	k->ended++;
	k->why = why;
	k->end_code = sip_code;
	assert_int_equal(leg_state(k->leg), LEG_ENDED);
	if (k->free_at_end) {
		leg_free(k->leg);
		k->leg = NULL;
	}
}

static const struct leg_events kit_events = { .answered = kit_answered,
					      .warned = kit_warned,
					      .digit = kit_digit,
					      .played = kit_played,
					      .held = kit_held,
					      .changed = kit_changed,
					      .ended = kit_ended };

static void kit_incoming(void *arg, const struct leg_invite *invite)
{
	struct kit *k = arg;

	k->incoming++;
	k->new_r = leg_new_inbound(&k->leg, &k->fw->world, KIT_SID, invite, &kit_events, k,
				   &k->refused_code, &k->refused_error);
}

static void kit_rejected(void *arg, const json_t *params, const struct sip_msg *msg)
{
	(void)params;
	((struct kit *)arg)->rejected += msg ? 1 : 100;
}

static void kit_media(void *arg, const struct leg_media_report *report)
{
	struct kit *k = arg;

	k->reports++;
	k->received = report->received;
	k->counted_out = report->rejected;
	snprintf(k->report_sid, sizeof(k->report_sid), "%s", report->call_sid);
	assert_string_equal(report->protocol, "RTP/SAVP");
	assert_non_null(report->suite);
}

static struct kit *kit_new(void)
{
	static const struct legs_events events = { .incoming = kit_incoming,
						   .rejected = kit_rejected,
						   .media = kit_media };
	struct kit *k = calloc(1, sizeof(*k));

	k->fw = fake_world_new();
	k->legs = legs_new(&k->fw->world, &events, k);
	k->cseq = 1;
	k->proto = "udp";
	k->contact = "<sip:alice@198.51.100.7:5070>";
	k->call_id = "call-1@alice";
	return k;
}

FAKE_UNUSED static void kit_event(struct kit *k, const char *method, json_t *params,
				  const char *message)
{
	size_t n = strlen(message);
	char *b64 = malloc(n * 4 / 3 + 8), *text;
	json_t *event;

	EVP_EncodeBlock((unsigned char *)b64, (const unsigned char *)message, (int)n);
	json_object_set_new(params, "message", json_string(b64));
	event = json_pack("{s:s,s:s,s:o}", "jsonrpc", "2.0", "method", method, "params", params);
	text = json_dumps(event, JSON_COMPACT);
	legs_sip_event(k->legs, text, strlen(text));
	free(text);
	free(b64);
	json_decref(event);
}

/* A request of the party; headers are lines ending in CRLF, body may be NULL (Content-Type comes
 * from headers). */
static char *kit_text(struct kit *k, const char *method, unsigned cseq, const char *headers,
		      const char *body)
{
	struct buf b;

	buf_init(&b, 1 << 17);
	buf_addf(&b,
		 "%s sip:100@foo.sip.hookswitch.test SIP/2.0\r\nVia: SIP/2.0/UDP "
		 "198.51.100.7:5070;branch=z9hG4bK%u\r\n"
		 "Max-Forwards: 70\r\nFrom: \"Alice\" <sip:alice@198.51.100.7>;tag=alice1\r\n"
		 "To: <sip:100@foo.sip.hookswitch.test>%s%s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n",
		 method, k->transactions, k->our_tag[0] ? ";tag=" : "", k->our_tag, k->call_id,
		 cseq, method);
	if (k->contact)
		buf_addf(&b, "Contact: %s\r\n", k->contact);
	buf_adds(&b, headers ? headers : "");
	buf_addf(&b, "Content-Length: %zu\r\n\r\n%s", body ? strlen(body) : 0, body ? body : "");
	return buf_steal(&b);
}

static void kit_request_cseq(struct kit *k, const char *method, unsigned cseq, const char *headers,
			     const char *body)
{
	char *text;

	snprintf(k->transaction, sizeof(k->transaction), "%u:77", ++k->transactions);
	text = kit_text(k, method, cseq, headers, body);
	kit_event(k, "sip.request",
		  json_pack("{s:s,s:s,s:s,s:i,s:s,s:s,s:s,s:s,s:s,s:s}", "transaction",
			    k->transaction, "secure",
			    k->secure ? "t"
			    : k->srtp ? k->srtp
				      : "f",
			    "source", "198.51.100.7", "port", 5070, "proto", k->proto, "socket",
			    strcmp(k->proto, "udp") ? "tcp:192.0.2.10:5060" : "udp:192.0.2.10:5060",
			    "account", "AC1", "domain", "foo.sip.hookswitch.test", "domain_sid",
			    "SD1", "user", ""),
		  text);
	free(text);
}

#define SDP_TYPE "Content-Type: application/sdp\r\n"

/* An INVITE with this SDP (NULL: none) and more headers. */
static void kit_invite(struct kit *k, const char *headers, const char *sdp)
{
	char all[4096];

	snprintf(all, sizeof(all), "%s%s", headers ? headers : "", sdp ? SDP_TYPE : "");
	kit_request_cseq(k, "INVITE", k->cseq, all, sdp);
}

/* A new in-dialog request. */
FAKE_UNUSED static void kit_send(struct kit *k, const char *method, const char *headers,
				 const char *body)
{
	kit_request_cseq(k, method, ++k->cseq, headers, body);
}

FAKE_UNUSED static void kit_reinvite(struct kit *k, const char *headers, const char *sdp)
{
	k->cseq++;
	kit_invite(k, headers, sdp);
}

FAKE_UNUSED static void kit_ack(struct kit *k, const char *sdp)
{
	char *text = kit_text(k, "ACK", k->cseq, sdp ? SDP_TYPE : "", sdp);

	kit_event(k, "sip.ack", json_pack("{s:s}", "source", "198.51.100.7"), text);
	free(text);
}

FAKE_UNUSED static void kit_cancel(struct kit *k)
{
	char tag[64], *text;

	memcpy(tag, k->our_tag, sizeof(tag));
	k->our_tag[0] = '\0';
	text = kit_text(k, "CANCEL", k->cseq, NULL, NULL);
	memcpy(k->our_tag, tag, sizeof(tag));
	kit_event(k, "sip.cancel", json_object(), text);
	free(text);
}

/* A reply to request number `index` of ours. */
FAKE_UNUSED static void kit_response(struct kit *k, unsigned index, int code, const char *headers,
				     const char *body)
{
	const char *h = k->fw->requests[index].headers;
	struct buf b;

	buf_init(&b, 1 << 17);
	buf_addf(&b, "SIP/2.0 %d Whatever\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKours\r\n",
		 code);
	for (const char *line = h; *line; line = strstr(line, "\r\n") + 2)
		if (!strncmp(line, "From:", 5) || !strncmp(line, "To:", 3) ||
		    !strncmp(line, "Call-ID:", 8) || !strncmp(line, "CSeq:", 5))
			buf_addf(&b, "%.*s\r\n", (int)strcspn(line, "\r"), line);
	buf_addf(&b, "%sContent-Length: %zu\r\n\r\n%s", headers ? headers : "",
		 body ? strlen(body) : 0, body ? body : "");
	kit_event(k, "sip.response",
		  json_pack("{s:i,s:s,s:i,s:s}", "code", code, "source", "192.0.2.99", "port", 5099,
			    "proto", k->proto),
		  b.data);
	buf_done(&b);
}

FAKE_UNUSED static void kit_dtmf(struct kit *k, const char *tag, int event)
{
	char json[300];

	snprintf(json, sizeof(json),
		 "{\"callid\":\"" KIT_SID "\",\"source_tag\":\"%s\",\"source_label\":\"\",\"tags\":"
		 "[],\"type\":\"DTMF\","
		 "\"timestamp\":1795399642,\"source_ip\":\"127.0.0.1\",\"event\":%d,\"duration\":"
		 "100,\"volume\":10}",
		 tag, event);
	legs_dtmf_event(k->legs, json, strlen(json));
}

/* The code of the one final reply that the last request's transaction got; 0: none yet. */
FAKE_UNUSED static int kit_final(const struct kit *k, const char *transaction)
{
	int code = 0;

	for (unsigned i = 0; i < k->fw->n_replies; i++) {
		if (strcmp(k->fw->replies[i].transaction, transaction) ||
		    k->fw->replies[i].code < 200)
			continue;
		if (code)
			fail_msg("two final replies to %s: %d and %d", transaction, code,
				 k->fw->replies[i].code);
		code = k->fw->replies[i].code;
	}
	return code;
}

/* An answered and acknowledged call. */
FAKE_UNUSED static struct kit *kit_call_with(struct kit *k, const char *headers)
{
	kit_invite(k, headers, KIT_SDP);
	assert_int_equal(k->new_r, 0);
	assert_int_equal(leg_ring(k->leg), 0);
	assert_int_equal(leg_answer(k->leg), 0);
	k->fw->ng_auto = true;
	fake_run(k->fw);
	assert_int_equal(kit_final(k, k->transaction), 200);
	snprintf(k->our_tag, sizeof(k->our_tag), "%s", fake_last_reply(k->fw)->to_tag);
	kit_ack(k, NULL);
	assert_int_equal(leg_state(k->leg), LEG_CONFIRMED);
	return k;
}

FAKE_UNUSED static struct kit *kit_call(void)
{
	return kit_call_with(kit_new(), NULL);
}

/* Lets everything end by its own deadlines; then nothing may be left. */
FAKE_UNUSED static void kit_done(struct kit *k)
{
	struct fake_world *fw = k->fw;
	unsigned deletes = 0, offers = 0;

	fw->fail_reply = fw->fail_request = 0;
	fw->fail_ng = false;
	leg_free(k->leg);
	k->leg = NULL;
	fw->ng_auto = true;
	for (int i = 0; i < 20; i++)
		fake_advance(fw, 10000);
	assert_int_equal(legs_count(k->legs), 0);
	assert_int_equal(fake_open_things(fw), 0);
	for (unsigned i = 0; i < fw->n_ng; i++) {
		const char *command =
			json_string_value(json_object_get(fw->ng[i].command, "command"));

		deletes += !strcmp(command, "delete");
		offers += !strcmp(command, "offer");
		if (deletes)
			assert_string_equal(command, "delete");
	}
	assert_int_equal(deletes, offers > 0 && !fw->delete_failed);
	legs_free(k->legs);
	fake_world_free(fw);
	free(k);
}

#endif
