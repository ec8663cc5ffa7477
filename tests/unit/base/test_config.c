#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/config.h"

#define ACCOUNT "AC0123456789abcdef0123456789abcdef"

static char err[300];

/* The environment of a working daemon, and one setting changed; NULL unsets it. */
static int load_with(struct config *cfg, const char *name, const char *value)
{
	clearenv();
	setenv("HOOKSWITCH_ACCOUNT_SID", ACCOUNT, 1);
	setenv("HOOKSWITCH_AUTH_TOKEN", "0123456789abcdef0123456789abcdef", 1);
	setenv("DATABASE_URL", "host=/run/postgresql", 1);
	if (name && value)
		setenv(name, value, 1);
	else if (name)
		unsetenv(name);
	memset(cfg, 0xee, sizeof(*cfg));
	err[0] = '\0';
	return config_load(cfg, err, sizeof(err));
}

static void three_settings_are_enough_and_the_rest_has_defaults(void **state)
{
	struct config cfg;

	(void)state;
	assert_int_equal(load_with(&cfg, NULL, NULL), 0);
	assert_string_equal(err, "");
	assert_string_equal(cfg.account_sid, ACCOUNT);
	assert_string_equal(cfg.sip_domain, "sip.hookswitch.test");
	assert_string_equal(cfg.public_ip, "127.0.0.1");
	assert_int_equal(cfg.sip_port, 5060);
	assert_int_equal(cfg.api_port, 8080);
	assert_int_equal(cfg.api_connections, 1024);
	assert_int_equal(cfg.api_idle_s, 30);
	assert_int_equal(cfg.api_request_s, 60);
	assert_string_equal(cfg.evapi_addr, "127.0.0.1:8448");
	assert_string_equal(cfg.rpc_socket, "/run/hookswitch/rpc.sock");
	assert_string_equal(cfg.rpc_client_socket, "/run/hookswitch/control.sock");
	assert_string_equal(cfg.ng_addr, "127.0.0.1:2223");
	assert_string_equal(cfg.dtmf_listen, "127.0.0.1:2300");
	assert_string_equal(cfg.media_ip, "127.0.0.1");
	assert_int_equal(cfg.rtp_timeout_ms, 60000);
	assert_int_equal(cfg.ack_timeout_ms, 32000);
	assert_int_equal(cfg.max_call_seconds, 14400);
	assert_int_equal(cfg.session_expires_s, 1800);
	assert_int_equal(cfg.webhook_connect_ms, 5000);
	assert_int_equal(cfg.webhook_read_ms, 15000);
	assert_int_equal(cfg.webhook_total_ms, 15000);
	assert_true(cfg.webhook_verify_tls);
	assert_string_equal(cfg.webhook_allowed_networks, "");
	assert_string_equal(cfg.api_bind, "127.0.0.1");
	assert_string_equal(cfg.api_tls_cert, "");
	assert_false(cfg.api_plain_http);
	assert_string_equal(cfg.api_proxies, "");
	assert_int_equal(cfg.twiml_max_bytes, 65536);
	assert_string_equal(cfg.hangup_first, "answer");
	assert_false(cfg.play_strict);
	assert_int_equal(cfg.prompt_cache_bytes, 128 << 20);
	assert_string_equal(cfg.log_level, "info");
}

static void what_must_be_set_is_asked_for_by_name(void **state)
{
	static const char *const names[] = { "HOOKSWITCH_ACCOUNT_SID", "HOOKSWITCH_AUTH_TOKEN",
					     "DATABASE_URL" };
	struct config cfg;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(load_with(&cfg, names[i], NULL), -EINVAL);
		assert_ptr_equal(strstr(err, names[i]), err);
		assert_non_null(strstr(err, "is not set"));
		assert_int_equal(load_with(&cfg, names[i], ""), -EINVAL);
	}
}

