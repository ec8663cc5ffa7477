/* The resolver on a name service of the test's own: this getaddrinfo() is what libuv calls. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "io/addr.h"
#include "io/loop.h"
#include "io/resolver.h"

static sem_t answer; /* lets one question of slow.example through */
static atomic_int asked;
static atomic_int lists; /* not yet freed */

static void add(struct addrinfo **list, const char *text, int family)
{
	struct addrinfo *ai = calloc(1, sizeof(*ai));
	struct sockaddr_storage *ss = calloc(1, sizeof(*ss));

	ai->ai_family = ss->ss_family = (sa_family_t)family;
	if (family == AF_INET)
		inet_pton(AF_INET, text, &((struct sockaddr_in *)ss)->sin_addr);
	else
		inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)ss)->sin6_addr);
	ai->ai_addr = (struct sockaddr *)ss;
	ai->ai_addrlen = sizeof(*ss);
	for (; *list; list = &(*list)->ai_next)
		;
	*list = ai;
	atomic_fetch_add(&lists, 1);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret)
{
	(void)service;
	(void)hints;
	atomic_fetch_add(&asked, 1);
	*ret = NULL;
	if (!strcmp(name, "two.example")) {
		add(ret, "2001:db8::7", AF_INET6);
		add(ret, "192.0.2.7", AF_INET);
	} else if (!strcmp(name, "many.example")) {
		for (int i = 0; i < 3 * RESOLVER_ADDRESSES_MAX; i++) {
			char text[20];

			snprintf(text, sizeof(text), "192.0.2.%d", i);
			add(ret, text, AF_INET);
		}
	} else if (!strcmp(name, "slow.example")) {
		sem_wait(&answer);
		add(ret, "192.0.2.9", AF_INET);
	} else if (!strcmp(name, "strange.example")) {
		add(ret, "", AF_UNIX);
	} else {
		return !strcmp(name, "broken.example")	? EAI_AGAIN
		       : !strcmp(name, "empty.example") ? EAI_NODATA
							: EAI_NONAME;
	}
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	while (list) {
		struct addrinfo *next = list->ai_next;

		free(list->ai_addr);
		free(list);
		atomic_fetch_sub(&lists, 1);
		list = next;
	}
}

static struct loop *loop;
static struct loop_timer *guard;
static struct resolver_query *query;
static int n_done, result;
static char got[40 * RESOLVER_ADDRESSES_MAX];
static unsigned n_got;
static bool late;

static void on_late(void *arg)
{
	(void)arg;
	late = true;
	loop_stop(loop);
}

static int setup(void **state)
{
	(void)state;
	late = false;
	n_done = 0;
	atomic_store(&asked, 0);
	sem_init(&answer, 0, 0);
	loop = loop_new();
	guard = loop ? loop_timer_new(loop, on_late, NULL) : NULL;
	if (guard)
		loop_timer_start(guard, 20000);
	return guard ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	loop_timer_free(guard);
	loop_free(loop);
	sem_destroy(&answer);
	return atomic_load(&lists);
}

static void on_done(void *arg, int r, const struct sockaddr_storage *addresses, unsigned n)
{
	assert_ptr_equal(arg, &query);
	n_done++;
	result = r;
	n_got = n;
	*got = '\0';
	for (unsigned i = 0; i < n; i++) {
		const struct sockaddr *sa = (const struct sockaddr *)&addresses[i];
		char text[ADDR_SIZE];

		addr_format(text, sizeof(text), sa);
		sprintf(got + strlen(got), "%s:%u ", text, addr_port(sa));
	}
	loop_stop(loop);
}

static void resolve(const char *host)
{
	assert_int_equal(resolver_start(&query, loop, host, 5060, on_done, &query), 0);
	assert_int_equal(n_done, 0);
	loop_run(loop);
	assert_false(late);
	assert_int_equal(n_done, 1);
}

static void a_name_becomes_its_addresses_in_the_system_s_order(void **state)
{
	(void)state;
	resolve("two.example");
	assert_int_equal(result, 0);
	assert_string_equal(got, "[2001:db8::7]:5060 192.0.2.7:5060 ");
}

static void of_many_addresses_the_first_16_are_taken(void **state)
{
	(void)state;
	resolve("many.example");
	assert_int_equal(n_got, RESOLVER_ADDRESSES_MAX);
	assert_memory_equal(got, "192.0.2.0:5060 192.0.2.1:5060 ", 30);
}

