/*
 * sdp - what we need to know of a session description (RFC 4566, RFC 3264), and our own
 * descriptions. Pure. RTPengine rewrites SDP towards the party; this module decides whether we can
 * take an offer, and its direction.
 */
#ifndef HOOKSWITCH_PROTO_SDP_H
#define HOOKSWITCH_PROTO_SDP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define SDP_DTMF_PT 101 /* telephone-event, where the other side named no type for it */

enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };

struct sdp_info {
	bool has_audio; /* an m=audio with a port other than 0 */
	bool secure;	/* RTP/SAVP or RTP/SAVPF, with or without DTLS */
	/* Of the first a=crypto that we can use (RFC 4568), when the profile is SDES's; SDP_DTLS,
	 * when it is DTLS's and a fingerprint is there: a constant of sdp_crypto.h, or NULL. */
	const char *suite;
	unsigned crypto_tag;
	bool pcmu, pcma; /* offered, static or by rtpmap */
	int dtmf_pt;	 /* telephone-event/8000, -1 none */
	enum sdp_direction
		direction; /* of that m line; c=0.0.0.0 or :: counts as sendonly (RFC 2543 hold) */
	char address[INET6_ADDRSTRLEN];
	uint16_t port;	      /* of that m line */
	unsigned media_count; /* m lines in all */
	uint64_t version;     /* o= sess-version */
};

/*
 * Of several m=audio the first that is alive (port not 0) and RTP counts; without one has_audio is
 * false and the rest says nothing. -EINVAL: not SDP, or beyond 16 kB or 1000 lines.
 */
int sdp_parse(struct sdp_info *ret, const char *text, size_t len);

/* Our side's description: "s=Hookswitch", one m=audio, PCMU and/or PCMA, telephone-event, ptime 20.
 */
struct sdp_own {
	const char *address;
	uint16_t port;
	enum sdp_direction direction;
	uint64_t session_id, version;
	bool pcma_too; /* 0 8 101, else 0 101 */
	int dtmf_pt;   /* of telephone-event: an answer has the offer's; 0: 101 */
};
int sdp_write(struct buf *b, const struct sdp_own *own);

/* The same description once more, of a later version and in another direction (RFC 3264 §8). */
int sdp_reoffer(struct buf *b, const char *sdp, uint64_t version, enum sdp_direction direction);

/* A description with those payload types of its audio alone that agreed, the answer to it, has; the
 * tag of its crypto line becomes 1. */
int sdp_narrow(struct buf *b, const char *sdp, const char *agreed);

/*
 * As RTPengine may be told of it: of the crypto lines of RTP/SAVP(F) the first that we can use,
 * of other profiles none, and no way to DTLS where no line of media has its profile. In an answer
 * its tag becomes 1: RTPengine was told to offer that suite alone.
 */
int sdp_clean(struct buf *b, const char *sdp, bool answer);

#endif
