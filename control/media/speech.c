#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>
#include <uthash.h>
#include <utlist.h>

#include "media/inbox.h"
#include "media/prompt.h"
#include "media/speech_worker.h"

#define SAY_QUEUE_MAX	   1000
#define DECODE_QUEUE_MAX   256
#define DECODE_QUEUE_BYTES (256u << 20)

/* One piece of work for a thread, and all jobs that wait for it. The loop allocates and frees it.
 */
struct work {
	struct speech_task task;  /* first */
	struct work *prev, *next; /* of speech->works */
	UT_hash_handle hh;	  /* of speech->pending, while others may join */
	bool pending;
	struct speech *speech;
	struct speech_job *jobs;
	char data[]; /* SSML or the media file */
};

struct speech_job {
	struct speech_job *prev, *next;
	struct work *work;
	speech_done_fn *done;
	void *arg;
};

struct speech {
	struct inbox *inbox;
	struct prompt_cache *cache;
	struct speech_voices *voices;
	struct work *works;   /* all that is not freed */
	struct work *pending; /* by key */
	struct speech_queue say, decode;
};

static struct work *work_new(struct speech *speech, const void *data, size_t len_bytes)
{
	struct work *w = calloc(1, sizeof(*w) + len_bytes + 1);

	if (!w)
		return NULL;
	w->speech = speech;
	w->task.request.len_bytes = len_bytes;
	w->task.data = w->data;
	if (len_bytes)
		memcpy(w->data, data, len_bytes);
	DL_APPEND(speech->works, w);
	return w;
}

static void work_unlist(struct work *w)
{
	if (w->pending)
		HASH_DEL(w->speech->pending, w);
	w->pending = false;
}

static void work_free(struct work *w)
{
	while (w->jobs) {
		struct speech_job *job = w->jobs;

		DL_DELETE(w->jobs, job);
		free(job);
	}
	work_unlist(w);
	DL_DELETE(w->speech->works, w);
	prompt_unref(w->task.prompt);
	free(w);
}

static void work_done(void *arg, struct mpsc_node *node)
{
	struct work *w = (struct work *)node;

	(void)arg;
	work_unlist(w);
	while (w->jobs) { /* a done may cancel others of them */
		struct speech_job *job = w->jobs;
		speech_done_fn *done = job->done;
		void *done_arg = job->arg;

		DL_DELETE(w->jobs, job);
		free(job);
		done(done_arg, w->task.r, w->task.r ? NULL : prompt_ref(w->task.prompt));
	}
	work_free(w);
}

static struct speech_job *job_add(struct work *w, speech_done_fn *done, void *arg)
{
	struct speech_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->work = w;
	job->done = done;
	job->arg = arg;
	DL_APPEND(w->jobs, job);
	return job;
}

static int make_key(char ret[SPEECH_KEY_SIZE], const struct speech_voice *voice, const char *ssml)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	char head[128];
	int n = snprintf(head, sizeof(head), "%s %s %s %d", voice->engine->name, voice->name,
			 voice->language, voice->female);
	int r = -ENOMEM;

	if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(ctx, head, (size_t)n + 1) != 1 ||
	    EVP_DigestUpdate(ctx, ssml, strlen(ssml)) != 1 ||
	    EVP_DigestFinal_ex(ctx, digest, NULL) != 1)
		goto out;
	memcpy(ret, "say:", 4);
	for (int i = 0; i < 32; i++)
		snprintf(ret + 4 + 2 * i, 3, "%02x", digest[i]);
	r = 0;
out:
	EVP_MD_CTX_free(ctx);
	return r;
}

struct speech *speech_new(struct loop *loop, struct prompt_cache *cache, const char *default_voice,
			  const char *default_language)
{
	struct speech *speech = calloc(1, sizeof(*speech));

	if (!speech)
		return NULL;
	speech->cache = cache;
	speech->voices = speech_voices_new(default_voice, default_language);
	speech->inbox = inbox_new(loop, work_done, speech);
	speech->say = (struct speech_queue){ .inbox = speech->inbox,
					     .cache = cache,
					     .voices = speech->voices,
					     .count_max = SAY_QUEUE_MAX,
					     .bytes_max = SIZE_MAX,
					     .workers_max = SPEECH_THREADS_MAX };
	speech->decode = speech->say;
	speech->decode.count_max = DECODE_QUEUE_MAX;
	speech->decode.bytes_max = DECODE_QUEUE_BYTES;
	speech->decode.workers_max = 1;
	if (!speech->voices || !speech->inbox)
		goto fail;
	speech_queue_fork(&speech->say);
	speech_queue_fork(&speech->decode);
	if (speech_queue_start(&speech->say, "speech") < 0 ||
	    speech_queue_start(&speech->decode, "decode") < 0)
		goto fail;
	return speech;
fail:
	speech_free(speech);
	return NULL;
}

