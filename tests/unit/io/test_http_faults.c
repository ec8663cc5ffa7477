/* What test_http_client's plain peer cannot do: certificates, packed bodies, headers without end;
 * and jars in done. */
#include <errno.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_http.h"
#include "io/http_client.h"
#include "io/loop.h"

/* The client under test trusts the authority of this test. */
static char authority_file[] = "/tmp/hs-ca-XXXXXX";

static struct loop *loop;
static struct http_client *client;
static struct loop_timer *guard;
static struct fake fake;
static char url[200];
static bool late;
static struct http_jar *jar_to_free;

static struct {
	int calls, status;
	enum http_error error;
	bool chunked;
	size_t body_len;
	char text[256], body[2000];
} got;

static void on_done(void *arg, const struct http_reply *reply)
{
	(void)arg;
	got.calls++;
	got.error = reply->error;
	got.status = reply->status;
	got.chunked = reply->chunked;
	got.body_len = reply->body_len;
	snprintf(got.text, sizeof(got.text), "%s", reply->error_text);
	snprintf(got.body, sizeof(got.body), "%s", reply->body);
	http_jar_free(jar_to_free);
	jar_to_free = NULL;
	loop_stop(loop);
}

static void on_late(void *arg)
{
	(void)arg;
	late = true;
	loop_stop(loop);
}

/* One exchange of a client of its own with the fake, which ends with it. */
static void exchange(const char *scheme, bool verify, bool sni_off)
{
	struct http_request q = { .method = "GET",
				  .url = url,
				  .jar = jar_to_free,
				  .connect_ms = 2000,
				  .read_ms = 5000,
				  .total_ms = 8000,
				  .max_bytes = 65536,
				  .sni_off = sni_off };
	struct http_fetch *f;

	snprintf(url, sizeof(url), "%s://localhost:%d/", scheme, fake.port);
	late = false;
	memset(&got, 0, sizeof(got));
	loop = loop_new();
	client = http_client_new(
		loop, &(struct http_client_options){ .verify_tls = verify,
						     .ca_file = authority_file,
						     .allowed_networks = "127.0.0.1,::1" });
	guard = loop_timer_new(loop, on_late, NULL);
	loop_timer_start(guard, 20000);
	assert_int_equal(http_fetch(&f, client, &q, on_done, NULL), 0);
	loop_run(loop);
	http_client_free(client);
	loop_timer_free(guard);
	loop_free(loop);
	fake_stop(&fake);
	assert_false(late);
	assert_int_equal(got.calls, 1);
}

static void serve_once(fake_serve_fn *serve)
{
	fake_start(&fake, serve);
	exchange("http", true, false);
}

static bool ok(struct fake_peer *p, const char *request)
{
	(void)request;
	fake_reply(p, 200, "Content-Type: text/xml\r\nSet-Cookie: a=b\r\n", "<Response/>");
	return true;
}

/* -- bodies and headers */

