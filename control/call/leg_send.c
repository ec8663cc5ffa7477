/* In-dialog requests of ours: BYE, and what refreshes the session. */
#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"

#include "base/buf.h"
#include "base/log.h"
#include "proto/sip_msg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FINAL_MS     32000 /* timers B and F: no final response */
#define HEADER_BYTES 32768

/* A BYE that Kamailio did not take is sent again: it may be restarting. */
static const unsigned bye_again_ms[] = { 500, 1000, 2000, 4000, 8000 };
#define BYE_TRIES (sizeof(bye_again_ms) / sizeof(bye_again_ms[0]))

static void clear(struct leg *leg)
{
	leg->pending.method[0] = '\0';
	leg->world->ops->timer_stop(leg->world->w, leg->pending.timer);
}

static void bye_later(struct leg *leg)
{
	struct leg_pending *p = &leg->pending;

	if (p->tries >= BYE_TRIES) {
		log_warn("%s: the BYE could not be sent", leg->call_sid);
		clear(leg);
		return;
	}
	p->again = true;
	leg->world->ops->timer_start(leg->world->w, p->timer, bye_again_ms[p->tries++]);
}

static void on_sent(void *arg, int r)
{
	struct leg *leg = arg;
	struct leg_pending *p = &leg->pending;

	if (r == 0)
		return;
	if (!strcmp(p->method, "BYE")) {
		bye_later(leg);
	} else if (p->method[0]) {
		bool invite = !strcmp(p->method, "INVITE");

		clear(leg);
		/* A re-INVITE that did not leave is due again, as after a glare. */
		if (!invite || !leg_join_answered(leg, 491))
			leg_session_retry(leg);
	}
	leg_release(leg);
}

/* The first URI of a route set: "<uri>;params, ..."; false when it is not to be read. */
static bool first_route(const char *route_set, const char **uri, int *len)
{
	const char *start = strchr(route_set, '<'), *end = start ? strchr(start, '>') : NULL;

	if (!end)
		return false;
	*uri = start + 1;
	*len = (int)(end - start - 1);
	return true;
}

/* What a URI says; more may follow it. */
static const char *transport_of(const char *uri)
{
	const char *p = strcasestr(uri, ";transport=");

	return p ? p + 11 : !strncasecmp(uri, "sips:", 5) ? "tls" : "udp";
}

static bool is_tls(const char *uri)
{
	return uri && !strncasecmp(transport_of(uri), "tls", 3);
}

static bool same_transport(const char *socket, const char *uri)
{
	const char *transport = transport_of(uri);
	size_t n = strcspn(socket, ":");

	return n && !strncasecmp(socket, transport, n);
}

/* RFC 3261 §12.2.1.1: Request-URI, Route and where the request goes. hop keeps what out points to.
 */
static int take_routes(struct sip_out *out, const char *target, const char *route_set,
		       struct buf *b, struct buf *hop)
{
	const char *first, *rest;
	int len;

	out->ruri = target;
	if (!first_route(route_set, &first, &len))
		return 0;
	buf_addf(hop, "%.*s", len, first);
	if (hop->error)
		return hop->error;
	out->next_hop = hop->data;
	if (strcasestr(hop->data, ";lr")) {
		buf_addf(b, "Route: %s\r\n", route_set);
		return 0;
	}
	/* A strict router takes the Request-URI's place; the target ends the route. */
	rest = strchr(first + len, ',');
	out->ruri = hop->data;
	buf_addf(b, "Route: %s%s<%s>\r\n", rest ? rest + 1 : "", rest ? ", " : "", target);
	return 0;
}

static int route(const struct leg *leg, struct sip_out *out, struct buf *b, struct buf *hop)
{
	int r;

	/* Every other try of a BYE goes where the Contact says: the connection or binding may be
	 * gone. */
	out->next_hop = leg->pending.tries % 2 ? NULL : leg->next_hop;
	r = take_routes(out, leg->target, leg->route_set, b, hop);
	if (r < 0)
		return r;
	/* A key of ours leaves over TLS, whatever a Contact or a proxy says of itself. */
	if (leg->security == LEG_SRTP && !(leg->pending.tries % 2) && is_tls(leg->next_hop) &&
	    !is_tls(out->next_hop ? out->next_hop : out->ruri))
		out->next_hop = leg->next_hop;
	if (leg->socket[0] &&
	    same_transport(leg->socket, out->next_hop ? out->next_hop : out->ruri))
		out->socket = leg->socket;
	return 0;
}

