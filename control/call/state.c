#include "call/state.h"

#include <errno.h>

#define NO -1

/* A call that was answered is `completed` however it ends; one that was not never is. */
static const signed char next[2][CALL_EVENTS] = {
	[CALL_RINGING] = {
		[CALL_EV_ANSWERED] = CALL_IN_PROGRESS,
		[CALL_EV_HUNG_UP] = CALL_NO_ANSWER,
		[CALL_EV_GIVEN_UP] = CALL_NO_ANSWER,
		[CALL_EV_BUSY] = CALL_BUSY,
		[CALL_EV_REFUSED] = CALL_NO_ANSWER,
		[CALL_EV_CANCELED] = CALL_CANCELED,
		[CALL_EV_FAILED] = CALL_FAILED,
	},
	[CALL_IN_PROGRESS] = {
		[CALL_EV_ANSWERED] = NO,
		[CALL_EV_HUNG_UP] = CALL_COMPLETED,
		[CALL_EV_GIVEN_UP] = CALL_COMPLETED,
		[CALL_EV_BUSY] = CALL_COMPLETED,
		[CALL_EV_REFUSED] = CALL_COMPLETED,
		[CALL_EV_CANCELED] = CALL_COMPLETED,
		[CALL_EV_FAILED] = CALL_COMPLETED,
	},
};

int call_status_step(enum call_status *ret, enum call_status status, enum call_event event)
{
	if (call_status_terminal(status) || next[status][event] == NO)
		return -EINVAL;
	*ret = (enum call_status)next[status][event];
	return 0;
}

bool call_status_terminal(enum call_status status)
{
	return status > CALL_IN_PROGRESS;
}

const char *call_status_name(enum call_status status)
{
	static const char *const names[CALL_STATUSES] = {
		[CALL_RINGING] = "ringing",	[CALL_IN_PROGRESS] = "in-progress",
		[CALL_COMPLETED] = "completed", [CALL_BUSY] = "busy",
		[CALL_FAILED] = "failed",	[CALL_NO_ANSWER] = "no-answer",
		[CALL_CANCELED] = "canceled",
	};

	return names[status];
}
