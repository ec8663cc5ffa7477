/*
 * refer - a <Refer> that waits, and what its call hears meanwhile. The functions take any call and
 * do nothing for another. Loop thread only.
 */
#ifndef HOOKSWITCH_CALL_REFER_H
#define HOOKSWITCH_CALL_REFER_H

#include <stdbool.h>

struct call;

/* leg_events.referral */
void refer_told(struct call *c, int refer_code, int notify_code, bool final);
/* The call is over, its status final, its verb not stopped: the action hears of it. */
void refer_caller_gone(struct call *c);

#endif
