/* An INVITE of ours: RFC 3261 §13.2, §9.1, §22.2. */
#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"

#include "base/buf.h"
#include "base/config.h"
#include "base/log.h"
#include "io/addr.h"
#include "proto/digest.h"
#include "proto/sip_msg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FINAL_MS       32000 /* from CANCEL to the final answer (RFC 3261 §9.1) */
#define HEADER_BYTES   32768
#define CHALLENGES_MAX 8
#define REDIRECTS_MAX  5

static const char *const transports[] = {
	[RESOLVER_UDP] = "udp", [RESOLVER_TCP] = "tcp", [RESOLVER_TLS] = "tls"
};

static void *ops_arg(const struct leg *leg)
{
	return leg->world->w;
}

/* The answer will never come, or nobody waits for it. */
static void close_invite(struct leg *leg)
{
	struct leg_outbound *o = leg->outbound;

	o->open = false;
	leg->world->ops->timer_stop(ops_arg(leg), o->timer);
}

/* -- sending */

static void on_sent(void *arg, int r)
{
	struct leg *leg = arg;

	if (r == 0 || !leg->outbound->open || leg->outbound->provisional)
		return;
	close_invite(leg);
	if (leg->state == LEG_ENDED)
		leg_release(leg);
	else
		leg_outbound_next(leg, LEG_END_UNREACHABLE, 0);
}

static void add_headers(const struct leg *leg, struct buf *b)
{
	const struct leg_outbound *o = leg->outbound;

	buf_addf(b,
		 "From: %s\r\nTo: <%s>\r\nCall-ID: %s\r\nCSeq: %u INVITE\r\nMax-Forwards: 70\r\n",
		 leg->local, o->to, leg->call_id, o->cseq);
	leg_add_contact(leg, b);
	buf_addf(b,
		 "Allow: " LEG_ALLOW "\r\nSupported: timer\r\nUser-Agent: Hookswitch\r\n"
		 "X-Twilio-AccountSid: %s\r\nX-Twilio-CallSid: %s\r\n"
		 "X-Twilio-ApiVersion: 2010-04-01\r\n%s%sContent-Type: application/sdp\r\n",
		 o->account_sid, o->shown_sid, o->target.headers,
		 o->authorization ? o->authorization : "");
	/* Kamailio takes it out, and sends on no other. */
	if (o->connection)
		buf_addf(b, "X-Hookswitch-Connection: %d\r\n", o->connection);
}

/* The target that is tried; our Contact follows its transport. */
static int format_hop(struct leg *leg, char *ret, size_t size)
{
	const struct resolver_target *t = &leg->outbound->targets[leg->outbound->next_target - 1];
	const struct sockaddr *address = (const struct sockaddr *)&t->address;
	char ip[ADDR_SIZE], *proto = strdup(transports[t->transport]);

	if (!proto)
		return -ENOMEM;
	free(leg->proto);
	leg->proto = proto;
	addr_format(ip, sizeof(ip), address);
	snprintf(ret, size, "sip:%s:%u;transport=%s", ip, addr_port(address), proto);
	return 0;
}

int leg_outbound_send(struct leg *leg)
{
	struct leg_outbound *o = leg->outbound;
	char hop[160];
	struct sip_out out = { .method = "INVITE",
			       .ruri = o->ruri ? o->ruri : o->target.uri,
			       .next_hop = leg->next_hop ? leg->next_hop : hop,
			       .socket = *leg->socket ? leg->socket : NULL };
	struct buf b;
	int r = leg->next_hop ? 0 : format_hop(leg, hop, sizeof(hop));

	if (r < 0)
		return r;
	o->cseq = ++leg->local_cseq;
	o->provisional = false;
	/* What Kamailio may still say of the one before is not of this one. */
	leg->world->ops->sip_forget(ops_arg(leg), leg);
	buf_init(&b, HEADER_BYTES);
	add_headers(leg, &b);
	out.headers = b.data;
	out.body = leg->sent_sdp;
	r = b.error ? b.error : leg->world->ops->sip_request(ops_arg(leg), &out, on_sent, leg);
	buf_done(&b);
	if (r < 0)
		return r;
	o->open = true;
	leg->world->ops->timer_start(ops_arg(leg), o->timer, LEG_NO_REPLY_MS);
	return 0;
}

