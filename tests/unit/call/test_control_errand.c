/* What REST asks of a call of another hookswitchd process, and what another process asks of ours.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/process.h"
#include "call/call.h"
#include "call/call_order.h"
#include "call/status_callback.h"
#include "call/call_kit.h"
#include "call/loop_steps.h"

#define THEIRS "CA10000000000000000000000000000001"

static struct {
	char dir[64];
	struct loop *loop;
	struct siblings *ours, *theirs; /* theirs: the test plays process 1 */
	enum sibling_message what;
	json_t *heard;
	unsigned n_heard;
	/* the one who asks */
	pthread_t thread;
	struct call_command command;
	_Atomic bool done;
	int r, code;
	uint64_t took_ms;
	bool silent;
} t;

static void hear(void *arg, unsigned from, enum sibling_message what, const char *data, size_t len)
{
	char answer[128];

	(void)arg;
	assert_int_equal(from, 0);
	t.what = what;
	t.n_heard++;
	json_decref(t.heard);
	t.heard = what == SIBLING_CHANGED ? json_string(data) : json_loadb(data, len, 0, NULL);
	assert_non_null(t.heard);
	if (what != SIBLING_COMMAND || t.silent)
		return;
	snprintf(answer, sizeof(answer), "{\"number\":%d,\"r\":-74,\"code\":12100}",
		 (int)json_integer_value(json_object_get(t.heard, "number")));
	assert_int_equal(siblings_tell(t.theirs, 0, SIBLING_ANSWER, answer, strlen(answer)), 0);
	/* One more is nobody's. */
	assert_int_equal(siblings_tell(t.theirs, 0, SIBLING_ANSWER, answer, strlen(answer)), 0);
}

static void to_calls(void *arg, unsigned from, enum sibling_message what, const char *data,
		     size_t len)
{
	control_sibling(arg, from, what, data, len);
}

static struct siblings *open_as(unsigned index, siblings_fn *fn)
{
	struct siblings *s;
	char path[100];

	snprintf(path, sizeof(path), "%s/control", t.dir);
	process_set(index, 2);
	s = siblings_new(t.loop, path, fn, kit.calls);
	process_set(0, 2);
	assert_non_null(s);
	return s;
}

