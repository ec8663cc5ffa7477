/*
 * form - application/x-www-form-urlencoded: reading REST bodies and queries, writing webhook
 * parameters. Pure; no thread, no I/O.
 */
#ifndef HOOKSWITCH_PROTO_FORM_H
#define HOOKSWITCH_PROTO_FORM_H

#include <stddef.h>

struct buf;

/* An ordered list of name/value pairs; names may repeat. Owns its strings. */
struct form_pair {
	char *name;
	char *value;
};
struct form {
	struct form_pair *pairs;
	size_t count, cap;
};

void form_init(struct form *f);
void form_done(struct form *f);
int form_add(struct form *f, const char *name,
	     const char *value); /* copies; NULL value is skipped */
int form_addf(struct form *f, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
const char *form_get(const struct form *f, const char *name); /* the first, or NULL */
int form_copy(struct form *dst, const struct form *src);      /* appends */

/*
 * Parses text (len bytes), appending. -EINVAL: a bad % escape, a NUL byte or bytes that are not
 * UTF-8; -E2BIG: more than max_pairs. *bad_at, when not NULL, is the offset of what was wrong.
 */
int form_parse(struct form *f, const char *text, size_t len, size_t max_pairs, size_t *bad_at);

/* Appends name=value&... to b. space_plus: '+' for a space (POST bodies), else %20 (queries). */
int form_encode(const struct form *f, struct buf *b, int space_plus);
/* Appends text percent-encoded: unreserved characters of RFC 3986 stay. */
int form_escape(struct buf *b, const char *text, size_t len, int space_plus);

#endif
