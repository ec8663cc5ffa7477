/*
 * bridge - two calls that are connected outlive the process: their state is a row while they talk,
 * and the next start of the node takes them up as a pair, without documents
 * (docs/adr/0019-bridges-outlive-hookswitchd.md). RTPengine relays all the while. Loop thread only.
 */
#ifndef HOOKSWITCH_CALL_BRIDGE_H
#define HOOKSWITCH_CALL_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>

struct call;
struct calls;

void bridge_save(struct call *a, struct call *b); /* connected now, or changed since */
void bridge_changed(struct call *c);		  /* its dialog has; not saved: as it was */
void bridge_drop(struct call *c);		  /* no more; not saved: as it was */
/* At the end of the process: a saved call and the other are left to the next; true when it was. */
bool bridge_abandon(struct call *c);
/* Before the loop runs. -errno with a sentence in err: the database. */
int bridges_resume(struct calls *calls, char *err, size_t err_size);

#endif
