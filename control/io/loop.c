#include "io/loop.h"

#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <uv.h>

struct post {
	struct post *next;
	loop_fn *fn;
	void *arg;
};

#define TERMINATE_SIGNALS 2

struct loop {
	uv_loop_t uv;
	uv_async_t wake;
	uv_signal_t signals[TERMINATE_SIGNALS];
	int n_signals;
	loop_fn *terminate;
	void *terminate_arg;
	pthread_mutex_t lock; /* guards posts, tail and stopping */
	struct post *posts, **tail;
	bool stopping;
};

struct loop_timer {
	uv_timer_t uv;
	loop_fn *fn;
	void *arg;
};

struct loop_watch {
	uv_poll_t uv;
	int events;
	loop_watch_fn *fn;
	void *arg;
};

/* Runs what was posted up to now; what those post runs in the next turn, so that timers and sockets
 * get theirs. */
static void run_posts(uv_async_t *wake)
{
	struct loop *loop = wake->data;
	struct post *p, *next;
	bool stopping;

	pthread_mutex_lock(&loop->lock);
	stopping = loop->stopping;
	p = loop->posts;
	loop->posts = NULL;
	loop->tail = &loop->posts;
	pthread_mutex_unlock(&loop->lock);
	for (; p; p = next) {
		next = p->next;
		p->fn(p->arg);
		free(p);
	}
	/* Nothing was accepted after stopping was set: all that was has run. */
	if (stopping)
		uv_stop(&loop->uv);
}

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	if (uv_loop_init(&loop->uv)) {
		free(loop);
		return NULL;
	}
	if (uv_async_init(&loop->uv, &loop->wake, run_posts)) {
		uv_loop_close(&loop->uv);
		free(loop);
		return NULL;
	}
	loop->wake.data = loop;
	pthread_mutex_init(&loop->lock, NULL);
	loop->tail = &loop->posts;
	return loop;
}

void loop_free(struct loop *loop)
{
	struct post *next;

	if (!loop)
		return;
	for (; loop->posts; loop->posts = next) {
		next = loop->posts->next;
		free(loop->posts);
	}
	uv_close((uv_handle_t *)&loop->wake, NULL);
	for (int i = 0; i < loop->n_signals; i++)
		uv_close((uv_handle_t *)&loop->signals[i], NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	BUG_ON(uv_loop_close(&loop->uv) != 0);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

void loop_run(struct loop *loop)
{
	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	loop->stopping = true;
	pthread_mutex_unlock(&loop->lock);
	uv_async_send(&loop->wake);
}

uint64_t loop_now_ms(struct loop *loop)
{
	return uv_now(&loop->uv);
}

int loop_post(struct loop *loop, loop_fn *fn, void *arg)
{
	struct post *p = malloc(sizeof(*p));
	bool first;

	if (!p)
		return -ENOMEM;
	*p = (struct post){ .fn = fn, .arg = arg };
	pthread_mutex_lock(&loop->lock);
	if (loop->stopping) {
		pthread_mutex_unlock(&loop->lock);
		free(p);
		return -ESHUTDOWN;
	}
	first = !loop->posts;
	*loop->tail = p;
	loop->tail = &p->next;
	pthread_mutex_unlock(&loop->lock);
	if (first)
		uv_async_send(&loop->wake);
	return 0;
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct loop *loop = handle->data;

	(void)signum;
	loop->terminate(loop->terminate_arg);
}

int loop_on_terminate(struct loop *loop, loop_fn *fn, void *arg)
{
	static const int signums[TERMINATE_SIGNALS] = { SIGTERM, SIGINT };

	loop->terminate = fn;
	loop->terminate_arg = arg;
	for (int i = 0; i < TERMINATE_SIGNALS; i++) {
		uv_signal_t *s = &loop->signals[i];
		int r = uv_signal_init(&loop->uv, s);

		if (r < 0)
			return r;
		s->data = loop;
		loop->n_signals = i + 1;
		r = uv_signal_start(s, on_signal, signums[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The owner's struct goes when libuv has let go of the handle in it. */
static void closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void on_timer(uv_timer_t *handle)
{
	struct loop_timer *timer = handle->data;

	timer->fn(timer->arg);
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fn, void *arg)
{
	struct loop_timer *timer = malloc(sizeof(*timer));

	if (!timer)
		return NULL;
	uv_timer_init(&loop->uv, &timer->uv);
	timer->uv.data = timer;
	timer->fn = fn;
	timer->arg = arg;
	return timer;
}

void loop_timer_free(struct loop_timer *timer)
{
	if (timer)
		uv_close((uv_handle_t *)&timer->uv, closed);
}

void loop_timer_start(struct loop_timer *timer, uint64_t delay_ms)
{
	/* libuv counts from the start of this turn, which may be a while ago. */
	uv_update_time(timer->uv.loop);
	uv_timer_start(&timer->uv, on_timer, delay_ms, 0);
}

void loop_timer_stop(struct loop_timer *timer)
{
	uv_timer_stop(&timer->uv);
}

bool loop_timer_active(const struct loop_timer *timer)
{
	return uv_is_active((const uv_handle_t *)&timer->uv);
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
	struct loop_watch *watch = handle->data;

	/* An error shows as readable: the owner's read meets it. libuv stops a poll then; ours goes
	 * on until its owner says. */
	if (status < 0 && watch->events)
		uv_poll_start(handle, watch->events, on_ready);
	watch->fn(watch->arg, status < 0 || events & (UV_READABLE | UV_DISCONNECT),
		  events & UV_WRITABLE);
}

struct loop_watch *loop_watch_new(struct loop *loop, int fd, loop_watch_fn *fn, void *arg)
{
	struct loop_watch *watch = malloc(sizeof(*watch));

	if (!watch)
		return NULL;
	if (uv_poll_init(&loop->uv, &watch->uv, fd)) {
		free(watch);
		return NULL;
	}
	watch->uv.data = watch;
	watch->events = 0;
	watch->fn = fn;
	watch->arg = arg;
	return watch;
}

void loop_watch_set(struct loop_watch *watch, bool want_read, bool want_write)
{
	int events = (want_read ? UV_READABLE : 0) | (want_write ? UV_WRITABLE : 0);

	watch->events = events;
	if (events)
		uv_poll_start(&watch->uv, events, on_ready);
	else
		uv_poll_stop(&watch->uv);
}

void loop_watch_free(struct loop_watch *watch)
{
	if (!watch)
		return;
	uv_poll_stop(&watch->uv);
	uv_close((uv_handle_t *)&watch->uv, closed);
}
