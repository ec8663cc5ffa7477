/* The generic operations on the resource table. */
#include "api/resource.h"

#include "api/auth.h"
#include "api/idempotency.h"
#include "api/paging.h"
#include "api/statements.h"
#include "base/config.h"
#include "base/process.h"
#include "io/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN_MAX_BYTES 2048

/* -- reading */

/*
 * A statement that may run again: the first on a connection that the database closed meanwhile (its
 * restart) meets the loss, the second a new connection.
 */
static int read_rows(struct db_result **ret, const struct api_request *q, const struct statement *s)
{
	int e = statement_run(ret, q, s);

	return e == -EIO ? statement_run(ret, q, s) : e;
}

/* Runs a statement that only asks whether there is a row: 0; else answered, 404 when there is none.
 */
static int exists(struct api_request *q, const struct statement *s)
{
	struct db_result *res;
	int rows, e = statement_run(&res, q, s);

	if (e < 0)
		return api_db_error(q, e);
	rows = db_rows(res);
	db_result_free(res);
	return rows ? 0 : api_not_found(q);
}

void resource_fetch(struct api_request *q, const struct resource *r, int status)
{
	struct db_result *res;
	int e = read_rows(&res, q, &statements_of(r)->fetch);

	if (e == 0 && !db_rows(res) && r->awaited && r->awaited(q)) {
		db_result_free(res);
		e = read_rows(&res, q, &statements_of(r)->fetch);
	}
	if (e < 0) {
		api_db_error(q, e);
		return;
	}
	if (db_rows(res)) {
		json_t *json = row_json(q, r, res, 0, true);

		if (status == 201 && r->created)
			status = r->created(q, json);
		api_reply(q, status, json);
	} else {
		api_not_found(q);
	}
	db_result_free(res);
}

/* -- parameters that nobody knows: done without them, and said (20001) */

static void warn_unknown(struct api_request *q, const struct resource *r, int when)
{
	static const char sql[] =
		"INSERT INTO notifications (sid, account_sid, call_sid, log, error_code, "
		"message_text, request_method, request_url) "
		"VALUES ($1, $2, nullif($3, ''), 1, 20001, $4, $5, $6)";
	const char *params[] = { NULL, q->account_sid, "", NULL, q->method, q->in->path };
	struct buf names, text;
	char sid[SID_SIZE];

	buf_init(&names, UNKNOWN_MAX_BYTES);
	buf_init(&text, 4 * UNKNOWN_MAX_BYTES);
	params_unknown(&names, when ? &q->form : &q->query, r, when);
	if (names.len) {
		sid_new(sid, "NO");
		buf_adds(&text, "Msg=Unknown+parameters%3A+");
		form_escape(&text, names.data, names.len, 1);
		buf_adds(&text, "&ErrorCode=20001&LogLevel=WARN");
		params[0] = sid;
		params[2] = !strcmp(r->prefix, "CA") ? q->sid : "";
		params[3] = text.data;
		db_exec(NULL, q->db, sql, 6, params);
		api_header(q, "Warning", "299 - \"20001 Unknown parameters, not used: %.100s\"",
			   names.data);
	}
	buf_done(&names);
	buf_done(&text);
}

/* -- lists */

/* Rows of a page, which came with one more than it holds when there are more in its direction. */
static json_t *page_rows(struct paging *paging, const struct api_request *q,
			 const struct resource *r, const struct db_result *res)
{
	int n = db_rows(res), seq = (int)r->n_properties + 1;
	bool more = n > paging->size;
	json_t *rows = json_array();

	if (more)
		n = paging->size;
	for (int i = 0; i < n; i++)
		json_array_append_new(rows,
				      row_json(q, r, res, paging->back ? n - 1 - i : i, false));
	if (n) {
		snprintf(paging->first, sizeof(paging->first), "%s",
			 db_value(res, paging->back ? n - 1 : 0, seq));
		snprintf(paging->last, sizeof(paging->last), "%s",
			 db_value(res, paging->back ? 0 : n - 1, seq));
	}
	paging->behind = paging->back || more;
	paging->before = paging->back ? more : paging->cursor[0] != '\0';
	return rows;
}

