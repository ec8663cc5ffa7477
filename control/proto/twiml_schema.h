/*
 * twiml_schema - what a TwiML document may hold: each element's children, text and attributes, as
 * one table (twiml-and-webhooks.md §1.3, §2; warning codes §1.5). Parser, typed attribute access
 * and documents read it. Pure.
 */
#ifndef HOOKSWITCH_PROTO_TWIML_SCHEMA_H
#define HOOKSWITCH_PROTO_TWIML_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

enum twiml_attr_type {
	TWIML_INT,  /* min..max, or one of words when there are any (read those by twiml_attr_text)
		     */
	TWIML_BOOL, /* true or false */
	TWIML_ENUM, /* one of words, case-sensitive */
	TWIML_METHOD, /* GET or POST, any case */
	TWIML_WORDS,  /* space-separated, each one of words */
	TWIML_CHARS,  /* only characters of words; at most max of them */
	TWIML_ANY,
};

struct twiml_attr_rule {
	const char *name;
	enum twiml_attr_type type;
	const char *words; /* "a|b|c", or the characters of TWIML_CHARS; else NULL */
	long min, max;
	const char *def; /* default, or NULL */
	int warning;	 /* code when the value breaks the rule */
};

struct twiml_element_rule {
	const char *name;
	const char *children; /* "Say|Play|Pause"; "" none */
	bool text;
	int child_warning; /* for a child that may not stand here; 0: 12200 */
	const struct twiml_attr_rule *attrs;
	size_t n_attrs;
};

/* NULL for a name that is no TwiML element. "Response" is the root's. */
const struct twiml_element_rule *twiml_element_rule(const char *name);
const struct twiml_element_rule *
twiml_element_at(size_t index); /* walks the table; NULL at its end */
const struct twiml_attr_rule *twiml_attr_rule(const struct twiml_element_rule *element,
					      const char *name);
bool twiml_child_allowed(const struct twiml_element_rule *parent, const char *name);

/* True when value keeps the rule. */
bool twiml_attr_ok(const struct twiml_attr_rule *rule, const char *value);

/* True when "a|b|c" lists the first len bytes of word. */
bool twiml_words_have(const char *words, const char *word, size_t len);

#endif
