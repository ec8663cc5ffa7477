#define LOG_SUBSYSTEM "legs"
#include "call/leg_internal.h"

#include "base/config.h"
#include "base/log.h"
#include "base/process.h"
#include "proto/sip_msg.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX_BYTES (128 << 10)

/*
 * A CANCEL may overtake its INVITE: Kamailio's processes are several. The latest ones that found no
 * leg are kept for a moment.
 */
#define EARLY_CANCELS	64
#define EARLY_CANCEL_MS 2000

struct early_cancel {
	char *key; /* NULL: free */
	unsigned cseq;
	uint64_t at_ms;
};

struct legs {
	struct world *world;
	struct leg *by_key, *by_sid;
	struct early_cancel cancels[EARLY_CANCELS];
	unsigned next_cancel;
	const struct legs_events *events;
	void *arg;
	unsigned char *message; /* the decoded SIP message of the event at hand */
	struct leg_proofs proofs;
};

static void tell_media(void *arg, const struct leg_media_report *report)
{
	struct legs *legs = arg;

	legs->events->media(legs->arg, report);
}

struct leg_proofs *legs_proofs(struct legs *legs)
{
	return &legs->proofs;
}

struct legs *legs_new(struct world *world, const struct legs_events *events, void *arg)
{
	struct legs *legs = calloc(1, sizeof(*legs));

	if (!legs)
		return NULL;
	legs->world = world;
	legs->events = events;
	legs->arg = arg;
	legs->proofs = (struct leg_proofs){ .world = world, .tell = tell_media, .arg = legs };
	legs->message = malloc(MESSAGE_MAX_BYTES + 4);
	if (!legs->message) {
		free(legs);
		return NULL;
	}
	return legs;
}

