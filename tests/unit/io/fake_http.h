/*
 * fake_http - an HTTP server of the test that says exactly what it is told, on a port of its own.
 * Each connection has a thread; serve gets each whole request and returns false to close the
 * connection.
 */
#ifndef HOOKSWITCH_TESTS_FAKE_HTTP_H
#define HOOKSWITCH_TESTS_FAKE_HTTP_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAKE_CONNECTIONS 64

struct fake;

struct fake_peer {
	struct fake *fake;
	pthread_t thread;
	int fd, number; /* number: 1 is the first connection */
	SSL *ssl;
};

typedef bool fake_serve_fn(struct fake_peer *peer, const char *request);

struct fake {
	int listener, port;
	pthread_t thread;
	fake_serve_fn *serve;
	SSL_CTX *tls;
	atomic_int connections, requests;
	struct fake_peer peers[FAKE_CONNECTIONS];
	char last[8192]; /* the last request */
	char sni[64];	 /* of the last TLS connection */
};

static inline void fake_send(struct fake_peer *p, const void *data, size_t len)
{
	for (const char *at = data; len;) {
		ssize_t n = p->ssl ? SSL_write(p->ssl, at, (int)len)
				   : send(p->fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

static inline void fake_say(struct fake_peer *p, const char *text)
{
	fake_send(p, text, strlen(text));
}

/* A reply with a length, and further header lines. */
static inline void fake_reply(struct fake_peer *p, int status, const char *headers,
			      const char *body)
{
	char text[4096];

	snprintf(text, sizeof(text), "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n%s", status,
		 headers, strlen(body), body);
	fake_say(p, text);
}

static inline ssize_t fake_read(struct fake_peer *p, char *at, size_t room)
{
	return p->ssl ? SSL_read(p->ssl, at, (int)room) : recv(p->fd, at, room, 0);
}

/* 1 a whole request, 0 the client closed. */
static inline int fake_read_request(struct fake_peer *p, char *text, size_t size)
{
	size_t len = 0, want = 0;

	for (;;) {
		ssize_t n = fake_read(p, text + len, size - len - 1);
		const char *body, *length;

		if (n <= 0)
			return 0;
		len += (size_t)n;
		text[len] = '\0';
		body = strstr(text, "\r\n\r\n");
		if (!body)
			continue;
		length = strcasestr(text, "\r\ncontent-length:");
		want = length ? strtoul(length + 17, NULL, 10) : 0;
		if (len >= (size_t)(body + 4 - text) + want)
			return 1;
	}
}

static inline void *fake_connection(void *arg)
{
	struct fake_peer *p = arg;
	char text[8192];

	if (p->fake->tls) {
		p->ssl = SSL_new(p->fake->tls);
		SSL_set_fd(p->ssl, p->fd);
		if (SSL_accept(p->ssl) <= 0)
			goto out;
		const char *name = SSL_get_servername(p->ssl, TLSEXT_NAMETYPE_host_name);

		snprintf(p->fake->sni, sizeof(p->fake->sni), "%s", name ? name : "");
	}
	while (fake_read_request(p, text, sizeof(text))) {
		memcpy(p->fake->last, text, sizeof(text));
		p->fake->requests++;
		if (!p->fake->serve(p, text))
			break;
	}
out:
	SSL_free(p->ssl);
	shutdown(p->fd, SHUT_RDWR);
	return NULL;
}

static inline void *fake_accept(void *arg)
{
	struct fake *f = arg;
	int fd;

	while ((fd = accept(f->listener, NULL, NULL)) >= 0 && f->connections < FAKE_CONNECTIONS) {
		struct fake_peer *p = &f->peers[f->connections++];

		*p = (struct fake_peer){ .fake = f, .fd = fd, .number = f->connections };
		if (pthread_create(&p->thread, NULL, fake_connection, p))
			abort();
	}
	return NULL;
}

static inline void fake_start_tls(struct fake *f, fake_serve_fn *serve, SSL_CTX *tls)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	memset(f, 0, sizeof(*f));
	f->serve = serve;
	f->tls = tls;
	f->listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(f->listener, (struct sockaddr *)&a, sizeof(a)) || listen(f->listener, 50) ||
	    getsockname(f->listener, (struct sockaddr *)&a, &len))
		abort();
	f->port = ntohs(a.sin_port);
	if (pthread_create(&f->thread, NULL, fake_accept, f))
		abort();
}

static inline void fake_start(struct fake *f, fake_serve_fn *serve)
{
	fake_start_tls(f, serve, NULL);
}

static inline void fake_stop(struct fake *f)
{
	shutdown(f->listener, SHUT_RDWR);
	pthread_join(f->thread, NULL);
	close(f->listener);
	for (int i = 0; i < f->connections; i++) {
		shutdown(f->peers[i].fd, SHUT_RDWR);
		pthread_join(f->peers[i].thread, NULL);
		close(f->peers[i].fd);
	}
	SSL_CTX_free(f->tls);
}

#endif
