#include "proto/sdp.h"

#include "base/buf.h"
#include "proto/sdp_crypto.h"
#include "proto/sdp_line.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SDP_MAX_BYTES (16 << 10)
#define LINES_MAX     1000

/* "IN IP4 192.0.2.1[/ttl]" */
static int connection(char ret[INET6_ADDRSTRLEN], const struct sdp_line *l)
{
	const char *p;
	size_t n;

	if (!sdp_line_starts(l, "IN IP4 ") && !sdp_line_starts(l, "IN IP6 "))
		return -EINVAL;
	p = l->value + 7;
	n = l->len - 7;
	for (size_t i = 0; i < n; i++)
		if (p[i] == '/' || p[i] == ' ')
			n = i;
	if (!n || n >= INET6_ADDRSTRLEN)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)p[i]) && p[i] != '.' && p[i] != ':' && p[i] != '-')
			return -EINVAL;
	memcpy(ret, p, n);
	ret[n] = '\0';
	return 0;
}

/* "audio 49170[/2] RTP/AVP 0 8 101"; marks the payload types in offered. */
static int media(struct sdp_info *info, const struct sdp_line *l, bool offered[128])
{
	const char *w;
	size_t len, at = 6;
	int n;

	if (!sdp_line_word(l, &at, &w, &len))
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (w[i] == '/')
			len = i;
	n = sdp_number(w, len, 65535);
	if (n < 0)
		return -EINVAL;
	info->port = (uint16_t)n;
	info->has_audio = n != 0;
	if (!sdp_line_word(l, &at, &w, &len))
		return -EINVAL;
	info->secure = sdp_line_sdes(l) || sdp_line_dtls(l);
	if (!info->secure && !sdp_word_is(w, len, "RTP/AVP") && !sdp_word_is(w, len, "RTP/AVPF"))
		info->has_audio = false;
	while (sdp_line_word(l, &at, &w, &len)) {
		n = sdp_number(w, len, 127);
		if (n >= 0)
			offered[n] = true;
	}
	info->pcmu = offered[0];
	info->pcma = offered[8];
	return 0;
}

/* "rtpmap:101 telephone-event/8000" */
static void rtpmap(struct sdp_info *info, const struct sdp_line *l, const bool offered[128])
{
	const char *w;
	size_t len, at = 7;
	int pt;

	if (!sdp_line_word(l, &at, &w, &len))
		return;
	pt = sdp_number(w, len, 127);
	if (pt < 0 || !offered[pt] || !sdp_line_word(l, &at, &w, &len))
		return;
	if (sdp_word_is(w, len, "telephone-event/8000") ||
	    sdp_word_is(w, len, "telephone-event/8000/1"))
		info->dtmf_pt = pt;
	else if (sdp_word_is(w, len, "PCMU/8000") || sdp_word_is(w, len, "PCMU/8000/1"))
		info->pcmu = true;
	else if (sdp_word_is(w, len, "PCMA/8000") || sdp_word_is(w, len, "PCMA/8000/1"))
		info->pcma = true;
}

static bool is_fingerprint(const struct sdp_line *l)
{
	return sdp_line_starts(l, "fingerprint:") && sdp_fingerprint_ok(l->value + 12, l->len - 12);
}

static void audio_attribute(struct sdp_info *info, const struct sdp_line *l,
			    const bool offered[128], bool sdes, bool dtls)
{
	struct sdp_crypto c;

	if (sdp_line_starts(l, "rtpmap:")) {
		rtpmap(info, l, offered);
	} else if (sdes && !info->suite && sdp_line_starts(l, "crypto:") &&
		   sdp_crypto_read(&c, l->value + 7, l->len - 7)) {
		info->suite = c.suite;
		info->crypto_tag = c.tag;
	} else if (dtls && is_fingerprint(l)) {
		info->suite = SDP_DTLS;
	}
}

