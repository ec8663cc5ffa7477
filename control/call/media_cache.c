#include "call/media_cache.h"

#include "base/config.h"
#include "call/content_type.h"
#include "call/webhook.h"
#include "call/world.h"
#include "media/prompt.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define VALIDATOR_MAX  256
#define CODE_NOT_AUDIO 13420
#define FRESH_MAX_S    86400

/* A URL of an account: what is known of it, and who waits for it. */
struct one {
	struct media_cache *cache;
	char *key; /* account and URL */
	char *auth_token, *url;
	struct one *prev, *next; /* the least recently used first */
	struct prompt *prompt;	 /* what is kept; NULL: nothing yet, or nothing that may be kept */
	char etag[VALIDATOR_MAX], last_modified[VALIDATOR_MAX];
	uint64_t fresh_until_ms;
	/* while somebody waits */
	struct media_want *wants, **tail;
	struct webhook *webhook;
	struct speech_job *job;
	void *soon; /* tells of what was fresh */
	char shown_url[512];
	bool keep;    /* the reply that is being decoded may be kept */
	bool telling; /* wants are being told: who comes now belongs to the next request */
	unsigned turn;
};

struct media_want {
	struct one *media;
	struct media_want *next;
	unsigned turn;
	media_done_fn *done;
	void *arg;
};

struct media_cache {
	struct world *world;
	void *tree; /* of struct one, by key */
	struct one *oldest, *newest;
	size_t bytes;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct one *)a)->key, ((const struct one *)b)->key);
}

static size_t cost(const struct one *m)
{
	return sizeof(*m) + strlen(m->key) + (m->prompt ? m->prompt->samples : 0);
}

static void one_unlink(struct one *m)
{
	*(m->prev ? &m->prev->next : &m->cache->oldest) = m->next;
	*(m->next ? &m->next->prev : &m->cache->newest) = m->prev;
}

static void one_link(struct one *m)
{
	struct media_cache *cache = m->cache;

	m->prev = cache->newest;
	m->next = NULL;
	*(cache->newest ? &cache->newest->next : &cache->oldest) = m;
	cache->newest = m;
}

static void one_free(struct one *m)
{
	struct world *world = m->cache->world;

	tdelete(m, &m->cache->tree, by_key);
	one_unlink(m);
	m->cache->bytes -= cost(m);
	webhook_cancel(m->webhook);
	if (m->job)
		world->ops->speech_cancel(world->w, m->job);
	if (m->soon)
		world->ops->timer_free(world->w, m->soon);
	while (m->wants) {
		struct media_want *want = m->wants;

		m->wants = want->next;
		free(want);
	}
	prompt_unref(m->prompt);
	free(m->key);
	free(m->auth_token);
	free(m->url);
	free(m);
}

static void set_prompt(struct one *m, struct prompt *p)
{
	m->cache->bytes -= cost(m);
	prompt_unref(m->prompt);
	m->prompt = p;
	m->cache->bytes += cost(m);
}

static bool idle(const struct one *m)
{
	return !m->wants && !m->webhook && !m->job && !m->telling;
}

/* Drops m when it holds nothing, and makes room. */
static void trim(struct one *m)
{
	struct media_cache *cache = m->cache;
	size_t max = cache->world->config->prompt_cache_bytes;
	struct one *next;

	if (idle(m) && !m->prompt)
		one_free(m);
	for (m = cache->oldest; m && cache->bytes > max; m = next) {
		next = m->next;
		if (idle(m))
			one_free(m);
	}
}

static void unlink_want(struct media_want *want)
{
	struct one *m = want->media;
	struct media_want **at;

	for (at = &m->wants; *at != want; at = &(*at)->next)
		;
	*at = want->next;
	if (!want->next)
		m->tail = at;
}

static void start(struct one *m);

/* Tells all that wait, then forgets the prompt unless it is worth keeping. A done may get and
 * cancel wants of m. */
static void finish(struct one *m, const struct media_result *result, bool keep)
{
	unsigned turn = m->turn++;
	struct media_want *want;

	m->telling = true;
	for (;;) {
		for (want = m->wants; want && want->turn != turn; want = want->next)
			;
		if (!want)
			break;
		unlink_want(want);
		want->done(want->arg, result);
		free(want);
	}
	m->telling = false;
	if (!keep)
		set_prompt(m, NULL);
	if (m->wants)
		start(m);
	else
		trim(m);
}

