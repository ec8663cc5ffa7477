#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/tls_peer.h"

static bool is(const char *names, const char *host)
{
	struct tls_peer peer = { .connection = 1, .trusted = true, .names = names };

	return tls_peer_is(&peer, host);
}

static void a_name_of_the_certificate_is_the_host_in_any_case_of_letters(void **state)
{
	(void)state;
	assert_true(is("sip.example.com", "sip.example.com"));
	assert_true(is("other.example.com SIP.Example.Com ip:192.0.2.1", "sip.example.COM"));
	assert_true(is("sip.example.com", "sip.example.com."));
	assert_false(is("sip.example.com", "example.com"));
	assert_false(is("example.com", "sip.example.com"));
	assert_false(is("sip.example.com.evil.example", "sip.example.com"));
	assert_false(is("", "sip.example.com"));
	assert_false(is("   ", "sip.example.com"));
	assert_false(is("sip.example.com", ""));
	assert_false(is("sip.example.com", "."));
}

static void a_star_is_one_whole_label_below_two_others(void **state)
{
	(void)state;
	assert_true(is("*.example.com", "sip.example.com"));
	assert_false(is("*.example.com", "example.com"));
	assert_false(is("*.example.com", ".example.com"));
	assert_false(is("*.example.com", "a.b.example.com"));
	assert_false(is("*.com", "example.com"));
	assert_false(is("*", "example"));
	assert_false(is("s*.example.com", "sip.example.com"));
	assert_false(is("sip.*.com", "sip.example.com"));
}

static void an_address_is_only_an_address_of_the_certificate(void **state)
{
	(void)state;
	assert_true(is("sip.example.com ip:192.0.2.1", "192.0.2.1"));
	assert_true(is("ip:2001:DB8:0:0:0:0:0:1", "2001:db8::1"));
	assert_false(is("192.0.2.1", "192.0.2.1"));
	assert_false(is("*.0.2.1", "192.0.2.1"));
	assert_false(is("ip:192.0.2.10", "192.0.2.1"));
	assert_false(is("ip:192.0.2.1", "ip"));
	assert_false(is("ip:", "192.0.2.1"));
	assert_false(is("ip:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc",
			"2001:db8::1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_of_the_certificate_is_the_host_in_any_case_of_letters),
		cmocka_unit_test(a_star_is_one_whole_label_below_two_others),
		cmocka_unit_test(an_address_is_only_an_address_of_the_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
