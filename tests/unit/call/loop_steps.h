/* Runs a real loop through steps: each is asked again and again until it says true; the last one
 * ends the loop. After cmocka.h. */
#ifndef HOOKSWITCH_TEST_LOOP_STEPS_H
#define HOOKSWITCH_TEST_LOOP_STEPS_H

#include "io/loop.h"

#include <stdio.h>
#include <stdlib.h>

typedef bool loop_step_fn(void *arg);

struct loop_steps {
	struct loop *loop;
	struct loop_timer *timer;
	loop_step_fn *const *steps; /* NULL-terminated */
	void *arg;
	uint64_t deadline_ms;
	unsigned at;
	bool late;
};

static void loop_steps_tick(void *arg)
{
	struct loop_steps *s = arg;

	while (s->steps[s->at] && s->steps[s->at](s->arg))
		s->at++;
	s->late = loop_now_ms(s->loop) >= s->deadline_ms;
	if (!s->steps[s->at] || s->late)
		loop_stop(s->loop);
	else
		loop_timer_start(s->timer, 2);
}

/* Fails the test when the steps are not through in time. */
static void loop_steps_run(struct loop *loop, loop_step_fn *const *steps, void *arg,
			   unsigned within_ms)
{
	struct loop_steps s = { .loop = loop, .steps = steps, .arg = arg };

	s.timer = loop_timer_new(loop, loop_steps_tick, &s);
	s.deadline_ms = loop_now_ms(loop) + within_ms;
	loop_timer_start(s.timer, 0);
	loop_run(loop);
	loop_timer_free(s.timer);
	if (s.late)
		fail_msg("step %u did not come true in %u ms", s.at, within_ms);
}

#endif
