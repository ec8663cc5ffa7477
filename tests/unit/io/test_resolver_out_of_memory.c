/* Whichever allocation of a look-up fails: it ends once, and nothing leaks. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "failing_alloc.h"
#include "io/fake_dns.h"

#include "../../../control/io/dns.c"
#include "../../../control/io/resolver.c"

static const char *const zone[] = {
	"naptr.example NAPTR 10 1 s SIP+D2T _sip._tcp.srv.example",
	"naptr.example A 192.0.2.9",
	"_sip._tcp.srv.example SRV 10 0 5081 a.example",
	"a.example A 192.0.2.1",
	NULL,
};

static struct loop *loop;
static int n_done, result;
static unsigned n_got, first_port;

static void on_done(void *arg, int r, const struct resolver_target *targets, unsigned n)
{
	(void)arg;
	n_done++;
	result = r;
	n_got = n;
	if (n)
		first_port = ntohs(((const struct sockaddr_in *)&targets[0].address)->sin_port);
	loop_stop(loop);
}

static void every_allocation_may_fail(void **state)
{
	static const struct resolver_request request = { "naptr.example", 0, RESOLVER_ANY };

	(void)state;
	FOR_EACH_FAILING_ALLOCATION
	{
		struct resolver *resolver;
		struct resolver_query *query;
		struct fake_dns server;
		bool hit;
		int r = -ENOMEM;

		loop = loop_new();
		assert_int_equal(fake_dns_start(&server, loop, zone), 0);
		n_done = 0;
		n_got = 0;
		resolver = resolver_new(loop, server.servers, NULL);
		if (resolver)
			r = resolver_start(&query, resolver, &request, on_done, NULL);
		if (r == 0)
			loop_run(loop);
		hit = alloc_failed();
		assert_int_equal(n_done, r == 0);
		if (r < 0)
			assert_int_equal(r, -ENOMEM);
		else if (!n_got)
			assert_true(result == -ENOMEM || result == -ETIMEDOUT);
		if (!hit) {
			assert_int_equal(n_got, 1);
			assert_int_equal(first_port, 5081);
		}
		resolver_free(resolver);
		fake_dns_stop(&server);
		loop_free(loop);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_allocation_may_fail) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
