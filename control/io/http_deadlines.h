/*
 * http_deadlines - connections that must come to a point by a time, whatever bytes they send: those
 * that do not are shut down, which their owner sees as the end of the stream. A thread of its own;
 * any thread may call.
 */
#ifndef HOOKSWITCH_IO_HTTP_DEADLINES_H
#define HOOKSWITCH_IO_HTTP_DEADLINES_H

#include <stdint.h>

struct http_deadlines;
struct http_deadline; /* of one connection */

struct http_deadlines *http_deadlines_start(void); /* NULL: no memory, or no thread */
/* When all have been removed; NULL is fine. */
void http_deadlines_stop(struct http_deadlines *all);

/* NULL out of memory: the connection then has none. The fd stays open until it is removed. */
struct http_deadline *http_deadline_add(struct http_deadlines *all, int fd, uint64_t in_ms);
/* From now, to about a quarter of a second; 0: none. NULL is fine. */
void http_deadline_set(struct http_deadline *d, uint64_t in_ms);
void http_deadline_remove(struct http_deadline *d); /* frees it; NULL is fine */

#endif
