#include "base/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool to_bytes(unsigned char ret[16], bool *ret_v4, const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		memcpy(ret, mapped, sizeof(mapped));
		memcpy(ret + 12, &((const struct sockaddr_in *)sa)->sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(ret, &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
	} else {
		return false;
	}
	*ret_v4 = !memcmp(ret, mapped, sizeof(mapped));
	return true;
}

static bool same_prefix(const unsigned char a[16], const unsigned char b[16], unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return !memcmp(a, b, whole) && (!rest || !((a[whole] ^ b[whole]) >> (8 - rest)));
}

/* "192.0.2.0/24" of len characters. */
static int parse_one(struct network *ret, const char *text, size_t len)
{
	char host[INET6_ADDRSTRLEN + 5], *slash, *end;
	unsigned char ends[16];
	unsigned long bits = 128;

	if (!len || len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	slash = strchr(host, '/');
	if (slash)
		*slash++ = '\0';
	memcpy(ret->address, mapped, sizeof(mapped));
	ret->v4 = inet_pton(AF_INET, host, ret->address + 12) == 1;
	if (!ret->v4 && inet_pton(AF_INET6, host, ret->address) != 1)
		return -EINVAL;
	if (slash) {
		if (!*slash || slash[strspn(slash, "0123456789")] || strlen(slash) > 3)
			return -EINVAL;
		bits = strtoul(slash, &end, 10) + (ret->v4 ? 96 : 0);
		if (bits > 128)
			return -EINVAL;
	}
	ret->bits = (unsigned)bits;
	ret->v4 = bits >= 96 && !memcmp(ret->address, mapped, sizeof(mapped));
	/* Behind the prefix there may be nothing. */
	memset(ends, 0, sizeof(ends));
	memcpy(ends, ret->address, bits / 8);
	if (bits % 8)
		ends[bits / 8] = ret->address[bits / 8] & (unsigned char)(0xff00 >> (bits % 8));
	return memcmp(ends, ret->address, sizeof(ends)) ? -EINVAL : 0;
}

int networks_parse(struct networks *ret, const char *text)
{
	ret->n = 0;
	while (*text) {
		size_t len = strcspn(text, ",");
		int r;

		if (ret->n == NETWORKS_MAX)
			return -E2BIG;
		r = parse_one(&ret->list[ret->n], text, len);
		if (r < 0)
			return r;
		ret->n++;
		text += len;
		if (*text && !*++text)
			return -EINVAL;
	}
	return 0;
}

bool networks_have(const struct networks *networks, const struct sockaddr *sa)
{
	unsigned char address[16];
	bool v4;

	if (!to_bytes(address, &v4, sa))
		return false;
	for (int i = 0; i < networks->n; i++) {
		const struct network *n = &networks->list[i];

		/* ::/0 is every IPv6 address, and no IPv4 address. */
		if (n->v4 == v4 && same_prefix(n->address, address, n->bits))
			return true;
	}
	return false;
}
