/*
 * dial_internal - what the files of <Dial> share; nobody else includes it.
 *
 * verb_dial.c: the verb: attributes, targets, its end
 * dial.c: what becomes of the calls that it made
 * dial_result.c: what its action is told
 */
#ifndef HOOKSWITCH_CALL_DIAL_INTERNAL_H
#define HOOKSWITCH_CALL_DIAL_INTERNAL_H

#include "base/sid.h"
#include "call/dial.h"
#include "call/state.h"
#include "proto/form.h"

#include <stdbool.h>
#include <stdint.h>

struct call;
struct twiml_node;

/* What became of a call that was dialled. */
struct dial_result {
	char call_sid[SID_SIZE]; /* "": none was made */
	enum call_status status;
	int sip_code;	   /* 0: none came */
	char *sip_call_id; /* NULL: no INVITE was sent */
	int duration_s;	   /* -1: it was not connected, or goes on alone */
	struct form headers;
};

struct dial_target {
	struct dial *dial;
	const struct twiml_node *node; /* <Number>, <Sip>, <Client>, or the <Dial> with a number */
	struct call *call;	       /* NULL: not dialled yet, or over */
};

/* The state of the verb; owner: the caller's interp.verb_state. */
struct dial {
	struct call *c;			      /* the caller */
	const char *action, *method;	      /* the document's; action NULL: the next verb */
	const char *refer_url, *refer_method; /* NULL: the parties transfer nobody */
	char *caller;			      /* what its calls are from */
	bool sequential, hangup_on_star, answer_on_bridge;
	bool busy; /* targets begin or end in a row: the end of one decides nothing */
	int timeout_s, time_limit_s;
	struct dial_target targets[DIAL_TARGETS_MAX];
	unsigned n_targets, next_target;
	struct dial_target *winner; /* answered; NULL: none yet */
	struct call *joined;	    /* whose media the caller has: early, or bridged */
	bool bridged;		    /* caller and winner talk, or talked before a transfer */
	struct prompt *ring_tone;
	struct dial_result result; /* of the winner, or the best of the others */
};

/* verb_dial.c: dials the next target of a sequence, or ends the <Dial> when all is over. */
void dial_go_on(struct dial *d);
void dial_finish(struct dial *d);
void dial_ring_caller(struct dial *d); /* the ring tone, when the caller was answered */
void dial_drop_others(struct dial *d, const struct call *but);
void dial_free(struct dial *d); /* hangs up who is left of its calls */

/* dial.c: the caller hears somebody else, or the ring tone. */
void dial_part(struct dial *d);

/* dial_result.c */
void dial_result_take(struct dial_result *r, const struct call *callee, int sip_code,
		      bool connected);
/* Keeps the better of two: busy, then no-answer, then others. */
void dial_result_merge(struct dial_result *best, struct dial_result *other);
int dial_result_params(const struct dial *d, struct form *ret); /* Dial* of the action */
void dial_result_done(struct dial_result *r);

#endif
