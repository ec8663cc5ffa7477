/*
 * sdp_line - the lines of a session description (RFC 4566), for the files of sdp. Pure; nothing is
 * copied, nothing needs a NUL but where it says so.
 */
#ifndef HOOKSWITCH_PROTO_SDP_LINE_H
#define HOOKSWITCH_PROTO_SDP_LINE_H

#include "proto/sdp.h"

/* A line: type letter and value, without its end. */
struct sdp_line {
	char type;
	const char *value;
	size_t len;
};

/* The line at *at, which moves behind it; false at the end. One that is no "x=..." has type 0. */
bool sdp_line_next(const char **at, const char *end, struct sdp_line *line);
bool sdp_line_starts(const struct sdp_line *l, const char *prefix); /* in any case */
/* The next word of the line, behind *at, which moves behind it; false: there is none. */
bool sdp_line_word(const struct sdp_line *l, size_t *at, const char **w, size_t *len);
bool sdp_line_direction(enum sdp_direction *ret, const struct sdp_line *l); /* false: it is none */

bool sdp_line_sdes(const struct sdp_line *l); /* an m line of RTP/SAVP or RTP/SAVPF */
bool sdp_line_dtls(const struct sdp_line *l); /* the same behind UDP/TLS/ */

bool sdp_word_is(const char *w, size_t len, const char *name); /* in any case */
int sdp_number(const char *w, size_t len, long max);	       /* 0 to max, or -1 */

extern const char *const sdp_directions[4]; /* by enum sdp_direction */

#endif
