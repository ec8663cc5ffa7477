/*
 * statements - the SQL of a resource that follows from its row: made once at start, so that each text is one prepared statement.
 */
#ifndef HOOKSWITCH_API_STATEMENTS_H
#define HOOKSWITCH_API_STATEMENTS_H

struct resource;

struct statements {
	char *fetch;	   /* $1 account, $2 parent, $3 SID: properties, SID, seq */
	char *list;	   /* $1 account, $2 parent, $3 seq of the last row or NULL, $4 rows, then the filters */
	char *count;	   /* $1 account, $2 parent */
	char *find_parent; /* $1 account [, $2 parent] */
	char *lock_parent;
};

int statements_make(void);
void statements_free(void);
const struct statements *statements_of(const struct resource *r);

#endif
