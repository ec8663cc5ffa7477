/*
 * status_callback - the `completed` callback of a call that ended (twiml-and-webhooks.md §3.4):
 * sent after the call is gone, some at a time, the rest waits in a bounded queue. Loop thread only.
 */
#ifndef HOOKSWITCH_CALL_STATUS_CALLBACK_H
#define HOOKSWITCH_CALL_STATUS_CALLBACK_H

struct call;
struct callbacks;
struct world;

#define CALLBACKS_RUNNING_MAX 256
#define CALLBACKS_WAITING_MAX 10000 /* beyond it: 15002 */

struct callbacks *callbacks_new(struct world *world);
void callbacks_free(struct callbacks *cb); /* what is not delivered is dropped */
void callbacks_completed(struct callbacks *cb, const struct call *c,
			 int sip_code); /* c has a status callback and has ended */
unsigned callbacks_waiting(const struct callbacks *cb);

#endif
