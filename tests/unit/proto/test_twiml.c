#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/twiml.h"
#include "proto/twiml_schema.h"

#define MAX_BYTES 65536

static int parse_bytes(struct twiml **doc, struct twiml_error *e, const char *text, size_t len,
		       const char *charset)
{
	/* A copy of its exact size, so that the sanitizer sees a read behind it. */
	char *exact = malloc(len ? len : 1);
	int r;

	memcpy(exact, text, len);
	*doc = NULL;
	r = twiml_parse(doc, e, exact, len, charset, MAX_BYTES);
	free(exact);
	return r;
}

static struct twiml *parse_as(const char *text, const char *charset)
{
	struct twiml_error e;
	struct twiml *doc;

	if (parse_bytes(&doc, &e, text, strlen(text), charset) < 0)
		fail_msg("%s: %d line %u column %u: %s", text, e.code, e.line, e.column, e.message);
	return doc;
}

static struct twiml *parse(const char *text)
{
	return parse_as(text, NULL);
}

static struct twiml_error refused_as(const char *text, size_t len, const char *charset, int code)
{
	struct twiml_error e;
	struct twiml *doc;

	if (parse_bytes(&doc, &e, text, len, charset) != -EINVAL || e.code != code)
		fail_msg("%.200s: %d, not %d", text, e.code, code);
	return e;
}

static struct twiml_error refused(const char *text, int code)
{
	return refused_as(text, strlen(text), NULL, code);
}

/* The codes of the document's warnings, "12200 13410". */
static const char *codes(const struct twiml *doc)
{
	static char text[1000];

	text[0] = '\0';
	for (const struct twiml_warning *w = doc->warnings; w; w = w->next)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d", *text ? " " : "",
			 w->code);
	return text;
}

static void warns(const char *verbs, const char *wanted)
{
	char text[2000];
	struct twiml *doc;

	snprintf(text, sizeof(text), "<Response>%s</Response>", verbs);
	doc = parse(text);
	if (strcmp(codes(doc), wanted))
		fail_msg("%s: '%s', not '%s'", verbs, codes(doc), wanted);
	twiml_free(doc);
}

static struct twiml_node *first(const struct twiml *doc)
{
	return doc->response->first;
}

static char *text_of(const struct twiml_node *n, bool collapse)
{
	static char kept[1000];
	char *text = twiml_text(n, collapse);

	snprintf(kept, sizeof(kept), "%s", text);
	free(text);
	return kept;
}

static char *xml_of(const struct twiml_node *n)
{
	static char kept[1000];
	char *xml = twiml_xml(n);

	snprintf(kept, sizeof(kept), "%s", xml);
	free(xml);
	return kept;
}

static void a_document_becomes_a_tree_in_its_order(void **state)
{
	struct twiml *doc = parse("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>\n  "
				  "<Gather numDigits=\"1\" action=\"/g?a=1&amp;b=2\">\n"
				  "    <Say>one</Say><!-- x --><Pause/>\n  </Gather>\n  <Redirect> "
				  "/v2 </Redirect>\n</Response>\n");
	struct twiml_node *gather = first(doc);

	(void)state;
	assert_null(doc->warnings);
	assert_string_equal(doc->response->name, "Response");
	assert_null(doc->response->parent);
	assert_int_equal(gather->type, TWIML_ELEMENT);
	assert_string_equal(gather->name, "Gather");
	assert_ptr_equal(gather->parent, doc->response);
	assert_int_equal(gather->line, 3);
	assert_int_equal(gather->column, 3);
	assert_string_equal(twiml_attr(gather, "action"), "/g?a=1&b=2");
	assert_null(twiml_attr(gather, "timeout"));
	assert_string_equal(gather->first->name, "Say");
	assert_string_equal(gather->first->next->name, "Pause");
	assert_null(gather->first->next->next);
	assert_string_equal(gather->next->name, "Redirect");
	assert_string_equal(text_of(gather->next, false), "/v2");
	assert_null(gather->next->next);
	twiml_free(doc);
}

