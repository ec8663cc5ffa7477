/*
 * loop - the one event loop that owns every call. loop.c is the only file that sees uv.h.
 *
 * Everything here is for the loop's own thread, but loop_post and loop_stop, which any thread may
 * call. A callback may start or stop any timer, watch or post, its own included.
 */
#ifndef HOOKSWITCH_IO_LOOP_H
#define HOOKSWITCH_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_timer; /* one deadline; allocated by loop_timer_new, one owner */
struct loop_watch; /* readiness of one fd */

typedef void loop_fn(void *arg);
typedef void loop_watch_fn(void *arg, bool readable, bool writable);

struct loop *loop_new(void);		 /* NULL: out of memory or descriptors */
void loop_free(struct loop *loop);	 /* NULL is fine; every timer and watch is gone by then */
void loop_run(struct loop *loop);	 /* until loop_stop */
void loop_stop(struct loop *loop);	 /* what was posted before it still runs */
uint64_t loop_now_ms(struct loop *loop); /* monotonic, as of this turn of the loop */

/* A stopped timer; NULL when out of memory. free stops it; NULL is fine. */
struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fn, void *arg);
void loop_timer_free(struct loop_timer *timer);
void loop_timer_start(struct loop_timer *timer,
		      uint64_t delay_ms); /* restarts when running; fires once */
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_active(const struct loop_timer *timer);

/* Watches fd, which stays the caller's and must outlive the watch (free the watch first, then
 * close). */
struct loop_watch *loop_watch_new(struct loop *loop, int fd, loop_watch_fn *fn, void *arg);
void loop_watch_set(struct loop_watch *watch, bool want_read, bool want_write);
void loop_watch_free(struct loop_watch *watch);

/*
 * Runs fn(arg) on the loop thread, in the order of posting, after the call returned. Any thread.
 * -ENOMEM, or -ESHUTDOWN once the loop is stopping (fn never runs then).
 */
int loop_post(struct loop *loop, loop_fn *fn, void *arg);

/* Runs fn(arg) on SIGTERM and SIGINT. */
int loop_on_terminate(struct loop *loop, loop_fn *fn, void *arg);

#endif
