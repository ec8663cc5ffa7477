/*
 * state - the status of a call and what may follow what (twiml-and-webhooks.md §3.5). Pure.
 */
#ifndef HOOKSWITCH_CALL_STATE_H
#define HOOKSWITCH_CALL_STATE_H

#include <stdbool.h>

enum call_status {
	CALL_QUEUED, /* made by REST, not dialled yet or nothing heard yet */
	CALL_RINGING,
	CALL_IN_PROGRESS,
	CALL_COMPLETED,
	CALL_BUSY,
	CALL_FAILED,
	CALL_NO_ANSWER,
	CALL_CANCELED,
	CALL_STATUSES
};

enum call_event {
	CALL_EV_RINGING, /* of a call of ours: the party's 18x */
	CALL_EV_ANSWERED,
	CALL_EV_HUNG_UP,  /* either side, or the document's end */
	CALL_EV_GIVEN_UP, /* the caller sent CANCEL, or nobody answered in time */
	CALL_EV_BUSY,	  /* <Reject reason="busy">, or the party is */
	CALL_EV_REFUSED,  /* <Reject>, or a refusal without answer */
	CALL_EV_CANCELED, /* REST, before the answer */
	CALL_EV_FAILED,	  /* media, transport, our own trouble */
	CALL_EVENTS
};

/* 0 and *ret; -EINVAL when the event cannot happen in that status (a terminal one, a second
 * answer). */
int call_status_step(enum call_status *ret, enum call_status status, enum call_event event);
/* What a final answer to an INVITE of ours makes of the call (sip-and-rest.md §3.8). 0: none came.
 */
enum call_event call_event_of_answer(int sip_code);
bool call_status_terminal(enum call_status status);
const char *call_status_name(enum call_status status); /* the value of CallStatus */

#endif