void leg_outbound_next(struct leg *leg, enum leg_end why, int code)
{
	struct leg_outbound *o = leg->outbound;

	/* A challenge is of the server that sent it. */
	free(o->authorization);
	o->authorization = NULL;
	while (o->next_target < o->n_targets) {
		o->next_target++;
		if (leg_tls_reach(leg) == 0)
			return;
	}
	leg_end(leg, why, code);
}

void leg_outbound_offered(struct leg *leg, int r, const char *sdp)
{
	if (r == 0 && !(leg->sent_sdp = strdup(sdp)))
		r = -ENOMEM;
	if (r < 0)
		leg_end(leg, LEG_END_MEDIA_FAILURE, 0);
	else
		leg_outbound_next(leg, LEG_END_UNREACHABLE, 0);
}

static void on_resolved(void *arg, int r, const struct resolver_target *targets, unsigned n)
{
	struct leg *leg = arg;
	struct leg_outbound *o = leg->outbound;

	o->query = NULL;
	o->targets = calloc(n ? n : 1, sizeof(*targets));
	for (unsigned i = 0; o->targets && i < n; i++)
		if (leg->world->config->sip_private_targets ||
		    !addr_is_private((const struct sockaddr *)&targets[i].address))
			o->targets[o->n_targets++] = targets[i];
	if (!o->n_targets) {
		log_info("%s: %s: %s", leg->call_sid, o->target.host,
			 n ? "only private addresses" : strerror(-r));
		if (o->redirects)
			leg_end(leg, LEG_END_REFUSED, o->redirect_code);
		else
			leg_end(leg, LEG_END_UNREACHABLE, 0);
	} else if (leg->sent_sdp) {
		leg_outbound_next(leg, LEG_END_UNREACHABLE, 0);
	} else if (leg_media_offer(leg) < 0) {
		leg_end(leg, LEG_END_MEDIA_FAILURE, 0);
	}
}

static enum resolver_transport transport_of(const struct sip_target *t)
{
	static const enum resolver_transport as[] = {
		[SIP_UDP] = RESOLVER_UDP, [SIP_TCP] = RESOLVER_TCP, [SIP_TLS] = RESOLVER_TLS
	};

	return t->transport_said ? as[t->transport] : RESOLVER_ANY;
}

/* Where the target is; on_resolved follows. */
static int look_up(struct leg *leg)
{
	const struct sip_target *t = &leg->outbound->target;
	const struct resolver_request where = { .host = t->host,
						.port = t->port,
						.transport = transport_of(t) };

	return leg->world->ops->resolve(ops_arg(leg), &leg->outbound->query, &where, on_resolved,
					leg);
}

/* -- CANCEL */

static void send_cancel(struct leg *leg)
{
	struct leg_outbound *o = leg->outbound;

	o->cancelled = true;
	leg->world->ops->sip_cancel(ops_arg(leg), leg->call_id, o->cseq);
	leg->world->ops->timer_start(ops_arg(leg), o->timer, FINAL_MS);
}

void leg_outbound_cancel(struct leg *leg)
{
	struct leg_outbound *o = leg->outbound;

	if (o->query)
		leg->world->ops->resolve_cancel(ops_arg(leg), o->query);
	o->query = NULL;
	if (o->connecting)
		leg->world->ops->timer_stop(ops_arg(leg), o->timer);
	o->connecting = false;
	o->cancel = true;
	if (!o->open || o->cancelled)
		return;
	/* RFC 3261 §9.1: not before a provisional came; one may still be on its way. */
	if (o->provisional)
		send_cancel(leg);
}

static void on_timer(void *arg)
{
	struct leg *leg = arg;
	struct leg_outbound *o = leg->outbound;

	if (o->connecting) {
		o->connecting = false;
		log_info("%s: no answer over TLS from %s", leg->call_sid, o->target.host);
		leg_outbound_next(leg, LEG_END_UNREACHABLE, 408);
		return;
	}
	if (!o->open)
		return;
	/* Kamailio need not repeat it any longer. */
	if (!o->provisional)
		leg->world->ops->sip_cancel(ops_arg(leg), leg->call_id, o->cseq);
	if (leg->state != LEG_ENDED && o->next_target < o->n_targets) {
		close_invite(leg);
		leg_outbound_next(leg, LEG_END_UNREACHABLE, 408);
	} else if (!o->provisional && !o->overdue) {
		/* It may have arrived all the same: whoever still rings is cancelled, whoever
		 * answers hung up. */
		o->overdue = true;
		leg->world->ops->timer_start(ops_arg(leg), o->timer, FINAL_MS);
		leg_end(leg, LEG_END_UNREACHABLE, 408);
	} else {
		close_invite(leg);
		leg_release(leg);
	}
}