static void a_bad_value_is_refused_with_its_name_and_what_to_set(void **state)
{
	static const struct {
		const char *name, *value, *want;
	} bad[] = {
		{ "SIP_PORT", "0", "1 to 65535" },
		{ "SIP_PORT", "65536", "1 to 65535" },
		{ "SIP_PORT", "5060x", "1 to 65535" },
		{ "SIP_PORT", " 5060", "1 to 65535" },
		{ "SIP_PORT", "-1", "1 to 65535" },
		{ "SIP_PORT", "99999999999999999999", "1 to 65535" },
		{ "PROMPT_CACHE_BYTES", "-1", "from 0" },
		{ "PUBLIC_IP", "localhost", "numeric IP" },
		{ "PUBLIC_IP", "1.2.3", "numeric IP" },
		{ "HOOKSWITCH_ACCOUNT_SID", "AC123", "32 hex" },
		{ "HOOKSWITCH_SIP_DOMAIN", "Sip.Example", "lower case" },
		{ "HOOKSWITCH_SIP_DOMAIN", ".example", "lower case" },
		{ "HOOKSWITCH_SIP_DOMAIN", "a..b", "lower case" },
		{ "HOOKSWITCH_SIP_DOMAIN", "a'b", "lower case" },
		{ "WEBHOOK_VERIFY_TLS", "yes", "true or false" },
		{ "WEBHOOK_VERIFY_TLS", "TRUE", "true or false" },
		{ "LOG_LEVEL", "verbose", "debug|info|warn|error" },
		{ "LOG_LEVEL", "inf", "debug|info|warn|error" },
		{ "LOG_LEVEL", "debug|info", "debug|info|warn|error" },
		{ "TWIML_HANGUP_FIRST", "486", "answer|603" },
		{ "RTPENGINE_NG", "rtpengine:2223", "127.0.0.1:2223" },
		{ "RTPENGINE_NG", "127.0.0.1", "127.0.0.1:2223" },
		{ "RTPENGINE_NG", "127.0.0.1:0", "127.0.0.1:2223" },
		{ "RTPENGINE_NG", "127.0.0.1:70000", "127.0.0.1:2223" },
		{ "RTPENGINE_NG", "::1:2223", "127.0.0.1:2223" },
		{ "KAMAILIO_EVAPI", "[127.0.0.1]:8448", "127.0.0.1:2223" },
		{ "KAMAILIO_EVAPI", "[::1:8448", "127.0.0.1:2223" },
		{ "DNS_SERVERS", "ns.example.com", "127.0.0.1:53" },
		{ "DNS_SERVERS", "192.0.2.1,", "127.0.0.1:53" },
		{ "DNS_SERVERS", ",192.0.2.1", "127.0.0.1:53" },
		{ "DNS_SERVERS", "192.0.2.1 192.0.2.2", "127.0.0.1:53" },
		{ "KAMAILIO_RPC", "rpc.sock", "absolute path" },
		{ "WEBHOOK_ALLOWED_NETWORKS", "localhost", "10.0.0.0/8" },
		{ "WEBHOOK_ALLOWED_NETWORKS", "10.0.0.1/8", "10.0.0.0/8" },
		{ "WEBHOOK_ALLOWED_NETWORKS", "10.0.0.0/8,", "10.0.0.0/8" },
		{ "WEBHOOK_CA_FILE", "ca.pem", "absolute path" },
	};
	struct config cfg;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(load_with(&cfg, bad[i].name, bad[i].value), -EINVAL);
		assert_ptr_equal(strstr(err, bad[i].name), err);
		assert_non_null(strstr(err, bad[i].want));
		assert_non_null(strstr(err, "set it to"));
	}
}

static void good_values_are_taken(void **state)
{
	struct config cfg;

	(void)state;
	assert_int_equal(load_with(&cfg, "SIP_PORT", "65535"), 0);
	assert_int_equal(cfg.sip_port, 65535);
	assert_int_equal(load_with(&cfg, "WEBHOOK_VERIFY_TLS", "false"), 0);
	assert_false(cfg.webhook_verify_tls);
	assert_int_equal(load_with(&cfg, "RTPENGINE_NG", "[::1]:2223"), 0);
	assert_string_equal(cfg.ng_addr, "[::1]:2223");
	assert_int_equal(load_with(&cfg, "TWIML_HANGUP_FIRST", "603"), 0);
	assert_string_equal(cfg.hangup_first, "603");
	assert_int_equal(load_with(&cfg, "PROMPT_CACHE_BYTES", "5000000000"), 0);
	assert_true(cfg.prompt_cache_bytes == 5000000000u);
	assert_int_equal(load_with(&cfg, "PUBLIC_IP", "2001:db8::1"), 0);
	assert_int_equal(load_with(&cfg, "DNS_SERVERS", "192.0.2.1,[2001:db8::1]:53,::1"), 0);
	assert_string_equal(cfg.dns_servers, "192.0.2.1,[2001:db8::1]:53,::1");
	assert_int_equal(load_with(&cfg, "DNS_SERVERS", ""), 0);
	assert_string_equal(cfg.dns_servers, "");
}

static void an_empty_value_means_the_default(void **state)
{
	struct config cfg;

	(void)state;
	assert_int_equal(load_with(&cfg, "SIP_PORT", ""), 0);
	assert_int_equal(cfg.sip_port, 5060);
}

static void a_secret_is_never_part_of_the_message(void **state)
{
	struct config cfg;

	(void)state;
	assert_int_equal(load_with(&cfg, "HOOKSWITCH_AUTH_TOKEN", "hunter2"), -EINVAL);
	assert_null(strstr(err, "hunter2"));
	assert_non_null(strstr(err, "at least 16"));
}

