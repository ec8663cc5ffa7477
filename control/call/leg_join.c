/*
 * Two legs whose parties hear each other (docs/media.md). In one NG call RTPengine is told of both
 * parties (leg_link.c). In two, that our side of one is the internal side of the other.
 */
#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"

#include "base/buf.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GLARE_OWN_MS   2100 /* RFC 3261 §14.1: who made the dialog waits 2.1 to 4 s */
#define GLARE_OTHER_MS 0    /* the other one up to 2 s */
#define GLARE_SPAN_MS  1900

int leg_join(struct leg *a, struct leg *b)
{
	if (a == b || a->peer || b->peer || a->state == LEG_ENDED || b->state == LEG_ENDED)
		return -EINVAL;
	leg_stop(a);
	leg_stop(b);
	a->peer = b;
	b->peer = a;
	/* Before RTPengine is told: what the media worker sends after that is in the way. */
	leg_media_mute(a, true);
	leg_media_mute(b, true);
	log_debug("%s: joined to %s", a->call_sid, b->call_sid);
	if (b->media_number)
		leg_media_relink(a);
	if (a->media_number && !leg_links(a))
		leg_media_relink(b);
	/* Who is held already tells the other. */
	leg_join_held(a);
	leg_join_held(b);
	return 0;
}

static void show(struct leg *leg, enum sdp_direction towards)
{
	if (towards == leg->towards)
		return;
	leg->towards = towards;
	leg->reoffer = true;
	leg_join_settled(leg);
}

static void part(struct leg *leg)
{
	leg->peer = NULL;
	leg->linked = false;
	if (leg->state == LEG_ENDED)
		return;
	leg_media_relink(leg);
	show(leg, SDP_SENDRECV);
}

void leg_leave(struct leg *leg)
{
	struct leg *peer = leg ? leg->peer : NULL;

	if (!peer)
		return;
	log_debug("%s: left %s", leg->call_sid, peer->call_sid);
	part(leg);
	part(peer);
}

/* What a party that sends us this direction lets the other one do. */
void leg_join_held(struct leg *leg)
{
	static const enum sdp_direction shown[] = { [SDP_SENDRECV] = SDP_SENDRECV,
						    [SDP_SENDONLY] = SDP_SENDONLY,
						    [SDP_RECVONLY] = SDP_SENDRECV,
						    [SDP_INACTIVE] = SDP_INACTIVE };

	if (leg->peer)
		show(leg->peer, shown[leg->theirs]);
}

/* What the party knows of our side, in the direction that it is shown: RTPengine, whose ports and
 * keys stay, is told when the answer is there. */
static char *offer_in_dialog(struct leg *leg)
{
	struct buf b;

	buf_init(&b, 2048);
	if (leg->sent_sdp)
		sdp_reoffer(&b, leg->sent_sdp, ++leg->sdp_version, leg->towards);
	return buf_steal(&b);
}

static void send_offer(struct leg *leg)
{
	char *sdp = offer_in_dialog(leg), headers[160];
	int n = snprintf(headers, sizeof(headers), "Allow: " LEG_ALLOW "\r\nSupported: timer\r\n");

	/* Without it the timer would be switched off (RFC 4028 §7.4). */
	if (leg->session.interval_s)
		snprintf(headers + n, sizeof(headers) - (size_t)n,
			 "Session-Expires: %d;refresher=%s\r\n", leg->session.interval_s,
			 leg->session.we_refresh ? "uac" : "uas");
	if (!sdp || leg_send(leg, "INVITE", headers, sdp) < 0) {
		log_warn("%s: a hold could not be shown to the party", leg->call_sid);
		free(sdp);
		return;
	}
	free(leg->reoffered);
	leg->reoffered = sdp;
}

void leg_join_settled(struct leg *leg)
{
	if (!leg->reoffer || leg->glare || leg->state != LEG_CONFIRMED || leg->pending.method[0] ||
	    leg->exchange.transaction[0] || leg->ng_id || leg->answer_in_ack)
		return;
	leg->reoffer = false;
	send_offer(leg);
}

static void on_glare_over(void *arg)
{
	struct leg *leg = arg;

	leg->glare = false;
	leg_join_settled(leg);
}

bool leg_join_answered(struct leg *leg, int status)
{
	const struct world_ops *ops = leg->world->ops;
	char *reoffered = leg->reoffered;

	if (!reoffered)
		return false;
	leg->reoffered = NULL;
	if (status < 300) {
		free(leg->sent_sdp);
		leg->sent_sdp = reoffered;
		leg->changed = true;
		return true;
	}
	/* The session stays as it was (RFC 3261 §14.1). */
	free(reoffered);
	if (status != 491 || leg->state == LEG_ENDED)
		return true;
	leg->reoffer = true;
	if (!leg->reoffer_timer)
		leg->reoffer_timer = ops->timer_new(leg->world->w, on_glare_over, leg);
	leg->glare = leg->reoffer_timer != NULL;
	if (leg->glare)
		ops->timer_start(leg->world->w, leg->reoffer_timer,
				 (leg->outbound ? GLARE_OWN_MS : GLARE_OTHER_MS) +
					 (uint64_t)random() % GLARE_SPAN_MS);
	return true;
}

void leg_join_free(struct leg *leg)
{
	free(leg->reoffered);
	if (leg->reoffer_timer)
		leg->world->ops->timer_free(leg->world->w, leg->reoffer_timer);
}
