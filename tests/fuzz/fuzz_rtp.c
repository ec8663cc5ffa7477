/* A datagram on a media socket. */
#include "fuzz.h"

#include "media/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *payload;
	struct rtp_header h;
	size_t n;

	if (rtp_parse(&h, &payload, &n, data, size) < 0)
		return 0;
	MUST(payload >= data + RTP_HEADER_BYTES && payload + n <= data + size);
	MUST(h.payload_type < 128);
	return 0;
}
