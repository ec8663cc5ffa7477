#include "proto/sdp_crypto.h"

#include "proto/sdp_line.h"

#include <ctype.h>
#include <string.h>

#define KEY_CHARS 40 /* 16 bytes of key and 14 of salt in base64 */

static const char *const suites[] = { SDP_SUITE_80, SDP_SUITE_32, SDP_DTLS };

static const char *suite_of(const char *w, size_t len)
{
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (sdp_word_is(w, len, suites[i]))
			return suites[i];
	return NULL;
}

const char *sdp_crypto_suite(const char *name)
{
	return name ? suite_of(name, strlen(name)) : NULL;
}

bool sdp_fingerprint_ok(const char *value, size_t len)
{
	static const struct {
		const char *name;
		size_t bytes;
	} hashes[] = { { "sha-256", 32 }, { "sha-384", 48 }, { "sha-512", 64 } };
	const char *hex = memchr(value, ' ', len);
	size_t name = hex ? (size_t)(hex++ - value) : 0, n = hex ? len - name - 1 : 0;

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		if (!sdp_word_is(value, name, hashes[i].name) || n != hashes[i].bytes * 3 - 1)
			continue;
		for (size_t at = 0; at < n; at++)
			if (at % 3 == 2 ? hex[at] != ':' : !isxdigit((unsigned char)hex[at]))
				return false;
		return true;
	}
	return false;
}

/* "inline:KEY[|lifetime]": a lifetime is a number or a power of two. */
static bool key_ok(const char *w, size_t len)
{
	if (len < 7 + KEY_CHARS || strncmp(w, "inline:", 7) != 0)
		return false;
	for (size_t i = 7; i < 7 + KEY_CHARS; i++)
		if (!isalnum((unsigned char)w[i]) && w[i] != '+' && w[i] != '/')
			return false;
	w += 7 + KEY_CHARS;
	len -= 7 + KEY_CHARS;
	if (!len)
		return true;
	if (*w != '|' || len == 1)
		return false;
	w++;
	len--;
	if (len > 2 && w[0] == '2' && w[1] == '^') {
		w += 2;
		len -= 2;
	}
	for (size_t i = 0; i < len; i++)
		if (!isdigit((unsigned char)w[i]))
			return false;
	return true;
}

bool sdp_crypto_read(struct sdp_crypto *ret, const char *value, size_t len)
{
	struct sdp_line l = { .value = value, .len = len };
	const char *w;
	size_t n, at = 0;
	int tag;

	if (!sdp_line_word(&l, &at, &w, &n) || n > 9 || w != value)
		return false;
	tag = sdp_number(w, n, 999999999);
	if (tag < 0)
		return false;
	ret->tag = (unsigned)tag;
	ret->tag_len = n;
	if (!sdp_line_word(&l, &at, &w, &n) || !(ret->suite = suite_of(w, n)))
		return false;
	if (!sdp_line_word(&l, &at, &w, &n) || !key_ok(w, n))
		return false;
	/* Of the session parameters only the hint of a window size asks for nothing. */
	while (sdp_line_word(&l, &at, &w, &n))
		if (n < 5 || strncmp(w, "WSH=", 4) != 0 || sdp_number(w + 4, n - 4, 65535) < 0)
			return false;
	return true;
}
