#include <errno.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

#include "base/clock.h"
#include "media/inbox.h"
#include "media/media_thread.h"
#include "media/prompt.h"

#define QUIET_TICKS 16 /* 320 ms */
#define LATE_NS	    5000000ull
#define CATCH_UP_NS                                                                                \
	200000000ull /* beyond it what was missed is left out instead of sent in a burst */
#define SLICE_NS    100000
#define TONE_VOLUME 10 /* -dBm0 */

static const uint8_t silence[RTP_FRAME_SAMPLES] = { [0 ... RTP_FRAME_SAMPLES - 1] =
							    RTP_ULAW_SILENCE };

struct counts {
	uint64_t sent, received, dropped;
};

static void play_leaves(struct media_thread *t, struct media_port *port, bool ended)
{
	struct media_play *play = port->queue;

	port->queue = play->next;
	if (!port->queue)
		port->queue_tail = NULL;
	play->ended = ended;
	inbox_put(t->inbox, &play->msg.node);
}

/* Moves play on by one packet. NULL when it is over; for a packet of an event *event is filled and
 * returned. */
static const uint8_t *play_next(struct media_play *play, struct dtmf_packet *event, bool *is_event)
{
	const uint8_t *payload;

	*is_event = false;
	if (!play->prompt) {
		switch (dtmf_send_next(&play->dtmf, event)) {
		case DTMF_EVENT:
			*is_event = true;
			return silence;
		case DTMF_SILENCE:
			return silence;
		case DTMF_DONE:
			return NULL;
		}
	}
	if (play->offset >= play->prompt->samples) {
		if (--play->loops == 0 || !play->prompt->samples)
			return NULL;
		play->offset = 0;
	}
	payload = play->prompt->ulaw + play->offset;
	play->offset += RTP_FRAME_SAMPLES;
	return payload;
}

