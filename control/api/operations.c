/* The generic operations on the resource table. */
#define LOG_SUBSYSTEM "api"
#include "api/resource.h"

#include "api/paging.h"
#include "api/statements.h"
#include "base/clock.h"
#include "base/log.h"
#include "io/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *value_json(const struct property *p, const char *value)
{
	char date[CLOCK_RFC2822_SIZE];

	if (!value)
		return json_null();
	switch (p->type) {
	case PROPERTY_INT:
		return json_integer(strtoll(value, NULL, 10));
	case PROPERTY_BOOL:
		return json_boolean(*value == 't');
	case PROPERTY_DATE:
		clock_rfc2822(date, (time_t)strtoll(value, NULL, 10));
		return json_string(date);
	case PROPERTY_TEXT:
		break;
	}
	return json_string(value);
}

/* The instance's URI without extension: the list's path with its SIDs filled in, and the SID. */
static void uri_of(char *ret, size_t size, const struct api_request *q, const struct resource *r, const char *sid)
{
	const char *at = strchr(r->path, '@');

	if (at)
		snprintf(ret, size, API_ROOT "%s%.*s%s%s/%s", q->account_sid, (int)(at - r->path), r->path, q->parent_sid, at + 1, sid);
	else
		snprintf(ret, size, API_ROOT "%s%s/%s", q->account_sid, r->path, sid);
}

/* A row: the properties in the order of the table, the SID behind them. */
static json_t *row_json(const struct api_request *q, const struct resource *r, const struct db_result *res, int row, bool instance)
{
	json_t *json = json_object();
	const char *sid = db_value(res, row, (int)r->n_properties);
	char uri[400], sub[500];

	for (size_t i = 0; i < r->n_properties; i++) {
		const struct property *p = &r->properties[i];

		if (instance || !p->instance_only)
			json_object_set_new(json, p->name, value_json(p, db_value(res, row, (int)i)));
	}
	uri_of(uri, sizeof(uri), q, r, sid);
	if (r->subresources) {
		json_t *subs = json_object();

		for (const char *const *s = r->subresources; *s; s += 2) {
			snprintf(sub, sizeof(sub), "%s%s", uri, s[1]);
			json_object_set_new(subs, s[0], json_string(sub));
		}
		json_object_set_new(json, "subresource_uris", subs);
	}
	if (r->shows_uri) {
		snprintf(sub, sizeof(sub), "%s.json", uri);
		json_object_set_new(json, "uri", json_string(sub));
	}
	return json;
}

/* The parent must be there, and the account's; lock: other writers below it wait (limits at their edge). */
static int check_parent(struct api_request *q, const struct resource *r, bool lock)
{
	const struct statements *s = statements_of(r);
	const char *params[] = { q->account_sid, q->parent_sid };
	struct db_result *res;
	int r_, rows;

	if (!r->parent_prefix && !lock)
		return 0;
	r_ = db_exec(&res, q->db, lock ? s->lock_parent : s->find_parent, r->parent_prefix ? 2 : 1, params);
	if (r_ < 0)
		return api_db_error(q, r_);
	rows = db_rows(res);
	db_result_free(res);
	return rows ? 0 : api_not_found(q);
}

void resource_fetch(struct api_request *q, const struct resource *r, int status)
{
	const char *params[] = { q->account_sid, q->parent_sid, q->sid };
	struct db_result *res;
	int e = db_exec(&res, q->db, statements_of(r)->fetch, 3, params);

	if (e < 0) {
		api_db_error(q, e);
		return;
	}
	if (db_rows(res))
		api_reply(q, status, row_json(q, r, res, 0, true));
	else
		api_not_found(q);
	db_result_free(res);
}

void resource_list(struct api_request *q, const struct resource *r)
{
	const char *params[3 + 2 + RESOURCE_FILTERS] = { q->account_sid, q->parent_sid };
	struct paging paging;
	struct db_result *res;
	json_t *rows;
	char limit[16];
	int n, e;

	if (check_parent(q, r, false) < 0 || paging_take(&paging, q) < 0)
		return;
	snprintf(limit, sizeof(limit), "%d", paging.size + 1);
	params[2] = paging.after[0] ? paging.after : NULL;
	params[3] = limit;
	for (size_t i = 0; i < r->n_filters; i++) {
		const struct filter *f = &r->filters[i];
		const struct param rule = { f->name, f->type, ON_BOTH, 0, 1000, f->pattern, 20422 };
		const char *value = form_get(&q->query, f->name), *want = value && *value ? param_check(&rule, value) : NULL;

		if (want) {
			api_error(q, 20422, "%s %s", f->name, want);
			return;
		}
		params[4 + i] = value && *value ? value : NULL;
	}
	e = db_exec(&res, q->db, statements_of(r)->list, 4 + (int)r->n_filters, params);
	if (e < 0) {
		/* A filter that is no date is the client's; its SQL says so. */
		if (e == -EINVAL)
			api_error(q, 20422, "A filter has a value that cannot be read; dates are YYYY-MM-DD");
		else
			api_db_error(q, e);
		return;
	}
	n = db_rows(res);
	paging.more = n > paging.size;
	if (paging.more)
		n = paging.size;
	rows = json_array();
	for (int i = 0; i < n; i++)
		json_array_append_new(rows, row_json(q, r, res, i, false));
	snprintf(paging.last, sizeof(paging.last), "%s", n ? db_value(res, n - 1, (int)r->n_properties + 1) : "");
	db_result_free(res);
	api_reply(q, 200, paging_envelope(&paging, q, r->list_key, rows));
}

