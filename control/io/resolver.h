/*
 * resolver - where a SIP request for a host goes (RFC 3263 §4): addresses, ports and transports in
 * the order in which they are tried, without blocking. Loop thread only.
 */
#ifndef HOOKSWITCH_IO_RESOLVER_H
#define HOOKSWITCH_IO_RESOLVER_H

#include <sys/socket.h>

#define RESOLVER_TIMEOUT_MS  5000
#define RESOLVER_TARGETS_MAX 32 /* further ones are left out */

struct loop;
struct resolver;
struct resolver_query;

enum resolver_transport { RESOLVER_UDP, RESOLVER_TCP, RESOLVER_TLS, RESOLVER_ANY };

struct resolver_target {
	struct sockaddr_storage address;   /* with the port */
	enum resolver_transport transport; /* never ANY */
};

/*
 * What a SIP URI says. An IP literal, a port, or a name of the hosts file: its addresses. Else with
 * a transport: the SRV records of this one; without: NAPTR records and the SRV records that they
 * name, or the SRV records of UDP, then TCP. No SRV record: the addresses of the host. What is not
 * said is 5060, over TLS 5061, and UDP. Records that mean TLS count only when TLS is asked for.
 */
struct resolver_request {
	const char *host; /* a name, or an IP literal without [] */
	unsigned port;	  /* 0: not said */
	enum resolver_transport transport;
};

/* servers, hosts: as of dns_new. NULL: out of memory, or bad servers. */
struct resolver *resolver_new(struct loop *loop, const char *servers, const char *hosts);
void resolver_free(struct resolver *resolver); /* NULL is fine; no query waits any more */

/*
 * n targets; valid during the call. At the time limit it is those whose addresses are there. n 0: r
 * says why: -ENOENT no such name, none with an address, or SRV records that say that there is no
 * service; -ETIMEDOUT; -ENOMEM; -EIO the name service failed. The query is gone when this is
 * called.
 */
typedef void resolver_done_fn(void *arg, int r, const struct resolver_target *targets, unsigned n);

/*
 * The request's text is copied. Exactly one done, never before this has returned, never after a
 * cancel. -EINVAL: no host name or port; -ENOMEM.
 */
int resolver_start(struct resolver_query **ret, struct resolver *resolver,
		   const struct resolver_request *request, resolver_done_fn *done, void *arg);
void resolver_cancel(struct resolver_query *q); /* NULL is fine */

#endif
