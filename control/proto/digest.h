/*
 * digest - RFC 7616/2617 digest: HA1 of a credential, and the answer to a challenge. Pure.
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
 * The value of Authorization or Proxy-Authorization that answers the best of n challenges, values
 * of WWW-Authenticate or Proxy-Authenticate as sent, one challenge each (RFC 3261 §20.44). SHA-256
 * and SHA-512-256 go before MD5; among these the first (RFC 8760 §2.3). qop=auth when it is
 * offered, RFC 2069's form when no qop is; challenges that ask for auth-int alone, of unknown
 * algorithms, of other schemes and malformed ones are passed over. nc is 1. cnonce NULL: random
 * (tests give one). malloced; NULL when there is nothing to answer, username or uri can stand in no
 * header, or out of memory.
 */
char *digest_authorization(const char *const *challenges, size_t n, const char *method,
			   const char *uri, const char *username, const char *password,
			   const char *cnonce);

#endif