static void rest_without_tls_stays_on_loopback_unless_that_is_asked_for(void **state)
{
	struct config cfg;

	(void)state;
	assert_int_equal(load_with(&cfg, "API_BIND", "0.0.0.0"), -EINVAL);
	assert_ptr_equal(strstr(err, "API_BIND"), err);
	assert_non_null(strstr(err, "API_TLS_CERT"));
	assert_int_equal(load_with(&cfg, "API_BIND", "::"), -EINVAL);
	assert_int_equal(load_with(&cfg, "API_BIND", "192.0.2.1"), -EINVAL);
	assert_int_equal(load_with(&cfg, "API_BIND", "127.9.9.9"), 0);
	assert_int_equal(load_with(&cfg, "API_BIND", "::1"), 0);
	assert_int_equal(load_with(&cfg, "API_BIND", "0.0.0.0"), -EINVAL);
	setenv("API_PLAIN_HTTP", "true", 1);
	assert_int_equal(config_load(&cfg, err, sizeof(err)), 0);
	unsetenv("API_PLAIN_HTTP");
	setenv("API_TLS_CERT", "/x/cert.pem", 1);
	assert_int_equal(config_load(&cfg, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "API_TLS_KEY"));
	setenv("API_TLS_KEY", "/x/key.pem", 1);
	assert_int_equal(config_load(&cfg, err, sizeof(err)), 0);
}

static void write_secret(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void a_secret_may_come_in_a_file(void **state)
{
	char path[] = "/tmp/hs-secret-XXXXXX", long_one[1200];
	struct config cfg;
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	write_secret(path, "a-token-that-is-long-enough\n");
	assert_int_equal(load_with(&cfg, "HOOKSWITCH_AUTH_TOKEN_FILE", path), 0);
	assert_string_equal(cfg.auth_token, "a-token-that-is-long-enough");
	free((char *)cfg.auth_token);
	write_secret(path, "");
	assert_int_equal(load_with(&cfg, "HOOKSWITCH_AUTH_TOKEN_FILE", path), -EINVAL);
	assert_ptr_equal(strstr(err, "HOOKSWITCH_AUTH_TOKEN_FILE"), err);
	memset(long_one, 'a', sizeof(long_one));
	long_one[sizeof(long_one) - 1] = '\0';
	write_secret(path, long_one);
	assert_int_equal(load_with(&cfg, "HOOKSWITCH_AUTH_TOKEN_FILE", path), -EINVAL);
	assert_null(strstr(err, "aaaaaaaa"));
	unlink(path);
	assert_int_equal(load_with(&cfg, "HOOKSWITCH_AUTH_TOKEN_FILE", path), -EINVAL);
	assert_non_null(strstr(err, "cannot be read"));
	/* What is no secret has no such file. */
	assert_int_equal(load_with(&cfg, "LOG_LEVEL_FILE", path), 0);
}

static void a_message_is_cut_to_the_room_given(void **state)
{
	struct config cfg;
	char small[10];

	(void)state;
	load_with(&cfg, NULL, NULL);
	setenv("LOG_LEVEL", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 1);
	assert_int_equal(config_load(&cfg, small, sizeof(small)), -EINVAL);
	assert_string_equal(small, "LOG_LEVEL");
}

static void the_printed_table_has_a_row_a_setting_and_no_secret(void **state)
{
	static char text[1 << 15];
	FILE *file = tmpfile();
	int out = dup(STDOUT_FILENO), rows = 0;
	size_t n;

	(void)state;
	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	config_print_table();
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	rewind(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	for (const char *p = text; (p = strstr(p, "\n| `")); p++)
		rows++;
	assert_int_equal(rows, 76);
	assert_non_null(strstr(text, "| `SIP_PORT` | 5060 | SIP over UDP and TCP; 1 to 65535 |\n"));
	assert_non_null(strstr(text, "; one of `debug`, `info`, `warn`, `error` |\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_settings_are_enough_and_the_rest_has_defaults),
		cmocka_unit_test(what_must_be_set_is_asked_for_by_name),
		cmocka_unit_test(a_bad_value_is_refused_with_its_name_and_what_to_set),
		cmocka_unit_test(good_values_are_taken),
		cmocka_unit_test(an_empty_value_means_the_default),
		cmocka_unit_test(a_secret_is_never_part_of_the_message),
		cmocka_unit_test(rest_without_tls_stays_on_loopback_unless_that_is_asked_for),
		cmocka_unit_test(a_secret_may_come_in_a_file),
		cmocka_unit_test(a_message_is_cut_to_the_room_given),
		cmocka_unit_test(the_printed_table_has_a_row_a_setting_and_no_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
