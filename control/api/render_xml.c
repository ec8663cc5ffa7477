/* Answers as XML (sip-and-rest.md §1.0): what JSON shows, in elements named in CamelCase. */
#include "api/resource.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE 80

void camel(char *ret, size_t size, const char *name)
{
	bool up = true;
	size_t n = 0;

	for (; *name && n + 1 < size; name++) {
		if (*name != '_')
			ret[n++] = up ? (char)toupper((unsigned char)*name) : *name;
		up = *name == '_';
	}
	ret[n] = '\0';
}

/* U+FFFE or U+FFFF, in UTF-8. */
static bool is_noncharacter(const char *s)
{
	return !strncmp(s, "\xef\xbf\xbe", 3) || !strncmp(s, "\xef\xbf\xbf", 3);
}

/* XML 1.0 (§2.2) has no place for these two and most control characters: they become U+FFFD. JSON's
 * strings have no surrogates. */
static void add_text(struct buf *b, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '&':
			buf_adds(b, "&amp;");
			break;
		case '<':
			buf_adds(b, "&lt;");
			break;
		case '>':
			buf_adds(b, "&gt;");
			break;
		case '"':
			buf_adds(b, "&quot;");
			break;
		case '\t':
		case '\n':
		case '\r':
			buf_addf(b, "&#%d;", *s);
			break;
		default:
			if ((unsigned char)*s < 0x20) {
				buf_adds(b, "\xef\xbf\xbd");
			} else if (is_noncharacter(s)) {
				buf_adds(b, "\xef\xbf\xbd");
				s += 2;
			} else {
				buf_addc(b, *s);
			}
		}
	}
}

static bool is_name(const char *s)
{
	if (!isalpha((unsigned char)*s))
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
	       strlen(s);
}

static void add_element(struct buf *b, const char *name, const json_t *value);

static void add_content(struct buf *b, const json_t *value)
{
	const char *key;
	json_t *member;
	size_t i;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		json_object_foreach((json_t *)value, key, member)
		{
			add_element(b, key, member);
		}
		break;
	case JSON_ARRAY:
		json_array_foreach(value, i, member)
		{
			add_element(b, "item", member);
		}
		break;
	case JSON_STRING:
		add_text(b, json_string_value(value));
		break;
	case JSON_INTEGER:
		buf_addf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		buf_addf(b, "%.17g", json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		buf_adds(b, json_is_true(value) ? "true" : "false");
		break;
	case JSON_NULL:
		break;
	}
}

/* A key of a customer's (a webhook's parameter) may be no name: it becomes an attribute. */
static void add_element(struct buf *b, const char *name, const json_t *value)
{
	char element[NAME_SIZE];

	if (!is_name(name) || strlen(name) >= sizeof(element)) {
		buf_adds(b, "<Item name=\"");
		add_text(b, name);
		buf_adds(b, "\">");
		add_content(b, value);
		buf_adds(b, "</Item>");
		return;
	}
	camel(element, sizeof(element), name);
	if (json_is_null(value)) {
		buf_addf(b, "<%s/>", element);
		return;
	}
	buf_addf(b, "<%s>", element);
	add_content(b, value);
	buf_addf(b, "</%s>", element);
}

/* The envelope's members are attributes of the list's element; a page that is not there is "". */
static void add_list(struct buf *b, const struct resource *r, const json_t *json,
		     const json_t *rows)
{
	static const struct {
		const char *attribute, *key;
	} attributes[] = {
		{ "page", "page" },
		{ "pagesize", "page_size" },
		{ "uri", "uri" },
		{ "firstpageuri", "first_page_uri" },
		{ "previouspageuri", "previous_page_uri" },
		{ "nextpageuri", "next_page_uri" },
		{ "start", "start" },
		{ "end", "end" },
	};
	char list[NAME_SIZE];
	json_t *row;
	size_t i;

	camel(list, sizeof(list), r->list_key);
	buf_addf(b, "<%s", list);
	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		buf_addf(b, " %s=\"", attributes[i].attribute);
		add_content(b, json_object_get(json, attributes[i].key));
		buf_addc(b, '"');
	}
	buf_addc(b, '>');
	json_array_foreach(rows, i, row)
	{
		add_element(b, r->element, row);
	}
	buf_addf(b, "</%s>", list);
}

int render_xml(struct buf *ret, const struct resource *r, int status, const json_t *json)
{
	const json_t *rows = r && r->list_key ? json_object_get(json, r->list_key) : NULL;

	buf_adds(ret, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<TwilioResponse>");
	if (status >= 400)
		add_element(ret, "RestException", json);
	else if (rows)
		add_list(ret, r, json, rows);
	else
		add_element(ret, r ? r->element : "Item", json);
	return buf_adds(ret, "</TwilioResponse>");
}
