/*
 * call_order - calls of ours: those that REST creates (sip-and-rest.md §1.6), whose row is there,
 * as `queued`, and which the engine dials at most CALLS_PER_SECOND a second of each account; and
 * those of a <Dial>, which are dialled at once (dial.h). From then on they are calls like any.
 */
#ifndef HOOKSWITCH_CALL_CALL_ORDER_H
#define HOOKSWITCH_CALL_CALL_ORDER_H

#include <stdbool.h>

struct calls;

struct call_order {
	const char *sid, *account_sid, *auth_token;
	const char *to, *from; /* a URI, client:name, or a number; from: as party_user takes it */
	bool number;	       /* to can be nothing but a number */
	const char *url, *method;
	const char *twiml; /* instead of url; else NULL */
	const char *fallback_url, *fallback_method;
	const char *status_callback, *status_callback_method;
	unsigned callback_events; /* bits 1 << enum callback_event */
	const char *send_digits;  /* sent once it is answered, or NULL */
	const char *username, *password;
	/* Absolute; for a <Dial> of the call that names none (transfer.h). NULL: none */
	const char *refer_url, *refer_method;
	/* Who answers is to be found out, which this version answers with `unknown`. */
	int machine_detection;				/* bool */
	const char *amd_callback, *amd_callback_method; /* NULL: nobody is told */
	int timeout_s, time_limit_s;			/* time_limit_s 0: the platform's */
	/* Of a <Dial>: whose it is; NULL: REST's. url, or nothing, is what the party hears first.
	 */
	const char *parent_sid;
	bool early_media; /* as in leg_call, and */
	int dtmf_pt;
};

/* Copies it, for the process whose SID it has (base/process.h). What becomes of the call its row
 * and callbacks say. Any thread. -ENOMEM; -ESHUTDOWN: it will not be dialled. */
int calls_order(struct calls *calls, const struct call_order *order);

/* On the loop: the part of calls_order that happens there, for unit tests. */
void calls_order_run(struct calls *calls, const struct call_order *order);

#endif
