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
	struct speech_worker *worker = arg;
	struct speech_queue *q = worker->queue;

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
		task_run(q, &worker->child, task);
		inbox_put(q->inbox, &task->node);
		pthread_mutex_lock(&q->lock);
	}
	pthread_mutex_unlock(&q->lock);
	speech_child_stop(&worker->child);
	return NULL;
}

void speech_queue_fork(struct speech_queue *q)
{
	for (unsigned i = 0; i < q->workers_max; i++) {
		q->workers[i].queue = q;
		q->workers[i].child.voices = q->voices;
		speech_child_start(&q->workers[i].child); /* tried again when there is work */
	}
}

int speech_queue_start(struct speech_queue *q, const char *name)
{
	sigset_t all, old;
	int r = 0;

	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->wake, NULL);
	sigfillset(&all); /* signals are the loop's */
	pthread_sigmask(SIG_BLOCK, &all, &old);
	for (; q->threads < q->workers_max && !r; q->threads += !r) {
		struct speech_worker *worker = &q->workers[q->threads];

		r = pthread_create(&worker->id, NULL, worker_run, worker);
		if (!r)
			pthread_setname_np(worker->id, name);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -r;
}

void speech_queue_stop(struct speech_queue *q)
{
	for (unsigned i = q->threads; i < q->workers_max; i++)
		speech_child_stop(&q->workers[i].child); /* no thread owns it */
	if (!q->threads)
		return;
	pthread_mutex_lock(&q->lock);
	q->quit = true;
	pthread_cond_broadcast(&q->wake);
	pthread_mutex_unlock(&q->lock);
	while (q->threads)
		pthread_join(q->workers[--q->threads].id, NULL);
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
