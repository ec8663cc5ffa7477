/* One request and all that may happen on its way: vectors T22-T26, twiml-and-webhooks.md §1.7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "call/call_kit.h"
#include "proto/signature.h"

static struct leg *call_to(const char *url, const char *method)
{
	struct call_domain d = kit_domain;

	d.voice_url = url;
	d.voice_method = method;
	return kit_call_with(&d);
}

static void end(struct leg *leg)
{
	kit_hangs_up(leg);
	kit_deliver();
}

/* The value of a header line of a fetch; lives until the next call. */
static const char *header(const struct fake_fetch *f, const char *name)
{
	static char value[512];
	const char *p = strstr(f->headers, name);

	if (!p)
		return NULL;
	p += strlen(name) + 2;
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(p, "\n"), p);
	return value;
}

static void T22_ten_redirects_are_followed_and_eleven_are_11215(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	for (int i = 0; i < 10; i++)
		kit_redirect(302, "/next");
	kit_twiml("<Reject reason=\"busy\"/>");
	assert_int_equal(leg->end_code, 486);
	kit_turn();
	kit_deliver();
	leg = kit_call();
	for (int i = 0; i < 11; i++)
		kit_redirect(302, "/next");
	assert_non_null(kit_notification(11215));
	assert_string_equal(kit_fetch()->url, "http://app/fb");
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "11215");
	end(leg);
}

static void a_302_is_followed_by_a_get_without_parameters(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_redirect(302, "other?a=1");
	assert_string_equal(kit_fetch()->method, "GET");
	assert_string_equal(kit_fetch()->url, "http://app/other?a=1");
	assert_string_equal(kit_fetch()->body, "");
	kit_twiml("<Redirect>rel</Redirect>"); /* resolves against where the redirect led */
	assert_string_equal(kit_fetch()->url, "http://app/rel");
	assert_string_equal(kit_fetch()->method, "POST");
	end(leg);
}

static void a_307_repeats_the_post_with_a_signature_of_its_own(void **state)
{
	struct leg *leg = kit_call();
	struct fake_fetch *first = kit_fetch();
	char expected[SIGNATURE_SIZE];
	struct form form;

	(void)state;
	kit_redirect(307, "https://other:8443/x");
	assert_string_equal(kit_fetch()->method, "POST");
	assert_string_equal(kit_fetch()->body, first->body);
	form_init(&form);
	form_parse(&form, first->body, strlen(first->body), 100, NULL);
	assert_int_equal(signature_make(expected, kit_domain.auth_token, "https://other/x", &form),
			 0);
	assert_string_equal(header(kit_fetch(), "X-Twilio-Signature"), expected);
	form_done(&form);
	end(leg);
}

static void a_redirect_without_a_usable_location_is_11216(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_redirect(302, NULL);
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "11216");
	end(leg);
	leg = kit_call();
	kit_redirect(302, "ftp://elsewhere/x");
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "11216");
	end(leg);
}

static void T24_retries_of_the_configured_policy_share_one_token(void **state)
{
	struct leg *leg = call_to("http://app/v#rc=2&rp=5xx&rt=1000", "POST");
	char token[64], expected[SIGNATURE_SIZE];
	struct form form;

	(void)state;
	snprintf(token, sizeof(token), "%s", header(kit_fetch(), "I-Twilio-Idempotency-Token"));
	assert_int_equal(strlen(token), 36);
	assert_int_equal(token[14], '4');
	for (int i = 0; i < 3; i++) {
		assert_int_equal(kit.fw->n_fetches, i + 1);
		assert_string_equal(kit_fetch()->url, "http://app/v");
		assert_int_equal(kit_fetch()->request.read_ms, 1000);
		assert_string_equal(header(kit_fetch(), "I-Twilio-Idempotency-Token"), token);
		form_init(&form);
		form_parse(&form, kit_fetch()->body, strlen(kit_fetch()->body), 100, NULL);
		signature_make(expected, kit_domain.auth_token, "http://app/v", &form);
		form_done(&form);
		assert_string_equal(header(kit_fetch(), "X-Twilio-Signature"), expected);
		if (i < 2)
			kit_reply(500, "text/html", "");
	}
	kit_twiml("<Reject reason=\"busy\"/>");
	assert_int_equal(leg->end_code, 486);
	kit_turn();
	kit_deliver();
}

static void a_refused_connection_is_tried_once_more_by_default_and_a_500_is_not(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	fake_fetch_error(kit.fw, 0, HTTP_CONNECT_REFUSED);
	assert_string_equal(kit_fetch()->url, "http://app/v");
	fake_fetch_error(kit.fw, 1, HTTP_CONNECT_REFUSED);
	assert_string_equal(kit_fetch()->url, "http://app/fb");
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "11202");
	end(leg);
	leg = kit_call();
	kit_reply(500, "text/html", "");
	assert_string_equal(kit_fetch()->url, "http://app/fb");
	end(leg);
}

