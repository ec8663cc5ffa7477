#include "proto/sdp.h"

#include "base/buf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SDP_MAX_BYTES (16 << 10)
#define LINES_MAX     1000

/* A line: type letter and value, without its end. */
struct line {
	char type;
	const char *value;
	size_t len;
};

static bool next_line(const char **at, const char *end, struct line *line)
{
	const char *s = *at, *lf;

	if (s >= end)
		return false;
	lf = memchr(s, '\n', (size_t)(end - s));
	*at = lf ? lf + 1 : end;
	if (!lf)
		lf = end;
	while (lf > s && (lf[-1] == '\r' || lf[-1] == ' '))
		lf--;
	line->type = '\0';
	line->value = s;
	line->len = 0;
	if (lf - s >= 2 && s[1] == '=') {
		line->type = s[0];
		line->value = s + 2;
		line->len = (size_t)(lf - s) - 2;
	}
	return true;
}

static bool starts(const struct line *l, const char *prefix)
{
	size_t n = strlen(prefix);

	return l->len >= n && !strncasecmp(l->value, prefix, n);
}

/* "IN IP4 192.0.2.1[/ttl]" */
static int connection(char ret[INET6_ADDRSTRLEN], const struct line *l)
{
	const char *p;
	size_t n;

	if (!starts(l, "IN IP4 ") && !starts(l, "IN IP6 "))
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

static bool is(const char *w, size_t len, const char *name)
{
	return strlen(name) == len && !strncasecmp(w, name, len);
}

/* One word of the line behind *at. */
static bool word(const struct line *l, size_t *at, const char **w, size_t *len)
{
	while (*at < l->len && l->value[*at] == ' ')
		(*at)++;
	*w = l->value + *at;
	*len = 0;
	while (*at < l->len && l->value[*at] != ' ') {
		(*at)++;
		(*len)++;
	}
	return *len > 0;
}

static int number(const char *w, size_t len, long max)
{
	long n = 0;

	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)w[i]))
			return -1;
		n = n * 10 + (w[i] - '0');
		if (n > max)
			return -1;
	}
	return len ? (int)n : -1;
}

/* "audio 49170[/2] RTP/AVP 0 8 101"; marks the payload types in offered. */
static int media(struct sdp_info *info, const struct line *l, bool offered[128])
{
	const char *w;
	size_t len, at = 6;
	int n;

	if (!word(l, &at, &w, &len))
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (w[i] == '/')
			len = i;
	n = number(w, len, 65535);
	if (n < 0)
		return -EINVAL;
	info->port = (uint16_t)n;
	info->has_audio = n != 0;
	if (!word(l, &at, &w, &len))
		return -EINVAL;
	info->secure = is(w, len, "RTP/SAVP") || is(w, len, "RTP/SAVPF") ||
		       is(w, len, "UDP/TLS/RTP/SAVP") || is(w, len, "UDP/TLS/RTP/SAVPF");
	if (!info->secure && !is(w, len, "RTP/AVP") && !is(w, len, "RTP/AVPF"))
		info->has_audio = false;
	while (word(l, &at, &w, &len)) {
		n = number(w, len, 127);
		if (n >= 0)
			offered[n] = true;
	}
	info->pcmu = offered[0];
	info->pcma = offered[8];
	return 0;
}

/* "rtpmap:101 telephone-event/8000" */
static void rtpmap(struct sdp_info *info, const struct line *l, const bool offered[128])
{
	const char *w;
	size_t len, at = 7;
	int pt;

	if (!word(l, &at, &w, &len))
		return;
	pt = number(w, len, 127);
	if (pt < 0 || !offered[pt] || !word(l, &at, &w, &len))
		return;
	if (is(w, len, "telephone-event/8000") || is(w, len, "telephone-event/8000/1"))
		info->dtmf_pt = pt;
	else if (is(w, len, "PCMU/8000") || is(w, len, "PCMU/8000/1"))
		info->pcmu = true;
	else if (is(w, len, "PCMA/8000") || is(w, len, "PCMA/8000/1"))
		info->pcma = true;
}

static bool direction(enum sdp_direction *ret, const struct line *l)
{
	static const char *const names[] = { "sendrecv", "sendonly", "recvonly", "inactive" };

	for (int i = 0; i < 4; i++) {
		if (l->len == 8 && starts(l, names[i])) {
			*ret = (enum sdp_direction)i;
			return true;
		}
	}
	return false;
}

static uint64_t version_of(const struct line *l)
{
	const char *w;
	size_t len, at = 0;
	char digits[24];

	for (int i = 0; i < 3; i++)
		if (!word(l, &at, &w, &len))
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
	struct line l;
	int lines = 0;

	if (!len || len > SDP_MAX_BYTES || memchr(text, 0, len) || !next_line(&at, end, &l) ||
	    l.type != 'v')
		return -EINVAL;
	while (next_line(&at, end, &l)) {
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
			in_audio = !info.has_audio && starts(&l, "audio ");
			if (in_audio) {
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
			if (!in_media)
				direction(&session, &l);
			else if (in_audio && !direction(&info.direction, &l) &&
				 starts(&l, "rtpmap:"))
				rtpmap(&info, &l, offered);
			break;
		}
	}
	if (!has_origin || (info.has_audio && !info.address[0]))
		return -EINVAL;
	if (info.has_audio && (!strcmp(info.address, "0.0.0.0") || !strcmp(info.address, "::")))
		info.direction = info.direction == SDP_RECVONLY || info.direction == SDP_INACTIVE
					 ? SDP_INACTIVE
					 : SDP_SENDONLY;
	*ret = info;
	return 0;
}

int sdp_write(struct buf *b, const struct sdp_own *own)
{
	static const char *const directions[] = { "sendrecv", "sendonly", "recvonly", "inactive" };
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
			directions[own->direction]);
}
