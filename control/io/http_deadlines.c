#include "io/http_deadlines.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define LOOK_EVERY_MS 250

struct http_deadline {
	struct http_deadlines *all;
	struct http_deadline *prev, *next;
	int fd;
	uint64_t at_ms; /* 0: none */
};

struct http_deadlines {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* stop, or the first of the list */
	struct http_deadline *first;
	bool stop;
};

static void wait_a_while(struct http_deadlines *all)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOK_EVERY_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_cond_timedwait(&all->changed, &all->lock, &until);
}

static void *watch(void *arg)
{
	struct http_deadlines *all = arg;

	pthread_mutex_lock(&all->lock);
	while (!all->stop) {
		uint64_t now = clock_mono_ms();

		for (struct http_deadline *d = all->first; d; d = d->next) {
			if (d->at_ms && d->at_ms <= now) {
				shutdown(d->fd, SHUT_RDWR);
				d->at_ms = 0;
			}
		}
		if (all->first)
			wait_a_while(all);
		else
			pthread_cond_wait(&all->changed, &all->lock);
	}
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

static void release(struct http_deadlines *all)
{
	pthread_cond_destroy(&all->changed);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

struct http_deadlines *http_deadlines_start(void)
{
	struct http_deadlines *all = calloc(1, sizeof(*all));
	pthread_condattr_t attr;

	if (!all)
		return NULL;
	pthread_mutex_init(&all->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&all->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&all->thread, NULL, watch, all)) {
		release(all);
		return NULL;
	}
	return all;
}

void http_deadlines_stop(struct http_deadlines *all)
{
	if (!all)
		return;
	pthread_mutex_lock(&all->lock);
	all->stop = true;
	pthread_cond_signal(&all->changed);
	pthread_mutex_unlock(&all->lock);
	pthread_join(all->thread, NULL);
	release(all);
}

struct http_deadline *http_deadline_add(struct http_deadlines *all, int fd, uint64_t in_ms)
{
	struct http_deadline *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->all = all;
	d->fd = fd;
	d->at_ms = in_ms ? clock_mono_ms() + in_ms : 0;
	pthread_mutex_lock(&all->lock);
	d->next = all->first;
	if (d->next)
		d->next->prev = d;
	else
		pthread_cond_signal(&all->changed);
	all->first = d;
	pthread_mutex_unlock(&all->lock);
	return d;
}

void http_deadline_set(struct http_deadline *d, uint64_t in_ms)
{
	if (!d)
		return;
	pthread_mutex_lock(&d->all->lock);
	d->at_ms = in_ms ? clock_mono_ms() + in_ms : 0;
	pthread_mutex_unlock(&d->all->lock);
}

void http_deadline_remove(struct http_deadline *d)
{
	struct http_deadlines *all;

	if (!d)
		return;
	all = d->all;
	pthread_mutex_lock(&all->lock);
	if (d->prev)
		d->prev->next = d->next;
	else
		all->first = d->next;
	if (d->next)
		d->next->prev = d->prev;
	pthread_mutex_unlock(&all->lock);
	free(d);
}
