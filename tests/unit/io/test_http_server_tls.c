/* The listener over TLS: what is spoken, whose certificate is shown, and how it changes; and the
 * limits of addresses. */
#include "http_heard.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/stat.h>

#define DAY (24L * 3600)

static char dir[] = "/tmp/hs-tls-XXXXXX";
static char cert_path[64], key_path[64];

/* To a new file that takes the place of the old one, as tools that renew certificates do. */
static FILE *replace(const char *path, char temporary[80])
{
	snprintf(temporary, 80, "%s.new", path);
	return fopen(temporary, "w");
}

static void write_cert(const char *name, EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *n = X509_get_subject_name(x);
	char temporary[80];
	FILE *f = replace(cert_path, temporary);

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -DAY);
	X509_gmtime_adj(X509_getm_notAfter(x), DAY);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, n);
	X509_sign(x, key, EVP_sha256());
	PEM_write_X509(f, x);
	X509_free(x);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(temporary, cert_path), 0);
}

static void write_key(EVP_PKEY *key)
{
	char temporary[80];
	FILE *f = replace(key_path, temporary);

	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(temporary, key_path), 0);
}

static void write_pair(const char *name, EVP_PKEY *key)
{
	write_key(key);
	write_cert(name, key);
	EVP_PKEY_free(key);
}

static struct http_server_options options(void)
{
	return (struct http_server_options){ .bind = "127.0.0.1",
					     .threads = THREADS,
					     .max_connections = 50,
					     .idle_timeout_s = 20,
					     .request_timeout_s = 60,
					     .max_body_bytes = MAX_BODY,
					     .tls_cert = cert_path,
					     .tls_key = key_path };
}

static void start_tls(void)
{
	const struct http_server_options o = options();
	char err[600] = "";

	memset(&heard, 0, sizeof(heard));
	server = http_server_start(&o, remember, NULL, err, sizeof(err));
	assert_string_equal(err, "");
	assert_non_null(server);
	port = http_server_port(server);
}

static int make_files(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_non_null(mkdtemp(dir));
	snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", dir);
	snprintf(key_path, sizeof(key_path), "%s/key.pem", dir);
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	unlink(cert_path);
	unlink(key_path);
	return rmdir(dir);
}

static int started(void **state)
{
	(void)state;
	write_pair("first.example", EVP_EC_gen("P-256"));
	start_tls();
	return 0;
}

/* A request over TLS; the name on the certificate, or "" when the handshake failed. */
static const char *name_of(int version, const char *ciphers, const char *request)
{
	static char name[80];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int fd = dial(), n;
	char text[1000];
	X509 *x;
	SSL *ssl;

	*name = '\0';
	SSL_CTX_set_security_level(ctx, 0);
	if (version) {
		SSL_CTX_set_min_proto_version(ctx, version);
		SSL_CTX_set_max_proto_version(ctx, version);
	}
	if (ciphers)
		assert_true(SSL_CTX_set_cipher_list(ctx, ciphers));
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) == 1) {
		x = SSL_get1_peer_certificate(ssl);
		X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name,
					  sizeof(name));
		X509_free(x);
		assert_true(SSL_write(ssl, request, (int)strlen(request)) > 0);
		n = SSL_read(ssl, text, sizeof(text) - 1);
		assert_true(n > 12);
		text[n] = '\0';
		assert_non_null(strstr(text, "HTTP/1.1 201"));
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	return name;
}

static const char *name_now(void)
{
	return name_of(0, NULL, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
}

static void a_request_over_tls_is_served(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(name_of(versions[i], NULL,
					    "POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: "
					    "3\r\n\r\na=b"),
				    "first.example");
		assert_string_equal(heard.path, "/a");
		assert_string_equal(heard.query, "b=c");
		assert_string_equal(heard.body, "a=b");
		assert_string_equal(heard.peer, "127.0.0.1");
	}
}

static void old_versions_and_weak_ciphers_are_refused(void **state)
{
	static const char *const weak[] = { "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA",
					    "ECDHE-ECDSA-AES256-SHA384" };
	static const int old[] = { TLS1_VERSION, TLS1_1_VERSION };
	const char *get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(name_of(old[i], NULL, get), "");
	for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++)
		assert_string_equal(name_of(TLS1_2_VERSION, weak[i], get), "");
	assert_string_equal(name_of(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", get),
			    "first.example");
	assert_int_equal(heard.calls, 1);
}

static void plain_http_is_not_served_there(void **state)
{
	const char *request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	char text[100];
	int fd = dial();

	(void)state;
	says(fd, request);
	while (recv(fd, text, sizeof(text), 0) > 0)
		;
	close(fd);
	assert_int_equal(heard.calls, 0);
}

