/*
 * call_limits - how many calls an account or a SIP domain has now, and how many came in within this
 * second, by SID. What the limits are, and what is said beyond them, is others' (call_new.c,
 * call_dial.c; docs/hostile-internet.md). Pure; loop thread only.
 */
#ifndef HOOKSWITCH_CALL_CALL_LIMITS_H
#define HOOKSWITCH_CALL_CALL_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct call_limits;

struct call_limits *call_limits_new(void); /* NULL: out of memory */
void call_limits_free(struct call_limits *l);

/* A call of it began, and ended; sid "" is nobody's. Without memory it is not counted. */
void call_limits_begin(struct call_limits *l, const char *sid);
void call_limits_end(struct call_limits *l, const char *sid);
unsigned call_limits_count(const struct call_limits *l, const char *sid);

/* One more call in this second. False: it would be more than per_second (0: as many as there are).
 */
bool call_limits_take(struct call_limits *l, const char *sid, unsigned per_second, uint64_t now_ms);

#endif