static void an_empty_response_is_valid(void **state)
{
	struct twiml *doc = parse("<Response/>");

	(void)state;
	assert_null(first(doc));
	assert_null(doc->warnings);
	twiml_free(doc);
}

static void attributes_are_typed_and_have_defaults(void **state)
{
	struct twiml *doc =
		parse("<Response><Gather method=\"get\" timeout=\"7\" bargeIn=\"false\"/><Gather "
		      "finishOnKey=\"\"/><Play loop=\"0\">x</Play></Response>");
	struct twiml_node *g = first(doc), *h = g->next, *play = h->next;

	(void)state;
	assert_string_equal(codes(doc), "");
	assert_string_equal(twiml_attr_text(g, "method"), "GET");
	assert_int_equal(twiml_attr_int(g, "timeout"), 7);
	assert_int_equal(twiml_attr_int(g, "numDigits"), 0);
	assert_false(twiml_attr_bool(g, "bargeIn"));
	assert_false(twiml_attr_bool(g, "actionOnEmptyResult"));
	assert_string_equal(twiml_attr_text(g, "finishOnKey"), "#");
	assert_null(twiml_attr_text(g, "action"));
	assert_string_equal(twiml_attr_text(h, "method"), "POST");
	assert_int_equal(twiml_attr_int(h, "timeout"), 5);
	assert_true(twiml_attr_bool(h, "bargeIn"));
	assert_string_equal(twiml_attr_text(h, "finishOnKey"), "");
	assert_string_equal(twiml_attr_text(h, "input"), "dtmf");
	assert_int_equal(twiml_attr_int(play, "loop"), 0);
	twiml_free(doc);
}

static void t14_an_unknown_verb_is_skipped_with_a_warning_and_the_rest_stays(void **state)
{
	struct twiml *doc = parse("<Response>\n <say>x</say><Play>/a.wav</Play></Response>");

	(void)state;
	assert_string_equal(codes(doc), "12200");
	assert_int_equal(doc->warnings->line, 2);
	assert_int_equal(doc->warnings->column, 2);
	assert_string_equal(doc->warnings->message,
			    "cvc-complex-type.2.4.a: Invalid content was found starting with "
			    "element 'say'. One of '{Connect, Dial, Echo, Enqueue, "
			    "Gather, Hangup, Leave, Pause, Pay, Play, Prompt, Queue, Record, "
			    "Redirect, Refer, Reject, Say, Sms, Start, Stop}' is expected.");
	assert_string_equal(first(doc)->name, "Play");
	assert_null(first(doc)->next);
	assert_string_equal(text_of(first(doc), false), "/a.wav");
	twiml_free(doc);
}

static void t16_a_bad_value_is_left_out_with_its_warning(void **state)
{
	struct twiml *doc = parse("<Response><Play loop=\"x\">/a.wav</Play></Response>");

	(void)state;
	assert_string_equal(codes(doc), "13410");
	assert_null(twiml_attr(first(doc), "loop"));
	assert_int_equal(twiml_attr_int(first(doc), "loop"), 1);
	twiml_free(doc);
}

static void t36_a_gather_with_all_wrong_is_a_default_gather(void **state)
{
	struct twiml *doc = parse("<Response><Gather finishOnKey=\"12\" "
				  "numDigits=\"0\"><Dial>1</Dial></Gather></Response>");
	struct twiml_node *g = first(doc);

	(void)state;
	assert_string_equal(codes(doc), "13311 13314 13320");
	assert_null(g->first);
	assert_string_equal(twiml_attr_text(g, "finishOnKey"), "#");
	assert_int_equal(twiml_attr_int(g, "numDigits"), 0);
	twiml_free(doc);
}

