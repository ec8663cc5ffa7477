/*
 * status_callback - the status callbacks of calls (twiml-and-webhooks.md §3.4): those of one call
 * in order, one at a time; some calls' at a time, the rest waits in a bounded queue. They outlive
 * their call, and this process: each is a row before it is sent, and what a node did not deliver it
 * resumes when it starts (docs/adr/0018-durable-callbacks.md). Loop thread only.
 */
#ifndef HOOKSWITCH_CALL_STATUS_CALLBACK_H
#define HOOKSWITCH_CALL_STATUS_CALLBACK_H

struct call;
struct callbacks;
struct form;
struct store_callback;
struct world;

#define CALLBACKS_RUNNING_MAX 256
#define CALLBACKS_ACCOUNT_MAX 128   /* of these, of one account */
#define CALLBACKS_WAITING_MAX 10000 /* beyond it: 15002 */

enum callback_event {
	CALLBACK_INITIATED, /* of a call of ours: its INVITE goes out */
	CALLBACK_RINGING,
	CALLBACK_ANSWERED,
	CALLBACK_COMPLETED, /* however it ended */
};

struct callbacks *callbacks_new(struct world *world);
void callbacks_free(struct callbacks *cb); /* what is not delivered is left to the next start */
/* When the call has a status callback that wants this event. sip_code: the final one, of COMPLETED
 * alone. */
void callbacks_put(struct callbacks *cb, struct call *c, enum callback_event event, int sip_code);
/* SequenceNumber after the callback of this event, which is sent or not wanted. */
unsigned callbacks_sequence_after(const struct call *c, enum callback_event event);
/* What the completed callback says when nobody sees the call's end, form-encoded, for its row; to
 * be freed. NULL: it is not wanted, or out of memory. */
char *callbacks_last_words(const struct call *c);
/* A request of the call's whose answer is not waited for, in order with the others. params: copied.
 */
void callbacks_put_request(struct callbacks *cb, struct call *c, const char *url,
			   const char *method, const struct form *params);
/* One of the last run, before the loop runs: a store_callback_fn, arg is the callbacks. */
void callbacks_resume(void *arg, const struct store_callback *row, const char *auth_token);
unsigned callbacks_waiting(const struct callbacks *cb);

#endif