static void fail(struct one *m, int code, const char *text, const struct notify_about *about)
{
	struct media_result result = { .code = code, .text = text, .url = m->shown_url };

	if (about)
		result.about = *about;
	else
		result.about.url = m->shown_url;
	m->fresh_until_ms = 0;
	finish(m, &result, false);
}

static void succeed(struct one *m, struct prompt *p, bool keep)
{
	struct media_result result = { .url = m->shown_url, .prompt = prompt_ref(p) };

	finish(m, &result, keep);
	prompt_unref(result.prompt);
}

/* Cache-Control: how long the reply is fresh; -1: it may not be kept at all. */
static int fresh_seconds(const char *cache_control)
{
	const char *p;

	if (!cache_control)
		return 0;
	if (strcasestr(cache_control, "no-store"))
		return -1;
	if (strcasestr(cache_control, "no-cache"))
		return 0;
	p = strcasestr(cache_control, "max-age=");
	if (p) {
		long n = strtol(p + 8, NULL, 10);

		return n < 0 ? 0 : n > FRESH_MAX_S ? FRESH_MAX_S : (int)n;
	}
	return 0;
}

static void copy_validator(char ret[VALIDATOR_MAX], const char *value)
{
	/* One that is cut, or could break a header line, would validate something else. */
	if (value && strlen(value) < VALIDATOR_MAX - 32 && !strpbrk(value, "\r\n"))
		strcpy(ret, value);
	else
		*ret = '\0';
}

static void on_decoded(void *arg, int r, struct prompt *prompt)
{
	struct one *m = arg;

	m->job = NULL;
	if (r < 0) {
		*m->etag = *m->last_modified = '\0';
		if (r == -EFBIG)
			fail(m, 11200, "the file is too long", NULL);
		else if (r == -EPROTONOSUPPORT || r == -EINVAL)
			fail(m, CODE_NOT_AUDIO,
			     "the file is not of an audio type that can be played", NULL);
		else
			fail(m, 12400, "the file could not be decoded", NULL);
		return;
	}
	set_prompt(m, prompt);
	succeed(m, prompt, m->keep);
}

static void on_reply(void *arg, const struct webhook_result *result)
{
	struct one *m = arg;
	struct world *world = m->cache->world;
	const struct http_reply *reply = result->reply;
	struct notify_about about = notify_about_result(result);
	int seconds;

	m->webhook = NULL;
	about.body = NULL; /* audio, or a page that says no more than the status */
	snprintf(m->shown_url, sizeof(m->shown_url), "%s", result->url);
	if (result->error_code) {
		fail(m, result->error_code == 11750 ? 11200 : result->error_code,
		     result->error_text, &about);
		return;
	}
	seconds = fresh_seconds(reply->cache_control);
	m->fresh_until_ms =
		seconds > 0 ? world->ops->now_ms(world->w) + (uint64_t)seconds * 1000 : 0;
	if (reply->status == 304 && m->prompt) {
		succeed(m, m->prompt, true);
		return;
	}
	if (reply->status == 304) {
		fail(m, 11200, "the server answered 304 to what was not asked", &about);
		return;
	}
	if (content_kind(reply->content_type) != CONTENT_AUDIO) {
		fail(m, CODE_NOT_AUDIO, "the Content-Type is none that can be played", &about);
		return;
	}
	copy_validator(m->etag, reply->etag);
	copy_validator(m->last_modified, reply->last_modified);
	m->keep = seconds > 0 || (seconds == 0 && (*m->etag || *m->last_modified));
	if (world->ops->speech_decode(world->w, &m->job, reply->body, reply->body_len,
				      reply->content_type, on_decoded, m) < 0) {
		m->job = NULL;
		fail(m, 12400, "too much waits to be decoded", &about);
	}
}

static void on_soon(void *arg)
{
	struct one *m = arg;

	/* A validation that began meanwhile answers for everybody who waits. */
	if (m->prompt && m->wants && !m->webhook && !m->job)
		succeed(m, m->prompt, true);
}

