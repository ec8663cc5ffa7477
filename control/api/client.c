#include "api/client.h"

#include "io/http_server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define HOPS_MAX 16

static socklen_t size_of(const struct sockaddr *sa)
{
	return sa->sa_family == AF_INET	   ? sizeof(struct sockaddr_in)
	       : sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					   : sizeof(*sa);
}

/* An element of the list: an address, with or without brackets and port. */
static bool parse(struct sockaddr_storage *ret, const char *text, size_t len)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	char host[INET6_ADDRSTRLEN + 8], *start = host, *end;

	while (len && (*text == ' ' || *text == '\t')) {
		text++;
		len--;
	}
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	if (!len || len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (*host == '[') {
		start++;
		end = strchr(start, ']');
		if (!end)
			return false;
		*end = '\0';
	} else if (strchr(host, ':') == strrchr(host, ':')) {
		host[strcspn(host, ":")] = '\0';
	}
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, start, &in->sin_addr) == 1) {
		ret->ss_family = AF_INET;
		return true;
	}
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET6, start, &in6->sin6_addr) != 1)
		return false;
	ret->ss_family = AF_INET6;
	return true;
}

/* From the last to the first, as far as proxies of ours vouch for it. */
static void follow(struct sockaddr_storage *addr, const char *list, const struct networks *proxies)
{
	size_t end = strlen(list);

	for (int hops = 0; hops < HOPS_MAX; hops++) {
		struct sockaddr_storage before;
		size_t start = end;

		if (!networks_have(proxies, (struct sockaddr *)addr))
			return;
		while (start && list[start - 1] != ',')
			start--;
		if (!parse(&before, list + start, end - start))
			return;
		*addr = before;
		if (!start)
			return;
		end = start - 1;
	}
}

static void name(struct client *c)
{
	struct in6_addr v6 = ((struct sockaddr_in6 *)&c->addr)->sin6_addr;

	if (c->addr.ss_family == AF_INET) {
		inet_ntop(AF_INET, &((struct sockaddr_in *)&c->addr)->sin_addr, c->ip,
			  sizeof(c->ip));
	} else if (c->addr.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6)) {
		inet_ntop(AF_INET, v6.s6_addr + 12, c->ip, sizeof(c->ip));
	} else if (c->addr.ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &v6, c->ip, sizeof(c->ip));
		memset(v6.s6_addr + 8, 0, 8);
		inet_ntop(AF_INET6, &v6, c->key, sizeof(c->key));
		return;
	} else {
		strcpy(c->ip, "?");
	}
	memcpy(c->key, c->ip, sizeof(c->key));
}

void client_of(struct client *ret, const struct http_in *in, const struct networks *proxies)
{
	memset(ret, 0, sizeof(*ret));
	if (in->peer)
		memcpy(&ret->addr, in->peer, size_of(in->peer));
	if (in->forwarded_for && proxies)
		follow(&ret->addr, in->forwarded_for, proxies);
	name(ret);
}
