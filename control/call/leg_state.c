#include "call/leg_state.h"

#define NO (-1)

static const signed char table[LEG_STATES][LEG_EVENTS] = {
	/*		      RING	   ANSWER	  SENT		ACK	       END */
	[LEG_INCOMING] = { LEG_RINGING, LEG_ANSWERING, NO, NO, LEG_ENDED },
	[LEG_RINGING] = { LEG_RINGING, LEG_ANSWERING, NO, NO, LEG_ENDED },
	[LEG_ANSWERING] = { NO, NO, LEG_ANSWERED, NO, LEG_ENDED },
	[LEG_ANSWERED] = { NO, NO, NO, LEG_CONFIRMED, LEG_ENDED },
	[LEG_CONFIRMED] = { NO, NO, NO, LEG_CONFIRMED, LEG_ENDED },
	[LEG_ENDED] = { NO, NO, NO, NO, NO },
};

int leg_step(enum leg_state state, enum leg_event event)
{
	return table[state][event];
}

const char *leg_state_name(enum leg_state state)
{
	static const char *const names[LEG_STATES] = { "incoming", "ringing",	"answering",
						       "answered", "confirmed", "ended" };

	return names[state];
}
