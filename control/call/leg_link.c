/*
 * The short way of leg_join.c, for two legs in one NG call: RTPengine is told of one party as the
 * offer and of the other as its answer, and each packet crosses it once. What a party was told does
 * not change, since its port and keys stay; its negotiation is with our side all the same
 * (leg_media.c), and each of those is followed by this.
 */
#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"
#include "call/leg_ng.h"

#include "base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool leg_links(const struct leg *leg)
{
	const struct leg *peer = leg->peer;

	if (!peer || peer->ng != leg->ng)
		return false;
	/* Lines of media are told of by their order: with others than the audio they differ. */
	if (leg->media_lines != 1 || peer->media_lines != 1)
		return false;
	/* What a handshake agreed on is one party's matter. */
	if (leg_is_dtls(leg) || leg_is_dtls(peer))
		return false;
	/* Of one suite RTPengine would offer the one party's key to the other, who has another. */
	return !leg->suite || !peer->suite || strcmp(leg->suite, peer->suite) != 0;
}

static bool described(const struct leg *leg)
{
	return leg->state != LEG_ENDED && leg->media_number &&
	       (leg->taken_offer || leg->party_answer);
}

/* The party, with those of its codecs that it was told to use. */
static char *description(const struct leg *leg)
{
	struct buf b;

	buf_init(&b, 16 << 10);
	if (leg->taken_offer)
		sdp_narrow(&b, leg->taken_offer, leg->sent_sdp);
	else
		buf_adds(&b, leg->party_answer);
	return buf_steal(&b);
}

void leg_link_done(struct leg *leg)
{
	leg->linked = true;
	leg_media_rejoined(leg);
}

/* One command for both: neither is told of anything else meanwhile, or goes. */
static int hold(struct leg *leg, struct leg *to, int r)
{
	leg->links = r == 0;
	leg->linking = r == 0 ? to : NULL;
	to->linking = r == 0 ? leg : NULL;
	to->ng_id = r == 0 ? leg->ng_id : 0;
	return r;
}

static void over(struct leg *leg, int r)
{
	leg->linking = NULL;
	leg->links = false;
	if (leg_ng_over(leg))
		return;
	/* Whoever has left, because of the other one's end too, is told of its own side below. */
	if (leg->peer && r < 0)
		leg_end(leg, LEG_END_MEDIA_FAILURE, 200);
	else if (leg->peer)
		leg_link_done(leg);
	leg_media_settle(leg);
}

/* The other one first: it cannot be gone before its own ng_id is cleared. */
static void finish(struct leg *leg, int r)
{
	struct leg *to = leg->linking;

	if (to)
		over(to, r);
	over(leg, r);
}

static void on_answer(void *arg, int r, const json_t *reply)
{
	(void)reply;
	finish(arg, r);
}

static void on_offer(void *arg, int r, const json_t *reply)
{
	struct leg *leg = arg, *to = leg->linking;
	char *sdp = NULL;

	(void)reply;
	if (r < 0 || !to || leg->peer != to || !described(to)) {
		finish(leg, r);
		return;
	}
	sdp = description(to);
	r = sdp ? leg_ng_link_answer(leg, to, sdp, on_answer) : -ENOMEM;
	free(sdp);
	if (r < 0)
		finish(leg, r);
	else
		to->ng_id = leg->ng_id;
}

void leg_link(struct leg *leg)
{
	struct leg *to = leg->peer;
	char *sdp;
	bool lifted;
	int r;

	if (!described(leg) || !described(to))
		return;
	leg->relink = to->relink = leg->ng_id || to->ng_id;
	if (leg->relink)
		return;
	/* Both at once. */
	lifted = leg_block_lift(leg);
	if (leg_block_lift(to) || lifted)
		return;
	sdp = description(leg);
	r = hold(leg, to, sdp ? leg_ng_link_offer(leg, to, sdp, on_offer) : -ENOMEM);
	free(sdp);
	if (r < 0)
		leg_end(leg, LEG_END_MEDIA_FAILURE, 200);
}

void leg_link_forget(struct leg *leg)
{
	struct leg *to = leg->linking;

	if (!to)
		return;
	to->linking = leg->linking = NULL;
	/* The other one's command goes on for that one alone; ours does not go on. */
	if (leg->links)
		to->ng_id = 0;
	else
		leg->ng_id = 0;
	leg->links = false;
}
