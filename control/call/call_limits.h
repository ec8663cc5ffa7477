/*
 * call_limits - how many calls an account, a SIP domain or the node has now, how many came in
 * within this second, and when an account's next one may be dialled, by SID and of all processes of
 * the node together. What the limits are, and what is said beyond them, is others' (call_new.c,
 * call_dial.c; docs/hostile-internet.md). Times are of the monotonic clock. Loop thread only.
 */
#ifndef HOOKSWITCH_CALL_CALL_LIMITS_H
#define HOOKSWITCH_CALL_CALL_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#define CALL_LIMITS_NODE "node" /* for a SID: all calls */

struct call_limits;

/* One table for all processes that are forked later. -ENOMEM. Then each of them forgets the calls
 * that one of its number had before. */
int call_limits_share(void);
void call_limits_begin_process(void);

struct call_limits *call_limits_new(void); /* the shared one, if there is; NULL: out of memory */
void call_limits_free(struct call_limits *l);

/* A call of it began, and ended; sid "" is nobody's. Without room it is not counted. */
void call_limits_begin(struct call_limits *l, const char *sid);
void call_limits_end(struct call_limits *l, const char *sid);
unsigned call_limits_count(struct call_limits *l, const char *sid);

/* One more call in this second. False: it would be more than per_second (0: as many as there are).
 */
bool call_limits_take(struct call_limits *l, const char *sid, unsigned per_second, uint64_t now_ms);

/* How many ms one more that is dialled has to wait, so that they are per_second (0: any). */
uint64_t call_limits_turn(struct call_limits *l, const char *sid, unsigned per_second,
			  uint64_t now_ms);

#endif