static void port_send(struct media_thread *t, struct media_port *port, struct counts *counts)
{
	uint8_t header[RTP_HEADER_BYTES], event_payload[RTP_EVENT_BYTES];
	const uint8_t *payload = NULL;
	struct dtmf_packet event;
	bool is_event = false;
	struct iovec iov[2] = { { .iov_base = header, .iov_len = sizeof(header) } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	struct rtp_header h;

	while (port->queue && !(payload = play_next(port->queue, &event, &is_event)))
		play_leaves(t, port, true);
	h = port->rtp;
	port->rtp.timestamp += RTP_FRAME_SAMPLES;
	if (is_event && event.first)
		port->event_timestamp = h.timestamp;
	if (!atomic_load_explicit(&port->sending, memory_order_relaxed)) {
		port->rtp.marker = true; /* of the packet that ends the pause */
		return;
	}
	if (is_event) {
		h.marker = event.first;
		h.payload_type =
			(uint8_t)atomic_load_explicit(&port->event_type, memory_order_relaxed);
		h.timestamp = port->event_timestamp;
		rtp_write_event(event_payload, event.event, event.end, TONE_VOLUME, event.duration);
		iov[1].iov_base = event_payload;
		iov[1].iov_len = sizeof(event_payload);
	} else {
		h.marker = port->rtp.marker || port->in_event;
		iov[1].iov_base = (void *)(uintptr_t)(payload ? payload : silence);
		iov[1].iov_len = RTP_FRAME_SAMPLES;
		port->rtp.marker = false;
	}
	port->in_event = is_event;
	port->rtp.sequence++;
	rtp_write_header(header, &h);
	/* A socket each, so no sendmmsg: RTPengine latches to the port that the SDP named. */
	if (sendmsg(port->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		counts->sent++;
}

static void port_receive(struct media_thread *t, struct media_port *port, uint64_t now_ns,
			 struct counts *counts)
{
	int n = recvmmsg(port->fd, t->datagrams, MEDIA_RECV_MAX, MSG_DONTWAIT, NULL);
	struct rtp_header h;
	const uint8_t *payload;
	size_t payload_bytes;

	for (int i = 0; i < n; i++) {
		const struct mmsghdr *d = &t->datagrams[i];

		if ((d->msg_hdr.msg_flags & MSG_TRUNC) ||
		    rtp_parse(&h, &payload, &payload_bytes, t->buffers[i], d->msg_len) < 0) {
			counts->dropped++;
			continue;
		}
		counts->received++;
		port->last_received_ns = now_ns;
		port->timed_out = false;
	}
	if (port->timeout_ns && !port->timed_out &&
	    now_ns - port->last_received_ns >= port->timeout_ns) {
		port->timed_out = true;
		if (!atomic_exchange(&port->silent_pending, true))
			inbox_put(t->inbox, &port->silent_msg.node);
	}
}

static void port_tick(struct media_thread *t, struct media_port *port, uint64_t now_ns,
		      struct counts *counts)
{
	uint32_t stopped_id = atomic_load_explicit(&port->stopped_id, memory_order_relaxed);

	while (port->queue && port->queue->id <= stopped_id)
		play_leaves(t, port, false);
	if (atomic_load_explicit(&port->started, memory_order_acquire)) {
		atomic_store_explicit(&port->started, false, memory_order_relaxed);
		port->running = true;
		port->timed_out = false;
		port->last_received_ns = now_ns;
	}
	if (!port->running)
		return;
	port_send(t, port, counts);
	/* A port that sends nothing is joined or held: what comes says only that something does. */
	if (atomic_load_explicit(&port->sending, memory_order_relaxed) ||
	    port->quiet_ticks++ % QUIET_TICKS == 0)
		port_receive(t, port, now_ns, counts);
}

static void apply_commands(struct media_thread *t)
{
	struct mpsc_node *node = mpsc_take(&t->commands);

	while (node) {
		struct mpsc_node *next = node->next;
		struct media_msg *msg = (struct media_msg *)node;
		struct media_port *port = msg->port;

		switch (msg->kind) {
		case MSG_OPEN:
			DL_APPEND(t->slots[port->slot].ports, port);
			break;
		case MSG_CLOSE:
			while (port->queue)
				play_leaves(t, port, false);
			DL_DELETE(t->slots[port->slot].ports, port);
			inbox_put(t->inbox, &port->close_msg.node);
			break;
		case MSG_PLAY: {
			struct media_play *play = (struct media_play *)msg;

			if (port->queue_tail)
				port->queue_tail->next = play;
			else
				port->queue = play;
			port->queue_tail = play;
			break;
		}
		case MSG_SILENT:
			break;
		}
		node = next;
	}
}

static void run_slot(struct media_thread *t, struct media_slot *slot, uint64_t now_ns)
{
	struct counts counts = { 0 };

	for (struct media_port *port = slot->ports; port; port = port->next)
		port_tick(t, port, now_ns, &counts);
	atomic_fetch_add_explicit(&t->sent, counts.sent, memory_order_relaxed);
	atomic_fetch_add_explicit(&t->received, counts.received, memory_order_relaxed);
	atomic_fetch_add_explicit(&t->dropped, counts.dropped, memory_order_relaxed);
}

/* The machine stood still: frames that nobody can use any more are left out, and the timestamps say
 * so. */
static void skip_frames(struct media_thread *t, uint64_t frames)
{
	for (unsigned i = 0; i < MEDIA_SLOTS; i++)
		for (struct media_port *port = t->slots[i].ports; port; port = port->next)
			port->rtp.timestamp += (uint32_t)(frames * RTP_FRAME_SAMPLES);
}

static void sleep_until(uint64_t ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000u),
				     .tv_nsec = (long)(ns % 1000000000u) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

/* How many slots on the next one with ports is; a whole round when there is none. */
static uint64_t next_slot(const struct media_thread *t, uint64_t tick)
{
	for (unsigned i = 1; i < MEDIA_SLOTS; i++)
		if (t->slots[(tick + i) % MEDIA_SLOTS].ports)
			return i;
	return MEDIA_SLOTS;
}

/*
 * Beside busy processes the tick must come first. Where the operator grants real-time priority
 * (CAP_SYS_NICE) that is it; else a short slice, which anybody may ask for (Linux 6.12), makes the
 * wake-up come sooner. Without either the thread only is later under load.
 */
static void ask_for_punctuality(void)
{
	const struct sched_param realtime = { .sched_priority = 1 };
	struct sched_attr slice = { .size = sizeof(slice), .sched_runtime = SLICE_NS };

	if (pthread_setschedparam(pthread_self(), SCHED_RR, &realtime))
		(void)sched_setattr(0, &slice, 0);
}

void *media_thread_run(void *thread)
{
	struct media_thread *t = thread;
	uint64_t tick = 0, due_ns = clock_mono_ns(), now_ns;

	for (unsigned i = 0; i < MEDIA_RECV_MAX; i++) {
		t->iov[i] = (struct iovec){ .iov_base = t->buffers[i],
					    .iov_len = MEDIA_DATAGRAM_BYTES };
		t->datagrams[i].msg_hdr.msg_iov = &t->iov[i];
		t->datagrams[i].msg_hdr.msg_iovlen = 1;
	}
	ask_for_punctuality();
	while (!atomic_load_explicit(&t->quit, memory_order_acquire)) {
		uint64_t step = next_slot(t, tick);

		tick += step;
		due_ns +=
			step * MEDIA_SLOT_NS; /* from the last due time, never from now: no drift */
		sleep_until(due_ns);
		now_ns = clock_mono_ns();
		if (now_ns - due_ns > LATE_NS)
			atomic_fetch_add_explicit(&t->late_ticks, 1, memory_order_relaxed);
		if (now_ns - due_ns > CATCH_UP_NS) {
			uint64_t frames = (now_ns - due_ns) / MEDIA_FRAME_NS;

			skip_frames(t, frames);
			due_ns += frames * MEDIA_FRAME_NS;
		}
		apply_commands(t);
		run_slot(t, &t->slots[tick % MEDIA_SLOTS], now_ns);
	}
	return NULL;
}
