#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "io/loop.h"

static struct loop *loop;
static struct loop_timer *guard;
static bool late;

static void on_late(void *arg)
{
	(void)arg;
	late = true;
	loop_stop(loop);
}

static int setup(void **state)
{
	(void)state;
	late = false;
	loop = loop_new();
	guard = loop ? loop_timer_new(loop, on_late, NULL) : NULL;
	if (guard)
		loop_timer_start(guard, 10000);
	return guard ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	loop_timer_free(guard);
	loop_free(loop);
	return 0;
}

static void run(void)
{
	loop_run(loop);
	assert_false(late);
}

/* -- posts */

enum { THREADS = 4, POSTS = 5000 };

struct posted {
	int thread, number;
};
static struct posted posted[THREADS][POSTS];
static int last[THREADS], total;
static pthread_t loop_thread;

static void take(void *arg)
{
	struct posted *p = arg;

	assert_true(pthread_equal(pthread_self(), loop_thread));
	assert_int_equal(p->number, last[p->thread]++);
	if (++total == THREADS * POSTS)
		loop_stop(loop);
}

static void *post_all(void *arg)
{
	int thread = (int)(intptr_t)arg;

	for (int i = 0; i < POSTS; i++) {
		posted[thread][i] = (struct posted){ thread, i };
		if (loop_post(loop, take, &posted[thread][i]))
			abort();
	}
	return NULL;
}

static void posts_of_many_threads_run_on_the_loop_each_threads_in_order(void **state)
{
	pthread_t t[THREADS];

	(void)state;
	memset(last, 0, sizeof(last));
	total = 0;
	loop_thread = pthread_self();
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, post_all, (void *)(intptr_t)i), 0);
	run();
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(total, THREADS * POSTS);
}

static int count;

static void increment(void *arg)
{
	(void)arg;
	count++;
}

static void stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void a_post_does_not_run_before_the_call_returned(void **state)
{
	(void)state;
	count = 0;
	assert_int_equal(loop_post(loop, increment, NULL), 0);
	assert_int_equal(count, 0);
	loop_post(loop, stop, NULL);
	run();
	assert_int_equal(count, 1);
}

static void what_was_posted_before_the_stop_runs_and_nothing_after_it(void **state)
{
	(void)state;
	count = 0;
	for (int i = 0; i < 100; i++)
		assert_int_equal(loop_post(loop, increment, NULL), 0);
	loop_stop(loop);
	assert_int_equal(loop_post(loop, increment, NULL), -ESHUTDOWN);
	run();
	assert_int_equal(count, 100);
	assert_int_equal(loop_post(loop, increment, NULL), -ESHUTDOWN);
}

static atomic_int accepted;

static void *post_until_refused(void *arg)
{
	(void)arg;
	while (loop_post(loop, increment, NULL) == 0)
		accepted++;
	return NULL;
}

static void every_accepted_post_runs_though_the_loop_is_stopped_meanwhile(void **state)
{
	pthread_t t[2];

	(void)state;
	count = 0;
	accepted = 0;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, post_until_refused, NULL), 0);
	while (accepted < 100)
		sched_yield();
	loop_stop(loop);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	run();
	assert_int_equal(count, accepted);
}

static void post_again(void *arg)
{
	if (!late && loop_post(loop, post_again, arg) == 0)
		count++;
}

static void a_post_that_posts_itself_does_not_starve_the_timers(void **state)
{
	struct loop_timer *t = loop_timer_new(loop, stop, NULL);

	(void)state;
	count = 0;
	loop_timer_start(t, 20);
	loop_post(loop, post_again, NULL);
	run();
	assert_true(count > 1);
	loop_timer_free(t);
}

/* -- timers */

static char order[8];

static void note(void *arg)
{
	strncat(order, arg, 1);
	if (strlen(order) == 3)
		loop_stop(loop);
}

static void timers_fire_once_in_the_order_of_their_deadlines(void **state)
{
	struct loop_timer *a = loop_timer_new(loop, note, "a"),
			  *b = loop_timer_new(loop, note, "b"),
			  *c = loop_timer_new(loop, note, "c");
	uint64_t start = clock_mono_ms();

	(void)state;
	order[0] = '\0';
	loop_timer_start(c, 60);
	loop_timer_start(a, 20);
	loop_timer_start(b, 40);
	assert_true(loop_timer_active(a));
	run();
	assert_string_equal(order, "abc");
	assert_false(loop_timer_active(a));
	assert_in_range(clock_mono_ms() - start, 59, 5000);
	loop_timer_free(a);
	loop_timer_free(b);
	loop_timer_free(c);
}

static void a_stopped_or_freed_timer_does_not_fire(void **state)
{
	struct loop_timer *a = loop_timer_new(loop, increment, NULL),
			  *b = loop_timer_new(loop, increment, NULL),
			  *end = loop_timer_new(loop, stop, NULL);

	(void)state;
	count = 0;
	loop_timer_start(a, 1);
	loop_timer_start(b, 1);
	loop_timer_start(end, 20);
	loop_timer_stop(a);
	loop_timer_free(b);
	assert_false(loop_timer_active(a));
	run();
	assert_int_equal(count, 0);
	loop_timer_free(a);
	loop_timer_free(end);
}

