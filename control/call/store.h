/*
 * store - the engine's writes: rows of calls and notifications, built on the loop, written in
 * batches by the store thread, in order. A lost connection delays rows, it does not lose them; the
 * queue is bounded and says so.
 */
#ifndef HOOKSWITCH_CALL_STORE_H
#define HOOKSWITCH_CALL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct form;
struct store;
struct store_item;
struct loop;

struct store_call { /* insert, or update of what is not NULL / not 0 */
	const char *sid, *account_sid, *parent_call_sid, *domain_sid, *to, *from, *status,
		*direction, *sip_call_id, *phone_number_sid;
	int64_t start_time_ms, end_time_ms; /* wall clock; 0: not set */
	int duration_s;			    /* -1: not set */
	int sip_response_code;
	/* Of its completed callback, should this process not live to send it; gone when end_time_ms
	 * is set. NULL: as it was. */
	const char *callback_url, *callback_method, *callback_parameters;
	unsigned callback_sequence; /* of the next callback; 0: as it was */
	bool insert;
};

struct store_notification {
	const char *account_sid, *call_sid; /* call_sid may be NULL */
	int error_code;
	const char *message; /* for people: the Msg of message_text; what was wrong, where (line,
				column) */
	const char *extra;   /* further form-encoded pairs of message_text, or NULL */
	const char *request_method, *request_url, *request_variables, *response_headers,
		*response_body; /* or NULL */
};

struct store_call_event {
	const char *account_sid, *call_sid;
	const char *method, *url;
	const struct form *parameters; /* NULL: none */
	int response_code;	       /* 0: none came */
	unsigned duration_ms;
	const char *content_type, *body; /* or NULL */
};

/* Of a leg that is over: leg.h. The account is the call's. */
struct store_call_media {
	const char *call_sid, *protocol, *suite;
	int64_t received, rejected, sent;
};

struct store_callback {
	const char *sid, *account_sid, *call_sid, *url, *method;
	const char *parameters; /* form-encoded */
};

typedef void store_written_fn(void *arg);

/* Copies all; NULL: out of memory. Given away to store_put. */
struct store_item *store_item_call(const struct store_call *row);
struct store_item *store_item_notification(const struct store_notification *row);
struct store_item *store_item_call_event(const struct store_call_event *row);
struct store_item *store_item_call_media(const struct store_call_media *row);
/* written: see store_item.h; it does not run before store_put has returned. */
struct store_item *store_item_callback(const struct store_callback *row, store_written_fn *written,
				       void *arg);
struct store_item *store_item_callback_done(const char *sid);
/* state: kept by reference. A later row with this sid takes its place. */
struct store_item *store_item_bridge(const char *sid, const char *other_sid,
				     const char *account_sid, json_t *state);
struct store_item *store_item_bridge_done(const char *sid);
void store_item_free(struct store_item *item);

/* Before any call: rows that a crash of this node left open are closed, their completed callbacks
 * become due. -errno with a sentence in err. */
int store_close_open_calls(const char *conninfo, const char *node, char *err, size_t err_size);

/* What this node wrote and did not deliver, in order. -errno with a sentence in err. */
typedef void store_callback_fn(void *arg, const struct store_callback *row, const char *auth_token);
int store_load_callbacks(const char *conninfo, const char *node, store_callback_fn *fn, void *arg,
			 char *err, size_t err_size);

/* Before store_close_open_calls, which leaves their calls open: bridges of this node; fn false: it
 * is gone. -errno with a sentence in err. */
typedef bool store_bridge_fn(void *arg, const char *state, const char *auth_token);
int store_load_bridges(const char *conninfo, const char *node, store_bridge_fn *fn, void *arg,
		       char *err, size_t err_size);

/* node: this node's name, kept in the rows of its calls; outlives the store. gather_ms: how long
 * what nobody waits for gathers for one transaction. */
struct store *store_new(struct loop *loop, const char *conninfo, const char *node,
			unsigned gather_ms);
void store_free(struct store *store); /* writes what is queued */
int store_put(
	struct store *store,
	struct store_item *item); /* loop thread; takes item; -EAGAIN: full (logged, counted) */

#endif
