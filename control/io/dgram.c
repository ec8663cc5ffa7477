/* The datagram half of socket.h. */
#define LOG_SUBSYSTEM "socket"
#include "io/socket.h"

#include "base/clock.h"
#include "base/log.h"
#include "io/addr.h"
#include "io/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

#define DATAGRAM_MAX_BYTES  65536
#define SOCKET_BUFFER_BYTES (4 << 20)
#define DRAIN_MS	    2000

struct waiting {
	struct waiting *prev, *next;
	size_t len;
	char data[];
};

struct dgram {
	struct loop *loop;
	int fd;
	struct loop_watch *watch;
	/*
	 * Readiness of a unix socket to be written says nothing of the peer's queue unless it is
	 * connected, and ours must not be: the peer answers from another socket. This one is, and
	 * is only watched, while datagrams wait.
	 */
	int probe; /* -1: none */
	struct loop_watch *probe_watch;
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

	if (!colon || (size_t)(colon - text) >= sizeof(host) || colon[1] < '0' || colon[1] > '9')
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
		n = sendto(d->fd, data, len, MSG_NOSIGNAL, (struct sockaddr *)&d->peer,
			   d->peer_len);
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

	DL_FOREACH_SAFE(d->queue, w, tmp)
	{
		DL_DELETE(d->queue, w);
		free(w);
	}
	d->queued = 0;
}

static void probe_close(struct dgram *d)
{
	loop_watch_free(d->probe_watch);
	d->probe_watch = NULL;
	if (d->probe >= 0)
		close(d->probe);
	d->probe = -1;
}

static void flush(struct dgram *d);

static void peer_has_room(void *arg, bool readable, bool writable)
{
	struct dgram *d = arg;

	if (readable || writable)
		flush(d);
}

/* A watch that fires when the peer's queue has room or the peer is gone; false: there is none to be
 * had. */
static bool probe_open(struct dgram *d)
{
	d->probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->probe < 0 || connect(d->probe, (struct sockaddr *)&d->peer, d->peer_len) < 0)
		goto fail;
	d->probe_watch = loop_watch_new(d->loop, d->probe, peer_has_room, d);
	if (!d->probe_watch)
		goto fail;
	loop_watch_set(d->probe_watch, false, true);
	return true;
fail:
	probe_close(d);
	return false;
}

static bool own_side_full(const struct dgram *d)
{
	struct pollfd p = { .fd = d->fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 0;
}

/* The kernel said EAGAIN: waits for the side that is full. */
static void wait_for_room(struct dgram *d)
{
	bool own = d->peer.ss_family != AF_UNIX || own_side_full(d);

	/* Anew each time: the peer may have been replaced by another at its path. */
	probe_close(d);
	loop_watch_set(d->watch, true, own || !probe_open(d));
}

static void flush(struct dgram *d)
{
	while (d->queue) {
		struct waiting *w = d->queue;
		int r = send_now(d, w->data, w->len);

		if (r == -EAGAIN) {
			wait_for_room(d);
			return;
		}
		if (r == -ECONNREFUSED) {
			/* The peer went away: what waited for it is answered by the senders' own
			 * deadlines. */
			log_warn("%u datagrams from %s were dropped: nobody listens", d->queued,
				 d->own_path);
			drop_queue(d);
			break;
		}
		if (r < 0)
			log_warn("a datagram of %zu bytes was dropped: %s", w->len, strerror(-r));
		DL_DELETE(d->queue, w);
		d->queued--;
		free(w);
	}
	probe_close(d);
	loop_watch_set(d->watch, true, false);
}

#define READ_BATCH 256 /* datagrams a turn, so that a flood does not starve timers */

/* Only the peer answers a UDP socket that has one. A unix peer may answer from a socket without a
 * name. */
static bool from_peer(const struct dgram *d, const struct sockaddr_storage *from)
{
	const struct sockaddr_in *a = (const struct sockaddr_in *)&d->peer,
				 *b = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)&d->peer,
				  *b6 = (const struct sockaddr_in6 *)from;

	if (!d->peer_len || d->peer.ss_family == AF_UNIX)
		return true;
	/* NOLINTBEGIN(clang-analyzer-core.UndefinedBinaryOperatorResult): the kernel wrote it */
	if (d->peer.ss_family == AF_INET6)
		return a6->sin6_port == b6->sin6_port &&
		       IN6_ARE_ADDR_EQUAL(&a6->sin6_addr, &b6->sin6_addr);
	return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
	/* NOLINTEND(clang-analyzer-core.UndefinedBinaryOperatorResult) */
}

static void ready(void *arg, bool readable, bool writable)
{
	struct dgram *d = arg;

	if (writable && d->queue)
		flush(d);
	for (int i = 0; readable && i < READ_BATCH; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(d->fd, d->buffer, sizeof(d->buffer) - 1,
				     MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from, &from_len);

		if (n < 0) {
			if (errno == EINTR || errno == ECONNREFUSED)
				continue;
			return;
		}
		if ((size_t)n >= sizeof(d->buffer)) {
			log_warn("a datagram of %zd bytes was ignored: at most %zu are taken", n,
				 sizeof(d->buffer) - 1);
			continue;
		}
		if (!from_peer(d, &from))
			continue;
		d->buffer[n] = '\0';
		d->recv(d->arg, d->buffer, (size_t)n);
	}
}

