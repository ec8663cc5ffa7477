/*
 * control - what REST asks of a live call (sip-and-rest.md §1.6 Update, twiml-and-webhooks.md
 * §4.2).
 *
 * call_control may be called by any thread but the loop's: it posts to the loop and waits for the
 * answer. A call of another process of the node is asked there.
 */
#ifndef HOOKSWITCH_CALL_CONTROL_H
#define HOOKSWITCH_CALL_CONTROL_H

struct calls;

struct call_command {
	const char *call_sid, *account_sid;
	const char *status;	  /* "completed", "canceled" or NULL */
	const char *url, *method; /* new document, or NULL; beats twiml */
	const char *twiml;	  /* inline document, or NULL */
	const char *fallback_url, *fallback_method;
	const char *status_callback, *status_callback_method;
	int time_limit; /* seconds; 0: not given */
};

/*
 * 0: done, the call's row is written (or about to be, in order); -ENOENT: not a live call of this
 * account; -EBADMSG: bad inline TwiML, *error_code (15004 ...) set; -ETIMEDOUT: the loop did not
 * answer in 5 s.
 */
int call_control(struct calls *calls, const struct call_command *command, int *error_code);

/* Tells the engine that REST changed this domain (or, NULL, anything): cached settings go. Any
 * thread. */
void calls_forget_domain(struct calls *calls, const char *domain_sid);

#endif
