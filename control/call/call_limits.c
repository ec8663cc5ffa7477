#include "call/call_limits.h"

#include "base/sid.h"

#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

/* Of these, those without calls are looked through for what is long over. */
#define ENTRIES_MAX 4096

struct entry {
	char sid[SID_SIZE];
	unsigned calls; /* now */
	unsigned taken; /* in second */
	uint64_t second;
	UT_hash_handle hh;
};

struct call_limits {
	struct entry *entries;
};

struct call_limits *call_limits_new(void)
{
	return calloc(1, sizeof(struct call_limits));
}

static void drop(struct call_limits *l, struct entry *e)
{
	HASH_DEL(l->entries, e);
	free(e);
}

void call_limits_free(struct call_limits *l)
{
	struct entry *e, *next;

	if (!l)
		return;
	HASH_ITER(hh, l->entries, e, next)
	{
		drop(l, e);
	}
	free(l);
}

static struct entry *find(const struct call_limits *l, const char *sid)
{
	struct entry *e;

	HASH_FIND_STR(l->entries, sid, e);
	return e;
}

static struct entry *find_or_make(struct call_limits *l, const char *sid)
{
	struct entry *e = find(l, sid);

	if (e || !*sid)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	snprintf(e->sid, sizeof(e->sid), "%s", sid);
	HASH_ADD_STR(l->entries, sid, e);
	return e;
}

void call_limits_begin(struct call_limits *l, const char *sid)
{
	struct entry *e = find_or_make(l, sid);

	if (e)
		e->calls++;
}

void call_limits_end(struct call_limits *l, const char *sid)
{
	struct entry *e = find(l, sid);

	if (!e || !e->calls)
		return;
	/* What was taken in this second is still to be known. */
	if (--e->calls == 0 && !e->taken)
		drop(l, e);
}

unsigned call_limits_count(const struct call_limits *l, const char *sid)
{
	const struct entry *e = find(l, sid);

	return e ? e->calls : 0;
}

static void sweep(struct call_limits *l, uint64_t second)
{
	struct entry *e, *next;

	HASH_ITER(hh, l->entries, e, next)
	{
		if (!e->calls && e->second != second)
			drop(l, e);
	}
}

bool call_limits_take(struct call_limits *l, const char *sid, unsigned per_second, uint64_t now_ms)
{
	uint64_t second = now_ms / 1000;
	struct entry *e;

	if (!per_second)
		return true;
	if (HASH_COUNT(l->entries) > ENTRIES_MAX)
		sweep(l, second);
	e = find_or_make(l, sid);
	if (!e)
		return true;
	if (e->second != second) {
		e->second = second;
		e->taken = 0;
	}
	if (e->taken >= per_second)
		return false;
	e->taken++;
	return true;
}
