/*
 * network - lists of networks as settings give them ("10.0.0.0/8,2001:db8::/32,192.0.2.1"), and
 * whether an address is in one. Pure.
 */
#ifndef HOOKSWITCH_BASE_NETWORK_H
#define HOOKSWITCH_BASE_NETWORK_H

#include <stdbool.h>
#include <sys/socket.h>

#define NETWORKS_MAX 64

struct network {
	unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
	unsigned bits;		   /* of these 16 bytes */
	bool v4;
};

struct networks {
	struct network list[NETWORKS_MAX];
	int n;
};

/*
 * Networks with commas between them; an address alone is its own network; "" is none. -EINVAL for
 * what is no network, also for one with bits behind its prefix (10.1.2.3/8: is the host meant, or
 * the network?); -E2BIG for over NETWORKS_MAX.
 */
int networks_parse(struct networks *ret, const char *text);

/* An IPv4-mapped address is the IPv4 address; false for other families. */
bool networks_have(const struct networks *networks, const struct sockaddr *sa);

#endif
