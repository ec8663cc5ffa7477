#define LOG_SUBSYSTEM "store"
#include "call/store.h"

#include "base/log.h"
#include "base/process.h"
#include "base/metrics.h"
#include "call/store_item.h"
#include "io/db.h"
#include "io/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX_ITEMS 50000
#define QUEUE_MAX_BYTES (64u << 20)
#define BATCH_MAX	256
#define BETWEEN_MS	10 /* two batches of what does not gather, when there is much of it */
#define RETRY_MS	500

/*
 * While one batch is being written the next one gathers: under load the batches grow by themselves.
 * What nobody waits for gathers for a while besides: the rows of a call that ends at once, or of
 * its webhooks, then are one transaction. A new call is written at once, for the web application
 * that is told of it may ask for it. One batch is on the way at a time, so the order holds.
 */
struct batch {
	struct store *store;
	struct store_item *items;
	unsigned count;
	int r;		  /* 0, or -EIO: the database is away, all of it is to be written again */
	unsigned refused; /* rows that the database will never take */
};

struct store {
	const char *node;
	unsigned gather_ms;
	struct loop *loop;
	struct db_worker *worker;
	struct loop_timer *timer; /* to the next batch, or to the next try of this one */
	struct store_item *head, **tail;
	unsigned count;
	size_t bytes;
	struct batch *batch; /* on the worker, or waiting for its retry */
	bool urgent;	     /* something in the queue does not gather */
	uint64_t begun_ms;   /* when the last batch was taken */
	bool away;	     /* the last batch met no database */
	uint64_t lost;	     /* rows that found the queue full */
};

static const char insert_calls[] =
	"INSERT INTO calls (sid, account_sid, parent_call_sid, "
	"domain_sid, \"to\", \"from\", status, direction, sip_call_id,"
	" phone_number_sid, start_time, end_time, duration, sip_response_code, node,"
	" callback_url, callback_method, callback_parameters, callback_sequence)"
	" SELECT sid, account_sid, parent_call_sid, domain_sid, \"to\", "
	"\"from\", status, direction, sip_call_id, phone_number_sid,"
	" to_timestamp(start_ms / 1000.0), to_timestamp(end_ms / "
	"1000.0), duration, sip_response_code, node,"
	" CASE WHEN end_ms IS NULL THEN callback_url END, callback_method, callback_parameters,"
	" callback_sequence"
	" FROM json_to_recordset($1::json) AS r(sid text, account_sid "
	"text, parent_call_sid text, domain_sid text, \"to\" text,"
	" \"from\" text, status text, direction text, sip_call_id text, "
	"phone_number_sid text, start_ms bigint, end_ms bigint, duration integer,"
	" sip_response_code integer, node text, callback_url text, callback_method text,"
	" callback_parameters text, callback_sequence integer)"
	" ON CONFLICT (sid) DO UPDATE SET status = excluded.status,"
	" start_time = coalesce(excluded.start_time, calls.start_time), "
	"end_time = coalesce(excluded.end_time, calls.end_time),"
	" duration = coalesce(excluded.duration, calls.duration),"
	" sip_response_code = coalesce(excluded.sip_response_code, "
	"calls.sip_response_code), date_updated = now()";

/* $1 is the node; of its rows a process sees to those of its own calls (base/process.h). */
#define OURS(call_sid)                                                                             \
	" AND (strpos('0123456789abcdef', substr(" call_sid ", 3, 1)) - 1) % $2::int = $3::int"

/*
 * When hookswitchd went away, what it told of a call was that it lives. Its completed callback
 * becomes due, under the name that it would have had: it may have been written already.
 */
