#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * One NG call per leg: tag p is the party, tag i is our side, plain RTP on loopback. An offer of the party is NG `offer` from p and `answer`
 * of i; an offer of ours is NG `offer` from i and, when the party's answer comes, `answer` of p. RTPengine keeps p's port through all of them.
 */
#define TAG_PARTY "p"
#define TAG_OURS  "i"

static void on_played(void *arg, uint32_t play_id)
{
	struct leg *leg = arg;

	if (leg->events && leg->state != LEG_ENDED)
		leg->events->played(leg->arg, play_id);
}

static void on_silent(void *arg)
{
	struct leg *leg = arg;

	/* A party that holds us need not send (RFC 3264 §8.4). */
	if (leg->held || leg->state == LEG_ENDED)
		return;
	log_info("%s: no RTP from the party", leg->call_sid);
	leg_end(leg, LEG_END_NO_RTP, 200);
}

static const struct media_events media_events = { .played = on_played, .silent = on_silent };

static int open_port(struct leg *leg)
{
	const struct world_ops *ops = leg->world->ops;

	if (leg->port)
		return 0;
	leg->sdp_id = (uint64_t)clock_wall_ms();
	return ops->media_open(leg->world->w, &leg->port, (unsigned)leg->world->config->rtp_timeout_ms, &media_events, leg);
}

/* Our description with the direction that answers the party's. */
static char *our_sdp(struct leg *leg, enum sdp_direction theirs)
{
	static const enum sdp_direction mirror[] = { SDP_SENDRECV, SDP_RECVONLY, SDP_SENDONLY, SDP_INACTIVE };
	struct sdp_own own = {
		.address = leg->world->config->media_ip,
		.port = leg->world->ops->media_port_number(leg->world->w, leg->port),
		.direction = mirror[theirs],
		.session_id = leg->sdp_id,
		.version = ++leg->sdp_version,
	};
	struct buf b;

	buf_init(&b, 2048);
	sdp_write(&b, &own);
	return buf_steal(&b);
}

static json_t *command(struct leg *leg, const char *name, const char *from, const char *to, const char *sdp)
{
	bool from_party = !strcmp(from, TAG_PARTY);
	json_t *c = json_pack("{s:s, s:s, s:s, s:s%, s:[s], s:[s], s:s, s:[ss]}", "command", name, "call-id", leg->call_sid, "from-tag",
			      from, "sdp", sdp, strlen(sdp), "replace", "origin", "flags", "port latching", "transport protocol",
			      "RTP/AVP", "direction", from_party ? "external" : "internal", from_party ? "internal" : "external");

	if (c && to)
		json_object_set_new(c, "to-tag", json_string(to));
	/* Our side is always PCMU, whatever the party chose. */
	if (c && !strcmp(name, "offer"))
		json_object_set_new(c, "codec", json_pack("{s:[ss]}", "transcode", "PCMU", "PCMA"));
	return c;
}

static int start(struct leg *leg, json_t *c, ng_done_fn *done)
{
	if (!c)
		return -EINVAL; /* an SDP with bytes that are no UTF-8 */
	leg->ng_call = true;
	leg->ng_id = leg->world->ops->ng(leg->world->w, c, done, leg);
	return leg->ng_id ? 0 : -ENOMEM;
}

static const char *sdp_of(const json_t *reply)
{
	return json_string_value(json_object_get(reply, "sdp"));
}

/* The internal port of an SDP that RTPengine wrote for our side. */
static int take_internal(struct leg *leg, const json_t *reply)
{
	const char *sdp = sdp_of(reply);
	struct sdp_info info;

	if (!sdp || sdp_parse(&info, sdp, strlen(sdp)) < 0 || !info.port)
		return -EPROTO;
	strcpy(leg->media_ip, info.address);
	leg->media_number = info.port;
	return 0;
}

static void run_media(struct leg *leg, enum sdp_direction theirs)
{
	const struct world_ops *ops = leg->world->ops;
	bool held = theirs == SDP_SENDONLY || theirs == SDP_INACTIVE;

	ops->media_start(leg->world->w, leg->port, leg->media_ip, leg->media_number);
	if (held == leg->held)
		return;
	leg->held = held;
	ops->media_hold(leg->world->w, leg->port, !held);
	if (leg->events)
		leg->events->held(leg->arg, held);
}

static void on_answer(void *arg, int r, const json_t *reply)
{
	struct leg *leg = arg;
	const char *sdp = sdp_of(reply);

	leg->ng_id = 0;
	if (r == 0 && !sdp)
		r = -EPROTO;
	if (r == 0)
		run_media(leg, leg->exchange.info.direction);
	leg_exchange_done(leg, r, sdp);
}

/* The party's offer was taken: answer it for our side. */
static void on_offer(void *arg, int r, const json_t *reply)
{
	struct leg *leg = arg;
	char *sdp = NULL;

	leg->ng_id = 0;
	if (r == 0)
		r = take_internal(leg, reply);
	if (r == 0) {
		sdp = our_sdp(leg, leg->exchange.info.direction);
		r = sdp ? start(leg, command(leg, "answer", TAG_PARTY, TAG_OURS, sdp), on_answer) : -ENOMEM;
	}
	free(sdp);
	if (r < 0)
		leg_exchange_done(leg, r, NULL);
}

/* Our offer was taken: RTPengine's version of it goes into the 200. */
static void on_own_offer(void *arg, int r, const json_t *reply)
{
	struct leg *leg = arg;
	const char *sdp = sdp_of(reply);

	leg->ng_id = 0;
	leg_exchange_done(leg, r == 0 && !sdp ? -EPROTO : r, sdp);
}

int leg_media_exchange(struct leg *leg)
{
	struct leg_exchange *x = &leg->exchange;
	bool known = leg->ng_call;
	char *sdp;
	int r = open_port(leg);

	if (r < 0)
		return r;
	if (!x->offerless)
		return start(leg, command(leg, "offer", TAG_PARTY, known ? TAG_OURS : NULL, x->offer), on_offer);
	sdp = our_sdp(leg, SDP_SENDRECV);
	r = sdp ? start(leg, command(leg, "offer", TAG_OURS, known ? TAG_PARTY : NULL, sdp), on_own_offer) : -ENOMEM;
	free(sdp);
	return r;
}

static void on_party_answer(void *arg, int r, const json_t *reply)
{
	struct leg *leg = arg;

	leg->ng_id = 0;
	if (r == 0)
		r = take_internal(leg, reply);
	if (r < 0)
		leg_end(leg, LEG_END_MEDIA_FAILURE, 200);
	else
		run_media(leg, SDP_SENDRECV);
}

void leg_media_answer(struct leg *leg, const char *sdp)
{
	struct sdp_info info;

	if (sdp_parse(&info, sdp, strlen(sdp)) < 0 || !info.has_audio ||
	    start(leg, command(leg, "answer", TAG_OURS, TAG_PARTY, sdp), on_party_answer) < 0)
		leg_end(leg, LEG_END_MEDIA_FAILURE, 200);
}

void leg_media_close(struct leg *leg)
{
	const struct world_ops *ops = leg->world->ops;

	if (leg->ng_id)
		ops->ng_cancel(leg->world->w, leg->ng_id);
	leg->ng_id = 0;
	if (leg->ng_call)
		ops->ng(leg->world->w, json_pack("{s:s, s:s}", "command", "delete", "call-id", leg->call_sid), NULL, NULL);
	leg->ng_call = false;
	ops->media_close(leg->world->w, leg->port);
	leg->port = NULL;
}
