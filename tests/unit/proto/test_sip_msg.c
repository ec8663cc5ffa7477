#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/sip_msg.h"

#define VIA	"Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK-1\r\n"
#define FROM	"From: \"Alice\" <sip:alice@192.0.2.1>;tag=a1\r\n"
#define TO	"To: <sip:+15551230000@acme.sip.example.com>\r\n"
#define CALL_ID "Call-ID: abc123@192.0.2.1\r\n"
#define CSEQ	"CSeq: 7 INVITE\r\n"
#define LINE	"INVITE sip:+15551230000@acme.sip.example.com;user=phone SIP/2.0\r\n"
#define REST	FROM TO CALL_ID CSEQ

static int parse_bytes(struct sip_msg **m, const char *raw, size_t len)
{
	/* A copy of its exact size, so that the sanitizer sees a read behind it. */
	char *exact = malloc(len ? len : 1);
	int r;

	memcpy(exact, raw, len);
	*m = NULL;
	r = sip_msg_parse(m, exact, len);
	free(exact);
	return r;
}

static struct sip_msg *parse(const char *raw)
{
	struct sip_msg *m;

	assert_int_equal(parse_bytes(&m, raw, strlen(raw)), 0);
	return m;
}

static void refused(const char *raw)
{
	struct sip_msg *m;

	if (parse_bytes(&m, raw, strlen(raw)) != -EINVAL)
		fail_msg("was taken: %s", raw);
}

static void an_invite_comes_apart(void **state)
{
	struct sip_msg *m = parse(
		LINE VIA REST
		"Max-Forwards: 70\r\nContact: <sip:alice@192.0.2.1:5062;transport=tcp>;+sip.x\r\n"
		"Content-Type: application/sdp\r\nX-Account: 42\r\nContent-Length: "
		"5\r\n\r\nv=0\r\n");

	(void)state;
	assert_true(m->request);
	assert_string_equal(m->method, "INVITE");
	assert_string_equal(m->ruri, "sip:+15551230000@acme.sip.example.com;user=phone");
	assert_string_equal(m->ruri_user, "+15551230000");
	assert_string_equal(m->ruri_host, "acme.sip.example.com");
	assert_string_equal(m->call_id, "abc123@192.0.2.1");
	assert_string_equal(m->from, "\"Alice\" <sip:alice@192.0.2.1>;tag=a1");
	assert_string_equal(m->from_uri, "sip:alice@192.0.2.1");
	assert_string_equal(m->from_user, "alice");
	assert_string_equal(m->from_tag, "a1");
	assert_string_equal(m->to_uri, "sip:+15551230000@acme.sip.example.com");
	assert_null(m->to_tag);
	assert_int_equal(m->cseq, 7);
	assert_string_equal(m->contact_uri, "sip:alice@192.0.2.1:5062;transport=tcp");
	assert_string_equal(m->via_branch, "z9hG4bK-1");
	assert_int_equal(m->max_forwards, 70);
	assert_string_equal(m->content_type, "application/sdp");
	assert_int_equal(m->body_len, 5);
	assert_string_equal(m->body, "v=0\r\n");
	assert_string_equal(sip_msg_header(m, "x-account"), "42");
	assert_null(sip_msg_header(m, "X-Other"));
	sip_msg_free(m);
}

static void a_response_has_the_method_of_its_cseq(void **state)
{
	struct sip_msg *m = parse("SIP/2.0 486 Busy Here\r\n" VIA REST "\r\n");

	(void)state;
	assert_false(m->request);
	assert_int_equal(m->status, 486);
	assert_string_equal(m->reason, "Busy Here");
	assert_string_equal(m->method, "INVITE");
	assert_null(m->ruri);
	assert_int_equal(m->max_forwards, -1);
	sip_msg_free(m);
}

static void a_reason_phrase_may_be_empty(void **state)
{
	struct sip_msg *m = parse("SIP/2.0 200 \r\n" VIA REST "\r\n");

	(void)state;
	assert_int_equal(m->status, 200);
	assert_string_equal(m->reason, "");
	sip_msg_free(m);
	m = parse("SIP/2.0 200\r\n" VIA REST "\r\n");
	assert_string_equal(m->reason, "");
	sip_msg_free(m);
}