static int set_up(void **state)
{
	kit_setup(state);
	memset(&t, 0, sizeof(t));
	snprintf(t.dir, sizeof(t.dir), "/tmp/siblings.XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	t.loop = loop_new();
	t.ours = open_as(0, to_calls);
	t.theirs = open_as(1, hear);
	kit.calls->loop = t.loop;
	calls_meet(kit.calls, t.ours);
	return 0;
}

static int tear_down(void **state)
{
	int r = kit_teardown(state);

	json_decref(t.heard);
	siblings_free(t.theirs);
	siblings_free(t.ours);
	loop_free(t.loop);
	rmdir(t.dir);
	process_set(0, 1);
	return r;
}

static void *ask(void *arg)
{
	uint64_t start = clock_mono_ms();

	(void)arg;
	t.r = call_control(kit.calls, &t.command, &t.code);
	t.took_ms = clock_mono_ms() - start;
	t.done = true;
	return NULL;
}

static bool answered(void *arg)
{
	(void)arg;
	return t.done;
}

static void ask_and_wait(struct call_command command, unsigned within_ms)
{
	static loop_step_fn *const steps[] = { answered, NULL };

	t.command = command;
	t.done = false;
	assert_int_equal(pthread_create(&t.thread, NULL, ask, NULL), 0);
	loop_steps_run(t.loop, steps, NULL, within_ms);
	pthread_join(t.thread, NULL);
}

static const char *heard(const char *name)
{
	return json_string_value(json_object_get(t.heard, name));
}

static void a_call_of_another_process_is_asked_there_with_all_that_was_said(void **state)
{
	(void)state;
	ask_and_wait((struct call_command){ .call_sid = THEIRS,
					    .account_sid = KIT_ACCOUNT,
					    .status = "completed",
					    .url = "http://a/",
					    .method = "GET",
					    .twiml = "<Response>\xc3\xbc</Response>",
					    .fallback_url = "http://b/",
					    .fallback_method = "POST",
					    .status_callback = "http://c/",
					    .status_callback_method = "GET",
					    .time_limit = 77 },
		     2000);
	assert_int_equal(t.r, -EBADMSG);
	assert_int_equal(t.code, 12100);
	assert_string_equal(heard("call_sid"), THEIRS);
	assert_string_equal(heard("account_sid"), KIT_ACCOUNT);
	assert_string_equal(heard("status"), "completed");
	assert_string_equal(heard("url"), "http://a/");
	assert_string_equal(heard("method"), "GET");
	assert_string_equal(heard("twiml"), "<Response>\xc3\xbc</Response>");
	assert_string_equal(heard("fallback_url"), "http://b/");
	assert_string_equal(heard("fallback_method"), "POST");
	assert_string_equal(heard("status_callback"), "http://c/");
	assert_string_equal(heard("status_callback_method"), "GET");
	assert_int_equal(json_integer_value(json_object_get(t.heard, "time_limit")), 77);
	assert_null(kit.calls->errands);
}

static void what_was_not_said_is_not_there(void **state)
{
	(void)state;
	ask_and_wait((struct call_command){ .call_sid = THEIRS, .account_sid = KIT_ACCOUNT }, 2000);
	assert_int_equal(json_object_size(t.heard), 5);
}

static void a_call_of_ours_is_asked_here(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Say>long</Say>");
	kit_answered(leg);
	ask_and_wait((struct call_command){ .call_sid = leg->call_sid,
					    .account_sid = KIT_ACCOUNT,
					    .status = "completed" },
		     2000);
	assert_int_equal(t.r, 0);
	assert_int_equal(t.n_heard, 0);
	assert_true(leg->end_due);
	kit_turn();
	kit_deliver();
}

/* By the loop, too. */
static bool forgotten(void *arg)
{
	(void)arg;
	return !kit.calls->errands;
}

static bool ask_again(void *arg)
{
	(void)arg;
	pthread_join(t.thread, NULL);
	assert_int_equal(t.r, -ETIMEDOUT);
	assert_true(t.took_ms >= 4990);
	t.silent = false;
	t.done = false;
	assert_int_equal(pthread_create(&t.thread, NULL, ask, NULL), 0);
	return true;
}

static void a_process_that_says_nothing_is_given_up_after_five_seconds(void **state)
{
	static loop_step_fn *const steps[] = { answered, forgotten, ask_again, answered, NULL };

	(void)state;
	t.silent = true;
	t.command = (struct call_command){ .call_sid = THEIRS, .account_sid = KIT_ACCOUNT };
	assert_int_equal(pthread_create(&t.thread, NULL, ask, NULL), 0);
	loop_steps_run(t.loop, steps, NULL, 8000);
	pthread_join(t.thread, NULL);
	assert_int_equal(t.r, -EBADMSG);
}

static void a_process_that_is_not_there_is_given_up_at_once(void **state)
{
	(void)state;
	siblings_free(t.theirs);
	t.theirs = NULL;
	ask_and_wait((struct call_command){ .call_sid = THEIRS, .account_sid = KIT_ACCOUNT }, 4000);
	assert_int_equal(t.r, -ETIMEDOUT);
	assert_null(kit.calls->errands);
}

static void a_document_that_no_call_would_take_is_not_sent(void **state)
{
	char *twiml = calloc(1, 70000);

	(void)state;
	memset(twiml, 'a', 69999);
	ask_and_wait((struct call_command){ .call_sid = THEIRS,
					    .account_sid = KIT_ACCOUNT,
					    .twiml = twiml },
		     2000);
	assert_int_equal(t.r, -EBADMSG);
	assert_int_equal(t.code, 32018);
	assert_int_equal(t.n_heard, 0);
	free(twiml);
}

static bool has_answer(void *arg)
{
	(void)arg;
	return t.n_heard > 0;
}

static void command_ours(const char *sid, uint64_t deadline_ms)
{
	static loop_step_fn *const steps[] = { has_answer, NULL };
	char *text;
	json_t *json = json_pack("{s:i, s:I, s:s, s:s, s:s}", "number", 41, "deadline_ms",
				 (json_int_t)deadline_ms, "call_sid", sid, "account_sid",
				 KIT_ACCOUNT, "status", "completed");

	t.n_heard = 0;
	text = json_dumps(json, 0);
	assert_int_equal(siblings_tell(t.theirs, 0, SIBLING_COMMAND, text, strlen(text)), 0);
	loop_steps_run(t.loop, steps, NULL, 2000);
	free(text);
	json_decref(json);
}

static void another_process_may_ask_a_call_of_ours(void **state)
{
	struct leg *leg = kit_call();

	(void)state;
	kit_twiml("<Say>long</Say>");
	kit_answered(leg);
	command_ours("CA20000000000000000000000000000001", clock_mono_ms() + 1000);
	assert_int_equal(t.what, SIBLING_ANSWER);
	assert_int_equal(json_integer_value(json_object_get(t.heard, "number")), 41);
	assert_int_equal(json_integer_value(json_object_get(t.heard, "r")), -ENOENT);
	assert_false(leg->end_due);
	command_ours(leg->call_sid, clock_mono_ms() + 1000);
	assert_int_equal(json_integer_value(json_object_get(t.heard, "r")), 0);
	assert_true(leg->end_due);
	kit_turn();
	kit_deliver();
}

static bool a_moment(void *arg)
{
	return ++*(int *)arg > 20;
}

static void what_comes_too_late_or_broken_is_not_done(void **state)
{
	static const char *const broken[] = { "", "{", "[]", "{\"number\":1}",
					      "{\"call_sid\":3,\"deadline_ms\":99999999999999}" };
	struct leg *leg = kit_call();
	char late[300];
	int turns = 0;

	(void)state;
	kit_twiml("<Say>long</Say>");
	kit_answered(leg);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		siblings_tell(t.theirs, 0, SIBLING_COMMAND, broken[i], strlen(broken[i]));
		siblings_tell(t.theirs, 0, SIBLING_ANSWER, broken[i], strlen(broken[i]));
	}
	snprintf(late, sizeof(late),
		 "{\"number\":1,\"deadline_ms\":%llu,\"call_sid\":\"%s\",\"account_sid\":\"%s\","
		 "\"status\":\"completed\"}",
		 (unsigned long long)clock_mono_ms(), leg->call_sid, KIT_ACCOUNT);
	siblings_tell(t.theirs, 0, SIBLING_COMMAND, late, strlen(late));
	siblings_tell(t.theirs, 0, (enum sibling_message)99, "x", 1);
	loop_steps_run(t.loop, (loop_step_fn *const[]){ a_moment, NULL }, &turns, 2000);
	assert_int_equal(t.n_heard, 0);
	assert_false(leg->end_due);
}

