#include "api/statements.h"

#include "api/resource.h"
#include "base/buf.h"
#include "base/log.h"
#include "io/db.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SQL_MAX_BYTES 16384
#define RESOURCES_MAX 64

static struct statements made[RESOURCES_MAX];

/* A statement as it grows. */
struct draft {
	struct buf sql;
	struct statement *s;
};

/* Writes the number that `from` has in this statement. */
static void add_value(struct draft *d, int from)
{
	int i = 0;

	while (i < d->s->n && d->s->from[i] != from)
		i++;
	BUG_ON(i >= STATEMENT_PARAMS);
	if (i == d->s->n)
		d->s->from[d->s->n++] = (short)from;
	/* The type is said: a value that is only compared with NULL has none of its own. */
	buf_addf(&d->sql, "$%d::text", i + 1);
}

/* A template of the table; filter: the row that $? stands for. */
static void add(struct draft *d, const char *template, int filter)
{
	for (const char *c = template; *c; c++) {
		if (*c != '$') {
			buf_addc(&d->sql, *c);
			continue;
		}
		c++;
		if (*c == 'A')
			add_value(d, FROM_ACCOUNT);
		else if (*c == 'P')
			add_value(d, FROM_PARENT);
		else if (*c == 'S')
			add_value(d, FROM_SID);
		else if (*c == '?' && filter >= 0)
			add_value(d, FROM_FILTER + filter);
		else if (isdigit((unsigned char)*c))
			add_value(d, FROM_VALUE + (*c - '0'));
		else
			BUG_ON(true);
	}
}

static void adds(struct draft *d, const char *text)
{
	add(d, text, -1);
}

static void begin(struct draft *d, struct statement *s)
{
	d->s = s;
	buf_init(&d->sql, SQL_MAX_BYTES);
}

static int end(struct draft *d)
{
	d->s->sql = buf_steal(&d->sql);
	return d->s->sql ? 0 : -ENOMEM;
}

/* -- parts */

static void add_from(struct draft *d, const struct resource *r)
{
	buf_addf(&d->sql, " FROM %s r ", r->table);
	if (r->join)
		adds(d, r->join);
}

/* The rows of this account and parent, and no others: every statement has this. */
static void add_scope(struct draft *d, const struct resource *r)
{
	adds(d, " WHERE ");
	adds(d, r->scope ? r->scope : "r.account_sid = $A");
	if (r->parent_column) {
		buf_addf(&d->sql, " AND r.%s = ", r->parent_column);
		adds(d, "$P");
	}
	if (r->where) {
		adds(d, " AND ");
		adds(d, r->where);
	}
}

static void add_sid(struct draft *d, const struct resource *r)
{
	buf_addf(&d->sql, " AND r.%s = ", r->sid_column);
	adds(d, "$S");
}

static void add_select(struct draft *d, const struct resource *r)
{
	adds(d, "SELECT ");
	for (size_t i = 0; i < r->n_properties; i++) {
		const struct property *p = &r->properties[i];

		adds(d, p->type == PROPERTY_DATE ? "floor(extract(epoch FROM " : "");
		if (p->sql)
			adds(d, p->sql);
		else
			buf_addf(&d->sql, "r.%s", p->name);
		adds(d, p->type == PROPERTY_DATE ? "))::bigint, " : ", ");
	}
	buf_addf(&d->sql, "r.%s, r.seq", r->sid_column);
	add_from(d, r);
	add_scope(d, r);
}

/* What a column gets of a parameter that was given. */
static void add_column_value(struct draft *d, const struct resource *r, size_t i)
{
	const struct param *p = &r->params[i];
	const char *cast = p->type == PARAM_BOOL  ? "::boolean"
			   : p->type == PARAM_INT ? "::integer"
			   : p->type == PARAM_IP  ? "::inet"
						  : "";

	adds(d, p->def ? "(coalesce(nullif(" : "(nullif(");
	add_value(d, FROM_VALUE + (int)i);
	if (p->def)
		buf_addf(&d->sql, ", ''), '%s'))%s", p->def, cast);
	else
		buf_addf(&d->sql, ", ''))%s", cast);
}

/* -- audit: who changed what, in the statement that changes it */

#define AUDIT_COLUMNS                                                                              \
	"INSERT INTO audit_events (sid, account_sid, actor_sid, source_ip_address, request_id, "   \
	"changes, action, resource_path, resource_sid) "