static void compact_forms_are_the_long_ones(void **state)
{
	struct sip_msg *m = parse("INVITE sip:h SIP/2.0\r\nv: SIP/2.0/TCP h;branch=z9\r\nf: "
				  "sip:a@h;tag=1\r\nt: sip:h\r\ni: 1\r\n" CSEQ
				  "m: sip:a@h\r\nc: application/sdp\r\nk: timer, 100rel\r\nx: "
				  "1800;refresher=uac\r\nl: 2\r\n\r\nab");

	(void)state;
	assert_string_equal(m->call_id, "1");
	assert_string_equal(m->from_uri, "sip:a@h");
	assert_string_equal(m->from_tag, "1");
	assert_string_equal(m->contact_uri, "sip:a@h");
	assert_string_equal(m->content_type, "application/sdp");
	assert_string_equal(sip_msg_header(m, "Session-Expires"), "1800;refresher=uac");
	assert_true(sip_msg_lists(m, "Supported", "100REL"));
	assert_null(m->ruri_user);
	assert_string_equal(m->body, "ab");
	sip_msg_free(m);
}

static void folded_headers_are_joined(void **state)
{
	struct sip_msg *m = parse(
		LINE VIA
		"From:\r\n \"A\"\r\n\t<sip:alice@192.0.2.1>\r\n ;tag=a1\r\n" TO CALL_ID
		"CSeq: 7\r\n  INVITE\r\nSubject: I know you're there,\r\n        pick up\r\n\r\n");

	(void)state;
	assert_string_equal(m->from_uri, "sip:alice@192.0.2.1");
	assert_string_equal(m->from_tag, "a1");
	assert_int_equal(m->cseq, 7);
	assert_null(strpbrk(sip_msg_header(m, "Subject"), "\r\n\t"));
	sip_msg_free(m);
}

/* RFC 4475 §3.1.1.1. */
static void the_short_tortuous_invite_is_taken(void **state)
{
	struct sip_msg *m = parse(
		"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
		"TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
		"from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag "
		"= 98asjd8\r\n"
		"MaX-fOrWaRdS: 0068\r\n"
		"Call-ID: wsinv.ndaksdj@192.0.2.1\r\n"
		"Content-Length   : 3\r\n"
		"cseq: 0009\r\n  INVITE\r\n"
		"Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n"
		"s :\r\n"
		"NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
		"UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"
		"Content-Type: application/sdp\r\n"
		"Route:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
		"v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  "
		",\r\n"
		" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
		"m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n      "
		"newvalue ;\r\n"
		"  secondparam ; q = 0.33\r\n\r\nv=0");

	(void)state;
	assert_string_equal(m->to_uri, "sip:vivekg@chair-dnrc.example.com");
	assert_string_equal(m->to_tag, "1918181833n");
	assert_string_equal(m->from_uri, "sip:jdrosen@example.com");
	assert_string_equal(m->from_tag, "98asjd8");
	assert_int_equal(m->max_forwards, 68);
	assert_int_equal(m->cseq, 9);
	assert_string_equal(m->via_branch, "390skdjuw");
	assert_string_equal(m->contact_uri, "sip:jdrosen@example.com");
	assert_string_equal(sip_msg_header(m, "Subject"), "");
	assert_int_equal(m->body_len, 3);
	sip_msg_free(m);
}

