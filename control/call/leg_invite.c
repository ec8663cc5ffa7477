#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"

#include "base/config.h"
#include "base/error_code.h"
#include "base/log.h"
#include "proto/sip_msg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_sdp(const struct sip_msg *msg)
{
	return msg->content_type && !strncasecmp(msg->content_type, "application/sdp", 15);
}

int leg_check_sdp(const struct sip_msg *msg, struct sdp_info *info, const char **reason, int *error)
{
	*error = 0;
	*reason = "Not Acceptable Here";
	if (!is_sdp(msg)) {
		*reason = "Unsupported Media Type";
		return 415;
	}
	if (sdp_parse(info, msg->body, msg->body_len) < 0) {
		*reason = "Bad SDP";
		*error = 32102;
		return 400;
	}
	if (info->secure) {
		*reason = "Secure media not accepted";
		*error = 32207;
		return 488;
	}
	return info->has_audio && (info->pcmu || info->pcma) ? 0 : 488;
}

void leg_exchange_clear(struct leg *leg)
{
	free(leg->exchange.offer);
	memset(&leg->exchange, 0, sizeof(leg->exchange));
}

/* A header of the refusals that need one. */
struct refusal {
	int code, error;
	const char *reason;
	char headers[320];
};

/* RFC 3261 §8.2.2.3: extensions that we do not have. `timer` is ours. */
static bool requires_unknown(const struct sip_msg *msg, struct refusal *refusal)
{
	const char *require = sip_msg_header(msg, "Require");
	size_t n;

	for (; require && *require; require += n) {
		require += strspn(require, ", \t");
		n = strcspn(require, ", \t");
		if (n && !(n == 5 && !strncasecmp(require, "timer", 5))) {
			refusal->code = 420;
			refusal->reason = "Bad Extension";
			snprintf(refusal->headers, sizeof(refusal->headers), "Unsupported: %.*s\r\n", (int)(n > 64 ? 64 : n), require);
			return true;
		}
	}
	return false;
}

/* Loopback in a Contact that did not come from loopback leads nowhere (32105). */
static bool contact_is_loopback(const struct leg_invite *invite)
{
	const char *contact = invite->msg->contact_uri;
	const char *host = contact ? strchr(contact, '@') : NULL;

	if (!contact || !strncmp(invite->source_ip, "127.", 4))
		return false;
	host = host ? host + 1 : strchr(contact, ':') + 1;
	return !strncmp(host, "127.", 4) || !strncasecmp(host, "localhost", 9);
}

static bool check(struct leg *leg, const struct leg_invite *invite, struct refusal *refusal)
{
	const struct sip_msg *msg = invite->msg;
	struct leg_exchange *x = &leg->exchange;

	if (requires_unknown(msg, refusal))
		return false;
	if (!msg->contact_uri || !msg->from_tag) {
		refusal->code = 400;
		refusal->reason = msg->from_tag ? "Missing Contact" : "Missing From tag";
		return false;
	}
	if (contact_is_loopback(invite)) {
		refusal->code = 400;
		refusal->reason = "Invalid Contact";
		refusal->error = 32105;
		return false;
	}
	refusal->code = leg_session_take(leg, msg, x->headers, sizeof(x->headers));
	if (refusal->code) {
		refusal->reason = "Session Interval Too Small";
		snprintf(refusal->headers, sizeof(refusal->headers), "Min-SE: 90\r\n");
		return false;
	}
	x->offerless = msg->body_len == 0;
	if (x->offerless)
		return true;
	refusal->code = leg_check_sdp(msg, &x->info, &refusal->reason, &refusal->error);
	if (refusal->code == 415)
		snprintf(refusal->headers, sizeof(refusal->headers), "Accept: application/sdp\r\n");
	return refusal->code == 0;
}

/* Where our requests go when the party is behind NAT, or on a connection that only it could open. */
static char *next_hop(const struct leg_invite *invite)
{
	const char *contact = invite->msg->contact_uri;
	bool stream = strcmp(invite->proto, "udp") != 0, v6 = strchr(invite->source_ip, ':') != NULL;
	char *hop = NULL;

	if (!contact || sip_msg_header(invite->msg, "Record-Route"))
		return NULL;
	if (!stream && strstr(contact, invite->source_ip))
		return NULL;
	if (asprintf(&hop, "sip:%s%s%s:%d%s%s", v6 ? "[" : "", invite->source_ip, v6 ? "]" : "", invite->source_port,
		     stream ? ";transport=" : "", stream ? invite->proto : "") < 0)
		return NULL;
	return hop;
}

