#include "proto/form.h"

#include "base/buf.h"
#include "proto/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void form_init(struct form *f)
{
	*f = (struct form){ 0 };
}

void form_done(struct form *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->pairs[i].name);
		free(f->pairs[i].value);
	}
	free(f->pairs);
	form_init(f);
}

/* Takes name and value; frees them on failure. */
static int push(struct form *f, char *name, char *value)
{
	if (!name || !value)
		goto fail;
	if (f->count == f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 32;
		struct form_pair *pairs = reallocarray(f->pairs, cap, sizeof(*pairs));

		if (!pairs)
			goto fail;
		f->pairs = pairs;
		f->cap = cap;
	}
	f->pairs[f->count++] = (struct form_pair){ name, value };
	return 0;
fail:
	free(name);
	free(value);
	return -ENOMEM;
}

int form_add(struct form *f, const char *name, const char *value)
{
	return value ? push(f, strdup(name), strdup(value)) : 0;
}

int form_addf(struct form *f, const char *name, const char *fmt, ...)
{
	char *value = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&value, fmt, ap);
	va_end(ap);
	return n < 0 ? -ENOMEM : push(f, strdup(name), value);
}

const char *form_get(const struct form *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (!strcmp(f->pairs[i].name, name))
			return f->pairs[i].value;
	return NULL;
}

int form_copy(struct form *dst, const struct form *src)
{
	for (size_t i = 0; i < src->count; i++) {
		int r = form_add(dst, src->pairs[i].name, src->pairs[i].value);

		if (r < 0)
			return r;
	}
	return 0;
}

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 32) - 'a' + 10;
}

/* Decodes len bytes to a new string; NULL and *r. */
static char *decode(const char *text, size_t len, int *r, size_t *bad)
{
	char *out = malloc(len + 1);
	size_t n = 0;

	if (!out) {
		*r = -ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			if (i + 2 >= len || !isxdigit((unsigned char)text[i + 1]) ||
			    !isxdigit((unsigned char)text[i + 2])) {
				*bad = i;
				goto fail;
			}
			c = (char)(hex(text[i + 1]) << 4 | hex(text[i + 2]));
			i += 2;
		}
		if (!c) {
			*bad = i;
			goto fail;
		}
		out[n++] = c;
	}
	out[n] = '\0';
	*bad = 0;
	if (!utf8_ok(out, n))
		goto fail;
	return out;
fail:
	free(out);
	*r = -EINVAL;
	return NULL;
}

int form_parse(struct form *f, const char *text, size_t len, size_t max_pairs, size_t *bad_at)
{
	size_t at = 0, pairs = 0, bad = 0;
	int r = 0;

	while (at < len) {
		const char *start = text + at, *amp = memchr(start, '&', len - at), *eq;
		size_t n = amp ? (size_t)(amp - start) : len - at;
		char *name, *value;

		if (n) {
			if (++pairs > max_pairs)
				return -E2BIG;
			eq = memchr(start, '=', n);
			name = decode(start, eq ? (size_t)(eq - start) : n, &r, &bad);
			if (!name)
				goto fail;
			value = eq ? decode(eq + 1, n - (size_t)(eq + 1 - start), &r, &bad)
				   : strdup("");
			if (!value) {
				free(name);
				bad += eq ? (size_t)(eq + 1 - start) : 0;
				if (r == 0)
					r = -ENOMEM;
				goto fail;
			}
			r = push(f, name, value);
			if (r < 0)
				return r;
		}
		at += n + 1;
	}
	return 0;
fail:
	if (bad_at)
		*bad_at = at + bad;
	return r;
}

int form_escape(struct buf *b, const char *text, size_t len, int space_plus)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
			buf_addc(b, (char)c);
		} else if (c == ' ' && space_plus) {
			buf_addc(b, '+');
		} else {
			const char escaped[] = { '%', digits[c >> 4], digits[c & 15] };

			buf_add(b, escaped, 3);
		}
	}
	return b->error;
}

int form_encode(const struct form *f, struct buf *b, int space_plus)
{
	for (size_t i = 0; i < f->count; i++) {
		if (i)
			buf_addc(b, '&');
		form_escape(b, f->pairs[i].name, strlen(f->pairs[i].name), space_plus);
		buf_addc(b, '=');
		form_escape(b, f->pairs[i].value, strlen(f->pairs[i].value), space_plus);
	}
	return b->error;
}