void speech_free(struct speech *speech)
{
	struct work *w;

	if (!speech)
		return;
	DL_FOREACH(speech->works, w)
	atomic_store(&w->task.cancelled, true);
	speech_queue_stop(&speech->say);
	speech_queue_stop(&speech->decode);
	inbox_free(speech->inbox); /* its nodes are works too */
	while (speech->works)
		work_free(speech->works);
	speech_voices_free(speech->voices);
	free(speech);
}

const struct speech_voice *speech_voice_find(const struct speech *speech, const char *voice,
					     const char *language, bool *voice_known,
					     bool *language_known)
{
	return speech_voices_find(speech->voices, voice, language, voice_known, language_known);
}

void speech_voice_walk(const struct speech *speech, speech_voice_row_fn *row, void *arg)
{
	speech_voices_walk(speech->voices, row, arg);
}

int speech_say(struct speech_job **ret, struct speech *speech, const struct speech_voice *voice,
	       const char *ssml, speech_done_fn *done, void *arg)
{
	struct speech_job *job;
	struct prompt *cached;
	char key[SPEECH_KEY_SIZE];
	struct work *w;
	int r = make_key(key, voice, ssml);

	if (r < 0)
		return r;
	HASH_FIND_STR(speech->pending, key, w);
	if (w) { /* the same is being made: wait with the others */
		job = job_add(w, done, arg);
		if (!job)
			return -ENOMEM;
		*ret = job;
		return 0;
	}
	cached = prompt_cache_get(speech->cache, key);
	w = work_new(speech, ssml, cached ? 0 : strlen(ssml));
	job = w ? job_add(w, done, arg) : NULL;
	r = -ENOMEM;
	if (!job)
		goto fail;
	w->task.request.voice = voice;
	if (cached) {
		w->task.prompt = cached;
		inbox_put(speech->inbox, &w->task.node);
	} else {
		memcpy(w->task.key, key, sizeof(key));
		r = speech_queue_put(&speech->say, &w->task);
		if (r < 0)
			goto fail;
		HASH_ADD_STR(speech->pending, task.key, w);
		w->pending = true;
	}
	*ret = job;
	return 0;
fail:
	if (w)
		work_free(w);
	prompt_unref(cached);
	return r;
}

int speech_decode(struct speech_job **ret, struct speech *speech, const void *data,
		  size_t len_bytes, const char *content_type, const struct prompt_limits *limits,
		  speech_done_fn *done, void *arg)
{
	struct speech_job *job;
	struct work *w;
	bool too_big = len_bytes > limits->max_bytes;
	int r = -ENOMEM;

	w = work_new(speech, data, too_big ? 0 : len_bytes);
	job = w ? job_add(w, done, arg) : NULL;
	if (!job)
		goto fail;
	if (too_big) { /* refused before it is copied, yet told as everything is */
		w->task.r = -EFBIG;
		inbox_put(speech->inbox, &w->task.node);
		*ret = job;
		return 0;
	}
	w->task.request.limits = *limits;
	snprintf(w->task.request.content_type, sizeof(w->task.request.content_type), "%s",
		 content_type);
	r = speech_queue_put(&speech->decode, &w->task);
	if (r < 0)
		goto fail;
	*ret = job;
	return 0;
fail:
	if (w)
		work_free(w);
	return r;
}

void speech_cancel(struct speech_job *job)
{
	struct work *w;

	if (!job)
		return;
	w = job->work;
	DL_DELETE(w->jobs, job);
	free(job);
	if (w->jobs)
		return;
	/* Nobody wants it any more; who asks for the same from now on gets a new one. */
	atomic_store(&w->task.cancelled, true);
	work_unlist(w);
}
