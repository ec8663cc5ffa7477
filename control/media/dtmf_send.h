/*
 * dtmf_send - which 20 ms packet of a string of digits comes next: RFC 4733 §2.5.1 events and
 * pauses. Pure.
 *
 * A digit is 100 ms of tone and 100 ms of gap; its end is sent three times, the second and third in
 * the gap. w pauses 0.5 s, W 1 s (twiml-and-webhooks.md §1.8).
 */
#ifndef HOOKSWITCH_MEDIA_DTMF_SEND_H
#define HOOKSWITCH_MEDIA_DTMF_SEND_H

#include <stdbool.h>
#include <stdint.h>

struct dtmf_send {
	const char *digits; /* the caller's, only characters that dtmf_send_valid takes */
	unsigned frame;	    /* of the first character, in packets of 20 ms */
};

enum dtmf_frame { DTMF_EVENT, DTMF_SILENCE, DTMF_DONE };

struct dtmf_packet {
	uint8_t event;
	bool first, end;
	uint16_t duration; /* timestamp units since the event's begin */
};

bool dtmf_send_valid(char digit);

/* The next packet; ret is set for DTMF_EVENT alone. */
enum dtmf_frame dtmf_send_next(struct dtmf_send *s, struct dtmf_packet *ret);

#endif
