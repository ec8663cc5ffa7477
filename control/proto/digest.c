#include "proto/digest.h"

#include "base/buf.h"
#include "base/log.h"
#include "proto/sip_addr.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#define HEX_MAX		(2 * EVP_MAX_MD_SIZE + 1)
#define VALUE_MAX_BYTES 32768 /* of an Authorization */
#define CNONCE_BYTES	16

/* Lower-case hex of the hash of the parts, up to NULL, with ':' between them. */
static void hash_parts(char *ret, const EVP_MD *md, const char *const *parts)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned n;

	BUG_ON(!ctx || !EVP_DigestInit_ex(ctx, md, NULL));
	for (size_t i = 0; parts[i]; i++) {
		if (i)
			EVP_DigestUpdate(ctx, ":", 1);
		EVP_DigestUpdate(ctx, parts[i], strlen(parts[i]));
	}
	EVP_DigestFinal_ex(ctx, hash, &n);
	EVP_MD_CTX_free(ctx);
	for (unsigned i = 0; i < n; i++)
		sprintf(ret + 2 * i, "%02x", hash[i]);
}

static void ha1(char *ret, const EVP_MD *md, const char *username, const char *realm,
		const char *password)
{
	hash_parts(ret, md, (const char *const[]){ username, realm, password, NULL });
}

void digest_ha1_md5(char ret[DIGEST_MD5_SIZE], const char *username, const char *realm,
		    const char *password)
{
	ha1(ret, EVP_md5(), username, realm, password);
}

void digest_ha1_sha256(char ret[DIGEST_SHA256_SIZE], const char *username, const char *realm,
		       const char *password)
{
	ha1(ret, EVP_sha256(), username, realm, password);
}

/* -- the client's side */

static const struct algorithm {
	const char *name;
	const EVP_MD *(*md)(void);
	bool session; /* the hash of a session: nonce and cnonce are in HA1 */
	int rank;     /* the higher the better */
} algorithms[] = {
	{ "MD5", EVP_md5, false, 1 },
	{ "MD5-sess", EVP_md5, true, 1 },
	{ "SHA-256", EVP_sha256, false, 2 },
	{ "SHA-256-sess", EVP_sha256, true, 2 },
	{ "SHA-512-256", EVP_sha512_256, false, 2 },
	{ "SHA-512-256-sess", EVP_sha512_256, true, 2 },
};

/* One challenge; the strings are without quotes and escapes, NULL when absent. */
struct digest_challenge {
	char *realm, *nonce, *opaque, *algorithm, *qop;
	const struct algorithm *uses;
	bool auth; /* qop=auth is offered; else no qop is */
};