static void a_new_certificate_is_shown_from_the_next_connection_on(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	(void)state;
	assert_string_equal(name_now(), "first.example");
	write_pair("second.example", EVP_RSA_gen(2048));
	assert_string_equal(name_now(), "second.example");
	/* Half of a change: the key is not there yet. */
	write_cert("third.example", key);
	assert_string_equal(name_now(), "second.example");
	write_key(key);
	assert_string_equal(name_now(), "third.example");
	EVP_PKEY_free(key);
	/* Nonsense, and nothing. */
	assert_int_equal(truncate(cert_path, 10), 0);
	assert_string_equal(name_now(), "third.example");
	unlink(cert_path);
	assert_string_equal(name_now(), "third.example");
}

static void files_that_do_not_belong_together_are_told_at_start(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct http_server_options o = options();
	char err[600] = "";

	(void)state;
	write_pair("first.example", EVP_EC_gen("P-256"));
	write_key(key);
	EVP_PKEY_free(key);
	assert_null(http_server_start(&o, remember, NULL, err, sizeof(err)));
	assert_non_null(strstr(err, "API_TLS_KEY"));
	unlink(key_path);
	assert_null(http_server_start(&o, remember, NULL, err, sizeof(err)));
	assert_non_null(strstr(err, "cannot be read"));
	o.tls_key = cert_path;
	assert_null(http_server_start(&o, remember, NULL, err, sizeof(err)));
	assert_non_null(strstr(err, "PEM"));
}

/* Closed by the server within DEADLINE_MS; an alert may come before. */
static bool ends(int fd)
{
	char byte;
	ssize_t n;

	while ((n = recv(fd, &byte, 1, 0)) > 0)
		;
	return n == 0 || errno == ECONNRESET;
}

/* Who connects and says nothing holds a connection no longer than one who speaks slowly. */
static void a_handshake_that_does_not_come_is_cut_off(void **state)
{
	struct http_server_options o = options();
	char err[600] = "";
	int fd;

	(void)state;
	write_pair("first.example", EVP_EC_gen("P-256"));
	o.idle_timeout_s = o.request_timeout_s = 1;
	server = http_server_start(&o, remember, NULL, err, sizeof(err));
	assert_non_null(server);
	port = http_server_port(server);
	fd = dial();
	assert_true(ends(fd));
	close(fd);
	fd = dial();
	assert_true(say(fd, "\x16\x03\x01", 3));
	assert_true(ends(fd));
	close(fd);
}

/* -- addresses */

static bool served(int fd)
{
	char text[600];

	return say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27) && recv(fd, text, 12, 0) == 12 &&
	       recv(fd, text, sizeof(text), 0) > 0;
}

static void an_address_has_so_many_connections_and_no_more(void **state)
{
	struct http_server_options o = options();
	char err[200] = "";
	int fd[3];

	(void)state;
	o.tls_cert = o.tls_key = NULL;
	o.max_connections_each = 2;
	memset(&heard, 0, sizeof(heard));
	server = http_server_start(&o, remember, NULL, err, sizeof(err));
	assert_non_null(server);
	port = http_server_port(server);
	for (int i = 0; i < 2; i++) {
		fd[i] = dial();
		assert_true(served(fd[i]));
	}
	fd[2] = dial();
	assert_false(served(fd[2]));
	assert_true(served(fd[0]));
	assert_int_equal(heard.calls, 3);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
}

static void all_lines_of_x_forwarded_for_are_one_list(void **state)
{
	char text[1000], many[700];

	(void)state;
	ask("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2\r\nX-A: b\r\n"
	    "x-forwarded-for: 3.3.3.3\r\n\r\n");
	assert_string_equal(heard.forwarded, "1.1.1.1, 2.2.2.2,3.3.3.3");
	ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_string_equal(heard.forwarded, "(null)");
	/* Where it was cut there would be another last one. */
	memset(many, '1', sizeof(many));
	many[sizeof(many) - 1] = '\0';
	snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: %s\r\n\r\n",
		 many);
	ask(text);
	assert_string_equal(heard.forwarded, "(null)");
}

#define OVER_TLS(test) cmocka_unit_test_setup_teardown(test, started, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OVER_TLS(a_request_over_tls_is_served),
		OVER_TLS(old_versions_and_weak_ciphers_are_refused),
		OVER_TLS(plain_http_is_not_served_there),
		OVER_TLS(a_new_certificate_is_shown_from_the_next_connection_on),
		cmocka_unit_test(files_that_do_not_belong_together_are_told_at_start),
		cmocka_unit_test_teardown(a_handshake_that_does_not_come_is_cut_off, teardown),
		cmocka_unit_test_teardown(an_address_has_so_many_connections_and_no_more, teardown),
		SERVED(all_lines_of_x_forwarded_for_are_one_list),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
