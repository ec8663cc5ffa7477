#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>
#include <uthash.h>
#include <utlist.h>

#include "media/inbox.h"
#include "media/prompt.h"
#include "media/speech_synth.h"

#define SAY_QUEUE_MAX	   1000
#define DECODE_QUEUE_MAX   256
#define DECODE_QUEUE_BYTES (256u << 20)
#define KEY_SIZE	   (4 + 64 + 1) /* "say:" and the SHA-256 in hex */

/* One piece of work for a thread, and all jobs that wait for it. The loop allocates and frees it.
 */
struct work {
	struct mpsc_node node; /* first; on its way back */
	struct work *queue_next;
	struct work *prev, *next; /* of speech->works */
	UT_hash_handle hh;	  /* of speech->pending, while others may join */
	bool pending;
	atomic_bool cancelled;
	struct speech *speech;
	struct speech_job *jobs;

	const struct speech_voice *voice; /* NULL: decode */
	char key[KEY_SIZE];
	char content_type[64];
	struct prompt_limits limits;

	int r;
	struct prompt *prompt;
	size_t len_bytes;
	char data[]; /* SSML or the media file */
};

struct speech_job {
	struct speech_job *prev, *next;
	struct work *work;
	speech_done_fn *done;
	void *arg;
};

struct worker {
	struct speech *speech;
	pthread_t id;
	bool started, quit;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct work *head, *tail;
	size_t count, bytes;
	size_t count_max, bytes_max;
};

struct speech {
	struct inbox *inbox;
	struct prompt_cache *cache;
	struct speech_voices *voices;
	struct work *works;   /* all that is not freed */
	struct work *pending; /* by key */
	struct worker say, decode;
};

static void work_run(struct speech *speech, struct work *w)
{
	if (atomic_load(&w->cancelled)) {
		w->r = -ECANCELED;
		return;
	}
	if (!w->voice) {
		w->r = prompt_decode(&w->prompt, w->data, w->len_bytes, w->content_type,
				     &w->limits);
		return;
	}
	w->r = speech_synthesise(&w->prompt, speech->voices, w->voice, w->data, &w->cancelled);
	if (!w->r)
		prompt_cache_put(speech->cache, w->key, w->prompt);
}

static void *worker_run(void *arg)
{
	struct worker *worker = arg;

	pthread_mutex_lock(&worker->lock);
	for (;;) {
		struct work *w;

		while (!worker->head && !worker->quit)
			pthread_cond_wait(&worker->wake, &worker->lock);
		if (worker->quit)
			break;
		w = worker->head;
		worker->head = w->queue_next;
		worker->count--;
		worker->bytes -= w->len_bytes;
		pthread_mutex_unlock(&worker->lock);
		work_run(worker->speech, w);
		inbox_put(worker->speech->inbox, &w->node);
		pthread_mutex_lock(&worker->lock);
	}
	pthread_mutex_unlock(&worker->lock);
	return NULL;
}

static int worker_start(struct worker *worker, struct speech *speech, const char *name)
{
	sigset_t all, old;
	int r;

	worker->speech = speech;
	sigfillset(&all); /* signals are the loop's */
	pthread_sigmask(SIG_BLOCK, &all, &old);
	r = pthread_create(&worker->id, NULL, worker_run, worker);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r)
		return -r;
	pthread_setname_np(worker->id, name);
	worker->started = true;
	return 0;
}

static void worker_stop(struct worker *worker)
{
	if (worker->started) {
		pthread_mutex_lock(&worker->lock);
		worker->quit = true;
		pthread_cond_signal(&worker->wake);
		pthread_mutex_unlock(&worker->lock);
		pthread_join(worker->id, NULL);
	}
	pthread_mutex_destroy(&worker->lock);
	pthread_cond_destroy(&worker->wake);
}

static int worker_put(struct worker *worker, struct work *w)
{
	int r = -EAGAIN;

	pthread_mutex_lock(&worker->lock);
	if (worker->count < worker->count_max &&
	    w->len_bytes <= worker->bytes_max - worker->bytes) {
		if (worker->head)
			worker->tail->queue_next = w;
		else
			worker->head = w;
		worker->tail = w;
		worker->count++;
		worker->bytes += w->len_bytes;
		pthread_cond_signal(&worker->wake);
		r = 0;
	}
	pthread_mutex_unlock(&worker->lock);
	return r;
}

static struct work *work_new(struct speech *speech, const void *data, size_t len_bytes)
{
	struct work *w = calloc(1, sizeof(*w) + len_bytes + 1);

	if (!w)
		return NULL;
	w->speech = speech;
	w->len_bytes = len_bytes;
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
	prompt_unref(w->prompt);
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
		done(done_arg, w->r, w->r ? NULL : prompt_ref(w->prompt));
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

static int make_key(char ret[KEY_SIZE], const struct speech_voice *voice, const char *ssml)
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
	speech->say = (struct worker){ .count_max = SAY_QUEUE_MAX, .bytes_max = SIZE_MAX };
	speech->decode =
		(struct worker){ .count_max = DECODE_QUEUE_MAX, .bytes_max = DECODE_QUEUE_BYTES };
	pthread_mutex_init(&speech->say.lock, NULL);
	pthread_cond_init(&speech->say.wake, NULL);
	pthread_mutex_init(&speech->decode.lock, NULL);
	pthread_cond_init(&speech->decode.wake, NULL);
	speech->voices = speech_voices_new(default_voice, default_language);
	speech->inbox = inbox_new(loop, work_done, speech);
	if (!speech->voices || !speech->inbox || worker_start(&speech->say, speech, "speech") < 0 ||
	    worker_start(&speech->decode, speech, "decode") < 0) {
		speech_free(speech);
		return NULL;
	}
	return speech;
}

void speech_free(struct speech *speech)
{
	struct work *w;

	if (!speech)
		return;
	DL_FOREACH(speech->works, w)
	atomic_store(&w->cancelled, true);
	worker_stop(&speech->say);
	worker_stop(&speech->decode);
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
	char key[KEY_SIZE];
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
	w->voice = voice;
	if (cached) {
		w->prompt = cached;
		inbox_put(speech->inbox, &w->node);
	} else {
		memcpy(w->key, key, sizeof(key));
		r = worker_put(&speech->say, w);
		if (r < 0)
			goto fail;
		HASH_ADD_STR(speech->pending, key, w);
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
		w->r = -EFBIG;
		inbox_put(speech->inbox, &w->node);
		*ret = job;
		return 0;
	}
	w->limits = *limits;
	snprintf(w->content_type, sizeof(w->content_type), "%s", content_type);
	r = worker_put(&speech->decode, w);
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
	atomic_store(&w->cancelled, true);
	work_unlist(w);
}
