/*
 * members - the strings and ints of a struct by a table: to own what it only borrows, and to tell
 * it to another process (io/siblings.h) as JSON. Internal to call/.
 */
#ifndef HOOKSWITCH_CALL_MEMBERS_H
#define HOOKSWITCH_CALL_MEMBERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* A `const char *` that may be NULL, or an int (an unsigned in its range). */
struct member {
	const char *name; /* in the JSON too */
	size_t at;
	bool number;
};

struct members {
	const struct member *list;
	size_t n;
};

#define MEMBER_STRING(type, member) { #member, offsetof(type, member), false }
#define MEMBER_NUMBER(type, member) { #member, offsetof(type, member), true }
#define MEMBERS(array)		    { array, sizeof(array) / sizeof((array)[0]) }

/* The strings become copies, for members_free. -ENOMEM: those that could be made, the others NULL.
 */
int members_own(const struct members *m, void *object);
void members_free(const struct members *m, void *object);

/* All of them as an object, for who adds more; a NULL is left out. NULL: out of memory, or text
 * that is no UTF-8. */
json_t *members_pack(const struct members *m, const void *object);
/* What json has of them, borrowed; strings that it has not are NULL, numbers 0. */
void members_unpack(const struct members *m, void *object, const json_t *json);

#endif
