/*
 * REFER of ours: the party is asked to call somebody else, and its NOTIFYs tell what became of that
 * (RFC 3515). It is sent beside the requests that wait for each other: whatever a party makes of
 * it, the session is refreshed and ended meanwhile.
 */
#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"

#include "base/log.h"
#include "proto/sip_msg.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ANSWER_MS  32000  /* timer F: no final response */
#define NOTIFY_MS  32000  /* from the 202 to the first NOTIFY, which is due at once (§2.4.4) */
#define OUTCOME_MS 180000 /* from the first NOTIFY on: nobody rings for longer */

/* The owner may free the leg in it. */
static void tell(struct leg *leg, bool final)
{
	struct leg_referral *r = &leg->referral;

	if (!r->running)
		return;
	if (final) {
		r->running = false;
		leg->world->ops->timer_stop(leg->world->w, r->timer);
	}
	if (leg->events && leg->events->referral)
		leg->events->referral(leg->arg, r->refer_code, r->notify_code, final);
}

static void on_deadline(void *arg)
{
	struct leg *leg = arg;
	struct leg_referral *r = &leg->referral;

	if (leg->state == LEG_ENDED || !r->running)
		return;
	log_info("%s: a REFER of ours was not %s", leg->call_sid,
		 r->refer_code ? "followed to its end" : "answered");
	r->open = false;
	/* RFC 3261 §8.1.3.1 */
	if (!r->refer_code && !r->notified)
		r->refer_code = 408;
	tell(leg, true);
}

static void on_sent(void *arg, int r)
{
	struct leg *leg = arg;
	struct leg_referral *ref = &leg->referral;

	/* Who was heard of it knows better than who should have sent it. */
	if (r == 0 || leg->state == LEG_ENDED || ref->refer_code || ref->notified)
		return;
	ref->open = false;
	tell(leg, true);
}

static int send_refer(struct leg *leg)
{
	struct leg_referral *r = &leg->referral;
	char *header = r->header;
	int err;

	r->header = NULL;
	err = leg_send_beside(leg, "REFER", header, NULL, NULL, on_sent);
	free(header);
	if (err < 0)
		return err;
	r->cseq = leg->local_cseq;
	r->open = true;
	leg->world->ops->timer_start(leg->world->w, r->timer, ANSWER_MS);
	return 0;
}

int leg_refer(struct leg *leg, const char *refer_to)
{
	struct leg_referral *r = &leg->referral;
	char *header;
	int err = 0;

	if (r->running || (leg->state != LEG_ANSWERED && leg->state != LEG_CONFIRMED) ||
	    !sip_header_value_ok(refer_to))
		return -EINVAL;
	if (!r->timer)
		r->timer = leg->world->ops->timer_new(leg->world->w, on_deadline, leg);
	if (!r->timer || asprintf(&header, "Refer-To: %s\r\n", refer_to) < 0)
		return -ENOMEM;
	*r = (struct leg_referral){ .timer = r->timer, .running = true, .header = header };
	/* It must not overtake the 200: before the ACK the party may know of no dialog. */
	if (leg->state == LEG_CONFIRMED)
		err = send_refer(leg);
	if (err < 0)
		r->running = false;
	return err;
}

void leg_refer_acked(struct leg *leg)
{
	if (leg->referral.header && leg->state == LEG_CONFIRMED && send_refer(leg) < 0)
		tell(leg, true);
}

void leg_refer_answered(struct leg *leg, const struct sip_msg *msg)
{
	struct leg_referral *r = &leg->referral;

	if (msg->cseq != r->cseq || !r->running || r->refer_code || msg->status < 200)
		return; /* a provisional, a repetition, or too late */
	r->refer_code = msg->status;
	if (msg->status == 481) {
		/* RFC 5057 §5.1: the party knows of no such dialog. */
		tell(leg, false);
		leg_end(leg, LEG_END_TRANSPORT, 200);
	} else if (msg->status >= 300) {
		r->open = false;
		tell(leg, true);
	} else if (r->over) {
		tell(leg, true);
	} else {
		leg->world->ops->timer_start(leg->world->w, r->timer,
					     r->notified ? OUTCOME_MS : NOTIFY_MS);
		tell(leg, false);
	}
}

/* -- NOTIFY */

/* "refer" and ";id=" with the REFER's CSeq, which may be left out of the first one's (§2.4.6). 0;
 * else how it is refused. */
static int check_event(const struct leg *leg, const char *event)
{
	size_t n = event ? strcspn(event, "; \t") : 0;
	const char *id;

	if (!leg->referral.open)
		return 481;
	if (n != 5 || strncasecmp(event, "refer", n))
		return 489;
	id = strcasestr(event + n, "id=");
	return id && strtoul(id + 3, NULL, 10) != leg->referral.cseq ? 481 : 0;
}

/* The code in the status line that a message/sipfrag (RFC 3420) begins with; 0: there is none. */
static int fragment_code(const char *body)
{
	const char *code = body + 8;

	if (strncasecmp(body, "SIP/2.0 ", 8) || *code < '1' || *code > '6' ||
	    !isdigit((unsigned char)code[1]) || !isdigit((unsigned char)code[2]) ||
	    isalnum((unsigned char)code[3]))
		return 0;
	return atoi(code);
}

static bool is_fragment(const struct sip_msg *msg)
{
	const char *type = msg->content_type ? msg->content_type : "";
	size_t n = strcspn(type, "; \t");

	return n == 15 && !strncasecmp(type, "message/sipfrag", n);
}

static void take_progress(struct leg *leg, int code, bool terminated)
{
	struct leg_referral *r = &leg->referral;
	bool first = !r->notified;

	r->notified = true;
	if (code && r->notify_code < 200)
		r->notify_code = code;
	if (terminated)
		r->open = false;
	if (!r->running)
		return;
	if (terminated || code >= 200) {
		/* A NOTIFY may overtake the 202 (§2.4.4): both codes are told. */
		r->over = true;
		if (r->refer_code)
			tell(leg, true);
		return;
	}
	if (!r->refer_code)
		return;
	if (first)
		leg->world->ops->timer_start(leg->world->w, r->timer, OUTCOME_MS);
	tell(leg, false);
}

void leg_on_notify(struct leg *leg, const struct leg_invite *request)
{
	const struct sip_msg *msg = request->msg;
	const char *state = sip_msg_header(msg, "Subscription-State");
	int refused = check_event(leg, sip_msg_header(msg, "Event")), code = 0;

	if (refused == 481) {
		leg_reply(leg, request->transaction, 481, "Call/Transaction Does Not Exist", NULL,
			  NULL);
		return;
	}
	if (refused) {
		leg_reply(leg, request->transaction, refused, "Bad Event",
			  "Allow-Events: refer\r\n", NULL);
		return;
	}
	if (msg->body_len && !is_fragment(msg)) {
		leg_reply(leg, request->transaction, 415, "Unsupported Media Type",
			  "Accept: message/sipfrag\r\n", NULL);
		return;
	}
	if (msg->body_len && !(code = fragment_code(msg->body))) {
		leg_reply(leg, request->transaction, 400, "Bad Status Line", NULL, NULL);
		return;
	}
	leg_reply(leg, request->transaction, 200, "OK", NULL, NULL);
	take_progress(leg, code, state && !strncasecmp(state, "terminated", 10));
}

void leg_refer_free(struct leg *leg)
{
	free(leg->referral.header);
	if (leg->referral.timer)
		leg->world->ops->timer_free(leg->world->w, leg->referral.timer);
}
