/* The INVITEs of the party: the initial one, and what answers it and the later ones. */
#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"

#include "base/buf.h"
#include "base/config.h"
#include "base/error_code.h"
#include "base/log.h"
#include "proto/sip_msg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void leg_exchange_clear(struct leg *leg)
{
	free(leg->exchange.offer);
	free(leg->exchange.target);
	free(leg->exchange.next_hop);
	memset(&leg->exchange, 0, sizeof(leg->exchange));
}

/* The dialog as its UAS: RFC 3261 §12.1.1. Display names are no part of it. */
static int fill_dialog(struct leg *leg, const struct leg_invite *invite)
{
	const struct sip_msg *msg = invite->msg;

	leg_make_tag(leg);
	leg->proto = strdup(invite->proto);
	leg->socket = strdup(invite->socket);
	leg->call_id = strdup(msg->call_id);
	leg->target = strdup(msg->contact_uri ? msg->contact_uri : "");
	leg->route_set = sip_msg_route_set(msg, false);
	leg->next_hop = leg_next_hop(invite);
	if (asprintf(&leg->key, "%s\n%s", msg->call_id, msg->from_tag ? msg->from_tag : "") < 0)
		leg->key = NULL;
	if (asprintf(&leg->local, "<%s>;tag=%s", msg->to_uri, leg->local_tag) < 0)
		leg->local = NULL;
	if (asprintf(&leg->remote, "<%s>;tag=%s", msg->from_uri,
		     msg->from_tag ? msg->from_tag : "") < 0)
		leg->remote = NULL;
	leg->invite_cseq = leg->remote_cseq = msg->cseq;
	leg->peer_update = sip_msg_lists(msg, "Allow", "UPDATE");
	leg->exchange.initial = true;
	leg->exchange.offerless = !msg->body_len;
	snprintf(leg->exchange.transaction, sizeof(leg->exchange.transaction), "%s",
		 invite->transaction);
	if (msg->body_len)
		leg->exchange.offer = leg_copy_offer(msg);
	return leg->proto && leg->socket && leg->call_id && leg->target && leg->route_set &&
			       leg->key && leg->local && leg->remote &&
			       (leg->exchange.offer || leg->exchange.offerless)
		       ? 0
		       : -ENOMEM;
}

static bool check(struct leg *leg, const struct leg_invite *invite, struct leg_refusal *refusal)
{
	struct leg_exchange *x = &leg->exchange;

	if (!leg_check_invite(invite, refusal))
		return false;
	if (leg_session_take(leg, invite->msg, &x->session, x->headers, sizeof(x->headers))) {
		*refusal = (struct leg_refusal){ .code = 422,
						 .reason = "Session Interval Too Small",
						 .headers = LEG_MIN_SE };
		return false;
	}
	leg->security = invite->security;
	if (!x->offerless && !leg_check_offer(leg, invite->msg, &x->info, refusal))
		return false;
	/* An offer of ours that nobody asked to be secure is not. */
	if (leg->security == LEG_EITHER)
		leg->security = !x->offerless && x->info.secure ? LEG_SRTP : LEG_RTP;
	return true;
}

int leg_new_inbound(struct leg **ret, struct world *world, const char *call_sid,
		    const struct leg_invite *invite, const struct leg_events *events, void *arg,
		    int *ret_code, int *ret_error)
{
	struct leg_refusal refusal = { .code = 500, .reason = "Server Internal Error" };
	struct leg *leg = leg_alloc(world, invite->legs, call_sid, NULL);

	if (!leg) {
		/* Kamailio's own deadline answers the party when even this fails. */
		world->ops->sip_reply(world->w, invite->transaction, 500, refusal.reason,
				      LEG_TAG_PREFIX "0", "", "");
	} else if (fill_dialog(leg, invite) == 0 && check(leg, invite, &refusal)) {
		leg->events = events;
		leg->arg = arg;
		legs_add(invite->legs, leg);
		*ret = leg;
		return 0;
	} else {
		const struct error_code *e = refusal.error ? error_code_find(refusal.error) : NULL;

		if (e)
			snprintf(refusal.headers, sizeof(refusal.headers),
				 "X-Twilio-Error: %d %.150s\r\n", e->code, e->text);
		leg_reply(leg, invite->transaction, refusal.code, refusal.reason, refusal.headers,
			  NULL);
		leg_destroy(leg);
	}
	*ret_code = refusal.code;
	*ret_error = refusal.error;
	return -EPROTO;
}

void leg_on_cancel(struct leg *leg)
{
	/* One that crossed our final response cancels nothing (RFC 3261 §9.2): the party's BYE
	 * follows. */
	if (!leg->invite_replied)
		leg_final(leg, 487, "Request Terminated", NULL, LEG_END_CANCELED);
}

void leg_no_ack_needed(struct leg *leg)
{
	leg->ack_due = false;
	leg->world->ops->timer_stop(leg->world->w, leg->ack_timer);
}

void leg_on_ack_deadline(void *arg)
{
	struct leg *leg = arg;

	leg->ack_due = false;
	if (leg->state == LEG_ENDED) {
		/* We hung up meanwhile and the party never acknowledged: BYE all the same (RFC 3261
		 * §13.3.1.4). */
		leg_send(leg, "BYE", LEG_REASON_NORMAL, NULL);
		leg_release(leg);
		return;
	}
	log_info("%s: no ACK", leg->call_sid);
	leg_end(leg, LEG_END_NO_ACK, 200);
}

