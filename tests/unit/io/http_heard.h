/* A server whose handler remembers what it heard, and a raw client. */
#ifndef TEST_IO_HTTP_HEARD_H
#define TEST_IO_HTTP_HEARD_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>
#include "io/addr.h"
#include "io/http_server.h"
#include "media/loop_thread.h"

#define DEADLINE_MS 10000
#define MAX_BODY    1000
#define THREADS	    3

/* What the handler heard last; the reply comes after it, so the test thread reads it then. */
static struct {
	atomic_int calls;
	char method[16], path[256], query[256], peer[64], body[MAX_BODY + 1];
	char type[64], authorization[64], accept[64], expect[64], tag[64], override[64],
		forwarded[600];
	size_t body_len;
	int too_large, ambiguous, asked_for_leave;
	bool nul, give_no_leave;
} heard;

static struct http_server *server;
static int port;

static inline void keep(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "(null)");
}

static inline void remember(void *arg, unsigned thread_index, const struct http_in *in,
			    struct http_out *out)
{
	(void)arg;
	(void)thread_index;
	heard.asked_for_leave += in->waiting;
	if (in->waiting && !heard.give_no_leave)
		return;
	keep(heard.method, sizeof(heard.method), in->method);
	keep(heard.path, sizeof(heard.path), in->path);
	keep(heard.query, sizeof(heard.query), in->query);
	addr_format(heard.peer, sizeof(heard.peer), in->peer);
	keep(heard.forwarded, sizeof(heard.forwarded), in->forwarded_for);
	keep(heard.type, sizeof(heard.type), in->content_type);
	keep(heard.authorization, sizeof(heard.authorization), in->authorization);
	keep(heard.accept, sizeof(heard.accept), in->accept);
	keep(heard.expect, sizeof(heard.expect), in->expect);
	keep(heard.tag, sizeof(heard.tag), in->if_none_match);
	keep(heard.override, sizeof(heard.override), in->method_override);
	heard.body_len = in->body_len;
	heard.too_large = in->too_large;
	heard.ambiguous = in->ambiguous;
	if (in->body_len <= MAX_BODY)
		memcpy(heard.body, in->body, in->body_len);
	heard.nul = in->body[in->body_len] == '\0';
	heard.calls++;
	out->status = 201;
	out->content_type = "application/json";
	out->headers[0].name = "X-Number";
	snprintf(out->headers[0].value, sizeof(out->headers[0].value), "%d", heard.calls);
	out->body = strdup("{}");
	out->body_len = 2;
}

static inline void start_with(http_handler_fn *handler, unsigned connections,
			      unsigned idle_timeout_s, unsigned request_timeout_s)
{
	const struct http_server_options o = { .bind = "127.0.0.1",
					       .threads = THREADS,
					       .max_connections = connections,
					       .idle_timeout_s = idle_timeout_s,
					       .request_timeout_s = request_timeout_s,
					       .max_body_bytes = MAX_BODY };
	char err[200] = "";

	memset(&heard, 0, sizeof(heard));
	server = http_server_start(&o, handler, NULL, err, sizeof(err));
	assert_non_null(server);
	assert_string_equal(err, "");
	port = http_server_port(server);
	assert_in_range(port, 1, 65535);
}

static inline void start(http_handler_fn *handler)
{
	start_with(handler, 50, 20, 60);
}

static inline int setup(void **state)
{
	(void)state;
	start(remember);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	http_server_stop(server);
	server = NULL;
	return 0;
}

/* -- a client that says exactly what it is told */

static inline int dial(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { .tv_sec = DEADLINE_MS / 1000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static inline bool say(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static inline void says(int fd, const char *text)
{
	assert_true(say(fd, text, strlen(text)));
}

/* One reply with its body. */
static inline const char *reply(int fd)
{
	static _Thread_local char text[4096];
	const char *end, *length;
	size_t len = 0, whole = 0;

	while (!whole || len < whole) {
		ssize_t n = recv(fd, text + len, whole ? whole - len : 1, 0);

		assert_true(n > 0);
		len += (size_t)n;
		text[len] = '\0';
		end = strstr(text, "\r\n\r\n");
		if (whole || !end)
			continue;
		length = strcasestr(text, "\r\nContent-Length: ");
		whole = len + (length ? (size_t)atol(length + 18) : 0);
		assert_true(whole < sizeof(text));
	}
	return text;
}

static inline const char *ask(const char *request)
{
	int fd = dial();
	const char *text;

	says(fd, request);
	text = reply(fd);
	close(fd);
	return text;
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
