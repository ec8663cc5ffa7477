/*
 * call_order - calls that REST creates (sip-and-rest.md §1.6): their row is there, as `queued`; the
 * engine dials them, at most CALLS_PER_SECOND a second of each account, and from then on they are
 * calls like any.
 */
#ifndef HOOKSWITCH_CALL_CALL_ORDER_H
#define HOOKSWITCH_CALL_CALL_ORDER_H

struct calls;

struct call_order {
	const char *sid, *account_sid, *auth_token;
	const char *to, *from; /* from: what sip_from_ok takes */
	const char *url, *method;
	const char *twiml; /* instead of url; else NULL */
	const char *fallback_url, *fallback_method;
	const char *status_callback, *status_callback_method;
	unsigned callback_events; /* bits 1 << enum callback_event */
	const char *send_digits;  /* sent once it is answered, or NULL */
	const char *username, *password;
	int timeout_s, time_limit_s; /* time_limit_s 0: the platform's */
};

/* Copies it. What becomes of the call its row and callbacks say. Any thread. -ENOMEM; -ESHUTDOWN:
 * it will not be dialled. */
int calls_order(struct calls *calls, const struct call_order *order);

/* On the loop: the part of calls_order that happens there, for unit tests. */
void calls_order_run(struct calls *calls, const struct call_order *order);

#endif
