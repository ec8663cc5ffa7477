/*
 * media_cache - what <Play> fetches: decoded once, kept by account and URL as long as its
 * validators say, bounded by PROMPT_CACHE_BYTES. Calls that want the same URL at the same time
 * share one download. Loop thread only.
 */
#ifndef HOOKSWITCH_CALL_MEDIA_CACHE_H
#define HOOKSWITCH_CALL_MEDIA_CACHE_H

#include "call/notify.h"

struct media_cache;
struct media_want;
struct prompt;
struct world;

struct media_result {
	int code;	  /* 0; 13420: not audio that we know; else of the download */
	const char *text; /* what was wrong */
	const char *url;  /* as one may show it */
	struct notify_about about;
	struct prompt *prompt; /* borrowed; NULL with a code */
};

/* Runs once, never before media_cache_get returned and never after media_cache_cancel. */
typedef void media_done_fn(void *arg, const struct media_result *result);

struct media_cache *media_cache_new(struct world *world);
void media_cache_free(struct media_cache *cache);
int media_cache_get(struct media_want **ret, struct media_cache *cache, const char *account_sid,
		    const char *auth_token, const char *url, media_done_fn *done, void *arg);
void media_cache_cancel(struct media_want *want); /* NULL is fine */

#endif