void resource_list(struct api_request *q, const struct resource *r)
{
	const struct statements *s = statements_of(r);
	struct paging paging;
	struct db_result *res;
	char limit[16];
	const char *next;
	json_t *rows, *envelope;
	int e;

	if (paging_take(&paging, q, r->prefix) < 0 || filters_take(q, r->filters, r->n_filters) < 0)
		return;
	if (r->parent_prefix && exists(q, &s->find_parent) < 0)
		return;
	snprintf(limit, sizeof(limit), "%d", paging.size + 1);
	q->limit = limit;
	q->cursor = paging.cursor[0] ? paging.cursor : NULL;
	e = read_rows(&res, q, paging.back ? &s->list_back : &s->list);
	if (e < 0) {
		api_db_error(q, e);
		return;
	}
	rows = page_rows(&paging, q, r, res);
	db_result_free(res);
	warn_unknown(q, r, 0);
	envelope = paging_envelope(&paging, q, r->prefix, r->list_key, rows);
	next = json_string_value(json_object_get(envelope, "next_page_uri"));
	/* CSV has no other place for it (RFC 8288). */
	if (next && asprintf(&q->out->link, "<%s>; rel=\"next\"", next) < 0)
		q->out->link = NULL;
	api_reply(q, 200, envelope);
}

/* -- writing: each in one transaction, told to the SIP side when it is committed */

static int write_failed(struct api_request *q, const struct resource *r, int e)
{
	const char *at = r->duplicate_text ? strchr(r->duplicate_text, '@') : NULL;

	if (e != -EEXIST || !r->duplicate_text)
		return api_db_error(q, e);
	if (!at)
		return api_error(q, r->duplicate_error, "%s", r->duplicate_text);
	return api_error(q, r->duplicate_error, "%.*s%s%s", (int)(at - r->duplicate_text),
			 r->duplicate_text, q->values[0], at + 1);
}

static void tell(struct api_request *q, const struct resource *r)
{
	const char *domain = NULL;

	if (r->main_only)
		auth_forget();
	if (!r->changes_sip || !q->options->changed)
		return;
	if (!strcmp(r->prefix, "SD"))
		domain = q->sid;
	else if (r->parent_prefix && !strcmp(r->parent_prefix, "SD"))
		domain = q->parent_sid;
	q->options->changed(q->options->arg, domain);
}

static int below_limit(struct api_request *q, const struct resource *r)
{
	struct db_result *res;
	int n, e;

	int limit;

	if (!r->limit)
		return 0;
	memcpy(&limit, (const char *)q->options->config + r->limit, sizeof(limit));
	e = statement_run(&res, q, &statements_of(r)->count);
	if (e < 0)
		return api_db_error(q, e);
	n = atoi(db_value(res, 0, 0));
	db_result_free(res);
	return n < limit ? 0
			 : api_error(q, r->limit_error,
				     "There are %d already, and there can be no more", n);
}

/* Runs the write and puts the SID it returned to q->sid; *rows says whether there was one. */
static int write_row(struct api_request *q, const struct statement *s, int *rows)
{
	struct db_result *res;
	int e = statement_run(&res, q, s);

	if (e < 0)
		return e;
	*rows = db_rows(res);
	if (*rows)
		snprintf(q->sid, sizeof(q->sid), "%s", db_value(res, 0, 0));
	db_result_free(res);
	return 0;
}

/* What the audit row says of the write. */
static int describe(struct api_request *q, const struct resource *r)
{
	json_t *json = params_json(&q->form, r);

	sid_new(q->audit_sid, "AE");
	q->changes = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	return q->changes ? 0 : api_error(q, 20500, NULL);
}

static int begin(struct api_request *q)
{
	int e = db_begin(q->db);

	if (e == -EIO)
		e = db_begin(q->db);
	return e < 0 ? api_db_error(q, e) : 0;
}

/* 0 when the write is durable; else answered. */
static int commit(struct api_request *q, const struct resource *r)
{
	int e = db_commit(q->db);

	if (e < 0)
		return api_db_error(q, e);
	tell(q, r);
	return 0;
}

