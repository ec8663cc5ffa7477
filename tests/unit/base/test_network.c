#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "base/network.h"

static bool have(const char *list, const char *ip)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct networks networks;

	assert_int_equal(networks_parse(&networks, list), 0);
	if (inet_pton(AF_INET, ip, &in.sin_addr) == 1)
		return networks_have(&networks, (struct sockaddr *)&in);
	assert_int_equal(inet_pton(AF_INET6, ip, &in6.sin6_addr), 1);
	return networks_have(&networks, (struct sockaddr *)&in6);
}

static void an_address_is_in_the_networks_that_hold_it_and_in_no_other(void **state)
{
	static const struct {
		const char *list, *in, *out;
	} rows[] = {
		{ "10.0.0.0/8", "10.255.255.255", "11.0.0.0" },
		{ "192.0.2.128/25", "192.0.2.128", "192.0.2.127" },
		{ "192.0.2.7", "192.0.2.7", "192.0.2.6" },
		{ "192.0.2.7/32,10.0.0.0/8", "10.1.2.3", "192.0.2.8" },
		{ "0.0.0.0/0", "255.255.255.255", "::1" },
		{ "::/0", "2001:db8::1", "127.0.0.1" },
		{ "::/0", "2001:db8::1", "::ffff:127.0.0.1" },
		{ "2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1" },
		{ "fc00::/7", "fdff::1", "fe00::1" },
		{ "::1", "::1", "::2" },
		{ "127.0.0.0/8", "::ffff:127.0.0.1", "64:ff9b::7f00:1" },
		{ "::ffff:10.0.0.0/104", "10.9.9.9", "::a00:1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(have(rows[i].list, rows[i].in));
		assert_false(have(rows[i].list, rows[i].out));
	}
	assert_false(have("", "127.0.0.1"));
}

static void what_is_no_list_of_networks_is_refused(void **state)
{
	static const char *const bad[] = { "10.0.0.0/33",   "10.0.0.0/",   "10.0.0.0/-1",
					   "10.0.0/8",	    "localhost",   "10.0.0.1/8",
					   "::1/64",	    "::/129",	   ",10.0.0.0/8",
					   "10.0.0.0/8,",   "10.0.0.0/8 ", "10.0.0.0/8/8",
					   "10.0.0.0/+8",   "[::1]",	   "::/0000",
					   "127.0.0.1,,::1" };
	struct networks networks;
	char many[NETWORKS_MAX * 9] = "10.0.0.1";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(networks_parse(&networks, bad[i]), -EINVAL);
	for (int i = 1; i < NETWORKS_MAX; i++)
		strcat(many, ",1.1.1.1");
	assert_int_equal(networks_parse(&networks, many), 0);
	assert_int_equal(networks.n, NETWORKS_MAX);
	strcpy(many + strlen(many) - 7, "::,::");
	assert_int_equal(networks_parse(&networks, many), -E2BIG);
}

static void other_families_are_in_no_network(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct networks networks;

	(void)state;
	assert_int_equal(networks_parse(&networks, "0.0.0.0/0,::/0"), 0);
	assert_false(networks_have(&networks, (struct sockaddr *)&un));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_in_the_networks_that_hold_it_and_in_no_other),
		cmocka_unit_test(what_is_no_list_of_networks_is_refused),
		cmocka_unit_test(other_families_are_in_no_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
