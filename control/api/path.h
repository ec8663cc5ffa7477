/*
 * path - what the address of a request names: "/2010-04-01/Accounts/{AC}" + path + extension, or
 * "/2010-04-01/Accounts" + extension. No database.
 */
#ifndef HOOKSWITCH_API_PATH_H
#define HOOKSWITCH_API_PATH_H

#include <stdbool.h>
#include <stddef.h>

struct api_request;
struct resource;

struct path {
	const char *rest; /* behind the account, len long, without the extension; q->in's */
	size_t len;
	bool accounts; /* the list of accounts */
};

/* Fills q->format and, when the path names one, q->account_sid. 0; less than 0 and answered (404).
 */
int path_take(struct path *path, struct api_request *q);
/* Of a path that was taken: q->resource, with q's parent_sid and sid. *instance: it names one, not
 * the list. NULL: answered (404). */
const struct resource *path_resource(const struct path *path, struct api_request *q,
				     bool *instance);

#endif
