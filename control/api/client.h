/*
 * client - where a request comes from: what the limits count and the audit names. Behind proxies
 * of API_PROXIES it is the address that they saw, as X-Forwarded-For says; from others that header
 * is nothing.
 */
#ifndef HOOKSWITCH_API_CLIENT_H
#define HOOKSWITCH_API_CLIENT_H

#include "base/network.h"

#include <netinet/in.h>
#include <stdbool.h>

struct http_in;

struct client {
	struct sockaddr_storage addr;
	char ip[INET6_ADDRSTRLEN];  /* an IPv4-mapped address as IPv4; "?" when unknown */
	char key[INET6_ADDRSTRLEN]; /* what limits count: of IPv6 the /64, a site has that many */
};

/* proxies may be NULL: none. */
void client_of(struct client *ret, const struct http_in *in, const struct networks *proxies);

#endif
