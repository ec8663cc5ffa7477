/*
 * rate - how many requests a second an account may make (API_REQUESTS_PER_SECOND), over all
 * threads: a token bucket an account that holds one second's worth.
 */
#ifndef HOOKSWITCH_API_RATE_H
#define HOOKSWITCH_API_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct api_request;

/* 0; or answered: 429 20429 with Retry-After. Counts the request for the asker's account. */
int rate_check(struct api_request *q);
/* Whether one more request of the account is within per_second, counting it when it is. now_ms is
 * of the monotonic clock; threads may come with one that is a little older than another's. */
bool rate_take(const char *account_sid, uint64_t per_second, uint64_t now_ms);

#endif
