/*
 * sid - resource identifiers: a two-letter prefix and 32 lower-case hex digits (sip-and-rest.md
 * §1.0 "SIDs"). Any thread.
 */
#ifndef HOOKSWITCH_BASE_SID_H
#define HOOKSWITCH_BASE_SID_H

#include <stdbool.h>

#define SID_SIZE 35 /* with the NUL */

/* Writes a new random SID with this two-letter prefix. Randomness is the kernel's; it cannot fail.
 * A CallSid says that its call is this process's (process.h). */
void sid_new(char ret[SID_SIZE], const char *prefix);

/* A new CallSid whose call stays with that one, whatever becomes of processes. */
void sid_new_beside(char ret[SID_SIZE], const char *call_sid);

/* True when s is prefix + 32 hex digits (either case). */
bool sid_valid(const char *s, const char *prefix);

/* len hex digits of kernel randomness and a NUL: tokens, tags, boundaries. ret holds len + 1 bytes.
 */
void random_hex(char *ret, int len);

#endif
