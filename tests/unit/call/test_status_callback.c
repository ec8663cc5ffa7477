/* Callbacks are rows before they are requests, keep the order of their call, and share what runs
 * among accounts (docs/adr/0018-durable-callbacks.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "call/call.h"
#include "call/call_kit.h"
#include "call/status_callback.h"
#include "call/store_item.h"

#define OTHER_ACCOUNT "AC00000000000000000000000000000002"

static struct callbacks *callbacks;

static int setup(void **state)
{
	int r = kit_setup(state);

	callbacks = callbacks_new(&kit.fw->world);
	return r;
}

static int teardown(void **state)
{
	callbacks_free(callbacks);
	return kit_teardown(state);
}

/* A callback of a call; where: its URL. */
static void put(const char *account_sid, const char *call_sid, const char *where)
{
	struct call call = { .account_sid = (char *)account_sid, .auth_token = (char *)"token" };
	struct form params;

	snprintf(call.sid, sizeof(call.sid), "%s", call_sid);
	form_init(&params);
	assert_int_equal(form_add(&params, "CallStatus", "a & b"), 0);
	callbacks_put_request(callbacks, &call, where, "POST", &params);
	form_done(&params);
}

static void resume(const char *sid, const char *call_sid, const char *where)
{
	callbacks_resume(callbacks,
			 &(struct store_callback){ .sid = sid,
						   .account_sid = KIT_ACCOUNT,
						   .call_sid = call_sid,
						   .url = where,
						   .method = "POST",
						   .parameters = "CallStatus=a+%26+b" },
			 "token");
}

/* The n-th row of a kind, from 0. */
static const json_t *row(enum store_kind kind, unsigned n)
{
	for (unsigned i = 0; i < kit.fw->n_stored; i++)
		if (kit.fw->stored[i]->kind == kind && n-- == 0)
			return kit.fw->stored[i]->row;
	return NULL;
}

static const char *text(const json_t *r, const char *name)
{
	return json_string_value(json_object_get(r, name));
}

/* The oldest request on the way is answered. */
static void answer(int status)
{
	for (unsigned i = 0; i < kit.fw->n_fetches; i++)
		if (kit.fw->fetches[i]->open) {
			fake_fetch_reply(kit.fw, i, status, NULL, "");
			return;
		}
	fail_msg("nothing is on the way");
}

static void a_callback_is_sent_when_its_row_is_written(void **state)
{
	(void)state;
	kit.fw->hold_rows = true;
	put(KIT_ACCOUNT, "CA1", "http://app/1");
	assert_string_equal(text(row(STORE_CALLBACK_INSERT, 0), "call_sid"), "CA1");
	assert_string_equal(text(row(STORE_CALLBACK_INSERT, 0), "parameters"),
			    "CallStatus=a+%26+b");
	assert_int_equal(kit_asked("http://app/1"), 0);
	assert_int_equal(callbacks_waiting(callbacks), 1);
	fake_rows_written(kit.fw);
	assert_int_equal(kit_asked("http://app/1"), 1);
	assert_null(row(STORE_CALLBACK_DELETE, 0));
	answer(204);
	assert_string_equal(text(row(STORE_CALLBACK_DELETE, 0), "sid"),
			    text(row(STORE_CALLBACK_INSERT, 0), "sid"));
	assert_int_equal(callbacks_waiting(callbacks), 0);
}

static void its_turn_does_not_send_one_whose_row_is_not_written(void **state)
{
	(void)state;
	put(KIT_ACCOUNT, "CA1", "http://app/1");
	kit.fw->hold_rows = true;
	put(KIT_ACCOUNT, "CA1", "http://app/2");
	answer(204);
	assert_int_equal(kit_asked("http://app/2"), 0);
	fake_rows_written(kit.fw);
	assert_int_equal(kit_asked("http://app/2"), 1);
	answer(204);
}

static void one_that_failed_is_told_and_forgotten(void **state)
{
	(void)state;
	put(KIT_ACCOUNT, "CA1", "http://app/1");
	answer(500);
	assert_non_null(kit_notification(15003));
	assert_non_null(row(STORE_CALLBACK_DELETE, 0));
	assert_int_equal(callbacks_waiting(callbacks), 0);
}

static void one_without_a_row_is_sent_in_its_turn(void **state)
{
	(void)state;
	kit.fw->hold_rows = true;
	put(KIT_ACCOUNT, "CA1", "http://app/1");
	kit.fw->fail_store = -EAGAIN;
	put(KIT_ACCOUNT, "CA1", "http://app/2");
	put(KIT_ACCOUNT, "CA2", "http://app/3");
	assert_int_equal(kit_asked("http://app/2"), 0);
	assert_int_equal(kit_asked("http://app/3"), 1);
	kit.fw->fail_store = 0;
	fake_rows_written(kit.fw);
	assert_int_equal(kit_asked("http://app/1"), 1);
	assert_int_equal(kit_asked("http://app/2"), 0);
	answer(204);
	answer(204);
	assert_int_equal(kit_asked("http://app/2"), 1);
	answer(204);
	assert_int_equal(callbacks_waiting(callbacks), 0);
}