/* RFC 4475 §3.1.1.2 (less its NUL) and §3.1.1.3. */
static void every_character_that_the_grammar_allows_is_taken(void **state)
{
	struct sip_msg *m =
		parse("!interesting-Method0123456789_*+`.%indeed'~ "
		      "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/"
		      ";;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0\r\n"
		      "Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~\r\n"
		      "To: \"BEL:\\\x07 DEL:\\\x7f\" "
		      "<sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>\r\n"
		      "From: token1~` token2'+_ token3*%!.- "
		      "<sip:mundane@example.com>;fromParam''~+*_!.-%=\"\xd1\x80\";tag=_token~1'+`*%"
		      "!-.\r\n"
		      "Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\n"
		      "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\r\n"
		      "Max-Forwards: 255\r\n\r\n");

	(void)state;
	assert_string_equal(m->ruri_user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
	assert_string_equal(m->ruri_host, "example.com");
	assert_string_equal(m->from_tag, "_token~1'+`*%!-.");
	assert_string_equal(m->from_uri, "sip:mundane@example.com");
	assert_string_equal(m->via_branch, "z9hG4bK-.!%66*_+`'~");
	sip_msg_free(m);
}

static void escapes_in_uris_stay_as_sent(void **state)
{
	struct sip_msg *m = parse(
		"INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0\r\n" VIA
		"To: sip:%75se%72@example.com\r\nFrom: "
		"<sip:I%20have%20spaces%00@example.net>;tag=938\r\n" CALL_ID CSEQ
		"Contact: <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>\r\n\r\n");

	(void)state;
	assert_string_equal(m->ruri_user, "sips%3Auser%40example.com");
	assert_string_equal(m->ruri_host, "example.net");
	assert_string_equal(m->to_user, "%75se%72");
	assert_string_equal(m->from_user, "I%20have%20spaces%00");
	assert_string_equal(m->from_uri, "sip:I%20have%20spaces%00@example.net");
	assert_string_equal(m->contact_uri,
			    "sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31");
	sip_msg_free(m);
}

static void parameters_without_brackets_are_the_headers(void **state)
{
	struct sip_msg *m =
		parse("BYE sip:h SIP/2.0\r\n" VIA
		      "From: sip:a:secret@h:5061;x=y;tag=1\r\nTo: <sip:b@h;x=y>;tag=2\r\n" CALL_ID
		      "CSeq: 2 BYE\r\nContact: sip:c@h;transport=tcp;expires=5\r\n\r\n");

	(void)state;
	assert_string_equal(m->from_uri, "sip:a:secret@h:5061");
	assert_string_equal(m->from_user, "a");
	assert_string_equal(m->from_tag, "1");
	assert_string_equal(m->to_uri, "sip:b@h;x=y");
	assert_string_equal(m->to_tag, "2");
	assert_string_equal(m->contact_uri, "sip:c@h");
	sip_msg_free(m);
}

static void other_schemes_have_no_user(void **state)
{
	struct sip_msg *m = parse("BYE sip:[2001:db8::9]:5070 SIP/2.0\r\n" VIA
				  "From: <tel:+15551230000;phone-context=x>;tag=1\r\nTo: "
				  "<urn:service:sos>\r\n" CALL_ID "CSeq: 2 BYE\r\n\r\n");

	(void)state;
	assert_string_equal(m->from_uri, "tel:+15551230000;phone-context=x");
	assert_null(m->from_user);
	assert_string_equal(m->to_uri, "urn:service:sos");
	assert_string_equal(m->ruri_host, "2001:db8::9");
	sip_msg_free(m);
}

static void brackets_and_commas_within_quotes_are_text(void **state)
{
	struct sip_msg *m = parse(
		"BYE sip:h SIP/2.0\r\n" VIA
		"From: \"<sip:evil@x>;tag=9, \\\"\" <sip:a@h>;p=\";tag=8\";tag=1\r\n" TO CALL_ID
		"CSeq: 2 BYE\r\nContact: \"a,<sip:x@y>\" <sip:c@h?a,b>;q=1,<sip:d@h>\r\nContact: "
		"<sip:e@h>\r\n\r\n");

	(void)state;
	assert_string_equal(m->from_uri, "sip:a@h");
	assert_string_equal(m->from_tag, "1");
	assert_string_equal(m->contact_uri, "sip:c@h?a,b");
	sip_msg_free(m);
}

static void a_contact_that_is_no_address_is_none(void **state)
{
	static const char *const contacts[] = { "*",	       "",	    "<>",
						"<sip:>",      "<sip:a@h",  "<sip:a@h> x",
						"<sip:a b@h>", "sip:\xff@h" };

	(void)state;
	for (size_t i = 0; i < sizeof(contacts) / sizeof(contacts[0]); i++) {
		char raw[1000];
		struct sip_msg *m;

		snprintf(raw, sizeof(raw), LINE VIA REST "Contact: %s\r\n\r\n", contacts[i]);
		m = parse(raw);
		if (m->contact_uri)
			fail_msg("%s gave %s", contacts[i], m->contact_uri);
		sip_msg_free(m);
	}
}

static void the_top_via_has_the_branch(void **state)
{
	struct sip_msg *m =
		parse(LINE "Via: SIP/2.0/UDP a;rport , SIP/2.0/UDP b;branch=z9b\r\nVia: "
			   "SIP/2.0/UDP c;branch=z9c\r\n" REST "\r\n");

	(void)state;
	assert_null(m->via_branch);
	sip_msg_free(m);
	m = parse(LINE
		  "Via: SIP/2.0/UDP a;xbranch=1;BRANCH = z9a, SIP/2.0/UDP b;branch=z9b\r\n" REST
		  "\r\n");
	assert_string_equal(m->via_branch, "z9a");
	sip_msg_free(m);
}

static void a_list_is_searched_in_all_its_lines(void **state)
{
	struct sip_msg *m = parse(
		LINE VIA REST
		"Allow: INVITE, ACK;x=UPDATE\r\nSupported:\r\nallow: BYE,UPDATE , INFO\r\n\r\n");

	(void)state;
	assert_true(sip_msg_lists(m, "Allow", "INVITE"));
	assert_true(sip_msg_lists(m, "Allow", "ack"));
	assert_true(sip_msg_lists(m, "Allow", "UPDATE"));
	assert_true(sip_msg_lists(m, "Allow", "INFO"));
	assert_false(sip_msg_lists(m, "Allow", "INV"));
	assert_false(sip_msg_lists(m, "Allow", "INVITES"));
	assert_false(sip_msg_lists(m, "Allow", "x=UPDATE"));
	assert_false(sip_msg_lists(m, "Supported", "timer"));
	sip_msg_free(m);
}

static void the_route_set_is_in_order_for_a_uas_and_reversed_for_a_uac(void **state)
{
	struct sip_msg *m = parse(LINE VIA REST
				  "Record-Route: <sip:p3;lr>,<sip:p2;lr>;x=\",\"\r\nRecord-Route: "
				  "<sip:p1;lr>\r\n\r\n");
	char *set = sip_msg_route_set(m, false);

	(void)state;
	assert_string_equal(set, "<sip:p3;lr>, <sip:p2;lr>;x=\",\", <sip:p1;lr>");
	free(set);
	set = sip_msg_route_set(m, true);
	assert_string_equal(set, "<sip:p1;lr>, <sip:p2;lr>;x=\",\", <sip:p3;lr>");
	free(set);
	sip_msg_free(m);
	m = parse(LINE VIA REST "\r\n");
	set = sip_msg_route_set(m, true);
	assert_string_equal(set, "");
	free(set);
	sip_msg_free(m);
}

static void more_routes_than_any_path_has_are_refused(void **state)
{
	char raw[4000] = LINE VIA REST "Record-Route: a";
	struct sip_msg *m;

	(void)state;
	for (int i = 0; i < 200; i++)
		strcat(raw, ",<sip:p>");
	strcat(raw, "\r\n\r\n");
	m = parse(raw);
	assert_null(sip_msg_route_set(m, false));
	sip_msg_free(m);
}

static void a_body_is_as_long_as_content_length_says(void **state)
{
	struct sip_msg *m = parse(LINE VIA REST "Content-Length: 2\r\n\r\nabcd");

	(void)state;
	assert_int_equal(m->body_len, 2);
	assert_string_equal(m->body, "ab");
	sip_msg_free(m);
	m = parse(LINE VIA REST "\r\nabcd");
	assert_int_equal(m->body_len, 4);
	sip_msg_free(m);
	refused(LINE VIA REST "Content-Length: 5\r\n\r\nabcd");
	refused(LINE VIA REST "Content-Length: -1\r\n\r\nabcd");
	refused(LINE VIA REST "Content-Length: 4x\r\n\r\nabcd");
	refused(LINE VIA REST "Content-Length: 99999999999999\r\n\r\nabcd");
	refused(LINE VIA REST "Content-Length:\r\n\r\nabcd");
	refused(LINE VIA REST "Content-Length: 2\r\nl: 4\r\n\r\nabcd");
}

static void a_message_lacks_no_required_header(void **state)
{
	(void)state;
	refused(LINE FROM TO CALL_ID CSEQ "\r\n");
	refused(LINE VIA TO CALL_ID CSEQ "\r\n");
	refused(LINE VIA FROM CALL_ID CSEQ "\r\n");
	refused(LINE VIA FROM TO CSEQ "\r\n");
	refused(LINE VIA FROM TO CALL_ID "\r\n");
	refused(LINE VIA FROM TO "Call-ID:\r\n" CSEQ "\r\n");
}

static void a_required_header_stands_once(void **state)
{
	(void)state;
	refused(LINE VIA REST FROM "\r\n");
	refused(LINE VIA REST "t: <sip:x@y>\r\n\r\n");
	refused(LINE VIA REST "i: 2\r\n\r\n");
	refused(LINE VIA REST CSEQ "\r\n");
	refused(LINE VIA REST "Max-Forwards: 1\r\nMax-Forwards: 1\r\n\r\n");
}

static void a_bad_cseq_is_refused(void **state)
{
	static const char *const bad[] = { "7",
					   "INVITE",
					   "7 BYE",
					   "7 invite",
					   "-7 INVITE",
					   "7INVITE",
					   "99999999999 INVITE",
					   "7 INVITE x",
					   "+7 INVITE" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char raw[1000];

		snprintf(raw, sizeof(raw), LINE VIA FROM TO CALL_ID "CSeq: %s\r\n\r\n", bad[i]);
		refused(raw);
	}
}

static void a_bad_first_line_is_refused(void **state)
{
	static const char *const bad[] = {
		"INVITE",
		"INVITE sip:h",
		"INVITE sip:h SIP/3.0",
		"INVITE sip:h SIP/2.0 ",
		"INVITE  sip:h SIP/2.0",
		"INVITE sip:h  SIP/2.0",
		"INVITE <sip:h> SIP/2.0",
		"INVITE sip:a b@h SIP/2.0",
		"IN VITE sip:h SIP/2.0",
		" INVITE sip:h SIP/2.0",
		"INV\"ITE sip:h SIP/2.0",
		"INVITE h SIP/2.0",
		"INVITE tel:+1 SIP/2.0",
		"INVITE sip: SIP/2.0",
		"INVITE  SIP/2.0",
		"INVITE sip:a@ SIP/2.0",
		"SIP/2.0",
		"SIP/2.0 ",
		"SIP/2.0 20",
		"SIP/2.0 2000 OK",
		"SIP/2.0 99 Low",
		"SIP/2.0 700 High",
		"SIP/2.0 abc OK",
		"SIP/1.0 200 OK",
		"",
		"GET / HTTP/1.1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char raw[1000];

		snprintf(raw, sizeof(raw), "%s\r\n" VIA REST "\r\n", bad[i]);
		refused(raw);
	}
}

static void a_bad_from_is_refused(void **state)
{
	static const char *const bad[] = { "",
					   "<>",
					   "alice",
					   "<sip:a@h",
					   "Bell, Alexander <sip:a@h>;tag=1",
					   "<sip:a@h>;tag=",
					   "<sip:a@h> <sip:b@h>",
					   "<sip:a@h>,<sip:b@h>",
					   "\"unclosed <sip:a@h>",
					   "<sip:a@h>;tag=<x>",
					   "<sip:a\x80@h>",
					   "<sip:a@h>;tag=x\x01" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char raw[1000];

		snprintf(raw, sizeof(raw), LINE VIA "From: %s\r\n" TO CALL_ID CSEQ "\r\n", bad[i]);
		refused(raw);
	}
}

static void headers_that_are_none_are_refused(void **state)
{
	static const char nul[] = LINE VIA REST "X: a\0b\r\n\r\n";
	static const char nul_method[] = "INV\0ITE sip:h SIP/2.0\r\n" VIA REST "\r\n";
	struct sip_msg *m;

	(void)state;
	refused(LINE VIA REST "no colon\r\n\r\n");
	refused(LINE VIA REST ": no name\r\n\r\n");
	refused(LINE VIA REST "na me: x\r\n\r\n");
	refused(LINE VIA REST "n\xc3\xab: x\r\n\r\n");
	refused(LINE " folded: x\r\n" VIA REST "\r\n");
	refused(LINE VIA REST);
	refused(LINE VIA REST "X: cut");
	assert_int_equal(parse_bytes(&m, nul, sizeof(nul) - 1), -EINVAL);
	assert_int_equal(parse_bytes(&m, nul_method, sizeof(nul_method) - 1), -EINVAL);
	assert_int_equal(parse_bytes(&m, "", 0), -EINVAL);
	assert_int_equal(parse_bytes(&m, "\r\n\r\n", 4), -EINVAL);
}

static void bare_line_feeds_and_blank_lines_in_front_are_tolerated(void **state)
{
	struct sip_msg *m = parse("\r\n\r\nBYE sip:h SIP/2.0\nVia: SIP/2.0/UDP h\nFrom: "
				  "sip:a@h;tag=1\nTo: sip:b@h\nCall-ID: 1\nCSeq: 1 BYE\n\n");

	(void)state;
	assert_string_equal(m->method, "BYE");
	sip_msg_free(m);
}

static void too_much_of_anything_is_refused(void **state)
{
	size_t size = 140000;
	char *raw = malloc(size);
	struct sip_msg *m;

	(void)state;
	strcpy(raw, LINE VIA REST);
	for (int i = 0; i < 252; i++)
		strcat(raw, "X: y\r\n");
	strcat(raw, "\r\n");
	refused(raw);
	strcpy(raw, LINE VIA REST "X: ");
	memset(raw + strlen(raw), 'x', 9000);
	strcpy(raw + strlen(LINE VIA REST) + 9000, "\r\n\r\n");
	refused(raw);
	memset(raw, 'x', size);
	memcpy(raw, LINE VIA REST "\r\n", strlen(LINE VIA REST "\r\n"));
	assert_int_equal(parse_bytes(&m, raw, size), -EINVAL);
	assert_int_equal(parse_bytes(&m, raw, 100000), 0);
	sip_msg_free(m);
	free(raw);
}

static void every_cut_of_a_message_is_refused_or_taken_cleanly(void **state)
{
	static const char raw[] = LINE VIA REST "Contact: \"a\\\"\" <sip:a@h>\r\nRecord-Route: "
						"<sip:p>\r\nContent-Length: 4\r\n\r\nabcd";
	struct sip_msg *m;

	(void)state;
	for (size_t len = 0; len < sizeof(raw) - 1; len++)
		assert_int_equal(parse_bytes(&m, raw, len), -EINVAL);
	assert_int_equal(parse_bytes(&m, raw, sizeof(raw) - 1), 0);
	sip_msg_free(m);
}

static void a_header_value_of_ours_holds_no_line_break(void **state)
{
	(void)state;
	assert_true(sip_header_value_ok("a \"b\" \xc3\xab"));
	assert_true(sip_header_value_ok(""));
	assert_false(sip_header_value_ok("a\r\nX: y"));
	assert_false(sip_header_value_ok("a\n"));
	assert_false(sip_header_value_ok("\r"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_invite_comes_apart),
		cmocka_unit_test(a_response_has_the_method_of_its_cseq),
		cmocka_unit_test(a_reason_phrase_may_be_empty),
		cmocka_unit_test(compact_forms_are_the_long_ones),
		cmocka_unit_test(folded_headers_are_joined),
		cmocka_unit_test(the_short_tortuous_invite_is_taken),
		cmocka_unit_test(every_character_that_the_grammar_allows_is_taken),
		cmocka_unit_test(escapes_in_uris_stay_as_sent),
		cmocka_unit_test(parameters_without_brackets_are_the_headers),
		cmocka_unit_test(other_schemes_have_no_user),
		cmocka_unit_test(brackets_and_commas_within_quotes_are_text),
		cmocka_unit_test(a_contact_that_is_no_address_is_none),
		cmocka_unit_test(the_top_via_has_the_branch),
		cmocka_unit_test(a_list_is_searched_in_all_its_lines),
		cmocka_unit_test(the_route_set_is_in_order_for_a_uas_and_reversed_for_a_uac),
		cmocka_unit_test(more_routes_than_any_path_has_are_refused),
		cmocka_unit_test(a_body_is_as_long_as_content_length_says),
		cmocka_unit_test(a_message_lacks_no_required_header),
		cmocka_unit_test(a_required_header_stands_once),
		cmocka_unit_test(a_bad_cseq_is_refused),
		cmocka_unit_test(a_bad_first_line_is_refused),
		cmocka_unit_test(a_bad_from_is_refused),
		cmocka_unit_test(headers_that_are_none_are_refused),
		cmocka_unit_test(bare_line_feeds_and_blank_lines_in_front_are_tolerated),
		cmocka_unit_test(too_much_of_anything_is_refused),
		cmocka_unit_test(every_cut_of_a_message_is_refused_or_taken_cleanly),
		cmocka_unit_test(a_header_value_of_ours_holds_no_line_break),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