static bool empty_chunked(struct fake_peer *p, const char *request)
{
	(void)request;
	fake_say(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	return true;
}

static bool empty(struct fake_peer *p, const char *request)
{
	(void)request;
	fake_reply(p, 200, "", "");
	return true;
}

static void an_empty_chunked_body_is_told_from_an_empty_body(void **state)
{
	(void)state;
	serve_once(empty_chunked);
	assert_int_equal(got.error, HTTP_OK);
	assert_true(got.chunked);
	assert_int_equal(got.body_len, 0);
	serve_once(empty);
	assert_int_equal(got.error, HTTP_OK);
	assert_false(got.chunked);
	assert_int_equal(got.body_len, 0);
}

static size_t gzip_len;

static size_t gzip(char *to, size_t room, size_t len)
{
	char command[100];
	FILE *f;

	snprintf(command, sizeof(command), "head -c %zu /dev/zero | tr '\\0' a | gzip", len);
	f = popen(command, "r");
	assert_non_null(f);
	len = fread(to, 1, room, f);
	pclose(f);
	return len;
}

static bool gzipped(struct fake_peer *p, const char *request)
{
	static char packed[1 << 16];
	size_t n = gzip(packed, sizeof(packed), gzip_len);
	char head[200];

	(void)request;
	snprintf(head, sizeof(head),
		 "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", n);
	fake_say(p, head);
	fake_send(p, packed, n);
	return true;
}

static void gzip_is_asked_for_and_unpacked(void **state)
{
	(void)state;
	gzip_len = 1000;
	serve_once(gzipped);
	assert_int_equal(got.error, HTTP_OK);
	assert_non_null(strstr(fake.last, "Accept-Encoding: gzip\r\n"));
	assert_int_equal(got.body_len, 1000);
	assert_int_equal(strspn(got.body, "a"), 1000);
}

static void the_limit_counts_what_was_unpacked(void **state)
{
	(void)state;
	gzip_len = 10 << 20;
	serve_once(gzipped);
	assert_int_equal(got.error, HTTP_TOO_LARGE);
	assert_true(got.body_len <= 65536);
}

static bool bad_gzip(struct fake_peer *p, const char *request)
{
	(void)request;
	fake_reply(p, 200, "Content-Encoding: gzip\r\n", "this was never packed");
	return true;
}

static bool unknown_encoding(struct fake_peer *p, const char *request)
{
	(void)request;
	fake_reply(p, 200, "Content-Encoding: rot13\r\n", "<Erfcbafr/>");
	return true;
}

static void an_encoding_that_cannot_be_undone_is_a_protocol_error(void **state)
{
	(void)state;
	serve_once(bad_gzip);
	assert_int_equal(got.error, HTTP_PROTOCOL);
	serve_once(unknown_encoding);
	assert_int_equal(got.error, HTTP_PROTOCOL);
}

static bool endless_header(struct fake_peer *p, const char *request)
{
	static const char line[] = "X-Junk: 0123456789012345678901234567890123456789012345\r\n";

	(void)request;
	fake_say(p, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 4000; i++)
		fake_say(p, line);
	return false;
}

static void an_endless_header_is_a_protocol_error(void **state)
{
	(void)state;
	serve_once(endless_header);
	assert_int_equal(got.error, HTTP_PROTOCOL);
}

static void a_jar_may_go_in_the_done_of_its_exchange(void **state)
{
	(void)state;
	jar_to_free = http_jar_new();
	serve_once(ok);
	assert_int_equal(got.error, HTTP_OK);
	assert_null(jar_to_free);
}

/* -- TLS */

#define DAY (24L * 3600)

static EVP_PKEY *authority_key;
static X509 *authority;

static void add_extension(X509 *x, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, ctx, nid, value);

	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

/* Signed by the authority, or by itself. */
static X509 *certificate(EVP_PKEY *key, const char *name, long from_s, long until_s, X509 *issuer)
{
	X509 *x = X509_new();
	X509_NAME *n = X509_get_subject_name(x);
	static long serial;
	X509V3_CTX ctx;
	char san[100];

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(x), from_s);
	X509_gmtime_adj(X509_getm_notAfter(x), until_s);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : n);
	snprintf(san, sizeof(san), "DNS:%s", name);
	X509V3_set_ctx(&ctx, issuer ? issuer : x, x, NULL, NULL, 0);
	if (issuer)
		add_extension(x, &ctx, NID_subject_alt_name, san);
	else
		add_extension(x, &ctx, NID_basic_constraints, "critical,CA:TRUE");
	X509_sign(x, issuer ? authority_key : key, EVP_sha256());
	return x;
}

static SSL_CTX *tls_server(const char *name, long from_s, long until_s, bool trusted)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = certificate(key, name, from_s, until_s, trusted ? authority : NULL);

	SSL_CTX_use_certificate(ctx, x);
	SSL_CTX_use_PrivateKey(ctx, key);
	X509_free(x);
	EVP_PKEY_free(key);
	return ctx;
}

