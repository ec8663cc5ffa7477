/*
 * <Gather> by DTMF (twiml-and-webhooks.md §1.8, §2.4).
 *
 * prompting --digit (bargeIn) or prompts heard--> collecting --numDigits, finishOnKey, timeout-->
 * action, or the next verb
 */
#include "call/call.h"
#include "call/notify.h"
#include "call/playlist.h"
#include "call/verb.h"
#include "proto/twiml.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 1024 /* unlimited is this many */

struct gather {
	struct playlist *prompts; /* NULL: heard, or interrupted */
	void *timer;
	const char *action, *method; /* the document's */
	unsigned max_digits;
	uint64_t timeout_ms;
	char finish_key; /* 0: none */
	bool barge_in, action_on_empty;
	bool complete; /* takes no more digits; without barge-in the prompts are heard out first */
	char finished_on; /* the finish key, when it ended the collecting */
	unsigned count;
	char digits[DIGITS_MAX + 1];
};

static struct gather *gather_of(struct call *c)
{
	return c->interp.verb_state;
}

void verb_gather_cancel(struct call *c)
{
	struct gather *g = gather_of(c);

	if (!g)
		return;
	c->interp.verb_state = NULL;
	playlist_free(g->prompts);
	if (g->timer)
		c->world->ops->timer_free(c->world->w, g->timer);
	free(g);
}

static void submit(struct call *c)
{
	struct gather *g = gather_of(c);
	char key[2] = { g->finished_on, '\0' };
	struct form params;

	if (!g->count && !g->action_on_empty) {
		verb_gather_cancel(c);
		interp_next(c);
		return;
	}
	form_init(&params);
	if (form_add(&params, "Digits", g->digits) < 0 ||
	    form_add(&params, "FinishedOnKey", key) < 0 ||
	    form_add(&params, "msg", "Gather End") < 0)
		call_hangup(c, CALL_EV_FAILED);
	else
		interp_fetch(c, g->action, g->method, &params);
	form_done(&params);
}

static void on_timeout(void *arg)
{
	struct call *c = arg;

	gather_of(c)->complete = true;
	submit(c);
}

static void collect(struct call *c)
{
	struct gather *g = gather_of(c);

	if (g->complete)
		submit(c);
	else
		c->world->ops->timer_start(c->world->w, g->timer, g->timeout_ms);
}

static void on_prompts_heard(struct call *c, int code, const char *url)
{
	struct gather *g = gather_of(c);

	if (code) {
		interp_fail(c, code, url, NULL, "the media of a <Gather> cannot be played");
		return;
	}
	playlist_free(g->prompts);
	g->prompts = NULL;
	collect(c);
}

void verb_gather_digit(struct call *c, char digit)
{
	struct gather *g = gather_of(c);

	if (!g || g->complete)
		return;
	if (g->finish_key && digit == g->finish_key) {
		g->finished_on = digit;
		g->complete = true;
	} else {
		g->digits[g->count++] = digit;
		g->digits[g->count] = '\0';
		g->complete = g->count >= g->max_digits;
	}
	if (g->prompts && !g->barge_in)
		return;
	playlist_free(g->prompts);
	g->prompts = NULL;
	collect(c);
}

static void read_attributes(struct call *c, struct gather *g, const struct twiml_node *n)
{
	int num = twiml_attr_int(n, "numDigits"); /* 0: not given */
	const char *finish = twiml_attr_text(n, "finishOnKey");
	const char *input = twiml_attr_text(n, "input");

	g->action = twiml_attr(n, "action");
	if (!g->action)
		g->action = ""; /* the document itself */
	g->method = twiml_attr_text(n, "method");
	g->max_digits = num > 0 && num < DIGITS_MAX ? (unsigned)num : DIGITS_MAX;
	g->timeout_ms = (uint64_t)twiml_attr_int(n, "timeout") * 1000;
	g->finish_key = finish ? *finish : '#';
	g->barge_in = twiml_attr_bool(n, "bargeIn");
	g->action_on_empty = twiml_attr_bool(n, "actionOnEmptyResult");
	if (input && strstr(input, "speech"))
		notify(c, 13326, NULL, NULL,
		       "speech recognition is not available, only digits are collected (line %u, "
		       "column %u)",
		       n->line, n->column);
}

enum verb_step verb_gather_run(struct call *c, const struct twiml_node *n)
{
	struct gather *g = calloc(1, sizeof(*g));

	if (!g)
		return VERB_MORE;
	c->interp.verb_state = g;
	read_attributes(c, g, n);
	g->timer = c->world->ops->timer_new(c->world->w, on_timeout, c);
	g->prompts = playlist_new(c, true, on_prompts_heard);
	if (!g->timer || !g->prompts) {
		verb_gather_cancel(c);
		return VERB_MORE;
	}
	for (const struct twiml_node *child = n->first; child; child = child->next)
		if (child->type == TWIML_ELEMENT)
			playlist_add_node(g->prompts, child);
	if (playlist_start(g->prompts) == VERB_WAIT)
		return VERB_WAIT;
	playlist_free(g->prompts);
	g->prompts = NULL;
	collect(c);
	return VERB_WAIT;
}
