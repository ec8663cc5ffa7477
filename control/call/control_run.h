/*
 * control_run - the part of control.h that happens on the loop thread. Internal to call/, and for
 * unit tests.
 */
#ifndef HOOKSWITCH_CALL_CONTROL_RUN_H
#define HOOKSWITCH_CALL_CONTROL_RUN_H

#include "call/control.h"

int control_run(struct calls *calls, const struct call_command *command, int *error_code);

#endif
