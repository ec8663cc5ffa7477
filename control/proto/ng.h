/*
 * ng - RTPengine's NG protocol: "cookie bencoded-dictionary" datagrams (rtpengine-recipes.md).
 * Pure; the client that sends and matches cookies is call/rtpengine.c.
 */
#ifndef HOOKSWITCH_PROTO_NG_H
#define HOOKSWITCH_PROTO_NG_H

#include <jansson.h>
#include <stddef.h>

struct buf;

/* Writes o (object, array, string, integer; strings may hold any bytes) as bencode. -EINVAL for
 * other JSON types. */
int bencode_write(struct buf *b, const json_t *o);

/*
 * Parses one bencoded value. Bytes that are not UTF-8 become U+FFFD. Depth and count are bounded.
 * NULL: not bencode. *used: bytes read.
 */
json_t *bencode_read(const char *text, size_t len, size_t *used);

#endif