/* -- answers */

static void on_provisional(struct leg *leg, const struct sip_msg *msg)
{
	struct leg_outbound *o = leg->outbound;
	enum leg_end why;
	char *sdp;

	if (!o->open)
		return;
	if (!o->provisional && !o->cancelled)
		leg->world->ops->timer_stop(ops_arg(leg), o->timer);
	o->provisional = true;
	if (o->cancel && !o->cancelled)
		send_cancel(leg);
	if (msg->status < 180 || o->cancel || !leg_set(leg, LEG_EV_ALERT))
		return;
	if (!o->rang && leg->events)
		leg->events->ringing(leg->arg);
	o->rang = true;
	if (o->early_media && leg->state == LEG_ALERTING && msg->body_len) {
		sdp = leg_take_answer(leg, msg, &why);
		if (sdp)
			leg_media_early(leg, sdp);
		free(sdp);
	}
}

void leg_outbound_tell(struct leg *leg, const struct sip_msg *msg)
{
	if (leg->outbound && leg->events && leg->events->heard)
		leg->events->heard(leg->arg, msg);
}

/* The dialog as its UAC: RFC 3261 §12.1.2. */
static int fill_dialog(struct leg *leg, const struct sip_msg *msg, const char *source)
{
	struct leg_outbound *o = leg->outbound;

	/* Keys go where the INVITE went, whose certificate was looked at. */
	if (leg->security == LEG_SRTP && source && !leg->next_hop)
		leg->next_hop = strdup(source);
	free(leg->route_set);
	free(leg->target);
	free(leg->remote);
	leg->target = strdup(msg->contact_uri ? msg->contact_uri : o->target.uri);
	leg->route_set = sip_msg_route_set(msg, true);
	o->party_tag = strdup(msg->to_tag ? msg->to_tag : "");
	/* A party of RFC 2543 has no tag (RFC 3261 §12.1.2). */
	if (asprintf(&leg->remote, "<%s>%s%s", o->to, msg->to_tag ? ";tag=" : "",
		     msg->to_tag ? msg->to_tag : "") < 0)
		leg->remote = NULL;
	leg->peer_update = sip_msg_lists(msg, "Allow", "UPDATE");
	return leg->target && leg->route_set && leg->remote && o->party_tag ? 0 : -ENOMEM;
}

static void on_answer(struct leg *leg, const struct sip_msg *msg, const char *source)
{
	struct leg_outbound *o = leg->outbound;
	enum leg_end why;
	char *sdp;

	if (o->party_tag || msg->cseq != o->cseq) {
		/* Another branch answered too (RFC 3261 §13.2.2.4). */
		if (!o->party_tag || strcmp(o->party_tag, msg->to_tag ? msg->to_tag : ""))
			leg_send_stray_bye(leg->world, msg, source);
		return;
	}
	close_invite(leg);
	if (fill_dialog(leg, msg, source) < 0) {
		leg_end(leg, LEG_END_TRANSPORT, 0);
		return;
	}
	leg->invite_replied = true;
	leg->invite_code = msg->status;
	if (!leg_set(leg, LEG_EV_TAKEN)) {
		leg_send(leg, "BYE", LEG_REASON_NORMAL, NULL); /* it crossed our CANCEL */
		return;
	}
	leg_session_answered(leg, "INVITE", msg);
	leg_outbound_tell(leg, msg);
	sdp = leg_take_answer(leg, msg, &why);
	if (sdp)
		leg_media_answer(leg, sdp);
	else
		leg_end(leg, why, 200);
	free(sdp);
}

