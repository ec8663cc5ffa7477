#include "call/leg_ng.h"

#include "base/config.h"
#include "call/leg_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of those that left, RTPengine keeps some memory until the call goes, and walks through it. */
#define JOINS_MAX 32

/* Of SRTP, whatever RTPengine is told anew: the party was told them once. */
#define KEYS_STAY "SDES-static"

static const char *const directions[] = { [LEG_PARTY] = "external", [LEG_OURS] = "internal" };

struct leg_ng_call *leg_ng_call_new(const char *id)
{
	struct leg_ng_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	snprintf(call->id, sizeof(call->id), "%s", id);
	call->legs = call->joins = 1;
	return call;
}

struct leg_ng_call *leg_ng_call_beside(const struct leg *beside, const char *id)
{
	struct leg_ng_call *call = beside->ng;

	if (call->joins >= JOINS_MAX)
		return leg_ng_call_new(id);
	call->joins++;
	call->legs++;
	return call;
}

void leg_ng_call_release(struct leg_ng_call *call)
{
	if (call && --call->legs == 0)
		free(call);
}

static enum leg_side other(enum leg_side side)
{
	return side == LEG_PARTY ? LEG_OURS : LEG_PARTY;
}

static const char *tag(const struct leg *leg, enum leg_side side)
{
	return side == LEG_PARTY ? leg->call_sid : leg->ng_ours;
}

/*
 * With "port latching" in all of them RTPengine keeps the party's port through the call. The
 * party's packets come from where they come from; ours from where our description says, and from
 * nowhere else: what is still on its way from the media worker, or from a peer, while our side is
 * told anew would be learned as the new address.
 */
static json_t *flags(const struct leg *leg, enum leg_side side)
{
	if (side == LEG_OURS)
		return json_pack("[s, s, s]", "port latching", KEYS_STAY, "asymmetric");
	/* Where it is known where the party sends from, nobody else is heard. */
	return leg->world->config->rtp_strict_source
		       ? json_pack("[s, s, s]", "port latching", KEYS_STAY, "strict source")
		       : json_pack("[s, s]", "port latching", KEYS_STAY);
}

static int start(struct leg *leg, json_t *command, ng_done_fn *done)
{
	uint64_t id = command ? leg->world->ops->ng(leg->world->w, command, done, leg) : 0;

	if (!id)
		return -ENOMEM;
	leg->ng_id = id;
	return 0;
}

bool leg_is_dtls(const struct leg *leg)
{
	return leg->suite && !strcmp(leg->suite, SDP_DTLS);
}

/* What RTPengine is to speak with the party that is offered something. */
static int add_security(json_t *command, const struct leg *party)
{
	bool first = !party->ng_known;
	char only[40];

	if (party->security != LEG_SRTP)
		return json_object_update_new(command, json_pack("{s:s, s:s}", "transport protocol",
								 "RTP/AVP", "DTLS", "off"));
	/* A party that has its handshake and its candidates keeps them. */
	if (leg_is_dtls(party))
		return json_object_update_new(
			command, json_pack("{s:s, s:[s], s:s*, s:o*}", "transport protocol",
					   "UDP/TLS/RTP/SAVPF", "SDES", "off", "ICE",
					   first ? "force" : NULL, "rtcp-mux",
					   first ? json_pack("[s, s]", "offer", "require") : NULL));
	snprintf(only, sizeof(only), "only-%s", party->suite ? party->suite : SDP_SUITE_80);
	return json_object_update_new(command, json_pack("{s:s, s:s, s:[s]}", "transport protocol",
							 "RTP/SAVP", "DTLS", "off", "SDES", only));
}

/* Our side is plain; what a party of DTLS brings along is its own. */
static int add_plain(json_t *command, bool dtls)
{
	return json_object_update_new(
		command, json_pack("{s:s, s:s, s:s*, s:o*}", "transport protocol", "RTP/AVP",
				   "DTLS", "off", "ICE", dtls ? "remove" : NULL, "rtcp-mux",
				   dtls ? json_pack("[s]", "demux") : NULL));
}

/* A description of one of two tags, whose sides these are; party is whom it is offered to, NULL for
 * our side. Both codecs are offered to a party; our side is PCMU, whatever the party chose. */
