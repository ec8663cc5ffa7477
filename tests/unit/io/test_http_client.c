#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/http_client.h"
#include "io/http_peer.h"
#include "media/loop_thread.h"

#define DEADLINE_MS 10000

/* The client on its loop, the peer on its thread; the test thread waits for both. */
static struct loop_thread thread;
static struct http_client *client;
static struct http_peer peer;
#define LOCAL "127.0.0.0/8,::1"
static const char *const *refuse;
static const char *allowed_networks = LOCAL;
static char url[64];

/* An exchange and what came of it. */
struct exchange {
	struct http_request q;
	struct http_fetch *fetch;
	bool returned;	 /* from http_fetch */
	bool early;	 /* done ran before that */
	atomic_int done; /* how often */
	sem_t ended;
	bool cancel_in_done;	  /* as an owner that tidies up would */
	struct http_fetch *other; /* cancelled in done */
	struct http_jar *jar;	  /* freed in done */
	enum http_error error;
	int status;
	char *content_type, *location, *etag, *last_modified, *cache_control, *headers, *body;
	size_t body_len;
	bool chunked;
	char error_text[256];
	unsigned time_total_ms, time_first_byte_ms;
};

static char *copy(const char *s)
{
	return s ? strdup(s) : NULL;
}

static void on_done(void *arg, const struct http_reply *r)
{
	struct exchange *x = arg;

	x->early = !x->returned;
	if (x->cancel_in_done)
		http_fetch_cancel(x->fetch);
	http_fetch_cancel(x->other);
	http_jar_free(x->jar);
	x->error = r->error;
	x->status = r->status;
	x->content_type = copy(r->content_type);
	x->location = copy(r->location);
	x->etag = copy(r->etag);
	x->last_modified = copy(r->last_modified);
	x->cache_control = copy(r->cache_control);
	x->headers = copy(r->headers);
	x->body_len = r->body_len;
	x->body = malloc(r->body_len + 1);
	memcpy(x->body, r->body, r->body_len + 1);
	x->chunked = r->chunked;
	memcpy(x->error_text, r->error_text, sizeof(x->error_text));
	x->time_total_ms = r->time_total_ms;
	x->time_first_byte_ms = r->time_first_byte_ms;
	x->done++;
	sem_post(&x->ended);
}

static void forget(struct exchange *x)
{
	free(x->content_type);
	free(x->location);
	free(x->etag);
	free(x->last_modified);
	free(x->cache_control);
	free(x->headers);
	free(x->body);
	x->content_type = x->location = x->etag = x->last_modified = x->cache_control = x->headers =
		x->body = NULL;
}

static void do_start(void *arg)
{
	struct exchange *x = arg;

	if (http_fetch(&x->fetch, client, &x->q, on_done, x))
		abort();
	x->returned = true;
}

static void do_cancel(void *arg)
{
	http_fetch_cancel(((struct exchange *)arg)->fetch);
}

static void begin(struct exchange *x)
{
	forget(x);
	x->returned = false;
	x->done = 0;
	sem_init(&x->ended, 0, 0);
	loop_thread_do(&thread, do_start, x);
}

static void finish(struct exchange *x)
{
	assert_true(wait_sem(&x->ended, DEADLINE_MS));
	assert_false(x->early);
	assert_true(x->error ? x->error_text[0] : !x->error_text[0]);
}

static void run(struct exchange *x)
{
	begin(x);
	finish(x);
}

static struct exchange get(const char *at)
{
	return (struct exchange){ .q = { .method = "GET",
					 .url = at,
					 .connect_ms = 5000,
					 .read_ms = 8000,
					 .total_ms = 9000,
					 .max_bytes = 1000 } };
}

static void do_open(void *arg)
{
	(void)arg;
	client = http_client_new(
		thread.loop, &(struct http_client_options){ .verify_tls = true,
							    .allowed_networks = allowed_networks,
							    .refuse = refuse });
}

static void do_close(void *arg)
{
	(void)arg;
	http_client_free(client);
}

static void open_client(http_peer_fn *answer)
{
	if (answer) {
		http_peer_start(&peer, answer);
		snprintf(url, sizeof(url), "http://127.0.0.1:%d/", peer.port);
	}
	loop_thread_start(&thread);
	loop_thread_do(&thread, do_open, NULL);
	assert_non_null(client);
}

