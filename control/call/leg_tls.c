/* An INVITE of ours over TLS goes out when its server's certificate was looked at (docs/tls.md). */
#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"

#include "base/config.h"
#include "base/log.h"
#include "io/addr.h"

#include <stdio.h>
#include <string.h>

int leg_tls_reach(struct leg *leg)
{
	struct leg_outbound *o = leg->outbound;
	const struct resolver_target *t;
	char address[ADDR_SIZE + 10], ip[ADDR_SIZE], id[128];
	bool v6;
	int r;

	o->connection = 0;
	if (leg->next_hop || !strcmp(leg->world->config->sip_tls_verify, "off"))
		return leg_outbound_send(leg);
	t = &o->targets[o->next_target - 1];
	if (t->transport != RESOLVER_TLS)
		return leg_outbound_send(leg);
	addr_format(ip, sizeof(ip), (const struct sockaddr *)&t->address);
	v6 = strchr(ip, ':') && *ip != '[';
	snprintf(address, sizeof(address), "%s%s%s:%u", v6 ? "[" : "", ip, v6 ? "]" : "",
		 addr_port((const struct sockaddr *)&t->address));
	/* What the one before may still come to is not of this one. */
	snprintf(id, sizeof(id), "%s.%u", leg->call_id, ++o->connects);
	r = leg->world->ops->tls_connect(leg->world->w, id, address, o->target.host);
	if (r < 0)
		return r;
	o->connecting = true;
	leg->world->ops->timer_start(leg->world->w, o->timer, LEG_NO_REPLY_MS);
	return 0;
}

void leg_tls_peer(struct leg *leg, unsigned connect, const struct tls_peer *peer)
{
	struct leg_outbound *o = leg->outbound;
	bool known, refuse = !strcmp(leg->world->config->sip_tls_verify, "on");
	char message[400];

	if (!o->connecting || connect != o->connects)
		return;
	o->connecting = false;
	leg->world->ops->timer_stop(leg->world->w, o->timer);
	known = tls_peer_is(peer, o->target.host);
	if (!peer->trusted || !known) {
		snprintf(message, sizeof(message), "TLS to %.253s: the certificate %s",
			 o->target.host,
			 known ? "is of nobody that SIP_TLS_CA trusts, or not valid now"
			       : "does not name this host");
		log_warn("%s: %s", leg->call_sid, message);
		if (leg->events && leg->events->warned)
			leg->events->warned(leg->arg, known ? 11237 : 11235, message);
		if (refuse) {
			leg_outbound_next(leg, LEG_END_UNREACHABLE, 0);
			return;
		}
	}
	if (refuse)
		o->connection = peer->connection;
	if (leg_outbound_send(leg) < 0)
		leg_outbound_next(leg, LEG_END_UNREACHABLE, 0);
}
