#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "api/client.h"
#include "io/http_server.h"

static struct client c;

/* The client of a request from peer with this X-Forwarded-For, behind these proxies. */
static const char *client(const char *proxies, const char *peer, const char *forwarded)
{
	struct sockaddr_storage addr = { 0 };
	struct networks networks;
	struct http_in in = { .peer = (struct sockaddr *)&addr, .forwarded_for = forwarded };

	assert_int_equal(networks_parse(&networks, proxies), 0);
	if (inet_pton(AF_INET, peer, &((struct sockaddr_in *)&addr)->sin_addr) == 1)
		addr.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, peer, &((struct sockaddr_in6 *)&addr)->sin6_addr) == 1)
		addr.ss_family = AF_INET6;
	client_of(&c, &in, &networks);
	return c.ip;
}

static void without_proxies_the_client_is_who_connected(void **state)
{
	(void)state;
	assert_string_equal(client("", "192.0.2.1", "198.51.100.9"), "192.0.2.1");
	assert_string_equal(c.key, "192.0.2.1");
	assert_string_equal(client("10.0.0.0/8", "192.0.2.1", "198.51.100.9"), "192.0.2.1");
	assert_string_equal(client("10.0.0.0/8", "10.0.0.1", NULL), "10.0.0.1");
	assert_string_equal(client("", "::ffff:192.0.2.1", NULL), "192.0.2.1");
	assert_string_equal(client("", "nobody", NULL), "?");
}

static void behind_proxies_it_is_the_last_that_they_do_not_vouch_for(void **state)
{
	static const char proxies[] = "10.0.0.0/8,2001:db8:1::/48";

	(void)state;
	assert_string_equal(client(proxies, "10.0.0.1", "192.0.2.1"), "192.0.2.1");
	assert_string_equal(client(proxies, "10.0.0.1", "1.1.1.1, 192.0.2.1"), "192.0.2.1");
	assert_string_equal(client(proxies, "10.0.0.1", "1.1.1.1,192.0.2.1,10.9.9.9"), "192.0.2.1");
	assert_string_equal(client(proxies, "2001:db8:1::5", "[2001:db8:9::1]:443"),
			    "2001:db8:9::1");
	assert_string_equal(client(proxies, "10.0.0.1", "192.0.2.1:5555"), "192.0.2.1");
	assert_string_equal(client(proxies, "10.0.0.1", "10.0.0.2"), "10.0.0.2");
}

static void what_is_no_address_ends_the_search(void **state)
{
	static const char *const lists[] = {
		"",
		"unknown",
		"1.1.1.1,",
		"1.1.1.1,,",
		"1.1.1.1,_x",
		"1.1.1.1 2",
		"[::1",
		"999.1.1.1",
		"1.1.1.1,10.0.0.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		assert_string_equal(client("10.0.0.0/8", "10.0.0.1", lists[i]), "10.0.0.1");
}

static void limits_count_an_ipv6_site_as_one(void **state)
{
	(void)state;
	assert_string_equal(client("", "2001:db8:1:2:3:4:5:6", NULL), "2001:db8:1:2:3:4:5:6");
	assert_string_equal(c.key, "2001:db8:1:2::");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_proxies_the_client_is_who_connected),
		cmocka_unit_test(behind_proxies_it_is_the_last_that_they_do_not_vouch_for),
		cmocka_unit_test(what_is_no_address_ends_the_search),
		cmocka_unit_test(limits_count_an_ipv6_site_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