static void literals_need_no_name_service(void **state)
{
	(void)state;
	resolve("192.0.2.3");
	assert_string_equal(got, "192.0.2.3:5060 ");
	assert_int_equal(atomic_load(&asked), 0);
}

static void ipv6_literals_need_none_either(void **state)
{
	(void)state;
	resolve("2001:db8::3");
	assert_int_equal(result, 0);
	assert_string_equal(got, "[2001:db8::3]:5060 ");
	assert_int_equal(atomic_load(&asked), 0);
}

static void a_name_that_is_none_has_no_address(void **state)
{
	(void)state;
	resolve("none.example");
	assert_int_equal(result, -ENOENT);
	assert_int_equal(n_got, 0);
}

static void a_name_without_addresses_has_none(void **state)
{
	(void)state;
	resolve("empty.example");
	assert_int_equal(result, -ENOENT);
}

static void addresses_of_other_families_are_none(void **state)
{
	(void)state;
	resolve("strange.example");
	assert_int_equal(result, -ENOENT);
	assert_int_equal(n_got, 0);
}

static void a_name_service_that_fails_is_told_from_no_name(void **state)
{
	(void)state;
	resolve("broken.example");
	assert_int_equal(result, -EIO);
	assert_int_equal(n_got, 0);
}

static void a_name_service_that_is_silent_ends_in_a_timeout(void **state)
{
	uint64_t start = loop_now_ms(loop);

	(void)state;
	resolve("slow.example");
	assert_int_equal(result, -ETIMEDOUT);
	assert_int_equal(n_got, 0);
	assert_in_range(loop_now_ms(loop) - start, RESOLVER_TIMEOUT_MS - 10,
			RESOLVER_TIMEOUT_MS + 5000);
	sem_post(&answer); /* what comes now is not heard */
}

static void end(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void nothing_is_heard_after_a_cancel(void **state)
{
	static const char *const hosts[] = { "192.0.2.3", "two.example", "slow.example" };
	struct loop_timer *timer = loop_timer_new(loop, end, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		assert_int_equal(resolver_start(&query, loop, hosts[i], 5060, on_done, &query), 0);
		resolver_cancel(query);
	}
	resolver_cancel(NULL);
	sem_post(&answer);
	loop_timer_start(timer, 50);
	loop_run(loop);
	loop_timer_free(timer);
	assert_int_equal(n_done, 0);
}

static void slow_names_do_not_hold_up_others(void **state)
{
	struct resolver_query *slow[10];

	(void)state;
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(
			resolver_start(&slow[i], loop, "slow.example", 5060, on_done, &query), 0);
	resolve("two.example");
	assert_int_equal(result, 0);
	for (size_t i = 0; i < 10; i++) {
		resolver_cancel(slow[i]);
		sem_post(&answer);
	}
}

static void what_is_no_host_or_port_is_refused_at_once(void **state)
{
	char host[2000];

	(void)state;
	memset(host, 'a', sizeof(host));
	host[sizeof(host) - 1] = '\0';
	assert_int_equal(resolver_start(&query, loop, "", 5060, on_done, &query), -EINVAL);
	assert_int_equal(resolver_start(&query, loop, host, 5060, on_done, &query), -EINVAL);
	assert_int_equal(resolver_start(&query, loop, "a", 0, on_done, &query), -EINVAL);
	assert_int_equal(resolver_start(&query, loop, "a", 65536, on_done, &query), -EINVAL);
	assert_int_equal(n_done, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_name_becomes_its_addresses_in_the_system_s_order),
		TEST(of_many_addresses_the_first_16_are_taken),
		TEST(literals_need_no_name_service),
		TEST(ipv6_literals_need_none_either),
		TEST(a_name_that_is_none_has_no_address),
		TEST(a_name_without_addresses_has_none),
		TEST(addresses_of_other_families_are_none),
		TEST(a_name_service_that_fails_is_told_from_no_name),
		TEST(a_name_service_that_is_silent_ends_in_a_timeout),
		TEST(nothing_is_heard_after_a_cancel),
		TEST(slow_names_do_not_hold_up_others),
		TEST(what_is_no_host_or_port_is_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
