#define LOG_SUBSYSTEM "decisions"
#include "call/decisions.h"

#include "base/log.h"
#include "io/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_S 1

struct decisions {
	struct loop *loop;
	decisions_forget_fn *forget;
	void *arg;
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t moved;
	/* Numbers of changes: made, of them with the command that is on its way, and settled. */
	uint64_t made, sent, settled;
	bool posted; /* on_posted will look at what was made */
};

static void tell(struct decisions *d);

static void on_settled(void *arg, int r)
{
	struct decisions *d = arg;
	bool more;

	if (r < 0 && r != -ENOTCONN)
		log_warn("Kamailio did not take in a change of REST: %s", strerror(-r));
	pthread_mutex_lock(&d->lock);
	d->settled = d->sent;
	more = d->made > d->sent;
	pthread_cond_broadcast(&d->moved);
	pthread_mutex_unlock(&d->lock);
	if (more)
		tell(d);
}

static void tell(struct decisions *d)
{
	int r;

	pthread_mutex_lock(&d->lock);
	d->sent = d->made;
	pthread_mutex_unlock(&d->lock);
	r = d->forget(d->arg, on_settled, d);
	if (r < 0)
		on_settled(d, r);
}

static void on_posted(void *arg)
{
	struct decisions *d = arg;
	bool on_its_way;

	pthread_mutex_lock(&d->lock);
	d->posted = false;
	on_its_way = d->sent > d->settled;
	pthread_mutex_unlock(&d->lock);
	if (!on_its_way)
		tell(d);
}

struct decisions *decisions_new(struct loop *loop, decisions_forget_fn *forget, void *arg)
{
	struct decisions *d = calloc(1, sizeof(*d));
	pthread_condattr_t attr;

	if (!d)
		return NULL;
	d->loop = loop;
	d->forget = forget;
	d->arg = arg;
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->moved, &attr);
	pthread_condattr_destroy(&attr);
	return d;
}

void decisions_free(struct decisions *d)
{
	if (!d)
		return;
	pthread_cond_destroy(&d->moved);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

void decisions_changed(struct decisions *d)
{
	struct timespec until;
	uint64_t number;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += WAIT_S;
	pthread_mutex_lock(&d->lock);
	number = ++d->made;
	if (!d->posted) {
		r = loop_post(d->loop, on_posted, d);
		d->posted = r == 0;
	}
	while (r == 0 && d->settled < number)
		r = pthread_cond_timedwait(&d->moved, &d->lock, &until);
	pthread_mutex_unlock(&d->lock);
}
