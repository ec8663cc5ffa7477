/* X-Forwarded-For as it came, behind a proxy of ours and behind none. */
#include "fuzz.h"

#include "api/client.h"
#include "io/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static bool is_address(const char *text)
{
	unsigned char address[16];

	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sockaddr_in peer = { .sin_family = AF_INET,
					  .sin_addr.s_addr = htonl(0x0a000001) };
	char *text = fuzz_string(data, size);
	const struct http_in in = { .peer = (const struct sockaddr *)&peer, .forwarded_for = text };
	struct networks proxies;
	struct client c;

	MUST(networks_parse(&proxies, "10.0.0.0/8,2001:db8::/32") == 0);
	client_of(&c, &in, &proxies);
	MUST(is_address(c.ip) && is_address(c.key));
	client_of(&c, &in, NULL);
	MUST(!strcmp(c.ip, "10.0.0.1") && !strcmp(c.key, "10.0.0.1"));
	/* And as a setting. */
	if (networks_parse(&proxies, text) == 0)
		MUST(proxies.n <= NETWORKS_MAX && (proxies.n || !*text));
	free(text);
	return 0;
}
