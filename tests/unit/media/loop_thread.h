/* A loop on its own thread, as in the daemon; the test thread hands it work and waits for it. */
#ifndef TEST_MEDIA_LOOP_THREAD_H
#define TEST_MEDIA_LOOP_THREAD_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "io/loop.h"

struct loop_thread {
	struct loop *loop;
	pthread_t id;
};

struct loop_work {
	loop_fn *fn;
	void *arg;
	sem_t done;
};

static inline void *loop_thread_main(void *arg)
{
	loop_run(((struct loop_thread *)arg)->loop);
	return NULL;
}

static inline void loop_thread_start(struct loop_thread *t)
{
	t->loop = loop_new();
	if (!t->loop || pthread_create(&t->id, NULL, loop_thread_main, t))
		abort();
}

static inline void loop_thread_work(void *arg)
{
	struct loop_work *w = arg;

	w->fn(w->arg);
	sem_post(&w->done);
}

/* Runs fn(arg) on the loop and returns when it did. */
static inline void loop_thread_do(struct loop_thread *t, loop_fn *fn, void *arg)
{
	struct loop_work w = { .fn = fn, .arg = arg };

	sem_init(&w.done, 0, 0);
	if (loop_post(t->loop, loop_thread_work, &w))
		abort();
	while (sem_wait(&w.done))
		;
	sem_destroy(&w.done);
}

/* Waits for a post; false when the deadline came first. */
static inline bool wait_sem(sem_t *sem, unsigned timeout_ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += timeout_ms / 1000;
	ts.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	return !sem_timedwait(sem, &ts);
}

/* fn stops what the test has on the loop; then the loop ends. */
static inline void loop_thread_end(struct loop_thread *t, loop_fn *fn, void *arg)
{
	loop_thread_do(t, fn, arg);
	loop_stop(t->loop);
	pthread_join(t->id, NULL);
	loop_free(t->loop);
}

#endif
