/*
 * calls - all live calls of this node: born from inbound INVITEs, found by SID, counted, ended.
 * Loop thread only (control.h is the door for others).
 */
#ifndef HOOKSWITCH_CALL_CALLS_H
#define HOOKSWITCH_CALL_CALLS_H

#include <stddef.h>

struct calls;
struct domain_cache;
struct legs;
struct loop;
struct siblings;
struct world;

/* loop: where call_control posts to; domains: what calls_forget_domain empties. Both outlive calls;
 * NULL in unit tests. */
struct calls *calls_new(struct world *world, struct loop *loop, struct domain_cache *domains);
/* The node's other processes, which outlive calls; without them every call is ours. */
void calls_meet(struct calls *calls, struct siblings *siblings);
void calls_free(struct calls *calls); /* ends every call: 503 before, BYE after the answer */
struct legs *
calls_legs(struct calls *calls); /* where app.c feeds Kamailio's and RTPengine's events */
unsigned calls_count(const struct calls *calls);
/* Before the loop runs: what this node left undelivered. -errno with a sentence in err. */
int calls_resume_callbacks(struct calls *calls, char *err, size_t err_size);
unsigned
calls_callbacks_waiting(const struct calls *calls); /* status callbacks not delivered yet */

#endif
