#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "io/addr.h"
#include "io/loop.h"
#include "io/resolver.h"

static struct loop *loop;
static struct loop_timer *deadline;

static struct {
	unsigned done, n;
	int r;
	char first[ADDR_SIZE];
	unsigned port;
} seen;

static void stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void on_done(void *arg, int r, const struct sockaddr_storage *addresses, unsigned n)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)addresses;

	(void)arg;
	seen.done++;
	seen.r = r;
	seen.n = n;
	if (n) {
		addr_format(seen.first, sizeof(seen.first), (const struct sockaddr *)addresses);
		seen.port = ntohs(in->sin_port); /* stands at one place in both families */
	}
	loop_stop(loop);
}

static void ask(const char *host)
{
	struct resolver_query *q;

	memset(&seen, 0, sizeof(seen));
	loop = loop_new();
	deadline = loop_timer_new(loop, stop, NULL);
	loop_timer_start(deadline, 20000);
	assert_int_equal(resolver_start(&q, loop, host, 5060, on_done, NULL), 0);
	assert_int_equal(seen.done, 0);
	loop_run(loop);
	loop_timer_free(deadline);
	loop_free(loop);
	assert_int_equal(seen.done, 1);
}

static void numbers_and_the_hosts_file_are_known(void **state)
{
	(void)state;
	ask("192.0.2.7");
	assert_int_equal(seen.r, 0);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.first, "192.0.2.7");
	assert_int_equal(seen.port, 5060);
	ask("localhost");
	assert_true(seen.n >= 1);
	assert_true(!strcmp(seen.first, "127.0.0.1") || !strcmp(seen.first, "[::1]"));
}

static void a_name_that_is_none_has_no_address(void **state)
{
	(void)state;
	ask("a..b");
	assert_int_equal(seen.n, 0);
	assert_true(seen.r < 0);
}

static void what_is_cancelled_is_not_heard_of(void **state)
{
	struct resolver_query *q;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	loop = loop_new();
	assert_int_equal(resolver_start(&q, loop, "localhost", 5060, on_done, NULL), 0);
	resolver_cancel(q);
	loop_free(loop); /* waits for what is at work */
	assert_int_equal(seen.done, 0);
}

static void addresses_that_are_nobodys_are_private(void **state)
{
	static const char *const private[] = { "0.0.0.0",
					       "10.1.2.3",
					       "100.64.0.1",
					       "127.0.0.5",
					       "169.254.1.1",
					       "172.16.0.1",
					       "172.31.255.1",
					       "192.168.1.1",
					       "198.18.0.1",
					       "224.0.0.1",
					       "255.255.255.255",
					       "192.0.2.1",
					       "198.51.100.1",
					       "203.0.113.1",
					       "::1",
					       "::",
					       "fe80::1",
					       "fd00::1",
					       "ff02::1",
					       "2001:db8::1",
					       "2002:a00:1::",
					       "::ffff:10.0.0.1",
					       "64:ff9b::a00:1" };
	static const char *const public[] = { "8.8.8.8", "172.32.0.1", "100.128.0.1",
					      "2a00:1450::1", "::ffff:8.8.8.8" };
	struct sockaddr_storage sa;

	(void)state;
	for (size_t i = 0;
	     i < sizeof(private) / sizeof(private[0]) + sizeof(public) / sizeof(public[0]); i++) {
		size_t n = sizeof(private) / sizeof(private[0]);
		const char *text = i < n ? private[i] : public[i - n];

		memset(&sa, 0, sizeof(sa));
		sa.ss_family = strchr(text, ':') ? AF_INET6 : AF_INET;
		if (sa.ss_family == AF_INET6)
			inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&sa)->sin6_addr);
		else
			inet_pton(AF_INET, text, &((struct sockaddr_in *)&sa)->sin_addr);
		if (addr_is_private((struct sockaddr *)&sa) != (i < n))
			fail_msg("%s", text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_the_hosts_file_are_known),
		cmocka_unit_test(a_name_that_is_none_has_no_address),
		cmocka_unit_test(what_is_cancelled_is_not_heard_of),
		cmocka_unit_test(addresses_that_are_nobodys_are_private),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
