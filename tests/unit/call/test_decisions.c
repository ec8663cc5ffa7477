#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../media/loop_thread.h"
#include "call/decisions.h"

#define DEADLINE_MS 10000
#define THREADS	    8

static struct loop_thread loop;
static struct decisions *decisions;

/* Kamailio: what it was told last. Loop thread, but commands. */
static struct {
	atomic_int commands;
	sem_t told;
	sip_sent_fn *done;
	void *arg;
	int r; /* of the command */
} peer;

static atomic_int returned;
static sem_t back;

static int forget(void *arg, sip_sent_fn *done, void *done_arg)
{
	(void)arg;
	peer.done = done;
	peer.arg = done_arg;
	peer.commands++;
	sem_post(&peer.told);
	return peer.r;
}

static void confirm(void *arg)
{
	(void)arg;
	peer.done(peer.arg, 0);
}

static void nothing(void *arg)
{
	(void)arg;
}

static int setup(void **state)
{
	(void)state;
	loop_thread_start(&loop);
	decisions = decisions_new(loop.loop, forget, NULL);
	peer.r = 0;
	peer.commands = 0;
	returned = 0;
	sem_init(&peer.told, 0, 0);
	sem_init(&back, 0, 0);
	return decisions ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	loop_thread_end(&loop, nothing, NULL);
	decisions_free(decisions);
	return 0;
}

static void *change(void *arg)
{
	(void)arg;
	decisions_changed(decisions);
	returned++;
	sem_post(&back);
	return NULL;
}

static void begin(pthread_t *thread)
{
	assert_int_equal(pthread_create(thread, NULL, change, NULL), 0);
}

static void a_change_returns_when_it_was_confirmed(void **state)
{
	pthread_t thread;

	(void)state;
	begin(&thread);
	assert_true(wait_sem(&peer.told, DEADLINE_MS));
	assert_int_equal(returned, 0);
	loop_thread_do(&loop, confirm, NULL);
	assert_true(wait_sem(&back, DEADLINE_MS));
	pthread_join(thread, NULL);
}

static void changes_behind_a_command_wait_for_the_next_and_share_it(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	begin(&threads[0]);
	assert_true(wait_sem(&peer.told, DEADLINE_MS));
	for (int i = 1; i < THREADS; i++)
		begin(&threads[i]);
	/* Time for them to come in; any that has not will have a command of its own. */
	assert_false(wait_sem(&back, 200));
	loop_thread_do(&loop, confirm, NULL);
	assert_true(wait_sem(&back, DEADLINE_MS));
	assert_int_equal(returned, 1);
	for (int left = THREADS - 1; left;) {
		assert_true(wait_sem(&peer.told, DEADLINE_MS));
		loop_thread_do(&loop, confirm, NULL);
		while (left && wait_sem(&back, 200))
			left--;
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_true(peer.commands < THREADS / 2);
}

static void what_cannot_be_told_is_not_waited_for(void **state)
{
	uint64_t before = clock_mono_ms();

	(void)state;
	peer.r = -ENOTCONN;
	decisions_changed(decisions);
	assert_int_equal(peer.commands, 1);
	assert_true(clock_mono_ms() - before < 900);
}

static void a_silent_kamailio_is_waited_for_a_second(void **state)
{
	uint64_t before = clock_mono_ms();

	(void)state;
	decisions_changed(decisions);
	assert_true(clock_mono_ms() - before >= 990);
	loop_thread_do(&loop, confirm, NULL);
	peer.r = -ENOTCONN;
	decisions_changed(decisions);
	assert_int_equal(peer.commands, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_change_returns_when_it_was_confirmed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			changes_behind_a_command_wait_for_the_next_and_share_it, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_told_is_not_waited_for, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_silent_kamailio_is_waited_for_a_second, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
