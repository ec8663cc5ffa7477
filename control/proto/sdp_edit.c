/* A description of somebody else's, changed where it has to be. */
#include "base/buf.h"
#include "proto/sdp_crypto.h"
#include "proto/sdp_line.h"

#include <string.h>

/* The line as it was. */
static void add_line(struct buf *b, const struct sdp_line *l)
{
	buf_addf(b, "%c=%.*s\r\n", l->type, (int)l->len, l->value);
}

int sdp_reoffer(struct buf *b, const char *sdp, uint64_t version, enum sdp_direction to)
{
	const char *end = sdp + strlen(sdp), *w;
	enum sdp_direction was;
	struct sdp_line l;

	while (sdp_line_next(&sdp, end, &l)) {
		size_t at = 0, len, kept = 0;

		if (l.type == 'o') {
			for (int i = 0; i < 2 && sdp_line_word(&l, &at, &w, &len); i++)
				kept = at;
			sdp_line_word(&l, &at, &w, &len);
			buf_addf(b, "o=%.*s %llu%.*s\r\n", (int)kept, l.value,
				 (unsigned long long)version, (int)(l.len - at), l.value + at);
		} else if (l.type == 'a' && sdp_line_direction(&was, &l)) {
			buf_addf(b, "a=%s\r\n", sdp_directions[to]);
		} else if (l.type) {
			add_line(b, &l);
		}
	}
	return b->error;
}

/* The payload types of an m line; *at: where they begin. */
static void types(const struct sdp_line *l, size_t *at, bool ret[128])
{
	const char *w;
	size_t len, next;

	*at = 0;
	for (int i = 0; i < 3; i++)
		sdp_line_word(l, at, &w, &len);
	next = *at;
	while (sdp_line_word(l, &next, &w, &len)) {
		int n = sdp_number(w, len, 127);

		if (n >= 0)
			ret[n] = true;
	}
}

static bool is_audio(const struct sdp_line *l)
{
	return l->type == 'm' && sdp_line_starts(l, "audio ");
}

/* Those of the first audio line. */
static bool types_of(const char *sdp, bool ret[128])
{
	const char *end = sdp + strlen(sdp);
	struct sdp_line l;
	size_t at;

	while (sdp_line_next(&sdp, end, &l)) {
		if (!is_audio(&l))
			continue;
		types(&l, &at, ret);
		return true;
	}
	return false;
}

static void narrow_line(struct buf *b, const struct sdp_line *l, const bool agreed[128])
{
	bool has[128] = { false };
	const char *w;
	size_t at, len;

	types(l, &at, has);
	buf_addf(b, "m=%.*s", (int)at, l->value);
	while (sdp_line_word(l, &at, &w, &len)) {
		int n = sdp_number(w, len, 127);

		if (n >= 0 && agreed[n])
			buf_addf(b, " %d", n);
	}
	buf_adds(b, "\r\n");
}

#define CRYPTO	   "crypto:"
#define CRYPTO_LEN 7

static bool is_crypto(const struct sdp_line *l)
{
	return l->type == 'a' && sdp_line_starts(l, CRYPTO);
}

/* If it can be used; numbered: its tag becomes 1. */
static bool add_crypto(struct buf *b, const struct sdp_line *l, bool numbered)
{
	struct sdp_crypto c;

	if (!sdp_crypto_read(&c, l->value + CRYPTO_LEN, l->len - CRYPTO_LEN))
		return false;
	if (numbered)
		buf_addf(b, "a=" CRYPTO "1%.*s\r\n", (int)(l->len - CRYPTO_LEN - c.tag_len),
			 l->value + CRYPTO_LEN + c.tag_len);
	else
		add_line(b, l);
	return true;
}

int sdp_narrow(struct buf *b, const char *sdp, const char *agreed)
{
	bool some[128] = { false };
	const char *end = sdp + strlen(sdp);
	bool known = types_of(agreed, some);
	struct sdp_line l;

	while (sdp_line_next(&sdp, end, &l)) {
		if (known && is_audio(&l))
			narrow_line(b, &l, some);
		else if (is_crypto(&l))
			add_crypto(b, &l, true);
		else if (l.type)
			add_line(b, &l);
	}
	return b->error;
}

static bool has_dtls(const char *sdp)
{
	const char *end = sdp + strlen(sdp);
	struct sdp_line l;

	while (sdp_line_next(&sdp, end, &l))
		if (l.type == 'm' && sdp_line_dtls(&l))
			return true;
	return false;
}

int sdp_clean(struct buf *b, const char *sdp, bool answer)
{
	static const char *const dropped[] = { "fingerprint:", "setup:", "tls-id:", "key-mgmt:" };
	const char *end = sdp + strlen(sdp);
	bool wanted = false; /* SDES has a crypto line to find */
	bool dtls = has_dtls(sdp);
	struct sdp_line l;

	while (sdp_line_next(&sdp, end, &l)) {
		bool drop = !l.type;

		if (l.type == 'm')
			wanted = sdp_line_sdes(&l);
		if (is_crypto(&l)) {
			wanted = wanted && !add_crypto(b, &l, answer);
			continue;
		}
		for (size_t i = 0; !dtls && i < sizeof(dropped) / sizeof(dropped[0]); i++)
			drop = drop || (l.type == 'a' && sdp_line_starts(&l, dropped[i]));
		if (!drop)
			add_line(b, &l);
	}
	return b->error;
}
