/*
 * prompt_verb - what Say, Play and Pause have in common when they stand alone: one thing is heard,
 * then the next verb runs.
 */
#ifndef HOOKSWITCH_CALL_PROMPT_VERB_H
#define HOOKSWITCH_CALL_PROMPT_VERB_H

#include "call/verb.h"

enum verb_step prompt_verb_run(struct call *c, const struct twiml_node *n);
void prompt_verb_cancel(struct call *c);

#endif
