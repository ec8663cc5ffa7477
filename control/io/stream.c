/* The stream half of socket.h. */
#define LOG_SUBSYSTEM "socket"
#include "io/socket.h"

#include "base/log.h"
#include "io/loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 2000
#define READ_BYTES   (256 << 10)
#define GATHER_MS    10
#define READ_BATCH   16 /* reads a turn, so that a flood does not starve timers */

struct stream {
	struct loop *loop;
	struct sockaddr_storage peer;
	socklen_t peer_len;
	const struct stream_events *events;
	void *arg;
	int fd; /* -1: none */
	struct loop_watch *watch;
	struct loop_timer *retry, *ack;
	unsigned retry_ms;
	uint64_t acked_ms;
	bool connected;
	char buffer[READ_BYTES];
};

static void close_now(struct stream *s)
{
	loop_watch_free(s->watch);
	s->watch = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void lost(struct stream *s)
{
	bool was = s->connected;

	close_now(s);
	s->connected = false;
	loop_timer_start(s->retry, s->retry_ms);
	s->retry_ms = s->retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : s->retry_ms * 2;
	if (was)
		s->events->state(s->arg, false);
}

static void acknowledge_now(void *arg)
{
	struct stream *s = arg;

	s->acked_ms = loop_now_ms(s->loop);
	if (s->fd >= 0)
		setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &(int){ 1 }, sizeof(int));
}

/*
 * A peer without TCP_NODELAY keeps its next message until the one before is acknowledged, which the
 * kernel would do after 40 ms. After a pause that is done at once; of a busy peer's messages those
 * of GATHER_MS come together, and with them one wake-up.
 */
static void acknowledge(struct stream *s)
{
	uint64_t since_ms = loop_now_ms(s->loop) - s->acked_ms;

	if (since_ms >= GATHER_MS)
		acknowledge_now(s);
	else if (!loop_timer_active(s->ack))
		loop_timer_start(s->ack, GATHER_MS - since_ms);
}

static void ready(void *arg, bool readable, bool writable)
{
	struct stream *s = arg;
	int error = 0;
	socklen_t len = sizeof(error);

	if (!s->connected && (writable || readable)) {
		if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error) {
			lost(s);
			return;
		}
		s->connected = true;
		s->retry_ms = RETRY_MIN_MS;
		loop_watch_set(s->watch, true, false);
		s->events->state(s->arg, true);
	}
	/* The peer's writes block: take all that is there. A handler may reset the stream
	 * meanwhile. */
	for (int i = 0; readable && s->connected && i < READ_BATCH; i++) {
		ssize_t n = recv(s->fd, s->buffer, sizeof(s->buffer), MSG_DONTWAIT);

		if (n > 0) {
			acknowledge(s);
			s->events->data(s->arg, s->buffer, (size_t)n);
			if ((size_t)n < sizeof(s->buffer))
				return;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		lost(s);
		return;
	}
}

static void try_connect(void *arg)
{
	struct stream *s = arg;
	int on = 1, r;

	s->fd = socket(s->peer.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0) {
		lost(s);
		return;
	}
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* A peer's host that vanished is noticed in half a minute, one that never answers in a
	 * quarter. */
	setsockopt(s->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(s->fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){ 15 }, sizeof(int));
	setsockopt(s->fd, IPPROTO_TCP, TCP_KEEPINTVL, &(int){ 5 }, sizeof(int));
	setsockopt(s->fd, IPPROTO_TCP, TCP_KEEPCNT, &(int){ 3 }, sizeof(int));
	setsockopt(s->fd, IPPROTO_TCP, TCP_SYNCNT, &(int){ 3 }, sizeof(int));
	r = connect(s->fd, (struct sockaddr *)&s->peer, s->peer_len);
	if (r < 0 && errno != EINPROGRESS) {
		lost(s);
		return;
	}
	s->watch = loop_watch_new(s->loop, s->fd, ready, s);
	if (!s->watch) {
		lost(s);
		return;
	}
	loop_watch_set(s->watch, true, true);
}

struct stream *stream_new(struct loop *loop, const char *peer, const struct stream_events *events,
			  void *arg)
{
	struct stream *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	memset(s, 0, offsetof(struct stream, buffer));
	s->fd = -1;
	s->loop = loop;
	s->events = events;
	s->arg = arg;
	s->retry_ms = RETRY_MIN_MS;
	s->retry = loop_timer_new(loop, try_connect, s);
	s->ack = loop_timer_new(loop, acknowledge_now, s);
	if (!s->retry || !s->ack || socket_parse_addr(&s->peer, &s->peer_len, peer) < 0) {
		stream_free(s);
		return NULL;
	}
	loop_timer_start(s->retry, 0);
	return s;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	close_now(s);
	loop_timer_free(s->retry);
	loop_timer_free(s->ack);
	free(s);
}

bool stream_connected(const struct stream *s)
{
	return s->connected;
}

int stream_send(struct stream *s, const char *data, size_t len)
{
	ssize_t n;

	if (!s->connected)
		return -ENOTCONN;
	do
		n = send(s->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)len)
		return 0;
	if (n >= 0)
		lost(s);
	return -EAGAIN;
}

void stream_reset(struct stream *s)
{
	if (s->fd >= 0)
		lost(s);
}