static json_t *offer(const struct leg *leg, const char *from, enum leg_side side, const char *to,
		     const struct leg *party, const char *sdp)
{
	const char *suite = leg->exchange.info.suite;
	json_t *command = json_pack(
		"{s:s, s:s, s:s, s:s*, s:s, s:[s], s:o, s:[ss], s:{s:[ss]}}", "command", "offer",
		"call-id", leg->ng->id, "from-tag", from, "to-tag", to, "sdp", sdp, "replace",
		"origin", "flags", flags(leg, side), "direction", directions[side],
		directions[party ? LEG_PARTY : LEG_OURS], "codec", "transcode", "PCMU", "PCMA");

	if (command && (party ? add_security(command, party)
			      : add_plain(command, suite && !strcmp(suite, SDP_DTLS))) < 0) {
		json_decref(command);
		command = NULL;
	}
	return command;
}

/* from-tag still names who offered. */
static json_t *answer(const struct leg *leg, const char *from, const char *to, enum leg_side side,
		      const char *sdp)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:[s], s:o}", "command", "answer", "call-id",
			 leg->ng->id, "from-tag", from, "to-tag", to, "sdp", sdp, "replace",
			 "origin", "flags", flags(leg, side));
}

int leg_ng_offer(struct leg *leg, enum leg_side side, const char *sdp, ng_done_fn *done)
{
	const char *to = leg->ng_known ? tag(leg, other(side)) : NULL;
	const struct leg *party = side == LEG_OURS ? leg : NULL;
	int r = start(leg, offer(leg, tag(leg, side), side, to, party, sdp), done);

	/* It may know the tag from now on. */
	if (r == 0 && leg->ng_known != leg->call_sid)
		leg->ng_known = tag(leg, side);
	return r;
}

int leg_ng_answer(struct leg *leg, enum leg_side side, const char *sdp, ng_done_fn *done)
{
	const char *from = tag(leg, other(side));
	int r = start(leg, answer(leg, from, tag(leg, side), side, sdp), done);

	if (r == 0)
		leg->ng_known = leg->call_sid;
	return r;
}

int leg_ng_link_offer(struct leg *leg, const struct leg *to, const char *sdp, ng_done_fn *done)
{
	return start(leg, offer(leg, leg->call_sid, LEG_PARTY, to->call_sid, to, sdp), done);
}

int leg_ng_link_answer(struct leg *leg, const struct leg *to, const char *sdp, ng_done_fn *done)
{
	return start(leg, answer(leg, leg->call_sid, to->call_sid, LEG_PARTY, sdp), done);
}

int leg_ng_query(struct leg *leg, ng_done_fn *done)
{
	return start(leg, json_pack("{s:s, s:s}", "command", "query", "call-id", leg->ng->id),
		     done);
}

int leg_ng_block(struct leg *leg, bool block, ng_done_fn *done)
{
	return start(leg,
		     json_pack("{s:s, s:s, s:s}", "command",
			       block ? "block media" : "unblock media", "call-id", leg->ng->id,
			       "from-tag", leg->call_sid),
		     done);
}

void leg_ng_delete(struct leg *leg)
{
	json_t *command;

	if (!leg->ng_known)
		return;
	/* By one tag both of a leg go, and nobody else's. With a to-tag others could go along. */
	command = json_pack("{s:s, s:s, s:s*}", "command", "delete", "call-id", leg->ng->id,
			    "from-tag", leg->ng->legs > 1 ? leg->ng_known : NULL);
	leg->ng_known = NULL;
	if (!command || (leg->suite && leg_proof_ask(legs_proofs(leg->legs), leg, command)))
		return;
	leg->world->ops->ng(leg->world->w, command, NULL, NULL);
}

bool leg_ng_over(struct leg *leg)
{
	leg->ng_id = 0;
	if (leg->state != LEG_ENDED)
		return false;
	leg_ng_delete(leg);
	leg_release(leg);
	return true;
}

const char *leg_ng_sdp(const json_t *reply)
{
	return json_string_value(json_object_get(reply, "sdp"));
}

int64_t leg_ng_last_packet(const struct leg *leg, const json_t *reply)
{
	const json_t *party = json_object_get(json_object_get(reply, "tags"), leg->call_sid);
	const json_t *media = json_array_get(json_object_get(party, "medias"), 0);
	const json_t *stream = json_array_get(json_object_get(media, "streams"), 0);

	return json_integer_value(json_object_get(stream, "last packet"));
}
