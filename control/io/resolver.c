#include "io/resolver.h"

#include "io/loop.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESSES_MAX 16

struct resolver_query {
	struct loop_lookup *lookup;
	resolver_done_fn *done;
	void *arg;
};

static int error_of(int r)
{
	switch (r) {
	case 0:
	case EAI_NONAME:
	case EAI_NODATA:
		return -ENOENT;
	case EAI_MEMORY:
		return -ENOMEM;
	default:
		return -EAGAIN;
	}
}

static void on_lookup(void *arg, int r, const struct addrinfo *list)
{
	struct resolver_query *q = arg;
	struct sockaddr_storage addresses[ADDRESSES_MAX];
	unsigned n = 0;

	for (; list && n < ADDRESSES_MAX; list = list->ai_next)
		if (list->ai_addrlen <= sizeof(addresses[n]))
			memcpy(&addresses[n++], list->ai_addr, list->ai_addrlen);
	q->done(q->arg, n ? 0 : error_of(r), addresses, n);
	free(q);
}

int resolver_start(struct resolver_query **ret, struct loop *loop, const char *host, unsigned port,
		   resolver_done_fn *done, void *arg)
{
	struct resolver_query *q = calloc(1, sizeof(*q));
	char service[16];
	int r;

	if (!q)
		return -ENOMEM;
	q->done = done;
	q->arg = arg;
	snprintf(service, sizeof(service), "%u", port);
	r = loop_lookup_start(&q->lookup, loop, host, service, on_lookup, q);
	if (r < 0) {
		free(q);
		return r;
	}
	*ret = q;
	return 0;
}

void resolver_cancel(struct resolver_query *q)
{
	loop_lookup_cancel(q->lookup);
	free(q);
}
