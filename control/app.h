/*
 * app - the parts of hookswitchd put together: the real world behind call/world.h, REST beside it,
 * start and stop in order.
 */
#ifndef HOOKSWITCH_APP_H
#define HOOKSWITCH_APP_H

#include <stddef.h>

struct config;

/* What the processes of a node have in common (supervisor.h). */
struct app_sockets {
	int rest; /* bound: who accepts first serves */
	int dtmf; /* RTPengine's events: who reads first passes them on */
};

/* -errno with one sentence in err. */
int app_open(const struct config *config, struct app_sockets *ret, char *err, size_t err_size);
/* Before more processes than one are forked: -ENOMEM. Then in each of them, before app_run. */
int app_share(void);
void app_begin_process(void);
/* Until SIGTERM or SIGINT; takes the sockets over. The exit status. */
int app_run(const struct config *config, const struct app_sockets *sockets);
int app_health(const struct config
		       *config); /* asks the running daemon's /healthz; 0 when it answers 200 */

#endif
