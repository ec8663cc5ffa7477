/* Every allocation of the pure parts fails once: an error comes back, nothing leaks, nothing
 * crashes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The libraries' headers come first: their declarations are not ours to rename. */
#include <ctype.h>
#include <expat.h>
#include <iconv.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <osipparser2/osip_parser.h>
#include <stdalign.h>
#include <strings.h>

#include "failing_alloc.h"

#include "base/buf.c"
#include "proto/form.c"
#define hex url_hex
#include "proto/url.c"
#undef hex
#include "proto/signature.c"
#undef SIGNED_MAX_BYTES
#define copy sip_copy
#include "proto/sip_addr.c"
#include "proto/sip_msg.c"
#undef copy
#define append twiml_append
#define number twiml_number
#include "proto/twiml.c"
#include "proto/twiml_node.c"

#include <cmocka.h> /* its fail() is not theirs */

static void forms(void **state)
{
	static const char text[] = "a=1&b=%20&c&a=2";

	(void)state;
	FOR_EACH_FAILING_ALLOCATION
	{
		struct form f, g;
		struct buf b;
		int r;

		form_init(&f);
		form_init(&g);
		buf_init(&b, 1000);
		r = form_parse(&f, text, strlen(text), 10, NULL);
		if (r == 0)
			r = form_addf(&f, "d", "%d", 4);
		if (r == 0)
			r = form_add(&f, "a", "3");
		if (r == 0)
			r = form_copy(&g, &f);
		if (r == 0)
			r = form_encode(&g, &b, 1);
		assert_int_equal(r, alloc_failed() ? -ENOMEM : 0);
		buf_done(&b);
		form_done(&g);
		form_done(&f);
	}
}

static void urls(void **state)
{
	(void)state;
	FOR_EACH_FAILING_ALLOCATION
	{
		char *resolved = NULL, *query = NULL;
		struct url u = { 0 };
		struct form f = { 0 };
		int r, code;

		r = url_resolve(&resolved, "https://u:p@h/a/b?c", "../d#rc=1");
		if (r == 0)
			r = url_parse(&u, resolved, &code);
		if (r == 0)
			r = form_add(&f, "a", "b");
		if (r == 0) {
			query = url_with_query(u.request, &f);
			r = query ? 0 : -ENOMEM;
		}
		assert_int_equal(r, alloc_failed() ? -ENOMEM : 0);
		free(query);
		free(resolved);
		form_done(&f);
		url_done(&u);
	}
}

static void signatures(void **state)
{
	struct form f;

	(void)state;
	form_init(&f);
	assert_int_equal(form_add(&f, "a", "b"), 0);
	FOR_EACH_FAILING_ALLOCATION
	{
		char ret[SIGNATURE_SIZE];
		int r = signature_make(ret, "12345", "https://h/", &f);

		assert_int_equal(r, alloc_failed() ? -ENOMEM : 0);
	}
	form_done(&f);
}

static void sip_messages(void **state)
{
	static const char raw[] =
		"INVITE sip:bob@h;user=phone SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9\r\nFrom: "
		"<sip:a@h>;tag=1\r\n"
		"To: <sip:b@h>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@h>\r\n"
		"Content-Type: application/sdp\r\nRecord-Route: <sip:p>\r\n\r\nx";
	static const char reply[] = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\nFrom: sip:a@h\r\nTo: "
				    "sip:b@h\r\nCall-ID: 1\r\nCSeq: 1 BYE\r\n\r\n";

	(void)state;
	FOR_EACH_FAILING_ALLOCATION
	{
		struct sip_msg *m = NULL, *response = NULL;
		char *set = NULL;
		int r = sip_msg_parse(&m, raw, strlen(raw));

		if (r == 0)
			r = sip_msg_parse(&response, reply, strlen(reply));
		if (r == 0) {
			set = sip_msg_route_set(m, true);
			r = set ? 0 : -ENOMEM;
		}
		assert_int_equal(r, alloc_failed() ? -ENOMEM : 0);
		free(set);
		sip_msg_free(m);
		sip_msg_free(response);
	}
}

static void documents(void **state)
{
	static const char text[] = "<Response><Foo/><Gather timeout='x' action='/g'><Say>a "
				   "<p>b</p>&amp;</Say></Gather></Response>";

	(void)state;
	FOR_EACH_FAILING_ALLOCATION
	{
		struct twiml *doc = NULL;
		struct twiml_error error;
		char *said = NULL, *xml = NULL;
		int r = twiml_parse(&doc, &error, text, strlen(text), NULL, 65536);

		if (r == 0) {
			said = twiml_text(doc->response, true);
			xml = said ? twiml_xml(doc->response) : NULL;
			r = xml ? 0 : -ENOMEM;
		}
		assert_int_equal(r, alloc_failed() ? -ENOMEM : 0);
		free(said);
		free(xml);
		twiml_free(doc);
	}
}

static void a_document_larger_than_a_chunk(void **state)
{
	static char text[40000];

	(void)state;
	strcpy(text, "<Response>");
	for (int i = 0; i < 600; i++)
		strcat(text, "<Play loop='2'>/a.wav?x=0123456789</Play>");
	strcat(text, "</Response>");
	FOR_EACH_FAILING_ALLOCATION
	{
		struct twiml *doc = NULL;
		struct twiml_error error;
		int r = twiml_parse(&doc, &error, text, strlen(text), NULL, 65536);

		assert_int_equal(r, alloc_failed() ? -ENOMEM : 0);
		twiml_free(doc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),      cmocka_unit_test(urls),
		cmocka_unit_test(signatures), cmocka_unit_test(sip_messages),
		cmocka_unit_test(documents),  cmocka_unit_test(a_document_larger_than_a_chunk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
