#include <errno.h>
#include <signal.h>
#include <string.h>

#include "media/inbox.h"
#include "media/speech_worker.h"

static void task_run(struct speech_queue *q, struct speech_child *child, struct speech_task *task)
{
	task->r = atomic_load(&task->cancelled)
			  ? -ECANCELED
			  : speech_child_run(&task->prompt, child, &task->request, task->data,
					     &task->cancelled);
	if (!task->r && *task->key)
		prompt_cache_put(q->cache, task->key, task->prompt);
}

static void *worker_run(void *arg)
{
	struct speech_queue *q = arg;
	struct speech_child child = { .voices = q->voices };

	speech_child_start(&child); /* tried again when there is work */
	pthread_mutex_lock(&q->lock);
	for (;;) {
		struct speech_task *task;

		while (!q->head && !q->quit)
			pthread_cond_wait(&q->wake, &q->lock);
		if (q->quit)
			break;
		task = q->head;
		q->head = task->queue_next;
		q->count--;
		q->bytes -= task->request.len_bytes;
		pthread_mutex_unlock(&q->lock);
		task_run(q, &child, task);
		inbox_put(q->inbox, &task->node);
		pthread_mutex_lock(&q->lock);
	}
	pthread_mutex_unlock(&q->lock);
	speech_child_stop(&child);
	return NULL;
}

int speech_queue_start(struct speech_queue *q, unsigned threads, const char *name)
{
	sigset_t all, old;
	int r = 0;

	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->wake, NULL);
	sigfillset(&all); /* signals are the loop's */
	pthread_sigmask(SIG_BLOCK, &all, &old);
	for (; q->threads < threads && q->threads < SPEECH_THREADS_MAX && !r; q->threads += !r) {
		r = pthread_create(&q->ids[q->threads], NULL, worker_run, q);
		if (!r)
			pthread_setname_np(q->ids[q->threads], name);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -r;
}

void speech_queue_stop(struct speech_queue *q)
{
	if (!q->threads)
		return;
	pthread_mutex_lock(&q->lock);
	q->quit = true;
	pthread_cond_broadcast(&q->wake);
	pthread_mutex_unlock(&q->lock);
	while (q->threads)
		pthread_join(q->ids[--q->threads], NULL);
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->wake);
}

int speech_queue_put(struct speech_queue *q, struct speech_task *task)
{
	int r = -EAGAIN;

	pthread_mutex_lock(&q->lock);
	if (q->count < q->count_max && task->request.len_bytes <= q->bytes_max - q->bytes) {
		if (q->head)
			q->tail->queue_next = task;
		else
			q->head = task;
		q->tail = task;
		q->count++;
		q->bytes += task->request.len_bytes;
		pthread_cond_signal(&q->wake);
		r = 0;
	}
	pthread_mutex_unlock(&q->lock);
	return r;
}