static int ask(struct one *m)
{
	char etag[VALIDATOR_MAX + 32], modified[VALIDATOR_MAX + 32];
	struct webhook_request request = {
		.kind = WEBHOOK_MEDIA,
		.url = m->url,
		.method = "GET",
		.auth_token = m->auth_token,
		.max_bytes = m->cache->world->config->play_max_bytes,
	};
	unsigned n = 0;

	snprintf(etag, sizeof(etag), "If-None-Match: %s", m->etag);
	snprintf(modified, sizeof(modified), "If-Modified-Since: %s", m->last_modified);
	if (m->prompt && *m->etag)
		request.header[n++] = etag;
	if (m->prompt && *m->last_modified)
		request.header[n++] = modified;
	return webhook_start(&m->webhook, m->cache->world, &request, on_reply, m);
}

/* What somebody waits for: from the cache, or from the web. */
static int try_start(struct one *m)
{
	struct world *world = m->cache->world;

	if (!m->prompt || world->ops->now_ms(world->w) >= m->fresh_until_ms)
		return ask(m);
	world->ops->timer_start(world->w, m->soon, 0);
	return 0;
}

static void start(struct one *m)
{
	if (try_start(m) < 0)
		fail(m, 12400, "out of memory", NULL);
}

static struct one *one_new(struct media_cache *cache, char *key, const char *auth_token,
			   const char *url)
{
	struct one *m = calloc(1, sizeof(*m));
	struct world *world = cache->world;

	if (!m)
		return NULL;
	m->cache = cache;
	m->key = key;
	m->tail = &m->wants;
	m->auth_token = strdup(auth_token);
	m->url = strdup(url);
	m->soon = world->ops->timer_new(world->w, on_soon, m);
	snprintf(m->shown_url, sizeof(m->shown_url), "%.*s", (int)strcspn(url, "#"), url);
	if (!m->auth_token || !m->url || !m->soon || !tsearch(m, &cache->tree, by_key)) {
		if (m->soon)
			world->ops->timer_free(world->w, m->soon);
		free(m->auth_token);
		free(m->url);
		free(m);
		return NULL;
	}
	one_link(m);
	cache->bytes += cost(m);
	return m;
}

struct media_cache *media_cache_new(struct world *world)
{
	struct media_cache *cache = calloc(1, sizeof(*cache));

	if (cache)
		cache->world = world;
	return cache;
}

void media_cache_free(struct media_cache *cache)
{
	if (!cache)
		return;
	while (cache->oldest)
		one_free(cache->oldest);
	free(cache);
}

int media_cache_get(struct media_want **ret, struct media_cache *cache, const char *account_sid,
		    const char *auth_token, const char *url, media_done_fn *done, void *arg)
{
	struct media_want *want = calloc(1, sizeof(*want));
	struct one key, **found, *m = NULL;
	int r = -ENOMEM;

	key.key = NULL;
	if (!want || asprintf(&key.key, "%s %s", account_sid, url) < 0) {
		free(want);
		return r;
	}
	found = tfind(&key, &cache->tree, by_key);
	if (found) {
		m = *found;
		free(key.key);
		one_unlink(m);
		one_link(m);
		if (strcmp(m->auth_token, auth_token)) {
			/* The account's token was changed: requests are signed with the new one. */
			char *token = strdup(auth_token);

			if (token) {
				free(m->auth_token);
				m->auth_token = token;
			}
		}
	} else {
		m = one_new(cache, key.key, auth_token, url);
		if (!m)
			free(key.key);
	}
	if (!m) {
		free(want);
		return r;
	}
	r = idle(m) ? try_start(m) : 0;
	if (r < 0) {
		free(want);
		trim(m);
		return r;
	}
	want->media = m;
	want->turn = m->turn;
	want->done = done;
	want->arg = arg;
	*m->tail = want;
	m->tail = &want->next;
	*ret = want;
	return 0;
}

void media_cache_cancel(struct media_want *want)
{
	struct one *m;

	if (!want)
		return;
	m = want->media;
	unlink_want(want);
	free(want);
	/* A download that nobody waits for is not worth its traffic; what is decoded already may be
	 * kept. */
	if (!m->wants && m->webhook) {
		webhook_cancel(m->webhook);
		m->webhook = NULL;
	}
	if (idle(m))
		trim(m);
}
