#include "proto/tls_peer.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define IP_PREFIX "ip:"

static bool is_address(const char *host)
{
	struct in6_addr any;

	return inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;
}

static bool same_address(const char *name, size_t len, const char *host)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr a, b;
	int family = strchr(host, ':') ? AF_INET6 : AF_INET;

	if (len >= sizeof(text))
		return false;
	memcpy(text, name, len);
	text[len] = '\0';
	return inet_pton(family, text, &a) == 1 && inet_pton(family, host, &b) == 1 &&
	       !memcmp(&a, &b, family == AF_INET ? 4 : 16);
}

static bool same_name(const char *name, size_t len, const char *host, size_t host_len)
{
	const char *below;

	if (len == host_len && !strncasecmp(name, host, len))
		return true;
	if (len < 5 || strncmp(name, "*.", 2) || !memchr(name + 2, '.', len - 2))
		return false;
	below = strchr(host, '.');
	return below && below != host && len - 1 == host_len - (size_t)(below - host) &&
	       !strncasecmp(name + 1, below, len - 1);
}

bool tls_peer_is(const struct tls_peer *peer, const char *host)
{
	size_t prefix = strlen(IP_PREFIX), host_len = strlen(host);
	bool address = is_address(host);

	/* A name may be said with the root's dot. */
	if (!address && host_len && host[host_len - 1] == '.')
		host_len--;
	for (const char *p = peer->names; *p;) {
		size_t len = strcspn(p, " ");
		bool ip = len > prefix && !strncmp(p, IP_PREFIX, prefix);

		if (address ? ip && same_address(p + prefix, len - prefix, host)
			    : len && !ip && same_name(p, len, host, host_len))
			return true;
		p += len + strspn(p + len, " ");
	}
	return false;
}
