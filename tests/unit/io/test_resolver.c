/* RFC 3263 on a name server of the test's own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "io/addr.h"
#include "io/fake_dns.h"
#include "io/resolver.h"

static const char *const zone[] = {
	"two.example A 192.0.2.7",
	"two.example A 192.0.2.8",
	"six.example AAAA 2001:db8::7",
	"empty.example NAPTR 1 1 u E2U+sip !x!y!",
	"alias.example CNAME middle.example",
	"middle.example CNAME two.example",
	/* SRV */
	"_sip._udp.srv.example SRV 20 0 5072 c.example",
	"_sip._udp.srv.example SRV 10 0 5071 a.example",
	"_sip._udp.srv.example SRV 30 0 5073 b.example",
	"_sip._tcp.srv.example SRV 10 0 5081 b.example",
	"_sips._tcp.srv.example SRV 10 0 5091 c.example",
	"srv.example A 192.0.2.99",
	"a.example A 192.0.2.1",
	"a.example A 192.0.2.11",
	"b.example A 192.0.2.2",
	"c.example A 192.0.2.3",
	"_sip._udp.gone.example SRV 0 0 0 .",
	"gone.example A 192.0.2.99",
	"_sip._udp.half.example SRV 5 0 0 two.example",
	"_sip._udp.half.example SRV 10 0 5070 nowhere.example",
	"_sip._udp.half.example SRV 20 0 5070 bad.example",
	"_sip._udp.half.example SRV 30 0 5070 two.example",
	"bad.example SERVFAIL",
	"_sip._udp.lost.example SRV 10 0 5070 nowhere.example",
	"lost.example A 192.0.2.99",
	"_sip._udp.worse.example SRV 10 0 5070 nowhere.example",
	"_sip._udp.worse.example SRV 20 0 5070 bad.example",
	"_sip._udp.twice.example SRV 10 0 5060 two.example",
	"_sip._udp.twice.example SRV 20 0 5060 alias.example",
	"_sip._udp.elsewhere.example CNAME _sip._udp.srv.example",
	"_sip._udp.literal.example SRV 10 0 5070 10.0.0.1",
	/* NAPTR */
	"naptr.example NAPTR 20 1 s SIP+D2U _sip._udp.srv.example",
	"naptr.example NAPTR 10 2 S sip+d2t tcp-two.example",
	"naptr.example NAPTR 10 1 s SIP+D2T _sip._tcp.srv.example",
	"naptr.example NAPTR 1 1 s SIPS+D2T _sips._tcp.srv.example",
	"naptr.example NAPTR 1 1 u SIP+D2U _sip._udp.half.example",
	"_sip._udp.naptr.example SRV 1 1 5060 c.example",
	"tcp-two.example SRV 1 1 5085 c.example",
	"useless.example NAPTR 1 1 u E2U+sip !x!y!",
	"_sip._tcp.useless.example SRV 1 1 5085 c.example",
	"dangling.example NAPTR 1 1 s SIP+D2T _sip._tcp.nowhere.example",
	"dangling.example A 192.0.2.12",
	/* a server that misbehaves */
	"broken.example SERVFAIL",
	"silent.example SILENT",
	"garbage.example GARBAGE",
	"garbage.example A 192.0.2.13",
	"cut.example CUT",
	"cut.example A 192.0.2.13",
	"forged.example FORGED",
	"forged.example A 192.0.2.14",
	"truncated.example TRUNCATED",
	"truncated.example A 192.0.2.15",
	"deaf.example SILENT NAPTR",
	"_sip._udp.deaf.example SRV 1 1 5066 c.example",
	"mute.example SILENT NAPTR",
	"_sip._udp.mute.example SILENT",
	"_sip._tcp.mute.example GARBAGE",
	"mute.example A 192.0.2.16",
	"_sip._udp.slow.example SRV 1 0 5070 silent.example",
	"_sip._udp.slow.example SRV 2 0 5070 c.example",
	"_sip._udp.loop.example SRV 1 0 5070 loop.example",
	"loop.example CNAME loop2.example",
	"loop2.example A 192.0.2.17",
	/* many */
	"_sip._udp.crowd.example SRV 1 0 5070 crowd.example",
	"_sip._udp.crowd.example SRV 2 0 5071 crowd.example",
	"crowd.example A 192.0.2.1",
	"crowd.example A 192.0.2.2",
	"crowd.example A 192.0.2.3",
	"crowd.example A 192.0.2.4",
	"crowd.example A 192.0.2.5",
	"crowd.example A 192.0.2.6",
	"crowd.example A 192.0.2.7",
	"crowd.example A 192.0.2.8",
	"crowd.example A 192.0.2.9",
	"crowd.example A 192.0.2.10",
	"crowd.example A 192.0.2.11",
	"crowd.example A 192.0.2.12",
	"crowd.example A 192.0.2.13",
	"crowd.example A 192.0.2.14",
	"crowd.example A 192.0.2.15",
	"crowd.example A 192.0.2.16",
	"crowd.example A 192.0.2.17",
	"crowd.example A 192.0.2.18",
	NULL,
};

