/*
 * health - /healthz, /readyz and /metrics: what the machines that watch a node ask. No account is
 * needed, and nothing of an account is shown.
 */
#ifndef HOOKSWITCH_API_HEALTH_H
#define HOOKSWITCH_API_HEALTH_H

#include <stdbool.h>

struct api_request;

/* False when the path is none of these; else answered. */
bool health_serve(struct api_request *q);

#endif
