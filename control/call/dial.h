/*
 * dial - a <Dial> and the calls that it makes (twiml-and-webhooks.md §2.6-§2.9): what those tell
 * it. A call belongs to its <Dial> while call->target is set; the functions take any call and do
 * nothing for another. Loop thread only.
 */
#ifndef HOOKSWITCH_CALL_DIAL_H
#define HOOKSWITCH_CALL_DIAL_H

struct call;

#define DIAL_TARGETS_MAX 10

void dial_progress(struct call *callee); /* early media is there */
void dial_answered(struct call *callee); /* the first one: the others are dropped */
void dial_ready(struct call *callee);	 /* it has heard what it had to: joins it with the caller */
void dial_ended(struct call *callee, int sip_code);
/* A call was answered: a <Dial> that waited for it has connected it. */
void dial_caller_answered(struct call *caller);
/* The process ends, the calls go on: the <Dial> goes without a word. */
void dial_abandon(struct call *caller);
void dial_forget(struct call *callee);	 /* it goes on alone, and its <Dial> does not end for it */
void dial_released(struct call *callee); /* REST gives it a document of its own: it goes on alone */
/* A call is over, its status final, its verb not stopped: the action of a <Dial> hears of it
 * (DIAL_ACTION_ON_HANGUP). */
void dial_caller_gone(struct call *caller);

#endif