static struct fake_dns server;
static int silent[4]; /* sockets of servers that never say a word */
static struct loop *loop;
static struct loop_timer *guard;
static struct resolver *resolver;
static struct resolver_query *query;
static int n_done, result;
static char got[60 * RESOLVER_TARGETS_MAX];
static unsigned n_got;
static bool late;
static const char *then; /* is resolved next, before the loop stops */
static char hosts_path[] = "/tmp/hosts-XXXXXX";

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
	loop = loop_new();
	guard = loop ? loop_timer_new(loop, on_late, NULL) : NULL;
	if (!guard || fake_dns_start(&server, loop, zone) < 0)
		return -1;
	resolver = resolver_new(loop, server.servers, hosts_path);
	loop_timer_start(guard, 20000);
	return resolver ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	resolver_free(resolver);
	fake_dns_stop(&server);
	loop_timer_free(guard);
	loop_free(loop);
	return 0;
}

static int start(const char *host, unsigned port, enum resolver_transport transport);

static void on_done(void *arg, int r, const struct resolver_target *targets, unsigned n)
{
	static const char *const names[] = { "udp", "tcp", "tls" };

	assert_ptr_equal(arg, &query);
	n_done++;
	result = r;
	n_got = n;
	*got = '\0';
	for (unsigned i = 0; i < n; i++) {
		const struct sockaddr *sa = (const struct sockaddr *)&targets[i].address;
		char text[ADDR_SIZE];

		addr_format(text, sizeof(text), sa);
		sprintf(got + strlen(got), "%s%s:%u/%s", i ? " " : "", text, addr_port(sa),
			names[targets[i].transport]);
	}
	if (then && start(then, 0, RESOLVER_TCP) == 0)
		then = NULL;
	else
		loop_stop(loop);
}

static int start(const char *host, unsigned port, enum resolver_transport transport)
{
	const struct resolver_request request = { host, port, transport };

	return resolver_start(&query, resolver, &request, on_done, &query);
}

static void resolve(const char *host, unsigned port, enum resolver_transport transport)
{
	n_done = 0;
	assert_int_equal(start(host, port, transport), 0);
	assert_int_equal(n_done, 0);
	loop_run(loop);
	assert_false(late);
	assert_int_equal(n_done, 1);
}

/* A stopped loop runs no more: one a question. */
static void again(void)
{
	teardown(NULL);
	assert_int_equal(setup(NULL), 0);
}

static void finds(const char *host, unsigned port, enum resolver_transport transport,
		  const char *want)
{
	resolve(host, port, transport);
	assert_string_equal(got, want);
	assert_int_equal(result, 0);
	again();
}

static void fails(const char *host, enum resolver_transport transport, int why)
{
	resolve(host, 0, transport);
	assert_int_equal(n_got, 0);
	assert_int_equal(result, why);
	again();
}

/* -- RFC 3263 */

