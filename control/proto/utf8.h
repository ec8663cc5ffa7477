/*
 * utf8 - is it UTF-8 (RFC 3629: no surrogates, no overlong forms)? Pure.
 */
#ifndef HOOKSWITCH_PROTO_UTF8_H
#define HOOKSWITCH_PROTO_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the sequence at p, of which left bytes (at least 1) are there; 0 when it is none. */
size_t utf8_len(const char *p, size_t left);

bool utf8_ok(const char *text, size_t len);

/* Puts '?' for every byte that is no UTF-8, such as the rest of a sequence that a length limit cut.
 */
void utf8_clean(char *text);

/* NULL has none. */
bool text_has_controls(const char *s);

#endif
