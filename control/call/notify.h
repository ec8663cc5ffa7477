/*
 * notify - Notifications of a call: every warning and error the account shall see
 * (twiml-and-webhooks.md §1.4, §1.5).
 */
#ifndef HOOKSWITCH_CALL_NOTIFY_H
#define HOOKSWITCH_CALL_NOTIFY_H

struct call;
struct form;
struct twiml;
struct webhook_result;
struct world;

/* The request and reply that it is about; any may be NULL. */
struct notify_about {
	const char *method, *url, *variables, *headers, *body;
};

/* What a webhook did. Strings are the result's. */
struct notify_about notify_about_result(const struct webhook_result *result);

/* About NULL: the current document's request. extra: further pairs of message_text, or NULL. Logs
 * too. */
void notify(struct call *c, int code, const struct notify_about *about, const struct form *extra,
	    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* All that the schema found in doc. */
void notify_warnings(struct call *c, const struct twiml *doc, const struct notify_about *about);

/* For what belongs to no live call. call_sid may be NULL. */
void notify_account(struct world *world, const char *account_sid, const char *call_sid, int code,
		    const struct notify_about *about, const struct form *extra,
		    const char *message);

#endif
