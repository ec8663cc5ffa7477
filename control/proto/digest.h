/*
 * digest - RFC 7616/2617 digest: HA1 of a credential, and what answers a challenge. Pure.
 */
#ifndef HOOKSWITCH_PROTO_DIGEST_H
#define HOOKSWITCH_PROTO_DIGEST_H

#include <stddef.h>

#define DIGEST_MD5_SIZE	   33
#define DIGEST_SHA256_SIZE 65

/* Lower-case hex of H(username:realm:password). */
void digest_ha1_md5(char ret[DIGEST_MD5_SIZE], const char *username, const char *realm,
		    const char *password);
void digest_ha1_sha256(char ret[DIGEST_SHA256_SIZE], const char *username, const char *realm,
		       const char *password);

/*
 * The value of an Authorization or Proxy-Authorization that answers the best of n challenges, the
 * values of WWW-Authenticate or Proxy-Authenticate: SHA-256 before MD5 (RFC 8760), qop=auth when it
 * is offered. cnonce NULL: a random one. malloced; NULL: none can be answered, or out of memory.
 */
char *digest_authorization(const char *const *challenges, size_t n, const char *method,
			   const char *uri, const char *username, const char *password,
			   const char *cnonce);

#endif
