/* A document; its first byte chooses a charset. Its tree keeps to the schema, and the content of
 * each element is XML again. */
#include "fuzz.h"

#include "proto/twiml.h"
#include "proto/twiml_schema.h"
#include "proto/utf8.h"

#define MAX_BYTES 65536

static void is_document(const char *xml, const char *element)
{
	size_t size = strlen(xml) + 200;
	char *text = malloc(size);
	struct twiml_error e;
	struct twiml *doc;
	int n;

	n = snprintf(text, size, "<Response><%s>%s</%s></Response>", element, xml, element);
	MUST(twiml_parse(&doc, &e, text, (size_t)n, "UTF-8", size) == 0);
	MUST(!doc->warnings);
	twiml_free(doc);
	free(text);
}

static void attributes(const struct twiml_node *n, const struct twiml_element_rule *rule)
{
	for (size_t i = 0; i < n->n_attrs; i++) {
		const struct twiml_attr_rule *attr = twiml_attr_rule(rule, n->attrs[i].name);

		MUST(attr && twiml_attr_ok(attr, n->attrs[i].value));
	}
	for (size_t i = 0; i < rule->n_attrs; i++) {
		const struct twiml_attr_rule *attr = &rule->attrs[i];
		int value = twiml_attr_int(n, attr->name);

		if (attr->type == TWIML_INT && !attr->words)
			MUST(value == 0 || (value >= attr->min && value <= attr->max));
		(void)twiml_attr_bool(n, attr->name);
		(void)twiml_attr_text(n, attr->name);
	}
}

static void walk(const struct twiml_node *n)
{
	const struct twiml_element_rule *rule = twiml_element_rule(n->name);
	char *text;

	MUST(rule);
	attributes(n, rule);
	text = twiml_text(n, true);
	MUST(text && utf8_ok(text, strlen(text)));
	free(text);
	if (!strcmp(n->name, "Say")) {
		text = twiml_xml(n);
		MUST(text);
		is_document(text, "Say");
		free(text);
	}
	for (const struct twiml_node *c = n->first; c; c = c->next) {
		MUST(c->parent == n);
		if (c->type == TWIML_TEXT) {
			MUST(rule->text && utf8_ok(c->text, strlen(c->text)));
			continue;
		}
		MUST(twiml_child_allowed(rule, c->name));
		walk(c);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const charsets[] = { NULL,	    "UTF-8",	    "UTF-16", "ISO-8859-1",
						"US-ASCII", "windows-1252", "KOI8-R", "x" };
	struct twiml_error e;
	struct twiml *doc;
	int r;

	if (!size)
		return 0;
	r = twiml_parse(&doc, &e, (const char *)data + 1, size - 1, charsets[data[0] % 8],
			MAX_BYTES);
	if (r < 0) {
		MUST(e.code == 12100 || e.code == 12101 || e.code == 12102 || e.code == 11750);
		MUST(utf8_ok(e.message, strlen(e.message)));
		return 0;
	}
	for (const struct twiml_warning *w = doc->warnings; w; w = w->next)
		MUST(w->code >= 12200 && w->line && w->column &&
		     utf8_ok(w->message, strlen(w->message)));
	walk(doc->response);
	twiml_free(doc);
	return 0;
}
