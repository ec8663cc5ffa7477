#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "api/rate.h"
#include "request_kit.h"

#define START_MS 1000000u

/* How many of n requests at once are within the limit. Each test has accounts of its own. */
static int taken(const char *account, uint64_t per_second, uint64_t now_ms, int n)
{
	int ok = 0;

	while (n--)
		ok += rate_take(RATE_REQUESTS, account, per_second, 1, now_ms);
	return ok;
}

static void an_account_has_one_seconds_worth_at_once_and_no_more(void **state)
{
	(void)state;
	assert_int_equal(taken("AC-once", 5, START_MS, 20), 5);
	assert_int_equal(taken("AC-once", 5, START_MS, 20), 0);
}

static void what_was_taken_comes_back_evenly(void **state)
{
	(void)state;
	assert_int_equal(taken("AC-evenly", 5, START_MS, 20), 5);
	assert_int_equal(taken("AC-evenly", 5, START_MS + 199, 20), 0);
	assert_int_equal(taken("AC-evenly", 5, START_MS + 200, 20), 1);
	assert_int_equal(taken("AC-evenly", 5, START_MS + 1000, 20), 4);
}

static void a_long_pause_saves_up_no_more_than_a_second(void **state)
{
	(void)state;
	assert_int_equal(taken("AC-pause", 5, START_MS, 20), 5);
	assert_int_equal(taken("AC-pause", 5, START_MS + 86400000u, 20), 5);
}

static void over_a_minute_the_limit_is_kept_to_one_request(void **state)
{
	int ok = 0;

	(void)state;
	for (uint64_t ms = 0; ms < 60000; ms += 7)
		ok += taken("AC-minute", 10, START_MS + ms, 3);
	assert_in_range(ok, 10 + 10 * 59, 10 + 10 * 60);
}

/* The clock is read before the lock: another thread may have come first with a later time. */
static void a_thread_with_an_older_time_fills_nothing(void **state)
{
	(void)state;
	assert_int_equal(taken("AC-older", 2000, START_MS + 1, 3000), 2000);
	assert_int_equal(taken("AC-older", 2000, START_MS, 3000), 0);
	assert_int_equal(taken("AC-older", 2000, START_MS + 1, 3000), 0);
	assert_int_equal(taken("AC-older", 2000, START_MS + 2, 3000), 2);
}

static void accounts_do_not_use_up_each_others(void **state)
{
	(void)state;
	assert_int_equal(taken("AC-a", 3, START_MS, 9), 3);
	assert_int_equal(taken("AC-b", 3, START_MS, 9), 3);
	assert_int_equal(taken("AC-a", 3, START_MS, 9), 0);
}

static const char *header(const struct request_kit *k, const char *name)
{
	for (int i = 0; i < HTTP_OUT_HEADERS && k->out.headers[i].name; i++)
		if (!strcmp(k->out.headers[i].name, name))
			return k->out.headers[i].value;
	return "";
}

/* The kit's account is this test's alone; its clock is the real one, of which a minute is not spent
 * here. */
static void beyond_the_limit_is_429_20429_with_retry_after(void **state)
{
	struct request_kit k;
	int n = 0;

	(void)state;
	request_new(&k, "", "");
	strcpy(k.q.actor_account, ACCOUNT);
	k.config.api_requests_per_second = 1;
	while (rate_check(&k.q) == 0)
		assert_true(++n < 60);
	assert_true(n >= 1);
	assert_int_equal(k.out.status, 429);
	assert_int_equal(request_code(&k), 20429);
	assert_string_equal(header(&k, "Retry-After"), "1");
	assert_string_equal(header(&k, "X-Twilio-Error-Code"), "20429");
	request_free(&k);
}

static void wrong_credentials_lock_their_address_out_and_no_other(void **state)
{
	struct request_kit k;

	(void)state;
	request_new(&k, "", "");
	k.config.api_auth_failures = 3;
	strcpy(k.q.client.key, "192.0.2.77");
	strcpy(k.q.client.ip, "192.0.2.77");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(rate_check_client(&k.q), 0);
		rate_count_failure(&k.q);
	}
	assert_true(rate_check_client(&k.q) < 0);
	assert_int_equal(k.out.status, 429);
	assert_int_equal(request_code(&k), 20429);
	assert_string_equal(header(&k, "Retry-After"), "21");
	strcpy(k.q.client.key, "192.0.2.78");
	assert_int_equal(rate_check_client(&k.q), 0);
	request_free(&k);
}

/* A minute's worth at once, then one of them each n-th part of a minute. */
static void failures_are_forgiven_evenly(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		assert_true(rate_take(RATE_FAILURES, "f", 4, 1, START_MS));
	assert_false(rate_take(RATE_FAILURES, "f", 4, 0, START_MS + 14999));
	assert_true(rate_take(RATE_FAILURES, "f", 4, 0, START_MS + 15000));
	assert_true(rate_take(RATE_FAILURES, "f", 4, 1, START_MS + 15000));
	assert_false(rate_take(RATE_FAILURES, "f", 4, 1, START_MS + 15000));
}

static void without_a_limit_all_are_served(void **state)
{
	struct request_kit k;

	(void)state;
	request_new(&k, "", "");
	strcpy(k.q.actor_account, ACCOUNT);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(rate_check(&k.q), 0);
	request_free(&k);
}

/* The last: the buckets are shared from now on. */
static void the_processes_of_a_node_have_one_limit(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(rates_share(), 0);
	assert_int_equal(taken("AC-node", 5, START_MS, 2), 2);
	pid = fork();
	if (pid == 0)
		_exit(taken("AC-node", 5, START_MS, 2));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 2);
	assert_int_equal(taken("AC-node", 5, START_MS, 20), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_has_one_seconds_worth_at_once_and_no_more),
		cmocka_unit_test(what_was_taken_comes_back_evenly),
		cmocka_unit_test(a_long_pause_saves_up_no_more_than_a_second),
		cmocka_unit_test(over_a_minute_the_limit_is_kept_to_one_request),
		cmocka_unit_test(a_thread_with_an_older_time_fills_nothing),
		cmocka_unit_test(accounts_do_not_use_up_each_others),
		cmocka_unit_test(beyond_the_limit_is_429_20429_with_retry_after),
		cmocka_unit_test(wrong_credentials_lock_their_address_out_and_no_other),
		cmocka_unit_test(failures_are_forgiven_evenly),
		cmocka_unit_test(without_a_limit_all_are_served),
		cmocka_unit_test(the_processes_of_a_node_have_one_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