/* To with our tag: From of our requests. */
static char *with_tag(const char *to, const char *tag)
{
	char *s = NULL;

	return asprintf(&s, "%s%s%s;tag=%s", strchr(to, '<') ? "" : "<", to, strchr(to, '<') ? "" : ">", tag) < 0 ? NULL : s;
}

static int fill_dialog(struct leg *leg, const struct leg_invite *invite)
{
	const struct sip_msg *msg = invite->msg;

	snprintf(leg->local_tag, sizeof(leg->local_tag), LEG_TAG_PREFIX);
	random_hex(leg->local_tag + strlen(LEG_TAG_PREFIX), 16);
	if (asprintf(&leg->key, "%s %s", msg->call_id, msg->from_tag ? msg->from_tag : "") < 0)
		leg->key = NULL;
	leg->call_id = strdup(msg->call_id);
	leg->local = with_tag(msg->to, leg->local_tag);
	leg->remote = strdup(msg->from);
	leg->target = msg->contact_uri ? strdup(msg->contact_uri) : strdup("");
	leg->route_set = sip_msg_route_set(msg, false);
	leg->next_hop = next_hop(invite);
	leg->socket = strdup(invite->socket);
	leg->proto = strdup(invite->proto);
	leg->invite_cseq = leg->remote_cseq = msg->cseq;
	leg->local_cseq = 100;
	leg->peer_update = sip_msg_lists(msg, "Allow", "UPDATE");
	leg->exchange.initial = true;
	snprintf(leg->exchange.transaction, sizeof(leg->exchange.transaction), "%s", invite->transaction);
	if (msg->body_len) {
		leg->exchange.offer = strndup(msg->body, msg->body_len);
		if (!leg->exchange.offer)
			return -ENOMEM;
	}
	return leg->key && leg->call_id && leg->local && leg->remote && leg->target && leg->route_set && leg->socket && leg->proto ?
		       0 :
		       -ENOMEM;
}

void leg_on_ack_deadline(void *arg)
{
	struct leg *leg = arg;

	leg->ack_cseq = 0;
	if (leg->state == LEG_ENDED) {
		/* We hung up meanwhile and the party never acknowledged: BYE all the same (RFC 3261 §13.3.1.4). */
		leg_send(leg, "BYE", LEG_REASON_NORMAL, NULL);
		leg_release(leg);
		return;
	}
	log_info("%s: no ACK", leg->call_sid);
	leg_end(leg, LEG_END_NO_ACK, 200);
}

void leg_await_ack(struct leg *leg, unsigned cseq)
{
	leg->ack_cseq = cseq;
	leg->world->ops->timer_start(leg->world->w, leg->ack_timer, (uint64_t)leg->world->config->ack_timeout_ms);
}

int leg_new_inbound(struct leg **ret, struct world *world, const char *call_sid, const struct leg_invite *invite,
		    const struct leg_events *events, void *arg, int *ret_code, int *ret_error)
{
	struct refusal refusal = { .code = 500, .reason = "Server Internal Error" };
	struct leg *leg = leg_alloc(world, invite->legs, call_sid);

	if (!leg) {
		/* Kamailio's own deadline answers the party when even this fails. */
		world->ops->sip_reply(world->w, invite->transaction, 500, refusal.reason, LEG_TAG_PREFIX "0", LEG_SERVER, "");
		*ret_code = 500;
		*ret_error = 0;
		return -EPROTO;
	}
	if (fill_dialog(leg, invite) < 0 || !check(leg, invite, &refusal)) {
		const struct error_code *e = refusal.error ? error_code_find(refusal.error) : NULL;

		if (e)
			snprintf(refusal.headers, sizeof(refusal.headers), "X-Twilio-Error: %d %s\r\n", e->code, e->text);
		leg_reply(leg, invite->transaction, refusal.code, refusal.reason, refusal.headers, NULL);
		*ret_code = refusal.code;
		*ret_error = refusal.error;
		leg->state = LEG_ENDED;
		leg->end_told = true;
		leg_release(leg);
		return -EPROTO;
	}
	leg->events = events;
	leg->arg = arg;
	legs_add(invite->legs, leg);
	*ret = leg;
	return 0;
}