static void what_is_resumed_goes_in_order_under_its_old_token(void **state)
{
	(void)state;
	resume("CB0123456789abcdef0123456789abcdef", "CA1", "http://app/1");
	resume("CB00000000000000000000000000000002", "CA1", "http://app/2");
	put(KIT_ACCOUNT, "CA1", "http://app/3");
	assert_int_equal(kit.fw->n_fetches, 1);
	assert_string_equal(kit_param(kit_fetch(), "CallStatus"), "a & b");
	assert_non_null(strstr(kit_fetch()->headers, "I-Twilio-Idempotency-Token: "
						     "01234567-89ab-4def-8123-456789abcdef\n"));
	answer(204);
	assert_string_equal(kit_fetch()->url, "http://app/2");
	answer(503);
	assert_string_equal(kit_fetch()->url, "http://app/3");
	answer(204);
	assert_int_equal(kit.fw->n_fetches, 3);
	assert_string_equal(text(row(STORE_CALLBACK_DELETE, 0), "sid"),
			    "CB0123456789abcdef0123456789abcdef");
	assert_non_null(row(STORE_CALLBACK_DELETE, 2));
}

static void an_account_leaves_half_of_what_runs_to_the_others(void **state)
{
	char sid[16];

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		snprintf(sid, sizeof(sid), "CA%u", i);
		put(KIT_ACCOUNT, sid, "http://slow/");
	}
	assert_int_equal(kit_asked("http://slow/"), CALLBACKS_ACCOUNT_MAX);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(sid, sizeof(sid), "CB%u", i);
		put(OTHER_ACCOUNT, sid, "http://fast/");
	}
	assert_int_equal(kit_asked("http://fast/"), CALLBACKS_RUNNING_MAX - CALLBACKS_ACCOUNT_MAX);
	answer(204);
	assert_int_equal(kit_asked("http://slow/"), CALLBACKS_ACCOUNT_MAX + 1);
	while (callbacks_waiting(callbacks))
		answer(204);
	assert_int_equal(kit_asked("http://slow/"), 300);
	assert_int_equal(kit_asked("http://fast/"), 200);
}

static void accounts_take_turns_whoever_has_more(void **state)
{
	char sid[16];

	(void)state;
	/* Both halves are taken, by two accounts; a third has its turn with the next place. */
	for (unsigned i = 0; i < 1200; i++) {
		snprintf(sid, sizeof(sid), "CA%u", i);
		put(i % 2 ? OTHER_ACCOUNT : KIT_ACCOUNT, sid, "http://slow/");
	}
	put("AC3", "CAlate", "http://third/");
	assert_int_equal(kit_asked("http://third/"), 0);
	answer(204);
	answer(204);
	assert_int_equal(kit_asked("http://third/"), 1);
	while (callbacks_waiting(callbacks))
		answer(204);
}

static void what_is_not_delivered_at_the_end_keeps_its_row(void **state)
{
	(void)state;
	put(KIT_ACCOUNT, "CA1", "http://app/1");
	put(KIT_ACCOUNT, "CA1", "http://app/2");
	kit.fw->hold_rows = true;
	put(KIT_ACCOUNT, "CA2", "http://app/3");
	callbacks_free(callbacks);
	callbacks = NULL;
	assert_non_null(row(STORE_CALLBACK_INSERT, 2));
	assert_null(row(STORE_CALLBACK_DELETE, 0));
}

static void a_call_has_its_last_words_in_its_row(void **state)
{
	struct leg *leg = kit_call();
	const json_t *call = row(STORE_CALL_INSERT, 0);
	struct form last_words;

	(void)state;
	assert_string_equal(text(call, "callback_url"), "http://app/sc");
	assert_string_equal(text(call, "callback_method"), "POST");
	form_init(&last_words);
	assert_int_equal(form_parse(&last_words, text(call, "callback_parameters"),
				    strlen(text(call, "callback_parameters")), 100, NULL),
			 0);
	assert_string_equal(form_get(&last_words, "CallSid"), text(call, "sid"));
	assert_string_equal(form_get(&last_words, "From"), "sip:alice@acme.sip.example.com");
	assert_null(form_get(&last_words, "CallStatus"));
	form_done(&last_words);
	kit_hangs_up(leg);
	/* The same name as a start would give it. */
	assert_string_equal(text(row(STORE_CALLBACK_INSERT, 0), "sid") + 2, text(call, "sid") + 2);
	kit_deliver();
}

static void a_call_without_a_status_callback_has_none(void **state)
{
	struct call_domain domain = kit_domain;

	(void)state;
	domain.status_callback_url = NULL;
	kit_hangs_up(kit_call_with(&domain));
	assert_null(text(row(STORE_CALL_INSERT, 0), "callback_url"));
	assert_null(text(row(STORE_CALL_INSERT, 0), "callback_parameters"));
	assert_null(row(STORE_CALLBACK_INSERT, 0));
}

static void bytes_that_are_no_text_are_readable_in_the_row(void **state)
{
	struct call call = { .account_sid = (char *)KIT_ACCOUNT, .auth_token = (char *)"token" };
	struct form params;

	(void)state;
	strcpy(call.sid, "CA1");
	form_init(&params);
	assert_int_equal(form_add(&params, "SipHeader_X-A", "caf\xe9"), 0);
	callbacks_put_request(callbacks, &call, "http://app/1", "POST", &params);
	form_done(&params);
	assert_string_equal(text(row(STORE_CALLBACK_INSERT, 0), "parameters"),
			    "SipHeader_X-A=caf%3F");
	answer(204);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_callback_is_sent_when_its_row_is_written),
		test(its_turn_does_not_send_one_whose_row_is_not_written),
		test(one_that_failed_is_told_and_forgotten),
		test(one_without_a_row_is_sent_in_its_turn),
		test(what_is_resumed_goes_in_order_under_its_old_token),
		test(an_account_leaves_half_of_what_runs_to_the_others),
		test(accounts_take_turns_whoever_has_more),
		test(a_call_has_its_last_words_in_its_row),
		test(a_call_without_a_status_callback_has_none),
		test(bytes_that_are_no_text_are_readable_in_the_row),
		test(what_is_not_delivered_at_the_end_keeps_its_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
