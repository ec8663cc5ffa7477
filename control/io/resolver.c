#include "io/resolver.h"

#include "io/dns.h"
#include "io/loop.h"
#include "io/srv_order.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX     253 /* RFC 1035 §2.3.4 */
#define OWN_MAX	     2	 /* SRV names that the host's name makes */
#define NAMED_MAX    4	 /* SRV names that NAPTR records name */
#define HOSTS_MAX    16	 /* different targets of SRV records that are looked up */
#define TARGETS_MAX  32	 /* of SRV records */
#define PORT_DEFAULT 5060
#define PORT_TLS     5061

/* One question, and what came of it. */
struct ask {
	struct resolver_query *q;
	struct dns_question *question; /* NULL: answered, or never asked */
	struct dns_answer *answer;
	int r; /* without an answer: why */
};

struct service { /* the SRV records of a name */
	char name[DNS_NAME_SIZE + 12];
	enum resolver_transport transport;
	struct ask ask;
};

struct host {
	char name[DNS_NAME_SIZE];
	struct ask ask;
};

struct srv_target {
	unsigned host;
	uint16_t port;
	enum resolver_transport transport;
};

struct resolver {
	struct loop *loop;
	struct dns *dns;
};

struct resolver_query {
	struct resolver *resolver;
	struct loop_timer *timer; /* the time limit; of an IP literal its completion */
	bool over;		  /* it is reached */
	enum resolver_transport transport;
	unsigned port;
	resolver_done_fn *done;
	void *arg;
	struct host self; /* the host of the request */
	struct ask naptr;
	bool naptr_read;
	struct service own[OWN_MAX], named[NAMED_MAX];
	unsigned n_own, n_named;
	bool chosen; /* hosts and targets are those of the SRV records that count */
	struct host hosts[HOSTS_MAX];
	struct srv_target targets[TARGETS_MAX];
	unsigned n_hosts, n_targets;
	struct resolver_target found[RESOLVER_TARGETS_MAX];
	unsigned n_found;
};

static void ask_done(struct ask *ask)
{
	dns_cancel(ask->question);
	free(ask->answer);
}

static void query_free(struct resolver_query *q)
{
	ask_done(&q->self.ask);
	ask_done(&q->naptr);
	for (unsigned i = 0; i < q->n_own; i++)
		ask_done(&q->own[i].ask);
	for (unsigned i = 0; i < q->n_named; i++)
		ask_done(&q->named[i].ask);
	for (unsigned i = 0; i < q->n_hosts; i++)
		ask_done(&q->hosts[i].ask);
	loop_timer_free(q->timer);
	free(q);
}

static void step(struct resolver_query *q);

static void on_answer(void *arg, int r, struct dns_answer *answer)
{
	struct ask *ask = arg;

	ask->question = NULL;
	ask->r = r;
	ask->answer = answer;
	step(ask->q);
}

static void ask_start(struct resolver_query *q, struct ask *ask, enum dns_kind kind,
		      const char *name)
{
	ask->q = q;
	ask->r = dns_ask(&ask->question, q->resolver->dns, kind, name, on_answer, ask);
}

/* At the time limit nothing is waited for. */
static bool waits(const struct resolver_query *q, const struct ask *ask)
{
	return ask->question && !q->over;
}

/* -- what was found */

static void complete(struct resolver_query *q, int r)
{
	struct resolver_target found[RESOLVER_TARGETS_MAX];
	resolver_done_fn *done = q->done;
	unsigned n = q->n_found;
	void *arg = q->arg;

	memcpy(found, q->found, n * sizeof(*found));
	query_free(q);
	done(arg, n ? 0 : r, found, n);
}

static void add_target(struct resolver_query *q, const struct sockaddr_storage *address,
		       unsigned port, enum resolver_transport transport)
{
	struct resolver_target t = { .address = *address, .transport = transport };

	if (t.address.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&t.address)->sin6_port = htons((uint16_t)port);
	else
		((struct sockaddr_in *)&t.address)->sin_port = htons((uint16_t)port);
	/* Several names may mean one host: it is not tried twice. */
	for (unsigned i = 0; i < q->n_found; i++)
		if (q->found[i].transport == transport &&
		    !memcmp(&q->found[i].address, &t.address, sizeof(t.address)))
			return;
	if (q->n_found < RESOLVER_TARGETS_MAX)
		q->found[q->n_found++] = t;
}

