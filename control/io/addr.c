#include "io/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const struct in6_addr *v6_of(const struct sockaddr *sa)
{
	return &((const struct sockaddr_in6 *)sa)->sin6_addr;
}

bool addr_v4(uint32_t *ret, const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		*ret = ntohl(((const struct sockaddr_in *)sa)->sin_addr.s_addr);
		return true;
	}
	if (sa->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(v6_of(sa))) {
		memcpy(ret, v6_of(sa)->s6_addr + 12, sizeof(*ret));
		*ret = ntohl(*ret);
		return true;
	}
	return false;
}

uint16_t addr_port(const struct sockaddr *sa)
{
	switch (sa->sa_family) {
	case AF_INET:
		return ntohs(((const struct sockaddr_in *)sa)->sin_port);
	case AF_INET6:
		return ntohs(((const struct sockaddr_in6 *)sa)->sin6_port);
	default:
		return 0;
	}
}

/* The IANA registry of special-purpose addresses (RFC 6890). */
static bool v4_private(uint32_t a)
{
	static const struct {
		uint32_t net, mask;
	} blocks[] = {
		{ 0x00000000, 0xff000000 }, { 0x0a000000, 0xff000000 }, { 0x64400000, 0xffc00000 },
		{ 0x7f000000, 0xff000000 }, { 0xa9fe0000, 0xffff0000 }, { 0xac100000, 0xfff00000 },
		{ 0xc0000000, 0xffffff00 }, { 0xc0000200, 0xffffff00 }, { 0xc0a80000, 0xffff0000 },
		{ 0xc6120000, 0xfffe0000 }, { 0xc6336400, 0xffffff00 }, { 0xcb007100, 0xffffff00 },
		{ 0xe0000000, 0xe0000000 },
	};

	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if ((a & blocks[i].mask) == blocks[i].net)
			return true;
	return false;
}

bool addr_is_private(const struct sockaddr *sa)
{
	/* Inside global unicast (2000::/3): protocol assignments with Teredo, documentation twice,
	 * 6to4. */
	static const struct {
		uint32_t net, mask;
	} blocks[] = {
		{ 0x20010000, 0xfffffe00 },
		{ 0x20010db8, 0xffffffff },
		{ 0x20020000, 0xffff0000 },
		{ 0x3fff0000, 0xfffff000 },
	};
	uint32_t a;

	if (addr_v4(&a, sa))
		return v4_private(a);
	if (sa->sa_family != AF_INET6)
		return true;
	memcpy(&a, v6_of(sa)->s6_addr, sizeof(a));
	a = ntohl(a);
	if (a >> 29 != 1)
		return true;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if ((a & blocks[i].mask) == blocks[i].net)
			return true;
	return false;
}

void addr_format(char *ret, size_t size, const struct sockaddr *sa)
{
	char text[INET6_ADDRSTRLEN] = "";
	bool v6 = sa->sa_family == AF_INET6;
	int n;

	if (v6)
		inet_ntop(AF_INET6, v6_of(sa), text, sizeof(text));
	else if (sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)sa)->sin_addr, text, sizeof(text));
	n = snprintf(ret, size, v6 ? "[%s]" : "%s", text);
	if (size && (size_t)n >= size)
		*ret = '\0'; /* half an address is another one */
}
