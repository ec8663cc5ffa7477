/* Reading a parsed document: typed attributes, text, and content as XML. */
#include "proto/twiml.h"

#include "base/buf.h"
#include "proto/twiml_schema.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX_BYTES (1 << 20) /* of what a document can hold at most, escaped */

const char *twiml_attr(const struct twiml_node *n, const char *name)
{
	for (size_t i = 0; i < n->n_attrs; i++)
		if (!strcmp(n->attrs[i].name, name))
			return n->attrs[i].value;
	return NULL;
}

static const char *value_of(const struct twiml_node *n, const char *name,
			    const struct twiml_attr_rule **rule)
{
	const char *value = twiml_attr(n, name);

	*rule = twiml_attr_rule(twiml_element_rule(n->name), name);
	return value || !*rule ? value : (*rule)->def;
}

int twiml_attr_int(const struct twiml_node *n, const char *name)
{
	const struct twiml_attr_rule *rule;
	const char *value = value_of(n, name, &rule);

	return value ? atoi(value) : 0;
}

bool twiml_attr_bool(const struct twiml_node *n, const char *name)
{
	const struct twiml_attr_rule *rule;
	const char *value = value_of(n, name, &rule);

	return value && !strcmp(value, "true");
}

const char *twiml_attr_text(const struct twiml_node *n, const char *name)
{
	const struct twiml_attr_rule *rule;
	const char *value = value_of(n, name, &rule);

	if (value && rule && rule->type == TWIML_METHOD)
		return strcasecmp(value, "GET") ? "POST" : "GET";
	return value;
}

static void add_text(const struct twiml_node *n, struct buf *b)
{
	for (const struct twiml_node *c = n->first; c; c = c->next) {
		if (c->type == TWIML_TEXT)
			buf_adds(b, c->text);
		else
			add_text(c, b);
	}
}

char *twiml_text(const struct twiml_node *n, bool collapse)
{
	struct buf b;
	char *s, *out, *in;
	size_t len;

	buf_init(&b, TEXT_MAX_BYTES);
	add_text(n, &b);
	s = buf_steal(&b);
	if (!s)
		return NULL;
	in = s + strspn(s, " \t\r\n");
	for (out = s; *in; in++) {
		if (collapse && isspace((unsigned char)*in)) {
			if (out > s && out[-1] != ' ')
				*out++ = ' ';
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
	for (len = strlen(s); len && isspace((unsigned char)s[len - 1]); len--)
		s[len - 1] = '\0';
	return s;
}

static void add_escaped(struct buf *b, const char *s)
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
		default:
			buf_addc(b, *s);
		}
	}
}

static void add_xml(const struct twiml_node *n, struct buf *b)
{
	for (const struct twiml_node *c = n->first; c; c = c->next) {
		if (c->type == TWIML_TEXT) {
			add_escaped(b, c->text);
			continue;
		}
		buf_addf(b, "<%s", c->name);
		for (size_t i = 0; i < c->n_attrs; i++) {
			buf_addf(b, " %s=\"", c->attrs[i].name);
			add_escaped(b, c->attrs[i].value);
			buf_addc(b, '"');
		}
		if (!c->first) {
			buf_adds(b, "/>");
			continue;
		}
		buf_addc(b, '>');
		add_xml(c, b);
		buf_addf(b, "</%s>", c->name);
	}
}

char *twiml_xml(const struct twiml_node *n)
{
	struct buf b;

	buf_init(&b, TEXT_MAX_BYTES);
	add_xml(n, &b);
	return buf_steal(&b);
}
