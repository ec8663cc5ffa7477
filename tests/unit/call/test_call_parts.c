/* The pure parts of the call engine: table of statuses, content types, rows, refused attempts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "call/content_type.h"
#include "call/fake_world.h"
#include "call/rejected.h"
#include "call/state.h"
#include "call/store_item.h"
#include "proto/form.h"
#include "proto/sip_msg.h"

static void every_status_and_event_has_one_defined_end(void **state)
{
	(void)state;
	for (int s = 0; s < CALL_STATUSES; s++) {
		for (int e = 0; e < CALL_EVENTS; e++) {
			enum call_status to = CALL_STATUSES;
			int r = call_status_step(&to, (enum call_status)s, (enum call_event)e);

			if (call_status_terminal((enum call_status)s)) {
				assert_int_equal(r, -EINVAL); /* terminal means terminal */
			} else if (s == CALL_IN_PROGRESS && e == CALL_EV_ANSWERED) {
				assert_int_equal(r, -EINVAL);
			} else if (e == CALL_EV_RINGING) { /* once, of a call of ours */
				assert_int_equal(r, s == CALL_QUEUED ? 0 : -EINVAL);
			} else {
				assert_int_equal(r, 0);
				if (s == CALL_IN_PROGRESS)
					assert_int_equal(to, CALL_COMPLETED);
				else
					assert_int_not_equal(to,
							     CALL_COMPLETED); /* completed only if
										 it was answered */
				assert_true(call_status_terminal(to) || e == CALL_EV_ANSWERED);
			}
		}
	}
}

static void statuses_have_the_names_of_the_api(void **state)
{
	(void)state;
	assert_string_equal(call_status_name(CALL_IN_PROGRESS), "in-progress");
	assert_string_equal(call_status_name(CALL_NO_ANSWER), "no-answer");
	assert_string_equal(call_status_name(CALL_CANCELED), "canceled");
}

static void a_content_type_is_read_without_its_parameters_and_in_any_case(void **state)
{
	char charset[16];

	(void)state;
	assert_int_equal(content_kind("text/xml"), CONTENT_TWIML);
	assert_int_equal(content_kind(" Application/XML ; charset=x"), CONTENT_TWIML);
	assert_int_equal(content_kind("text/plain;charset=utf-8"), CONTENT_TEXT);
	assert_int_equal(content_kind("AUDIO/MPEG"), CONTENT_AUDIO);
	assert_int_equal(content_kind("audio/mpegurl"), CONTENT_OTHER);
	assert_int_equal(content_kind("text/xmlx"), CONTENT_OTHER);
	assert_int_equal(content_kind(""), CONTENT_OTHER);
	assert_int_equal(content_kind(NULL), CONTENT_OTHER);
	assert_true(
		content_charset(charset, sizeof(charset), "text/xml; a=b; Charset=\"ISO-8859-1\""));
	assert_string_equal(charset, "ISO-8859-1");
	assert_false(content_charset(charset, sizeof(charset), "text/xml"));
	assert_false(
		content_charset(charset, sizeof(charset), "text/xml; charset=0123456789abcdef"));
	assert_false(content_charset(charset, sizeof(charset), NULL));
}

static const char *text(const struct store_item *item, const char *name)
{
	return json_string_value(json_object_get(item->row, name));
}

static void a_notification_s_text_is_a_form_with_level_and_code(void **state)
{
	struct store_item *item =
		store_item_notification(&(struct store_notification){ .account_sid = "AC1",
								      .error_code = 12200,
								      .message = "a b&c",
								      .extra = "line=3&cols=7" });

	(void)state;
	assert_string_equal(text(item, "message_text"),
			    "Msg=a+b%26c&ErrorCode=12200&LogLevel=WARN&line=3&cols=7");
	assert_int_equal(json_integer_value(json_object_get(item->row, "log")), 1);
	assert_true(text(item, "sid")[0] == 'N' && text(item, "sid")[1] == 'O');
	assert_null(json_object_get(item->row, "call_sid"));
	store_item_free(item);
	item = store_item_notification(&(struct store_notification){
		.account_sid = "AC1", .error_code = 12100, .message = "x" });
	assert_string_equal(text(item, "message_text"), "Msg=x&ErrorCode=12100&LogLevel=ERROR");
	store_item_free(item);
}

static void bytes_that_are_no_utf8_and_endless_texts_become_rows_all_the_same(void **state)
{
	char *big = malloc(100001);
	struct store_item *item;

	(void)state;
	memset(big, 'x', 100000);
	big[100000] = '\0';
	item = store_item_notification(
		&(struct store_notification){ .account_sid = "AC1",
					      .error_code = 12100,
					      .message = big,
					      .extra = big,
					      .response_body = big,
					      .request_url = "http://\xff\xfe/" });
	assert_non_null(item);
	assert_string_equal(text(item, "request_url"), "http://"
						       "?"
						       "?"
						       "/");
	assert_int_equal(strlen(text(item, "response_body")), 8192);
	assert_true(strlen(text(item, "message_text")) < 16384);
	assert_null(strstr(text(item, "message_text"), "WARN&x"));
	store_item_free(item);
	memset(big, 0xc3, 100000);
	for (int i = 1; i < 100000; i += 2)
		big[i] = (char)0xa4;
	item = store_item_notification(&(struct store_notification){ .account_sid = "AC1",
								     .error_code = 12100,
								     .message = "x",
								     .response_body = big + 1 });
	assert_non_null(item);
	store_item_free(item);
	free(big);
}

