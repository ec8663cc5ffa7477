/*
 * calls - all live calls of this node: born from inbound INVITEs, found by SID, counted, ended.
 * Loop thread only (control.h is the door for others).
 */
#ifndef HOOKSWITCH_CALL_CALLS_H
#define HOOKSWITCH_CALL_CALLS_H

struct calls;
struct legs;
struct world;

struct calls *calls_new(struct world *world);
void calls_free(struct calls *calls); /* ends every call: 503 before, BYE after the answer */
struct legs *calls_legs(struct calls *calls); /* where app.c feeds Kamailio's and RTPengine's events */
unsigned calls_count(const struct calls *calls);

#endif
