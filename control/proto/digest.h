/*
 * digest - RFC 7616/2617 digest: HA1 of a credential. Pure.
 */
#ifndef HOOKSWITCH_PROTO_DIGEST_H
#define HOOKSWITCH_PROTO_DIGEST_H

#define DIGEST_MD5_SIZE	   33
#define DIGEST_SHA256_SIZE 65

/* Lower-case hex of H(username:realm:password). */
void digest_ha1_md5(char ret[DIGEST_MD5_SIZE], const char *username, const char *realm,
		    const char *password);
void digest_ha1_sha256(char ret[DIGEST_SHA256_SIZE], const char *username, const char *realm,
		       const char *password);

#endif
