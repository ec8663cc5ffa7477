#define LOG_SUBSYSTEM "call"
#include "call/call_fork.h"

#include "base/sid.h"
#include "call/call.h"
#include "call/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct fork {
	struct call *c;
	struct leg *leg; /* NULL: over */
};

struct call_forks {
	struct fork forks[ROUTES_MAX];
	unsigned n, alive;
	enum leg_end why; /* the best of those that are over */
	int code;
	bool ended; /* one is over */
};

static void on_ringing(void *arg)
{
	call_leg_events.ringing(((struct fork *)arg)->c);
}

static void on_heard(void *arg, const struct sip_msg *msg)
{
	call_leg_events.heard(((struct fork *)arg)->c, msg);
}

static void on_warned(void *arg, int error, const char *text)
{
	call_leg_events.warned(((struct fork *)arg)->c, error, text);
}

static void on_answered(void *arg)
{
	struct fork *f = arg;
	struct call *c = f->c;
	char *call_id;

	c->leg = f->leg;
	f->leg = NULL;
	leg_own(c->leg, &call_leg_events, c);
	call_id = strdup(leg_call_id(c->leg));
	if (call_id) {
		free(c->sip_call_id);
		c->sip_call_id = call_id;
	}
	call_forks_drop(c);
	call_leg_events.answered(c);
}

/* Busy says more than no answer, and that more than a phone that is gone. */
static int rank(enum leg_end why, int code)
{
	if (why != LEG_END_REFUSED)
		return 0;
	switch (call_event_of_answer(code)) {
	case CALL_EV_BUSY:
		return 3;
	case CALL_EV_GIVEN_UP:
		return 2;
	default:
		return 1;
	}
}

static void on_ended(void *arg, enum leg_end why, int code)
{
	struct fork *f = arg;
	struct call *c = f->c;
	struct call_forks *all = c->forks;

	leg_free(f->leg);
	f->leg = NULL;
	if (!all->ended || rank(why, code) > rank(all->why, all->code)) {
		all->why = why;
		all->code = code;
	}
	all->ended = true;
	if (--all->alive)
		return;
	why = all->why;
	code = all->code;
	call_forks_drop(c);
	call_leg_events.ended(c, why, code);
}

/* RTPengine may tell of a key before it tells us that it took the answer. */
static void on_digit(void *arg, char digit, unsigned duration_ms)
{
	(void)arg;
	(void)digit;
	(void)duration_ms;
}

/* Before the answer there are no plays or holds; the media of one of many is not for the caller.
 */
static const struct leg_events fork_events = { .ringing = on_ringing,
					       .heard = on_heard,
					       .warned = on_warned,
					       .answered = on_answered,
					       .digit = on_digit,
					       .ended = on_ended };

int call_forks_start(struct call *c, const struct leg_call *calls, unsigned n)
{
	struct call_forks *all = calloc(1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	for (unsigned i = 0; i < n && i < ROUTES_MAX; i++) {
		struct fork *f = &all->forks[all->n];
		char media[SID_SIZE];

		/* Each has media of its own. */
		sid_new_beside(media, c->sid);
		f->c = c;
		if (leg_new_outbound(&f->leg, c->world, c->calls->legs, media, &calls[i],
				     &fork_events, f) == 0)
			all->n++;
	}
	all->alive = all->n;
	if (!all->n) {
		free(all);
		return -ENOMEM;
	}
	c->forks = all;
	return 0;
}

void call_forks_drop(struct call *c)
{
	struct call_forks *all = c->forks;

	if (!all)
		return;
	c->forks = NULL;
	for (unsigned i = 0; i < all->n; i++)
		leg_free(all->forks[i].leg);
	free(all);
}
