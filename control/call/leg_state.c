#include "call/leg_state.h"

#define NO (-1)

/* Columns: RING, CALL, ALERT, TAKEN, ANSWER, SENT, ACK, END */
static const signed char table[LEG_STATES][LEG_EVENTS] = {
	[LEG_INCOMING] = { LEG_RINGING, LEG_CALLING, NO, NO, LEG_ANSWERING, NO, NO, LEG_ENDED },
	[LEG_RINGING] = { LEG_RINGING, NO, NO, NO, LEG_ANSWERING, NO, NO, LEG_ENDED },
	[LEG_CALLING] = { NO, NO, LEG_ALERTING, LEG_CONFIRMED, NO, NO, NO, LEG_ENDED },
	[LEG_ALERTING] = { NO, NO, LEG_ALERTING, LEG_CONFIRMED, NO, NO, NO, LEG_ENDED },
	[LEG_ANSWERING] = { NO, NO, NO, NO, NO, LEG_ANSWERED, NO, LEG_ENDED },
	[LEG_ANSWERED] = { NO, NO, NO, NO, NO, NO, LEG_CONFIRMED, LEG_ENDED },
	[LEG_CONFIRMED] = { NO, NO, NO, NO, NO, NO, LEG_CONFIRMED, LEG_ENDED },
	[LEG_ENDED] = { NO, NO, NO, NO, NO, NO, NO, NO },
};

int leg_step(enum leg_state state, enum leg_event event)
{
	return table[state][event];
}

const char *leg_state_name(enum leg_state state)
{
	static const char *const names[LEG_STATES] = { "incoming",  "ringing",	 "calling",
						       "alerting",  "answering", "answered",
						       "confirmed", "ended" };

	return names[state];
}
