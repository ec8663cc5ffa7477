/* Lists as CSV (RFC 4180): a line of names, a line a row. */
#include "api/resource.h"

#include <errno.h>
#include <string.h>

#define NAME_SIZE 80

static void add_cell(struct buf *b, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		buf_adds(b, text);
		return;
	}
	buf_addc(b, '"');
	for (; *text; text++) {
		if (*text == '"')
			buf_addc(b, '"');
		buf_addc(b, *text);
	}
	buf_addc(b, '"');
}

static void add_value(struct buf *b, const json_t *value)
{
	char *text;

	if (json_is_null(value))
		return;
	if (json_is_string(value)) {
		add_cell(b, json_string_value(value));
		return;
	}
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	add_cell(b, text ? text : "");
	b->error = text ? b->error : -ENOMEM;
	free(text);
}

/* Members that are addresses of other things have no column. */
static bool has_column(const struct property *p)
{
	return !p->instance_only;
}

int render_csv(struct buf *ret, const struct resource *r, const json_t *json)
{
	const json_t *rows = json_object_get(json, r->list_key);
	char name[NAME_SIZE];
	json_t *row;
	size_t i;

	for (size_t k = 0, n = 0; k < r->n_properties; k++) {
		if (!has_column(&r->properties[k]))
			continue;
		camel(name, sizeof(name), r->properties[k].name);
		buf_addf(ret, "%s%s", n++ ? "," : "", name);
	}
	buf_adds(ret, "\r\n");
	json_array_foreach(rows, i, row)
	{
		for (size_t k = 0, n = 0; k < r->n_properties; k++) {
			if (!has_column(&r->properties[k]))
				continue;
			if (n++)
				buf_addc(ret, ',');
			add_value(ret, json_object_get(row, r->properties[k].name));
		}
		buf_adds(ret, "\r\n");
	}
	return ret->error;
}
