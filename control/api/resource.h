/*
 * resource - the tables that the API is made of (resources.c). A resource is a row: where it
 * stands, what may be done with it, what it shows (properties), what it takes (params), its limit
 * and its error codes. statements.c makes its SQL of the row, operations.c runs it; a hook adds
 * what a table cannot say. Adding an operation: docs/api.md.
 *
 * SQL in these tables is a template: $A is the account's SID, $P the parent's, $S the resource's,
 * $0 to $9 a parameter by its row, $? a filter's value. The table r is the resource's own.
 */
#ifndef HOOKSWITCH_API_RESOURCE_H
#define HOOKSWITCH_API_RESOURCE_H

#include "api/request.h"

#include <stdbool.h>

enum property_type {
	PROPERTY_TEXT,
	PROPERTY_INT,
	PROPERTY_BOOL,
	PROPERTY_DATE, /* timestamptz; shown as RFC 2822 */
	PROPERTY_JSON, /* a JSON value as text */
};

struct property {
	const char *name; /* in JSON */
	const char *sql;  /* expression; NULL: the column r.name */
	enum property_type type;
	bool instance_only; /* not in lists */
	bool nullable;	    /* as the column, or the expression, says */
};

enum param_type {
	PARAM_TEXT,   /* min..max characters, all of them in `pattern` when it is set */
	PARAM_URL,    /* absolute http(s) URL */
	PARAM_METHOD, /* GET or POST */
	PARAM_BOOL,
	PARAM_INT,	/* min..max */
	PARAM_SID,	/* of prefix `pattern` */
	PARAM_ENUM,	/* one of `pattern`, "a|b" */
	PARAM_IP,	/* IPv4 dotted quad, or IPv6 */
	PARAM_NUMBER,	/* E.164: +, and up to 15 digits */
	PARAM_PASSWORD, /* sip-and-rest.md §1.5 */
	PARAM_DATE,	/* YYYY-MM-DD, or ISO 8601 with a time */
};

/* struct param.when */
#define ON_CREATE 0x1
#define ON_UPDATE 0x2
#define ON_BOTH	  0x3
#define REQUIRED  0x4  /* on create */
#define NEEDED	  0x8  /* on update */
#define COMPUTED  0x10 /* never a client's: a hook sets it */
#define REPEATED  0x20 /* may come several times: a hook reads q->form */
#define HIDDEN	  0x40 /* not shown in the audit, as a PARAM_PASSWORD */

struct param {
	const char *name;
	enum param_type type;
	int when;
	long min, max;
	const char *pattern;
	int error;	    /* code when it is missing or bad */
	const char *column; /* that takes it; NULL: only a hook reads it */
	const char *def;    /* for one that is empty, or absent on create; NULL: SQL NULL */
};

/* A filter of a list, by a name in the query. */
struct filter {
	const char *name;
	enum param_type type;
	const char *sql; /* condition over $? */
	const char *pattern;
};

/* A member of subresource_uris: its name, and what stands behind the resource's URI. */
struct subresource {
	const char *name, *tail;
};

/* struct resource.can; every resource can be fetched and, but a singleton, listed. */
#define CAN_CREATE 1
#define CAN_UPDATE 2
#define CAN_DELETE 4

/* A code that a hook answers with, beside those of the row: to which operations. */
struct hook_error {
	int code, can;
};

