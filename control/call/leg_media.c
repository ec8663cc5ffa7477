/*
 * What a party and our side agree on (leg_ng.h). An offer of the party is NG `offer` of it and
 * `answer` of our side; an offer of ours is NG `offer` of our side and, when the party's answer
 * comes, `answer` of the party.
 */
#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"
#include "call/leg_ng.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_played(void *arg, uint32_t play_id)
{
	struct leg *leg = arg;

	if (leg->events && leg->state != LEG_ENDED)
		leg->events->played(leg->arg, play_id);
}

/* The media worker hears nothing of a party that is joined or blocked: RTPengine does. */
static void ask_of_silence(struct leg *leg);

static void on_silent(void *arg)
{
	struct leg *leg = arg;

	/* Whoever holds us, or only listens, need not send (RFC 3264 §8.4). */
	if (!leg->party_sends || leg->state == LEG_ENDED)
		return;
	if (leg->peer || leg->blocked) {
		ask_of_silence(leg);
		return;
	}
	log_info("%s: no RTP from the party", leg->call_sid);
	leg_end(leg, LEG_END_NO_RTP, 200);
}

static const struct media_events media_events = { .played = on_played, .silent = on_silent };

static int open_port(struct leg *leg)
{
	const struct config *config = leg->world->config;
	int r;

	if (leg->port)
		return 0;
	leg->sdp_id = (uint64_t)clock_wall_ms();
	r = leg->world->ops->media_open(leg->world->w, &leg->port, (unsigned)config->rtp_timeout_ms,
					&media_events, leg);
	/* It was joined before. */
	if (r == 0 && leg->muted)
		leg->world->ops->media_hold(leg->world->w, leg->port, 0);
	return r;
}

/* What answers the party's direction (RFC 3264 §6.1) and goes no further than what we show it. */
static enum sdp_direction answer_to(const struct leg *leg, enum sdp_direction theirs)
{
	bool they_send = theirs == SDP_SENDRECV || theirs == SDP_SENDONLY;
	bool they_receive = theirs == SDP_SENDRECV || theirs == SDP_RECVONLY;
	bool receive = they_send && leg->towards == SDP_SENDRECV;
	bool send = they_receive && leg->towards != SDP_INACTIVE;

	if (send)
		return receive ? SDP_SENDRECV : SDP_SENDONLY;
	return receive ? SDP_RECVONLY : SDP_INACTIVE;
}

/* Our side's description: the media worker's socket, or the internal side of a peer that we are not
 * linked to. */
static char *our_sdp(struct leg *leg, enum sdp_direction direction)
{
	const struct leg *peer =
		leg->peer && leg->peer->media_number && !leg_links(leg) ? leg->peer : NULL;
	struct sdp_own own = {
		.address = peer ? peer->media_ip : leg->world->config->media_ip,
		.port = peer ? peer->media_number
			     : leg->world->ops->media_port_number(leg->world->w, leg->port),
		.direction = direction,
		.session_id = leg->sdp_id,
		.version = ++leg->sdp_version,
		.dtmf_pt = leg->dtmf_pt,
	};
	struct buf b;

	buf_init(&b, 2048);
	sdp_write(&b, &own);
	return buf_steal(&b);
}

/* Our side is offered to the party, in the direction that we show it. */
static int offer_ours(struct leg *leg, ng_done_fn *done)
{
	char *sdp = our_sdp(leg, leg->towards);
	int r = sdp ? leg_ng_offer(leg, LEG_OURS, sdp, done) : -ENOMEM;

	free(sdp);
	return r;
}

static int answer_ours(struct leg *leg, enum sdp_direction theirs, ng_done_fn *done)
{
	char *sdp = our_sdp(leg, answer_to(leg, theirs));
	int r = sdp ? leg_ng_answer(leg, LEG_OURS, sdp, done) : -ENOMEM;

	free(sdp);
	return r;
}

/* The internal port of an SDP that RTPengine wrote for our side. */
static int take_internal(struct leg *leg, const json_t *reply)
{
	const char *sdp = leg_ng_sdp(reply);
	struct sdp_info info;
	bool moved;

	if (!sdp || sdp_parse(&info, sdp, strlen(sdp)) < 0 || !info.port)
		return -EPROTO;
	/* A held offer has its 0.0.0.0 carried on to our side: the port is where it was, on the
	 * address that we have in common. */
	if (strcmp(info.address, "0.0.0.0") != 0)
		strcpy(leg->media_ip, info.address);
	else if (!leg->media_ip[0])
		snprintf(leg->media_ip, sizeof(leg->media_ip), "%s", leg->world->config->media_ip);
	moved = leg->media_number != info.port;
	leg->media_number = info.port;
	leg->dtmf_pt = info.dtmf_pt;
	if (moved && leg->peer && !leg_links(leg))
		leg->peer->relink = true;
	return 0;
}