static bool change_all(void *arg)
{
	(void)arg;
	assert_int_equal(t.what, SIBLING_CHANGED);
	assert_string_equal(json_string_value(t.heard), "SD00000000000000000000000000000001");
	t.n_heard = 0;
	calls_forget_domain(kit.calls, NULL);
	return true;
}

static void the_others_hear_what_rest_changed(void **state)
{
	static loop_step_fn *const steps[] = { has_answer, change_all, has_answer, NULL };

	(void)state;
	calls_forget_domain(kit.calls, "SD00000000000000000000000000000001");
	loop_steps_run(t.loop, steps, NULL, 2000);
	assert_string_equal(json_string_value(t.heard), "");
}

static const struct call_order an_order = {
	.account_sid = KIT_ACCOUNT,
	.auth_token = "secret",
	.to = "sip:bob@192.0.2.20",
	.from = "alice",
	.url = "http://a/",
	.method = "GET",
	.twiml = "<Response/>",
	.fallback_url = "http://b/",
	.fallback_method = "POST",
	.status_callback = "http://c/",
	.status_callback_method = "GET",
	.callback_events = 5,
	.send_digits = "12",
	.username = "user",
	.password = "password",
	.machine_detection = 1,
	.amd_callback = "http://d/",
	.amd_callback_method = "POST",
	.refer_url = "http://e/",
	.refer_method = "GET",
	.timeout_s = 33,
	.time_limit_s = 44,
};

