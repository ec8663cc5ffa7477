/* call_outbound - the part of a call that only those of ours have. Internal to call/. */
#ifndef HOOKSWITCH_CALL_CALL_OUTBOUND_H
#define HOOKSWITCH_CALL_CALL_OUTBOUND_H

#include "call/call_order.h"
#include "call/leg.h"

#include <jansson.h>

/* sip_addr.h's user characters that need no escape and mean nothing elsewhere: of whom a call is.
 */
#define CALLER_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-_."

struct call;
struct sip_msg;

/* A queued call of the order, which is copied, among the live ones. -ENOMEM. */
int call_order_take(struct call **ret, struct calls *calls, const struct call_order *order);
struct call_order *call_order_copy(const struct call_order *order); /* NULL: out of memory */
void call_order_free(struct call_order *order);			    /* a copy; NULL is fine */
/* Both take the copy: it is dialled in its turn, or fails with this code. */
void call_order_run(struct calls *calls, struct call_order *copy);
void call_order_fail(struct calls *calls, struct call_order *copy, int code, const char *why);
/* Another process was asked for this call of ours; broken ones are ignored. */
void call_order_told(struct calls *calls, const json_t *json);
bool call_within_limit(struct call *c); /* false: MAX_CALLS, and it has failed */
void call_dial(struct call *c);		/* call_dial.c: its turn has come */
/* It cannot be dialled: told with this code, sip_code 0 or the one that says as much. */
void call_outbound_fail(struct call *c, int code, int sip_code, const char *text);
void call_outbound_stop(struct call *c); /* what it dials, but its leg, is given up */
void call_outbound_ringing(struct call *c);
void call_outbound_answered(struct call *c); /* sends the digits, then asks for the document */
void call_outbound_digits_sent(struct call *c);
/* The party's final message: SipHeader_* of later requests are of it. */
void call_outbound_heard(struct call *c, const struct sip_msg *msg);
void call_outbound_notify(struct call *c, enum leg_end why, int sip_code);

#endif
