/*
 * resolver - the addresses of a host name, by the system's resolver, without blocking. Loop thread
 * only.
 */
#ifndef HOOKSWITCH_IO_RESOLVER_H
#define HOOKSWITCH_IO_RESOLVER_H

struct loop;
struct resolver_query;
struct sockaddr_storage;

#define RESOLVER_TIMEOUT_MS    5000
#define RESOLVER_ADDRESSES_MAX 16 /* further ones are left out */

/*
 * n addresses in the system's order of preference, with the port; valid during the call. n 0: r
 * says why: -ENOENT no such name or none with an address, -ETIMEDOUT, -ENOMEM, -EIO the name
 * service failed. The query is gone when this is called.
 */
typedef void resolver_done_fn(void *arg, int r, const struct sockaddr_storage *addresses,
			      unsigned n);

/*
 * host: a name or an IP literal without [], which needs no look-up. Exactly one done, never before
 * this has returned, never after a cancel. -EINVAL: no host name or port; -ENOMEM.
 */
int resolver_start(struct resolver_query **ret, struct loop *loop, const char *host, unsigned port,
		   resolver_done_fn *done, void *arg);
void resolver_cancel(struct resolver_query *q); /* NULL is fine */

#endif
