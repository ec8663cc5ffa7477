#define LOG_SUBSYSTEM "api"
#include "api/rate.h"

#include "api/request.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BUCKETS	 4096
#define KEY_SIZE 48

/* Keys that meet in one bucket: the one that comes takes it over, full, as after a pause. */
struct bucket {
	char key[KEY_SIZE];
	uint64_t filled_ms;
	uint64_t tokens; /* in parts: period_ms of them are one */
};

struct rates {
	struct process_lock lock; /* guards the rest */
	struct bucket buckets[RATE_COUNT][BUCKETS];
};

static struct rates own = { .lock = { PTHREAD_MUTEX_INITIALIZER } }, *rates = &own;
static const unsigned period_ms[RATE_COUNT] = { [RATE_REQUESTS] = 1000, [RATE_FAILURES] = 60000 };

int rates_share(void)
{
	rates = process_shared(sizeof(*rates));
	if (!rates)
		return -ENOMEM;
	process_lock_init(&rates->lock);
	return 0;
}

static struct bucket *bucket_of(enum rate_of of, const char *key)
{
	unsigned h = 5381;

	for (const char *s = key; *s; s++)
		h = h * 33 + (unsigned char)*s;
	return &rates->buckets[of][h % BUCKETS];
}

bool rate_take(enum rate_of of, const char *key, uint64_t max, unsigned n, uint64_t now_ms)
{
	struct bucket *b = bucket_of(of, key);
	uint64_t one = period_ms[of], full = max * one;
	bool ok;

	process_lock(&rates->lock);
	if (strcmp(b->key, key)) {
		snprintf(b->key, sizeof(b->key), "%s", key);
		b->tokens = full;
		b->filled_ms = now_ms;
	}
	if (now_ms > b->filled_ms) {
		/* max parts a millisecond; a longer pause than a period fills it anyway */
		uint64_t elapsed = now_ms - b->filled_ms;

		b->tokens += (elapsed > one ? one : elapsed) * max;
		b->tokens = b->tokens > full ? full : b->tokens;
		b->filled_ms = now_ms;
	}
	ok = b->tokens >= one;
	b->tokens -= ok ? n * one : 0;
	process_unlock(&rates->lock);
	return ok;
}

int rate_check(struct api_request *q)
{
	int max = q->options->config->api_requests_per_second;

	if (!max || rate_take(RATE_REQUESTS, q->actor_account, (uint64_t)max, 1, clock_mono_ms()))
		return 0;
	return api_error(q, 20429, "More than %d requests a second; try again in a second", max);
}

int rate_check_client(struct api_request *q)
{
	int max = q->options->config->api_auth_failures;

	if (!max || rate_take(RATE_FAILURES, q->client.key, (uint64_t)max, 0, clock_mono_ms()))
		return 0;
	q->retry_after_s = 60 / (unsigned)max + 1;
	return api_error(q, 20429,
			 "More than %d requests a minute with wrong credentials came from %s; try "
			 "again in %u s",
			 max, q->client.ip, q->retry_after_s);
}

void rate_count_failure(struct api_request *q)
{
	int max = q->options->config->api_auth_failures;

	uint64_t now_ms = clock_mono_ms();

	if (!max)
		return;
	rate_take(RATE_FAILURES, q->client.key, (uint64_t)max, 1, now_ms);
	if (!rate_take(RATE_FAILURES, q->client.key, (uint64_t)max, 0, now_ms))
		log_warn("too many wrong credentials from %s: its requests are refused for %u s",
			 q->client.ip, 60 / (unsigned)max + 1);
}
