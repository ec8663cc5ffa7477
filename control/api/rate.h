/*
 * rate - how much a client may ask: requests of an account a second (API_REQUESTS_PER_SECOND),
 * wrong credentials of an address a minute (API_AUTH_FAILURES_PER_MINUTE). Token buckets that hold
 * what one such time allows, over all threads and, with rates_share, all processes of the node.
 */
#ifndef HOOKSWITCH_API_RATE_H
#define HOOKSWITCH_API_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct api_request;

enum rate_of {
	RATE_REQUESTS, /* an account, a second */
	RATE_FAILURES, /* an address, a minute */
	RATE_COUNT,
};

/* Before the processes are forked. -ENOMEM. */
int rates_share(void);

/* 0; or answered: 429 20429 with Retry-After. Counts the request for the asker's account. */
int rate_check(struct api_request *q);

/* 0; or answered in the same way, since the client's address had too many failures: right
 * credentials are not looked at either, or guessing would go on. Counts nothing. */
int rate_check_client(struct api_request *q);
/* The client's credentials were wrong. */
void rate_count_failure(struct api_request *q);

/* Whether n (0 or 1) more of key are within max a time, counting them when they are. now_ms is of
 * the monotonic clock; threads may come with one that is a little older than another's. */
bool rate_take(enum rate_of of, const char *key, uint64_t max, unsigned n, uint64_t now_ms);

#endif