static void starting_a_running_timer_moves_its_deadline(void **state)
{
	struct loop_timer *t = loop_timer_new(loop, stop, NULL);
	uint64_t start = clock_mono_ms();

	(void)state;
	loop_timer_start(t, 1);
	loop_timer_start(t, 50);
	run();
	assert_in_range(clock_mono_ms() - start, 49, 5000);
	loop_timer_free(t);
}

static struct loop_timer *own;

static void free_own(void *arg)
{
	(void)arg;
	loop_timer_free(own);
	loop_stop(loop);
}

static void a_timer_may_free_itself(void **state)
{
	(void)state;
	own = loop_timer_new(loop, free_own, NULL);
	loop_timer_start(own, 0);
	run();
	loop_timer_free(NULL);
}

/* -- watches */

static int pair[2];
static struct loop_watch *watch;
static bool was_readable, was_writable;

static void on_ready(void *arg, bool readable, bool writable)
{
	(void)arg;
	was_readable |= readable;
	was_writable |= writable;
	loop_watch_free(watch);
	watch = NULL;
	loop_stop(loop);
}

static void a_watch_tells_what_was_asked_for_and_may_free_itself(void **state)
{
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	was_readable = was_writable = false;
	watch = loop_watch_new(loop, pair[0], on_ready, NULL);
	assert_non_null(watch);
	loop_watch_set(watch, true, false);
	assert_int_equal(write(pair[1], "x", 1), 1);
	run();
	assert_true(was_readable);
	assert_false(was_writable);
	close(pair[0]);
	close(pair[1]);
}

static void count_ready(void *arg, bool readable, bool writable)
{
	(void)arg;
	(void)readable;
	(void)writable;
	count++;
}

static void a_watch_that_wants_nothing_hears_nothing(void **state)
{
	struct loop_timer *t = loop_timer_new(loop, stop, NULL);

	(void)state;
	count = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	watch = loop_watch_new(loop, pair[0], count_ready, NULL);
	loop_watch_set(watch, true, true);
	loop_watch_set(watch, false, false);
	loop_timer_start(t, 20);
	run();
	assert_int_equal(count, 0);
	loop_watch_free(watch);
	loop_timer_free(t);
	close(pair[0]);
	close(pair[1]);
}

/* An ICMP error on a connected UDP socket is such an error; what comes later must still be heard.
 */
static int udp[2];

static void read_udp(void *arg, bool readable, bool writable)
{
	char c;

	(void)arg;
	(void)writable;
	if (!readable)
		return;
	if (recv(udp[0], &c, 1, MSG_DONTWAIT) == 1)
		loop_stop(loop);
	else
		count++;
}

static void a_descriptor_with_an_error_is_still_watched_after_it(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
			   own_addr;
	socklen_t len = sizeof(a);
	struct loop_timer *end;

	(void)state;
	count = 0;
	udp[0] = socket(AF_INET, SOCK_DGRAM, 0);
	udp[1] = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(udp[1], (struct sockaddr *)&a, sizeof(a)), 0);
	getsockname(udp[1], (struct sockaddr *)&a, &len);
	assert_int_equal(connect(udp[0], (struct sockaddr *)&a, sizeof(a)), 0);
	getsockname(udp[0], (struct sockaddr *)&own_addr, &len);
	close(udp[1]);
	watch = loop_watch_new(loop, udp[0], read_udp, NULL);
	loop_watch_set(watch, true, false);
	assert_int_equal(send(udp[0], "x", 1, 0), 1); /* refused: nobody listens */
	end = loop_timer_new(loop, stop, NULL);
	loop_timer_start(end, 10000);
	udp[1] = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(udp[1], (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(sendto(udp[1], "y", 1, 0, (struct sockaddr *)&own_addr, sizeof(own_addr)),
			 1);
	run();
	assert_true(loop_timer_active(end));
	assert_true(count <= 2);
	loop_watch_free(watch);
	loop_timer_free(end);
	close(udp[0]);
	close(udp[1]);
}

static void a_signal_to_end_is_told_on_the_loop(void **state)
{
	(void)state;
	assert_int_equal(loop_on_terminate(loop, stop, NULL), 0);
	raise(SIGTERM);
	run();
}

#define ON_LOOP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_LOOP(posts_of_many_threads_run_on_the_loop_each_threads_in_order),
		ON_LOOP(a_post_does_not_run_before_the_call_returned),
		ON_LOOP(what_was_posted_before_the_stop_runs_and_nothing_after_it),
		ON_LOOP(every_accepted_post_runs_though_the_loop_is_stopped_meanwhile),
		ON_LOOP(a_post_that_posts_itself_does_not_starve_the_timers),
		ON_LOOP(timers_fire_once_in_the_order_of_their_deadlines),
		ON_LOOP(a_stopped_or_freed_timer_does_not_fire),
		ON_LOOP(starting_a_running_timer_moves_its_deadline),
		ON_LOOP(a_timer_may_free_itself),
		ON_LOOP(a_watch_tells_what_was_asked_for_and_may_free_itself),
		ON_LOOP(a_watch_that_wants_nothing_hears_nothing),
		ON_LOOP(a_descriptor_with_an_error_is_still_watched_after_it),
		ON_LOOP(a_signal_to_end_is_told_on_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