/* True when the INVITE is out again with the answer to a challenge. */
static bool authorize(struct leg *leg, const struct sip_msg *msg)
{
	struct leg_outbound *o = leg->outbound;
	const char *challenges[CHALLENGES_MAX], *asks, *answers;
	size_t n = 0;
	char *value;
	int r;

	if (!o->username || o->authorization || (msg->status != 401 && msg->status != 407))
		return false;
	asks = msg->status == 401 ? "WWW-Authenticate" : "Proxy-Authenticate";
	answers = msg->status == 401 ? "Authorization" : "Proxy-Authorization";
	for (size_t i = 0; i < msg->n_headers && n < CHALLENGES_MAX; i++)
		if (!strcasecmp(msg->headers[i].name, asks))
			challenges[n++] = msg->headers[i].value;
	value = digest_authorization(challenges, n, "INVITE", o->ruri ? o->ruri : o->target.uri,
				     o->username, o->password, NULL);
	if (!value)
		return false;
	r = asprintf(&o->authorization, "%s: %s\r\n", answers, value);
	free(value);
	if (r < 0) {
		o->authorization = NULL;
		return false;
	}
	return leg_outbound_send(leg) == 0;
}

/*
 * RFC 3261 §8.1.3.4: the first Contact of a 3xx, with the headers and the media of before. Not for
 * registered phones, which are where they registered; not to SIP domains of this platform, nor
 * where the account may not call; a secure call by TLS alone; some times only. True: it is being
 * looked up.
 */
static bool redirect(struct leg *leg, const struct sip_msg *msg)
{
	struct leg_outbound *o = leg->outbound;
	struct sip_target_error error = { .leave_out = true };
	struct sip_target next;

	if (msg->status < 300 || msg->status > 399 || !msg->contact_uri || leg->next_hop ||
	    o->redirects == REDIRECTS_MAX ||
	    (strncasecmp(msg->contact_uri, "sip:", 4) &&
	     strncasecmp(msg->contact_uri, "sips:", 5)) ||
	    sip_target_parse(&next, msg->contact_uri, &error) < 0)
		return false;
	if (sip_host_is_below(next.host, leg->world->config->sip_domain) ||
	    (o->one_host && strcasecmp(next.host, o->target.host) != 0) ||
	    (leg->security == LEG_SRTP && next.transport != SIP_TLS)) {
		sip_target_done(&next);
		return false;
	}
	log_info("%s: redirected to %s", leg->call_sid, next.uri);
	free(next.headers);
	next.headers = o->target.headers;
	o->target.headers = NULL;
	sip_target_done(&o->target);
	o->target = next;
	free(o->targets);
	o->targets = NULL;
	o->n_targets = o->next_target = 0;
	o->redirects++;
	o->redirect_code = msg->status;
	return look_up(leg) == 0;
}

static void on_refusal(struct leg *leg, const struct sip_msg *msg)
{
	struct leg_outbound *o = leg->outbound;

	if (msg->cseq != o->cseq || !o->open)
		return;
	close_invite(leg);
	if (leg->state == LEG_ENDED) {
		leg_release(leg);
		return;
	}
	if (authorize(leg, msg))
		return;
	if (redirect(leg, msg))
		return;
	leg_outbound_tell(leg, msg);
	/* RFC 3263 §4.3: another address may do better. */
	if (msg->status == 503)
		leg_outbound_next(leg, LEG_END_REFUSED, 503);
	else
		leg_end(leg, LEG_END_REFUSED, msg->status);
}

void leg_outbound_response(struct leg *leg, const struct sip_msg *msg, const char *source)
{
	if (msg->status < 200 && msg->cseq == leg->outbound->cseq)
		on_provisional(leg, msg);
	else if (msg->status < 200) /* of an address that was given up: it rings for nobody */
		leg->world->ops->sip_cancel(ops_arg(leg), leg->call_id, msg->cseq);
	else if (msg->status >= 300)
		on_refusal(leg, msg);
	else if (msg->status >= 200)
		on_answer(leg, msg, source);
}

int leg_outbound_resume(struct leg *leg, const char *to, const char *party_tag, unsigned cseq)
{
	struct leg_outbound *o = calloc(1, sizeof(*o));

	leg->outbound = o;
	if (!o || !to || !party_tag)
		return o ? -EINVAL : -ENOMEM;
	o->to = strdup(to);
	o->party_tag = strdup(party_tag);
	o->cseq = cseq;
	o->timer = leg->world->ops->timer_new(ops_arg(leg), on_timer, leg);
	return o->to && o->party_tag && o->timer ? 0 : -ENOMEM;
}

