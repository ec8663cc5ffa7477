#include <errno.h>

#include "media/rtp.h"

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

void rtp_write_header(uint8_t ret[RTP_HEADER_BYTES], const struct rtp_header *h)
{
	ret[0] = 0x80;
	ret[1] = (uint8_t)((h->marker ? 0x80 : 0) | (h->payload_type & 0x7f));
	put16(ret + 2, h->sequence);
	put32(ret + 4, h->timestamp);
	put32(ret + 8, h->ssrc);
}

void rtp_write_event(uint8_t ret[RTP_EVENT_BYTES], uint8_t event, bool end, uint8_t volume,
		     uint16_t duration)
{
	ret[0] = event;
	ret[1] = (uint8_t)((end ? 0x80 : 0) | (volume & 0x3f));
	put16(ret + 2, duration);
}

int rtp_parse(struct rtp_header *ret, const uint8_t **payload, size_t *payload_bytes,
	      const void *data, size_t len_bytes)
{
	const uint8_t *p = data;
	size_t header = RTP_HEADER_BYTES, padding = 0;

	if (len_bytes < header || p[0] >> 6 != 2)
		return -EINVAL;
	if ((p[1] & 0x7f) >= 64 && (p[1] & 0x7f) < 96)
		return -EINVAL;
	header += 4u * (p[0] & 0x0f);
	if (p[0] & 0x10) {
		if (len_bytes < header + 4)
			return -EINVAL;
		header += 4 + 4u * get16(p + header + 2);
	}
	if (len_bytes < header)
		return -EINVAL;
	if (p[0] & 0x20) {
		padding = p[len_bytes - 1];
		if (!padding || padding > len_bytes - header)
			return -EINVAL;
	}
	ret->marker = p[1] >> 7;
	ret->payload_type = p[1] & 0x7f;
	ret->sequence = get16(p + 2);
	ret->timestamp = get32(p + 4);
	ret->ssrc = get32(p + 8);
	*payload = p + header;
	*payload_bytes = len_bytes - header - padding;
	return 0;
}
