/*
 * twiml - a TwiML document: XML bytes to a tree of elements, and the schema that says what may
 * stand where (twiml-and-webhooks.md §1.1-§1.5). Pure (expat); knows nothing of calls.
 */
#ifndef HOOKSWITCH_PROTO_TWIML_H
#define HOOKSWITCH_PROTO_TWIML_H

#include <stdbool.h>
#include <stddef.h>

struct twiml_attr {
	const char *name, *value;
};

enum twiml_node_type { TWIML_ELEMENT, TWIML_TEXT };

/* A node. Strings and nodes live as long as the document. */
struct twiml_node {
	enum twiml_node_type type;
	const char *name; /* element name; NULL for text */
	const char *text; /* text content (character data joined); NULL for elements */
	const struct twiml_attr *attrs; /* n_attrs */
	size_t n_attrs;
	unsigned line, column; /* 1-based, of the start tag */
	struct twiml_node *parent, *first, *next;
};

/* One schema violation: a 12200 or a 13xxx warning. */
struct twiml_warning {
	int code;
	unsigned line, column;
	char message[512]; /* the parserMessage, UTF-8 */
	struct twiml_warning *next;
};

struct twiml {
	struct twiml_node *response;	/* the root */
	struct twiml_warning *warnings; /* in document order */
	void *arena;
};

struct twiml_error {
	int code; /* 12100, 12101, 12102, 11750 */
	unsigned line, column;
	char message[256];
};

/*
 * Parses and checks a document of at most max_bytes. charset: of the Content-Type, or NULL; UTF-8,
 * UTF-16, ISO-8859-x, windows-125x, US-ASCII and KOI8 are known, for others the XML declaration
 * counts (§1.1). DOCTYPE and processing instructions are ignored, entities other than the five of
 * XML and character references are refused (but dropped from an attribute when an external DTD
 * might have declared them; none is ever resolved), depth, node count and number of warnings are
 * bounded. 0 and *ret (twiml_free), or -EINVAL and *error, or -ENOMEM. Elements and attributes that
 * the schema (§1.3) does not know, and known verbs where they may not stand, are left out of the
 * tree and stand in warnings; the rest remains.
 */
int twiml_parse(struct twiml **ret, struct twiml_error *error, const char *text, size_t len,
		const char *charset, size_t max_bytes);
void twiml_free(struct twiml *doc); /* NULL is fine */

const char *twiml_attr(const struct twiml_node *n, const char *name); /* NULL: absent */

/*
 * Typed attributes: the value, or the default of the attribute's row in twiml_schema.c (the only
 * place that names attributes, their rules, defaults and codes). A value out of its rule is not in
 * the tree: the parser left it out and warned with the row's code.
 */
int twiml_attr_int(const struct twiml_node *n, const char *name); /* 0 without value and default */
bool twiml_attr_bool(const struct twiml_node *n, const char *name);
const char *twiml_attr_text(const struct twiml_node *n,
			    const char *name); /* methods in upper case; may be NULL */

/* All text below n, white space collapsed to single spaces and trimmed (collapse) or only trimmed.
 * malloced. */
char *twiml_text(const struct twiml_node *n, bool collapse);

/* The content of n as well-formed XML: text escaped, elements with their attributes. For speech
 * (SSML). malloced. */
char *twiml_xml(const struct twiml_node *n);

#endif
