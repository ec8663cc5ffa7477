/*
 * A party that nobody hears: RTPengine drops its packets (NG `block media`) instead of sending them
 * to the media worker, which wants none. It knows them all the same: digits are told, and when the
 * last one came. The command is one of those that a leg has one of at a time (ng_id), so that none
 * overtakes another, and it is lifted before the party is joined.
 */
#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"
#include "call/leg_ng.h"

#include "base/log.h"

#include <errno.h>

/* By then RTPengine has learned where the party sends from (3 s), and a short call costs nothing
 * more. */
#define AFTER_MS 4000

static void on_blocked(void *arg, int r, const json_t *reply)
{
	struct leg *leg = arg;

	(void)reply;
	if (leg_ng_over(leg))
		return;
	/* Without an answer it may have done it all the same. */
	if (r == -EPROTO) {
		log_debug("%s: the party's packets are not blocked", leg->call_sid);
		leg->blocked = false;
	}
	leg_media_settle(leg);
}

void leg_block_settle(struct leg *leg)
{
	if (!leg->block_due || leg->blocked || leg->peer || leg->ng_id ||
	    leg->state != LEG_CONFIRMED)
		return;
	leg->block_due = false;
	leg->blocked = leg_ng_block(leg, true, on_blocked) == 0;
}

static void on_due(void *arg)
{
	struct leg *leg = arg;

	leg->block_due = true;
	leg_block_settle(leg);
}

void leg_block_later(struct leg *leg)
{
	const struct world_ops *ops = leg->world->ops;

	leg->block_due = false;
	if (leg->peer || leg->blocked)
		return;
	if (!leg->block_timer)
		leg->block_timer = ops->timer_new(leg->world->w, on_due, leg);
	if (leg->block_timer)
		ops->timer_start(leg->world->w, leg->block_timer, AFTER_MS);
}

static void on_lifted(void *arg, int r, const json_t *reply)
{
	struct leg *leg = arg;

	(void)reply;
	if (leg_ng_over(leg))
		return;
	leg->blocked = false;
	if (r < 0)
		leg_end(leg, LEG_END_MEDIA_FAILURE, 200);
	leg_media_settle(leg);
}

bool leg_block_lift(struct leg *leg)
{
	if (!leg->blocked)
		return false;
	leg->relink = true;
	if (!leg->ng_id && leg_ng_block(leg, false, on_lifted) < 0)
		leg_end(leg, LEG_END_MEDIA_FAILURE, 200);
	return true;
}

void leg_block_free(struct leg *leg)
{
	if (leg->block_timer)
		leg->world->ops->timer_free(leg->world->w, leg->block_timer);
}
