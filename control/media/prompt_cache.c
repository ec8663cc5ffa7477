#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "media/prompt.h"

struct entry {
	UT_hash_handle hh;
	struct entry *prev, *next; /* least recently used first */
	struct prompt *prompt;
	size_t cost_bytes;
	char key[];
};

struct prompt_cache {
	pthread_mutex_t lock;
	struct entry *table;
	struct entry *lru;
	size_t bytes, max_bytes;
};

struct prompt_cache *prompt_cache_new(size_t max_bytes)
{
	struct prompt_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	pthread_mutex_init(&cache->lock, NULL);
	cache->max_bytes = max_bytes;
	return cache;
}

static void entry_drop(struct prompt_cache *cache, struct entry *e)
{
	HASH_DEL(cache->table, e); /* NOLINT(clang-analyzer-core.NullDereference): uthash */
	DL_DELETE(cache->lru, e);
	cache->bytes -= e->cost_bytes;
	prompt_unref(e->prompt);
	free(e);
}

void prompt_cache_free(struct prompt_cache *cache)
{
	if (!cache)
		return;
	while (cache->lru)
		entry_drop(cache, cache->lru);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

struct prompt *prompt_cache_get(struct prompt_cache *cache, const char *key)
{
	struct prompt *p = NULL;
	struct entry *e;

	pthread_mutex_lock(&cache->lock);
	HASH_FIND_STR(cache->table, key, e);
	if (e) {
		DL_DELETE(cache->lru, e);
		DL_APPEND(cache->lru, e);
		p = prompt_ref(e->prompt);
	}
	pthread_mutex_unlock(&cache->lock);
	return p;
}

void prompt_cache_put(struct prompt_cache *cache, const char *key, struct prompt *p)
{
	size_t key_bytes = strlen(key) + 1;
	/* What the entry itself takes counts too, or a flood of tiny prompts would not be bounded.
	 */
	size_t cost_bytes = sizeof(struct entry) + key_bytes + p->samples;
	struct entry *e, *old;

	if (cost_bytes > cache->max_bytes)
		return;
	e = calloc(1, sizeof(*e) + key_bytes);
	if (!e)
		return; /* a cache may forget */
	memcpy(e->key, key, key_bytes);
	e->prompt = prompt_ref(p);
	e->cost_bytes = cost_bytes;

	pthread_mutex_lock(&cache->lock);
	HASH_FIND_STR(cache->table, key, old);
	if (old)
		entry_drop(cache, old);
	while (cache->lru && cache->bytes + cost_bytes > cache->max_bytes)
		entry_drop(cache, cache->lru);
	HASH_ADD_STR(cache->table, key, e);
	DL_APPEND(cache->lru, e);
	cache->bytes += cost_bytes;
	pthread_mutex_unlock(&cache->lock);
}
