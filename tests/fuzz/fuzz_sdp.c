/* A session description; one of ours with what was read of it, reads back. */
#include "fuzz.h"

#include "base/buf.h"
#include "proto/sdp.h"
#include "proto/sdp_crypto.h"

#include <ctype.h>

/* What the party sent, as it is told to RTPengine and offered again: the same audio. */
static void edit(const uint8_t *data, size_t size, const struct sdp_info *was)
{
	char *sdp = strndup((const char *)data, size);
	struct sdp_info i;
	struct buf b;

	buf_init(&b, 64 << 10);
	MUST(sdp_narrow(&b, sdp, sdp) == 0);
	MUST(sdp_parse(&i, b.data, b.len) < 0 ||
	     (i.port == was->port && (was->media_count > 1 || i.pcma == was->pcma)));
	buf_reset(&b);
	MUST(sdp_reoffer(&b, sdp, 7, SDP_INACTIVE) == 0);
	MUST(sdp_parse(&i, b.data, b.len) < 0 || i.port == was->port);
	/* One key at most, under the one tag, and no way to DTLS where it is not the profile. */
	buf_reset(&b);
	MUST(sdp_clean(&b, sdp, true) == 0);
	MUST(strcasestr(sdp, "UDP/TLS/RTP/SAVP") ||
	     (!strstr(b.data, "\na=fingerprint:") && !strstr(b.data, "\na=setup:")));
	MUST(sdp_parse(&i, b.data, b.len) < 0 ||
	     (i.suite == was->suite &&
	      (!i.suite || i.crypto_tag == 1 || !strcmp(i.suite, SDP_DTLS))));
	buf_done(&b);
	free(sdp);
}

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
	/* With ICE 0.0.0.0 is no hold; in ours it is. */
	MUST(again.direction == i.direction || !strcmp(i.address, "0.0.0.0") ||
	     !strcmp(i.address, "::"));
	buf_done(&b);
	edit(data, size, &i);
	return 0;
}
