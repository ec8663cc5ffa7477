/*
 * interp - runs the TwiML of one call: fetches a document, walks its verbs, and knows what to do
 * when either fails (twiml-and-webhooks.md §1.1, §1.2, §1.6, §2.0). A member of struct call; loop
 * thread only.
 *
 * At any time a call does one thing: it waits for a document (fetch), for the answer (awaiting),
 * for its last words (closing), or for a verb (verb). interp_stop ends whichever it is.
 */
#ifndef HOOKSWITCH_CALL_INTERP_H
#define HOOKSWITCH_CALL_INTERP_H

#include "proto/form.h"

#include <stdbool.h>
#include <stddef.h>

struct call;
struct notify_about;
struct playlist;
struct speech_job;
struct twiml;
struct twiml_node;
struct verb;
struct webhook;

struct interp {
	/* the request that the document came from, or is coming from */
	struct webhook *fetch;
	char *step_url, *step_method;
	struct form step_extra; /* beyond the standard parameters; the fallback repeats them */
	bool step_fallback;	/* that request was the fallback: there is no other */

	struct twiml *doc;
	char *base_url; /* what relative URLs resolve against; NULL: an inline document */
	char *shown_method, *shown_url, *shown_variables; /* of that document, for Notifications */
	const struct twiml_node *node;			  /* the verb that runs, or the next one */

	bool awaiting;		  /* the answer, then node or closing goes on */
	struct playlist *closing; /* heard, then the call ends */
	const struct verb *verb;  /* waits; NULL: none */
	void *verb_state;	  /* its own */
};

void interp_done(struct interp *in); /* frees; no request or verb is left */
void interp_stop(struct call *c);    /* drops verb, request and audio; the call stays */

/*
 * Asks for a new document with the standard parameters and extra (may be NULL). ref resolves
 * against the current document;
 * "" is that document itself. A bad URL takes the failure path.
 */
void interp_fetch(struct call *c, const char *ref, const char *method, const struct form *extra);
void interp_fetch_first(struct call *c, const char *url,
			const char *method);		   /* not a step of a document: absolute */
void interp_run_inline(struct call *c, struct twiml *doc); /* takes doc */

void interp_answered(struct call *c);
void interp_digit(struct call *c, char digit);
void interp_next(struct call *c); /* the waiting verb is done: the next one runs */
/* The failure path of §1.6: Notification, fallback, else an apology. about NULL: the current
 * document. */
void interp_fail(struct call *c, int code, const char *url, const struct notify_about *about,
		 const char *text);

/* Resolves what an attribute or a noun's text says against the current document. 0; -EINVAL;
 * -ENOMEM. */
int interp_resolve(const struct call *c, char **ret, const char *ref);

#endif