static void each_attribute_has_its_code(void **state)
{
	(void)state;
	warns("<Say loop='-1'>x</Say>", "13510");
	warns("<Play digits='1x'/>", "13430");
	warns("<Play digits='0123456789*#wWABCD'/>", "");
	warns("<Pause length='0'/><Pause length='1.5'/><Pause length=' 1'/><Pause "
	      "length='99999999999999999999'/>",
	      "13910 13910 13910 13910");
	warns("<Gather finishOnKey='a' method='PUT' timeout='0' numDigits='x'/>",
	      "13310 13312 13313 13314");
	warns("<Gather timeout='auto' input='voice' speechTimeout='0' speechModel='x'/>",
	      "13313 13326 13327 13334");
	warns("<Gather speechTimeout='auto' input='speech dtmf'/><Gather speechTimeout='3' "
	      "input='dtmf speech'/>",
	      "");
	warns("<Gather input=''/><Gather actionOnEmptyResult='TRUE' profanityFilter='1' "
	      "bargeIn='yes'/>",
	      "13326 13338 13333 13332");
	warns("<Gather><Say loop='x'>x</Say><Play digits='1'/><Play loop='x'>y</Play></Gather>",
	      "13322 13320 13410");
	warns("<Record method='x' timeout='-1' maxLength='1' finishOnKey='a' transcribe='x' "
	      "playBeep='x' trim='x'/>",
	      "13610 13611 13612 13613 13614 13616 13699");
	warns("<Dial method='x' timeout='x' hangupOnStar='x' timeLimit='0' record='x' "
	      "sequential='x' answerOnBridge='x' ringTone='xx'/>",
	      "13210 13212 13213 13216 13217 13218 13219 13220");
	warns("<Dial><Number method='x' sendDigits='x'>1</Number><Sip method='x' "
	      "sendDigits='x'>s</Sip></Dial>",
	      "13221 13222 13241 13242");
	warns("<Dial><Conference muted='x' endConferenceOnExit='x' startConferenceOnEnter='x' "
	      "waitMethod='x' beep='x' trim='x'>c</Conference></Dial>",
	      "13230 13231 13232 13234 13235 13239");
	warns("<Redirect method='x'>y</Redirect><Reject reason='foo'/>", "13710 13810");
	warns("<Enqueue method='x' waitUrlMethod='x'>q</Enqueue><Dial><Queue "
	      "method='x'>q</Queue></Dial>",
	      "14201 14206 14210");
}

static void an_unknown_attribute_is_ignored_with_a_warning(void **state)
{
	struct twiml *doc =
		parse("<Response xmlns:xsi='x' xsi:noNamespaceSchemaLocation='y'><Pause "
		      "Length='3'/></Response>");

	(void)state;
	assert_string_equal(codes(doc), "12200");
	assert_string_equal(doc->warnings->message, "cvc-complex-type.3.2.2: Attribute 'Length' is "
						    "not allowed to appear in element 'Pause'.");
	assert_int_equal(twiml_attr_int(first(doc), "length"), 1);
	twiml_free(doc);
}

static void nesting_has_its_codes(void **state)
{
	(void)state;
	warns("<Dial><Say>x</Say></Dial>", "13215");
	warns("<Start><Say>x</Say></Start>", "14300");
	warns("<Pause><Say>x</Say></Pause>", "12200");
	warns("<Say>a <break/> b <Play>x</Play></Say>", "12200");
	warns("<Number>1</Number>", "12200");
	warns("<Response/>", "12200");
	warns("stray text<Pause/>", "12200");
	warns("<Gather>stray</Gather><Hangup>now</Hangup>", "12200 12200");
	warns("<Dial>+1555<Sip>sip:a@h</Sip></Dial><Dial><Client><Identity>a</Identity><Parameter "
	      "name='n' value='v'/></Client></Dial>",
	      "");
	warns("<Connect><Stream url='wss://h'><Parameter name='a' "
	      "value='b'/></Stream></Connect><Refer><Sip>sip:a@h</Sip></Refer>",
	      "");
}

