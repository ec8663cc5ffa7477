#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <utlist.h>

#define LOG_SUBSYSTEM "media"
#include "base/log.h"
#include "media/inbox.h"
#include "media/media_thread.h"
#include "media/prompt.h"

#define BIND_TRIES 16

struct media {
	struct inbox *inbox;
	struct sockaddr_storage ip; /* port 0 */
	socklen_t ip_len;
	struct media_port *ports; /* every one that is not freed yet */
	atomic_uint open;
	unsigned thread_count;
	struct media_thread *threads;
};

static int parse_ip(struct sockaddr_storage *ret, socklen_t *ret_len, const char *ip,
		    uint16_t number)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, ip, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(number);
		*ret_len = sizeof(*in);
		return 0;
	}
	if (inet_pton(AF_INET6, ip, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(number);
		*ret_len = sizeof(*in6);
		return 0;
	}
	return -EINVAL;
}

static void play_free(struct media_play *play)
{
	prompt_unref(play->prompt);
	free(play);
}

static void port_free(struct media_port *port)
{
	while (port->queue) {
		struct media_play *play = port->queue;

		port->queue = play->next;
		play_free(play);
	}
	if (port->fd >= 0)
		close(port->fd);
	DL_DELETE2(port->media->ports, port, all_prev, all_next);
	free(port);
}

static void media_event(void *arg, struct mpsc_node *node)
{
	struct media_msg *msg = (struct media_msg *)node;
	struct media_port *port = msg->port;

	(void)arg;
	switch (msg->kind) {
	case MSG_PLAY: {
		struct media_play *play = (struct media_play *)msg;
		uint32_t id = play->id;
		bool tell = play->ended && !port->closed && id > atomic_load(&port->stopped_id);

		play_free(play);
		if (tell && port->events->played)
			port->events->played(port->arg, id);
		break;
	}
	case MSG_SILENT:
		atomic_store(&port->silent_pending, false);
		if (!port->closed && port->events->silent)
			port->events->silent(port->arg);
		break;
	case MSG_CLOSE: /* the last that comes of this port */
		port_free(port);
		break;
	case MSG_OPEN:
		break;
	}
}

