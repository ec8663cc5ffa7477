/*
 * netstring - "len:bytes," framing of Kamailio's evapi stream. Pure.
 */
#ifndef HOOKSWITCH_PROTO_NETSTRING_H
#define HOOKSWITCH_PROTO_NETSTRING_H

#include <stddef.h>

/*
 * Looks for one whole netstring at the start of data. 1: *payload, *payload_len and *used (bytes of
 * the frame) are set; 0: more bytes are needed; -EPROTO: not a netstring, or longer than max_bytes.
 */
int netstring_next(const char *data, size_t len, size_t max_bytes, const char **payload,
		   size_t *payload_len, size_t *used);

#endif
