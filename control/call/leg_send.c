#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"

#include "base/buf.h"
#include "base/config.h"
#include "base/log.h"
#include "proto/sip_msg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINAL_MS     32000 /* timer F: no final response */
#define RETRY_MS     500   /* Kamailio did not take it */
#define TRIES	     4
#define HEADER_BYTES 16384

static void clear(struct leg *leg)
{
	leg->pending.method[0] = '\0';
	leg->world->ops->timer_stop(leg->world->w, leg->pending.timer);
}

/* A request of ours failed for good. */
static void failed(struct leg *leg)
{
	clear(leg);
	if (leg->state != LEG_ENDED)
		leg_end(leg, LEG_END_TRANSPORT, 200);
	leg_release(leg);
}

static void on_sent(void *arg, int r)
{
	struct leg *leg = arg;

	if (r == 0 || !leg->pending.method[0])
		return;
	leg->pending.again = true;
	leg->world->ops->timer_start(leg->world->w, leg->pending.timer, RETRY_MS);
}

static int transmit(struct leg *leg, const char *headers, const char *body)
{
	const struct config *config = leg->world->config;
	bool v6 = strchr(config->public_ip, ':') != NULL;
	struct sip_out out;
	struct buf b;
	int r;

	buf_init(&b, HEADER_BYTES);
	buf_addf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n", leg->local, leg->remote, leg->call_id, leg->pending.cseq,
		 leg->pending.method);
	buf_addf(&b, "Contact: <sip:%s@%s%s%s:%d%s%s>\r\nMax-Forwards: 70\r\nUser-Agent: Hookswitch\r\n", leg->local_tag, v6 ? "[" : "",
		 config->public_ip, v6 ? "]" : "", config->sip_port, strcmp(leg->proto, "udp") ? ";transport=" : "",
		 strcmp(leg->proto, "udp") ? leg->proto : "");
	if (leg->route_set[0])
		buf_addf(&b, "Route: %s\r\n", leg->route_set);
	if (headers)
		buf_adds(&b, headers);
	if (body)
		buf_adds(&b, "Content-Type: application/sdp\r\n");
	out = (struct sip_out){ .method = leg->pending.method, .ruri = leg->target, .next_hop = leg->next_hop, .socket = leg->socket,
				.headers = b.data, .body = body };
	r = b.error ? b.error : leg->world->ops->sip_request(leg->world->w, &out, on_sent, leg);
	buf_done(&b);
	return r;
}

void leg_send(struct leg *leg, const char *method, const char *headers, const char *body)
{
	struct leg_pending *p = &leg->pending;

	/* One at a time: a BYE takes the place of a refresh that waits. */
	snprintf(p->method, sizeof(p->method), "%s", method);
	p->cseq = ++leg->local_cseq;
	p->tries = 1;
	p->again = transmit(leg, headers, body) < 0;
	leg->world->ops->timer_start(leg->world->w, p->timer, p->again ? RETRY_MS : FINAL_MS);
}

void leg_on_send_timer(void *arg)
{
	struct leg *leg = arg;
	struct leg_pending *p = &leg->pending;

	if (!p->again || p->tries >= TRIES) {
		log_warn("%s: no answer to our %s", leg->call_sid, p->method);
		failed(leg);
		return;
	}
	p->tries++;
	p->again = transmit(leg, !strcmp(p->method, "BYE") ? LEG_REASON_NORMAL : NULL, NULL) < 0;
	leg->world->ops->timer_start(leg->world->w, p->timer, p->again ? RETRY_MS : FINAL_MS);
}

void leg_on_response(struct leg *leg, const struct sip_msg *msg)
{
	struct leg_pending *p = &leg->pending;

	if (!p->method[0] || msg->cseq != p->cseq || strcmp(msg->method, p->method) || msg->status < 200)
		return; /* a provisional, or a repetition */
	clear(leg);
	if (leg->state == LEG_ENDED) {
		leg_release(leg);
		return;
	}
	/* RFC 3261 §12.2.1.2: these end the dialog; another refusal leaves it (RFC 4028 §10: the session runs to its end). */
	if (msg->status == 481 || msg->status == 408)
		leg_end(leg, LEG_END_TRANSPORT, 200);
	else if (msg->status < 300)
		leg_session_start(leg);
}
