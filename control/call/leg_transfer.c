/* REFER of the party, and the NOTIFYs that tell it what became of it (RFC 3515). */
#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"

#include "base/buf.h"
#include "base/log.h"
#include "proto/sip_msg.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define REFER_TO_MAX 256

static const char *only_header(const struct sip_msg *msg, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < msg->n_headers; i++) {
		const char *n = msg->headers[i].name;

		if (strcasecmp(n, name) &&
		    (strlen(n) != 1 || strcmp(name, "Refer-To") || (*n | 0x20) != 'r'))
			continue;
		if (value)
			return NULL;
		value = msg->headers[i].value;
	}
	return value;
}

void leg_on_refer(struct leg *leg, const struct leg_invite *request)
{
	const char *to = only_header(request->msg, "Refer-To");
	struct leg_transfer *t = &leg->transfer;

	if (!to || !*to || strlen(to) > REFER_TO_MAX) {
		leg_reply(leg, request->transaction, 400, "Bad Refer-To", NULL, NULL);
		return;
	}
	if (t->open || leg->state < LEG_ANSWERED) {
		leg_reply(leg, request->transaction, 491, "Request Pending", NULL, NULL);
		return;
	}
	snprintf(t->transaction, sizeof(t->transaction), "%s", request->transaction);
	/* The first of a dialog needs no id (RFC 3515 §2.4.6). */
	t->id = t->count++ ? request->msg->cseq : 0;
	if (leg->events && leg->events->referred)
		leg->events->referred(leg->arg, to);
	if (t->transaction[0])
		leg_refer_refuse(leg);
}

void leg_refer_refuse(struct leg *leg)
{
	struct leg_transfer *t = &leg->transfer;

	leg_reply(leg, t->transaction, 603, "Decline", NULL, NULL);
	t->transaction[0] = '\0';
}

static void notify(struct leg *leg, const char *status, bool last)
{
	struct leg_transfer *t = &leg->transfer;
	char headers[200], id[24] = "", body[80];

	if (t->id)
		snprintf(id, sizeof(id), ";id=%u", t->id);
	snprintf(headers, sizeof(headers), "Event: refer%s\r\nSubscription-State: %s\r\n", id,
		 last ? "terminated;reason=noresource" : "active;expires=60");
	snprintf(body, sizeof(body), "SIP/2.0 %s\r\n", status);
	if (leg_send_beside(leg, "NOTIFY", headers, "message/sipfrag;version=2.0", body, NULL) < 0)
		log_warn("%s: a NOTIFY was not sent", leg->call_sid);
}

void leg_refer_accept(struct leg *leg)
{
	struct leg_transfer *t = &leg->transfer;
	struct buf b;

	if (!t->transaction[0])
		return;
	buf_init(&b, 1024);
	leg_add_contact(leg, &b);
	leg_reply(leg, t->transaction, 202, "Accepted", b.data, NULL);
	buf_done(&b);
	t->transaction[0] = '\0';
	t->open = true;
	notify(leg, "100 Trying", false);
}

void leg_refer_notify(struct leg *leg, int code)
{
	char status[64];

	if (!leg->transfer.open || leg->state == LEG_ENDED)
		return;
	leg->transfer.open = false;
	snprintf(status, sizeof(status), "%d %s", code, code < 300 ? "OK" : "Service Unavailable");
	notify(leg, status, true);
}
