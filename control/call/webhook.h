/*
 * webhook - one request to a customer's web application, with all that belongs to it: connection
 * overrides, signature, authentication, redirects, retries under one idempotency token
 * (twiml-and-webhooks.md §1.7, §3.3). Of a call it knows the SID. Loop thread only.
 */
#ifndef HOOKSWITCH_CALL_WEBHOOK_H
#define HOOKSWITCH_CALL_WEBHOOK_H

#include "base/metrics.h"

#include <stdbool.h>
#include <stddef.h>

struct form;
struct http_jar;
struct http_reply;
struct webhook;
struct world;

#define WEBHOOK_REDIRECTS_MAX 10

struct webhook_request {
	enum metric_webhook kind;  /* what it is counted as */
	const char *url;	   /* absolute, as configured: with user info and fragment */
	const char *method;	   /* "GET" or "POST" */
	const struct form *params; /* copied; NULL: none */
	const char *auth_token;	   /* signs */
	/* Whose Events each request and its answer stand among; call_sid NULL: nobody's */
	const char *account_sid, *call_sid;
	/* 32 hex digits that are the same whenever this request is made again; NULL: new ones */
	const char *idempotency;
	struct http_jar *jar;  /* outlives the webhook; may be NULL */
	const char *header[2]; /* further request headers, whole lines, or NULL */
	size_t max_bytes;      /* of the reply's body */
};

struct webhook_result {
	int error_code; /* 0: a 2xx came (or 304); else of the dictionary */
	char error_text[320];
	const char *method; /* of the last request */
	const char *url; /* as one may show it: no user info, no fragment, no parameters of ours */
	const char *document_url; /* what relative URLs resolve against: the configured URL, or
				     where redirects led */
	const char *variables;	  /* parameters of the first request, form-encoded; "" when none */
	const struct http_reply *reply; /* of the last attempt; NULL when nothing was sent */
};

/* Runs once, never before webhook_start returned and never after webhook_cancel. All of result is
 * gone after it; the webhook too. */
typedef void webhook_done_fn(void *arg, const struct webhook_result *result);

int webhook_start(struct webhook **ret, struct world *world, const struct webhook_request *request,
		  webhook_done_fn *done, void *arg);
void webhook_cancel(struct webhook *webhook); /* NULL is fine */

#endif
