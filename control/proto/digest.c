#include "proto/digest.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/sid.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Hex of the hash of the parts with a colon between any two. */
static void hash(char *ret, const EVP_MD *md, const char *const *parts, size_t n_parts)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned n;

	BUG_ON(!ctx || !EVP_DigestInit_ex(ctx, md, NULL));
	for (size_t i = 0; i < n_parts; i++) {
		if (i)
			EVP_DigestUpdate(ctx, ":", 1);
		EVP_DigestUpdate(ctx, parts[i], strlen(parts[i]));
	}
	EVP_DigestFinal_ex(ctx, digest, &n);
	EVP_MD_CTX_free(ctx);
	for (unsigned i = 0; i < n; i++)
		sprintf(ret + 2 * i, "%02x", digest[i]);
}

static void ha1(char *ret, const EVP_MD *md, const char *username, const char *realm,
		const char *password)
{
	const char *const parts[] = { username, realm, password };

	hash(ret, md, parts, 3);
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

#define VALUE_MAX_BYTES 512

enum algorithm { NONE, MD5, SHA256 };

struct challenge {
	enum algorithm algorithm;
	bool qop_auth, qop_other;
	char realm[VALUE_MAX_BYTES], nonce[VALUE_MAX_BYTES], opaque[VALUE_MAX_BYTES];
};

/* One name=value or name="value"; the value without quotes, its escapes as sent. */
static const char *take_pair(const char *p, char *name, char *value)
{
	size_t n;

	p += strspn(p, " \t,");
	n = strcspn(p, "= \t,");
	if (!n || n >= VALUE_MAX_BYTES || p[n] != '=')
		return NULL;
	snprintf(name, VALUE_MAX_BYTES, "%.*s", (int)n, p);
	p += n + 1;
	if (*p != '"') {
		n = strcspn(p, " \t,");
	} else {
		for (n = 1; p[n] && p[n] != '"'; n++)
			n += p[n] == '\\' && p[n + 1];
		if (!p[n])
			return NULL;
		p++;
		n--;
	}
	if (n >= VALUE_MAX_BYTES)
		return NULL;
	snprintf(value, VALUE_MAX_BYTES, "%.*s", (int)n, p);
	return p + n + (p[n] == '"');
}

static void take_qop(struct challenge *c, const char *value)
{
	while (*(value += strspn(value, ", \t"))) {
		size_t n = strcspn(value, ", \t");

		if (n == 4 && !strncasecmp(value, "auth", 4))
			c->qop_auth = true;
		else
			c->qop_other = true;
		value += n;
	}
}

/* False when we cannot answer it. */
static bool read_challenge(struct challenge *c, const char *text)
{
	char name[VALUE_MAX_BYTES], value[VALUE_MAX_BYTES];
	bool realm = false, nonce = false;

	*c = (struct challenge){ .algorithm = MD5 };
	if (strncasecmp(text, "Digest", 6) || (text[6] != ' ' && text[6] != '\t'))
		return false;
	for (const char *p = text + 6; *(p + strspn(p, " \t,"));) {
		p = take_pair(p, name, value);
		if (!p)
			return false;
		if (!strcasecmp(name, "realm")) {
			strcpy(c->realm, value);
			realm = true;
		} else if (!strcasecmp(name, "nonce")) {
			strcpy(c->nonce, value);
			nonce = true;
		} else if (!strcasecmp(name, "opaque")) {
			strcpy(c->opaque, value);
		} else if (!strcasecmp(name, "qop")) {
			take_qop(c, value);
		} else if (!strcasecmp(name, "algorithm")) {
			c->algorithm = !strcasecmp(value, "MD5")       ? MD5
				       : !strcasecmp(value, "SHA-256") ? SHA256
								       : NONE;
		}
	}
	return realm && nonce && c->algorithm != NONE && (c->qop_auth || !c->qop_other);
}

/* What is quoted counts without its escapes (RFC 7616 §3.4.2 hashes unq(...)). */
static void unquote(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		*to++ = *s;
	}
	*to = '\0';
}

static void add_quoted(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *value);
	}
	buf_adds(b, "\"");
}

static char *answer(struct challenge *c, const char *method, const char *uri, const char *username,
		    const char *password, const char *cnonce)
{
	const EVP_MD *md = c->algorithm == SHA256 ? EVP_sha256() : EVP_md5();
	char a1[DIGEST_SHA256_SIZE], a2[DIGEST_SHA256_SIZE], response[DIGEST_SHA256_SIZE];
	struct buf b;
	char *ret;

	unquote(c->realm);
	unquote(c->nonce);
	unquote(c->opaque);
	ha1(a1, md, username, c->realm, password);
	hash(a2, md, (const char *const[]){ method, uri }, 2);
	if (c->qop_auth)
		hash(response, md,
		     (const char *const[]){ a1, c->nonce, "00000001", cnonce, "auth", a2 }, 6);
	else
		hash(response, md, (const char *const[]){ a1, c->nonce, a2 }, 3);
	buf_init(&b, 8 * VALUE_MAX_BYTES);
	add_quoted(&b, "Digest username", username);
	add_quoted(&b, ", realm", c->realm);
	add_quoted(&b, ", nonce", c->nonce);
	add_quoted(&b, ", uri", uri);
	buf_addf(&b, ", response=\"%s\", algorithm=%s", response,
		 c->algorithm == SHA256 ? "SHA-256" : "MD5");
	if (c->qop_auth)
		buf_addf(&b, ", cnonce=\"%s\", nc=00000001, qop=auth", cnonce);
	if (*c->opaque)
		add_quoted(&b, ", opaque", c->opaque);
	ret = b.error ? NULL : buf_steal(&b);
	buf_done(&b);
	return ret;
}

char *digest_authorization(const char *const *challenges, size_t n, const char *method,
			   const char *uri, const char *username, const char *password,
			   const char *cnonce)
{
	struct challenge best = { .algorithm = NONE }, c;
	char random[33];

	for (size_t i = 0; i < n; i++)
		if (read_challenge(&c, challenges[i]) && c.algorithm > best.algorithm)
			best = c;
	if (best.algorithm == NONE)
		return NULL;
	if (!cnonce) {
		random_hex(random, 32);
		cnonce = random;
	}
	return answer(&best, method, uri, username, password, cnonce);
}