/* Returns why there are no addresses, 0 when there are. */
static int add_addresses(struct resolver_query *q, const struct ask *ask, unsigned port,
			 enum resolver_transport transport)
{
	if (ask->question)
		return -ETIMEDOUT;
	if (!ask->answer)
		return ask->r;
	for (unsigned i = 0; i < ask->answer->n; i++)
		add_target(q, &ask->answer->addresses[i], port, transport);
	return 0;
}

static enum resolver_transport transport_of(const struct resolver_query *q)
{
	return q->transport == RESOLVER_ANY ? RESOLVER_UDP : q->transport;
}

static unsigned port_of(const struct resolver_query *q)
{
	return q->port ? q->port : q->transport == RESOLVER_TLS ? PORT_TLS : PORT_DEFAULT;
}

/* -- SRV records */

static bool add_host(struct resolver_query *q, const char *name, unsigned *ret)
{
	unsigned i;

	for (i = 0; i < q->n_hosts; i++)
		if (!strcasecmp(q->hosts[i].name, name))
			break;
	if (i == HOSTS_MAX)
		return false;
	if (i == q->n_hosts) {
		snprintf(q->hosts[i].name, sizeof(q->hosts[i].name), "%s", name);
		q->n_hosts++;
	}
	*ret = i;
	return true;
}

static void add_service(struct resolver_query *q, const struct service *s)
{
	struct dns_answer *a = s->ask.answer;

	srv_order(a->srv, a->n, arc4random_uniform);
	for (unsigned i = 0; i < a->n && q->n_targets < TARGETS_MAX; i++) {
		struct srv_target *t = &q->targets[q->n_targets];

		/* RFC 2782: "." is no host, and the service not there. */
		if (!*a->srv[i].target || !a->srv[i].port ||
		    !add_host(q, a->srv[i].target, &t->host))
			continue;
		t->port = a->srv[i].port;
		t->transport = s->transport;
		q->n_targets++;
	}
}

/* True when these services' records count. *ret_wait: that is not known yet. */
static bool choose(struct resolver_query *q, struct service *list, unsigned n, bool *ret_wait)
{
	bool any = false;

	for (unsigned i = 0; i < n; i++) {
		*ret_wait = *ret_wait || waits(q, &list[i].ask);
		any = any || list[i].ask.answer;
	}
	if (*ret_wait || !any)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (list[i].ask.answer)
			add_service(q, &list[i]);
	for (unsigned i = 0; i < q->n_hosts; i++)
		ask_start(q, &q->hosts[i].ask, DNS_ADDRESSES, q->hosts[i].name);
	q->chosen = true;
	return true;
}

static void finish_srv(struct resolver_query *q)
{
	int r = -ENOENT;

	for (unsigned i = 0; i < q->n_hosts; i++)
		if (waits(q, &q->hosts[i].ask))
			return;
	for (unsigned i = 0; i < q->n_targets; i++) {
		const struct srv_target *t = &q->targets[i];
		int why = add_addresses(q, &q->hosts[t->host].ask, t->port, t->transport);

		if (why < 0 && why != -ENOENT)
			r = why;
	}
	complete(q, r);
}

static void ask_service(struct resolver_query *q, struct service *s,
			enum resolver_transport transport)
{
	s->transport = transport;
	ask_start(q, &s->ask, DNS_SRV, s->name);
}

static void add_own(struct resolver_query *q, const char *prefix, enum resolver_transport transport)
{
	struct service *s = &q->own[q->n_own++];

	snprintf(s->name, sizeof(s->name), "%s.%s", prefix, q->self.name);
	ask_service(q, s, transport);
}

/* -- NAPTR records */

static int compare_naptr(const void *a, const void *b)
{
	const struct dns_naptr *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return (x->preference > y->preference) - (x->preference < y->preference);
}

/* RFC 3263 §4.1: those that lead to SRV records of a transport of ours. */
static bool naptr_transport(const struct dns_naptr *naptr, enum resolver_transport *ret)
{
	if (strcasecmp(naptr->flags, "s") || naptr->regexp || !*naptr->replacement)
		return false;
	*ret = strcasecmp(naptr->services, "SIP+D2T") ? RESOLVER_UDP : RESOLVER_TCP;
	return *ret == RESOLVER_TCP || !strcasecmp(naptr->services, "SIP+D2U");
}

