/*
 * statements - the SQL of each resource, made of its row once at start, so that each text is one
 * prepared statement on each connection; and running it with a request's values.
 */
#ifndef HOOKSWITCH_API_STATEMENTS_H
#define HOOKSWITCH_API_STATEMENTS_H

struct api_request;
struct db_result;
struct resource;

#define STATEMENT_PARAMS 48

/* Where a statement's parameter comes from: one of these, or VALUE + row, or FILTER + row. */
enum statement_source {
	FROM_ACCOUNT,
	FROM_PARENT,
	FROM_SID,
	FROM_CURSOR,
	FROM_LIMIT,
	FROM_ACTOR,
	FROM_PEER,
	FROM_REQUEST_ID,
	FROM_AUDIT_SID,
	FROM_CHANGES,
	FROM_VALUE = 100,
	FROM_FILTER = 200
};

struct statement {
	char *sql; /* NULL: the resource has no such operation */
	int n;
	short from[STATEMENT_PARAMS];
};

struct statements {
	/* Rows: the properties, then the SID and seq. */
	struct statement fetch, list,
		list_back; /* list_back: the rows before the cursor, nearest first */
	struct statement count, find_parent, lock_parent, lock_row;
	/* Return the SID of each row written, and write the audit row with it. */
	struct statement insert, update, delete_;
	struct statement audit; /* the audit row alone, of an update that is the hook's */
};

int statements_make(void); /* 0 or -ENOMEM; call statements_free either way */
void statements_free(void);
const struct statements *statements_of(const struct resource *r);

/* As db_exec, with the values of q. */
int statement_run(struct db_result **ret, const struct api_request *q, const struct statement *s);

#endif
