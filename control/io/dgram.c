/* The datagram half of socket.h. */
#define LOG_SUBSYSTEM "socket"
#include "io/socket.h"

#include "base/log.h"
#include "io/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

#define DATAGRAM_MAX_BYTES 65536
#define SOCKET_BUFFER_BYTES (4 << 20)

struct waiting {
	struct waiting *prev, *next;
	size_t len;
	char data[];
};

struct dgram {
	int fd;
	struct loop_watch *watch;
	struct sockaddr_storage peer;
	socklen_t peer_len; /* 0: none */
	char own_path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct waiting *queue;
	unsigned queued, queue_max;
	dgram_recv_fn *recv;
	void *arg;
	char buffer[DATAGRAM_MAX_BYTES];
};

int socket_parse_addr(struct sockaddr_storage *ret, socklen_t *ret_len, const char *text)
{
	const char *colon = strrchr(text, ':');
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	char host[INET6_ADDRSTRLEN + 2], *end;
	size_t n;
	long port;

	if (!colon || (size_t)(colon - text) >= sizeof(host) || !colon[1])
		return -EINVAL;
	port = strtol(colon + 1, &end, 10);
	if (*end || port < 0 || port > 65535)
		return -EINVAL;
	n = (size_t)(colon - text);
	memcpy(host, text, n);
	host[n] = '\0';
	memset(ret, 0, sizeof(*ret));
	if (host[0] == '[' && n > 2 && host[n - 1] == ']') {
		host[n - 1] = '\0';
		if (inet_pton(AF_INET6, host + 1, &in6->sin6_addr) != 1)
			return -EINVAL;
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		*ret_len = sizeof(*in6);
		return 0;
	}
	if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
		return -EINVAL;
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)port);
	*ret_len = sizeof(*in);
	return 0;
}

/* 0 sent, -EAGAIN the kernel's queue is full, -errno otherwise. */
static int send_now(struct dgram *d, const char *data, size_t len)
{
	ssize_t n;

	do {
		n = sendto(d->fd, data, len, MSG_NOSIGNAL, (struct sockaddr *)&d->peer, d->peer_len);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
		return -EAGAIN;
	return errno == ENOENT ? -ECONNREFUSED : -errno;
}

static void drop_queue(struct dgram *d)
{
	struct waiting *w, *tmp;

	DL_FOREACH_SAFE (d->queue, w, tmp) {
		DL_DELETE(d->queue, w);
		free(w);
	}
	d->queued = 0;
}

static void flush(struct dgram *d)
{
	while (d->queue) {
		struct waiting *w = d->queue;
		int r = send_now(d, w->data, w->len);

		if (r == -EAGAIN)
			return;
		if (r < 0) {
			/* The peer went away: what waited for it is answered by the senders' own deadlines. */
			log_warn("%u datagrams for %s were dropped: %s", d->queued, d->own_path, strerror(-r));
			drop_queue(d);
			break;
		}
		DL_DELETE(d->queue, w);
		d->queued--;
		free(w);
	}
	loop_watch_set(d->watch, true, false);
}

#define READ_BATCH 256 /* datagrams a turn, so that a flood does not starve timers */

static void ready(void *arg, bool readable, bool writable)
{
	struct dgram *d = arg;

	if (writable && d->queue)
		flush(d);
	for (int i = 0; readable && i < READ_BATCH; i++) {
		ssize_t n = recv(d->fd, d->buffer, sizeof(d->buffer) - 1, MSG_DONTWAIT);

		if (n < 0) {
			if (errno == EINTR || errno == ECONNREFUSED)
				continue;
			return;
		}
		d->buffer[n] = '\0';
		d->recv(d->arg, d->buffer, (size_t)n);
	}
}

static struct dgram *finish(struct loop *loop, struct dgram *d, unsigned queue_max, dgram_recv_fn *recv_fn, void *arg)
{
	int size = SOCKET_BUFFER_BYTES;

	setsockopt(d->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(d->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	d->queue_max = queue_max;
	d->recv = recv_fn;
	d->arg = arg;
	d->watch = loop_watch_new(loop, d->fd, ready, d);
	if (!d->watch) {
		dgram_free(d);
		return NULL;
	}
	loop_watch_set(d->watch, true, false);
	return d;
}

static struct dgram *alloc(int family)
{
	struct dgram *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->fd < 0) {
		free(d);
		return NULL;
	}
	return d;
}

struct dgram *dgram_new_udp(struct loop *loop, const char *bind_addr, const char *peer, unsigned queue_max,
			    dgram_recv_fn *recv_fn, void *arg)
{
	struct sockaddr_storage own;
	socklen_t own_len = 0;
	struct dgram *d;

	if (bind_addr && socket_parse_addr(&own, &own_len, bind_addr) < 0)
		return NULL;
	d = alloc(AF_INET);
	if (!d)
		return NULL;
	if (peer && socket_parse_addr(&d->peer, &d->peer_len, peer) < 0)
		goto fail;
	if (own_len && bind(d->fd, (struct sockaddr *)&own, own_len) < 0) {
		log_error("cannot bind UDP %s: %s", bind_addr, strerror(errno));
		goto fail;
	}
	return finish(loop, d, queue_max, recv_fn, arg);
fail:
	dgram_free(d);
	return NULL;
}

struct dgram *dgram_new_unix(struct loop *loop, const char *own_path, const char *peer_path, unsigned queue_max,
			     dgram_recv_fn *recv_fn, void *arg)
{
	struct sockaddr_un own = { .sun_family = AF_UNIX };
	struct dgram *d = alloc(AF_UNIX);
	struct sockaddr_un *peer;

	if (!d)
		return NULL;
	peer = (struct sockaddr_un *)&d->peer;
	if (strlen(own_path) >= sizeof(own.sun_path) || strlen(peer_path) >= sizeof(peer->sun_path))
		goto fail;
	strcpy(own.sun_path, own_path);
	peer->sun_family = AF_UNIX;
	strcpy(peer->sun_path, peer_path);
	d->peer_len = sizeof(*peer);
	unlink(own_path);
	if (bind(d->fd, (struct sockaddr *)&own, sizeof(own)) < 0) {
		log_error("cannot bind %s: %s", own_path, strerror(errno));
		goto fail;
	}
	strcpy(d->own_path, own_path);
	/* Kamailio runs as another user and answers to this path. */
	chmod(own_path, 0666);
	return finish(loop, d, queue_max, recv_fn, arg);
fail:
	dgram_free(d);
	return NULL;
}

void dgram_free(struct dgram *d)
{
	if (!d)
		return;
	drop_queue(d);
	loop_watch_free(d->watch);
	close(d->fd);
	if (d->own_path[0])
		unlink(d->own_path);
	free(d);
}

int dgram_send(struct dgram *d, const char *data, size_t len_bytes)
{
	struct waiting *w;
	int r;

	if (!d->queue) {
		r = send_now(d, data, len_bytes);
		if (r != -EAGAIN)
			return r;
	}
	if (d->queued >= d->queue_max)
		return -EAGAIN;
	w = malloc(sizeof(*w) + len_bytes);
	if (!w)
		return -ENOMEM;
	w->len = len_bytes;
	memcpy(w->data, data, len_bytes);
	DL_APPEND(d->queue, w);
	d->queued++;
	loop_watch_set(d->watch, true, true);
	return 0;
}
