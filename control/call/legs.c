#define LOG_SUBSYSTEM "legs"
#include "call/leg_internal.h"

#include "base/log.h"
#include "proto/sip_msg.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX_BYTES (128 << 10)

struct legs {
	struct world *world;
	struct leg *by_key, *by_sid;
	const struct legs_events *events;
	void *arg;
	unsigned char *message; /* the decoded SIP message of the event at hand */
};

struct legs *legs_new(struct world *world, const struct legs_events *events, void *arg)
{
	struct legs *legs = calloc(1, sizeof(*legs));

	if (!legs)
		return NULL;
	legs->world = world;
	legs->events = events;
	legs->arg = arg;
	legs->message = malloc(MESSAGE_MAX_BYTES + 4);
	if (!legs->message) {
		free(legs);
		return NULL;
	}
	return legs;
}

void legs_free(struct legs *legs)
{
	if (!legs)
		return;
	free(legs->message);
	free(legs);
}

void legs_add(struct legs *legs, struct leg *leg)
{
	HASH_ADD_KEYPTR(hh, legs->by_key, leg->key, strlen(leg->key), leg);
	HASH_ADD_KEYPTR(sid_hh, legs->by_sid, leg->call_sid, strlen(leg->call_sid), leg);
	leg->registered = true;
}

void legs_remove(struct leg *leg)
{
	if (!leg->registered)
		return;
	HASH_DELETE(hh, leg->legs->by_key, leg);
	HASH_DELETE(sid_hh, leg->legs->by_sid, leg);
	leg->registered = false;
}

unsigned legs_count(const struct legs *legs)
{
	return HASH_CNT(hh, legs->by_key);
}

/* The leg of a dialog: Call-ID and the party's tag; our tag must match where the message has it. */
static struct leg *find(struct legs *legs, const char *call_id, const char *party_tag, const char *our_tag)
{
	struct leg *leg;
	char *key = NULL;

	if (asprintf(&key, "%s %s", call_id, party_tag ? party_tag : "") < 0)
		return NULL;
	HASH_FIND(hh, legs->by_key, key, strlen(key), leg);
	free(key);
	return leg && our_tag && strcmp(leg->local_tag, our_tag) ? NULL : leg;
}

static struct sip_msg *decode(struct legs *legs, const json_t *params)
{
	const json_t *text = json_object_get(params, "message");
	size_t len = json_string_length(text);
	const char *b64 = json_string_value(text);
	struct sip_msg *msg;
	int n;

	if (!len || len % 4 || len / 4 * 3 > MESSAGE_MAX_BYTES)
		return NULL;
	n = EVP_DecodeBlock(legs->message, (const unsigned char *)b64, (int)len);
	if (n < 0)
		return NULL;
	/* EVP_DecodeBlock counts the padding. */
	n -= (b64[len - 1] == '=') + (b64[len - 2] == '=');
	return sip_msg_parse(&msg, (char *)legs->message, (size_t)n) < 0 ? NULL : msg;
}

static const char *text(const json_t *params, const char *name)
{
	const char *s = json_string_value(json_object_get(params, name));

	return s ? s : "";
}

static void refuse(struct legs *legs, const char *transaction, int code, const char *reason)
{
	legs->world->ops->sip_reply(legs->world->w, transaction, code, reason, LEG_TAG_PREFIX "0", LEG_SERVER, "");
}

