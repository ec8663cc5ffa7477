/* In-dialog requests of the party. */
#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"

#include "base/log.h"
#include "proto/sip_msg.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void on_bye(struct leg *leg, const struct leg_invite *request)
{
	leg_reply(leg, request->transaction, 200, "OK", NULL, NULL);
	leg_outbound_tell(leg, request->msg);
	/* In an early dialog the INVITE is still to be answered (RFC 3261 §15.1.2). */
	if (!leg->invite_replied)
		leg_final(leg, 487, "Request Terminated", NULL, LEG_END_CANCELED);
	else
		leg_end(leg, LEG_END_REMOTE_BYE, 200);
}

static void busy(struct leg *leg, const char *transaction)
{
	leg_reply(leg, transaction, 500, "Server Internal Error", "Retry-After: 1\r\n", NULL);
}

/* What came over TLS, or went by it since keys are in it, is not led elsewhere by an offer. */
static bool leaves_tls(const struct leg *leg, const struct leg_invite *request)
{
	return leg->security == LEG_SRTP && strcmp(leg->proto, "udp") != 0 &&
	       strcmp(leg->proto, "tcp") != 0 && strcmp(request->proto, "tls") != 0;
}

/* A re-INVITE, or an UPDATE with or without SDP (RFC 3311). */
static void on_offer(struct leg *leg, const struct leg_invite *request)
{
	const struct sip_msg *msg = request->msg;
	struct leg_exchange *x = &leg->exchange;
	struct leg_refusal refusal = { 0 };
	struct leg_session session;
	struct sdp_info info;
	char headers[sizeof(x->headers)];
	bool update = !strcmp(msg->method, "UPDATE"), exchange = !update || msg->body_len;

	/* Glare: an offer of ours is open (RFC 3261 §14.2, RFC 3311 §5.2). */
	if (exchange && (!strcmp(leg->pending.method, "INVITE") || leg->answer_in_ack)) {
		leg_reply(leg, request->transaction, 491, "Request Pending", NULL, NULL);
		return;
	}
	if (x->transaction[0] || leg->state < LEG_ANSWERED) {
		busy(leg, request->transaction);
		return;
	}
	if (!leg_check_request(request, &refusal)) {
		leg_reply(leg, request->transaction, refusal.code, refusal.reason, refusal.headers,
			  NULL);
		return;
	}
	if (leaves_tls(leg, request)) {
		leg_reply(leg, request->transaction, 488, "Secure SIP transport required",
			  "X-Twilio-Error: 32209 SIP: Secure transport required\r\n", NULL);
		return;
	}
	if (leg_session_take(leg, msg, &session, headers, sizeof(headers))) {
		leg_reply(leg, request->transaction, 422, "Session Interval Too Small", LEG_MIN_SE,
			  NULL);
		return;
	}
	if (msg->body_len && !leg_check_offer(leg, msg, &info, &refusal)) {
		leg_reply(leg, request->transaction, refusal.code, refusal.reason, refusal.headers,
			  NULL);
		return;
	}
	snprintf(x->transaction, sizeof(x->transaction), "%s", request->transaction);
	strcpy(x->headers, headers);
	x->session = session;
	x->update = update;
	/* Target refresh (RFC 3261 §12.2.2). */
	x->target = msg->contact_uri ? strdup(msg->contact_uri) : NULL;
	x->next_hop = leg_next_hop(request);
	if (!update)
		leg->invite_cseq = msg->cseq;
	if (!exchange) {
		leg_exchange_done(leg, 0, NULL);
		return;
	}
	if (msg->body_len) {
		x->info = info;
		x->offer = leg_copy_offer(msg);
	}
	x->offerless = !x->offer;
	leg_exchange_start(leg);
}

static void on_options(struct leg *leg, const struct leg_invite *request)
{
	leg_reply(leg, request->transaction, 200, "OK",
		  "Allow: " LEG_ALLOW "\r\nAccept: application/sdp\r\nSupported: timer\r\n", NULL);
}

/* application/dtmf-relay: "Signal=5\r\nDuration=160"; application/dtmf: "5". What phones without
 * RFC 4733 send. */
static bool info_digit(const struct sip_msg *msg, bool relay, char *digit)
{
	const char *p = msg->body;

	if (relay) {
		p = strcasestr(p, "Signal");
		if (!p)
			return false;
		p += 6;
		p += strspn(p, " \t");
		if (*p++ != '=')
			return false;
	}
	p += strspn(p, " \t");
	*digit = (char)toupper((unsigned char)*p);
	return *digit && strchr("0123456789*#ABCD", *digit);
}

static void on_info(struct leg *leg, const struct leg_invite *request)
{
	const struct sip_msg *msg = request->msg;
	const char *type = msg->content_type ? msg->content_type : "";
	size_t n = strcspn(type, "; \t");
	bool relay = n == 22 && !strncasecmp(type, "application/dtmf-relay", n);
	bool plain = n == 16 && !strncasecmp(type, "application/dtmf", n);
	char digit;

	if (sip_msg_header(msg, "Info-Package")) {
		leg_reply(leg, request->transaction, 469, "Bad Info Package", "Recv-Info:\r\n",
			  NULL);
		return;
	}
	if (msg->body_len && !relay && !plain) {
		leg_reply(leg, request->transaction, 415, "Unsupported Media Type",
			  "Accept: application/dtmf-relay, application/dtmf\r\n", NULL);
		return;
	}
	leg_reply(leg, request->transaction, 200, "OK", NULL, NULL);
	/* A party with telephone-events may send a key both ways: those in RTP count. */
	if (msg->body_len && leg->info_digits && leg->events && info_digit(msg, relay, &digit))
		leg->events->digit(leg->arg, digit, 160);
}

/* PRACK without a reliable provisional; what comes after the end. */
static void on_stray(struct leg *leg, const struct leg_invite *request)
{
	leg_reply(leg, request->transaction, 481, "Call/Transaction Does Not Exist", NULL, NULL);
}

static const struct {
	const char *method;
	void (*handle)(struct leg *leg, const struct leg_invite *request);
} handlers[] = {
	{ "BYE", on_bye },	     { "INVITE", on_offer }, { "UPDATE", on_offer },
	{ "OPTIONS", on_options },   { "INFO", on_info },    { "REFER", leg_on_refer },
	{ "NOTIFY", leg_on_notify }, { "PRACK", on_stray },
};

void leg_on_request(struct leg *leg, const struct leg_invite *request)
{
	const struct sip_msg *msg = request->msg;

	if (leg->state == LEG_ENDED) {
		/* The party's BYE may cross ours, which is then not needed any more; a second one
		 * of the party's finds no dialog (RFC 3261 §15.1.2). */
		if (strcmp(msg->method, "BYE") || leg->end == LEG_END_REMOTE_BYE) {
			on_stray(leg, request);
			return;
		}
		leg_reply(leg, request->transaction, 200, "OK", NULL, NULL);
		leg_no_ack_needed(leg);
		leg_release(leg);
		return;
	}
	/* RFC 3261 §12.2.2; the party of an INVITE of ours begins where it likes, at 0 too. */
	if (msg->cseq <= leg->remote_cseq && (leg->remote_cseq || !leg->outbound)) {
		leg_reply(leg, request->transaction, 500, "CSeq out of order", NULL, NULL);
		return;
	}
	leg->remote_cseq = msg->cseq;
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (!strcmp(handlers[i].method, msg->method)) {
			handlers[i].handle(leg, request);
			return;
		}
	}
	leg_reply(leg, request->transaction, 405, "Method Not Allowed", "Allow: " LEG_ALLOW "\r\n",
		  NULL);
}