static void read_naptr(struct resolver_query *q)
{
	struct dns_answer *a = q->naptr.answer;
	enum resolver_transport transport;

	q->naptr_read = true;
	if (!a)
		return;
	qsort(a->naptr, a->n, sizeof(a->naptr[0]), compare_naptr);
	for (unsigned i = 0; i < a->n && q->n_named < NAMED_MAX; i++) {
		struct service *s = &q->named[q->n_named];

		if (!naptr_transport(&a->naptr[i], &transport))
			continue;
		snprintf(s->name, sizeof(s->name), "%s", a->naptr[i].replacement);
		q->n_named++;
		ask_service(q, s, transport);
	}
}

/* -- the query */

/*
 * All that the host's name alone gives was asked at once; here it counts in the order of RFC 3263.
 * Runs at each answer, and at the time limit.
 */
static void step(struct resolver_query *q)
{
	bool wait = false;
	int r;

	if (q->chosen) {
		finish_srv(q);
		return;
	}
	if (waits(q, &q->naptr))
		return;
	if (!q->naptr_read)
		read_naptr(q);
	if (choose(q, q->named, q->n_named, &wait) ||
	    (!wait && choose(q, q->own, q->n_own, &wait))) {
		finish_srv(q);
		return;
	}
	if (wait || waits(q, &q->self.ask))
		return;
	r = add_addresses(q, &q->self.ask, port_of(q), transport_of(q));
	complete(q, r);
}

static void on_timer(void *arg)
{
	struct resolver_query *q = arg;

	q->over = true;
	if (q->n_found)
		complete(q, 0);
	else
		step(q);
}

/* True when host is an IP literal, which is then q's one target. */
static bool take_literal(struct resolver_query *q)
{
	struct sockaddr_storage address = { 0 };
	struct sockaddr_in *sin = (struct sockaddr_in *)&address;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&address;

	if (inet_pton(AF_INET, q->self.name, &sin->sin_addr) == 1)
		address.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, q->self.name, &sin6->sin6_addr) == 1)
		address.ss_family = AF_INET6;
	else
		return false;
	add_target(q, &address, port_of(q), transport_of(q));
	return true;
}

static void ask_all(struct resolver_query *q)
{
	ask_start(q, &q->self.ask, DNS_ADDRESSES, q->self.name);
	if (q->port || dns_in_hosts(q->resolver->dns, q->self.name))
		return;
	switch (q->transport) {
	case RESOLVER_UDP:
		add_own(q, "_sip._udp", RESOLVER_UDP);
		break;
	case RESOLVER_TCP:
		add_own(q, "_sip._tcp", RESOLVER_TCP);
		break;
	case RESOLVER_TLS:
		add_own(q, "_sips._tcp", RESOLVER_TLS);
		break;
	case RESOLVER_ANY:
		ask_start(q, &q->naptr, DNS_NAPTR, q->self.name);
		add_own(q, "_sip._udp", RESOLVER_UDP);
		add_own(q, "_sip._tcp", RESOLVER_TCP);
		break;
	}
}

int resolver_start(struct resolver_query **ret, struct resolver *resolver,
		   const struct resolver_request *request, resolver_done_fn *done, void *arg)
{
	size_t len = strlen(request->host);
	struct resolver_query *q;

	if (!len || len > HOST_MAX + 1u || request->port > UINT16_MAX)
		return -EINVAL;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->resolver = resolver;
	q->transport = request->transport;
	q->port = request->port;
	q->done = done;
	q->arg = arg;
	memcpy(q->self.name, request->host, len);
	q->timer = loop_timer_new(resolver->loop, on_timer, q);
	if (!q->timer) {
		free(q);
		return -ENOMEM;
	}
	if (take_literal(q)) {
		loop_timer_start(q->timer, 0);
	} else {
		ask_all(q);
		if (!q->self.ask.question) {
			int r = q->self.ask.r;

			query_free(q);
			return r;
		}
		loop_timer_start(q->timer, RESOLVER_TIMEOUT_MS);
	}
	*ret = q;
	return 0;
}

void resolver_cancel(struct resolver_query *q)
{
	if (q)
		query_free(q);
}

struct resolver *resolver_new(struct loop *loop, const char *servers, const char *hosts)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	if (!resolver)
		return NULL;
	resolver->loop = loop;
	resolver->dns = dns_new(loop, servers, hosts);
	if (!resolver->dns) {
		free(resolver);
		return NULL;
	}
	return resolver;
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	dns_free(resolver->dns);
	free(resolver);
}
