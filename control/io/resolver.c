#include "io/resolver.h"

#include "io/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct resolver_query {
	struct loop_lookup *lookup; /* NULL: an IP literal */
	struct loop_timer *timer;   /* the time limit; of an IP literal its completion */
	unsigned port;
	resolver_done_fn *done;
	void *arg;
	struct sockaddr_storage addresses[RESOLVER_ADDRESSES_MAX];
	unsigned n;
};

static void query_free(struct resolver_query *q)
{
	loop_timer_free(q->timer);
	free(q);
}

static void complete(struct resolver_query *q, int r)
{
	struct resolver_query own = *q;

	query_free(q);
	own.done(own.arg, r, own.addresses, own.n);
}

static bool add_v4(struct resolver_query *q, const void *address)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&q->addresses[q->n++];

	sin->sin_family = AF_INET;
	sin->sin_port = htons((uint16_t)q->port);
	memcpy(&sin->sin_addr, address, sizeof(sin->sin_addr));
	return true;
}

static bool add_v6(struct resolver_query *q, const void *address, uint32_t scope_id)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&q->addresses[q->n++];

	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons((uint16_t)q->port);
	sin6->sin6_scope_id = scope_id;
	memcpy(&sin6->sin6_addr, address, sizeof(sin6->sin6_addr));
	return true;
}

static void on_lookup(void *arg, int r, const struct addrinfo *list)
{
	struct resolver_query *q = arg;

	for (; list && q->n < RESOLVER_ADDRESSES_MAX; list = list->ai_next) {
		if (list->ai_family == AF_INET) {
			add_v4(q, &((const struct sockaddr_in *)list->ai_addr)->sin_addr);
		} else if (list->ai_family == AF_INET6) {
			const struct sockaddr_in6 *sin6 =
				(const struct sockaddr_in6 *)list->ai_addr;

			add_v6(q, &sin6->sin6_addr, sin6->sin6_scope_id);
		}
	}
	complete(q, r == 0 && !q->n ? -ENOENT : r);
}

static void on_timer(void *arg)
{
	struct resolver_query *q = arg;

	loop_lookup_cancel(q->lookup);
	complete(q, q->n ? 0 : -ETIMEDOUT);
}

/* True when host is an IP literal, which is then q's one address. */
static bool take_literal(struct resolver_query *q, const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, host, address) == 1)
		return add_v4(q, address);
	return inet_pton(AF_INET6, host, address) == 1 && add_v6(q, address, 0);
}

int resolver_start(struct resolver_query **ret, struct loop *loop, const char *host, unsigned port,
		   resolver_done_fn *done, void *arg)
{
	struct resolver_query *q;
	int r = 0;

	if (!*host || !port || port > UINT16_MAX)
		return -EINVAL;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->port = port;
	q->done = done;
	q->arg = arg;
	q->timer = loop_timer_new(loop, on_timer, q);
	if (!q->timer) {
		free(q);
		return -ENOMEM;
	}
	if (!take_literal(q, host))
		r = loop_lookup_start(&q->lookup, loop, host, on_lookup, q);
	if (r < 0) {
		query_free(q);
		return r;
	}
	loop_timer_start(q->timer, q->lookup ? RESOLVER_TIMEOUT_MS : 0);
	*ret = q;
	return 0;
}

void resolver_cancel(struct resolver_query *q)
{
	if (!q)
		return;
	loop_lookup_cancel(q->lookup);
	query_free(q);
}
