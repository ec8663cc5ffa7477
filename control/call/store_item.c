#include "call/store_item.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/error_code.h"
#include "base/sid.h"
#include "call/store.h"
#include "proto/form.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX_BYTES 16384
#define BRIDGE_BYTES	  8192 /* about what its state holds */
#define TEXT_MAX_BYTES	  8192 /* of each of a notification's request and response texts */

/* Peers send bytes that are no UTF-8; the database takes none of those. NULL: out of memory. */
static json_t *text(const char *s, size_t max)
{
	size_t n = strnlen(s, max);
	json_t *j;
	char *copy;

	/* A cut must not leave half a character behind. */
	while (n && n == max && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	j = json_stringn(s, n);
	if (j)
		return j;
	copy = strndup(s, n);
	if (!copy)
		return NULL;
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	j = json_string(copy);
	free(copy);
	return j;
}

static int put(struct store_item *item, const char *name, const char *value)
{
	json_t *json;

	if (!value)
		return 0;
	json = text(value, TEXT_MAX_BYTES);
	item->bytes += json_string_length(json) + 32;
	return json_object_set_new(item->row, name, json);
}

static struct store_item *item_new(enum store_kind kind)
{
	struct store_item *item = calloc(1, sizeof(*item));

	if (!item)
		return NULL;
	item->kind = kind;
	item->bytes = 512;
	item->row = json_object();
	if (!item->row) {
		free(item);
		return NULL;
	}
	return item;
}

void store_item_free(struct store_item *item)
{
	if (!item)
		return;
	json_decref(item->row);
	free(item);
}

struct store_item *store_item_call(const struct store_call *row)
{
	struct store_item *item = item_new(row->insert ? STORE_CALL_INSERT : STORE_CALL_UPDATE);
	int bad = 0;

	if (!item)
		return NULL;
	bad |= put(item, "sid", row->sid);
	bad |= put(item, "account_sid", row->account_sid);
	bad |= put(item, "parent_call_sid", row->parent_call_sid);
	bad |= put(item, "domain_sid", row->domain_sid);
	bad |= put(item, "to", row->to);
	bad |= put(item, "from", row->from);
	bad |= put(item, "status", row->status);
	bad |= put(item, "direction", row->direction);
	bad |= put(item, "sip_call_id", row->sip_call_id);
	bad |= put(item, "phone_number_sid", row->phone_number_sid);
	if (row->start_time_ms)
		bad |= json_object_set_new(item->row, "start_ms", json_integer(row->start_time_ms));
	if (row->end_time_ms)
		bad |= json_object_set_new(item->row, "end_ms", json_integer(row->end_time_ms));
	if (row->duration_s >= 0 && !row->insert)
		bad |= json_object_set_new(item->row, "duration", json_integer(row->duration_s));
	bad |= put(item, "callback_url", row->callback_url);
	bad |= put(item, "callback_method", row->callback_method);
	if (row->callback_parameters) {
		bad |= json_object_set_new(item->row, "callback_parameters",
					   json_string(row->callback_parameters));
		item->bytes += strlen(row->callback_parameters);
	}
	if (row->callback_sequence)
		bad |= json_object_set_new(item->row, "callback_sequence",
					   json_integer(row->callback_sequence));
	if (row->sip_response_code)
		bad |= json_object_set_new(item->row, "sip_response_code",
					   json_integer(row->sip_response_code));
	if (bad) {
		store_item_free(item);
		return NULL;
	}
	return item;
}

/* Msg=..&ErrorCode=..&LogLevel=.. and what else the writer of the notification knows. */
static int message_text(struct store_item *item, const struct store_notification *row,
			enum error_level level)
{
	struct buf b;
	int r;

	buf_init(&b, MESSAGE_MAX_BYTES);
	buf_adds(&b, "Msg=");
	form_escape(&b, row->message, strnlen(row->message, 2048), 1);
	buf_addf(&b, "&ErrorCode=%d&LogLevel=%s", row->error_code,
		 level == ERROR_LEVEL_ERROR ? "ERROR" : "WARN");
	if (row->extra && *row->extra && !b.error) {
		size_t before = b.len;

		if (buf_addc(&b, '&') < 0 || buf_adds(&b, row->extra) < 0) {
			/* Half a pair is worse than none. */
			b.error = 0;
			b.len = before;
			b.data[before] = '\0';
		}
	}
	r = b.error || !b.data ? -1
			       : json_object_set_new(item->row, "message_text",
						     text(b.data, MESSAGE_MAX_BYTES));
	item->bytes += b.len;
	buf_done(&b);
	return r;
}

struct store_item *store_item_notification(const struct store_notification *row)
{
	struct store_item *item = item_new(STORE_NOTIFICATION);
	const struct error_code *known = error_code_find(row->error_code);
	enum error_level level = known ? known->level : ERROR_LEVEL_ERROR;
	char sid[SID_SIZE];
	int bad = 0;

	if (!item)
		return NULL;
	/* Made here, so that a row that is written twice (a connection lost at the commit) is one
	 * row. */
	sid_new(sid, "NO");
	bad |= put(item, "sid", sid);
	bad |= put(item, "account_sid", row->account_sid);
	bad |= put(item, "call_sid", row->call_sid);
	bad |= json_object_set_new(item->row, "log", json_integer(level));
	bad |= json_object_set_new(item->row, "error_code", json_integer(row->error_code));
	bad |= message_text(item, row, level);
	bad |= json_object_set_new(item->row, "message_ms", json_integer(clock_wall_ms()));
	bad |= put(item, "request_method", row->request_method);
	bad |= put(item, "request_url", row->request_url);
	bad |= put(item, "request_variables", row->request_variables);
	bad |= put(item, "response_headers", row->response_headers);
	bad |= put(item, "response_body", row->response_body);
	if (bad) {
		store_item_free(item);
		return NULL;
	}
	return item;
}

/* Names that come twice: the last. */
static int put_form(struct store_item *item, const char *name, const struct form *form)
{
	json_t *object = json_object();
	int bad = 0;

	for (size_t i = 0; form && i < form->count; i++) {
		bad |= json_object_set_new(object, form->pairs[i].name,
					   text(form->pairs[i].value, TEXT_MAX_BYTES));
		item->bytes += strlen(form->pairs[i].name) + strlen(form->pairs[i].value) + 16;
	}
	return bad | json_object_set_new(item->row, name, object);
}

struct store_item *store_item_call_media(const struct store_call_media *row)
{
	struct store_item *item = item_new(STORE_CALL_MEDIA);
	char sid[SID_SIZE];

	if (!item)
		return NULL;
	sid_new(sid, "MD");
	json_decref(item->row);
	item->row = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "sid", sid, "call_sid",
			      row->call_sid, "protocol", row->protocol, "crypto_suite", row->suite,
			      "received", (json_int_t)row->received, "rejected",
			      (json_int_t)row->rejected, "sent", (json_int_t)row->sent,
			      "created_ms", (json_int_t)clock_wall_ms());
	if (!item->row) {
		store_item_free(item);
		return NULL;
	}
	return item;
}

