/*
 * buf - a growing byte buffer with a maximum from birth.
 *
 * Not thread safe; one owner. An append beyond the maximum fails with -ENOSPC, out of memory with
 * -ENOMEM; the error sticks (b->error), so a run of appends is checked once, at its end. data is
 * always NUL-terminated when non-NULL; len excludes that NUL.
 */
#ifndef HOOKSWITCH_BASE_BUF_H
#define HOOKSWITCH_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max;
	int error; /* 0, -ENOMEM, -ENOSPC, or -EINVAL for a format that cannot be printed: the first
		      failure */
};

void buf_init(struct buf *b, size_t max_bytes);
void buf_done(struct buf *b);			   /* frees; b is as after buf_init */
void buf_reset(struct buf *b);			   /* len 0, error 0; keeps the memory */
void buf_consume(struct buf *b, size_t len_bytes); /* drops the first len_bytes */

int buf_add(struct buf *b, const void *p, size_t len_bytes);
int buf_adds(struct buf *b, const char *s);
int buf_addc(struct buf *b, char c);
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_addv(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* The content as a NUL-terminated string that the caller frees; b is empty afterwards. NULL after
 * an error. */
char *buf_steal(struct buf *b);

#endif
