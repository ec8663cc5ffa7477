/*
 * rtp - RTP headers (RFC 3550 §5.1) and telephone-event payloads (RFC 4733 §2.3). Pure; any thread.
 */
#ifndef HOOKSWITCH_MEDIA_RTP_H
#define HOOKSWITCH_MEDIA_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTP_HEADER_BYTES  12
#define RTP_EVENT_BYTES	  4
#define RTP_PT_PCMU	  0
#define RTP_PT_EVENT	  101
#define RTP_FRAME_SAMPLES 160 /* 20 ms at 8000 Hz; PCMU: as many bytes */
#define RTP_ULAW_SILENCE  0xff

struct rtp_header {
	bool marker;
	uint8_t payload_type;
	uint16_t sequence;
	uint32_t timestamp;
	uint32_t ssrc;
};

void rtp_write_header(uint8_t ret[RTP_HEADER_BYTES], const struct rtp_header *h);

/* volume in -dBm0 (0-63), duration in timestamp units. */
void rtp_write_event(uint8_t ret[RTP_EVENT_BYTES], uint8_t event, bool end, uint8_t volume,
		     uint16_t duration);

/*
 * Reads a datagram: *payload points into data. Padding and a header extension are taken off.
 * -EINVAL: not RTP (too short, version not 2, inconsistent lengths, or an RTCP packet type: RFC
 * 5761 §4).
 */
int rtp_parse(struct rtp_header *ret, const uint8_t **payload, size_t *payload_bytes,
	      const void *data, size_t len_bytes);

#endif