void legs_free(struct legs *legs)
{
	struct leg *leg, *tmp;

	if (!legs)
		return;
	leg_proofs_close(&legs->proofs);
	HASH_ITER(hh, legs->by_key, leg, tmp)
	{
		BUG_ON(leg->events); /* its call must end it first */
		leg_destroy(leg);
	}
	for (int i = 0; i < EARLY_CANCELS; i++)
		free(legs->cancels[i].key);
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

/* Call-ID and the party's tag; malloced. Header values hold no line ends. */
static char *key_of(const char *call_id, const char *party_tag)
{
	char *key = NULL;

	return asprintf(&key, "%s\n%s", call_id, party_tag ? party_tag : "") < 0 ? NULL : key;
}

static struct leg *find_key(struct legs *legs, const char *call_id, const char *party_tag)
{
	char *key = key_of(call_id, party_tag);
	struct leg *leg = NULL;

	if (key)
		HASH_FIND(hh, legs->by_key, key, strlen(key), leg);
	free(key);
	return leg;
}

/* An outbound leg is known by its Call-ID, which is ours; its party's tag comes with the answer. */
static struct leg *find_outbound(struct legs *legs, const char *call_id, const char *our_tag)
{
	struct leg *leg = find_key(legs, call_id, NULL);

	return leg && leg->outbound && our_tag && !strcmp(leg->local_tag, our_tag) ? leg : NULL;
}

/* The leg of a dialog; our tag must match where the message has it. */
static struct leg *find(struct legs *legs, const char *call_id, const char *party_tag,
			const char *our_tag)
{
	struct leg *leg = find_key(legs, call_id, party_tag);

	if (leg && !leg->outbound)
		return our_tag && strcmp(leg->local_tag, our_tag) ? NULL : leg;
	leg = find_outbound(legs, call_id, our_tag);
	return leg && leg_outbound_has_tag(leg, party_tag) ? leg : NULL;
}

void *legs_find_owner(struct legs *legs, const char *call_id, const char *party_tag,
		      const char *our_tag, const struct leg_events *events)
{
	struct leg *leg = find(legs, call_id, party_tag, our_tag);

	return leg && leg->events == events && leg->state != LEG_ENDED ? leg->arg : NULL;
}

static void keep_cancel(struct legs *legs, const struct sip_msg *msg)
{
	struct early_cancel *c = &legs->cancels[legs->next_cancel++ % EARLY_CANCELS];

	free(c->key);
	*c = (struct early_cancel){ .key = key_of(msg->call_id, msg->from_tag),
				    .cseq = msg->cseq,
				    .at_ms = legs->world->ops->now_ms(legs->world->w) };
}

static bool was_cancelled(struct legs *legs, const struct sip_msg *msg)
{
	uint64_t now = legs->world->ops->now_ms(legs->world->w);
	char *key = key_of(msg->call_id, msg->from_tag);
	bool found = false;

	for (int i = 0; key && i < EARLY_CANCELS; i++) {
		struct early_cancel *c = &legs->cancels[i];

		if (!c->key || now - c->at_ms > EARLY_CANCEL_MS || c->cseq != msg->cseq ||
		    strcmp(c->key, key))
			continue;
		free(c->key);
		c->key = NULL;
		found = true;
	}
	free(key);
	return found;
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

static void refuse(struct legs *legs, const char *transaction, int code, const char *reason,
		   const char *headers)
{
	legs->world->ops->sip_reply(legs->world->w, transaction, code, reason, LEG_TAG_PREFIX "0",
				    headers, "");
}

static void on_initial(struct legs *legs, const struct leg_invite *invite)
{
	const struct sip_msg *msg = invite->msg;
	const struct leg *leg = find(legs, msg->call_id, msg->from_tag, NULL);

	if (leg && !strcmp(leg->exchange.transaction, invite->transaction))
		return; /* the same event again */
	if (leg && msg->cseq == leg->invite_cseq)
		refuse(legs, invite->transaction, 482, "Loop Detected",
		       ""); /* by another way: RFC 3261 §8.2.2.2 */
	else if (leg)
		refuse(legs, invite->transaction, 500, "Server Internal Error",
		       "Retry-After: 1\r\n");
	else if (was_cancelled(legs, msg))
		refuse(legs, invite->transaction, 487, "Request Terminated", "");
	else
		legs->events->incoming(legs->arg, invite);
}

/* kamailio.call_decision's field: the domain's own word, or the installation's. */
static enum leg_security security_of(const struct legs *legs, const char *secure)
{
	switch (*secure) {
	case 't':
		return LEG_SRTP;
	case 'o':
		return LEG_EITHER;
	case 'n':
		return LEG_RTP;
	default:
		return legs->world->config->srtp_optional ? LEG_EITHER : LEG_RTP;
	}
}

static void on_request(struct legs *legs, const json_t *params)
{
	struct sip_msg *msg = decode(legs, params);
	struct leg_invite request = {
		.legs = legs,
		.transaction = text(params, "transaction"),
		.msg = msg,
		.source_ip = text(params, "source"),
		.source_port = (int)json_integer_value(json_object_get(params, "port")),
		.proto = text(params, "proto"),
		.socket = text(params, "socket"),
		.account_sid = text(params, "account"),
		.domain = text(params, "domain"),
		.domain_sid = text(params, "domain_sid"),
		.security = security_of(legs, text(params, "secure")),
		.user = text(params, "user"),
	};
	struct leg *leg;

	if (!*request.transaction || strlen(request.transaction) >= LEG_TRANSACTION_SIZE) {
		log_error("an event without a transaction");
	} else if (!msg || !msg->request) {
		refuse(legs, request.transaction, 400, "Bad Request", "");
	} else if (msg->to_tag) {
		leg = find(legs, msg->call_id, msg->from_tag, msg->to_tag);
		if (leg)
			leg_on_request(leg, &request);
		else
			refuse(legs, request.transaction, 481, "Call/Transaction Does Not Exist",
			       "");
	} else if (!strcmp(msg->method, "INVITE")) {
		on_initial(legs, &request);
	} else {
		refuse(legs, request.transaction, 481, "Call/Transaction Does Not Exist", "");
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
	else if (msg && !leg)
		keep_cancel(legs, msg);
	sip_msg_free(msg);
}

/* An INVITE of ours whose leg is gone, or was another process's: nobody waits for who rings, and
 * who answers is hung up. */
static void on_stray(struct legs *legs, const struct sip_msg *msg, const char *source)
{
	const struct world *w = legs->world;

	if (msg->request || strcmp(msg->method, "INVITE"))
		return;
	if (msg->status < 200)
		w->ops->sip_cancel(w->w, msg->call_id, msg->cseq);
	else if (msg->status < 300)
		leg_send_stray_bye(legs->world, msg, source);
}

/* Where an event's message came from as a URI, malloced; NULL: it does not say. */
static char *source_of(const json_t *params)
{
	const char *ip = text(params, "source"), *proto = text(params, "proto");
	bool v6 = strchr(ip, ':') != NULL;
	char *uri = NULL;

	if (!*ip || !*proto ||
	    asprintf(&uri, "sip:%s%s%s:%d;transport=%s", v6 ? "[" : "", ip, v6 ? "]" : "",
		     (int)json_integer_value(json_object_get(params, "port")), proto) < 0)
		return NULL;
	return uri;
}

static void on_response(struct legs *legs, const json_t *params)
{
	char *source = source_of(params);
	struct sip_msg *msg = decode(legs, params);
	/* To is the party in requests of ours. */
	struct leg *leg = msg && !msg->request
				  ? find(legs, msg->call_id, msg->to_tag, msg->from_tag)
				  : NULL,
		   *calling = msg && !msg->request
				      ? find_outbound(legs, msg->call_id, msg->from_tag)
				      : NULL;

	if (calling && !strcmp(msg->method, "INVITE") && msg->cseq <= calling->outbound->cseq)
		leg_outbound_response(calling, msg, source);
	else if (leg)
		leg_on_response(leg, msg);
	else if (msg && !calling)
		on_stray(legs, msg, source);
	sip_msg_free(msg);
	free(source);
}

/* The id is the leg's Call-ID, a dot, and which of its connections it is. */
static void on_tls_peer(struct legs *legs, const json_t *params)
{
	const char *id = text(params, "id"), *dot = strrchr(id, '.');
	char *call_id = dot ? strndup(id, (size_t)(dot - id)) : NULL;
	struct leg *leg = call_id ? find_key(legs, call_id, NULL) : NULL;
	struct tls_peer peer = {
		.connection = (int)json_integer_value(json_object_get(params, "connection")),
		.trusted = json_integer_value(json_object_get(params, "verified")) == 1,
		.names = text(params, "names"),
	};

	if (leg && leg->outbound)
		leg_tls_peer(leg, (unsigned)strtoul(dot + 1, NULL, 10), &peer);
	free(call_id);
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
		{ "sip.request", on_request },	 { "sip.ack", on_ack },
		{ "sip.cancel", on_cancel },	 { "sip.response", on_response },
		{ "sip.rejected", on_rejected }, { "tls.peer", on_tls_peer },
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

unsigned legs_dtmf_event(struct legs *legs, const char *json, size_t len)
{
	static const char digits[] = "0123456789*#ABCD";
	json_t *event = json_loadb(json, len, 0, NULL);
	const char *tag = text(event, "source_tag");
	const json_t *code = json_object_get(event, "event");
	json_int_t key = json_is_integer(code) ? json_integer_value(code) : -1;
	json_int_t duration = json_integer_value(json_object_get(event, "duration"));
	struct leg *leg;
	unsigned process;

	/* Digits that we send come back with the tag of our side, which names no leg. */
	HASH_FIND(sid_hh, legs->by_sid, tag, strlen(tag), leg);
	if (leg && leg->events && leg->state != LEG_ENDED && key >= 0 && key < 16)
		leg->events->digit(leg->arg, digits[key],
				   duration > 0 && duration < 60000 ? (unsigned)duration : 0);
	process = process_of_call(tag);
	json_decref(event);
	return process;
}
