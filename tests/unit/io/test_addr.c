#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <cmocka.h>

#include "io/addr.h"

static const struct sockaddr *addr(const char *text)
{
	static struct sockaddr_storage ss;
	struct sockaddr_in *in = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;

	memset(&ss, 0, sizeof(ss));
	if (strchr(text, ':')) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(5061);
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
	} else {
		in->sin_family = AF_INET;
		in->sin_port = htons(5060);
		assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
	}
	return (const struct sockaddr *)&ss;
}

static void only_addresses_of_the_public_internet_are_public(void **state)
{
	/* The first and the last of each block, and their neighbours outside. */
	static const char *const private[] = {
		"0.0.0.0",
		"0.255.255.255",
		"10.0.0.0",
		"10.255.255.255",
		"100.64.0.0",
		"100.127.255.255",
		"127.0.0.1",
		"127.255.255.255",
		"169.254.0.0",
		"169.254.255.255",
		"172.16.0.0",
		"172.31.255.255",
		"192.0.0.0",
		"192.0.0.255",
		"192.0.2.1",
		"192.168.0.0",
		"192.168.255.255",
		"198.18.0.0",
		"198.19.255.255",
		"198.51.100.9",
		"203.0.113.255",
		"224.0.0.0",
		"239.255.255.255",
		"240.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"::ffff:10.0.0.1",
		"::ffff:127.0.0.1",
		"::10.0.0.1",
		"64:ff9b::8.8.8.8",
		"100::1",
		"fc00::1",
		"fdff:ffff::1",
		"fe80::1",
		"fec0::1",
		"ff02::1",
		"2001::1",
		"2001:1ff:ffff::",
		"2001:db8::1",
		"2001:db8:ffff::",
		"2002:a00:1::1",
		"3fff::1",
		"3fff:fff::1",
		"4000::1",
		"1fff::1",
	};
	static const char *const public[] = {
		"1.0.0.0",	  "9.255.255.255",   "11.0.0.0",	"100.63.255.255",
		"100.128.0.0",	  "126.255.255.255", "128.0.0.0",	"169.253.255.255",
		"169.255.0.0",	  "172.15.255.255",  "172.32.0.0",	"192.0.1.0",
		"192.0.3.0",	  "192.167.255.255", "192.169.0.0",	"198.17.255.255",
		"198.20.0.0",	  "198.51.101.0",    "203.0.112.255",	"223.255.255.255",
		"::ffff:8.8.8.8", "2001:200::1",     "2001:4860::8888", "2001:db7::1",
		"2001:db9::1",	  "2003::1",	     "2606:4700::1",	"3fff:1000::1",
		"2000::1",	  "3ffe::1",
	};
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	(void)state;
	for (size_t i = 0; i < sizeof(private) / sizeof(private[0]); i++)
		if (!addr_is_private(addr(private[i])))
			fail_msg("%s is public", private[i]);
	for (size_t i = 0; i < sizeof(public) / sizeof(public[0]); i++)
		if (addr_is_private(addr(public[i])))
			fail_msg("%s is private", public[i]);
	assert_true(addr_is_private((const struct sockaddr *)&un));
}

static void an_address_is_written_as_in_a_uri(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char text[ADDR_SIZE];

	(void)state;
	addr_format(text, sizeof(text), addr("192.0.2.1"));
	assert_string_equal(text, "192.0.2.1");
	addr_format(text, sizeof(text), addr("2001:DB8:0::1"));
	assert_string_equal(text, "[2001:db8::1]");
	addr_format(text, sizeof(text), addr("1111:2222:3333:4444:5555:6666:7777:8888"));
	assert_string_equal(text, "[1111:2222:3333:4444:5555:6666:7777:8888]");
	addr_format(text, sizeof(text), addr("::ffff:192.0.2.1"));
	assert_string_equal(text, "[::ffff:192.0.2.1]");
	addr_format(text, 9, addr("192.0.2.1"));
	assert_string_equal(text, "");
	addr_format(text, 10, addr("192.0.2.1"));
	assert_string_equal(text, "192.0.2.1");
	addr_format(text, sizeof(text), (const struct sockaddr *)&un);
	assert_string_equal(text, "");
}

static void port_and_ipv4_part_are_in_host_order(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	uint32_t a = 0;

	(void)state;
	assert_int_equal(addr_port(addr("192.0.2.1")), 5060);
	assert_int_equal(addr_port(addr("::1")), 5061);
	assert_int_equal(addr_port((const struct sockaddr *)&un), 0);
	assert_true(addr_v4(&a, addr("192.0.2.1")));
	assert_int_equal(a, 0xc0000201);
	assert_true(addr_v4(&a, addr("::ffff:192.0.2.2")));
	assert_int_equal(a, 0xc0000202);
	assert_false(addr_v4(&a, addr("2001:db8::1")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_addresses_of_the_public_internet_are_public),
		cmocka_unit_test(an_address_is_written_as_in_a_uri),
		cmocka_unit_test(port_and_ipv4_part_are_in_host_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
