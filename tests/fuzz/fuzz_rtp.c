/* RTP datagrams: whatever arrives on a media port. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "media/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *payload;
	struct rtp_header h;
	size_t n;

	if (rtp_parse(&h, &payload, &n, data, size) == 0 &&
	    (payload < data || n > size || payload + n > data + size))
		abort();
	return 0;
}
