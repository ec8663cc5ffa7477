/*
 * store_item - a row on its way to the database, as JSON: what store_item.c builds and store.c
 * writes. Internal to the store; unit tests read rows through it.
 */
#ifndef HOOKSWITCH_CALL_STORE_ITEM_H
#define HOOKSWITCH_CALL_STORE_ITEM_H

#include "call/store.h"

#include <jansson.h>
#include <stddef.h>

/* In the order in which they are written: events refer to the rows of calls. */
enum store_kind {
	STORE_CALL_INSERT,
	STORE_CALL_UPDATE,
	STORE_NOTIFICATION,
	STORE_CALL_EVENT,
	STORE_CALL_MEDIA,
	STORE_CALLBACK_INSERT,
	STORE_CALLBACK_DELETE,
	STORE_BRIDGE_INSERT,
	STORE_BRIDGE_DELETE,
	STORE_KINDS
};

struct store_item {
	struct store_item *next;
	enum store_kind kind;
	json_t *row; /* members are columns; times are milliseconds */
	/* Runs on the loop, once, when the row is written, is refused, or must wait since the
	 * database is away; NULL: nobody asks. */
	store_written_fn *written;
	void *arg;
	size_t bytes; /* about what it holds, for the bound of the queue */
};

/* Moves what b, an update, sets into a, a row of the same call. */
void store_item_merge(struct store_item *a, const struct store_item *b);

#endif