/* The client, then the peer: what was asked is final after it. */
static void close_client(void)
{
	loop_thread_end(&thread, do_close, NULL);
	if (peer.answer)
		http_peer_stop(&peer);
}

static int teardown(void **state)
{
	(void)state;
	http_peer_free(&peer);
	memset(&peer, 0, sizeof(peer));
	refuse = NULL;
	allowed_networks = LOCAL;
	return 0;
}

/* One GET against a peer that answers so. */
static struct exchange ask(http_peer_fn *answer)
{
	struct exchange x;

	open_client(answer);
	x = get(url);
	run(&x);
	close_client();
	return x;
}

static void assert_error_of(http_peer_fn *answer, enum http_error error)
{
	struct exchange x = ask(answer);

	assert_int_equal(x.error, error);
	assert_int_equal(x.done, 1);
	forget(&x);
	teardown(NULL);
}

/* -- good replies */

static bool full(int fd, const char *request, int number)
{
	(void)request;
	(void)number;
	http_peer_says(fd, "HTTP/1.1 100 Continue\r\nETag: \"no\"\r\n\r\n");
	http_peer_says(
		fd,
		"HTTP/1.1 200 OK\r\nContent-Type:  text/xml; charset=utf-8 \r\nETAG: \"e\"\r\n");
	http_peer_says(
		fd, "Last-Modified: then\r\nCache-Control: no-store\r\nContent-Length: 5\r\n\r\n");
	return http_peer_send(fd, "a\0b\0c", 5);
}

static void a_reply_comes_whole_with_the_headers_of_the_last_status(void **state)
{
	struct exchange x = ask(full);

	(void)state;
	assert_int_equal(x.error, HTTP_OK);
	assert_int_equal(x.status, 200);
	assert_string_equal(x.content_type, "text/xml; charset=utf-8");
	assert_string_equal(x.etag, "\"e\"");
	assert_string_equal(x.last_modified, "then");
	assert_string_equal(x.cache_control, "no-store");
	assert_null(x.location);
	assert_int_equal(x.body_len, 5);
	assert_memory_equal(x.body, "a\0b\0c", 6);
	assert_false(x.chunked);
	assert_ptr_equal(strstr(x.headers, "HTTP/1.1 200 OK\r\n"), x.headers);
	forget(&x);
}

