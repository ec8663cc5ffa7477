/*
 * media_thread - inside the media worker: what the loop side (media.c) and the threads
 * (media_thread.c) share.
 *
 * A port is owned by its thread from its MSG_OPEN to its EVENT_CLOSED; the loop side frees it.
 * Plays travel: the loop allocates, the thread plays, the loop frees. Nothing is allocated or freed
 * on a media thread.
 */
#ifndef HOOKSWITCH_MEDIA_MEDIA_THREAD_H
#define HOOKSWITCH_MEDIA_MEDIA_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "media/dtmf_send.h"
#include "media/media.h"
#include "media/mpsc.h"
#include "media/rtp.h"

struct inbox;

/* Ports send at one of ten phases of the 20 ms, so that RTPengine sees no burst. */
#define MEDIA_SLOTS    10
#define MEDIA_FRAME_NS 20000000ull
#define MEDIA_SLOT_NS  (MEDIA_FRAME_NS / MEDIA_SLOTS)
#define MEDIA_RECV_MAX                                                                             \
	16 /* datagrams a port and tick; a flood beyond it is the kernel's to drop                 \
	    */
#define MEDIA_DATAGRAM_BYTES 1500

enum media_msg_kind {
	MSG_OPEN,  /* to the thread */
	MSG_CLOSE, /* to the thread, and back: the thread has let go of the port */
	MSG_PLAY,  /* to the thread, and back: `ended` says how */
	MSG_SILENT /* to the loop */
};

struct media_msg {
	struct mpsc_node node; /* first */
	enum media_msg_kind kind;
	struct media_port *port;
};

struct media_play {
	struct media_msg msg; /* first */
	struct media_play *next;
	uint32_t id;
	bool ended;	       /* by itself */
	struct prompt *prompt; /* or, when NULL, digits */
	unsigned loops;
	size_t offset;
	struct dtmf_send dtmf;
	char digits[];
};

struct media_port {
	/* the loop's */
	struct media_port *all_prev, *all_next;
	struct media *media;
	struct media_thread *thread;
	const struct media_events *events;
	void *arg;
	bool closed;
	uint32_t last_id;
	uint16_t number;
	unsigned slot;

	/* both sides */
	int fd;
	uint64_t timeout_ns;
	struct media_msg open_msg, close_msg, silent_msg;
	atomic_bool silent_pending; /* silent_msg is on its way */
	atomic_bool started;	    /* media_start since the last tick */
	atomic_bool sending;
	atomic_uint event_type; /* payload type of telephone-event */
	atomic_uint stopped_id; /* plays up to this one are dropped */

	/* the thread's */
	struct media_port *prev, *next; /* of its slot */
	struct media_play *queue, *queue_tail;
	struct rtp_header rtp; /* of the next packet */
	bool in_event;	       /* the last packet belonged to a telephone-event */
	uint32_t event_timestamp;
	bool running, timed_out;
	unsigned quiet_ticks; /* without sending */
	uint64_t last_received_ns;
};

struct media_slot {
	struct media_port *ports; /* the thread's */
	unsigned count;		  /* the loop's */
};

struct media_thread {
	pthread_t id;
	struct inbox *inbox;
	struct mpsc commands;
	atomic_bool quit;
	unsigned count; /* ports; the loop's */
	struct media_slot slots[MEDIA_SLOTS];
	_Atomic uint64_t sent, received, dropped, late_ticks;

	struct mmsghdr datagrams[MEDIA_RECV_MAX];
	struct iovec iov[MEDIA_RECV_MAX];
	uint8_t buffers[MEDIA_RECV_MAX][MEDIA_DATAGRAM_BYTES];
};

void *media_thread_run(void *thread);

#endif