static void challenge_done(struct digest_challenge *c)
{
	free(c->realm);
	free(c->nonce);
	free(c->opaque);
	free(c->algorithm);
	free(c->qop);
	*c = (struct digest_challenge){ 0 };
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* True when text can stand between quotes in a header line. */
static bool text_ok(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
			return false;
	return true;
}

/* The value at *p, a quoted string or a token, malloced; *p goes behind it. NULL: none, or out of
 * memory. */
static char *take_value(const char **p)
{
	const char *s = *p;
	char *value, *to;

	if (*s != '"') {
		s += strcspn(s, " \t,");
		value = sip_is_token(*p, (size_t)(s - *p)) ? strndup(*p, (size_t)(s - *p)) : NULL;
		*p = s;
		return value;
	}
	value = to = malloc(strlen(s));
	if (!value)
		return NULL;
	for (s++; *s && *s != '"'; s++) {
		if (*s == '\\' && s[1])
			s++;
		*to++ = *s;
	}
	*to = '\0';
	if (*s != '"') {
		free(value);
		return NULL;
	}
	*p = s + 1;
	return value;
}

/* One name=value at *p into the challenge, if it is one of its fields. False: malformed, or twice,
 * or out of memory. */
static bool take_param(struct digest_challenge *c, const char **p)
{
	const struct {
		const char *name;
		char **field;
	} wanted[] = {
		{ "realm", &c->realm },		{ "nonce", &c->nonce }, { "opaque", &c->opaque },
		{ "algorithm", &c->algorithm }, { "qop", &c->qop },
	};
	const char *name = *p;
	size_t len = strcspn(name, " \t=,\"");
	char *value, **field = NULL;

	if (!sip_is_token(name, len))
		return false;
	*p += len + strspn(*p + len, " \t");
	if (**p != '=')
		return false;
	(*p)++;
	*p += strspn(*p, " \t");
	value = take_value(p);
	if (!value)
		return false;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (strlen(wanted[i].name) == len && !strncasecmp(name, wanted[i].name, len))
			field = wanted[i].field;
	if (field && !*field) {
		*field = value;
		return true;
	}
	free(value);
	return !field; /* unknown parameters are ignored (RFC 7616 §3.3) */
}

/* True when a comma-separated list has the token, in any case. */
static bool lists(const char *list, const char *token)
{
	while (*list) {
		size_t n;

		list += strspn(list, ", \t");
		n = strcspn(list, ", \t");
		if (n == strlen(token) && !strncasecmp(list, token, n))
			return true;
		list += n;
	}
	return false;
}

/* False: not one that can be answered. */
static bool challenge_parse(struct digest_challenge *c, const char *text)
{
	const char *p = text + strspn(text, " \t"), *algorithm;

	if (!text_ok(text) || strncasecmp(p, "Digest", 6) || !is_space(p[6]))
		return false;
	for (p += 6;;) {
		p += strspn(p, ", \t");
		if (!*p)
			break;
		if (!take_param(c, &p))
			return false;
		p += strspn(p, " \t");
		if (*p && *p != ',')
			return false;
	}
	algorithm = c->algorithm ? c->algorithm : "MD5";
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (!strcasecmp(algorithms[i].name, algorithm))
			c->uses = &algorithms[i];
	c->auth = c->qop && lists(c->qop, "auth");
	/* Without a qop there is no cnonce, which a session's hash needs. */
	return c->realm && c->nonce && c->uses && (c->auth || (!c->qop && !c->uses->session));
}

static void respond(char *ret, const struct digest_challenge *c, const char *method,
		    const char *uri, const char *username, const char *password, const char *cnonce)
{
	const EVP_MD *md = c->uses->md();
	char a1[HEX_MAX], a2[HEX_MAX];

	ha1(a1, md, username, c->realm, password);
	if (c->uses->session) {
		char first[HEX_MAX];

		strcpy(first, a1);
		hash_parts(a1, md, (const char *const[]){ first, c->nonce, cnonce, NULL });
	}
	hash_parts(a2, md, (const char *const[]){ method, uri, NULL });
	if (c->auth)
		hash_parts(ret, md,
			   (const char *const[]){ a1, c->nonce, "00000001", cnonce, "auth", a2,
						  NULL });
	else
		hash_parts(ret, md, (const char *const[]){ a1, c->nonce, a2, NULL });
}

static void add_quoted(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *value);
	}
	buf_addc(b, '"');
}

/* NUL-terminated hex; false when the system has no random bytes. */
static bool random_cnonce(char ret[2 * CNONCE_BYTES + 1])
{
	unsigned char bytes[CNONCE_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++)
		sprintf(ret + 2 * i, "%02x", bytes[i]);
	return true;
}

static char *authorization(const struct digest_challenge *c, const char *method, const char *uri,
			   const char *username, const char *password, const char *cnonce)
{
	char response[HEX_MAX], own[2 * CNONCE_BYTES + 1];
	struct buf b;
	char *value;

	if (!cnonce) {
		if (!random_cnonce(own))
			return NULL;
		cnonce = own;
	}
	respond(response, c, method, uri, username, password, cnonce);
	buf_init(&b, VALUE_MAX_BYTES);
	add_quoted(&b, "Digest username", username);
	add_quoted(&b, ", realm", c->realm);
	add_quoted(&b, ", nonce", c->nonce);
	add_quoted(&b, ", uri", uri);
	add_quoted(&b, ", response", response);
	if (c->algorithm)
		buf_addf(&b, ", algorithm=%s", c->uses->name);
	if (c->opaque)
		add_quoted(&b, ", opaque", c->opaque);
	if (c->auth) {
		buf_adds(&b, ", qop=auth, nc=00000001");
		add_quoted(&b, ", cnonce", cnonce);
	}
	value = b.error ? NULL : buf_steal(&b);
	buf_done(&b);
	return value;
}

char *digest_authorization(const char *const *challenges, size_t n, const char *method,
			   const char *uri, const char *username, const char *password,
			   const char *cnonce)
{
	struct digest_challenge best = { 0 };
	char *value = NULL;

	if (!text_ok(uri) || !text_ok(username))
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct digest_challenge c = { 0 };

		if (challenge_parse(&c, challenges[i]) &&
		    (!best.uses || c.uses->rank > best.uses->rank)) {
			challenge_done(&best);
			best = c;
		} else {
			challenge_done(&c);
		}
	}
	if (best.uses)
		value = authorization(&best, method, uri, username, password, cnonce);
	challenge_done(&best);
	return value;
}