struct store_item *store_item_call_event(const struct store_call_event *row)
{
	struct store_item *item = item_new(STORE_CALL_EVENT);
	char sid[SID_SIZE];
	int bad = 0;

	if (!item)
		return NULL;
	sid_new(sid, "EV");
	bad |= put(item, "sid", sid);
	bad |= put(item, "account_sid", row->account_sid);
	bad |= put(item, "call_sid", row->call_sid);
	bad |= put(item, "request_method", row->method);
	bad |= put(item, "request_url", row->url);
	bad |= put_form(item, "request_parameters", row->parameters);
	if (row->response_code)
		bad |= json_object_set_new(item->row, "response_code",
					   json_integer(row->response_code));
	bad |= json_object_set_new(item->row, "request_duration", json_integer(row->duration_ms));
	bad |= put(item, "content_type", row->content_type);
	bad |= put(item, "response_body", row->body);
	bad |= json_object_set_new(item->row, "created_ms", json_integer(clock_wall_ms()));
	if (bad) {
		store_item_free(item);
		return NULL;
	}
	return item;
}

struct store_item *store_item_callback(const struct store_callback *row, store_written_fn *written,
				       void *arg)
{
	struct store_item *item = item_new(STORE_CALLBACK_INSERT);
	int bad = 0;

	if (!item)
		return NULL;
	bad |= put(item, "sid", row->sid);
	bad |= put(item, "account_sid", row->account_sid);
	bad |= put(item, "call_sid", row->call_sid);
	bad |= put(item, "url", row->url);
	bad |= put(item, "method", row->method);
	bad |= json_object_set_new(item->row, "parameters", json_string(row->parameters));
	item->bytes += strlen(row->parameters);
	if (bad) {
		store_item_free(item);
		return NULL;
	}
	item->written = written;
	item->arg = arg;
	return item;
}

/* A row of nothing but its name: one that goes. */
static struct store_item *name_only(enum store_kind kind, const char *sid)
{
	struct store_item *item = item_new(kind);

	if (item && put(item, "sid", sid)) {
		store_item_free(item);
		return NULL;
	}
	return item;
}

struct store_item *store_item_callback_done(const char *sid)
{
	return name_only(STORE_CALLBACK_DELETE, sid);
}

struct store_item *store_item_bridge(const char *sid, const char *other_sid,
				     const char *account_sid, json_t *state)
{
	struct store_item *item = item_new(STORE_BRIDGE_INSERT);
	int bad = 0;

	if (!item)
		return NULL;
	bad |= put(item, "sid", sid);
	bad |= put(item, "other_sid", other_sid);
	bad |= put(item, "account_sid", account_sid);
	bad |= json_object_set(item->row, "state", state);
	item->bytes += BRIDGE_BYTES;
	if (!bad)
		return item;
	store_item_free(item);
	return NULL;
}

struct store_item *store_item_bridge_done(const char *sid)
{
	return name_only(STORE_BRIDGE_DELETE, sid);
}

void store_item_merge(struct store_item *a, const struct store_item *b)
{
	json_object_update(a->row, b->row);
}