static void a_call_of_another_process_is_dialled_there(void **state)
{
	static loop_step_fn *const steps[] = { has_answer, NULL };
	static const struct {
		const char *name, *value;
	} strings[] = { { "sid", THEIRS },
			{ "account_sid", KIT_ACCOUNT },
			{ "auth_token", "secret" },
			{ "to", "sip:bob@192.0.2.20" },
			{ "from", "alice" },
			{ "url", "http://a/" },
			{ "method", "GET" },
			{ "twiml", "<Response/>" },
			{ "fallback_url", "http://b/" },
			{ "fallback_method", "POST" },
			{ "status_callback", "http://c/" },
			{ "status_callback_method", "GET" },
			{ "send_digits", "12" },
			{ "username", "user" },
			{ "password", "password" },
			{ "amd_callback", "http://d/" },
			{ "amd_callback_method", "POST" },
			{ "refer_url", "http://e/" },
			{ "refer_method", "GET" } };
	static const struct {
		const char *name;
		int value;
	} numbers[] = { { "callback_events", 5 },
			{ "machine_detection", 1 },
			{ "timeout_s", 33 },
			{ "time_limit_s", 44 } };
	struct call_order order = an_order;

	(void)state;
	order.sid = THEIRS;
	assert_int_equal(calls_order(kit.calls, &order), 0);
	loop_steps_run(t.loop, steps, NULL, 2000);
	assert_int_equal(t.what, SIBLING_ORDER);
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		assert_string_equal(heard(strings[i].name), strings[i].value);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		assert_int_equal(json_integer_value(json_object_get(t.heard, numbers[i].name)),
				 numbers[i].value);
	/* Whatever REST sets goes along. */
	assert_int_equal(json_object_size(t.heard), sizeof(strings) / sizeof(strings[0]) +
							    sizeof(numbers) / sizeof(numbers[0]));
	assert_int_equal(kit.n_legs, 0);
	assert_null(kit.calls->live);
}

static bool has_leg(void *arg)
{
	(void)arg;
	return kit.n_legs > 0;
}

static void another_process_may_have_a_call_dialled_here(void **state)
{
	static const char order[] =
		"{\"sid\":\"CA20000000000000000000000000000001\",\"account_sid\":\"" KIT_ACCOUNT
		"\",\"auth_token\":\"secret\",\"to\":\"sip:bob@192.0.2.20\",\"from\":\"alice\","
		"\"url\":\"http://a/\",\"method\":\"GET\",\"timeout_s\":33}";
	static const char broken[] = "{\"sid\":\"CA20000000000000000000000000000002\"}";

	(void)state;
	assert_int_equal(siblings_tell(t.theirs, 0, SIBLING_ORDER, broken, strlen(broken)), 0);
	assert_int_equal(siblings_tell(t.theirs, 0, SIBLING_ORDER, order, strlen(order)), 0);
	loop_steps_run(t.loop, (loop_step_fn *const[]){ has_leg, NULL }, NULL, 2000);
	assert_int_equal(kit.n_legs, 1);
	assert_string_equal(kit.leg[0]->call_sid, "CA20000000000000000000000000000001");
	assert_string_equal(kit.leg[0]->target, "sip:bob@192.0.2.20");
	kit_end(kit.leg[0], LEG_END_REFUSED, 486);
	kit_turn();
	kit_deliver();
}

static bool has_failed(void *arg)
{
	(void)arg;
	return kit.calls->dead != NULL;
}

static void a_call_whose_process_is_away_fails(void **state)
{
	struct call_order order = an_order;

	(void)state;
	siblings_free(t.theirs);
	t.theirs = NULL;
	order.sid = THEIRS;
	order.callback_events = 1u << CALLBACK_COMPLETED;
	order.status_callback_method = "POST";
	assert_int_equal(calls_order(kit.calls, &order), 0);
	loop_steps_run(t.loop, (loop_step_fn *const[]){ has_failed, NULL }, NULL, 2000);
	assert_string_equal(kit_status(), "failed");
	assert_int_equal(kit.n_legs, 0);
	kit_deliver();
	assert_int_equal(kit_asked("http://c/"), 1);
}

#define errand_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		errand_test(a_call_of_another_process_is_asked_there_with_all_that_was_said),
		errand_test(what_was_not_said_is_not_there),
		errand_test(a_call_of_ours_is_asked_here),
		errand_test(a_process_that_says_nothing_is_given_up_after_five_seconds),
		errand_test(a_process_that_is_not_there_is_given_up_at_once),
		errand_test(a_document_that_no_call_would_take_is_not_sent),
		errand_test(another_process_may_ask_a_call_of_ours),
		errand_test(what_comes_too_late_or_broken_is_not_done),
		errand_test(the_others_hear_what_rest_changed),
		errand_test(a_call_of_another_process_is_dialled_there),
		errand_test(another_process_may_have_a_call_dialled_here),
		errand_test(a_call_whose_process_is_away_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
