/*
 * resolver - the addresses of a host name, without blocking the loop. Loop thread only.
 */
#ifndef HOOKSWITCH_IO_RESOLVER_H
#define HOOKSWITCH_IO_RESOLVER_H

#include <sys/socket.h>

struct loop;
struct resolver_query;

/* n addresses with their port, in the system's order of preference. n 0: r says why: -ENOENT there
 * is no such name, -EAGAIN no server answers, -ENOMEM. */
typedef void resolver_done_fn(void *arg, int r, const struct sockaddr_storage *addresses,
			      unsigned n);

/* done runs once, never before this returned and never after the cancel. A numeric host asks
 * nobody. -ENOMEM. */
int resolver_start(struct resolver_query **ret, struct loop *loop, const char *host, unsigned port,
		   resolver_done_fn *done, void *arg);
void resolver_cancel(struct resolver_query *query);

#endif