/* The party and our side have agreed anew: what joins it to another one follows, by
 * leg_media_settle. */
static void join_again(struct leg *leg)
{
	if (leg_links(leg)) {
		leg->relink = true;
	} else if (leg->linked) {
		/* Not any more: of both our sides are told, as each other's internal one. */
		leg->linked = leg->peer->linked = false;
		leg->relink = leg->peer->relink = true;
	}
}

void leg_media_mute(struct leg *leg, bool muted)
{
	if (leg->port && muted != leg->muted)
		leg->world->ops->media_hold(leg->world->w, leg->port, !muted);
	leg->muted = muted;
}

/* The media worker is what the party hears, unless it holds us or is joined to another. */
static void run_stream(struct leg *leg)
{
	const struct world_ops *ops = leg->world->ops;

	leg_media_mute(leg, leg->held || leg->peer);
	ops->media_start(leg->world->w, leg->port, leg->media_ip, leg->media_number,
			 leg->dtmf_pt > 0 ? (uint8_t)leg->dtmf_pt : SDP_DTMF_PT);
	leg_block_later(leg);
}

void leg_media_run(struct leg *leg, const struct sdp_info *theirs)
{
	enum sdp_direction before = leg->theirs;
	bool was_held = leg->held;

	leg->theirs = theirs->direction;
	leg->held = theirs->direction == SDP_SENDONLY || theirs->direction == SDP_INACTIVE;
	leg->party_sends = theirs->direction == SDP_SENDRECV;
	leg->info_digits = theirs->dtmf_pt < 0;
	run_stream(leg);
	/* Who hears of the answer has all of it. */
	leg->changed = leg->changed && leg->answered_told;
	if (!leg->answered_told && leg->events)
		leg->events->answered(leg->arg);
	leg->answered_told = true;
	/* The owner may have ended or freed the leg. */
	if (leg->held != was_held && leg->events && leg->state != LEG_ENDED)
		leg->events->held(leg->arg, leg->held);
	if (leg->theirs != before && leg->state != LEG_ENDED)
		leg_join_held(leg);
}

static void tell_own_side(struct leg *leg);

void leg_media_settle(struct leg *leg)
{
	if (leg->state == LEG_ENDED || leg->ng_id)
		return;
	if (leg->answer_waits) {
		tell_own_side(leg);
		return;
	}
	/* What RTPengine need not be told of, a refresh, is over at once. */
	if (leg->exchange.waits)
		leg_exchange_start(leg);
	if (leg->relink && !leg->ng_id)
		leg_media_relink(leg);
	if (leg->peer && leg->peer->relink && !leg->peer->ng_id)
		leg_media_relink(leg->peer);
	leg_block_settle(leg);
	leg_join_settled(leg);
}

/* The party's description that holds, as that of a refused offer does not. */
static void describe_again(struct leg *leg)
{
	const char *sdp = leg->taken_offer ? leg->taken_offer : leg->party_answer;
	struct sdp_info info;

	if (!sdp || sdp_parse(&info, sdp, strlen(sdp)) < 0)
		return;
	leg->media_lines = info.media_count;
	leg->suite = info.suite;
}

static void exchange_over(struct leg *leg, int r, const char *sdp)
{
	if (r < 0)
		describe_again(leg);
	leg_exchange_done(leg, r, sdp);
	leg_media_settle(leg);
}

static void on_answer(void *arg, int r, const json_t *reply)
{
	struct leg *leg = arg;
	const char *sdp = leg_ng_sdp(reply);

	if (leg_ng_over(leg))
		return;
	if (r == 0 && !sdp)
		r = -EPROTO;
	if (r == 0)
		join_again(leg);
	else
		leg->relink = true; /* the offer was taken: it is told of what holds again */
	exchange_over(leg, r, sdp);
}

