/*
 * decisions - what Kamailio keeps of SQL, kept in step with REST: a change is effective when REST
 * answers it (docs/adr/0011-decisions-are-kept.md).
 */
#ifndef HOOKSWITCH_CALL_DECISIONS_H
#define HOOKSWITCH_CALL_DECISIONS_H

#include "call/world.h"

struct decisions;
struct loop;

/* Tells Kamailio to forget; done runs on the loop, once, when it has or did not within some
 * seconds. -errno: nothing was sent, done does not run. */
typedef int decisions_forget_fn(void *arg, sip_sent_fn *done, void *done_arg);

struct decisions *decisions_new(struct loop *loop, decisions_forget_fn *forget, void *arg);
/* When no thread waits any more and forget will not complete. NULL is fine. */
void decisions_free(struct decisions *d);

/*
 * What is in SQL now is what Kamailio goes by when this returns. When it cannot be told, or does
 * not answer within a second, it may go by what it has for SIP_DECISION_SECONDS. Any thread but the
 * loop's. Changes of several threads share one command.
 */
void decisions_changed(struct decisions *d);

#endif
