/*
 * speech_worker - inside speech: a bounded queue of work and the threads that serve it, each with a
 * process of its own.
 */
#ifndef HOOKSWITCH_MEDIA_SPEECH_WORKER_H
#define HOOKSWITCH_MEDIA_SPEECH_WORKER_H

#include <pthread.h>
#include <stdbool.h>

#include "media/mpsc.h"
#include "media/speech_child.h"

#define SPEECH_KEY_SIZE	   (4 + 64 + 1) /* "say:" and the SHA-256 in hex */
#define SPEECH_THREADS_MAX 2

struct inbox;

/* What a thread needs of a piece of work; speech.c embeds it. */
struct speech_task {
	struct mpsc_node node; /* first; on its way back */
	struct speech_task *queue_next;
	struct speech_request request;
	char key[SPEECH_KEY_SIZE]; /* "": not to be cached */
	const void *data;
	atomic_bool cancelled;

	int r; /* the outcome */
	struct prompt *prompt;
};

struct speech_worker {
	struct speech_queue *queue;
	struct speech_child child;
	pthread_t id;
};

struct speech_queue {
	struct inbox *inbox;
	struct prompt_cache *cache;
	const struct speech_voices *voices;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct speech_task *head, *tail;
	size_t count, bytes;
	size_t count_max, bytes_max;
	unsigned workers_max; /* at most SPEECH_THREADS_MAX */
	bool quit;
	unsigned threads; /* that run */
	struct speech_worker workers[SPEECH_THREADS_MAX];
};

/*
 * Starts the processes of all workers: before any thread of any queue runs, as what another thread
 * holds locked at a fork stays locked in the process for ever.
 */
void speech_queue_fork(struct speech_queue *q);

/* q forked, else zeroed but for inbox, cache, voices and the maxima. After a failure too
 * speech_queue_stop is due. */
int speech_queue_start(struct speech_queue *q, const char *name);
void speech_queue_stop(
	struct speech_queue *q); /* what waits stays its owner's; q not started is fine */
int speech_queue_put(struct speech_queue *q, struct speech_task *task); /* -EAGAIN: full */

#endif
