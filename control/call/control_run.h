/*
 * control_run - the part of control.h that happens on the loop thread. Internal to call/ and
 * app.c, and for unit tests.
 */
#ifndef HOOKSWITCH_CALL_CONTROL_RUN_H
#define HOOKSWITCH_CALL_CONTROL_RUN_H

#include "call/control.h"
#include "io/siblings.h"

#include <stddef.h>

int control_run(struct calls *calls, const struct call_command *command, int *error_code);

/* What another process of the node tells: a command for a call of ours, which is answered; the
 * answer to one that was asked here; a call that we are to dial; a change of REST. What is nothing
 * of these is ignored. */
void control_sibling(struct calls *calls, unsigned from, enum sibling_message what,
		     const char *data, size_t len_bytes);
void control_stop(struct calls *calls); /* who waits for another process hears -ETIMEDOUT */

#endif