struct resource {
	const char *path;	 /* below /Accounts/{AC}; '@' stands for the parent's SID */
	const char *element;	 /* of a row, in XML */
	const char *name;	 /* in the OpenAPI document; NULL: the element */
	const char *create_name; /* of its create there, when that has one of its own */
	bool top;		 /* the accounts themselves: /Accounts[/{AC}]; path is "" */
	bool singleton;		 /* one row an account, without a SID in the path */
	bool list_only;		 /* rows have no address of their own */
	bool main_only;		 /* not for API keys: accounts and keys */
	bool newest_first;
	bool shows_uri;
	bool changes_sip;	   /* tell the SIP side */
	const char *prefix;	   /* of its SIDs */
	const char *parent_prefix; /* NULL: the account is the parent */
	const char *parent_table;  /* has the parent's sid and account_sid */
	const char *list_key;
	const char *table; /* has seq, account_sid; aliased r */
	const char *join;  /* what stands behind the table in FROM, or NULL */
	const char *scope; /* the rows of the account; NULL: r.account_sid = $A */
	const char *where; /* which rows of the table are the resource's, or NULL: all */
	const char *sid_column;
	const char *parent_column; /* NULL when the account is the parent */
	const struct property *properties;
	size_t n_properties;
	const struct param *params;
	size_t n_params;
	const struct filter *filters;
	size_t n_filters;
	const struct subresource *subresources;
	size_t n_subresources;
	const char *insert; /* template, returning the SID; NULL: made of the params */
	size_t limit;	    /* rows a parent: AT_LIMIT of the setting; 0: none */
	int can;
	int limit_error, duplicate_error, in_use_error;
	int created_status;	    /* 0: 201 */
	const char *duplicate_text; /* what a unique violation means; '@' is the first parameter's
				       value */
	/*
	 * In the write's transaction, with the parent (create) or the row (update, delete) locked.
	 * May change q->values. 0, or less than 0 with the answer given.
	 */
	bool of_process; /* a new SID says which process of the node has it (base/process.h) */
	int (*before_create)(struct api_request *q);
	int (*before_update)(struct api_request *q);
	int (*before_delete)(struct api_request *q);
	/* A create is durable: what it means beyond its row. Less than 0 with the answer given. */
	int (*committed)(struct api_request *q);
	int (*after_update)(struct api_request *q); /* written, in the transaction */
	/* Asked when there is no such row: true when there is one now. */
	bool (*awaited)(struct api_request *q);
	int (*instead_of_update)(
		struct api_request *q); /* the update is the hook's; no transaction */
	/* Changes the answer of a create, which may show what is never shown again (shown_once);
	 * the HTTP status. */
	int (*created)(struct api_request *q, json_t *json);
	const char *shown_once;
	/* What created makes of the answer, when that is no longer the resource; and its status. */
	const struct property *created_properties;
	size_t n_created_properties;
	const struct hook_error *hook_errors;
	size_t n_hook_errors;
};

/* struct resource.limit: where in struct config the setting is */
#define AT_LIMIT(field) offsetof(struct config, field)

const struct resource *resource_at(size_t index); /* NULL at the end */

/*
 * The row for a path behind /Accounts/{AC}, without its extension; fills q's parent_sid and sid.
 * The accounts themselves have the path "".
 * *instance: it names one, not the list. NULL: no such path.
 */
const struct resource *resource_find(struct api_request *q, const char *path, size_t len,
				     bool *instance);

/* operations.c: answer the request. */
void resource_list(struct api_request *q, const struct resource *r);
void resource_fetch(struct api_request *q, const struct resource *r, int status);
void resource_create(struct api_request *q, const struct resource *r);
void resource_update(struct api_request *q, const struct resource *r);
void resource_delete(struct api_request *q, const struct resource *r);

/* of a PARAM_PASSWORD, and of a filter's PARAM_TEXT */
#define PASSWORD_MIN 12
#define PASSWORD_MAX 256
#define FILTER_MAX   1000

/* params.c: checks q->form against the rows, into q->values. 0, or less than 0 with the answer
 * given. */
int params_take(struct api_request *q, const struct param *params, size_t n, int when);
/* The same for q->query and q->filters. */
int filters_take(struct api_request *q, const struct filter *filters, size_t n);
/* Whether an empty value is none: it takes the parameter back to its default. */
bool param_may_be_empty(const struct param *p, bool required);
/* Adds the names of form that this operation of r does not know, with commas between them. when:
 * ON_CREATE, ON_UPDATE; 0: the query of a list. */
void params_unknown(struct buf *ret, const struct form *form, const struct resource *r, int when);
/* The form as a JSON object for the audit: secrets are "***", what r does not know is "?". NULL out
 * of memory. */
json_t *params_json(const struct form *form, const struct resource *r);
/* One value; NULL when it is good, else what it must be ("must be ..."), until the thread's next
 * check. */
const char *param_check(const struct param *p, const char *value);
/* A PARAM_DATE as the seconds [*from, *to) that it means: a day, or one second. False: no date. */
bool date_range(const char *value, long long *from, long long *to);

/* represent.c: a value of the database as JSON, and a row of a fetch or list. */
struct db_result;
json_t *property_json(enum property_type type, const char *value);
json_t *row_json(const struct api_request *q, const struct resource *r, const struct db_result *res,
		 int row, bool instance);

/* render_xml.c, render_csv.c: an answer's JSON in the other representations, into ret. -errno of
 * the buffer. */
int render_xml(struct buf *ret, const struct resource *r, int status, const json_t *json);
int render_csv(struct buf *ret, const struct resource *r, const json_t *json);
/* "account_sid" as XML and CSV name it: "AccountSid". */
void camel(char *ret, size_t size, const char *name);

#endif