static struct dgram *finish(struct loop *loop, struct dgram *d, unsigned queue_max,
			    dgram_recv_fn *recv_fn, void *arg)
{
	int size = SOCKET_BUFFER_BYTES;

	setsockopt(d->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(d->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	d->loop = loop;
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
	d->probe = -1;
	d->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->fd < 0) {
		free(d);
		return NULL;
	}
	return d;
}

/* Without the port; 0 when peer is no loopback address. A socket that speaks within this machine
 * need not be open to others. */
static socklen_t same_loopback(struct sockaddr_storage *ret, const struct sockaddr_storage *peer,
			       socklen_t peer_len)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	uint32_t v4;

	*ret = *peer;
	if (addr_v4(&v4, (const struct sockaddr *)peer) ? v4 >> 24 != 127
							: !IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr))
		return 0;
	if (ret->ss_family == AF_INET)
		((struct sockaddr_in *)ret)->sin_port = 0;
	else
		in6->sin6_port = 0;
	return peer_len;
}

struct dgram *dgram_new_udp(struct loop *loop, const char *bind_addr, const char *peer,
			    unsigned queue_max, dgram_recv_fn *recv_fn, void *arg)
{
	struct sockaddr_storage own, to;
	socklen_t own_len = 0, to_len = 0;
	struct dgram *d;

	if (bind_addr && socket_parse_addr(&own, &own_len, bind_addr) < 0)
		return NULL;
	if (peer && socket_parse_addr(&to, &to_len, peer) < 0)
		return NULL;
	if (own_len && to_len && own.ss_family != to.ss_family)
		return NULL;
	d = alloc(to_len ? to.ss_family : own_len ? own.ss_family : AF_INET);
	if (!d)
		return NULL;
	memcpy(&d->peer, &to, to_len);
	d->peer_len = to_len;
	if (!bind_addr && peer)
		own_len = same_loopback(&own, &to, to_len);
	if (own_len && bind(d->fd, (struct sockaddr *)&own, own_len) < 0) {
		log_error("cannot bind UDP %s: %s", bind_addr ? bind_addr : peer, strerror(errno));
		goto fail;
	}
	return finish(loop, d, queue_max, recv_fn, arg);
fail:
	dgram_free(d);
	return NULL;
}

int dgram_bind_udp(const char *bind_addr)
{
	struct sockaddr_storage own;
	socklen_t len;
	int fd, r = socket_parse_addr(&own, &len, bind_addr);

	if (r < 0)
		return r;
	fd = socket(own.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&own, len) == 0)
		return fd;
	r = -errno;
	if (fd >= 0)
		close(fd);
	return r;
}

struct dgram *dgram_new_bound(struct loop *loop, int fd, dgram_recv_fn *recv_fn, void *arg)
{
	struct dgram *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->probe = -1;
	d->fd = fd;
	return finish(loop, d, 0, recv_fn, arg);
}

struct dgram *dgram_new_unix(struct loop *loop, const char *own_path, const char *peer_path,
			     unsigned queue_max, dgram_recv_fn *recv_fn, void *arg)
{
	struct sockaddr_un own = { .sun_family = AF_UNIX };
	struct dgram *d = alloc(AF_UNIX);
	struct sockaddr_un *peer;
	struct stat st;

	if (!d)
		return NULL;
	peer = (struct sockaddr_un *)&d->peer;
	if (strlen(own_path) >= sizeof(own.sun_path) || strlen(peer_path) >= sizeof(peer->sun_path))
		goto fail;
	strcpy(own.sun_path, own_path);
	peer->sun_family = AF_UNIX;
	strcpy(peer->sun_path, peer_path);
	d->peer_len = sizeof(*peer);
	if (lstat(own_path, &st) == 0 && S_ISSOCK(st.st_mode))
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

/*
 * What waits for a peer that is busy still goes: at a shutdown the loop that would have sent it no
 * longer runs, and the last datagrams are the ones that end calls.
 */
static void drain(struct dgram *d)
{
	uint64_t deadline_ms = clock_mono_ms() + DRAIN_MS, now_ms;

	while (d->queue && (now_ms = clock_mono_ms()) < deadline_ms) {
		struct waiting *w = d->queue;
		int r = send_now(d, w->data, w->len);

		if (r == -EAGAIN) {
			struct pollfd room = { .fd = d->probe >= 0 ? d->probe : d->fd,
					       .events = POLLOUT };

			if (poll(&room, 1, (int)(deadline_ms - now_ms)) < 0 && errno != EINTR)
				return;
			continue;
		}
		if (r == -ECONNREFUSED)
			return; /* there is nobody any more */
		DL_DELETE(d->queue, w);
		d->queued--;
		free(w);
	}
}

void dgram_free(struct dgram *d)
{
	if (!d)
		return;
	drain(d);
	drop_queue(d);
	probe_close(d);
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

	if (!d->peer_len)
		return -ECONNREFUSED;
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
	if (d->queued++ == 0)
		wait_for_room(d);
	return 0;
}
