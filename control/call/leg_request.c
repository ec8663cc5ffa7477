#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"

#include "base/log.h"
#include "proto/sip_msg.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void on_bye(struct leg *leg, const char *transaction, const struct sip_msg *msg)
{
	(void)msg;
	leg_reply(leg, transaction, 200, "OK", NULL, NULL);
	leg_end(leg, LEG_END_REMOTE_BYE, 200);
}

/* Remote target refresh (RFC 3261 §12.2.2). */
static void take_target(struct leg *leg, const struct sip_msg *msg)
{
	char *target = msg->contact_uri ? strdup(msg->contact_uri) : NULL;

	if (!target)
		return;
	free(leg->target);
	leg->target = target;
}

/* A re-INVITE, or an UPDATE with or without SDP (RFC 3311). */
static void on_offer(struct leg *leg, const char *transaction, const struct sip_msg *msg)
{
	struct leg_exchange *x = &leg->exchange;
	bool update = !strcmp(msg->method, "UPDATE");
	char session[sizeof(x->headers)];
	struct sdp_info info = { .direction = SDP_SENDRECV };
	const char *reason;
	int code, error;

	/* Glare, and an exchange that is not over (RFC 3261 §14.2, RFC 3311 §5.2). */
	if (!strcmp(leg->pending.method, "INVITE")) {
		leg_reply(leg, transaction, 491, "Request Pending", NULL, NULL);
		return;
	}
	if (x->transaction[0] || (leg->ack_cseq && msg->body_len)) {
		leg_reply(leg, transaction, 500, "Server Internal Error", "Retry-After: 1\r\n", NULL);
		return;
	}
	if (leg_session_take(leg, msg, session, sizeof(session))) {
		leg_reply(leg, transaction, 422, "Session Interval Too Small", "Min-SE: 90\r\n", NULL);
		return;
	}
	if (msg->body_len) {
		code = leg_check_sdp(msg, &info, &reason, &error);
		if (code) {
			leg_reply(leg, transaction, code, reason, code == 415 ? "Accept: application/sdp\r\n" : NULL, NULL);
			return;
		}
	}
	take_target(leg, msg);
	memset(x, 0, sizeof(*x));
	snprintf(x->transaction, sizeof(x->transaction), "%s", transaction);
	strcpy(x->headers, session);
	x->update = update;
	x->info = info;
	if (!update)
		leg->invite_cseq = msg->cseq;
	if (update && !msg->body_len) {
		leg_exchange_done(leg, 0, NULL);
		return;
	}
	x->offerless = !msg->body_len;
	x->offer = msg->body_len ? strndup(msg->body, msg->body_len) : NULL;
	code = x->offer || x->offerless ? leg_media_exchange(leg) : -1;
	if (code < 0)
		leg_exchange_done(leg, code, NULL);
}

static void on_options(struct leg *leg, const char *transaction, const struct sip_msg *msg)
{
	(void)msg;
	leg_reply(leg, transaction, 200, "OK", "Allow: " LEG_ALLOW "\r\nAccept: application/sdp\r\nSupported: timer\r\n", NULL);
}

/* application/dtmf-relay: "Signal=5\r\nDuration=160", what phones without RFC 4733 send. */
static bool info_digit(const struct sip_msg *msg, char *digit)
{
	const char *p = strcasestr(msg->body, "Signal");

	if (!msg->content_type || strncasecmp(msg->content_type, "application/dtmf-relay", 22) || !p)
		return false;
	p += 6;
	p += strspn(p, " \t");
	if (*p++ != '=')
		return false;
	p += strspn(p, " \t");
	*digit = (char)toupper((unsigned char)*p);
	return *digit && strchr("0123456789*#ABCD", *digit);
}

static void on_info(struct leg *leg, const char *transaction, const struct sip_msg *msg)
{
	char digit;

	if (msg->body_len && (!msg->content_type || strncasecmp(msg->content_type, "application/dtmf", 16))) {
		leg_reply(leg, transaction, 415, "Unsupported Media Type", "Accept: application/dtmf-relay\r\n", NULL);
		return;
	}
	leg_reply(leg, transaction, 200, "OK", NULL, NULL);
	if (leg->events && info_digit(msg, &digit))
		leg->events->digit(leg->arg, digit, 160);
}

static const struct {
	const char *method;
	void (*handle)(struct leg *leg, const char *transaction, const struct sip_msg *msg);
	bool needs_answer; /* only in an answered dialog */
} handlers[] = {
	{ "BYE", on_bye, false },     { "INVITE", on_offer, true }, { "UPDATE", on_offer, true },
	{ "OPTIONS", on_options, false }, { "INFO", on_info, false },
};

void leg_on_request(struct leg *leg, const char *transaction, const struct sip_msg *msg)
{
	if (leg->state == LEG_ENDED) {
		/* The party's BYE may cross ours: that is fine with both. */
		if (!strcmp(msg->method, "BYE"))
			leg_reply(leg, transaction, 200, "OK", NULL, NULL);
		else
			leg_reply(leg, transaction, 481, "Call/Transaction Does Not Exist", NULL, NULL);
		return;
	}
	if (msg->cseq <= leg->remote_cseq) { /* RFC 3261 §12.2.2 */
		leg_reply(leg, transaction, 500, "CSeq out of order", NULL, NULL);
		return;
	}
	leg->remote_cseq = msg->cseq;
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (strcmp(handlers[i].method, msg->method))
			continue;
		if (handlers[i].needs_answer && leg->state < LEG_ANSWERED)
			leg_reply(leg, transaction, 500, "Server Internal Error", "Retry-After: 1\r\n", NULL);
		else
			handlers[i].handle(leg, transaction, msg);
		return;
	}
	leg_reply(leg, transaction, 405, "Method Not Allowed", "Allow: " LEG_ALLOW "\r\n", NULL);
}
