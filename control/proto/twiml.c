#include "proto/twiml.h"

#include "base/buf.h"
#include "proto/twiml_schema.h"
#include "proto/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <expat.h>
#include <iconv.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX    32
#define NODES_MAX    10000
#define WARNINGS_MAX 100
#define CHUNK_BYTES  16384

#define CODE_SCHEMA	  12200
#define CODE_PARSE	  12100
#define CODE_VERSION	  12101
#define CODE_ROOT	  12102
#define CODE_TOO_LARGE	  11750
#define CODE_SEVERAL_KEYS 13311 /* Gather: more than one finishOnKey */

/* The document's memory: chunks that go together. */
struct chunk {
	struct chunk *next;
	size_t used, size;
	alignas(max_align_t) char data[];
};

struct parser {
	XML_Parser expat;
	struct twiml *doc;
	struct chunk **arena;
	struct twiml_node *current; /* element being filled */
	struct twiml_node *last;    /* its last child */
	struct twiml_warning **warning_tail;
	unsigned skip; /* depth below an element that was left out */
	unsigned depth, nodes, warnings;
	struct buf text;	  /* character data not yet a node */
	struct twiml_error error; /* code 0: none */
	int r;
};

static void *arena_get(struct chunk **arena, size_t size)
{
	struct chunk *c = *arena;

	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!c || c->size - c->used < size) {
		size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;

		c = malloc(sizeof(*c) + room);
		if (!c)
			return NULL;
		c->next = *arena;
		c->used = 0;
		c->size = room;
		*arena = c;
	}
	c->used += size;
	return memset(c->data + c->used - size, 0, size);
}

static char *arena_copy(struct chunk **arena, const char *s, size_t len)
{
	char *copy = arena_get(arena, len + 1);

	if (copy)
		memcpy(copy, s, len);
	return copy;
}

static void fail(struct parser *p, int r)
{
	if (p->r == 0)
		p->r = r;
	XML_StopParser(p->expat, XML_FALSE);
}

static void refuse(struct parser *p, int code, const char *message)
{
	if (!p->error.code) {
		p->error.code = code;
		p->error.line = (unsigned)XML_GetCurrentLineNumber(p->expat);
		p->error.column = (unsigned)XML_GetCurrentColumnNumber(p->expat) + 1;
		snprintf(p->error.message, sizeof(p->error.message), "%s", message);
	}
	fail(p, -EINVAL);
}