void leg_send_stray_bye(struct world *world, const struct sip_msg *answer, const char *source)
{
	struct sip_out out = { .method = "BYE" };
	char *routes = sip_msg_route_set(answer, true);
	struct buf b, hop;

	buf_init(&b, HEADER_BYTES);
	buf_init(&hop, 4096);
	buf_addf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u BYE\r\nMax-Forwards: 70\r\n",
		 answer->from, answer->to, answer->call_id, answer->cseq + 1);
	if (routes &&
	    take_routes(&out, answer->contact_uri ? answer->contact_uri : answer->to_uri, routes,
			&b, &hop) == 0 &&
	    !b.error) {
		if (source)
			out.next_hop = source;
		out.headers = b.data;
		world->ops->sip_request(world->w, &out, NULL, NULL);
	}
	buf_done(&b);
	buf_done(&hop);
	free(routes);
}

static int transmit(struct leg *leg, const char *method, unsigned cseq, const char *headers,
		    const char *type, const char *body, sip_sent_fn *done)
{
	struct sip_out out = { .method = method, .body = body };
	struct buf b, hop;
	int r;

	buf_init(&b, HEADER_BYTES);
	buf_init(&hop, 4096);
	buf_addf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\nMax-Forwards: 70\r\n",
		 leg->local, leg->remote, leg->call_id, cseq, method);
	leg_add_contact(leg, &b);
	r = route(leg, &out, &b, &hop);
	if (headers)
		buf_adds(&b, headers);
	if (body)
		buf_addf(&b, "Content-Type: %s\r\n", type);
	out.headers = b.data;
	if (r == 0)
		r = b.error ? b.error
			    : leg->world->ops->sip_request(leg->world->w, &out, done, leg);
	buf_done(&b);
	buf_done(&hop);
	return r;
}

static int transmit_pending(struct leg *leg, const char *headers, const char *body)
{
	return transmit(leg, leg->pending.method, leg->pending.cseq, headers, "application/sdp",
			body, on_sent);
}

int leg_send_beside(struct leg *leg, const char *method, const char *headers, const char *type,
		    const char *body, sip_sent_fn *done)
{
	return transmit(leg, method, ++leg->local_cseq, headers, type, body, done);
}

int leg_send(struct leg *leg, const char *method, const char *headers, const char *body)
{
	struct leg_pending *p = &leg->pending;
	int r;

	snprintf(p->method, sizeof(p->method), "%s", method);
	p->cseq = ++leg->local_cseq;
	p->tries = 0;
	p->again = false;
	r = transmit_pending(leg, headers, body);
	if (r == 0)
		leg->world->ops->timer_start(leg->world->w, p->timer, FINAL_MS);
	else if (!strcmp(method, "BYE"))
		bye_later(leg);
	else
		clear(leg);
	return r;
}

void leg_on_send_timer(void *arg)
{
	struct leg *leg = arg;
	struct leg_pending *p = &leg->pending;

	if (p->again) {
		p->again = false;
		if (transmit_pending(leg, LEG_REASON_NORMAL, NULL) == 0)
			leg->world->ops->timer_start(leg->world->w, p->timer, FINAL_MS);
		else
			bye_later(leg);
	} else {
		log_warn("%s: no answer to our %s", leg->call_sid, p->method);
		clear(leg);
		leg_end(leg, LEG_END_TRANSPORT, 200);
	}
	leg_release(leg);
}

void leg_on_response(struct leg *leg, const struct sip_msg *msg)
{
	struct leg_pending *p = &leg->pending;
	char method[sizeof(p->method)];

	if (!strcmp(msg->method, "REFER") && leg->state != LEG_ENDED) {
		leg_refer_answered(leg, msg);
		return;
	}
	if (!p->method[0] || msg->cseq != p->cseq || strcmp(msg->method, p->method) ||
	    msg->status < 200)
		return; /* a provisional, or a repetition */
	strcpy(method, p->method);
	clear(leg);
	if (leg->state != LEG_ENDED) {
		/* RFC 3261 §12.2.1.2: these end the dialog; after another refusal the session runs
		 * on to its end. */
		if (msg->status == 481 || msg->status == 408) {
			leg_end(leg, LEG_END_TRANSPORT, 200);
		} else {
			bool reoffer =
				!strcmp(method, "INVITE") && leg_join_answered(leg, msg->status);

			/* Of a refresh; a refused offer says nothing of the timer. */
			if (!reoffer || msg->status < 300)
				leg_session_answered(leg, method, msg);
			if (msg->status < 300 && !strcmp(method, "INVITE")) {
				enum leg_end why;
				char *sdp = leg_take_answer(leg, msg, &why);

				if (sdp)
					leg_media_refreshed(leg, sdp);
				free(sdp);
			}
			if (leg->state != LEG_ENDED)
				leg_join_settled(leg);
		}
	}
	leg_release(leg);
}
