#include "call/state.h"

#include <errno.h>

#define NO -1

#define ENDS_UNANSWERED                                                                            \
	[CALL_EV_HUNG_UP] = CALL_NO_ANSWER, [CALL_EV_GIVEN_UP] = CALL_NO_ANSWER,                   \
	[CALL_EV_BUSY] = CALL_BUSY, [CALL_EV_REFUSED] = CALL_NO_ANSWER,                            \
	[CALL_EV_CANCELED] = CALL_CANCELED, [CALL_EV_FAILED] = CALL_FAILED

/* A call that was answered is `completed` however it ends; one that was not never is. */
static const signed char next[3][CALL_EVENTS] = {
	[CALL_QUEUED] = {
		[CALL_EV_RINGING] = CALL_RINGING,
		[CALL_EV_ANSWERED] = CALL_IN_PROGRESS,
		ENDS_UNANSWERED,
	},
	[CALL_RINGING] = {
		[CALL_EV_RINGING] = NO,
		[CALL_EV_ANSWERED] = CALL_IN_PROGRESS,
		ENDS_UNANSWERED,
	},
	[CALL_IN_PROGRESS] = {
		[CALL_EV_RINGING] = NO,
		[CALL_EV_ANSWERED] = NO,
		[CALL_EV_HUNG_UP] = CALL_COMPLETED,
		[CALL_EV_GIVEN_UP] = CALL_COMPLETED,
		[CALL_EV_BUSY] = CALL_COMPLETED,
		[CALL_EV_REFUSED] = CALL_COMPLETED,
		[CALL_EV_CANCELED] = CALL_COMPLETED,
		[CALL_EV_FAILED] = CALL_COMPLETED,
	},
};

enum call_event call_event_of_answer(int sip_code)
{
	switch (sip_code) {
	case 486:
	case 600:
	case 603:
		return CALL_EV_BUSY;
	case 408:
	case 480:
	case 487:
		return CALL_EV_GIVEN_UP;
	default:
		return CALL_EV_FAILED;
	}
}

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
		[CALL_QUEUED] = "queued",
		[CALL_RINGING] = "ringing",
		[CALL_IN_PROGRESS] = "in-progress",
		[CALL_COMPLETED] = "completed",
		[CALL_BUSY] = "busy",
		[CALL_FAILED] = "failed",
		[CALL_NO_ANSWER] = "no-answer",
		[CALL_CANCELED] = "canceled",
	};

	return names[status];
}