static void https_exchange(SSL_CTX *tls, bool verify, bool sni_off)
{
	fake_start_tls(&fake, ok, tls);
	exchange("https", verify, sni_off);
}

static void a_server_with_a_good_certificate_is_trusted_and_named(void **state)
{
	(void)state;
	https_exchange(tls_server("localhost", -DAY, DAY, true), true, false);
	assert_string_equal(got.text, "");
	assert_int_equal(got.error, HTTP_OK);
	assert_string_equal(got.body, "<Response/>");
	assert_string_equal(fake.sni, "localhost");
}

static void the_name_is_not_sent_when_sni_is_off_and_still_checked(void **state)
{
	(void)state;
	https_exchange(tls_server("localhost", -DAY, DAY, true), true, true);
	assert_int_equal(got.error, HTTP_OK);
	assert_string_equal(fake.sni, "");
	https_exchange(tls_server("other.example", -DAY, DAY, true), true, true);
	assert_int_equal(got.error, HTTP_TLS_NAME);
}

static void each_fault_of_a_certificate_has_its_own_error(void **state)
{
	(void)state;
	https_exchange(tls_server("expired.example", -DAY, DAY, true), true, false);
	assert_int_equal(got.error, HTTP_TLS_NAME);
	https_exchange(tls_server("localhost", -2 * DAY, -DAY, true), true, false);
	assert_int_equal(got.error, HTTP_TLS_EXPIRED);
	https_exchange(tls_server("localhost", DAY, 2 * DAY, true), true, false);
	assert_int_equal(got.error, HTTP_TLS_EXPIRED);
	https_exchange(tls_server("localhost", -DAY, DAY, false), true, false);
	assert_int_equal(got.error, HTTP_TLS_CHAIN);
}

static void no_fault_of_a_certificate_counts_when_none_is_asked_for(void **state)
{
	(void)state;
	https_exchange(tls_server("other.example", -2 * DAY, -DAY, false), false, false);
	assert_int_equal(got.error, HTTP_OK);
}

static void a_tls_version_too_old_is_a_handshake_error(void **state)
{
	SSL_CTX *ctx = tls_server("localhost", -DAY, DAY, true);

	(void)state;
	SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
	https_exchange(ctx, true, false);
	assert_int_equal(got.error, HTTP_TLS_HANDSHAKE);
}

static int make_authority(void **state)
{
	FILE *f = fdopen(mkstemp(authority_file), "w");

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	authority_key = EVP_EC_gen("P-256");
	authority = certificate(authority_key, "Test Authority", -DAY, DAY, NULL);
	PEM_write_X509(f, authority);
	return fclose(f);
}

static int remove_authority(void **state)
{
	(void)state;
	X509_free(authority);
	EVP_PKEY_free(authority_key);
	return unlink(authority_file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_chunked_body_is_told_from_an_empty_body),
		cmocka_unit_test(gzip_is_asked_for_and_unpacked),
		cmocka_unit_test(the_limit_counts_what_was_unpacked),
		cmocka_unit_test(an_encoding_that_cannot_be_undone_is_a_protocol_error),
		cmocka_unit_test(an_endless_header_is_a_protocol_error),
		cmocka_unit_test(a_jar_may_go_in_the_done_of_its_exchange),
		cmocka_unit_test(a_server_with_a_good_certificate_is_trusted_and_named),
		cmocka_unit_test(the_name_is_not_sent_when_sni_is_off_and_still_checked),
		cmocka_unit_test(each_fault_of_a_certificate_has_its_own_error),
		cmocka_unit_test(no_fault_of_a_certificate_counts_when_none_is_asked_for),
		cmocka_unit_test(a_tls_version_too_old_is_a_handshake_error),
	};

	return cmocka_run_group_tests(tests, make_authority, remove_authority);
}
