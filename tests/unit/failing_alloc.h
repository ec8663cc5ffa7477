/*
 * failing_alloc - makes the n-th allocation of the code under test fail. A test includes this
 *header and then the .c files of the module (not their libraries): every malloc, calloc, realloc,
 *strdup ... below it is counted. The sanitizer says what leaks.
 *
 *	FOR_EACH_FAILING_ALLOCATION {
 *		int r = thing_new(&t);
 *
 *		if (alloc_failed())
 *			assert_int_equal(r, -ENOMEM);
 *		...
 *	}
 */
#ifndef HOOKSWITCH_TESTS_FAILING_ALLOC_H
#define HOOKSWITCH_TESTS_FAILING_ALLOC_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long alloc_left = -1; /* allocations until the failing one; -1: none fails */
static bool alloc_hit;	     /* it came */

static inline bool alloc_fails(void)
{
	if (alloc_left < 0)
		return false;
	if (alloc_left-- > 0)
		return false;
	alloc_hit = true;
	return true;
}

static inline void alloc_fail_at(long n)
{
	alloc_left = n;
	alloc_hit = false;
}

/* Did the allocation that was to fail come? Disarms, so that the assertions themselves may
 * allocate. */
static inline bool alloc_failed(void)
{
	alloc_left = -1;
	return alloc_hit;
}

/* Runs the block once for each allocation in it, until one run needs none that fails. */
#define FOR_EACH_FAILING_ALLOCATION                                                                \
	for (long alloc_n = 0, alloc_more = 1; alloc_more && (alloc_fail_at(alloc_n++), true);     \
	     alloc_more = alloc_hit, alloc_left = -1)

static inline void *failing_malloc(size_t n)
{
	return alloc_fails() ? NULL : malloc(n);
}

static inline void *failing_calloc(size_t n, size_t size)
{
	return alloc_fails() ? NULL : calloc(n, size);
}

static inline void *failing_realloc(void *p, size_t n)
{
	return alloc_fails() ? NULL : realloc(p, n);
}

static inline void *failing_reallocarray(void *p, size_t n, size_t size)
{
	return alloc_fails() ? NULL : reallocarray(p, n, size);
}

static inline char *failing_strdup(const char *s)
{
	return alloc_fails() ? NULL : strdup(s);
}

static inline char *failing_strndup(const char *s, size_t n)
{
	return alloc_fails() ? NULL : strndup(s, n);
}

static inline int failing_vasprintf(char **ret, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static inline int failing_vasprintf(char **ret, const char *fmt, va_list ap)
{
	return alloc_fails() ? -1 : vasprintf(ret, fmt, ap);
}

#undef strdup
#undef strndup
#define malloc	     failing_malloc
#define calloc	     failing_calloc
#define realloc	     failing_realloc
#define reallocarray failing_reallocarray
#define strdup	     failing_strdup
#define strndup	     failing_strndup
#define vasprintf    failing_vasprintf

#endif
