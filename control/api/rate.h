/*
 * rate - how many requests a second an account may make (API_REQUESTS_PER_SECOND), over all
 * threads: a token bucket an account that holds one second's worth.
 */
#ifndef HOOKSWITCH_API_RATE_H
#define HOOKSWITCH_API_RATE_H

struct api_request;

/* 0; or answered: 429 20429 with Retry-After. Counts the request for the asker's account. */
int rate_check(struct api_request *q);

#endif
