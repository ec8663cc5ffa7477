#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <expat.h>

#include "api/resource.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<TwilioResponse><Item>"
#define TAIL "</Item></TwilioResponse>"

/* The member "a" is shown so, in XML that a parser takes. */
static void shows(const char *text, const char *as)
{
	json_t *json = json_pack("{s:s}", "a", text);
	XML_Parser parser = XML_ParserCreate(NULL);
	char want[400];
	struct buf b;

	assert_non_null(json);
	buf_init(&b, 4096);
	assert_int_equal(render_xml(&b, NULL, 200, json), 0);
	snprintf(want, sizeof(want), HEAD "<A>%s</A>" TAIL, as);
	assert_string_equal(b.data, want);
	assert_int_equal(XML_Parse(parser, b.data, (int)b.len, 1), XML_STATUS_OK);
	XML_ParserFree(parser);
	buf_done(&b);
	json_decref(json);
}

static void what_xml_gives_a_meaning_is_escaped(void **state)
{
	(void)state;
	shows("a<b>&\"c\"", "a&lt;b&gt;&amp;&quot;c&quot;");
	shows("a\tb\r\n", "a&#9;b&#13;&#10;");
}

static void what_xml_has_no_place_for_is_replaced(void **state)
{
	(void)state;
	shows("a\x01"
	      "b\x1f",
	      "a\xef\xbf\xbd"
	      "b\xef\xbf\xbd");
	shows("a\xef\xbf\xbe"
	      "b\xef\xbf\xbf",
	      "a\xef\xbf\xbd"
	      "b\xef\xbf\xbd");
}

static void the_neighbours_of_those_stay(void **state)
{
	(void)state;
	shows("\xef\xbf\xbd \xee\x80\x80 \xf0\x9f\x98\x80 \x7f",
	      "\xef\xbf\xbd \xee\x80\x80 \xf0\x9f\x98\x80 \x7f");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_xml_gives_a_meaning_is_escaped),
		cmocka_unit_test(what_xml_has_no_place_for_is_replaced),
		cmocka_unit_test(the_neighbours_of_those_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
