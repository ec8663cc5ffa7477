/* A leg that talks, as text that a later process takes up again: its dialog and its media. */
#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"
#include "call/leg_ng.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* CSeqs that this process may have used since the text was written. */
#define CSEQ_STEP 1000

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Strings of a leg: malloced, and which of them have to be there. */
static const struct {
	const char *name;
	size_t at;
	bool needed;
} strings[] = {
	{ "key", offsetof(struct leg, key), true },
	{ "call_id", offsetof(struct leg, call_id), true },
	{ "local", offsetof(struct leg, local), true },
	{ "remote", offsetof(struct leg, remote), true },
	{ "target", offsetof(struct leg, target), true },
	{ "route_set", offsetof(struct leg, route_set), true },
	{ "socket", offsetof(struct leg, socket), true },
	{ "proto", offsetof(struct leg, proto), true },
	{ "sent_sdp", offsetof(struct leg, sent_sdp), true },
	{ "next_hop", offsetof(struct leg, next_hop), false },
	{ "taken_offer", offsetof(struct leg, taken_offer), false },
	{ "party_answer", offsetof(struct leg, party_answer), false },
};

static char **string_at(const struct leg *leg, size_t at)
{
	return (char **)((char *)(uintptr_t)leg + at);
}

json_t *leg_save(const struct leg *leg)
{
	const struct leg_outbound *o = leg->outbound;
	json_t *j;
	int bad = 0;

	if (leg->state != LEG_ANSWERED && leg->state != LEG_CONFIRMED)
		return NULL;
	j = json_pack(
		"{s:s, s:s, s:i, s:s, s:i, s:i, s:i, s:b, s:s, s:i, s:i, s:I, s:I, s:i, s:i, s:b, "
		"s:i, s:b}",
		"media", leg->call_sid, "ng_call", leg->ng->id, "media_lines",
		(int)leg->media_lines, "local_tag", leg->local_tag, "local_cseq",
		(int)leg->local_cseq, "remote_cseq", (int)leg->remote_cseq, "invite_cseq",
		(int)leg->invite_cseq, "update", leg->peer_update, "media_ip", leg->media_ip,
		"media_port", leg->media_number, "dtmf_pt", leg->dtmf_pt, "sdp_id",
		(json_int_t)leg->sdp_id, "sdp_version", (json_int_t)leg->sdp_version, "theirs",
		(int)leg->theirs, "towards", (int)leg->towards, "info_digits", leg->info_digits,
		"session", leg->session.interval_s, "refreshes", leg->session.we_refresh);
	if (!j)
		return NULL;
	for (size_t i = 0; i < COUNT(strings); i++) {
		const char *s = *string_at(leg, strings[i].at);

		if (s)
			bad |= json_object_set_new(j, strings[i].name, json_string(s));
		else
			bad |= strings[i].needed;
	}
	if (leg->suite)
		bad |= json_object_set_new(j, "suite", json_string(leg->suite));
	if (o)
		bad |= json_object_set_new(j, "outbound",
					   json_pack("{s:s, s:s, s:i}", "to", o->to, "party_tag",
						     o->party_tag ? o->party_tag : "", "cseq",
						     (int)o->cseq));
	/* What is no UTF-8 cannot be kept: such a leg is not taken up again. */
	if (bad) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static int take_strings(struct leg *leg, const json_t *j)
{
	for (size_t i = 0; i < COUNT(strings); i++) {
		const char *s = json_string_value(json_object_get(j, strings[i].name));
		char **at = string_at(leg, strings[i].at);

		if (!s && strings[i].needed)
			return -EINVAL;
		if (s && !(*at = strdup(s)))
			return -ENOMEM;
	}
	return 0;
}

static int number(const json_t *j, const char *name)
{
	return (int)json_integer_value(json_object_get(j, name));
}

static int take_rest(struct leg *leg, const json_t *j)
{
	const char *tag = json_string_value(json_object_get(j, "local_tag"));
	const char *ip = json_string_value(json_object_get(j, "media_ip"));
	const char *ng = json_string_value(json_object_get(j, "ng_call"));
	const json_t *out = json_object_get(j, "outbound");

	if (!tag || strlen(tag) >= sizeof(leg->local_tag) || !ip ||
	    strlen(ip) >= sizeof(leg->media_ip) || !ng || strlen(ng) >= sizeof(leg->ng->id) ||
	    number(j, "theirs") > SDP_INACTIVE || number(j, "towards") > SDP_INACTIVE ||
	    number(j, "theirs") < 0 || number(j, "towards") < 0)
		return -EINVAL;
	strcpy(leg->local_tag, tag);
	strcpy(leg->media_ip, ip);
	strcpy(leg->ng->id, ng);
	leg->local_cseq = (unsigned)number(j, "local_cseq") + CSEQ_STEP;
	leg->remote_cseq = (unsigned)number(j, "remote_cseq");
	leg->invite_cseq = (unsigned)number(j, "invite_cseq");
	leg->peer_update = json_is_true(json_object_get(j, "update"));
	leg->media_number = (uint16_t)number(j, "media_port");
	leg->dtmf_pt = number(j, "dtmf_pt");
	leg->sdp_id = (uint64_t)json_integer_value(json_object_get(j, "sdp_id"));
	leg->sdp_version =
		(uint64_t)json_integer_value(json_object_get(j, "sdp_version")) + CSEQ_STEP;
	leg->theirs = (enum sdp_direction)number(j, "theirs");
	leg->towards = (enum sdp_direction)number(j, "towards");
	leg->held = leg->theirs == SDP_SENDONLY || leg->theirs == SDP_INACTIVE;
	leg->party_sends = leg->theirs == SDP_SENDRECV;
	leg->info_digits = json_is_true(json_object_get(j, "info_digits"));
	leg->session.interval_s = number(j, "session");
	leg->session.we_refresh = json_is_true(json_object_get(j, "refreshes"));
	leg->media_lines = (unsigned)number(j, "media_lines");
	leg->suite = sdp_crypto_suite(json_string_value(json_object_get(j, "suite")));
	leg->security = leg->suite ? LEG_SRTP : LEG_RTP;
	leg->invite_replied = leg->answered_told = true;
	leg->ng_known = leg->call_sid;
	leg->invite_code = 200;
	leg->state = LEG_CONFIRMED;
	return out ? leg_outbound_resume(leg, json_string_value(json_object_get(out, "to")),
					 json_string_value(json_object_get(out, "party_tag")),
					 (unsigned)number(out, "cseq"))
		   : 0;
}

int leg_resume(struct leg **ret, struct world *world, struct legs *legs, const json_t *saved,
	       const struct leg_events *events, void *arg)
{
	const char *media = json_string_value(json_object_get(saved, "media"));
	struct leg *leg =
		media && strlen(media) < SID_SIZE ? leg_alloc(world, legs, media, NULL) : NULL;
	int r;

	if (!leg)
		return media ? -ENOMEM : -EINVAL;
	r = take_strings(leg, saved);
	if (r == 0)
		r = take_rest(leg, saved);
	if (r == 0)
		r = leg_media_resume(leg);
	if (r < 0) {
		leg_destroy(leg);
		return r;
	}
	leg->events = events;
	leg->arg = arg;
	legs_add(legs, leg);
	leg_session_start(leg);
	*ret = leg;
	return 0;
}

void leg_abandon(struct leg *leg)
{
	leg->events = NULL;
	/* RTPengine keeps its call, and the party its dialog. */
	leg->ng_known = NULL;
	leg->peer = NULL;
	leg_destroy(leg);
}

void leg_rejoin(struct leg *a, struct leg *b)
{
	a->peer = b;
	b->peer = a;
	if (!strcmp(a->ng->id, b->ng->id)) {
		leg_ng_call_release(b->ng);
		b->ng = leg_ng_call_beside(a, a->ng->id);
	}
	for (int i = 0; i < 2; i++) {
		struct leg *leg = i ? b : a;

		if (leg_links(leg))
			leg_link_done(leg);
		else
			leg_media_rejoined(leg);
	}
}