static const char close_open_calls[] =
	"WITH closed AS (UPDATE calls SET status = CASE status WHEN 'in-progress' THEN 'completed' "
	"ELSE 'failed' "
	"END,"
	" end_time = now(), duration = extract(epoch FROM now() - start_time)::int, date_updated = "
	"now()"
	" WHERE node = $1 AND end_time IS NULL AND status IN ('queued', 'ringing', "
	"'in-progress')" OURS(
		"calls.sid") " AND NOT EXISTS (SELECT FROM bridges b WHERE b.sid = calls.sid OR "
			     "b.other_sid = calls.sid)"
			     " RETURNING *, coalesce(duration, 0) AS seconds)"
			     " INSERT INTO callbacks (sid, account_sid, call_sid, node, url, "
			     "method, parameters)"
			     " SELECT 'CB' || substr(sid, 3), account_sid, sid, node, "
			     "callback_url, callback_method,"
			     " callback_parameters || '&CallStatus=' || status ||"
			     " '&CallbackSource=call-progress-events&SequenceNumber=' || "
			     "coalesce(callback_sequence, 0)"
			     " || '&Timestamp=' || replace(replace(replace(to_char(end_time AT "
			     "TIME ZONE 'UTC',"
			     " 'Dy, DD Mon YYYY HH24:MI:SS'), ' ', '+'), ',', '%2C'), ':', '%3A') "
			     "|| '+%2B0000"
			     "&CallDuration=' || seconds || '&Duration=' || (seconds + 59) / 60"
			     " FROM closed WHERE callback_url IS NOT NULL AND callback_method IS "
			     "NOT NULL"
			     " AND callback_parameters IS NOT NULL ORDER BY seq ON CONFLICT (sid) "
			     "DO NOTHING";

static const char update_calls[] =
	"UPDATE calls c SET status = coalesce(r.status, c.status),"
	" start_time = coalesce(to_timestamp(r.start_ms / 1000.0), c.start_time),"
	" end_time = coalesce(to_timestamp(r.end_ms / 1000.0), c.end_time), duration = "
	"coalesce(r.duration, c.duration),"
	" sip_response_code = coalesce(r.sip_response_code, c.sip_response_code), date_updated = "
	"now(),"
	" callback_url = CASE WHEN r.end_ms IS NULL THEN coalesce(r.callback_url, c.callback_url)"
	" END,"
	" callback_method = coalesce(r.callback_method, c.callback_method),"
	" callback_parameters = CASE WHEN r.end_ms IS NULL"
	" THEN coalesce(r.callback_parameters, c.callback_parameters) END,"
	" callback_sequence = coalesce(r.callback_sequence, c.callback_sequence)"
	" FROM json_to_recordset($1::json) AS r(sid text, status text, start_ms bigint, end_ms "
	"bigint, duration integer,"
	" sip_response_code integer, callback_url text, callback_method text,"
	" callback_parameters text, callback_sequence integer) WHERE c.sid = r.sid";

static const char insert_notifications[] =
	"INSERT INTO notifications (sid, account_sid, call_sid, log, error_code, message_text, "
	"message_date, request_method,"
	" request_url, request_variables, response_headers, response_body)"
	" SELECT sid, account_sid, call_sid, log, error_code, message_text, "
	"to_timestamp(message_ms / 1000.0), request_method,"
	" request_url, request_variables, response_headers, response_body"
	" FROM json_to_recordset($1::json) AS r(sid text, account_sid text, call_sid text, log "
	"smallint, error_code integer,"
	" message_text text, message_ms bigint, request_method text, request_url text, "
	"request_variables text,"
	" response_headers text, response_body text)"
	" ON CONFLICT (sid) DO NOTHING";

/* A call that was deleted has no events any more. LIMIT keeps the planner from reading all calls
 * for it. */
static const char insert_call_events[] =
	"INSERT INTO call_events (sid, account_sid, call_sid, request_method, request_url,"
	" request_parameters, response_code, request_duration, content_type, response_body,"
	" date_created)"
	" SELECT sid, account_sid, call_sid, request_method, request_url, request_parameters,"
	" response_code, request_duration, content_type, response_body,"
	" to_timestamp(created_ms / 1000.0)"
	" FROM json_to_recordset($1::json) AS r(sid text, account_sid text, call_sid text,"
	" request_method text, request_url text, request_parameters json, response_code integer,"
	" request_duration integer, content_type text, response_body text, created_ms bigint)"
	" CROSS JOIN LATERAL (SELECT FROM calls c WHERE c.sid = r.call_sid LIMIT 1) AS present"
	" ON CONFLICT (sid) DO NOTHING";

