/*
 * sdp_crypto - the crypto attribute of SDES (RFC 4568 §9), of the suites that Secure Media has
 * (sip-and-rest.md §3.6), and the fingerprint of DTLS-SRTP (RFC 8122 §5). Pure. A key is never
 * kept, copied or logged here.
 */
#ifndef HOOKSWITCH_PROTO_SDP_CRYPTO_H
#define HOOKSWITCH_PROTO_SDP_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

#define SDP_SUITE_80 "AES_CM_128_HMAC_SHA1_80" /* the one that we offer */
#define SDP_SUITE_32 "AES_CM_128_HMAC_SHA1_32"
#define SDP_DTLS     "DTLS-SRTP" /* in the place of a suite: the handshake finds one */

struct sdp_crypto {
	unsigned tag;
	const char *suite; /* constant, one of the two */
	size_t tag_len;	   /* characters of the tag */
};

/*
 * value is what stands behind "a=crypto:". False when the line is malformed or asks for what we do
 * not do: another suite, several keys, an MKI, media that is not encrypted or authenticated.
 */
bool sdp_crypto_read(struct sdp_crypto *ret, const char *value, size_t len);

/* value is what stands behind "a=fingerprint:". False: malformed, or of a hash weaker than SHA-256.
 */
bool sdp_fingerprint_ok(const char *value, size_t len);

const char *sdp_crypto_suite(const char *name); /* the constant of that name, or NULL */

#endif