void leg_on_cancel(struct leg *leg)
{
	if (leg->state >= LEG_ANSWERED || leg->invite_replied)
		return; /* it crossed our final response: nothing to cancel (RFC 3261 §9.2) */
	leg_reply(leg, leg->exchange.transaction, 487, "Request Terminated", NULL, NULL);
	leg->invite_replied = true;
	leg->invite_code = 487;
	leg->exchange.transaction[0] = '\0';
	leg_end(leg, LEG_END_CANCELED, 487);
}

void leg_on_ack(struct leg *leg, const struct sip_msg *msg)
{
	bool first = leg->ack_cseq && msg->cseq == leg->ack_cseq;

	if (!first)
		return; /* of a refusal, or one that was repeated */
	leg->ack_cseq = 0;
	leg->world->ops->timer_stop(leg->world->w, leg->ack_timer);
	if (leg->state == LEG_ENDED) {
		leg_send(leg, "BYE", LEG_REASON_NORMAL, NULL);
		leg_release(leg);
		return;
	}
	leg_set(leg, LEG_EV_ACK);
	if (!leg->answer_in_ack)
		return;
	leg->answer_in_ack = false;
	if (msg->body_len && is_sdp(msg))
		leg_media_answer(leg, msg->body);
	else
		leg_end(leg, LEG_END_MEDIA_FAILURE, 200);
}

static int send_200(struct leg *leg, const char *sdp)
{
	struct leg_exchange *x = &leg->exchange;
	const struct config *config = leg->world->config;
	bool v6 = strchr(config->public_ip, ':') != NULL;
	char headers[1024];
	int n;

	n = snprintf(headers, sizeof(headers), "Contact: <sip:%s@%s%s%s:%d%s%s>\r\nAllow: " LEG_ALLOW "\r\nSupported: timer\r\n%s%s%s%s%s",
		     leg->local_tag, v6 ? "[" : "", config->public_ip, v6 ? "]" : "", config->sip_port,
		     strcmp(leg->proto, "udp") ? ";transport=" : "", strcmp(leg->proto, "udp") ? leg->proto : "", x->headers,
		     x->initial ? "X-Twilio-CallSid: " : "", x->initial ? leg->call_sid : "", x->initial ? "\r\n" : "",
		     sdp ? "Content-Type: application/sdp\r\n" : "");
	if (n < 0 || (size_t)n >= sizeof(headers))
		return -ENOSPC;
	leg_reply(leg, x->transaction, 200, "OK", headers, sdp);
	return 0;
}

void leg_exchange_done(struct leg *leg, int r, const char *sdp)
{
	struct leg_exchange *x = &leg->exchange;
	bool initial = x->initial;

	if (r == 0)
		r = send_200(leg, sdp);
	if (r < 0 && initial) {
		leg_reply(leg, x->transaction, 500, "Media unavailable", NULL, NULL);
		leg->invite_replied = true;
		leg->invite_code = 500;
		x->transaction[0] = '\0';
		leg_end(leg, LEG_END_MEDIA_FAILURE, 500);
		return;
	}
	if (r < 0) {
		/* The session stays as it was (RFC 3261 §14.2). */
		leg_reply(leg, x->transaction, 488, "Not Acceptable Here", NULL, NULL);
		leg_exchange_clear(leg);
		return;
	}
	if (sdp) {
		free(leg->sent_sdp);
		leg->sent_sdp = strdup(sdp);
	}
	if (!x->update) {
		leg->answer_in_ack = x->offerless;
		leg_await_ack(leg, leg->invite_cseq);
	}
	leg_session_start(leg);
	leg_exchange_clear(leg);
	if (!initial)
		return;
	leg->invite_replied = true;
	leg->invite_code = 200;
	leg_set(leg, LEG_EV_SENT);
	if (leg->events)
		leg->events->answered(leg->arg);
}
