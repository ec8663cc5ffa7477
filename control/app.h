/*
 * app - the parts of hookswitchd put together: the real world behind call/world.h, REST beside it,
 * start and stop in order.
 */
#ifndef HOOKSWITCH_APP_H
#define HOOKSWITCH_APP_H

struct config;

int app_run(const struct config *config); /* until SIGTERM or SIGINT; the exit status */
int app_health(const struct config
		       *config); /* asks the running daemon's /healthz; 0 when it answers 200 */

#endif