static void on_request(struct legs *legs, const json_t *params)
{
	const char *transaction = text(params, "transaction");
	struct sip_msg *msg;
	struct leg *leg;

	if (!*transaction || strlen(transaction) >= LEG_TRANSACTION_SIZE) {
		log_error("an event without a transaction");
		return;
	}
	msg = decode(legs, params);
	if (!msg || !msg->request) {
		refuse(legs, transaction, 400, "Bad Request");
	} else if (msg->to_tag) {
		leg = find(legs, msg->call_id, msg->from_tag, msg->to_tag);
		if (leg)
			leg_on_request(leg, transaction, msg);
		else
			refuse(legs, transaction, 481, "Call/Transaction Does Not Exist");
	} else if (strcmp(msg->method, "INVITE")) {
		refuse(legs, transaction, 405, "Method Not Allowed");
	} else if (find(legs, msg->call_id, msg->from_tag, NULL)) {
		refuse(legs, transaction, 482, "Loop Detected"); /* merged request, RFC 3261 §8.2.2.2 */
	} else {
		struct leg_invite invite = {
			.legs = legs,
			.transaction = transaction,
			.msg = msg,
			.source_ip = text(params, "source"),
			.source_port = (int)json_integer_value(json_object_get(params, "port")),
			.proto = text(params, "proto"),
			.socket = text(params, "socket"),
			.account_sid = text(params, "account"),
			.domain = text(params, "domain"),
			.domain_sid = text(params, "domain_sid"),
			.user = text(params, "user"),
		};

		legs->events->incoming(legs->arg, &invite);
	}
	sip_msg_free(msg);
}

static void on_ack(struct legs *legs, const json_t *params)
{
	struct sip_msg *msg = decode(legs, params);
	struct leg *leg = msg ? find(legs, msg->call_id, msg->from_tag, msg->to_tag) : NULL;

	if (leg)
		leg_on_ack(leg, msg);
	sip_msg_free(msg);
}

static void on_cancel(struct legs *legs, const json_t *params)
{
	struct sip_msg *msg = decode(legs, params);
	struct leg *leg = msg ? find(legs, msg->call_id, msg->from_tag, NULL) : NULL;

	if (leg && leg->invite_cseq == msg->cseq)
		leg_on_cancel(leg);
	sip_msg_free(msg);
}

static void on_response(struct legs *legs, const json_t *params)
{
	struct sip_msg *msg = decode(legs, params);
	/* In a dialog that the party began, To is the party in requests of ours. */
	struct leg *leg = msg && !msg->request ? find(legs, msg->call_id, msg->to_tag, msg->from_tag) : NULL;

	if (leg)
		leg_on_response(leg, msg);
	sip_msg_free(msg);
}

static void on_rejected(struct legs *legs, const json_t *params)
{
	struct sip_msg *msg = decode(legs, params);

	legs->events->rejected(legs->arg, params, msg);
	sip_msg_free(msg);
}

void legs_sip_event(struct legs *legs, const char *json, size_t len)
{
	static const struct {
		const char *method;
		void (*handle)(struct legs *legs, const json_t *params);
	} events[] = {
		{ "sip.request", on_request },	 { "sip.ack", on_ack },		  { "sip.cancel", on_cancel },
		{ "sip.response", on_response }, { "sip.rejected", on_rejected },
	};
	json_t *event = json_loadb(json, len, 0, NULL);
	const char *method = text(event, "method");
	size_t i;

	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (strcmp(events[i].method, method))
			continue;
		events[i].handle(legs, json_object_get(event, "params"));
		break;
	}
	if (i == sizeof(events) / sizeof(events[0]))
		log_warn("an event of Kamailio's cannot be read");
	json_decref(event);
}

void legs_dtmf_event(struct legs *legs, const char *json, size_t len)
{
	static const char digits[] = "0123456789*#ABCD";
	json_t *event = json_loadb(json, len, 0, NULL);
	const char *sid = text(event, "callid");
	json_int_t code = json_integer_value(json_object_get(event, "event"));
	struct leg *leg;

	HASH_FIND(sid_hh, legs->by_sid, sid, strlen(sid), leg);
	/* Tag p is the party; digits that we send come back as tag i. */
	if (leg && leg->events && leg->state != LEG_ENDED && code >= 0 && code < 16 && !strcmp(text(event, "source_tag"), "p"))
		leg->events->digit(leg->arg, digits[code], (unsigned)json_integer_value(json_object_get(event, "duration")));
	json_decref(event);
}
