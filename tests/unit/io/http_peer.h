/*
 * A server on its own thread that answers as a test tells it, well or badly. It reads whole
 * requests on any number of connections and keeps their text; read that after http_peer_stop.
 */
#ifndef TEST_IO_HTTP_PEER_H
#define TEST_IO_HTTP_PEER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"

#define HTTP_PEER_MAX 64

/* Writes the answer to the request of this number (from 0) to fd; false: the connection is closed
 * then. */
typedef bool http_peer_fn(int fd, const char *request, int number);

struct http_peer {
	int listener, wake[2];
	uint16_t port;
	pthread_t thread;
	http_peer_fn *answer;
	int connections, requests;
	char *text[HTTP_PEER_MAX];
	int fds[HTTP_PEER_MAX];
	struct buf in[HTTP_PEER_MAX];
	int open;
};

/* A listening socket of the loopback; *port 0: any. */
static inline int http_peer_listen(uint16_t *port, int backlog)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, backlog) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		abort();
	*port = ntohs(a.sin_port);
	return fd;
}

static inline bool http_peer_send(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static inline bool http_peer_says(int fd, const char *text)
{
	return http_peer_send(fd, text, strlen(text));
}

/* Bytes of the whole request at the start of b; 0: not all there. */
static inline size_t http_peer_whole(const struct buf *b)
{
	const char *end = b->data ? strstr(b->data, "\r\n\r\n") : NULL, *length;
	size_t n;

	if (!end)
		return 0;
	n = (size_t)(end - b->data) + 4;
	length = strcasestr(b->data, "\r\nContent-Length:");
	if (length && length < end)
		n += (size_t)atol(length + 17);
	return b->len >= n ? n : 0;
}

/* false: the connection is to be closed. */
static inline bool http_peer_read(struct http_peer *p, int i)
{
	static char block[1 << 16];
	ssize_t n = recv(p->fds[i], block, sizeof(block), 0);
	size_t whole;

	if (n <= 0)
		return false;
	buf_add(&p->in[i], block, (size_t)n);
	while ((whole = http_peer_whole(&p->in[i]))) {
		int number = p->requests++;

		if (number >= HTTP_PEER_MAX)
			abort();
		p->text[number] = strndup(p->in[i].data, whole);
		buf_consume(&p->in[i], whole);
		if (!p->answer(p->fds[i], p->text[number], number))
			return false;
	}
	return true;
}

static inline void *http_peer_main(void *arg)
{
	struct http_peer *p = arg;

	for (;;) {
		struct pollfd fds[HTTP_PEER_MAX + 2] = { { .fd = p->wake[0], .events = POLLIN },
							 { .fd = p->listener, .events = POLLIN } };

		for (int i = 0; i < p->open; i++)
			fds[i + 2] = (struct pollfd){ .fd = p->fds[i], .events = POLLIN };
		poll(fds, (nfds_t)p->open + 2, -1);
		if (fds[0].revents)
			return NULL;
		for (int i = p->open - 1; i >= 0; i--) {
			if (!fds[i + 2].revents || http_peer_read(p, i))
				continue;
			close(p->fds[i]);
			buf_done(&p->in[i]);
			p->open--;
			p->fds[i] = p->fds[p->open];
			p->in[i] = p->in[p->open];
		}
		if (fds[1].revents) {
			if (p->open == HTTP_PEER_MAX)
				abort();
			p->fds[p->open] = accept(p->listener, NULL, NULL);
			buf_init(&p->in[p->open++], 16 << 20);
			p->connections++;
		}
	}
}

static inline void http_peer_start(struct http_peer *p, http_peer_fn *answer)
{
	*p = (struct http_peer){ .answer = answer };
	p->listener = http_peer_listen(&p->port, 64);
	if (pipe(p->wake) || pthread_create(&p->thread, NULL, http_peer_main, p))
		abort();
}

/* No more answers; what was asked stays to be read until http_peer_free. */
static inline void http_peer_stop(struct http_peer *p)
{
	if (write(p->wake[1], "x", 1) != 1)
		abort();
	pthread_join(p->thread, NULL);
	close(p->wake[0]);
	close(p->wake[1]);
	close(p->listener);
	for (int i = 0; i < p->open; i++) {
		close(p->fds[i]);
		buf_done(&p->in[i]);
	}
	p->open = 0;
}

static inline void http_peer_free(struct http_peer *p)
{
	for (int i = 0; i < p->requests; i++)
		free(p->text[i]);
}

#endif
