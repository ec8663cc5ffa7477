/*
 * health - /healthz, /readyz and /metrics: what the machines that watch a node ask. No account is
 * needed, and nothing of an account is shown. For loopback and networks of API_MONITORS: how
 * busy a node is, and what it waits for, is no business of strangers, and /readyz costs a
 * statement.
 */
#ifndef HOOKSWITCH_API_HEALTH_H
#define HOOKSWITCH_API_HEALTH_H

#include <stdbool.h>

struct api_request;
struct networks;

/* False when the path is none of these; else answered, for others than monitors with 403 20403. */
bool health_serve(struct api_request *q, const struct networks *monitors);

#endif
