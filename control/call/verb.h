/*
 * verb - what the interpreter knows of a verb; the table is verbs.c, one file a verb beside it.
 */
#ifndef HOOKSWITCH_CALL_VERB_H
#define HOOKSWITCH_CALL_VERB_H

#include <stdbool.h>

struct call;
struct twiml_node;

enum verb_step {
	VERB_MORE, /* done: the next verb runs */
	VERB_WAIT, /* it calls interp_next, or leaves the document, later */
	VERB_DONE, /* it left the document: a request is on its way, or the call ends */
};

struct verb {
	const char *name;
	bool answers; /* an unanswered leg is answered before run (§2.0) */
	/* NULL, or: an element that leaves an unanswered leg as it is. */
	bool (*unanswered)(const struct twiml_node *n);
	enum verb_step (*run)(struct call *c, const struct twiml_node *n);
	/* The rest for a verb that waits; each may be NULL. */
	void (*digit)(struct call *c, char digit);
	void (*cancel)(struct call *c); /* frees interp.verb_state; after it the verb calls nothing
					   any more */
};

const struct verb *verb_find(const char *name); /* NULL: no verb */

enum verb_step verb_say_run(struct call *c, const struct twiml_node *n);
enum verb_step verb_play_run(struct call *c, const struct twiml_node *n);
enum verb_step verb_pause_run(struct call *c, const struct twiml_node *n);
enum verb_step verb_gather_run(struct call *c, const struct twiml_node *n);
void verb_gather_digit(struct call *c, char digit);
void verb_gather_cancel(struct call *c);
bool verb_dial_unanswered(const struct twiml_node *n);
enum verb_step verb_dial_run(struct call *c, const struct twiml_node *n);
void verb_dial_digit(struct call *c, char digit);
void verb_dial_cancel(struct call *c);
enum verb_step verb_refer_run(struct call *c, const struct twiml_node *n);
void verb_refer_cancel(struct call *c);
enum verb_step verb_redirect_run(struct call *c, const struct twiml_node *n);
enum verb_step verb_reject_run(struct call *c, const struct twiml_node *n);
enum verb_step verb_hangup_run(struct call *c, const struct twiml_node *n);
enum verb_step verb_later_run(struct call *c, const struct twiml_node *n);

#endif
