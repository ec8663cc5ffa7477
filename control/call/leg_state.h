/*
 * leg_state - the states of a leg as a pure table: which event may happen where, and what comes
 * after it.
 */
#ifndef HOOKSWITCH_CALL_LEG_STATE_H
#define HOOKSWITCH_CALL_LEG_STATE_H

#include "call/leg.h"

enum leg_event {
	LEG_EV_RING,   /* we send 180 */
	LEG_EV_CALL,   /* we send an INVITE */
	LEG_EV_ALERT,  /* the party's 18x */
	LEG_EV_TAKEN,  /* the party's 200 */
	LEG_EV_ANSWER, /* we begin to answer: media is being made */
	LEG_EV_SENT,   /* our 200 is out */
	LEG_EV_ACK,    /* the party's ACK of it */
	LEG_EV_END,    /* whatever ends it */
	LEG_EVENTS,
};

#define LEG_STATES (LEG_ENDED + 1)

/* The next state, or -1 when the event may not happen in that state. */
int leg_step(enum leg_state state, enum leg_event event);
const char *leg_state_name(enum leg_state state);

#endif
