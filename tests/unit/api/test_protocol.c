#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/protocol.h"
#include "api/request_kit.h"

static struct request_kit k;

static const char *header(const char *name)
{
	for (int i = 0; i < HTTP_OUT_HEADERS; i++)
		if (k.out.headers[i].name && !strcmp(k.out.headers[i].name, name))
			return k.out.headers[i].value;
	return "";
}

/* The status of the answer, or 0 when the request goes on. */
static int check(void)
{
	int r = protocol_check(&k.q);

	assert_true(r == 0 || k.out.status);
	return r ? k.out.status : 0;
}

static int take_body(const char *type, const char *body)
{
	struct api_request *q = request_new(&k, "", "");
	int r;

	k.in.content_type = type;
	k.in.body = body;
	k.in.body_len = strlen(body);
	r = protocol_take_body(q);
	if (r)
		assert_int_equal(request_code(&k), 20422);
	r = r ? k.out.status : 0;
	request_free(&k);
	return r;
}

static void an_override_stands_for_the_method_of_a_post(void **state)
{
	static const struct {
		const char *method, *override, *becomes;
		int status;
	} rows[] = {
		{ "POST", NULL, "POST", 0 },	  { "POST", "DELETE", "DELETE", 0 },
		{ "POST", "GET", "GET", 0 },	  { "GET", "DELETE", "GET", 0 },
		{ "POST", "PATCH", "POST", 400 }, { "POST", "delete", "POST", 400 },
		{ "DELETE", "GET", "DELETE", 0 }, { "POST", "", "POST", 400 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		request_new(&k, "", "");
		k.in.method = rows[i].method;
		k.in.method_override = rows[i].override;
		assert_int_equal(check(), rows[i].status);
		assert_string_equal(k.q.method, rows[i].becomes);
		request_free(&k);
	}
}

static void an_expectation_that_is_not_met_is_417(void **state)
{
	(void)state;
	request_new(&k, "", "");
	k.in.expect = "the-best";
	assert_int_equal(check(), 417);
	request_free(&k);
}

static void a_request_that_can_be_read_in_two_ways_is_400(void **state)
{
	(void)state;
	request_new(&k, "", "");
	k.in.ambiguous = 1;
	assert_int_equal(check(), 400);
	request_free(&k);
}

static void a_uri_beyond_its_length_is_414(void **state)
{
	static char path[PROTOCOL_URI_MAX_BYTES + 2];

	(void)state;
	memset(path, 'a', PROTOCOL_URI_MAX_BYTES);
	request_new(&k, "", "");
	k.in.path = path;
	assert_int_equal(check(), 0);
	k.in.query = "b";
	assert_int_equal(check(), 414);
	request_free(&k);
}

static void a_body_is_a_form_in_utf_8(void **state)
{
	static const struct {
		const char *type;
		int status;
	} rows[] = {
		{ NULL, 0 },
		{ "application/x-www-form-urlencoded", 0 },
		{ "Application/X-WWW-Form-Urlencoded; charset=UTF-8", 0 },
		{ "application/x-www-form-urlencoded;charset=\"utf-8\"", 0 },
		{ "application/x-www-form-urlencoded; charset=utf-8; x=y", 0 },
		{ "application/x-www-form-urlencoded; charset=ISO-8859-1", 415 },
		{ "application/x-www-form-urlencoded; charset=utf-80", 415 },
		{ "application/x-www-form-urlencoded; charset=", 415 },
		{ "application/x-www-form-urlencodedx", 415 },
		{ "application/json", 415 },
		{ "multipart/form-data; boundary=x", 415 },
		{ "", 415 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (take_body(rows[i].type, "a=b") != rows[i].status)
			fail_msg("%s", rows[i].type);
	assert_int_equal(take_body("application/json", ""), 0);
}

static void leave_to_send_asks_for_the_type_alone(void **state)
{
	static const struct {
		const char *type;
		int status;
	} rows[] = { { "application/x-www-form-urlencoded", 0 }, { "application/json", 415 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct api_request *q = request_new(&k, "", "");

		k.in.waiting = 1;
		k.in.content_type = rows[i].type;
		assert_int_equal(protocol_take_body(q) < 0, rows[i].status != 0);
		assert_int_equal(k.out.status, rows[i].status);
		request_free(&k);
	}
}

static void a_body_over_the_maximum_is_413(void **state)
{
	(void)state;
	request_new(&k, "", "");
	k.in.too_large = 1;
	assert_int_equal(check(), 413);
	request_free(&k);
}

static void a_page_can_only_be_read(void **state)
{
	static const struct {
		const char *method;
		int status;
	} rows[] = { { "GET", 0 },    { "HEAD", 0 },	 { "OPTIONS", 204 },
		     { "POST", 405 }, { "DELETE", 405 }, { "TRACE", 405 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct api_request *q = request_new(&k, "", "");

		k.in.path = "/healthz";
		q->method = rows[i].method;
		assert_int_equal(protocol_only_get(q) < 0, rows[i].status != 0);
		assert_int_equal(k.out.status, rows[i].status);
		assert_int_equal(request_code(&k), rows[i].status == 405 ? 20004 : 0);
		if (rows[i].status)
			assert_string_equal(header("Allow"), "GET, HEAD");
		request_free(&k);
	}
}

static void a_parameter_may_stand_once(void **state)
{
	(void)state;
	assert_int_equal(take_body(NULL, "a=1&b=2"), 0);
	assert_int_equal(take_body(NULL, "a=1&b=2&a=1"), 400);
	assert_int_equal(take_body(NULL, "a=1&%61=2"), 400);
	request_new(&k, "", "");
	for (size_t i = 0; !k.q.resource || strcmp(k.q.resource->path, "/Calls"); i++)
		k.q.resource = resource_at(i);
	k.in.body = "StatusCallbackEvent=ringing&StatusCallbackEvent=answered";
	k.in.body_len = strlen(k.in.body);
	assert_int_equal(protocol_take_body(&k.q), 0);
	request_free(&k);
	request_new(&k, "", "");
	k.in.query = "PageSize=1&PageSize=2";
	assert_true(protocol_take_query(&k.q) < 0);
	assert_int_equal(k.out.status, 400);
	assert_non_null(strstr(k.out.body, "PageSize"));
	request_free(&k);
}

static void a_form_that_cannot_be_read_is_400(void **state)
{
	static const char *const bodies[] = { "a=%zz", "a=%f", "a=%00", "a=%ff", "%c3=1" };

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_int_equal(take_body(NULL, bodies[i]), 400);
}

/* The status of a GET of text, for a client that has these tags. */
static int get(const char *method, int status, const char *text, const char *tags, char etag[64])
{
	struct api_request *q = request_new(&k, "", "");

	k.in.method = method;
	k.in.if_none_match = tags;
	assert_int_equal(protocol_check(q), 0);
	k.out.status = status;
	k.out.body = strdup(text);
	k.out.body_len = strlen(text);
	protocol_finish(q);
	strcpy(etag, header("ETag"));
	status = k.out.status;
	assert_int_equal(status == 304, k.out.body == NULL);
	request_free(&k);
	return status;
}

static void what_the_client_has_is_304(void **state)
{
	char one[64], other[64], again[64], list[200];

	(void)state;
	assert_int_equal(get("GET", 200, "{\"a\":1}", NULL, one), 200);
	assert_int_equal(get("GET", 200, "{\"a\":2}", NULL, other), 200);
	assert_int_equal(strlen(one), 34);
	assert_int_equal(one[0], '"');
	assert_string_not_equal(one, other);
	assert_int_equal(get("GET", 200, "{\"a\":1}", one, again), 304);
	assert_string_equal(again, one);
	assert_int_equal(get("HEAD", 200, "{\"a\":1}", one, again), 304);
	assert_int_equal(get("GET", 200, "{\"a\":1}", other, again), 200);
	snprintf(list, sizeof(list), "%s , W/%s", other, one);
	assert_int_equal(get("GET", 200, "{\"a\":1}", list, again), 304);
	assert_int_equal(get("GET", 200, "{\"a\":1}", "*", again), 304);
	assert_int_equal(get("GET", 200, "{\"a\":1}", "\"abc\", garbage,,W/", again), 200);
}

static void only_what_was_got_has_a_tag(void **state)
{
	char etag[64];

	(void)state;
	assert_int_equal(get("GET", 404, "{}", "*", etag), 404);
	assert_string_equal(etag, "");
	assert_int_equal(get("POST", 200, "{}", "*", etag), 200);
	assert_string_equal(etag, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_override_stands_for_the_method_of_a_post),
		cmocka_unit_test(an_expectation_that_is_not_met_is_417),
		cmocka_unit_test(a_request_that_can_be_read_in_two_ways_is_400),
		cmocka_unit_test(a_uri_beyond_its_length_is_414),
		cmocka_unit_test(a_body_is_a_form_in_utf_8),
		cmocka_unit_test(leave_to_send_asks_for_the_type_alone),
		cmocka_unit_test(a_body_over_the_maximum_is_413),
		cmocka_unit_test(a_page_can_only_be_read),
		cmocka_unit_test(a_parameter_may_stand_once),
		cmocka_unit_test(a_form_that_cannot_be_read_is_400),
		cmocka_unit_test(what_the_client_has_is_304),
		cmocka_unit_test(only_what_was_got_has_a_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
