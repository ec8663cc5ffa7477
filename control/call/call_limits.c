#include "call/call_limits.h"

#include "base/process.h"
#include "base/sid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An entry is at one of so many places from where its SID hashes to. Those of nobody who has a call
 * or dials are taken again, and so none is ever empty behind one that is not. */
#define ENTRIES 65536
#define PLACES	64

struct entry {
	char sid[SID_SIZE];
	unsigned calls[PROCESSES_MAX]; /* now */
	unsigned taken;		       /* in second */
	uint64_t second;
	uint64_t turn_ms; /* when it may dial next */
};

struct call_limits {
	struct process_lock lock; /* guards the rest */
	struct entry entries[ENTRIES + PLACES];
};

static struct call_limits *shared;

static struct call_limits *make(void)
{
	struct call_limits *l = process_shared(sizeof(*l));

	if (l)
		process_lock_init(&l->lock);
	return l;
}

int call_limits_share(void)
{
	shared = make();
	return shared ? 0 : -ENOMEM;
}

struct call_limits *call_limits_new(void)
{
	return shared ? shared : make();
}

void call_limits_free(struct call_limits *l)
{
	if (l && l == shared)
		call_limits_begin_process();
	else if (l)
		process_shared_free(l, sizeof(*l));
}

void call_limits_begin_process(void)
{
	process_lock(&shared->lock);
	for (struct entry *e = shared->entries; e < shared->entries + ENTRIES + PLACES; e++)
		if (*e->sid)
			e->calls[process_index()] = 0;
	process_unlock(&shared->lock);
}

static struct entry *places_of(struct call_limits *l, const char *sid)
{
	unsigned h = 5381;

	for (const char *s = sid; *s; s++)
		h = h * 33 + (unsigned char)*s;
	return &l->entries[h % ENTRIES];
}

static struct entry *find(struct call_limits *l, const char *sid)
{
	struct entry *e = places_of(l, sid);

	for (unsigned i = 0; i < PLACES && *e[i].sid; i++)
		if (!strcmp(e[i].sid, sid))
			return &e[i];
	return NULL;
}

static unsigned calls_of(const struct entry *e)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PROCESSES_MAX; i++)
		n += e->calls[i];
	return n;
}

static uint64_t last_ms(const struct entry *e)
{
	uint64_t end_ms = (e->second + 1) * 1000;

	return e->turn_ms > end_ms ? e->turn_ms : end_ms;
}

/* NULL: all places are of those who have calls. */
static struct entry *find_or_make(struct call_limits *l, const char *sid)
{
	struct entry *e = find(l, sid), *at = places_of(l, sid);

	if (e || !*sid)
		return e;
	for (unsigned i = 0; i < PLACES; i++) {
		if (!*at[i].sid) {
			e = &at[i];
			break;
		}
		if (!calls_of(&at[i]) && (!e || last_ms(&at[i]) < last_ms(e)))
			e = &at[i];
	}
	if (e) {
		memset(e, 0, sizeof(*e));
		snprintf(e->sid, sizeof(e->sid), "%s", sid);
	}
	return e;
}

void call_limits_begin(struct call_limits *l, const char *sid)
{
	struct entry *e;

	process_lock(&l->lock);
	e = find_or_make(l, sid);
	if (e)
		e->calls[process_index()]++;
	process_unlock(&l->lock);
}

void call_limits_end(struct call_limits *l, const char *sid)
{
	struct entry *e;

	process_lock(&l->lock);
	e = find(l, sid);
	if (e && e->calls[process_index()])
		e->calls[process_index()]--;
	process_unlock(&l->lock);
}

unsigned call_limits_count(struct call_limits *l, const char *sid)
{
	const struct entry *e;
	unsigned n;

	process_lock(&l->lock);
	e = find(l, sid);
	n = e ? calls_of(e) : 0;
	process_unlock(&l->lock);
	return n;
}

bool call_limits_take(struct call_limits *l, const char *sid, unsigned per_second, uint64_t now_ms)
{
	uint64_t second = now_ms / 1000;
	struct entry *e;
	bool ok = true;

	if (!per_second)
		return true;
	process_lock(&l->lock);
	e = find_or_make(l, sid);
	if (e) {
		if (e->second != second)
			e->taken = 0;
		e->second = second;
		ok = e->taken < per_second;
		e->taken += ok;
	}
	process_unlock(&l->lock);
	return ok;
}

uint64_t call_limits_turn(struct call_limits *l, const char *sid, unsigned per_second,
			  uint64_t now_ms)
{
	uint64_t wait_ms = 0;
	struct entry *e;

	if (!per_second)
		return 0;
	process_lock(&l->lock);
	e = find_or_make(l, sid);
	if (e) {
		if (e->turn_ms < now_ms)
			e->turn_ms = now_ms;
		wait_ms = e->turn_ms - now_ms;
		/* In milliseconds no rate above a thousand can be kept: as many as that go at once.
		 */
		e->turn_ms += 1000 / per_second;
	}
	process_unlock(&l->lock);
	return wait_ms;
}