static void rc_0_means_no_retry(void **state)
{
	struct leg *leg = call_to("http://app/v#rc=0", "POST");

	(void)state;
	fake_fetch_error(kit.fw, 0, HTTP_CONNECT_TIMEOUT);
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "11201");
	end(leg);
}

static void a_part_of_a_reply_is_never_retried(void **state)
{
	struct http_reply part = { .error = HTTP_READ_TIMEOUT,
				   .status = 200,
				   .error_text = "stalled",
				   .headers = "",
				   .body = "" };
	struct leg *leg = call_to("http://app/v#rc=3&rp=all", "POST");

	(void)state;
	fake_fetch_error(kit.fw, 0, HTTP_READ_TIMEOUT);
	assert_string_equal(kit_fetch()->url, "http://app/v");
	fake_fetch_done(kit.fw, 1, &part);
	assert_string_equal(kit_fetch()->url, "http://app/fb");
	end(leg);
}

static void the_total_time_is_over_all_attempts(void **state)
{
	struct leg *leg = call_to("http://app/v#tt=3000&rc=5&rp=all&ct=2000", "POST");

	(void)state;
	assert_int_equal(kit_fetch()->request.total_ms, 3000);
	assert_int_equal(kit_fetch()->request.connect_ms, 2000);
	fake_advance(kit.fw, 2000);
	fake_fetch_error(kit.fw, 0, HTTP_CONNECT_TIMEOUT);
	assert_int_equal(kit_fetch()->request.total_ms, 1000);
	fake_advance(kit.fw, 1000);
	fake_fetch_error(kit.fw, 1, HTTP_TOTAL_TIMEOUT);
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "11203");
	end(leg);
}

static void each_failure_of_the_client_has_its_code(void **state)
{
	static const struct {
		enum http_error error;
		const char *code;
	} table[] = {
		{ HTTP_BAD_URL, "11100" },	   { HTTP_BAD_HOST, "11210" },
		{ HTTP_ADDRESS_REFUSED, "11205" }, { HTTP_READ_TIMEOUT, "11200" },
		{ HTTP_TOTAL_TIMEOUT, "11203" },   { HTTP_TLS_HANDSHAKE, "11220" },
		{ HTTP_TLS_NAME, "11235" },	   { HTTP_TLS_EXPIRED, "11236" },
		{ HTTP_TLS_CHAIN, "11237" },	   { HTTP_PROTOCOL, "11206" },
		{ HTTP_TOO_LARGE, "11750" },	   { HTTP_INTERNAL, "12400" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct leg *leg = call_to("http://app/v#rc=0", "POST");

		fake_fetch_error(kit.fw, kit.fw->n_fetches - 1, table[i].error);
		assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), table[i].code);
		end(leg);
	}
}

static void a_bad_url_fails_without_a_request(void **state)
{
	struct leg *leg = call_to("not a url", "POST");

	(void)state;
	assert_int_equal(kit.fw->n_fetches, 0);
	fake_run(kit.fw);
	assert_string_equal(kit_fetch()->url, "http://app/fb");
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "11100");
	end(leg);
	leg = call_to("http://app/v#rp=sometimes", "POST");
	fake_run(kit.fw);
	assert_string_equal(kit_param(kit_fetch(), "ErrorCode"), "11243");
	end(leg);
}

static void user_info_goes_to_the_client_and_is_never_shown(void **state)
{
	struct leg *leg = call_to("http://me:s3cret@app/v", "POST");

	(void)state;
	assert_string_equal(kit_fetch()->url, "http://app/v");
	assert_string_equal(kit_fetch()->username, "me");
	assert_string_equal(kit_fetch()->password, "s3cret");
	kit_twiml("<Redirect>/two</Redirect>"); /* stays logged in */
	assert_string_equal(kit_fetch()->url, "http://app/two");
	assert_string_equal(kit_fetch()->username, "me");
	kit_reply(500, "text/html", "");
	assert_string_equal(kit_param(kit_fetch(), "ErrorUrl"), "http://app/two");
	assert_null(
		strstr(json_string_value(json_object_get(kit_notification(11200), "message_text")),
		       "s3cret"));
	end(leg);
}

static void credentials_do_not_follow_a_redirect_to_another_host(void **state)
{
	struct leg *leg = call_to("http://me:s3cret@app/v", "POST");

	(void)state;
	kit_redirect(302, "http://app/same");
	assert_string_equal(kit_fetch()->username, "me");
	kit_redirect(302, "http://app.evil/other");
	assert_null(kit_fetch()->username);
	end(leg);
}

