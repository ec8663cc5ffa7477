/*
 * resource - the tables that the API is made of. A resource is a row: where it stands, what it shows, what it takes, its limits and its SQL.
 * The generic operations (operations.c) do the rest; a hook adds what a table cannot say. Adding an operation: docs/api.md.
 */
#ifndef HOOKSWITCH_API_RESOURCE_H
#define HOOKSWITCH_API_RESOURCE_H

#include "api/request.h"

#include <stdbool.h>

enum property_type { PROPERTY_TEXT, PROPERTY_INT, PROPERTY_BOOL, PROPERTY_DATE };

struct property {
	const char *name;	/* in JSON */
	const char *sql;	/* expression over the resource's FROM */
	enum property_type type;
	bool instance_only;	/* not in lists */
};

enum param_type {
	PARAM_TEXT,	/* up to max characters */
	PARAM_URL,	/* absolute http(s) URL, or empty to clear it */
	PARAM_METHOD,	/* GET or POST */
	PARAM_BOOL,
	PARAM_INT,	/* min..max */
	PARAM_SID,	/* of prefix `pattern` */
	PARAM_ENUM,	/* one of `pattern`, "a|b" */
	PARAM_IP,	/* IPv4 dotted quad */
	PARAM_PASSWORD, /* sip-and-rest.md §1.5 */
};

#define ON_CREATE  1
#define ON_UPDATE  2
#define ON_BOTH	   3
#define REQUIRED   4 /* on create */
#define REQUIRED_U 8 /* on update */

struct param {
	const char *name;
	enum param_type type;
	int when;
	long min, max;
	const char *pattern;
	int error;	/* code when missing or bad */
};

/* Query filters of a list: name, and a condition over $3. */
struct filter {
	const char *name;
	enum param_type type;
	const char *sql; /* condition; $? stands for the value, once */
	const char *pattern;
};

#define RESOURCE_FILTERS 10

struct resource {
	const char *path;	/* below /Accounts/{AC}, "*" for the parent's SID: "/SIP/Domains", "/SIP/Domains/@/Auth/Calls/..." */
	const char *prefix;	/* of its SIDs */
	const char *parent_prefix; /* NULL: the account is the parent */
	const char *parent_table;  /* that has the parent, with account_sid */
	const char *list_key;
	const char *from;	/* FROM clause; alias r has seq, account_sid */
	const char *sid_sql;	/* expression of its SID, usually r.sid */
	const char *parent_sql; /* expression of the parent's SID, or NULL */
	bool newest_first;
	const struct property *properties;
	size_t n_properties;
	const struct param *params;
	size_t n_params;
	const struct filter *filters;
	size_t n_filters;
	bool shows_uri;
	const char *const *subresources; /* names and path tails in pairs, NULL-terminated; NULL: none */
	const char *insert;	/* $1 account, $2 new SID (or parent), $3 parent, then the parameters */
	const char *update;	/* $1 account, $2 SID, $3 parent, then the parameters */
	const char *delete_;	/* $1 account, $2 SID, $3 parent */
	int limit;		/* rows a parent (or account); 0: none */
	int limit_error, duplicate_error, in_use_error;
	const char *duplicate_text;
	bool duplicate_named;	/* the text stands behind the first parameter's value */
	bool changes_sip;	/* tell the SIP side */
	int (*before_create)(struct api_request *q); /* may change values; 0 or answered */
	int (*before_update)(struct api_request *q);
	int (*before_delete)(struct api_request *q);
	int (*instead_of_update)(struct api_request *q, const struct resource *r); /* the operation is the hook's */
};

const struct resource *resource_at(size_t index); /* NULL at the end */

/* Finds the row for a path behind /Accounts/{AC}, without extension; fills parent_sid and sid. NULL: no such path; *instance. */
const struct resource *resource_find(struct api_request *q, const char *path, size_t len, bool *instance);

/* operations.c: answer the request. */
void resource_list(struct api_request *q, const struct resource *r);
void resource_fetch(struct api_request *q, const struct resource *r, int status);
void resource_create(struct api_request *q, const struct resource *r);
void resource_update(struct api_request *q, const struct resource *r);
void resource_delete(struct api_request *q, const struct resource *r);

/* params.c: checks q->form against the table into q->values. 0, or -EPROTO with the answer given. */
int params_take(struct api_request *q, const struct param *params, size_t n, int when);
/* One value; NULL when it is good, else what it should be. */
const char *param_check(const struct param *p, const char *value);

#endif