static void what_is_below_a_skipped_element_is_gone_too(void **state)
{
	struct twiml *doc =
		parse("<Response><Foo><Say>a</Say><Bar>x</Bar></Foo><Say>b</Say></Response>");

	(void)state;
	assert_string_equal(codes(doc), "12200");
	assert_string_equal(first(doc)->name, "Say");
	assert_string_equal(text_of(first(doc), true), "b");
	twiml_free(doc);
}

static void text_is_trimmed_and_on_wish_collapsed(void **state)
{
	struct twiml *doc = parse("<Response><Say>\n  Hello,\t <emphasis> wide\n\nworld</emphasis> "
				  "<![CDATA[<&]]>&#33;&lt;<!-- c -->\n</Say></Response>");

	(void)state;
	assert_string_equal(text_of(first(doc), true), "Hello, wide world <&!<");
	assert_string_equal(text_of(first(doc), false), "Hello,\t  wide\n\nworld <&!<");
	twiml_free(doc);
	doc = parse("<Response><Say> \n\t </Say></Response>");
	assert_string_equal(text_of(first(doc), true), "");
	assert_string_equal(text_of(first(doc), false), "");
	twiml_free(doc);
}

static void the_content_of_say_comes_back_as_xml(void **state)
{
	struct twiml *doc =
		parse("<Response><Say>a &amp; b &lt;c&gt; <break time=\"1s\" "
		      "strength='weak'/><say-as interpret-as='date' format='dmy'>1 &quot;2</say-as>"
		      "<lang xml:lang='fr-FR'><p>\xc3\xa9</p></lang><sub "
		      "alias='a\"&lt;b'>c</sub><Foo>gone</Foo></Say></Response>");

	(void)state;
	assert_string_equal(xml_of(first(doc)),
			    "a &amp; b &lt;c&gt; <break time=\"1s\" strength=\"weak\"/><say-as "
			    "interpret-as=\"date\" format=\"dmy\">1 &quot;2</say-as>"
			    "<lang xml:lang=\"fr-FR\"><p>\xc3\xa9</p></lang><sub "
			    "alias=\"a&quot;&lt;b\">c</sub>");
	twiml_free(doc);
	doc = parse("<Response><Say/></Response>");
	assert_string_equal(xml_of(first(doc)), "");
	twiml_free(doc);
}

static void what_is_not_well_formed_is_12100(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"not xml",
		"<Response>",
		"<Response><Say></Response>",
		"<Response/><Response/>",
		"<Response/>x",
		"<Response a=1/>",
		"<Response><Play>/x?a=1&b=2</Play></Response>",
		"<Response><Say a='1' a='2'/></Response>",
		"<Response>\x01</Response>",
		"<Response>&nbsp;</Response>",
		"<Response><Say>\xff</Say></Response>",
		"{\"a\":1}",
		"<?xml version=\"1.0\"?>",
		"<Response><Say>&#0;</Say></Response>",
	};
	struct twiml_error e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(bad[i], 12100);
	e = refused("<Response>\n  <Say>x</Sya>\n</Response>", 12100);
	assert_int_equal(e.line, 2);
	assert_true(e.column > 1);
	assert_string_not_equal(e.message, "");
}

static void t12_a_blank_before_the_prolog_is_12100(void **state)
{
	(void)state;
	refused("\n<?xml version=\"1.0\"?><Response/>", 12100);
	refused(" <?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>", 12100);
	twiml_free(parse("\n <Response/>"));
}

static void another_root_is_12102(void **state)
{
	(void)state;
	refused("<response/>", 12102);
	refused("<html><body/></html>", 12102);
	refused("<Say>x</Say>", 12102);
	refused("<x:Response xmlns:x='y'/>", 12102);
}

