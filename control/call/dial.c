#define LOG_SUBSYSTEM "dial"
#include "call/dial.h"

#include "base/config.h"
#include "base/log.h"
#include "call/bridge.h"
#include "call/call.h"
#include "call/call_order.h"
#include "call/dial_internal.h"
#include "call/status_callback.h"
#include "call/transfer.h"
#include "call/verb.h"

#include <stdlib.h>

void dial_part(struct dial *d)
{
	if (!d->joined)
		return;
	d->joined = NULL;
	bridge_drop(d->c);
	leg_leave(d->c->leg);
}

static void join(struct dial *d, struct call *callee)
{
	if (d->joined == callee)
		return;
	dial_part(d);
	if (leg_join(d->c->leg, callee->leg) < 0) {
		log_error("%s: cannot be joined with %s", d->c->sid, callee->sid);
		call_hangup(callee, CALL_EV_FAILED);
		return;
	}
	d->joined = callee;
}

static struct dial *dial_of(struct call *callee)
{
	return callee->target ? callee->target->dial : NULL;
}

static void detach(struct call *callee)
{
	struct dial *d = dial_of(callee);

	if (d->joined == callee)
		dial_part(d);
	callee->target->call = NULL;
	callee->target = NULL;
}

void dial_progress(struct call *callee)
{
	struct dial *d = dial_of(callee);

	/* Of several the first: the caller hears one party. */
	if (!d || d->winner || call_answered(d->c) || (d->joined && d->joined != callee))
		return;
	join(d, callee);
	leg_progress(d->c->leg);
}

void dial_answered(struct call *callee)
{
	struct dial *d = dial_of(callee);

	if (!d)
		return;
	if (d->winner) {
		/* Two answered in one turn. */
		call_hangup(callee, CALL_EV_HUNG_UP);
		return;
	}
	d->winner = callee->target;
	dial_drop_others(d, callee);
	/* It may have something to hear first; the caller must not. */
	if (callee->order->url || callee->order->send_digits) {
		dial_part(d);
		dial_ring_caller(d);
	}
}

void dial_ready(struct call *callee)
{
	struct dial *d = dial_of(callee);
	struct call *c = d ? d->c : NULL;

	if (!d || c->finished || c->ending) {
		call_hangup(callee, CALL_EV_HUNG_UP);
		return;
	}
	transfer_succeeded(c);
	join(d, callee);
	if (d->joined != callee)
		return;
	d->bridged = true;
	log_info("%s: connected with %s", c->sid, callee->sid);
	if (call_answered(c))
		bridge_save(c, callee);
	else
		call_answer(c);
}

void dial_ended(struct call *callee, int sip_code)
{
	struct dial *d = dial_of(callee);
	bool won = d && d->winner == callee->target;
	struct dial_result result = { .duration_s = -1 };

	if (!d)
		return;
	detach(callee);
	dial_result_take(&result, callee, sip_code, won && d->bridged);
	/* Those that were dropped for the winner say nothing. */
	if (!won && d->winner)
		dial_result_done(&result);
	else
		dial_result_merge(&d->result, &result);
	if (won)
		dial_finish(d);
	else if (!d->winner)
		dial_go_on(d);
}

void dial_released(struct call *callee)
{
	struct dial *d = dial_of(callee);
	struct dial_result result = { .duration_s = -1 };

	if (!d)
		return;
	detach(callee);
	dial_result_take(&result, callee, 200, false);
	result.status = CALL_COMPLETED;
	dial_result_merge(&d->result, &result);
	dial_finish(d);
}

static struct dial *dial_run_by(struct call *c)
{
	const struct interp *in = &c->interp;

	return in->verb && in->verb->run == verb_dial_run ? in->verb_state : NULL;
}

void dial_caller_answered(struct call *c)
{
	struct dial *d = dial_run_by(c);

	if (d && d->bridged && d->winner && d->winner->call)
		bridge_save(c, d->winner->call);
}

void dial_abandon(struct call *c)
{
	struct dial *d = dial_run_by(c);

	for (unsigned i = 0; d && i < d->n_targets; i++)
		if (d->targets[i].call) {
			d->targets[i].call->target = NULL;
			d->targets[i].call = NULL;
		}
	if (d)
		d->joined = NULL;
	c->target = NULL;
}

void dial_forget(struct call *callee)
{
	if (callee->target)
		detach(callee);
}

void dial_caller_gone(struct call *c)
{
	struct dial *d = dial_run_by(c);
	struct call *callee;
	struct form params;
	char *url;

	if (!d || !d->action || !c->world->config->dial_action_on_hangup || !c->stored ||
	    interp_resolve(c, &url, d->action) < 0)
		return;
	callee = d->winner ? d->winner->call : NULL;
	if (callee) {
		dial_result_take(&d->result, callee, 200, d->bridged);
		d->result.status = CALL_COMPLETED;
	} else {
		d->result.status = CALL_CANCELED;
	}
	form_init(&params);
	if (params_standard(&params, c, NULL) == 0 && dial_result_params(d, &params) == 0)
		callbacks_put_request(c->calls->callbacks, c, url, d->method, &params);
	form_done(&params);
	free(url);
}