static void literals_need_no_name_server(void **state)
{
	static const struct {
		const char *host;
		unsigned port;
		enum resolver_transport transport;
		const char *want;
	} rows[] = {
		{ "192.0.2.3", 0, RESOLVER_ANY, "192.0.2.3:5060/udp" },
		{ "192.0.2.3", 0, RESOLVER_TCP, "192.0.2.3:5060/tcp" },
		{ "192.0.2.3", 0, RESOLVER_TLS, "192.0.2.3:5061/tls" },
		{ "192.0.2.3", 5555, RESOLVER_TLS, "192.0.2.3:5555/tls" },
		{ "2001:db8::3", 5555, RESOLVER_ANY, "[2001:db8::3]:5555/udp" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		resolve(rows[i].host, rows[i].port, rows[i].transport);
		assert_string_equal(got, rows[i].want);
		assert_int_equal(server.asked, 0);
		again();
	}
}

static void with_a_port_addresses_alone_are_asked_for(void **state)
{
	(void)state;
	resolve("srv.example", 5099, RESOLVER_ANY);
	assert_string_equal(got, "192.0.2.99:5099/udp");
	assert_int_equal(server.asked, 2);
	assert_int_equal(server.asked_addresses, 2);
	again();
	finds("srv.example", 5099, RESOLVER_TLS, "192.0.2.99:5099/tls");
}

static void with_a_transport_its_srv_records_count(void **state)
{
	(void)state;
	finds("srv.example", 0, RESOLVER_TCP, "192.0.2.2:5081/tcp");
	finds("srv.example", 0, RESOLVER_TLS, "192.0.2.3:5091/tls");
}

static void every_address_of_every_target_is_listed_by_priority(void **state)
{
	(void)state;
	finds("srv.example", 0, RESOLVER_UDP,
	      "192.0.2.1:5071/udp 192.0.2.11:5071/udp 192.0.2.3:5072/udp 192.0.2.2:5073/udp");
}

static void without_a_transport_udp_comes_before_tcp(void **state)
{
	(void)state;
	finds("srv.example", 0, RESOLVER_ANY,
	      "192.0.2.1:5071/udp 192.0.2.11:5071/udp 192.0.2.3:5072/udp 192.0.2.2:5073/udp "
	      "192.0.2.2:5081/tcp");
}

static void naptr_records_say_which_srv_records_in_which_order(void **state)
{
	(void)state;
	finds("naptr.example", 0, RESOLVER_ANY,
	      "192.0.2.2:5081/tcp 192.0.2.3:5085/tcp 192.0.2.1:5071/udp 192.0.2.11:5071/udp "
	      "192.0.2.3:5072/udp 192.0.2.2:5073/udp");
}

static void a_transport_that_is_said_leaves_naptr_records_out(void **state)
{
	(void)state;
	finds("naptr.example", 0, RESOLVER_UDP, "192.0.2.3:5060/udp");
}

static void naptr_records_that_lead_nowhere_are_as_none(void **state)
{
	(void)state;
	finds("useless.example", 0, RESOLVER_ANY, "192.0.2.3:5085/tcp");
	finds("dangling.example", 0, RESOLVER_ANY, "192.0.2.12:5060/udp");
}

static void without_srv_records_the_host_itself_is_called(void **state)
{
	(void)state;
	finds("two.example", 0, RESOLVER_ANY, "192.0.2.7:5060/udp 192.0.2.8:5060/udp");
	finds("two.example", 0, RESOLVER_TCP, "192.0.2.7:5060/tcp 192.0.2.8:5060/tcp");
	finds("two.example", 0, RESOLVER_TLS, "192.0.2.7:5061/tls 192.0.2.8:5061/tls");
	finds("six.example", 0, RESOLVER_ANY, "[2001:db8::7]:5060/udp");
	finds("two.example.", 0, RESOLVER_ANY, "192.0.2.7:5060/udp 192.0.2.8:5060/udp");
}

static void a_service_that_is_decidedly_not_there_is_not_called(void **state)
{
	(void)state;
	fails("gone.example", RESOLVER_UDP, -ENOENT);
	fails("gone.example", RESOLVER_ANY, -ENOENT);
}

static void targets_without_addresses_are_passed_over(void **state)
{
	(void)state;
	finds("half.example", 0, RESOLVER_UDP, "192.0.2.7:5070/udp 192.0.2.8:5070/udp");
	fails("lost.example", RESOLVER_UDP, -ENOENT);
	fails("worse.example", RESOLVER_UDP, -EIO);
}

static void what_several_names_mean_is_listed_once(void **state)
{
	(void)state;
	finds("twice.example", 0, RESOLVER_UDP, "192.0.2.7:5060/udp 192.0.2.8:5060/udp");
}

static void aliases_are_followed(void **state)
{
	(void)state;
	finds("alias.example", 5060, RESOLVER_ANY, "192.0.2.7:5060/udp 192.0.2.8:5060/udp");
	finds("elsewhere.example", 0, RESOLVER_UDP,
	      "192.0.2.1:5071/udp 192.0.2.11:5071/udp 192.0.2.3:5072/udp 192.0.2.2:5073/udp");
	finds("loop.example", 0, RESOLVER_UDP, "192.0.2.17:5070/udp");
}

static void an_srv_target_may_not_hide_an_address_from_the_caller(void **state)
{
	(void)state;
	/* It comes as any address does, to be judged. */
	finds("literal.example", 0, RESOLVER_UDP, "10.0.0.1:5070/udp");
}

static void names_of_the_hosts_file_need_no_name_server(void **state)
{
	(void)state;
	resolve("pbx", 0, RESOLVER_ANY);
	assert_string_equal(got, "192.0.2.50:5060/udp");
	assert_int_equal(server.asked, 0);
	again();
	resolve("pbx.lab.example", 0, RESOLVER_TLS);
	assert_string_equal(got, "192.0.2.50:5061/tls");
	assert_int_equal(server.asked, 0);
}

/* -- limits and failures */

static void of_many_targets_the_first_32_are_taken(void **state)
{
	(void)state;
	resolve("crowd.example", 0, RESOLVER_UDP);
	assert_int_equal(n_got, RESOLVER_TARGETS_MAX);
	assert_memory_equal(got, "192.0.2.1:5070/udp 192.0.2.2:5070/udp ", 38);
	assert_non_null(strstr(got, "192.0.2.18:5070/udp 192.0.2.1:5071/udp "));
}

static void a_name_that_is_none_has_no_target(void **state)
{
	(void)state;
	fails("none.example", RESOLVER_ANY, -ENOENT);
	fails("empty.example", RESOLVER_ANY, -ENOENT);
	/* A label of more than 63 bytes. */
	fails("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
	      RESOLVER_ANY, -ENOENT);
}

static void a_name_service_that_fails_is_told_from_no_name(void **state)
{
	(void)state;
	fails("broken.example", RESOLVER_ANY, -EIO);
}

static void a_name_service_that_is_silent_ends_in_a_timeout(void **state)
{
	uint64_t begin = loop_now_ms(loop);

	(void)state;
	resolve("silent.example", 0, RESOLVER_ANY);
	assert_int_equal(result, -ETIMEDOUT);
	assert_int_equal(n_got, 0);
	assert_in_range(loop_now_ms(loop) - begin, 1000, RESOLVER_TIMEOUT_MS + 2000);
}

static void garbage_is_no_answer(void **state)
{
	static const char *const hosts[] = { "garbage.example", "cut.example" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		resolve(hosts[i], 5060, RESOLVER_ANY);
		assert_int_equal(n_got, 0);
		assert_true(result == -EIO || result == -ETIMEDOUT);
		again();
	}
}

static void an_answer_to_another_question_is_not_taken(void **state)
{
	(void)state;
	finds("forged.example", 5060, RESOLVER_ANY, "192.0.2.14:5060/udp");
}

static void what_is_too_long_for_a_datagram_comes_by_tcp(void **state)
{
	(void)state;
	resolve("truncated.example", 5060, RESOLVER_ANY);
	assert_string_equal(got, "192.0.2.15:5060/udp");
	assert_true(server.asked_tcp > 0);
}

static void a_server_that_does_not_know_naptr_costs_seconds_at_most(void **state)
{
	(void)state;
	finds("deaf.example", 0, RESOLVER_ANY, "192.0.2.3:5066/udp");
	finds("mute.example", 0, RESOLVER_ANY, "192.0.2.16:5060/udp");
}

static void a_target_that_nobody_knows_does_not_cost_the_others(void **state)
{
	(void)state;
	finds("slow.example", 0, RESOLVER_UDP, "192.0.2.3:5070/udp");
}

static void the_second_server_answers_when_the_first_is_dead(void **state)
{
	char servers[80];

	(void)state;
	resolver_free(resolver);
	snprintf(servers, sizeof(servers), "127.0.0.3:9,%s", server.servers);
	resolver = resolver_new(loop, servers, hosts_path);
	assert_non_null(resolver);
	finds("srv.example", 0, RESOLVER_TCP, "192.0.2.2:5081/tcp");
}

static void answers_are_kept_for_a_while(void **state)
{
	(void)state;
	then = "srv.example";
	assert_int_equal(start("srv.example", 0, RESOLVER_TCP), 0);
	loop_run(loop);
	assert_int_equal(n_done, 2);
	assert_string_equal(got, "192.0.2.2:5081/tcp");
	/* SRV, the addresses of the host, those of the target; each once. */
	assert_int_equal(server.asked, 5);
}

/* With so many servers to ask c-ares has not given up by then. */
static void at_the_time_limit_what_is_there_counts(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	uint64_t begin = loop_now_ms(loop);
	char servers[200];

	(void)state;
	resolver_free(resolver);
	snprintf(servers, sizeof(servers), "%s", server.servers);
	for (int i = 0; i < 4; i++) {
		inet_pton(AF_INET, FAKE_DNS_IP, &sin.sin_addr);
		sin.sin_port = 0;
		silent[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(silent[i], (struct sockaddr *)&sin, len), 0);
		getsockname(silent[i], (struct sockaddr *)&sin, &len);
		sprintf(servers + strlen(servers), "," FAKE_DNS_IP ":%u", ntohs(sin.sin_port));
	}
	resolver = resolver_new(loop, servers, hosts_path);
	resolve("slow.example", 0, RESOLVER_UDP);
	assert_string_equal(got, "192.0.2.3:5070/udp");
	assert_in_range(loop_now_ms(loop) - begin, RESOLVER_TIMEOUT_MS - 10,
			RESOLVER_TIMEOUT_MS + 2000);
	for (int i = 0; i < 4; i++)
		close(silent[i]);
}

static void end(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void nothing_is_heard_after_a_cancel(void **state)
{
	static const char *const hosts[] = { "192.0.2.3", "pbx", "srv.example", "naptr.example",
					     "silent.example" };
	struct loop_timer *timer = loop_timer_new(loop, end, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		assert_int_equal(start(hosts[i], 0, RESOLVER_ANY), 0);
		resolver_cancel(query);
	}
	resolver_cancel(NULL);
	loop_timer_start(timer, 50);
	loop_run(loop);
	loop_timer_free(timer);
	assert_int_equal(n_done, 0);
}

static void slow_names_do_not_hold_up_others(void **state)
{
	struct resolver_query *slow[10];

	(void)state;
	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(start("silent.example", 0, RESOLVER_ANY), 0);
		slow[i] = query;
	}
	resolve("two.example", 5060, RESOLVER_ANY);
	assert_int_equal(result, 0);
	for (size_t i = 0; i < 10; i++)
		resolver_cancel(slow[i]);
}

static void what_is_no_host_or_port_is_refused_at_once(void **state)
{
	char host[2000];

	(void)state;
	memset(host, 'a', sizeof(host));
	host[sizeof(host) - 1] = '\0';
	assert_int_equal(start("", 5060, RESOLVER_ANY), -EINVAL);
	assert_int_equal(start(host, 5060, RESOLVER_ANY), -EINVAL);
	assert_int_equal(start("a", 65536, RESOLVER_ANY), -EINVAL);
	assert_int_equal(n_done, 0);
	assert_null(resolver_new(loop, "no address", NULL));
}

static int make_hosts(void **state)
{
	static const char text[] = "127.0.0.1 localhost\n192.0.2.50 pbx pbx.lab.example\n";
	int fd = mkstemp(hosts_path);
	bool ok = fd >= 0 && write(fd, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1;

	(void)state;
	close(fd);
	return ok ? 0 : -1;
}

static int remove_hosts(void **state)
{
	(void)state;
	return unlink(hosts_path);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(literals_need_no_name_server),
		TEST(with_a_port_addresses_alone_are_asked_for),
		TEST(with_a_transport_its_srv_records_count),
		TEST(every_address_of_every_target_is_listed_by_priority),
		TEST(without_a_transport_udp_comes_before_tcp),
		TEST(naptr_records_say_which_srv_records_in_which_order),
		TEST(a_transport_that_is_said_leaves_naptr_records_out),
		TEST(naptr_records_that_lead_nowhere_are_as_none),
		TEST(without_srv_records_the_host_itself_is_called),
		TEST(a_service_that_is_decidedly_not_there_is_not_called),
		TEST(targets_without_addresses_are_passed_over),
		TEST(what_several_names_mean_is_listed_once),
		TEST(aliases_are_followed),
		TEST(an_srv_target_may_not_hide_an_address_from_the_caller),
		TEST(names_of_the_hosts_file_need_no_name_server),
		TEST(of_many_targets_the_first_32_are_taken),
		TEST(a_name_that_is_none_has_no_target),
		TEST(a_name_service_that_fails_is_told_from_no_name),
		TEST(a_name_service_that_is_silent_ends_in_a_timeout),
		TEST(garbage_is_no_answer),
		TEST(an_answer_to_another_question_is_not_taken),
		TEST(what_is_too_long_for_a_datagram_comes_by_tcp),
		TEST(a_server_that_does_not_know_naptr_costs_seconds_at_most),
		TEST(a_target_that_nobody_knows_does_not_cost_the_others),
		TEST(the_second_server_answers_when_the_first_is_dead),
		TEST(answers_are_kept_for_a_while),
		TEST(at_the_time_limit_what_is_there_counts),
		TEST(nothing_is_heard_after_a_cancel),
		TEST(slow_names_do_not_hold_up_others),
		TEST(what_is_no_host_or_port_is_refused_at_once),
	};

	return cmocka_run_group_tests(tests, make_hosts, remove_hosts);
}
