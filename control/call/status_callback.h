/*
 * status_callback - the status callbacks of calls (twiml-and-webhooks.md §3.4): those of one call
 * in order, one at a time; some calls' at a time, the rest waits in a bounded queue. They outlive
 * their call. Loop thread only.
 */
#ifndef HOOKSWITCH_CALL_STATUS_CALLBACK_H
#define HOOKSWITCH_CALL_STATUS_CALLBACK_H

struct call;
struct callbacks;
struct form;
struct world;

#define CALLBACKS_RUNNING_MAX 256
#define CALLBACKS_WAITING_MAX 10000 /* beyond it: 15002 */

enum callback_event {
	CALLBACK_INITIATED, /* of a call of ours: its INVITE goes out */
	CALLBACK_RINGING,
	CALLBACK_ANSWERED,
	CALLBACK_COMPLETED, /* however it ended */
};

struct callbacks *callbacks_new(struct world *world);
void callbacks_free(struct callbacks *cb); /* what is not delivered is dropped */
/* When the call has a status callback that wants this event. sip_code: the final one, of COMPLETED
 * alone. */
void callbacks_put(struct callbacks *cb, struct call *c, enum callback_event event, int sip_code);
/* A request of the call's whose answer is not waited for, in order with the others. params: copied.
 */
void callbacks_put_request(struct callbacks *cb, struct call *c, const char *url,
			   const char *method, const struct form *params);
unsigned callbacks_waiting(const struct callbacks *cb);

#endif
