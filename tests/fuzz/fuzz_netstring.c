/* A stream of netstrings, cut where it may be. */
#include "fuzz.h"

#include "proto/netstring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *payload;
	size_t left = size, n, used;

	while (netstring_next(at, left, 1000, &payload, &n, &used) == 1) {
		MUST(used && used <= left && n <= 1000);
		MUST(payload > at && payload + n < at + left && payload[n] == ',');
		/* One byte less is a frame that is not whole yet. */
		MUST(netstring_next(at, used - 1, 1000, &payload, &n, &used) == 0);
		(void)netstring_next(at, left, 1000, &payload, &n, &used);
		at += used;
		left -= used;
	}
	return 0;
}
