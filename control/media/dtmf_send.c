#include <string.h>

#include "media/dtmf_send.h"
#include "media/rtp.h"

#define TONE_FRAMES  5
#define END_FRAMES   3
#define DIGIT_FRAMES 10
#define PAUSE_FRAMES 25

static const char events[] = "0123456789*#ABCD"; /* by event number, RFC 4733 §3.2 */

static int event_number(char digit)
{
	const char *p;

	if (digit >= 'a' && digit <= 'd')
		digit = (char)(digit - 'a' + 'A');
	p = digit ? strchr(events, digit) : NULL;
	return p ? (int)(p - events) : -1;
}

bool dtmf_send_valid(char digit)
{
	return digit == 'w' || digit == 'W' || event_number(digit) >= 0;
}

static unsigned frames_of(char digit)
{
	return digit == 'w' ? PAUSE_FRAMES : digit == 'W' ? 2 * PAUSE_FRAMES : DIGIT_FRAMES;
}

enum dtmf_frame dtmf_send_next(struct dtmf_send *s, struct dtmf_packet *ret)
{
	unsigned frame, sent;

	if (*s->digits && s->frame == frames_of(*s->digits)) {
		s->digits++;
		s->frame = 0;
	}
	if (!*s->digits)
		return DTMF_DONE;
	frame = s->frame++;
	if (event_number(*s->digits) < 0 || frame >= TONE_FRAMES + END_FRAMES - 1)
		return DTMF_SILENCE;
	sent = frame < TONE_FRAMES ? frame + 1 : TONE_FRAMES;
	ret->event = (uint8_t)event_number(*s->digits);
	ret->first = frame == 0;
	ret->end = frame >= TONE_FRAMES - 1;
	ret->duration = (uint16_t)(sent * RTP_FRAME_SAMPLES);
	return DTMF_EVENT;
}
