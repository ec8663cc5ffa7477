#include "api/rate.h"

#include "api/request.h"
#include "base/clock.h"
#include "base/config.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define BUCKETS 1024
#define MILLI	1000

/* Accounts that meet in one bucket: the one that comes takes it over, full, as after a pause. */
static struct bucket {
	char account_sid[SID_SIZE];
	uint64_t filled_ms;
	uint64_t tokens; /* thousandths of a request */
} buckets[BUCKETS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct bucket *bucket_of(const char *account_sid)
{
	unsigned h = 5381;

	for (const char *s = account_sid; *s; s++)
		h = h * 33 + (unsigned char)*s;
	return &buckets[h % BUCKETS];
}

bool rate_take(const char *account_sid, uint64_t per_second, uint64_t now_ms)
{
	struct bucket *b = bucket_of(account_sid);
	uint64_t full = per_second * MILLI;
	bool ok;

	pthread_mutex_lock(&lock);
	if (strcmp(b->account_sid, account_sid)) {
		snprintf(b->account_sid, sizeof(b->account_sid), "%s", account_sid);
		b->tokens = full;
		b->filled_ms = now_ms;
	}
	if (now_ms > b->filled_ms) {
		/* per_second thousandths a millisecond */
		b->tokens += (now_ms - b->filled_ms) * per_second;
		b->tokens = b->tokens > full ? full : b->tokens;
		b->filled_ms = now_ms;
	}
	ok = b->tokens >= MILLI;
	b->tokens -= ok ? MILLI : 0;
	pthread_mutex_unlock(&lock);
	return ok;
}

int rate_check(struct api_request *q)
{
	int max = q->options->config->api_requests_per_second;

	if (!max || rate_take(q->actor_account, (uint64_t)max, clock_mono_ms()))
		return 0;
	return api_error(q, 20429, "More than %d requests a second; try again in a second", max);
}
