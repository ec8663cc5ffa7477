#include "proto/sdp_line.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

bool sdp_line_next(const char **at, const char *end, struct sdp_line *line)
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

bool sdp_line_starts(const struct sdp_line *l, const char *prefix)
{
	size_t n = strlen(prefix);

	return l->len >= n && !strncasecmp(l->value, prefix, n);
}

bool sdp_word_is(const char *w, size_t len, const char *name)
{
	return strlen(name) == len && !strncasecmp(w, name, len);
}

bool sdp_line_word(const struct sdp_line *l, size_t *at, const char **w, size_t *len)
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

int sdp_number(const char *w, size_t len, long max)
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

const char *const sdp_directions[4] = { "sendrecv", "sendonly", "recvonly", "inactive" };

bool sdp_line_direction(enum sdp_direction *ret, const struct sdp_line *l)
{
	for (int i = 0; i < 4; i++) {
		if (l->len == 8 && sdp_line_starts(l, sdp_directions[i])) {
			*ret = (enum sdp_direction)i;
			return true;
		}
	}
	return false;
}

/* The third word of an m line. */
static bool profile_is(const struct sdp_line *l, const char *savp, const char *savpf)
{
	const char *w = "";
	size_t len = 0, at = 0;

	for (int i = 0; i < 3; i++)
		sdp_line_word(l, &at, &w, &len);
	return sdp_word_is(w, len, savp) || sdp_word_is(w, len, savpf);
}

bool sdp_line_sdes(const struct sdp_line *l)
{
	return profile_is(l, "RTP/SAVP", "RTP/SAVPF");
}

bool sdp_line_dtls(const struct sdp_line *l)
{
	return profile_is(l, "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF");
}