static void add_audit_values(struct draft *d, const struct resource *r, const char *action)
{
	static const int from[] = { FROM_AUDIT_SID, FROM_ACCOUNT,    FROM_ACTOR,
				    FROM_PEER,	    FROM_REQUEST_ID, FROM_CHANGES };

	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		add_value(d, from[i]);
		adds(d, from[i] == FROM_CHANGES ? "::json, " : ", ");
	}
	buf_addf(&d->sql, "'%s', '%s', ", action, r->top ? "/Accounts" : r->path);
}

static void begin_write(struct draft *d, struct statement *s)
{
	begin(d, s);
	adds(d, "WITH w AS (");
}

static int end_write(struct draft *d, const struct resource *r, const char *action)
{
	buf_addf(&d->sql, "), audited AS (" AUDIT_COLUMNS "SELECT ");
	add_audit_values(d, r, action);
	buf_addf(&d->sql, "w.%s FROM w) SELECT %s FROM w", r->sid_column, r->sid_column);
	return end(d);
}

/* -- whole statements */

static int make_fetch(struct statement *s, const struct resource *r)
{
	struct draft d;

	begin(&d, s);
	add_select(&d, r);
	if (!r->singleton)
		add_sid(&d, r);
	return end(&d);
}

static int make_list(struct statement *s, const struct resource *r, bool back)
{
	bool descending = r->newest_first != back;
	struct draft d;

	begin(&d, s);
	add_select(&d, r);
	adds(&d, " AND (");
	add_value(&d, FROM_CURSOR);
	buf_addf(&d.sql, " IS NULL OR r.seq %c ", descending ? '<' : '>');
	add_value(&d, FROM_CURSOR);
	adds(&d, "::bigint)");
	for (size_t i = 0; i < r->n_filters; i++) {
		adds(&d, " AND (");
		add_value(&d, FROM_FILTER + (int)i);
		adds(&d, " IS NULL OR ");
		add(&d, r->filters[i].sql, (int)i);
		adds(&d, ")");
	}
	buf_addf(&d.sql, " ORDER BY r.seq %s LIMIT ", descending ? "DESC" : "ASC");
	add_value(&d, FROM_LIMIT);
	adds(&d, "::integer");
	return end(&d);
}

static int make_count(struct statement *s, const struct resource *r)
{
	struct draft d;

	begin(&d, s);
	adds(&d, "SELECT count(*)");
	add_from(&d, r);
	/* The parent is the account's, lock_parent saw to it: its index alone counts its rows. */
	if (r->parent_column && !r->where && !r->scope) {
		buf_addf(&d.sql, " WHERE r.%s = ", r->parent_column);
		adds(&d, "$P");
	} else {
		add_scope(&d, r);
	}
	return end(&d);
}

/* tail: a lock, or nothing. */
static int make_parent(struct statement *s, const struct resource *r, const char *tail)
{
	struct draft d;

	begin(&d, s);
	if (r->parent_prefix) {
		buf_addf(&d.sql, "SELECT 1 FROM %s p ", r->parent_table);
		adds(&d, "WHERE p.account_sid = $A AND p.sid = $P");
	} else {
		adds(&d, "SELECT 1 FROM accounts p WHERE p.sid = $A");
	}
	adds(&d, tail);
	return end(&d);
}

static int make_lock_row(struct statement *s, const struct resource *r)
{
	struct draft d;

	begin(&d, s);
	buf_addf(&d.sql, "SELECT 1 FROM %s r", r->table);
	add_scope(&d, r);
	add_sid(&d, r);
	adds(&d, " FOR UPDATE OF r");
	return end(&d);
}

static bool stored(const struct param *p, int when)
{
	return p->column && (p->when & (when | COMPUTED));
}

static int make_insert(struct statement *s, const struct resource *r)
{
	struct draft d;

	begin_write(&d, s);
	if (r->insert) {
		adds(&d, r->insert);
		return end_write(&d, r, "create");
	}
	buf_addf(&d.sql, "INSERT INTO %s (account_sid, %s", r->table, r->sid_column);
	if (r->parent_column)
		buf_addf(&d.sql, ", %s", r->parent_column);
	for (size_t i = 0; i < r->n_params; i++)
		if (stored(&r->params[i], ON_CREATE))
			buf_addf(&d.sql, ", %s", r->params[i].column);
	adds(&d, r->parent_column ? ") VALUES ($A, $S, $P" : ") VALUES ($A, $S");
	for (size_t i = 0; i < r->n_params; i++) {
		if (!stored(&r->params[i], ON_CREATE))
			continue;
		adds(&d, ", ");
		add_column_value(&d, r, i);
	}
	buf_addf(&d.sql, ") RETURNING %s", r->sid_column);
	return end_write(&d, r, "create");
}

