#include "io/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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

bool addr_v4(uint32_t *ret, const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		*ret = ntohl(((const struct sockaddr_in *)sa)->sin_addr.s_addr);
		return true;
	}
	if (sa->sa_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&((const struct sockaddr_in6 *)sa)->sin6_addr)) {
		memcpy(ret, ((const struct sockaddr_in6 *)sa)->sin6_addr.s6_addr + 12, 4);
		*ret = ntohl(*ret);
		return true;
	}
	return false;
}

bool addr_is_private(const struct sockaddr *sa)
{
	const struct in6_addr *a;
	uint32_t v4;

	if (addr_v4(&v4, sa))
		return v4_private(v4);
	if (sa->sa_family != AF_INET6)
		return true;
	a = &((const struct sockaddr_in6 *)sa)->sin6_addr;
	/* Global unicast is 2000::/3; 6to4, NAT64 and documentation carry or mean other addresses.
	 */
	return (a->s6_addr[0] & 0xe0) != 0x20 || (a->s6_addr[0] == 0x20 && a->s6_addr[1] == 0x02) ||
	       (a->s6_addr[0] == 0x20 && a->s6_addr[1] == 0x01 && a->s6_addr[2] == 0x0d &&
		a->s6_addr[3] == 0xb8);
}

void addr_format(char *ret, size_t size, const struct sockaddr *sa)
{
	char ip[INET6_ADDRSTRLEN] = "";

	if (sa->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)sa)->sin6_addr, ip, sizeof(ip));
	else
		inet_ntop(AF_INET, &((const struct sockaddr_in *)sa)->sin_addr, ip, sizeof(ip));
	snprintf(ret, size, sa->sa_family == AF_INET6 ? "[%s]" : "%s", ip);
}