/* The party's offer was taken: answer it for our side. */
static void on_offer(void *arg, int r, const json_t *reply)
{
	struct leg *leg = arg;

	if (leg_ng_over(leg))
		return;
	leg->media_lines = leg->exchange.info.media_count;
	leg->suite = leg->exchange.info.suite;
	if (r == 0)
		r = take_internal(leg, reply);
	if (r == 0)
		r = answer_ours(leg, leg->exchange.info.direction, on_answer);
	if (r < 0)
		exchange_over(leg, r, NULL);
}

/* Our offer was taken: RTPengine's version of it goes into the 200. */
static void on_own_offer(void *arg, int r, const json_t *reply)
{
	struct leg *leg = arg;
	const char *sdp = leg_ng_sdp(reply);

	if (leg_ng_over(leg))
		return;
	leg_exchange_done(leg, r == 0 && !sdp ? -EPROTO : r, sdp);
	leg_media_settle(leg);
}

int leg_media_exchange(struct leg *leg)
{
	struct leg_exchange *x = &leg->exchange;
	int r = open_port(leg);

	if (r < 0)
		return r;
	if (x->offer && leg->taken_offer && leg->sent_sdp && !strcmp(x->offer, leg->taken_offer)) {
		/* A session refresh: the same offer has the same answer (RFC 3264 §8). */
		leg_exchange_done(leg, 0, leg->sent_sdp);
		return 0;
	}
	if (x->offerless)
		return offer_ours(leg, on_own_offer);
	return leg_ng_offer(leg, LEG_PARTY, x->offer, on_offer);
}

static void on_first_offer(void *arg, int r, const json_t *reply)
{
	struct leg *leg = arg;
	const char *sdp = leg_ng_sdp(reply);

	if (!leg_ng_over(leg))
		leg_outbound_offered(leg, r == 0 && !sdp ? -EPROTO : r, sdp);
}

int leg_media_offer(struct leg *leg)
{
	int r = open_port(leg);

	return r < 0 ? r : offer_ours(leg, on_first_offer);
}

/* -- silence of a joined or blocked party */

static void on_query(void *arg, int r, const json_t *reply)
{
	struct leg *leg = arg;
	int64_t last, now = clock_wall_ms() / 1000;
	bool silent;

	if (leg_ng_over(leg))
		return;
	if (r == -EPROTO) {
		/* It knows the call no more: it was restarted. */
		leg_end(leg, LEG_END_MEDIA_FAILURE, 200);
		return;
	}
	last = r == 0 ? leg_ng_last_packet(leg, reply) : 0;
	/* One that is joined may have been heard before RTPengine counted. */
	silent = last ? now - last >= leg->world->config->rtp_timeout_ms / 1000
		      : r == 0 && !leg->peer;
	if ((leg->peer || leg->blocked) && leg->party_sends && silent) {
		log_info("%s: no RTP from the party", leg->call_sid);
		leg_end(leg, LEG_END_NO_RTP, 200);
	} else {
		run_stream(leg); /* the time runs anew */
	}
	leg_media_settle(leg);
}

static void ask_of_silence(struct leg *leg)
{
	/* What is being told to RTPengine starts the time anew. */
	if (!leg->ng_id)
		leg_ng_query(leg, on_query);
}

/* -- the party's answers to offers of ours */

/* An early one decides nothing but where media goes. */
static void run_early(struct leg *leg, const struct sdp_info *info)
{
	leg->theirs = info->direction;
	if (leg->events && leg->events->progress)
		leg->events->progress(leg->arg);
}

static void on_party_answer(void *arg, int r, const json_t *reply)
{
	struct leg *leg = arg;
	struct sdp_info info;

	if (leg_ng_over(leg))
		return;
	if (r == 0)
		r = sdp_parse(&info, leg->party_answer, strlen(leg->party_answer));
	if (r == 0) {
		leg->media_lines = info.media_count;
		leg->suite = info.suite;
		r = take_internal(leg, reply);
	}
	if (leg->answer_waits) {
		leg_media_settle(leg);
		return;
	}
	if (r != 0) {
		leg_end(leg, LEG_END_MEDIA_FAILURE, 200);
	} else {
		join_again(leg);
		if (leg->state < LEG_ANSWERED)
			run_early(leg, &info);
		else
			leg_media_run(leg, &info);
		if (leg->state >= LEG_ANSWERED)
			leg_tell_change(leg);
	}
	leg_media_settle(leg);
}

static void take_answer(struct leg *leg)
{
	leg->answer_waits = false;
	if (leg_ng_answer(leg, LEG_PARTY, leg->party_answer, on_party_answer) < 0)
		leg_end(leg, LEG_END_MEDIA_FAILURE, 200);
}