void leg_on_ack(struct leg *leg, const struct sip_msg *msg)
{
	if (!leg->ack_due || msg->cseq != leg->ack_cseq)
		return; /* of a refusal, or one that was repeated */
	leg_no_ack_needed(leg);
	if (leg->state == LEG_ENDED) {
		leg_send(leg, "BYE", LEG_REASON_NORMAL, NULL);
		leg_release(leg);
		return;
	}
	leg_set(leg, LEG_EV_ACK);
	if (leg->answer_in_ack) {
		enum leg_end why;
		char *sdp = leg_take_answer(leg, msg, &why);

		leg->answer_in_ack = false;
		if (sdp)
			leg_media_answer(leg, sdp);
		else
			leg_end(leg, why, 200);
		free(sdp);
	}
	leg_join_settled(leg);
	leg_refer_acked(leg);
}

static int send_answer(struct leg *leg, int code, const char *reason, const char *sdp)
{
	const struct leg_exchange *x = &leg->exchange;
	struct buf b;
	int r;

	buf_init(&b, 2048);
	leg_add_contact(leg, &b);
	buf_adds(&b, "Allow: " LEG_ALLOW "\r\nSupported: timer\r\n");
	if (code == 200)
		buf_adds(&b, x->headers);
	if (x->initial)
		buf_addf(&b, "X-Twilio-CallSid: %s\r\n", leg->call_sid);
	if (sdp)
		buf_adds(&b, "Content-Type: application/sdp\r\n");
	r = b.error ? b.error : leg_reply(leg, x->transaction, code, reason, b.data, sdp);
	buf_done(&b);
	return r;
}

static void refuse_exchange(struct leg *leg, int r)
{
	struct leg_exchange *x = &leg->exchange;

	log_warn("%s: no media for %s: %s", leg->call_sid, x->initial ? "the call" : "a new offer",
		 strerror(-r));
	if (x->initial) {
		leg_final(leg, 500, "Server Internal Error", NULL, LEG_END_MEDIA_FAILURE);
		return;
	}
	/* The session stays as it was (RFC 3261 §14.2). */
	if (r == -EPROTO)
		leg_reply(leg, x->transaction, 488, "Not Acceptable Here", NULL, NULL);
	else
		leg_reply(leg, x->transaction, 500, "Server Internal Error", "Retry-After: 5\r\n",
			  NULL);
	leg_exchange_clear(leg);
}

static void keep_media(struct leg *leg, const char *sdp)
{
	if (sdp == leg->sent_sdp)
		return;
	leg->changed = true;
	free(leg->sent_sdp);
	leg->sent_sdp = strdup(sdp);
	free(leg->taken_offer);
	leg->taken_offer = leg->exchange.offer ? strdup(leg->exchange.offer) : NULL;
}

/* The 200 is out: what it agreed to holds from now on. */
static void commit(struct leg *leg, const char *sdp)
{
	struct leg_exchange *x = &leg->exchange;
	struct sdp_info info = x->info;
	bool initial = x->initial, offerless = x->offerless, media = x->offer != NULL;

	if (x->target) {
		leg->changed |= strcmp(leg->target, x->target) != 0;
		free(leg->target);
		leg->target = x->target;
		free(leg->next_hop);
		leg->next_hop = x->next_hop;
		x->target = x->next_hop = NULL;
	}
	if (sdp)
		keep_media(leg, sdp);
	leg->session = x->session;
	leg_session_start(leg);
	if (!x->update) {
		leg->answer_in_ack = offerless;
		leg->ack_due = true;
		leg->ack_cseq = leg->invite_cseq;
		leg->world->ops->timer_start(leg->world->w, leg->ack_timer,
					     (uint64_t)leg->world->config->ack_timeout_ms);
	}
	leg_exchange_clear(leg);
	if (initial) {
		leg->invite_replied = true;
		leg->invite_code = 200;
		leg_set(leg, LEG_EV_SENT);
	}
	if (media)
		leg_media_run(leg, &info);
	leg_tell_change(leg);
}

void leg_exchange_done(struct leg *leg, int r, const char *sdp)
{
	if (r < 0) {
		refuse_exchange(leg, r);
	} else if (leg->exchange.early) {
		keep_media(leg, sdp);
		send_answer(leg, 183, "Session Progress", sdp);
	} else if (send_answer(leg, 200, "OK", sdp) == 0) {
		commit(leg, sdp);
	} else if (leg->exchange.initial) {
		/* Kamailio is away, and the transaction with it. */
		leg->exchange.transaction[0] = '\0';
		leg->invite_replied = true;
		leg->invite_code = 500;
		leg_end(leg, LEG_END_TRANSPORT, 500);
	} else {
		leg_exchange_clear(leg);
	}
}

void leg_exchange_start(struct leg *leg)
{
	int r = 0;

	leg->exchange.waits = leg->ng_id != 0;
	if (!leg->exchange.waits)
		r = leg_media_exchange(leg);
	if (r < 0)
		leg_exchange_done(leg, r, NULL);
}
