#include "api/statements.h"

#include "api/resource.h"
#include "base/buf.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SQL_MAX_BYTES 16384
#define RESOURCES_MAX 64

static struct statements made[RESOURCES_MAX];

/* SELECT of the properties, the SID and seq, up to the scope that every statement has. */
static void add_select(struct buf *b, const struct resource *r)
{
	buf_adds(b, "SELECT ");
	for (size_t i = 0; i < r->n_properties; i++) {
		const struct property *p = &r->properties[i];

		buf_addf(b, p->type == PROPERTY_DATE ? "extract(epoch FROM %s)::bigint, " : "%s, ", p->sql);
	}
	buf_addf(b, "%s, r.seq", r->sid_sql);
}

static void add_scope(struct buf *b, const struct resource *r)
{
	buf_addf(b, " FROM %s WHERE r.account_sid = $1 AND ", r->from);
	/* Every statement takes the same parameters: a resource without a parent has an empty $2. */
	if (r->parent_sql)
		buf_addf(b, "%s = $2", r->parent_sql);
	else
		buf_adds(b, "$2::text IS NOT NULL");
}

static char *make_fetch(const struct resource *r)
{
	struct buf b;

	buf_init(&b, SQL_MAX_BYTES);
	add_select(&b, r);
	add_scope(&b, r);
	buf_addf(&b, " AND %s = $3", r->sid_sql);
	return buf_steal(&b);
}

static char *make_list(const struct resource *r)
{
	struct buf b;

	buf_init(&b, SQL_MAX_BYTES);
	add_select(&b, r);
	add_scope(&b, r);
	buf_addf(&b, " AND ($3::bigint IS NULL OR r.seq %c $3::bigint)", r->newest_first ? '<' : '>');
	for (size_t i = 0; i < r->n_filters; i++) {
		int n = 5 + (int)i;

		/* Each filter's condition names its parameter as $? once. */
		const char *mark = strstr(r->filters[i].sql, "$?");

		BUG_ON(!mark);
		buf_addf(&b, " AND ($%d::text IS NULL OR %.*s$%d%s)", n, (int)(mark - r->filters[i].sql), r->filters[i].sql, n, mark + 2);
	}
	buf_addf(&b, " ORDER BY r.seq %s LIMIT $4::int", r->newest_first ? "DESC" : "ASC");
	return buf_steal(&b);
}

static char *make_count(const struct resource *r)
{
	struct buf b;

	buf_init(&b, SQL_MAX_BYTES);
	buf_adds(&b, "SELECT count(*)");
	add_scope(&b, r);
	return buf_steal(&b);
}

static char *make_parent(const struct resource *r, const char *tail)
{
	struct buf b;

	buf_init(&b, SQL_MAX_BYTES);
	if (r->parent_prefix)
		buf_addf(&b, "SELECT 1 FROM %s WHERE account_sid = $1 AND sid = $2%s", r->parent_table, tail);
	else
		buf_addf(&b, "SELECT 1 FROM accounts WHERE sid = $1%s", tail);
	return buf_steal(&b);
}

int statements_make(void)
{
	const struct resource *r;

	for (size_t i = 0; (r = resource_at(i)); i++) {
		struct statements *s = &made[i];

		BUG_ON(i >= RESOURCES_MAX);
		s->fetch = make_fetch(r);
		s->list = make_list(r);
		s->count = make_count(r);
		s->find_parent = make_parent(r, "");
		s->lock_parent = make_parent(r, " FOR NO KEY UPDATE");
		if (!s->fetch || !s->list || !s->count || !s->find_parent || !s->lock_parent)
			return -ENOMEM;
	}
	return 0;
}

void statements_free(void)
{
	for (size_t i = 0; i < RESOURCES_MAX; i++) {
		free(made[i].fetch);
		free(made[i].list);
		free(made[i].count);
		free(made[i].find_parent);
		free(made[i].lock_parent);
		made[i] = (struct statements){ 0 };
	}
}

const struct statements *statements_of(const struct resource *r)
{
	return &made[r - resource_at(0)];
}
