/*
 * media - the media worker: threads with one 20 ms clock that send prompts to RTPengine's internal
 * side and read what comes from it. It knows nothing of SIP or TwiML.
 *
 * Called from the loop thread; commands go to the worker through a lock-free queue, events come
 * back on the loop.
 */
#ifndef HOOKSWITCH_MEDIA_MEDIA_H
#define HOOKSWITCH_MEDIA_MEDIA_H

#include <stdint.h>

struct loop;
struct media;
struct media_port; /* one `i` socket: plain RTP, PCMU + telephone-event, loopback */
struct prompt;

#define MEDIA_FOREVER UINT32_MAX /* loops: longer than any call */

struct media_events {
	/* The play with this id ended by itself (never after media_stop or media_close of it). */
	void (*played)(void *arg, uint32_t play_id);
	/* No RTP packet arrived for the port's timeout; once, until packets come again. */
	void (*silent)(void *arg);
};

struct media_stats {
	unsigned ports;		 /* open */
	uint64_t sent, received; /* RTP packets */
	uint64_t dropped;	 /* datagrams that were not RTP */
	uint64_t late_ticks;	 /* clock ticks that ran more than 5 ms late */
};

/* NULL: not an IP address, no thread, out of memory. A port sends once its thread's clock ticks:
 * every 20 ms, at a phase of its own. */
struct media *media_new(struct loop *loop, const char *ip, unsigned threads);
/* Not from an event. Ports still open are closed. NULL is fine. */
void media_free(struct media *media);

/* Binds a socket on an ephemeral port of the media ip. -EMFILE/-EADDRNOTAVAIL when none. timeout_ms
 * 0: no `silent`. */
int media_open(struct media_port **ret, struct media *media, unsigned timeout_ms,
	       const struct media_events *events, void *arg);
void media_close(struct media_port *port); /* no event after it; NULL is fine */
uint16_t media_port_number(const struct media_port *port);

/*
 * Where packets go, and alone may come from: RTPengine's internal port of the leg; event_type is
 * the payload type that telephone-event has there. From now on the stream is continuous (silence
 * when nothing plays) and the timeout runs. Plays queued before wait for it. Again: the new
 * address, the same stream, the timeout anew.
 */
void media_start(struct media_port *port, const char *ip, uint16_t port_number, uint8_t event_type);
/* 0: stop sending (the party put us on hold), 1: go on. Held, timestamps and what plays go on
 * unheard, the timeout too. */
void media_hold(struct media_port *port, int sending);

/*
 * Queues p (a reference is taken) behind what plays, loops times (0: once; MEDIA_FOREVER: until
 * media_stop). Returns its id; 0 means out of memory alone. `played` follows when the 20 ms of its
 * last packet are over.
 */
uint32_t media_play(struct media_port *port, struct prompt *p, unsigned loops);
/*
 * Queues RFC 4733 digits 0-9 A-D * # and pauses w (0.5 s), W (1 s): 100 ms tone, 100 ms gap; other
 * characters are left out. `played` follows.
 */
uint32_t media_play_digits(struct media_port *port, const char *digits);
/* Drops everything queued and playing, without `played`; silence from the next packet on (20 ms).
 */
void media_stop(struct media_port *port);

void media_get_stats(struct media *media, struct media_stats *ret); /* any thread */

#endif
