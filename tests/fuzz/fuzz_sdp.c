/* A session description; one of ours with what was read of it, reads back. */
#include "fuzz.h"

#include "base/buf.h"
#include "proto/sdp.h"

#include <ctype.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sdp_info i, again;
	struct buf b;

	if (sdp_parse(&i, (const char *)data, size) < 0)
		return 0;
	MUST(i.direction >= SDP_SENDRECV && i.direction <= SDP_INACTIVE);
	MUST(i.dtmf_pt >= -1 && i.dtmf_pt <= 127);
	MUST(memchr(i.address, 0, sizeof(i.address)));
	for (const char *p = i.address; *p; p++)
		MUST(isalnum((unsigned char)*p) || strchr(".:-", *p));
	if (!i.has_audio)
		return 0;
	MUST(i.port && *i.address && i.media_count);
	buf_init(&b, 4096);
	MUST(sdp_write(&b, &(struct sdp_own){ .address = i.address,
					      .port = i.port,
					      .direction = i.direction,
					      .version = i.version,
					      .session_id = 1,
					      .pcma_too = i.pcma }) == 0);
	MUST(sdp_parse(&again, b.data, b.len) == 0);
	MUST(again.has_audio && again.port == i.port && again.version == i.version &&
	     !strcmp(again.address, i.address));
	MUST(again.direction == i.direction);
	buf_done(&b);
	return 0;
}