static void a_bad_version_is_12101(void **state)
{
	(void)state;
	refused("<Response version=\"9\"/>", 12101);
	refused("<Response version=\"\"/>", 12101);
	twiml_free(parse("<Response version=\"1.0\"/>"));
	twiml_free(parse("<Response version=\"2010-04-01\"/>"));
}

static void more_than_64_kilobytes_is_11750(void **state)
{
	char *text = malloc(MAX_BYTES + 2);
	struct twiml *doc;
	struct twiml_error e;

	(void)state;
	memset(text, ' ', MAX_BYTES + 2);
	memcpy(text, "<Response/>", 11);
	assert_int_equal(parse_bytes(&doc, &e, text, MAX_BYTES, NULL), 0);
	twiml_free(doc);
	refused_as(text, MAX_BYTES + 1, NULL, 11750);
	free(text);
}

static void a_byte_order_mark_is_tolerated(void **state)
{
	static const char utf16[] = "\xff\xfe<\0R\0e\0s\0p\0o\0n\0s\0e\0>\0<\0S\0a\0y\0>\0\xeb\0<"
				    "\0/\0S\0a\0y\0>\0<\0/\0R\0e\0s\0p\0o\0n\0s\0e\0>\0";
	struct twiml_error e;
	struct twiml *doc;

	(void)state;
	twiml_free(parse("\xef\xbb\xbf<?xml version=\"1.0\"?><Response/>"));
	twiml_free(parse_as("\xef\xbb\xbf<?xml version=\"1.0\"?><Response/>", "utf-8"));
	for (int named = 0; named < 2; named++) {
		assert_int_equal(
			parse_bytes(&doc, &e, utf16, sizeof(utf16) - 1, named ? "UTF-16" : NULL),
			0);
		assert_string_equal(text_of(first(doc), true), "\xc3\xab");
		twiml_free(doc);
	}
}