bool leg_outbound_has_tag(const struct leg *leg, const char *party_tag)
{
	const char *tag = leg->outbound->party_tag;

	return tag && !strcmp(tag, party_tag ? party_tag : "");
}

/* -- birth and end */

static int copy_target(struct sip_target *ret, const struct sip_target *t)
{
	*ret = *t;
	ret->uri = strdup(t->uri);
	ret->user = strdup(t->user);
	ret->host = strdup(t->host);
	ret->headers = strdup(t->headers);
	return ret->uri && ret->user && ret->host && ret->headers ? 0 : -ENOMEM;
}

static int fill(struct leg *leg, const struct leg_call *call)
{
	struct leg_outbound *o = leg->outbound;
	char id[33];

	leg_make_tag(leg);
	random_hex(id, 32);
	if (asprintf(&leg->call_id, "%s@%s", id, leg->world->config->public_ip) < 0)
		leg->call_id = NULL;
	if (asprintf(&leg->key, "%s\n", leg->call_id ? leg->call_id : "") < 0)
		leg->key = NULL;
	if (asprintf(&leg->local, "<sip:%s@%s>;tag=%s", call->from_user, call->from_host,
		     leg->local_tag) < 0)
		leg->local = NULL;
	leg->route_set = strdup("");
	leg->socket = strdup(call->next_hop ? call->socket : "");
	leg->next_hop = call->next_hop ? strdup(call->next_hop) : NULL;
	o->ruri = call->next_hop ? strdup(call->ruri) : NULL;
	leg->proto =
		call->next_hop ? strndup(call->socket, strcspn(call->socket, ":")) : strdup("");
	snprintf(o->shown_sid, sizeof(o->shown_sid), "%s", call->shown_sid);
	o->early_media = call->early_media;
	o->one_host = call->one_host;
	o->to = strdup(call->target->uri);
	leg->dtmf_pt = call->dtmf_pt;
	leg->security = call->target->secure ? LEG_SRTP : LEG_RTP;
	leg->suite = !call->target->secure				   ? NULL
		     : call->target->dtls && leg->world->config->srtp_dtls ? SDP_DTLS
									   : SDP_SUITE_80;
	o->account_sid = strdup(call->account_sid);
	o->username = call->username ? strdup(call->username) : NULL;
	o->password = call->username ? strdup(call->password ? call->password : "") : NULL;
	o->timer = leg->world->ops->timer_new(ops_arg(leg), on_timer, leg);
	return copy_target(&o->target, call->target) == 0 && leg->call_id && leg->key &&
			       leg->local && leg->route_set && leg->socket && leg->proto &&
			       o->account_sid && o->timer && o->to &&
			       (!call->username || (o->username && o->password)) &&
			       (!call->next_hop || (leg->next_hop && o->ruri))
		       ? 0
		       : -ENOMEM;
}

static int call_known_place(struct leg *leg)
{
	leg->outbound->n_targets = 1;
	return leg_media_offer(leg);
}

int leg_new_outbound(struct leg **ret, struct world *world, struct legs *legs, const char *call_sid,
		     const struct leg_call *call, const struct leg_events *events, void *arg)
{
	struct leg *leg = leg_alloc(world, legs, call_sid, call->beside);
	int r = -ENOMEM;

	if (!leg)
		return r;
	leg->outbound = calloc(1, sizeof(*leg->outbound));
	if (leg->outbound && fill(leg, call) == 0)
		r = leg->next_hop ? call_known_place(leg) : look_up(leg);
	if (r < 0) {
		leg_destroy(leg);
		return r;
	}
	leg_set(leg, LEG_EV_CALL);
	leg->events = events;
	leg->arg = arg;
	legs_add(legs, leg);
	*ret = leg;
	return 0;
}

void leg_outbound_free(struct leg *leg)
{
	struct leg_outbound *o = leg->outbound;

	if (!o)
		return;
	if (o->query)
		leg->world->ops->resolve_cancel(ops_arg(leg), o->query);
	if (o->timer)
		leg->world->ops->timer_free(ops_arg(leg), o->timer);
	sip_target_done(&o->target);
	free(o->account_sid);
	free(o->username);
	free(o->ruri);
	free(o->to);
	free(o->password);
	free(o->targets);
	free(o->authorization);
	free(o->party_tag);
	free(o);
	leg->outbound = NULL;
}