static int keep_answer(struct leg *leg, const char *sdp)
{
	char *copy = strdup(sdp);

	if (!copy)
		return -ENOMEM;
	leg->changed |= !leg->party_answer || strcmp(leg->party_answer, sdp) != 0;
	free(leg->party_answer);
	leg->party_answer = copy;
	free(leg->taken_offer);
	leg->taken_offer = NULL;
	return 0;
}

void leg_media_answer(struct leg *leg, const char *sdp)
{
	if (keep_answer(leg, sdp) < 0)
		leg_end(leg, LEG_END_MEDIA_FAILURE, 200);
	else if (leg->ng_id)
		leg->answer_waits = true;
	else
		take_answer(leg);
}

void leg_media_early(struct leg *leg, const char *sdp)
{
	if (!leg->ng_id && keep_answer(leg, sdp) == 0)
		take_answer(leg);
}

static void on_own_side(void *arg, int r, const json_t *reply)
{
	struct leg *leg = arg;

	(void)reply;
	if (leg_ng_over(leg))
		return;
	if (r < 0)
		leg_end(leg, LEG_END_MEDIA_FAILURE, 200);
	else
		take_answer(leg);
}

/* An offer of ours and the party's answer to it, which is there already. */
static void tell_own_side(struct leg *leg)
{
	leg->answer_waits = false;
	if (offer_ours(leg, on_own_side) < 0)
		leg_end(leg, LEG_END_MEDIA_FAILURE, 200);
}

void leg_media_refreshed(struct leg *leg, const char *sdp)
{
	if (keep_answer(leg, sdp) < 0)
		leg_end(leg, LEG_END_MEDIA_FAILURE, 200);
	else if (leg->ng_id)
		leg->answer_waits = true;
	else
		tell_own_side(leg);
}

/* -- our side changes: joined, or left */

static void on_relinked(void *arg, int r, const json_t *reply)
{
	struct leg *leg = arg;

	(void)reply;
	if (leg_ng_over(leg))
		return;
	if (r < 0)
		leg_end(leg, LEG_END_MEDIA_FAILURE, 200);
	else
		run_stream(leg);
	leg_media_settle(leg);
}

/* The party's last offer once more, with another answer of our side to it. */
static void on_offer_again(void *arg, int r, const json_t *reply)
{
	struct leg *leg = arg;
	struct sdp_info info;

	if (leg_ng_over(leg))
		return;
	if (!leg->taken_offer) {
		/* The party's answer to an offer of ours came meanwhile: that is what holds. */
		leg_media_settle(leg);
		return;
	}
	if (r == 0)
		r = take_internal(leg, reply);
	if (r == 0)
		r = sdp_parse(&info, leg->taken_offer, strlen(leg->taken_offer));
	if (r == 0)
		r = answer_ours(leg, info.direction, on_relinked);
	if (r < 0)
		leg_end(leg, LEG_END_MEDIA_FAILURE, 200);
}

void leg_media_relink(struct leg *leg)
{
	if (leg->state == LEG_ENDED)
		return;
	if (!leg->media_number) {
		/* What was told of our side waits for the party's answer. */
		leg->relink = leg->ng_known != NULL;
		return;
	}
	if (leg_links(leg)) {
		leg_link(leg);
		return;
	}
	/* An offer of ours that waits for its answer has said already what our side was. */
	leg->relink = leg->ng_id || leg->answer_in_ack;
	if (leg->relink || (leg->peer && leg_block_lift(leg)))
		return;
	if (leg->taken_offer && leg_ng_offer(leg, LEG_PARTY, leg->taken_offer, on_offer_again) < 0)
		leg_end(leg, LEG_END_MEDIA_FAILURE, 200);
	else if (!leg->taken_offer && leg->party_answer)
		tell_own_side(leg);
}

int leg_media_resume(struct leg *leg)
{
	uint64_t id = leg->sdp_id;
	int r = open_port(leg);

	leg->sdp_id = id;
	return r;
}

void leg_media_rejoined(struct leg *leg)
{
	run_stream(leg);
}

void leg_media_close(struct leg *leg)
{
	leg_leave(leg);
	leg->world->ops->media_close(leg->world->w, leg->port);
	leg->port = NULL;
	/* A command that runs may still make or keep the call: its completion deletes it. */
	if (!leg->ng_id)
		leg_ng_delete(leg);
}