/* A parameter that is not given leaves its column; an empty one gives it its default. */
static int make_update(struct statement *s, const struct resource *r)
{
	struct draft d;

	begin_write(&d, s);
	buf_addf(&d.sql, "UPDATE %s r SET date_updated = now()", r->table);
	for (size_t i = 0; i < r->n_params; i++) {
		const struct param *p = &r->params[i];

		if (!stored(p, ON_UPDATE))
			continue;
		buf_addf(&d.sql, ", %s = CASE WHEN ", p->column);
		add_value(&d, FROM_VALUE + (int)i);
		buf_addf(&d.sql, " IS NULL THEN r.%s ELSE ", p->column);
		add_column_value(&d, r, i);
		adds(&d, " END");
	}
	add_scope(&d, r);
	add_sid(&d, r);
	buf_addf(&d.sql, " RETURNING r.%s", r->sid_column);
	return end_write(&d, r, "update");
}

static int make_delete(struct statement *s, const struct resource *r)
{
	struct draft d;

	begin_write(&d, s);
	buf_addf(&d.sql, "DELETE FROM %s r", r->table);
	add_scope(&d, r);
	add_sid(&d, r);
	buf_addf(&d.sql, " RETURNING r.%s", r->sid_column);
	return end_write(&d, r, "delete");
}

static int make_audit(struct statement *s, const struct resource *r)
{
	struct draft d;

	begin(&d, s);
	adds(&d, AUDIT_COLUMNS "VALUES (");
	add_audit_values(&d, r, "update");
	adds(&d, "$S)");
	return end(&d);
}

static int make(struct statements *s, const struct resource *r)
{
	int e = 0;

	e |= make_fetch(&s->fetch, r);
	e |= make_list(&s->list, r, false);
	e |= make_list(&s->list_back, r, true);
	e |= make_count(&s->count, r);
	e |= make_parent(&s->find_parent, r, "");
	/* Two writers at a limit's edge take turns; rows that refer to the parent may still come
	 * meanwhile. */
	e |= make_parent(&s->lock_parent, r, " FOR NO KEY UPDATE");
	e |= make_lock_row(&s->lock_row, r);
	if (r->can & CAN_CREATE)
		e |= make_insert(&s->insert, r);
	if (r->instead_of_update)
		e |= make_audit(&s->audit, r);
	else if (r->can & CAN_UPDATE)
		e |= make_update(&s->update, r);
	if (r->can & CAN_DELETE)
		e |= make_delete(&s->delete_, r);
	return e ? -ENOMEM : 0;
}

int statements_make(void)
{
	const struct resource *r;
	int e = 0;

	for (size_t i = 0; e == 0 && (r = resource_at(i)); i++) {
		BUG_ON(i >= RESOURCES_MAX);
		e = make(&made[i], r);
	}
	return e;
}

void statements_free(void)
{
	for (size_t i = 0; i < RESOURCES_MAX; i++) {
		struct statements *s = &made[i];

		free(s->fetch.sql);
		free(s->list.sql);
		free(s->list_back.sql);
		free(s->count.sql);
		free(s->find_parent.sql);
		free(s->lock_parent.sql);
		free(s->lock_row.sql);
		free(s->insert.sql);
		free(s->update.sql);
		free(s->delete_.sql);
		free(s->audit.sql);
		*s = (struct statements){ 0 };
	}
}

const struct statements *statements_of(const struct resource *r)
{
	size_t i = 0;

	while (resource_at(i) != r)
		i++;
	return &made[i];
}

static const char *value_of(const struct api_request *q, int from)
{
	if (from >= FROM_FILTER)
		return q->filters[from - FROM_FILTER];
	if (from >= FROM_VALUE)
		return q->values[from - FROM_VALUE];
	switch ((enum statement_source)from) {
	case FROM_VALUE:
	case FROM_FILTER:
		break;
	case FROM_ACCOUNT:
		return q->account_sid;
	case FROM_PARENT:
		return q->parent_sid;
	case FROM_SID:
		return q->sid;
	case FROM_CURSOR:
		return q->cursor;
	case FROM_LIMIT:
		return q->limit;
	case FROM_ACTOR:
		return q->actor_sid;
	case FROM_PEER:
		return q->client.ip;
	case FROM_REQUEST_ID:
		return q->request_id;
	case FROM_AUDIT_SID:
		return q->audit_sid;
	case FROM_CHANGES:
		return q->changes;
	}
	BUG_ON(true);
}

int statement_run(struct db_result **ret, const struct api_request *q, const struct statement *s)
{
	const char *params[STATEMENT_PARAMS];

	BUG_ON(!s->sql);
	for (int i = 0; i < s->n; i++)
		params[i] = value_of(q, s->from[i]);
	return db_exec(ret, q->db, s->sql, s->n, params);
}