static uint64_t version_of(const struct sdp_line *l)
{
	const char *w;
	size_t len, at = 0;
	char digits[24];

	for (int i = 0; i < 3; i++)
		if (!sdp_line_word(l, &at, &w, &len))
			return 0;
	if (len >= sizeof(digits))
		return 0;
	memcpy(digits, w, len);
	digits[len] = '\0';
	return strtoull(digits, NULL, 10);
}

int sdp_parse(struct sdp_info *ret, const char *text, size_t len)
{
	struct sdp_info info = { .dtmf_pt = -1 };
	const char *at = text, *end = text + len;
	char address[INET6_ADDRSTRLEN] = ""; /* of the session */
	enum sdp_direction session = SDP_SENDRECV;
	bool offered[128] = { false }, in_media = false, in_audio = false, has_origin = false;
	bool sdes = false, dtls = false, fingerprint = false; /* that: of the session */
	struct sdp_line l;
	int lines = 0;

	if (!len || len > SDP_MAX_BYTES || memchr(text, 0, len) || !sdp_line_next(&at, end, &l) ||
	    l.type != 'v')
		return -EINVAL;
	while (sdp_line_next(&at, end, &l)) {
		if (++lines > LINES_MAX)
			return -EINVAL;
		switch (l.type) {
		case 'o':
			has_origin = true;
			info.version = version_of(&l);
			break;
		case 'm':
			info.media_count++;
			in_media = true;
			/* The first live audio line is the call; others are refused by RTPengine's
			 * answer. */
			in_audio = !info.has_audio && sdp_line_starts(&l, "audio ");
			if (in_audio) {
				sdes = sdp_line_sdes(&l);
				dtls = sdp_line_dtls(&l);
				info.suite = dtls && fingerprint ? SDP_DTLS : NULL;
				memset(offered, 0, sizeof(offered));
				info.direction = session;
				info.dtmf_pt = -1;
				memcpy(info.address, address, sizeof(address));
				if (media(&info, &l, offered) < 0)
					return -EINVAL;
			}
			break;
		case 'c':
			if ((!in_media || in_audio) &&
			    connection(in_media ? info.address : address, &l) < 0)
				return -EINVAL;
			break;
		case 'a':
			if (!in_media && !sdp_line_direction(&session, &l))
				fingerprint = fingerprint || is_fingerprint(&l);
			else if (in_audio && !sdp_line_direction(&info.direction, &l))
				audio_attribute(&info, &l, offered, sdes, dtls);
			break;
		}
	}
	if (!has_origin || (info.has_audio && !info.address[0]))
		return -EINVAL;
	/* With ICE an address that is not known yet is no hold. */
	if (info.has_audio && !dtls &&
	    (!strcmp(info.address, "0.0.0.0") || !strcmp(info.address, "::")))
		info.direction = info.direction == SDP_RECVONLY || info.direction == SDP_INACTIVE
					 ? SDP_INACTIVE
					 : SDP_SENDONLY;
	*ret = info;
	return 0;
}

int sdp_write(struct buf *b, const struct sdp_own *own)
{
	int dtmf = own->dtmf_pt > 0 ? own->dtmf_pt : SDP_DTMF_PT;
	const char *family = strchr(own->address, ':') ? "IP6" : "IP4";

	return buf_addf(b,
			"v=0\r\n"
			"o=- %llu %llu IN %s %s\r\n"
			"s=Hookswitch\r\n"
			"c=IN %s %s\r\n"
			"t=0 0\r\n"
			"m=audio %u RTP/AVP 0%s %d\r\n"
			"a=rtpmap:0 PCMU/8000\r\n"
			"%s"
			"a=rtpmap:%d telephone-event/8000\r\n"
			"a=fmtp:%d 0-16\r\n"
			"a=ptime:20\r\n"
			"a=%s\r\n",
			(unsigned long long)own->session_id, (unsigned long long)own->version,
			family, own->address, family, own->address, own->port,
			own->pcma_too ? " 8" : "", dtmf,
			own->pcma_too ? "a=rtpmap:8 PCMA/8000\r\n" : "", dtmf, dtmf,
			sdp_directions[own->direction]);
}
