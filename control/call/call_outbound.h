/* call_outbound - the part of a call that only those of ours have. Internal to call/. */
#ifndef HOOKSWITCH_CALL_CALL_OUTBOUND_H
#define HOOKSWITCH_CALL_CALL_OUTBOUND_H

#include "call/call_order.h"
#include "call/leg.h"

struct call;

void call_order_free(struct call_order *order); /* one that a call owns; NULL is fine */
void call_paces_free(struct calls *calls);
void call_dial(struct call *c); /* its turn has come */
void call_outbound_ringing(struct call *c);
void call_outbound_answered(struct call *c); /* sends the digits, then asks for the document */
void call_outbound_digits_sent(struct call *c);
void call_outbound_notify(struct call *c, enum leg_end why, int sip_code);

#endif