static int create(struct api_request *q, const struct resource *r)
{
	const struct statements *s = statements_of(r);
	int rows, e;

	if (exists(q, &s->lock_parent) < 0 || below_limit(q, r) < 0 ||
	    (r->before_create && r->before_create(q) < 0))
		return -EPROTO;
	e = write_row(q, &s->insert, &rows);
	/* What a parameter refers to is not there, or went meanwhile. */
	if (e == -ENOENT || (e == 0 && !rows))
		return api_error(q, 20404,
				 "%s: the requested resource %s was not found in this account",
				 r->n_params ? r->params[0].name : r->path,
				 q->values[0] ? q->values[0] : "");
	return e < 0 ? write_failed(q, r, e) : 0;
}

/* A mapping's SID is the list's, which its first parameter names. */
static bool names_itself(const struct resource *r)
{
	return r->n_params && r->params[0].type == PARAM_SID &&
	       !strcmp(r->params[0].pattern, r->prefix);
}

void resource_create(struct api_request *q, const struct resource *r)
{
	int replay;

	if (params_take(q, r->params, r->n_params, ON_CREATE) < 0 || describe(q, r) < 0 ||
	    begin(q) < 0)
		return;
	if (names_itself(r))
		snprintf(q->sid, sizeof(q->sid), "%s", q->values[0]);
	else
		sid_new(q->sid, r->prefix);
	if (r->of_process)
		q->sid[2] = process_digit_of_account(q->account_sid);
	replay = idempotency_claim(q);
	if (replay || create(q, r) < 0) {
		db_rollback(q->db);
		if (replay <= 0)
			return;
	} else if (commit(q, r) < 0 || (r->committed && r->committed(q) < 0)) {
		return;
	} else {
		warn_unknown(q, r, ON_CREATE);
	}
	resource_fetch(q, r, 201);
}

static int update(struct api_request *q, const struct resource *r)
{
	const struct statements *s = statements_of(r);
	int rows, e;

	if (exists(q, &s->lock_row) < 0 || (r->before_update && r->before_update(q) < 0))
		return -EPROTO;
	e = write_row(q, &s->update, &rows);
	if (e < 0)
		return write_failed(q, r, e);
	return r->after_update ? r->after_update(q) : 0;
}

/* The update of a live call is not the table's: what is left to do is to say who asked for it. */
static void update_elsewhere(struct api_request *q, const struct resource *r)
{
	int e;

	if (r->instead_of_update(q) < 0)
		return;
	e = statement_run(NULL, q, &statements_of(r)->audit);
	if (e < 0) {
		api_db_error(q, e);
		return;
	}
	warn_unknown(q, r, ON_UPDATE);
	resource_fetch(q, r, 200);
}

void resource_update(struct api_request *q, const struct resource *r)
{
	if (params_take(q, r->params, r->n_params, ON_UPDATE) < 0 || describe(q, r) < 0)
		return;
	if (r->instead_of_update) {
		update_elsewhere(q, r);
		return;
	}
	if (begin(q) < 0)
		return;
	if (update(q, r) < 0) {
		db_rollback(q->db);
	} else if (commit(q, r) == 0) {
		warn_unknown(q, r, ON_UPDATE);
		resource_fetch(q, r, 200);
	}
}

static int delete_row(struct api_request *q, const struct resource *r)
{
	const struct statements *s = statements_of(r);
	int rows, e;

	if (exists(q, &s->lock_row) < 0 || (r->before_delete && r->before_delete(q) < 0))
		return -EPROTO;
	e = write_row(q, &s->delete_, &rows);
	if (e == -ENOENT && r->in_use_error)
		return api_error(q, r->in_use_error,
				 "The list is mapped to a SIP domain; delete the mapping first");
	return e < 0 ? api_db_error(q, e) : 0;
}

void resource_delete(struct api_request *q, const struct resource *r)
{
	if (describe(q, r) < 0 || begin(q) < 0)
		return;
	if (delete_row(q, r) < 0)
		db_rollback(q->db);
	else if (commit(q, r) == 0)
		api_reply(q, 204, NULL);
}