static int start_threads(struct media *media, unsigned threads)
{
	sigset_t all, old;
	int r = 0;

	sigfillset(&all); /* signals are the loop's */
	pthread_sigmask(SIG_BLOCK, &all, &old);
	while (media->thread_count < threads && !r) {
		struct media_thread *t = &media->threads[media->thread_count];

		t->inbox = media->inbox;
		r = pthread_create(&t->id, NULL, media_thread_run, t);
		if (!r) {
			pthread_setname_np(t->id, "media");
			media->thread_count++;
		}
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -r;
}

struct media *media_new(struct loop *loop, const char *ip, unsigned threads)
{
	struct media *media = calloc(1, sizeof(*media));

	if (!media)
		return NULL;
	if (!threads || parse_ip(&media->ip, &media->ip_len, ip, 0) < 0)
		goto fail;
	media->threads = calloc(threads, sizeof(*media->threads));
	media->inbox = inbox_new(loop, media_event, media);
	if (!media->threads || !media->inbox || start_threads(media, threads) < 0)
		goto fail;
	return media;
fail:
	media_free(media);
	return NULL;
}

static void drop_message(struct mpsc_node *node)
{
	while (node) {
		struct mpsc_node *next = node->next;

		if (((struct media_msg *)node)->kind == MSG_PLAY)
			play_free((struct media_play *)node);
		node = next; /* the other messages are parts of their ports */
	}
}

void media_free(struct media *media)
{
	if (!media)
		return;
	/* NOLINTBEGIN(clang-analyzer-core.NullDereference): they are counted when they run */
	for (unsigned i = 0; i < media->thread_count; i++)
		atomic_store_explicit(&media->threads[i].quit, true, memory_order_release);
	for (unsigned i = 0; i < media->thread_count; i++) {
		pthread_join(media->threads[i].id, NULL);
		drop_message(mpsc_take(&media->threads[i].commands));
	}
	/* NOLINTEND(clang-analyzer-core.NullDereference) */
	drop_message(inbox_free(media->inbox));
	while (media->ports)
		port_free(media->ports);
	free(media->threads);
	free(media);
}

/* An even port where one is to be had: RTCP of this stream then goes to a number that is never
 * another stream's. */
static int bind_port(struct media_port *port)
{
	for (int i = 0; i < BIND_TRIES; i++) {
		struct sockaddr_storage addr = port->media->ip;
		socklen_t len = port->media->ip_len;

		port->fd = socket(addr.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (port->fd < 0)
			return errno == ENFILE ? -EMFILE : -errno;
		if (bind(port->fd, (struct sockaddr *)&addr, len) < 0 ||
		    getsockname(port->fd, (struct sockaddr *)&addr, &len) < 0)
			return -EADDRNOTAVAIL;
		port->number = ntohs(addr.ss_family == AF_INET
					     ? ((struct sockaddr_in *)&addr)->sin_port
					     : ((struct sockaddr_in6 *)&addr)->sin6_port);
		if (port->number % 2 == 0 || i == BIND_TRIES - 1)
			break;
		close(port->fd);
		port->fd = -1;
	}
	return 0;
}

/* The thread with the fewest ports, and there the emptiest phase. */
static void place_port(struct media_port *port)
{
	struct media *media = port->media;

	port->thread = &media->threads[0];
	for (unsigned i = 1; i < media->thread_count; i++)
		if (media->threads[i].count < port->thread->count)
			port->thread = &media->threads[i];
	port->slot = 0;
	for (unsigned i = 1; i < MEDIA_SLOTS; i++)
		if (port->thread->slots[i].count < port->thread->slots[port->slot].count)
			port->slot = i;
	port->thread->count++;
	port->thread->slots[port->slot].count++;
}

int media_open(struct media_port **ret, struct media *media, unsigned timeout_ms,
	       const struct media_events *events, void *arg)
{
	struct media_port *port = calloc(1, sizeof(*port));
	struct {
		uint32_t ssrc, timestamp;
		uint16_t sequence;
	} start;
	int r;

	if (!port)
		return -ENOMEM;
	DL_APPEND2(media->ports, port, all_prev, all_next);
	port->media = media;
	port->fd = -1;
	r = bind_port(port);
	if (r < 0)
		goto fail;
	r = -EIO;
	if (getrandom(&start, sizeof(start), 0) != sizeof(start))
		goto fail;
	port->rtp = (struct rtp_header){ .marker = true,
					 .payload_type = RTP_PT_PCMU,
					 .sequence = start.sequence,
					 .timestamp = start.timestamp,
					 .ssrc = start.ssrc };
	port->events = events;
	port->arg = arg;
	port->timeout_ns = (uint64_t)timeout_ms * 1000000u;
	port->open_msg = (struct media_msg){ .kind = MSG_OPEN, .port = port };
	port->close_msg = (struct media_msg){ .kind = MSG_CLOSE, .port = port };
	port->silent_msg = (struct media_msg){ .kind = MSG_SILENT, .port = port };
	atomic_init(&port->sending, true);
	place_port(port);
	mpsc_push(&port->thread->commands, &port->open_msg.node);
	atomic_fetch_add(&media->open, 1);
	*ret = port;
	return 0;
fail:
	port_free(port);
	return r;
}

void media_close(struct media_port *port)
{
	if (!port)
		return;
	BUG_ON(port->closed);
	port->closed = true;
	port->thread->count--;
	port->thread->slots[port->slot].count--;
	atomic_fetch_sub(&port->media->open, 1);
	mpsc_push(&port->thread->commands, &port->close_msg.node);
}

uint16_t media_port_number(const struct media_port *port)
{
	return port->number;
}

void media_start(struct media_port *port, const char *ip, uint16_t port_number, uint8_t event_type)
{
	struct sockaddr_storage addr;
	socklen_t len;
	char byte;

	/* Connected, the kernel drops what comes from anywhere else, and need not look up the route
	 * for every packet. */
	if (parse_ip(&addr, &len, ip, port_number) < 0 ||
	    addr.ss_family != port->media->ip.ss_family ||
	    connect(port->fd, (struct sockaddr *)&addr, len) < 0) {
		log_warn("no way to %s:%u for port %u", ip, port_number, port->number);
		return;
	}
	/* Strangers may have written before. */
	for (int i = 0; i < 1000 && recv(port->fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0; i++)
		;
	atomic_store_explicit(&port->event_type, event_type, memory_order_relaxed);
	atomic_store_explicit(&port->started, true, memory_order_release);
}

void media_hold(struct media_port *port, int sending)
{
	atomic_store(&port->sending, sending != 0);
}

static uint32_t play_push(struct media_port *port, struct media_play *play)
{
	play->msg = (struct media_msg){ .kind = MSG_PLAY, .port = port };
	play->id = ++port->last_id;
	mpsc_push(&port->thread->commands, &play->msg.node);
	return port->last_id;
}

uint32_t media_play(struct media_port *port, struct prompt *p, unsigned loops)
{
	struct media_play *play = calloc(1, sizeof(*play));

	if (!play)
		return 0;
	play->prompt = prompt_ref(p);
	play->loops = loops ? loops : 1;
	return play_push(port, play);
}

uint32_t media_play_digits(struct media_port *port, const char *digits)
{
	struct media_play *play = calloc(1, sizeof(*play) + strlen(digits) + 1);
	char *to;

	if (!play)
		return 0;
	to = play->digits;
	for (; *digits; digits++)
		if (dtmf_send_valid(*digits))
			*to++ = *digits;
	play->dtmf.digits = play->digits;
	return play_push(port, play);
}

void media_stop(struct media_port *port)
{
	atomic_store(&port->stopped_id, port->last_id);
}

void media_get_stats(struct media *media, struct media_stats *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->ports = atomic_load(&media->open);
	for (unsigned i = 0; i < media->thread_count; i++) {
		ret->sent += atomic_load_explicit(&media->threads[i].sent, memory_order_relaxed);
		ret->received +=
			atomic_load_explicit(&media->threads[i].received, memory_order_relaxed);
		ret->dropped +=
			atomic_load_explicit(&media->threads[i].dropped, memory_order_relaxed);
		ret->late_ticks +=
			atomic_load_explicit(&media->threads[i].late_ticks, memory_order_relaxed);
	}
}
