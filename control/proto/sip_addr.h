/*
 * sip_addr - the values inside SIP headers (RFC 3261 §20, §25.1): addresses, URIs, parameters,
 * lists. Pure.
 *
 * Values are the peer's, as strings without CR and LF. What comes back are slices of them, as sent.
 */
#ifndef HOOKSWITCH_PROTO_SIP_ADDR_H
#define HOOKSWITCH_PROTO_SIP_ADDR_H

#include <stdbool.h>
#include <stddef.h>

struct sip_slice {
	const char *at; /* NULL: absent */
	size_t len;
};

/* True for a token of RFC 3261 §25.1. */
bool sip_is_token(const char *s, size_t len);

/* The end of the first value of a comma-separated list: at a comma outside <> and quotes, or the
 * NUL. */
const char *sip_value_end(const char *value);

/*
 * One name-addr or addr-spec with its header parameters; ends at sip_value_end. uri: without <>,
 * printable ASCII only; params: from the first ';' on. -EINVAL: no address.
 */
int sip_addr_parse(const char *value, struct sip_slice *uri, struct sip_slice *params);

/*
 * The value of ;name=value, up to ';', ',' or white space; of a ;name alone an empty slice, and a
 * quoted value with its quotes. False when there is no such parameter. Names in any case.
 */
bool sip_param(struct sip_slice params, const char *name, struct sip_slice *value);

/*
 * Checks a URI by libosip2. *user: its user part as sent, absent for a URI without one or of
 * another scheme than sip and sips; *host (host may be NULL): malloced, without [], NULL for such a
 * scheme. -EINVAL, -ENOMEM.
 */
int sip_uri_parse(struct sip_slice uri, struct sip_slice *user, char **host);

#endif