static void warn(struct parser *p, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void warn(struct parser *p, int code, const char *fmt, ...)
{
	struct twiml_warning *w;
	va_list ap;

	if (p->warnings++ >= WARNINGS_MAX)
		return;
	w = arena_get(p->arena, sizeof(*w));
	if (!w) {
		fail(p, -ENOMEM);
		return;
	}
	w->code = code;
	w->line = (unsigned)XML_GetCurrentLineNumber(p->expat);
	w->column = (unsigned)XML_GetCurrentColumnNumber(p->expat) + 1;
	va_start(ap, fmt);
	vsnprintf(w->message, sizeof(w->message), fmt, ap);
	va_end(ap);
	utf8_clean(w->message); /* a length limit may have cut a sequence */
	*p->warning_tail = w;
	p->warning_tail = &w->next;
}

static void append(struct parser *p, struct twiml_node *n)
{
	n->parent = p->current;
	if (p->last)
		p->last->next = n;
	else if (p->current)
		p->current->first = n;
	p->last = n;
}

static struct twiml_node *node_new(struct parser *p, enum twiml_node_type type)
{
	struct twiml_node *n;

	if (++p->nodes > NODES_MAX) {
		refuse(p, CODE_PARSE, "the document has too many nodes");
		return NULL;
	}
	n = arena_get(p->arena, sizeof(*n));
	if (!n) {
		fail(p, -ENOMEM);
		return NULL;
	}
	n->type = type;
	n->line = (unsigned)XML_GetCurrentLineNumber(p->expat);
	n->column = (unsigned)XML_GetCurrentColumnNumber(p->expat) + 1;
	return n;
}

static bool blank(const char *s)
{
	return !s || s[strspn(s, " \t\r\n")] == '\0';
}

/* Character data that came since the last tag becomes a text node; where text may not stand, a
 * warning. */
static void flush_text(struct parser *p)
{
	const struct twiml_element_rule *rule;
	struct twiml_node *n;

	if (!p->text.len || !p->current)
		return;
	rule = twiml_element_rule(p->current->name);
	if (rule && !rule->text) {
		if (!blank(p->text.data))
			warn(p, CODE_SCHEMA,
			     "cvc-complex-type.2.3: Element '%.60s' cannot have character "
			     "[children], because the "
			     "type's content type is element-only.",
			     p->current->name);
		buf_reset(&p->text);
		return;
	}
	n = node_new(p, TWIML_TEXT);
	if (!n)
		return;
	n->text = arena_copy(p->arena, p->text.data, p->text.len);
	buf_reset(&p->text);
	if (!n->text)
		fail(p, -ENOMEM);
	else
		append(p, n);
}

static void warn_child(struct parser *p, const struct twiml_element_rule *parent, const char *name)
{
	char expected[320];
	size_t n = 0;

	for (const char *s = parent->children; *s && n + 3 < sizeof(expected); s++) {
		if (*s == '|')
			expected[n++] = ',';
		expected[n++] = *s == '|' ? ' ' : *s;
	}
	expected[n] = '\0';
	if (*expected)
		warn(p, parent->child_warning ? parent->child_warning : CODE_SCHEMA,
		     "cvc-complex-type.2.4.a: Invalid content was found starting with element "
		     "'%.40s'. One of '{%s}' is expected.",
		     name, expected);
	else
		warn(p, CODE_SCHEMA,
		     "cvc-complex-type.2.1: Element '%.40s' must have no [children]; '%.40s' was "
		     "found.",
		     parent->name, name);
}

static int attr_code(const struct twiml_attr_rule *rule, const struct twiml_node *n,
		     const char *value)
{
	if (!strcmp(n->name, "Gather") && !strcmp(rule->name, "finishOnKey") && strlen(value) > 1)
		return CODE_SEVERAL_KEYS;
	/* A Say within a Gather has codes of its own. */
	if (n->parent && !strcmp(n->parent->name, "Gather") && rule->warning == 13510)
		return 13322;
	return rule->warning;
}

static void take_attrs(struct parser *p, struct twiml_node *n,
		       const struct twiml_element_rule *rule, const char **atts)
{
	/* Behind these come a DTD's defaults: ignored as all of a DOCTYPE, and a way to blow up a
	 * document. */
	size_t count = (size_t)XML_GetSpecifiedAttributeCount(p->expat);
	struct twiml_attr *attrs = arena_get(p->arena, (count / 2 + 1) * sizeof(*attrs));

	if (!attrs) {
		fail(p, -ENOMEM);
		return;
	}
	n->attrs = attrs;
	for (const char **end = atts + count; atts < end && *atts; atts += 2) {
		const struct twiml_attr_rule *attr = twiml_attr_rule(rule, atts[0]);

		if (!attr) {
			/* Namespaces and schema locations are XML's, not ours. */
			if (strncmp(atts[0], "xmlns", 5) && strncmp(atts[0], "xsi:", 4))
				warn(p, CODE_SCHEMA,
				     "cvc-complex-type.3.2.2: Attribute '%.60s' is not allowed to "
				     "appear in element '%.60s'.",
				     atts[0], n->name);
			continue;
		}
		if (!twiml_attr_ok(attr, atts[1])) {
			warn(p, attr_code(attr, n, atts[1]),
			     "The value '%.60s' of attribute '%.40s' on element '%.40s' is not "
			     "valid.",
			     atts[1], atts[0], n->name);
			continue;
		}
		attrs[n->n_attrs].name = attr->name;
		attrs[n->n_attrs].value = arena_copy(p->arena, atts[1], strlen(atts[1]));
		if (!attrs[n->n_attrs++].value)
			fail(p, -ENOMEM);
	}
}

static void start_root(struct parser *p, const char *name, const char **atts)
{
	struct twiml_node *n;

	if (strcmp(name, "Response")) {
		refuse(p, CODE_ROOT, "The root element must be Response");
		return;
	}
	for (const char **a = atts; *a; a += 2) {
		if (!strcmp(a[0], "version") && strcmp(a[1], "1.0") && strcmp(a[1], "2008-08-01") &&
		    strcmp(a[1], "2010-04-01")) {
			refuse(p, CODE_VERSION, "Invalid version attribute on Response");
			return;
		}
	}
	n = node_new(p, TWIML_ELEMENT);
	if (!n)
		return;
	n->name = "Response";
	take_attrs(p, n, twiml_element_rule("Response"), atts);
	p->doc->response = p->current = n;
	p->last = NULL;
}

static bool has_attr(const char **atts, const char *name)
{
	for (; *atts; atts += 2)
		if (!strcmp(atts[0], name))
			return true;
	return false;
}

static void on_start(void *arg, const char *name, const char **atts)
{
	struct parser *p = arg;
	const struct twiml_element_rule *rule, *parent;
	struct twiml_node *n;

	if (p->r < 0)
		return;
	if (++p->depth > DEPTH_MAX) {
		refuse(p, CODE_PARSE, "the document is nested too deeply");
		return;
	}
	if (p->skip) {
		p->skip++;
		return;
	}
	if (!p->current) {
		start_root(p, name, atts);
		return;
	}
	flush_text(p);
	parent = twiml_element_rule(p->current->name);
	rule = twiml_element_rule(name);
	if (!rule || !twiml_child_allowed(parent, name)) {
		warn_child(p, parent, name);
		p->skip = 1;
		return;
	}
	if (!strcmp(name, "Play") && !strcmp(parent->name, "Gather") && has_attr(atts, "digits")) {
		warn(p, parent->child_warning,
		     "Play with the attribute 'digits' must not stand in Gather.");
		p->skip = 1;
		return;
	}
	n = node_new(p, TWIML_ELEMENT);
	if (!n)
		return;
	n->name = rule->name;
	append(p, n);
	take_attrs(p, n, rule, atts);
	p->current = n;
	p->last = NULL;
}

static void on_end(void *arg, const char *name)
{
	struct parser *p = arg;

	(void)name;
	if (p->r < 0)
		return;
	p->depth--;
	if (p->skip) {
		p->skip--;
		return;
	}
	flush_text(p);
	p->last = p->current;
	p->current = p->current->parent;
}

static void on_text(void *arg, const char *s, int len)
{
	struct parser *p = arg;

	if (p->r < 0 || p->skip || !p->current)
		return;
	if (buf_add(&p->text, s, (size_t)len) < 0)
		fail(p, -ENOMEM);
}

/* An entity declaration is how documents explode or read files: refused, whatever it says. */
static void on_entity(void *arg, const char *name, int is_parameter, const char *value,
		      int value_len, const char *base, const char *system_id, const char *public_id,
		      const char *notation)
{
	(void)name;
	(void)is_parameter;
	(void)value;
	(void)value_len;
	(void)base;
	(void)system_id;
	(void)public_id;
	(void)notation;
	refuse(arg, CODE_PARSE, "entity declarations are not allowed");
}

/* A reference to an entity that nobody declared (expat reports it so when there is a DOCTYPE). */
static void on_skipped_entity(void *arg, const char *name, int is_parameter)
{
	(void)name;
	if (!is_parameter)
		refuse(arg, CODE_PARSE, "an undeclared entity was referenced");
}

/* "windows-1252", "ISO-8859-15", "KOI8-R": charsets of one byte a character. */
static bool is_single_byte(const char *charset)
{
	static const char *const prefixes[] = { "windows-125", "ISO-8859-", "KOI8-" };

	for (size_t i = 0; charset && i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t n = strlen(prefixes[i]);

		if (!strncasecmp(charset, prefixes[i], n))
			return strlen(charset) - n <= 2 && isalnum((unsigned char)charset[n]);
	}
	return false;
}

/* Encodings that expat lacks, by iconv; only those above, since iconv's larger ones are no place
 * for hostile bytes. */
static int on_encoding(void *arg, const char *name, XML_Encoding *ret)
{
	iconv_t cd;

	(void)arg;
	if (!is_single_byte(name))
		return XML_STATUS_ERROR;
	cd = iconv_open("UTF-32LE", name);
	if (cd == (iconv_t)-1)
		return XML_STATUS_ERROR;
	for (int i = 0; i < 256; i++) {
		char byte = (char)i, *in = &byte;
		uint32_t code = 0;
		char *out = (char *)&code;
		size_t in_left = 1, out_left = sizeof(code);

		ret->map[i] = iconv(cd, &in, &in_left, &out, &out_left) == (size_t)-1 || out_left
				      ? -1
				      : (int)code;
		iconv(cd, NULL, NULL, NULL, NULL);
	}
	iconv_close(cd);
	ret->data = NULL;
	ret->convert = NULL;
	ret->release = NULL;
	return XML_STATUS_OK;
}

static const char *known_charset(const char *charset)
{
	static const char *const known[] = { "UTF-8", "UTF-16", "ISO-8859-1", "US-ASCII" };

	for (size_t i = 0; charset && i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcasecmp(charset, known[i]))
			return known[i];
	return is_single_byte(charset) ? charset : NULL;
}

int twiml_parse(struct twiml **ret, struct twiml_error *error, const char *text, size_t len,
		const char *charset, size_t max_bytes)
{
	struct parser p = { 0 };

	*error = (struct twiml_error){ 0 };
	if (len > max_bytes) {
		error->code = CODE_TOO_LARGE;
		snprintf(error->message, sizeof(error->message),
			 "the document has %zu bytes, more than %zu", len, max_bytes);
		return -EINVAL;
	}
	buf_init(&p.text, 4 * max_bytes); /* as UTF-8 */
	p.doc = calloc(1, sizeof(*p.doc));
	p.expat = XML_ParserCreate(known_charset(charset));
	if (!p.doc || !p.expat) {
		p.r = -ENOMEM;
		goto out;
	}
	p.arena = (struct chunk **)&p.doc->arena;
	p.warning_tail = &p.doc->warnings;
	XML_SetUserData(p.expat, &p);
	XML_SetElementHandler(p.expat, on_start, on_end);
	XML_SetCharacterDataHandler(p.expat, on_text);
	XML_SetEntityDeclHandler(p.expat, on_entity);
	XML_SetUnknownEncodingHandler(p.expat, on_encoding, NULL);
	XML_SetSkippedEntityHandler(p.expat, on_skipped_entity);
	XML_SetParamEntityParsing(p.expat, XML_PARAM_ENTITY_PARSING_NEVER);
	if (XML_Parse(p.expat, text, (int)len, 1) == XML_STATUS_ERROR && p.r == 0) {
		enum XML_Error code = XML_GetErrorCode(p.expat);

		if (code == XML_ERROR_NO_MEMORY)
			p.r = -ENOMEM;
		else
			refuse(&p, CODE_PARSE, XML_ErrorString(code));
	}
out:
	if (p.expat)
		XML_ParserFree(p.expat);
	buf_done(&p.text);
	if (p.r < 0) {
		twiml_free(p.doc);
		*error = p.error;
		return p.r;
	}
	*ret = p.doc;
	return 0;
}

void twiml_free(struct twiml *doc)
{
	struct chunk *c, *next;

	if (!doc)
		return;
	for (c = doc->arena; c; c = next) {
		next = c->next;
		free(c);
	}
	free(doc);
}