static bool ok(int fd, const char *request, int number)
{
	(void)request;
	(void)number;
	return http_peer_says(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static void exchanges_one_after_the_other_use_one_connection(void **state)
{
	struct exchange x;

	(void)state;
	open_client(ok);
	x = get(url);
	for (int i = 0; i < 5; i++) {
		run(&x);
		assert_int_equal(x.error, HTTP_OK);
		assert_string_equal(x.body, "ok");
	}
	close_client();
	assert_int_equal(peer.requests, 5);
	assert_int_equal(peer.connections, 1);
	forget(&x);
}

static bool chunked(int fd, const char *request, int number)
{
	(void)request;
	return http_peer_says(fd, number ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
					 : "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
					   "2\r\no\r\r\n1\r\nk\r\n0\r\n\r\n");
}

static void a_chunked_reply_is_put_together_and_told_so(void **state)
{
	struct exchange x;

	(void)state;
	open_client(chunked);
	x = get(url);
	run(&x);
	assert_int_equal(x.error, HTTP_OK);
	assert_true(x.chunked);
	assert_string_equal(x.body, "o\rk");
	run(&x);
	assert_false(x.chunked);
	close_client();
	forget(&x);
}

static bool redirect(int fd, const char *request, int number)
{
	(void)request;
	(void)number;
	return http_peer_says(fd,
			      "HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n");
}

static void a_redirect_is_reported_and_not_followed(void **state)
{
	struct exchange x = ask(redirect);

	(void)state;
	assert_int_equal(x.error, HTTP_OK);
	assert_int_equal(x.status, 302);
	assert_string_equal(x.location, "/next");
	assert_string_equal(x.body, "");
	assert_int_equal(peer.requests, 1);
	forget(&x);
}

static void a_big_post_goes_out_whole_with_its_headers_and_without_asking_first(void **state)
{
	static const char *const headers[] = {
		"X-Signature: abc=", "Content-Type: application/x-www-form-urlencoded", NULL
	};
	size_t len = 2 << 20;
	char *body = malloc(len);
	struct exchange x;
	const char *sent;

	(void)state;
	memset(body, 'p', len);
	open_client(ok);
	x = get(url);
	x.q.method = "POST";
	x.q.headers = headers;
	x.q.body = body;
	x.q.body_len = len;
	begin(&x);
	memset(body, 'x', len); /* the client has its own copy */
	finish(&x);
	close_client();
	assert_int_equal(x.error, HTTP_OK);
	assert_memory_equal(peer.text[0], "POST / HTTP/1.1\r\n", 17);
	assert_non_null(strstr(peer.text[0], "\r\nX-Signature: abc=\r\n"));
	assert_non_null(
		strstr(peer.text[0], "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
	assert_null(strcasestr(peer.text[0], "\r\nExpect:"));
	sent = strstr(peer.text[0], "\r\n\r\n") + 4;
	assert_int_equal(strspn(sent, "p"), len);
	free(body);
	forget(&x);
}

/* -- bad peers */

static bool silent(int fd, const char *request, int number)
{
	(void)fd;
	(void)request;
	(void)number;
	return true;
}

static bool half_a_body(int fd, const char *request, int number)
{
	(void)request;
	(void)number;
	return http_peer_says(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
}

static void a_first_byte_that_is_late_is_a_read_timeout(void **state)
{
	struct exchange x;

	(void)state;
	open_client(silent);
	x = get(url);
	x.q.read_ms = 100;
	run(&x);
	close_client();
	assert_int_equal(x.error, HTTP_READ_TIMEOUT);
	assert_int_equal(x.status, 0);
	assert_int_equal(peer.requests, 1);
	forget(&x);
}

static void a_body_that_stops_to_come_is_a_read_timeout(void **state)
{
	struct exchange x;

	(void)state;
	open_client(half_a_body);
	x = get(url);
	x.q.read_ms = 100;
	run(&x);
	close_client();
	assert_int_equal(x.error, HTTP_READ_TIMEOUT);
	assert_int_equal(x.status, 200);
	forget(&x);
}

/* A byte of the body every few milliseconds, until the client goes. */
static bool drip(int fd, const char *request, int number)
{
	struct pollfd gone = { .fd = fd, .events = POLLRDHUP };

	(void)request;
	(void)number;
	http_peer_says(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
	while (http_peer_says(fd, "x") && poll(&gone, 1, 5) == 0)
		;
	return false;
}

static void a_body_that_comes_for_ever_is_a_total_timeout(void **state)
{
	struct exchange x;

	(void)state;
	open_client(drip);
	x = get(url);
	x.q.max_bytes = 1 << 20;
	x.q.total_ms = 300;
	run(&x);
	close_client();
	assert_int_equal(x.error, HTTP_TOTAL_TIMEOUT);
	assert_in_range(x.time_total_ms, 290, DEADLINE_MS);
	forget(&x);
}

static bool cut_off(int fd, const char *request, int number)
{
	half_a_body(fd, request, number);
	return false;
}

static bool cut_off_chunk(int fd, const char *request, int number)
{
	(void)request;
	(void)number;
	http_peer_says(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
	return false;
}

static bool cut_off_header(int fd, const char *request, int number)
{
	(void)request;
	(void)number;
	http_peer_says(fd, "HTTP/1.1 200 OK\r\nContent-Le");
	return false;
}

static bool hangs_up(int fd, const char *request, int number)
{
	(void)fd;
	(void)request;
	(void)number;
	return false;
}

static void a_reply_that_is_cut_off_is_a_protocol_error(void **state)
{
	(void)state;
	assert_error_of(cut_off, HTTP_PROTOCOL);
	assert_error_of(cut_off_chunk, HTTP_PROTOCOL);
	assert_error_of(cut_off_header, HTTP_PROTOCOL);
	assert_error_of(hangs_up, HTTP_PROTOCOL);
}

static bool garbage(int fd, const char *request, int number)
{
	(void)request;
	(void)number;
	http_peer_send(fd, "\x16\x03\0\1garbage\r\n\r\n\xff", 16);
	return false;
}

static bool other_protocol(int fd, const char *request, int number)
{
	(void)request;
	(void)number;
	http_peer_says(fd, "220 mail.example.com ESMTP\r\n");
	return false;
}

static bool bad_chunk(int fd, const char *request, int number)
{
	(void)request;
	(void)number;
	return http_peer_says(
		fd,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n");
}

static bool bad_gzip(int fd, const char *request, int number)
{
	(void)request;
	(void)number;
	return http_peer_says(
		fd,
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!");
}

static bool endless_header(int fd, const char *request, int number)
{
	(void)request;
	(void)number;
	http_peer_says(fd, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 20000; i++)
		if (!http_peer_says(fd, "X-Filler: 0123456789012345678901234567890123456789\r\n"))
			break;
	return false;
}

static void what_is_no_http_is_a_protocol_error(void **state)
{
	(void)state;
	assert_error_of(garbage, HTTP_PROTOCOL);
	assert_error_of(other_protocol, HTTP_PROTOCOL);
	assert_error_of(bad_chunk, HTTP_PROTOCOL);
	assert_error_of(bad_gzip, HTTP_PROTOCOL);
	assert_error_of(endless_header, HTTP_PROTOCOL);
}

static bool sized(int fd, const char *request, int number)
{
	static const char block[1001];

	(void)request;
	http_peer_says(fd, number ? "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"
				  : "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
	return http_peer_send(fd, block, number ? 1001 : 1000);
}

static bool endless(int fd, const char *request, int number)
{
	(void)request;
	(void)number;
	http_peer_says(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	while (http_peer_says(fd, "10\r\n0123456789abcdef\r\n"))
		;
	return false;
}

static void a_body_of_the_maximum_is_taken_and_a_byte_more_is_too_large(void **state)
{
	struct exchange x;

	(void)state;
	open_client(sized);
	x = get(url);
	run(&x);
	assert_int_equal(x.error, HTTP_OK);
	assert_int_equal(x.body_len, 1000);
	run(&x);
	assert_int_equal(x.error, HTTP_TOO_LARGE);
	assert_true(x.body_len <= 1000);
	close_client();
	forget(&x);
}

static void a_body_without_an_end_is_too_large(void **state)
{
	(void)state;
	assert_error_of(endless, HTTP_TOO_LARGE);
}

static void a_port_where_nobody_listens_is_connect_refused(void **state)
{
	uint16_t port;
	struct exchange x;

	(void)state;
	close(http_peer_listen(&port, 1));
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
	open_client(NULL);
	x = get(url);
	run(&x);
	close_client();
	assert_int_equal(x.error, HTTP_CONNECT_REFUSED);
	assert_int_equal(x.status, 0);
	forget(&x);
}

/* A listener whose queue is full lets nobody in and refuses nobody. */
static void a_peer_that_does_not_let_in_is_a_connect_timeout(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint16_t port;
	int listener = http_peer_listen(&port, 0), fds[4];
	struct exchange x;

	(void)state;
	a.sin_port = htons(port);
	for (int i = 0; i < 4; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fds[i], (struct sockaddr *)&a, sizeof(a));
	}
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
	open_client(NULL);
	x = get(url);
	x.q.connect_ms = 200;
	run(&x);
	close_client();
	assert_int_equal(x.error, HTTP_CONNECT_TIMEOUT);
	forget(&x);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	close(listener);
}

static void a_url_that_cannot_be_used_is_a_bad_url(void **state)
{
	static const char *const bad[] = { "",
					   "http://",
					   "ftp://127.0.0.1/",
					   "file:///etc/passwd",
					   "gopher://127.0.0.1/",
					   "http://127.0.0.1:99999/",
					   "nonsense://x" };

	(void)state;
	open_client(NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct exchange x = get(bad[i]);

		run(&x);
		assert_int_equal(x.error, HTTP_BAD_URL);
		forget(&x);
	}
	close_client();
}

static void a_name_that_does_not_resolve_is_a_bad_host(void **state)
{
	struct exchange x;

	(void)state;
	open_client(NULL);
	/* A label of more than 63 bytes: no resolver is asked. */
	x = get("http://"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test/");
	run(&x);
	close_client();
	assert_int_equal(x.error, HTTP_BAD_HOST);
	forget(&x);
}

/* -- credentials */

static bool wants_basic(int fd, const char *request, int number)
{
	(void)number;
	return http_peer_says(fd,
			      strstr(request, "\r\nAuthorization: Basic dXNlcjpwYXNz\r\n")
				      ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
				      : "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"r\"\r\n"
					"ETag: \"401\"\r\nContent-Length: 4\r\n\r\nwho?");
}

static struct exchange post_as(const char *user, const char *password)
{
	struct exchange x = get(url);

	x.q.method = "POST";
	x.q.body = "CallSid=CA1&Digits=1";
	x.q.body_len = strlen(x.q.body);
	x.q.username = user;
	x.q.password = password;
	return x;
}

static void credentials_go_out_only_after_a_401_and_the_body_goes_again(void **state)
{
	struct exchange x;

	(void)state;
	open_client(wants_basic);
	x = post_as("user", "pass");
	run(&x);
	close_client();
	assert_int_equal(x.error, HTTP_OK);
	assert_int_equal(x.status, 200);
	assert_string_equal(x.body, "ok");
	assert_null(x.etag);
	assert_null(strstr(x.headers, "401"));
	assert_int_equal(peer.requests, 2);
	assert_null(strcasestr(peer.text[0], "Authorization"));
	for (int i = 0; i < 2; i++)
		assert_string_equal(strstr(peer.text[i], "\r\n\r\n") + 4, "CallSid=CA1&Digits=1");
	forget(&x);
}

static void wrong_credentials_are_tried_once_and_the_401_reported(void **state)
{
	struct exchange x;

	(void)state;
	open_client(wants_basic);
	x = post_as("user", "wrong");
	run(&x);
	close_client();
	assert_int_equal(x.error, HTTP_OK);
	assert_int_equal(x.status, 401);
	assert_string_equal(x.body, "who?");
	assert_int_equal(peer.requests, 2);
	forget(&x);
}

static void credentials_do_not_pass_to_the_next_exchange(void **state)
{
	struct exchange x;

	(void)state;
	open_client(wants_basic);
	x = post_as("user", "pass");
	run(&x);
	x.q.username = x.q.password = NULL;
	run(&x);
	close_client();
	assert_int_equal(x.status, 401);
	assert_int_equal(peer.requests, 3);
	assert_null(strcasestr(peer.text[2], "Authorization"));
	forget(&x);
}

static bool wants_digest(int fd, const char *request, int number)
{
	(void)number;
	return http_peer_says(
		fd,
		strstr(request, "\r\nAuthorization: Digest username=\"user\"")
			? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
			: "HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", "
			  "qop=\"auth\"\r\nContent-Length: 0\r\n\r\n");
}

static void a_401_that_asks_for_digest_gets_digest(void **state)
{
	struct exchange x;

	(void)state;
	open_client(wants_digest);
	x = post_as("user", "pass");
	run(&x);
	close_client();
	assert_int_equal(x.status, 200);
	assert_int_equal(peer.requests, 2);
	assert_null(strcasestr(peer.text[0], "Authorization"));
	assert_null(strstr(peer.text[1], "pass"));
	assert_string_equal(strstr(peer.text[1], "\r\n\r\n") + 4, "CallSid=CA1&Digits=1");
	forget(&x);
}

/* -- cookies */

static bool sets_cookie(int fd, const char *request, int number)
{
	(void)request;
	(void)number;
	return http_peer_says(
		fd, "HTTP/1.1 200 OK\r\nSet-Cookie: s=1; Path=/\r\nContent-Length: 0\r\n\r\n");
}

static void a_cookie_stays_in_its_jar(void **state)
{
	struct http_jar *a = http_jar_new(), *b = http_jar_new();
	struct http_jar *const jars[] = { a, a, b, NULL, NULL, a };
	static const bool cookie[] = { false, true, false, false, false, true };
	struct exchange x;

	(void)state;
	open_client(sets_cookie);
	x = get(url);
	for (int i = 0; i < 6; i++) {
		x.q.jar = jars[i];
		run(&x);
		assert_int_equal(x.error, HTTP_OK);
	}
	x.jar = a; /* goes in done, as with a call that ends there */
	run(&x);
	http_jar_free(b);
	x.jar = x.q.jar = NULL;
	run(&x);
	close_client();
	assert_int_equal(peer.requests, 8);
	for (int i = 0; i < 6; i++)
		assert_true(cookie[i] == !!strstr(peer.text[i], "\r\nCookie: s=1\r\n"));
	forget(&x);
}

/* -- cancelling */

static bool answers_path_now(int fd, const char *request, int number)
{
	return strncmp(request, "GET /now", 8) ? true : ok(fd, request, number);
}

static void a_cancelled_exchange_does_not_complete(void **state)
{
	struct exchange never, now;
	char at[80];

	(void)state;
	open_client(answers_path_now);
	never = get(url);
	never.q.read_ms = 150;
	begin(&never);
	loop_thread_do(&thread, do_cancel, &never);
	/* Its deadline passes while another exchange waits for its own. */
	now = get(url);
	now.q.read_ms = 300;
	run(&now);
	assert_int_equal(now.error, HTTP_READ_TIMEOUT);
	assert_int_equal(never.done, 0);
	snprintf(at, sizeof(at), "%snow", url);
	now.q.url = at;
	run(&now);
	assert_int_equal(now.error, HTTP_OK);
	close_client();
	assert_int_equal(never.done, 0);
	forget(&now);
}

static void a_completion_may_cancel_its_own_and_other_exchanges(void **state)
{
	struct exchange never, now;
	char at[80];

	(void)state;
	open_client(answers_path_now);
	never = get(url);
	begin(&never);
	snprintf(at, sizeof(at), "%snow", url);
	now = get(at);
	now.cancel_in_done = true;
	now.other = never.fetch;
	run(&now);
	close_client();
	assert_int_equal(now.done, 1);
	assert_string_equal(now.body, "ok");
	assert_int_equal(never.done, 0);
	forget(&now);
}

static void what_runs_when_the_client_ends_does_not_complete(void **state)
{
	struct exchange x[5];

	(void)state;
	open_client(silent);
	for (int i = 0; i < 5; i++) {
		x[i] = get(url);
		begin(&x[i]);
	}
	close_client();
	for (int i = 0; i < 5; i++)
		assert_int_equal(x[i].done, 0);
}

/* -- addresses */

static void our_own_control_sockets_are_never_connected_to(void **state)
{
	static const char *const hosts[] = { "127.0.0.1",	   "127.0.0.2", "0.0.0.0",
					     "[::ffff:127.0.0.1]", "localhost", "0x7f.1",
					     "2130706433",	   "[::1]" };
	char own[32];
	const char *list[] = { "nonsense", own, NULL };
	struct exchange x;

	(void)state;
	http_peer_start(&peer, ok);
	snprintf(own, sizeof(own), "127.0.0.1:%d", peer.port);
	refuse = list;
	open_client(NULL);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		char at[80];

		snprintf(at, sizeof(at), "http://%s:%d/", hosts[i], peer.port);
		x = get(at);
		run(&x);
		assert_int_equal(x.error, HTTP_ADDRESS_REFUSED);
		assert_int_equal(x.status, 0);
		forget(&x);
	}
	close_client();
	assert_int_equal(peer.connections, 0);
}

static void another_port_of_a_refused_address_is_served(void **state)
{
	static const char *const list[] = { "127.0.0.1:1", NULL };
	struct exchange x;

	(void)state;
	refuse = list;
	x = ask(ok);
	assert_int_equal(x.error, HTTP_OK);
	forget(&x);
}

static void addresses_that_are_not_public_are_refused_unless_allowed(void **state)
{
	static const char *const hosts[] = { "127.0.0.1",
					     "10.1.2.3",
					     "172.16.0.1",
					     "192.168.1.1",
					     "169.254.169.254",
					     "100.64.0.1",
					     "0.0.0.0",
					     "224.0.0.1",
					     "255.255.255.255",
					     "[::1]",
					     "[fe80::1]",
					     "[fd00::1]",
					     "[::ffff:10.0.0.1]",
					     "[64:ff9b::a00:1]",
					     "[2002:a00:1::]",
					     "[2001:db8::1]",
					     "[::ffff:127.0.0.1]",
					     "localhost",
					     "2130706433",
					     "0x7f.1" };

	(void)state;
	allowed_networks = "192.168.0.0/24,2001:db8:1::/48";
	http_peer_start(&peer, ok);
	open_client(NULL);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		char at[80];
		struct exchange x;

		snprintf(at, sizeof(at), "http://%s:%d/", hosts[i], peer.port);
		x = get(at);
		run(&x);
		assert_int_equal(x.error, HTTP_ADDRESS_REFUSED);
		forget(&x);
	}
	close_client();
	assert_int_equal(peer.connections, 0);
}

/* What a name meant when it was allowed counts for nothing: the address that is connected to does.
 */
static void a_name_is_judged_by_the_address_that_it_leads_to(void **state)
{
	struct exchange x;

	(void)state;
	open_client(ok);
	snprintf(url, sizeof(url), "http://localhost:%d/", peer.port);
	x = get(url);
	run(&x);
	close_client();
	assert_int_equal(x.error, HTTP_OK);
	forget(&x);
	http_peer_free(&peer);
	allowed_networks = "::1";
	open_client(ok);
	snprintf(url, sizeof(url), "http://localhost:%d/", peer.port);
	x = get(url);
	run(&x);
	close_client();
	assert_int_not_equal(x.error, HTTP_OK);
	assert_int_equal(peer.connections, 0);
	forget(&x);
}

static void proxies_of_the_environment_are_not_asked(void **state)
{
	struct exchange x;

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
	x = ask(ok);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
	assert_int_equal(x.error, HTTP_OK);
	forget(&x);
}

/* A peer that speaks plain HTTP at once where TLS is meant. */
static void tls_with_a_peer_that_speaks_none_is_a_handshake_error(void **state)
{
	uint16_t port;
	int listener = http_peer_listen(&port, 1), fd;
	struct pollfd ready = { .fd = listener, .events = POLLIN };
	struct exchange x;

	(void)state;
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/", port);
	open_client(NULL);
	x = get(url);
	begin(&x);
	assert_int_equal(poll(&ready, 1, DEADLINE_MS), 1);
	fd = accept(listener, NULL, NULL);
	http_peer_says(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
	finish(&x);
	close_client();
	assert_int_equal(x.error, HTTP_TLS_HANDSHAKE);
	forget(&x);
	close(fd);
	close(listener);
}

#define WITH_PEER(test) cmocka_unit_test_teardown(test, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PEER(a_reply_comes_whole_with_the_headers_of_the_last_status),
		WITH_PEER(exchanges_one_after_the_other_use_one_connection),
		WITH_PEER(a_chunked_reply_is_put_together_and_told_so),
		WITH_PEER(a_redirect_is_reported_and_not_followed),
		WITH_PEER(a_big_post_goes_out_whole_with_its_headers_and_without_asking_first),
		WITH_PEER(a_first_byte_that_is_late_is_a_read_timeout),
		WITH_PEER(a_body_that_stops_to_come_is_a_read_timeout),
		WITH_PEER(a_body_that_comes_for_ever_is_a_total_timeout),
		WITH_PEER(a_reply_that_is_cut_off_is_a_protocol_error),
		WITH_PEER(what_is_no_http_is_a_protocol_error),
		WITH_PEER(a_body_of_the_maximum_is_taken_and_a_byte_more_is_too_large),
		WITH_PEER(a_body_without_an_end_is_too_large),
		WITH_PEER(a_port_where_nobody_listens_is_connect_refused),
		WITH_PEER(a_peer_that_does_not_let_in_is_a_connect_timeout),
		WITH_PEER(a_url_that_cannot_be_used_is_a_bad_url),
		WITH_PEER(a_name_that_does_not_resolve_is_a_bad_host),
		WITH_PEER(credentials_go_out_only_after_a_401_and_the_body_goes_again),
		WITH_PEER(wrong_credentials_are_tried_once_and_the_401_reported),
		WITH_PEER(credentials_do_not_pass_to_the_next_exchange),
		WITH_PEER(a_401_that_asks_for_digest_gets_digest),
		WITH_PEER(a_cookie_stays_in_its_jar),
		WITH_PEER(a_cancelled_exchange_does_not_complete),
		WITH_PEER(a_completion_may_cancel_its_own_and_other_exchanges),
		WITH_PEER(what_runs_when_the_client_ends_does_not_complete),
		WITH_PEER(our_own_control_sockets_are_never_connected_to),
		WITH_PEER(another_port_of_a_refused_address_is_served),
		WITH_PEER(addresses_that_are_not_public_are_refused_unless_allowed),
		WITH_PEER(a_name_is_judged_by_the_address_that_it_leads_to),
		WITH_PEER(proxies_of_the_environment_are_not_asked),
		WITH_PEER(tls_with_a_peer_that_speaks_none_is_a_handshake_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
