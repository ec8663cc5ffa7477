/*
 * socket - datagram and stream sockets on the loop. Loop thread only.
 */
#ifndef HOOKSWITCH_IO_SOCKET_H
#define HOOKSWITCH_IO_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct loop;

/* "1.2.3.4:5060" or "[::1]:5060" to an address. -EINVAL when it is neither. */
int socket_parse_addr(struct sockaddr_storage *ret, socklen_t *ret_len, const char *text);

/*
 * Datagram socket. recv runs once a datagram and must not free its socket; a UDP socket with a peer
 * hears that peer alone, and a datagram over 65535 bytes is ignored with a line in the log. send
 * queues when the kernel's queue is full (unix datagram sockets hold about ten) and waits for
 * writability: nothing is dropped until queue_max datagrams wait, then -EAGAIN. Without a
 * bind_addr the address is any, but for a peer on loopback, with which it shares its address.
 */
struct dgram;
typedef void dgram_recv_fn(void *arg, const char *data, size_t len_bytes);

struct dgram *dgram_new_udp(struct loop *loop, const char *bind_addr /* or NULL */,
			    const char *peer /* NULL: none */, unsigned queue_max,
			    dgram_recv_fn *recv, void *arg);
/* A UDP socket that is bound and without a peer, which processes may have in common: each datagram
 * comes to one of them. -errno. */
int dgram_bind_udp(const char *bind_addr);
/* Of such a one, which it takes over. */
struct dgram *dgram_new_bound(struct loop *loop, int fd, dgram_recv_fn *recv, void *arg);
/* Bound to own_path (an old socket there is replaced), sends to peer_path, which may come and go.
 */
struct dgram *dgram_new_unix(struct loop *loop, const char *own_path, const char *peer_path,
			     unsigned queue_max, dgram_recv_fn *recv, void *arg);
void dgram_free(struct dgram *d);
int dgram_send(struct dgram *d, const char *data,
	       size_t len_bytes); /* -EAGAIN full, -ECONNREFUSED no peer */

/*
 * TCP client that reconnects for ever (100 ms, doubling to 2 s). It always drains the socket at
 * once: data must copy. A peer that waits for acknowledgements before it writes (Nagle) waits 10 ms
 * at most. The events may reset the stream, but not free it.
 */
struct stream;
struct stream_events {
	void (*state)(void *arg, bool connected);
	void (*data)(void *arg, const char *data, size_t len_bytes);
};
struct stream *stream_new(struct loop *loop, const char *peer, const struct stream_events *events,
			  void *arg);
void stream_free(struct stream *s);
bool stream_connected(const struct stream *s);
/* Whole or not at all: -ENOTCONN, or -EAGAIN when the peer does not take it now (the stream is
 * reset when a part of it has left). For short messages that may be lost. */
int stream_send(struct stream *s, const char *data, size_t len_bytes);
void stream_reset(struct stream *s); /* closes and reconnects: the peer broke the framing */

#endif
