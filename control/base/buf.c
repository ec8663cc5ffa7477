#include "base/buf.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max_bytes)
{
	/* So that no size below overflows; nothing is ever allocated that large. */
	*b = (struct buf){ .max = max_bytes < PTRDIFF_MAX ? max_bytes : PTRDIFF_MAX };
}

void buf_done(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->error = 0;
	if (b->data)
		b->data[0] = '\0';
}

void buf_consume(struct buf *b, size_t len_bytes)
{
	if (len_bytes >= b->len) {
		b->len = 0;
	} else {
		b->len -= len_bytes;
		memmove(b->data, b->data + len_bytes, b->len);
	}
	if (b->data)
		b->data[b->len] = '\0';
}

/* Room for len_bytes more and the NUL. */
static int reserve(struct buf *b, size_t len_bytes)
{
	size_t cap;
	char *data;

	if (b->error)
		return b->error;
	if (len_bytes > b->max - b->len)
		return b->error = -ENOSPC;
	if (b->len + len_bytes < b->cap)
		return 0;
	cap = b->cap ? b->cap * 2 : 128;
	if (cap < b->len + len_bytes + 1)
		cap = b->len + len_bytes + 1;
	if (cap > b->max + 1)
		cap = b->max + 1;
	data = realloc(b->data, cap);
	if (!data)
		return b->error = -ENOMEM;
	b->data = data;
	b->cap = cap;
	return 0;
}

int buf_add(struct buf *b, const void *p, size_t len_bytes)
{
	int r = reserve(b, len_bytes);

	if (r < 0)
		return r;
	if (len_bytes)
		memcpy(b->data + b->len, p, len_bytes);
	b->len += len_bytes;
	b->data[b->len] = '\0';
	return 0;
}

int buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int buf_addc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int buf_addv(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n, r;

	if (b->error)
		return b->error;
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return b->error = -EINVAL;
	r = reserve(b, (size_t)n);
	if (r < 0)
		return r;
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
	return 0;
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = buf_addv(b, fmt, ap);
	va_end(ap);
	return r;
}

char *buf_steal(struct buf *b)
{
	char *data;

	if (b->error || reserve(b, 0) < 0) {
		buf_done(b);
		return NULL;
	}
	data = b->data;
	data[b->len] = '\0';
	buf_init(b, b->max);
	return data;
}