/* Parameters of an INSERT or UPDATE: account, SID, parent, then the checked values. */
static int write_params(const char **params, const struct api_request *q, const struct resource *r)
{
	params[0] = q->account_sid;
	params[1] = q->sid;
	params[2] = q->parent_sid;
	memcpy(params + 3, q->values, r->n_params * sizeof(*params));
	return 3 + (int)r->n_params;
}

static void write_failed(struct api_request *q, const struct resource *r, int e)
{
	db_rollback(q->db);
	if (e == -EEXIST && r->duplicate_text)
		api_error(q, r->duplicate_error, r->duplicate_named ? "%s %s" : "%s%s", r->duplicate_named ? q->values[0] : r->duplicate_text,
			  r->duplicate_named ? r->duplicate_text : "");
	else if (e == -ENOENT)
		api_not_found(q);
	else if (e == -EINVAL)
		api_error(q, r->duplicate_error ? r->duplicate_error : 20422, "A parameter has a value that cannot be stored");
	else
		api_db_error(q, e);
	if (e != -EEXIST && e != -ENOENT)
		log_warn("%s: %s", r->path, db_error(q->db));
}

static void tell(struct api_request *q, const struct resource *r)
{
	if (r->changes_sip && q->options->changed)
		q->options->changed(q->options->arg, !strcmp(r->prefix, "SD") ? q->sid : NULL);
}

static int below_limit(struct api_request *q, const struct resource *r)
{
	const char *params[] = { q->account_sid, q->parent_sid };
	struct db_result *res;
	int n, e;

	if (!r->limit)
		return 0;
	e = db_exec(&res, q->db, statements_of(r)->count, 2, params);
	if (e < 0)
		return api_db_error(q, e);
	n = atoi(db_value(res, 0, 0));
	db_result_free(res);
	return n < r->limit ? 0 : api_error(q, r->limit_error, NULL);
}

void resource_create(struct api_request *q, const struct resource *r)
{
	const char *params[3 + API_VALUES_MAX];
	struct db_result *res = NULL;
	int n, e;

	if (params_take(q, r->params, r->n_params, ON_CREATE) < 0)
		return;
	sid_new(q->sid, r->prefix);
	e = db_begin(q->db);
	if (e < 0) {
		api_db_error(q, e);
		return;
	}
	if (check_parent(q, r, true) < 0 || below_limit(q, r) < 0 || (r->before_create && r->before_create(q) < 0)) {
		db_rollback(q->db);
		return;
	}
	n = write_params(params, q, r);
	e = db_exec(&res, q->db, r->insert, n, params);
	if (e == 0 && !db_rows(res))
		e = -ENOENT; /* what it refers to is not there */
	if (e == 0)
		snprintf(q->sid, sizeof(q->sid), "%s", db_value(res, 0, 0));
	db_result_free(res);
	if (e == 0)
		e = db_commit(q->db);
	if (e < 0) {
		write_failed(q, r, e);
		return;
	}
	tell(q, r);
	resource_fetch(q, r, 201);
}

void resource_update(struct api_request *q, const struct resource *r)
{
	const char *params[3 + API_VALUES_MAX];
	struct db_result *res = NULL;
	int n, e, rows = 0;

	if (params_take(q, r->params, r->n_params, ON_UPDATE) < 0)
		return;
	if (r->instead_of_update) {
		if (r->instead_of_update(q, r) == 0)
			resource_fetch(q, r, 200);
		return;
	}
	if (r->before_update && r->before_update(q) < 0)
		return;
	n = write_params(params, q, r);
	e = db_exec(&res, q->db, r->update, n, params);
	if (e < 0) {
		write_failed(q, r, e);
		return;
	}
	rows = db_rows(res);
	db_result_free(res);
	if (!rows) {
		api_not_found(q);
		return;
	}
	tell(q, r);
	resource_fetch(q, r, 200);
}

void resource_delete(struct api_request *q, const struct resource *r)
{
	const char *params[] = { q->account_sid, q->sid, q->parent_sid };
	struct db_result *res = NULL;
	int e, rows;

	if (r->before_delete && r->before_delete(q) < 0)
		return;
	e = db_exec(&res, q->db, r->delete_, 3, params);
	if (e == -ENOENT) {
		api_error(q, r->in_use_error, "The list is mapped to a SIP domain; delete the mapping first");
		return;
	}
	if (e < 0) {
		api_db_error(q, e);
		return;
	}
	rows = db_rows(res);
	db_result_free(res);
	if (!rows) {
		api_not_found(q);
		return;
	}
	tell(q, r);
	api_reply(q, 204, NULL);
}