static const char insert_call_media[] =
	"INSERT INTO call_media (sid, account_sid, call_sid, protocol, crypto_suite,"
	" packets_received, packets_rejected, packets_sent, date_created)"
	" SELECT r.sid, present.account_sid, r.call_sid, r.protocol, r.crypto_suite, r.received,"
	" r.rejected, r.sent, to_timestamp(r.created_ms / 1000.0)"
	" FROM json_to_recordset($1::json) AS r(sid text, call_sid text, protocol text,"
	" crypto_suite text, received bigint, rejected bigint, sent bigint, created_ms bigint)"
	" CROSS JOIN LATERAL (SELECT c.account_sid FROM calls c WHERE c.sid = r.call_sid LIMIT 1)"
	" AS present ON CONFLICT (sid) DO NOTHING";

static const char insert_callbacks[] =
	"INSERT INTO callbacks (sid, account_sid, call_sid, node, url, method, parameters)"
	" SELECT sid, account_sid, call_sid, node, url, method, parameters"
	" FROM json_to_recordset($1::json) AS r(sid text, account_sid text, call_sid text,"
	" node text, url text, method text, parameters text) ON CONFLICT (sid) DO NOTHING";

static const char delete_callbacks[] =
	"DELETE FROM callbacks c USING json_to_recordset($1::json) AS r(sid text)"
	" WHERE c.sid = r.sid";

static const char insert_bridges[] =
	"INSERT INTO bridges (sid, other_sid, account_sid, node, state)"
	" SELECT DISTINCT ON (sid) sid, other_sid, account_sid, node, state"
	" FROM ROWS FROM (json_to_recordset($1::json) AS (sid text, other_sid text,"
	" account_sid text, node text, state json)) WITH ORDINALITY"
	" AS r(sid, other_sid, account_sid, node, state, n) ORDER BY sid, n DESC"
	" ON CONFLICT (sid) DO UPDATE SET state = excluded.state, other_sid = excluded.other_sid";

static const char delete_bridges[] = "DELETE FROM bridges b USING json_to_recordset($1::json)"
				     " AS r(sid text) WHERE b.sid = r.sid";

static const char open_bridges[] =
	"SELECT b.sid, b.state, a.auth_token FROM bridges b JOIN accounts a ON a.sid ="
	" b.account_sid WHERE b.node = $1" OURS("b.sid") " ORDER BY b.date_created";

static const char forget_bridge[] = "DELETE FROM bridges WHERE sid = $1";

static const char undelivered[] =
	"SELECT c.sid, c.account_sid, c.call_sid, c.url, c.method, c.parameters, a.auth_token"
	" FROM callbacks c JOIN accounts a ON a.sid = c.account_sid WHERE c.node = $1" OURS(
		"c.call_sid") " ORDER BY c.seq";

/* A batch may have one row or hundreds, which the planner cannot know: it takes a hundred and reads
 * all calls for one. */
static const char by_key[] = "-c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off";

static const char *const statements[] = {
	[STORE_CALL_INSERT] = insert_calls,	     [STORE_CALL_UPDATE] = update_calls,
	[STORE_NOTIFICATION] = insert_notifications, [STORE_CALL_EVENT] = insert_call_events,
	[STORE_CALL_MEDIA] = insert_call_media,	     [STORE_CALLBACK_INSERT] = insert_callbacks,
	[STORE_CALLBACK_DELETE] = delete_callbacks,  [STORE_BRIDGE_INSERT] = insert_bridges,
	[STORE_BRIDGE_DELETE] = delete_bridges,
};

/* -- on the worker thread */

static int write_rows(struct db *db, enum store_kind kind, const json_t *rows)
{
	char *json = json_dumps(rows, JSON_COMPACT);
	const char *param = json;
	int r;

	if (!json)
		return -ENOMEM;
	r = db_exec(NULL, db, statements[kind], 1, &param);
	free(json);
	return r;
}

/* A row of this name goes no more: it is written again. */
static void take_back(json_t *rows, const json_t *row)
{
	json_t *gone;
	size_t n;

	json_array_foreach(rows, n, gone)
	{
		if (!json_equal(json_object_get(gone, "sid"), json_object_get(row, "sid")))
			continue;
		json_array_remove(rows, n);
		return;
	}
}