static void the_charset_of_the_header_comes_before_the_documents(void **state)
{
	static const struct {
		const char *charset, *declared, *bytes, *wanted;
	} cases[] = {
		{ NULL, "UTF-8", "\xc3\xab", "\xc3\xab" },
		{ NULL, "ISO-8859-1", "\xeb", "\xc3\xab" },
		{ "iso-8859-1", "UTF-8", "\xeb", "\xc3\xab" },
		{ "utf-8", "ISO-8859-1", "\xc3\xab", "\xc3\xab" },
		{ "windows-1252", "UTF-8", "\x80", "\xe2\x82\xac" },
		{ NULL, "windows-1252", "\x80", "\xe2\x82\xac" },
		{ "ISO-8859-15", "UTF-8", "\xa4", "\xe2\x82\xac" },
		{ "KOI8-R", "UTF-8", "\xc1", "\xd0\xb0" },
		{ "made-up", "ISO-8859-1", "\xeb", "\xc3\xab" },
		{ "", "UTF-8", "\xc3\xab", "\xc3\xab" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[200];
		struct twiml *doc;

		snprintf(
			text, sizeof(text),
			"<?xml version=\"1.0\" encoding=\"%s\"?><Response><Say>%s</Say></Response>",
			cases[i].declared, cases[i].bytes);
		doc = parse_as(text, cases[i].charset);
		assert_string_equal(text_of(first(doc), true), cases[i].wanted);
		twiml_free(doc);
	}
	refused("<?xml version=\"1.0\" encoding=\"made-up\"?><Response/>", 12100);
	refused("<?xml version=\"1.0\" encoding=\"ISO-2022-JP\"?><Response/>", 12100);
	refused_as("<Response><Say>\xeb</Say></Response>", 34, "utf-8", 12100);
}

static void a_text_that_grows_in_utf8_fits(void **state)
{
	char *text = malloc(MAX_BYTES), *said;
	struct twiml_error e;
	struct twiml *doc;

	(void)state;
	memset(text, '\x80', MAX_BYTES);
	memcpy(text, "<Response><Say>", 15);
	memcpy(text + MAX_BYTES - 17, "</Say></Response>", 17);
	assert_int_equal(parse_bytes(&doc, &e, text, MAX_BYTES, "windows-1252"), 0);
	said = twiml_text(first(doc), true);
	assert_int_equal(strlen(said), 3 * (MAX_BYTES - 32));
	free(said);
	twiml_free(doc);
	free(text);
}

static void a_doctype_is_ignored_and_loads_nothing(void **state)
{
	struct twiml *doc = parse("<!DOCTYPE Response SYSTEM \"file:///etc/passwd\"><?pi "
				  "x?><Response><?pi y?><Pause/></Response>");

	(void)state;
	assert_string_equal(first(doc)->name, "Pause");
	assert_null(first(doc)->next);
	twiml_free(doc);
}

static void entities_are_never_resolved(void **state)
{
	struct twiml *doc;

	(void)state;
	refused("<!DOCTYPE r [<!ENTITY x SYSTEM "
		"\"file:///etc/passwd\">]><Response><Say>&x;</Say></Response>",
		12100);
	refused("<!DOCTYPE r [<!ENTITY a \"ha\"><!ENTITY b "
		"\"&a;&a;&a;\">]><Response><Say>&b;</Say></Response>",
		12100);
	refused("<!DOCTYPE r [<!ENTITY % p SYSTEM \"http://127.0.0.1/x\"> %p;]><Response/>", 12100);
	refused("<!DOCTYPE r SYSTEM \"x\"><Response><Say>&undeclared;</Say></Response>", 12100);
	refused("<Response><Say loop=\"&undeclared;\"/></Response>", 12100);
	/* Behind an external DTD, which might declare it, expat drops one in an attribute without a
	 * word. */
	doc = parse(
		"<!DOCTYPE r SYSTEM \"x\"><Response><Play digits=\"1&undeclared;2\"/></Response>");
	assert_string_equal(twiml_attr(first(doc), "digits"), "12");
	twiml_free(doc);
}

static void defaults_of_a_doctype_are_no_attributes(void **state)
{
	struct twiml *doc = parse("<!DOCTYPE Response [<!ATTLIST Pause length CDATA \"60\" bad "
				  "CDATA \"x\">]><Response><Pause/></Response>");

	(void)state;
	assert_string_equal(codes(doc), "");
	assert_int_equal(twiml_attr_int(first(doc), "length"), 1);
	twiml_free(doc);
}

static void depth_is_bounded(void **state)
{
	char text[2000] = "<Response><Say>";

	(void)state;
	for (int i = 0; i < 40; i++)
		strcat(text, "<p>");
	refused(text, 12100);
	strcpy(text, "<Response>");
	for (int i = 0; i < 40; i++)
		strcat(text, "<Foo>");
	refused(text, 12100);
}

static void the_number_of_nodes_is_bounded(void **state)
{
	char *text = malloc(MAX_BYTES), *at = text;
	struct twiml_error e;

	(void)state;
	at += sprintf(at, "<Response><Say>");
	for (int i = 0; i < 12000; i++)
		at += sprintf(at, "<p/>");
	at += sprintf(at, "</Say></Response>");
	e = refused(text, 12100);
	assert_string_equal(e.message, "the document has too many nodes");
	free(text);
}

static void the_number_of_warnings_is_bounded(void **state)
{
	char *text = malloc(MAX_BYTES), *at = text;
	struct twiml *doc;
	int n = 0;

	(void)state;
	at += sprintf(at, "<Response>");
	for (int i = 0; i < 5000; i++)
		at += sprintf(at, "<Foo/>");
	at += sprintf(at, "<Pause/></Response>");
	doc = parse(text);
	for (const struct twiml_warning *w = doc->warnings; w; w = w->next)
		n++;
	assert_int_equal(n, 100);
	assert_string_equal(first(doc)->name, "Pause");
	twiml_free(doc);
	free(text);
}

static void a_warning_cut_within_a_character_is_still_utf8(void **state)
{
	char text[400] = "<Response><a";
	struct twiml *doc;
	const char *at;

	(void)state;
	for (int i = 0; i < 60; i++)
		strcat(text, "\xc3\xab");
	strcat(text, "/></Response>");
	doc = parse(text);
	at = strstr(doc->warnings->message, "'a\xc3\xab");
	assert_non_null(at);
	/* 40 bytes of the name: the twentieth character lost its second byte. */
	assert_memory_equal(at + 1 + 39, "?'", 2);
	twiml_free(doc);
}

static void the_schema_is_whole(void **state)
{
	const struct twiml_element_rule *e;
	size_t n = 0;

	(void)state;
	for (; (e = twiml_element_at(n)); n++) {
		char children[400];

		assert_ptr_equal(twiml_element_rule(e->name), e);
		snprintf(children, sizeof(children), "%s", e->children);
		for (char *c = strtok(children, "|"); c; c = strtok(NULL, "|")) {
			/* Legacy and unlisted products have a row as well. */
			if (!twiml_element_rule(c))
				fail_msg("%s may hold %s, which has no row", e->name, c);
			assert_true(twiml_child_allowed(e, c));
		}
		for (size_t i = 0; i < e->n_attrs; i++) {
			const struct twiml_attr_rule *a = &e->attrs[i];

			assert_ptr_equal(twiml_attr_rule(e, a->name), a);
			assert_true(a->warning >= 12200 && a->warning < 15000);
			if (a->def && !twiml_attr_ok(a, a->def))
				fail_msg("%s@%s: its default %s breaks its rule", e->name, a->name,
					 a->def);
		}
	}
	assert_true(n > 50);
	assert_null(twiml_element_rule("say"));
	assert_null(twiml_attr_rule(NULL, "x"));
	assert_false(twiml_child_allowed(twiml_element_rule("Response"), ""));
	assert_false(twiml_child_allowed(twiml_element_rule("Response"), "Say|Play"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_becomes_a_tree_in_its_order),
		cmocka_unit_test(an_empty_response_is_valid),
		cmocka_unit_test(attributes_are_typed_and_have_defaults),
		cmocka_unit_test(t14_an_unknown_verb_is_skipped_with_a_warning_and_the_rest_stays),
		cmocka_unit_test(t16_a_bad_value_is_left_out_with_its_warning),
		cmocka_unit_test(t36_a_gather_with_all_wrong_is_a_default_gather),
		cmocka_unit_test(each_attribute_has_its_code),
		cmocka_unit_test(an_unknown_attribute_is_ignored_with_a_warning),
		cmocka_unit_test(nesting_has_its_codes),
		cmocka_unit_test(what_is_below_a_skipped_element_is_gone_too),
		cmocka_unit_test(text_is_trimmed_and_on_wish_collapsed),
		cmocka_unit_test(the_content_of_say_comes_back_as_xml),
		cmocka_unit_test(what_is_not_well_formed_is_12100),
		cmocka_unit_test(t12_a_blank_before_the_prolog_is_12100),
		cmocka_unit_test(another_root_is_12102),
		cmocka_unit_test(a_bad_version_is_12101),
		cmocka_unit_test(more_than_64_kilobytes_is_11750),
		cmocka_unit_test(a_byte_order_mark_is_tolerated),
		cmocka_unit_test(the_charset_of_the_header_comes_before_the_documents),
		cmocka_unit_test(a_text_that_grows_in_utf8_fits),
		cmocka_unit_test(a_doctype_is_ignored_and_loads_nothing),
		cmocka_unit_test(entities_are_never_resolved),
		cmocka_unit_test(defaults_of_a_doctype_are_no_attributes),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(the_number_of_nodes_is_bounded),
		cmocka_unit_test(the_number_of_warnings_is_bounded),
		cmocka_unit_test(a_warning_cut_within_a_character_is_still_utf8),
		cmocka_unit_test(the_schema_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