static void T26_the_requests_of_a_call_share_a_jar_and_calls_do_not(void **state)
{
	struct leg *a = kit_call(), *b;
	struct http_jar *jar = kit_fetch()->request.jar;

	(void)state;
	assert_non_null(jar);
	kit_twiml("<Redirect>/two</Redirect>");
	assert_ptr_equal(kit_fetch()->request.jar, jar);
	b = kit_call();
	assert_ptr_not_equal(kit_fetch()->request.jar, jar);
	kit_hangs_up(a);
	assert_null(kit_fetch()->request.jar); /* the status callback outlives the call */
	end(b);
}

static void callbacks_outlive_their_calls_and_are_counted_until_delivered(void **state)
{
	(void)state;
	for (int i = 0; i < 60; i++)
		kit_hangs_up(kit_call());
	assert_int_equal(calls_count(kit.calls), 0);
	assert_int_equal(calls_callbacks_waiting(kit.calls), 60);
	kit_deliver();
	assert_int_equal(calls_callbacks_waiting(kit.calls), 0);
}

static const char *event_text(unsigned n, const char *name)
{
	return json_string_value(json_object_get(kit_event(n), name));
}

static void each_request_and_its_answer_is_an_event_of_the_call(void **state)
{
	struct leg *leg = kit_call();
	const json_t *parameters;

	(void)state;
	kit_redirect(302, "/other?a=b");
	assert_string_equal(event_text(0, "request_method"), "POST");
	assert_int_equal(json_integer_value(json_object_get(kit_event(0), "response_code")), 302);
	parameters = json_object_get(kit_event(0), "request_parameters");
	assert_string_equal(json_string_value(json_object_get(parameters, "CallStatus")),
			    "ringing");
	kit_twiml("<Say>Hi</Say>");
	assert_string_equal(event_text(1, "request_method"), "GET");
	assert_non_null(strstr(event_text(1, "request_url"), "/other?a=b"));
	assert_int_equal(json_object_size(json_object_get(kit_event(1), "request_parameters")), 0);
	assert_int_equal(json_integer_value(json_object_get(kit_event(1), "response_code")), 200);
	assert_string_equal(event_text(1, "content_type"), "text/xml");
	assert_non_null(strstr(event_text(1, "response_body"), "<Say>Hi</Say>"));
	for (unsigned i = 0; i < 2; i++)
		assert_string_equal(event_text(i, "call_sid"),
				    json_string_value(json_object_get(kit_last_row(), "sid")));
	assert_null(kit_event(2));
	kit_hangs_up(leg);
	kit_deliver();
	assert_string_equal(
		json_string_value(json_object_get(
			json_object_get(kit_event(2), "request_parameters"), "CallStatus")),
		"no-answer");
}

static void a_request_without_an_answer_is_an_event_too(void **state)
{
	struct leg *leg = kit_call();
	struct http_reply reply = { .error = HTTP_BAD_HOST, .headers = "", .body = "" };

	(void)state;
	fake_fetch_done(kit.fw, kit.fw->n_fetches - 1, &reply);
	assert_non_null(kit_event(0));
	assert_null(json_object_get(kit_event(0), "response_code"));
	assert_null(json_object_get(kit_event(0), "response_body"));
	kit_hangs_up(leg);
	kit_deliver();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(T22_ten_redirects_are_followed_and_eleven_are_11215),
		kit_test(a_302_is_followed_by_a_get_without_parameters),
		kit_test(a_307_repeats_the_post_with_a_signature_of_its_own),
		kit_test(a_redirect_without_a_usable_location_is_11216),
		kit_test(T24_retries_of_the_configured_policy_share_one_token),
		kit_test(a_refused_connection_is_tried_once_more_by_default_and_a_500_is_not),
		kit_test(rc_0_means_no_retry),
		kit_test(a_part_of_a_reply_is_never_retried),
		kit_test(the_total_time_is_over_all_attempts),
		kit_test(each_failure_of_the_client_has_its_code),
		kit_test(a_bad_url_fails_without_a_request),
		kit_test(user_info_goes_to_the_client_and_is_never_shown),
		kit_test(credentials_do_not_follow_a_redirect_to_another_host),
		kit_test(T26_the_requests_of_a_call_share_a_jar_and_calls_do_not),
		kit_test(callbacks_outlive_their_calls_and_are_counted_until_delivered),
		cmocka_unit_test_setup_teardown(each_request_and_its_answer_is_an_event_of_the_call,
						kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(a_request_without_an_answer_is_an_event_too,
						kit_setup, kit_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