static void an_update_is_folded_into_an_earlier_row(void **state)
{
	struct store_item *a = store_item_call(&(struct store_call){ .sid = "CA1",
								     .account_sid = "AC1",
								     .status = "ringing",
								     .duration_s = -1,
								     .insert = true }),
			  *b = store_item_call(&(struct store_call){ .sid = "CA1",
								     .status = "completed",
								     .end_time_ms = 5,
								     .duration_s = 0,
								     .sip_response_code = 200 });

	(void)state;
	assert_int_equal(a->kind, STORE_CALL_INSERT);
	assert_int_equal(b->kind, STORE_CALL_UPDATE);
	store_item_merge(a, b);
	assert_string_equal(text(a, "status"), "completed");
	assert_string_equal(text(a, "account_sid"), "AC1");
	assert_int_equal(json_integer_value(json_object_get(a->row, "duration")), 0);
	assert_non_null(json_object_get(a->row, "duration"));
	store_item_free(a);
	store_item_free(b);
}

/* -- refused attempts */

static void reject(struct rejected *r, const char *account, int error, const struct sip_msg *msg)
{
	json_t *params =
		json_pack("{s:s,s:s,s:s,s:i,s:i,s:s,s:i,s:s}", "account", account, "domain",
			  "acme.sip.example.com", "domain_sid", "SD1", "error", error, "code", 403,
			  "source", "192.0.2.9", "port", 5060, "proto", "udp");

	rejected_event(r, params, msg);
	json_decref(params);
}

static void a_refused_attempt_is_a_notification_of_its_account(void **state)
{
	static const char raw[] =
		"INVITE sip:1@acme.sip.example.com SIP/2.0\r\nVia: SIP/2.0/UDP "
		"h;branch=z9hG4bK1\r\n"
		"From: <sip:eve@h>;tag=a\r\nTo: <sip:1@h>\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\n\r\n";
	struct fake_world *fw = fake_world_new();
	struct rejected *r = rejected_new(&fw->world);
	struct sip_msg *msg = NULL;
	const char *message;

	(void)state;
	assert_int_equal(sip_msg_parse(&msg, raw, strlen(raw)), 0);
	reject(r, "AC1", 32201, msg);
	assert_int_equal(fw->n_stored, 1);
	message = text(fw->stored[0], "message_text");
	assert_non_null(strstr(message, "ErrorCode=32201&LogLevel=ERROR"));
	assert_non_null(strstr(message, "&SipSourceIp=192.0.2.9&"));
	assert_non_null(strstr(
		message, "&From=sip%3Aeve%40h&To=sip%3A1%40acme.sip.example.com&SipCallId=c1"));
	assert_null(json_object_get(fw->stored[0]->row, "call_sid"));
	reject(r, "", 32201, NULL);
	reject(r, "AC1", 0, NULL);
	rejected_event(r, NULL, NULL);
	assert_int_equal(fw->n_stored, 1);
	sip_msg_free(msg);
	rejected_free(r);
	fake_world_free(fw);
}

static void a_flood_of_refused_attempts_is_bounded_by_the_second(void **state)
{
	struct fake_world *fw = fake_world_new();
	struct rejected *r = rejected_new(&fw->world);

	(void)state;
	for (int i = 0; i < 1000; i++)
		reject(r, "AC1", 32202, NULL);
	assert_int_equal(fw->n_stored, REJECTED_PER_SECOND);
	assert_int_equal(rejected_dropped(r), 1000 - REJECTED_PER_SECOND);
	reject(r, "AC2", 32202, NULL); /* another account is not silenced by it */
	assert_int_equal(fw->n_stored, REJECTED_PER_SECOND + 1);
	fake_advance(fw, 1000);
	reject(r, "AC1", 32202, NULL);
	assert_int_equal(fw->n_stored, REJECTED_PER_SECOND + 2);
	rejected_free(r);
	fake_world_free(fw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_and_event_has_one_defined_end),
		cmocka_unit_test(statuses_have_the_names_of_the_api),
		cmocka_unit_test(a_content_type_is_read_without_its_parameters_and_in_any_case),
		cmocka_unit_test(a_notification_s_text_is_a_form_with_level_and_code),
		cmocka_unit_test(bytes_that_are_no_utf8_and_endless_texts_become_rows_all_the_same),
		cmocka_unit_test(an_update_is_folded_into_an_earlier_row),
		cmocka_unit_test(a_refused_attempt_is_a_notification_of_its_account),
		cmocka_unit_test(a_flood_of_refused_attempts_is_bounded_by_the_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