/*
 * Rows of one kind become one statement. What a call was updated to is folded into its earlier row
 * of the same batch, so that each call stands in a statement once; rows of different calls do not
 * depend on each other.
 */
static int gather(json_t *rows[STORE_KINDS], struct store_item *items)
{
	for (int k = 0; k < STORE_KINDS; k++) {
		rows[k] = json_array();
		if (!rows[k])
			return -ENOMEM;
	}
	for (struct store_item *i = items; i; i = i->next) {
		struct store_item *earlier = NULL;

		if (i->kind == STORE_CALL_UPDATE) {
			const char *sid = json_string_value(json_object_get(i->row, "sid"));

			for (struct store_item *e = items; e != i && !earlier; e = e->next) {
				const char *other =
					json_string_value(json_object_get(e->row, "sid"));

				if (e->kind <= STORE_CALL_UPDATE && sid && other &&
				    !strcmp(sid, other))
					earlier = e;
			}
		}
		if (i->kind == STORE_BRIDGE_INSERT)
			take_back(rows[STORE_BRIDGE_DELETE], i->row);
		if (earlier)
			store_item_merge(earlier, i);
		else if (json_array_append(rows[i->kind], i->row) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int write_together(struct db *db, json_t *rows[STORE_KINDS])
{
	struct db_statement together[STORE_KINDS];
	char *json[STORE_KINDS];
	unsigned n = 0;
	int r = 0;

	for (int k = 0; k < STORE_KINDS && r == 0; k++) {
		if (!json_array_size(rows[k]))
			continue;
		json[n] = json_dumps(rows[k], JSON_COMPACT);
		if (!json[n]) {
			r = -ENOMEM;
			continue;
		}
		together[n] =
			(struct db_statement){ statements[k], 1, (const char *const *)&json[n] };
		n++;
	}
	if (r == 0)
		r = db_exec_together(db, together, n);
	while (n)
		free(json[--n]);
	return r;
}

/* One bad row (an account that is gone) must not take the others with it. */
static int write_apart(struct batch *b, struct db *db, json_t *rows[STORE_KINDS])
{
	size_t n;
	json_t *row;

	for (int k = 0; k < STORE_KINDS; k++) {
		json_array_foreach(rows[k], n, row)
		{
			json_t *one = json_array();
			int r = one && json_array_append(one, row) == 0
					? write_rows(db, (enum store_kind)k, one)
					: -ENOMEM;

			json_decref(one);
			/* Nobody's fault of the row: it is written later, with all of its batch. */
			if (r == -EIO || r == -EAGAIN || r == -ENOMEM)
				return r;
			if (r < 0) {
				log_warn("a row was refused: %s", db_error(db));
				b->refused++;
				metrics_count(METRIC_STORE_LOST, LOST_REFUSED, 0);
			}
		}
	}
	return 0;
}

static void batch_write(void *arg, struct db *db)
{
	struct batch *b = arg;
	json_t *rows[STORE_KINDS] = { NULL };

	b->r = gather(rows, b->items);
	if (b->r == 0)
		b->r = write_together(db, rows);
	if (b->r < 0 && b->r != -EIO && b->r != -ENOMEM)
		b->r = write_apart(b, db, rows);
	for (int k = 0; k < STORE_KINDS; k++)
		json_decref(rows[k]);
}

/* -- on the loop */

static void batch_free(struct batch *b)
{
	if (!b)
		return;
	metrics_add(METRIC_STORE_QUEUED, 0, 0, -(int64_t)b->count);
	while (b->items) {
		struct store_item *item = b->items;

		b->items = item->next;
		store_item_free(item);
	}
	free(b);
}

static void batch_done(void *arg);

static void batch_submit(struct store *s)
{
	if (db_worker_submit(s->worker, batch_write, batch_done, s->batch) < 0)
		loop_timer_start(s->timer, RETRY_MS);
}

static struct batch *batch_take(struct store *s)
{
	struct batch *b = calloc(1, sizeof(*b));
	struct store_item **end;

	if (!b)
		return NULL;
	b->store = s;
	b->items = s->head;
	for (end = &b->items; *end && b->count < BATCH_MAX; end = &(*end)->next) {
		b->count++;
		s->count--;
		s->bytes -= (*end)->bytes;
	}
	s->head = *end;
	*end = NULL;
	if (!s->head)
		s->tail = &s->head;
	/* What is left behind a full batch has waited already. */
	s->urgent = s->head;
	return b;
}

static void next_batch(struct store *s)
{
	if (s->batch || !s->head)
		return;
	s->batch = batch_take(s);
	s->begun_ms = loop_now_ms(s->loop);
	if (s->batch)
		batch_submit(s);
	else
		loop_timer_start(s->timer, RETRY_MS);
}

/* Nobody waits longer: the rows are there, or will be. What is told may put more. */
static void tell_written(struct store_item *items)
{
	for (struct store_item *i = items; i; i = i->next) {
		store_written_fn *written = i->written;

		i->written = NULL;
		if (written)
			written(i->arg);
	}
}

/* No batch is on the way. */
static void gather_or_go(struct store *s)
{
	uint64_t since_ms = loop_now_ms(s->loop) - s->begun_ms;
	bool now = since_ms >= BETWEEN_MS || s->count >= BATCH_MAX;

	if (s->urgent)
		loop_timer_start(s->timer, now ? 0 : BETWEEN_MS - since_ms);
	else if (s->head && !loop_timer_active(s->timer))
		loop_timer_start(s->timer, s->gather_ms);
}

static void batch_done(void *arg)
{
	struct batch *b = arg;
	struct store *s = b->store;

	if (b->r < 0) {
		if (!s->away)
			log_error("the database is away, rows wait: %u", s->count + b->count);
		s->away = true;
		loop_timer_start(s->timer, RETRY_MS);
		tell_written(b->items);
		tell_written(s->head);
		return;
	}
	if (s->away)
		log_info("the database is back");
	s->away = false;
	tell_written(b->items);
	s->batch = NULL;
	batch_free(b);
	gather_or_go(s);
}

static void on_timer(void *arg)
{
	struct store *s = arg;

	if (s->batch)
		batch_submit(s);
	else
		next_batch(s);
}

/* -- before the loop runs */

/* One statement about this process's rows, on a connection of its own; row (may be NULL) for each
 * that comes back: -errno ends it. */
typedef int row_fn(struct db *db, const struct db_result *res, int n, void *arg);

static int ask_of_node(const char *conninfo, const char *node, const char *sql, row_fn *row,
		       void *arg, const char *what, char *err, size_t err_size)
{
	struct db *db = db_open(conninfo);
	struct db_result *res = NULL;
	char count[12], index[12];
	int r;

	if (!db)
		return -ENOMEM;
	snprintf(count, sizeof(count), "%u", process_count());
	snprintf(index, sizeof(index), "%u", process_index());
	r = db_exec(&res, db, sql, 3, (const char *const[]){ node, count, index });
	for (int i = 0; row && r == 0 && i < db_rows(res); i++)
		r = row(db, res, i, arg);
	if (r < 0)
		snprintf(err, err_size, "%s: %s", what, db_error(db));
	db_result_free(res);
	db_close(db);
	return r;
}

int store_close_open_calls(const char *conninfo, const char *node, char *err, size_t err_size)
{
	return ask_of_node(conninfo, node, close_open_calls, NULL, NULL,
			   "calls that a crash left open were not closed", err, err_size);
}

struct bridge_taker {
	store_bridge_fn *fn;
	void *arg;
};

static int take_bridge(struct db *db, const struct db_result *res, int n, void *arg)
{
	const struct bridge_taker *t = arg;
	const char *sid = db_value(res, n, 0);

	if (t->fn(t->arg, db_value(res, n, 1), db_value(res, n, 2)))
		return 0;
	return db_exec(NULL, db, forget_bridge, 1, &sid);
}

int store_load_bridges(const char *conninfo, const char *node, store_bridge_fn *fn, void *arg,
		       char *err, size_t err_size)
{
	return ask_of_node(conninfo, node, open_bridges, take_bridge,
			   &(struct bridge_taker){ fn, arg },
			   "bridges of the last run cannot be read", err, err_size);
}

struct callback_taker {
	store_callback_fn *fn;
	void *arg;
};

static int take_callback(struct db *db, const struct db_result *res, int n, void *arg)
{
	const struct callback_taker *t = arg;

	(void)db;
	t->fn(t->arg,
	      &(struct store_callback){ .sid = db_value(res, n, 0),
					.account_sid = db_value(res, n, 1),
					.call_sid = db_value(res, n, 2),
					.url = db_value(res, n, 3),
					.method = db_value(res, n, 4),
					.parameters = db_value(res, n, 5) },
	      db_value(res, n, 6));
	return 0;
}

int store_load_callbacks(const char *conninfo, const char *node, store_callback_fn *fn, void *arg,
			 char *err, size_t err_size)
{
	return ask_of_node(conninfo, node, undelivered, take_callback,
			   &(struct callback_taker){ fn, arg },
			   "undelivered callbacks cannot be read", err, err_size);
}

struct store *store_new(struct loop *loop, const char *conninfo, const char *node,
			unsigned gather_ms)
{
	struct store *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->loop = loop;
	s->node = node;
	s->gather_ms = gather_ms;
	s->tail = &s->head;
	s->worker = db_worker_new(loop, conninfo, by_key, 4);
	s->timer = loop_timer_new(loop, on_timer, s);
	if (!s->worker || !s->timer) {
		store_free(s);
		return NULL;
	}
	return s;
}

struct last_words {
	struct batch *batches[1 + QUEUE_MAX_ITEMS / BATCH_MAX + 1];
	unsigned count;
};

static void write_last(void *arg, struct db *db)
{
	struct last_words *last = arg;

	for (unsigned i = 0; i < last->count; i++) {
		batch_write(last->batches[i], db);
		if (last->batches[i]->r < 0) {
			log_error("no database at the end: rows are lost");
			return;
		}
	}
}

void store_free(struct store *s)
{
	struct last_words last = { .count = 0 };
	bool waiting;

	if (!s)
		return;
	/* A batch on the worker is written before what is submitted now; one that waits for its
	 * retry is written with the rest. */
	waiting = s->timer && loop_timer_active(s->timer);
	loop_timer_free(s->timer);
	if (s->batch && waiting)
		last.batches[last.count++] = s->batch;
	while (s->head) {
		struct batch *b = batch_take(s);

		if (!b)
			break;
		last.batches[last.count++] = b;
	}
	if (s->worker && last.count)
		db_worker_submit(s->worker, write_last, NULL, &last);
	db_worker_free(s->worker);
	if (s->batch && !waiting)
		batch_free(s->batch);
	for (unsigned i = 0; i < last.count; i++)
		batch_free(last.batches[i]);
	free(s);
}

int store_put(struct store *s, struct store_item *item)
{
	if (!item)
		return -ENOMEM;
	if (s->count >= QUEUE_MAX_ITEMS || s->bytes + item->bytes > QUEUE_MAX_BYTES) {
		/* Once for a thousand: a full queue is no reason to fill the log too. */
		metrics_count(METRIC_STORE_LOST, LOST_QUEUE_FULL, 0);
		if (s->lost++ % 1000 == 0)
			log_error("the queue is full, rows lost so far: %llu",
				  (unsigned long long)s->lost);
		store_item_free(item);
		return -EAGAIN;
	}
	if (item->kind == STORE_CALL_INSERT || item->kind == STORE_CALLBACK_INSERT ||
	    item->kind == STORE_BRIDGE_INSERT)
		json_object_set_new(item->row, "node", json_string(s->node));
	item->next = NULL;
	*s->tail = item;
	s->tail = &item->next;
	s->count++;
	metrics_add(METRIC_STORE_QUEUED, 0, 0, 1);
	s->bytes += item->bytes;
	s->urgent = s->urgent || item->kind == STORE_CALL_INSERT || item->written ||
		    s->count >= BATCH_MAX;
	/* Not before the turn is over: the end of a call and what it tells of it are one
	 * transaction. */
	if (!s->batch)
		gather_or_go(s);
	return 0;
}
