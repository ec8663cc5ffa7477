/* The NG client against a peer that loses, repeats, delays and talks rubbish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/loop_steps.h"
#include "call/rtpengine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY 300

struct peer {
	struct loop *loop;
	struct rtpengine *ng;
	int fd;
	struct loop_watch *watch;
	struct sockaddr_in from;
	socklen_t from_len;
	char datagrams[16][600]; /* the first ones, as they came */
	unsigned received;
	/* what it does */
	unsigned lose;	    /* the first so many */
	const char *answer; /* behind the cookie; NULL: silence */
	unsigned times;
	/* what came of it */
	unsigned done;
	int r;
	bool had_reply;
	char reason[64];
	uint64_t started_ms, took_ms;
};

static void say(struct peer *p, const char *cookie, size_t cookie_len, const char *text)
{
	char out[1000];
	int n = snprintf(out, sizeof(out), "%.*s %s", (int)cookie_len, cookie, text);

	assert_true(sendto(p->fd, out, (size_t)n, 0, (struct sockaddr *)&p->from, p->from_len) ==
		    n);
}

static void on_command(void *arg, bool readable, bool writable)
{
	struct peer *p = arg;
	char in[600];
	ssize_t n;

	(void)readable;
	(void)writable;
	for (;;) {
		p->from_len = sizeof(p->from);
		n = recvfrom(p->fd, in, sizeof(in) - 1, MSG_DONTWAIT, (struct sockaddr *)&p->from,
			     &p->from_len);
		if (n < 0)
			return;
		in[n] = '\0';
		if (p->received < 16)
			snprintf(p->datagrams[p->received], sizeof(p->datagrams[0]), "%s", in);
		if (p->received++ < p->lose || !p->answer)
			continue;
		for (unsigned i = 0; i < p->times; i++)
			say(p, in, strcspn(in, " "), p->answer);
	}
}

static void on_done(void *arg, int r, const json_t *reply)
{
	struct peer *p = arg;
	const char *reason = json_string_value(json_object_get(reply, "error-reason"));

	p->done++;
	p->r = r;
	p->had_reply = reply != NULL;
	p->took_ms = loop_now_ms(p->loop) - p->started_ms;
	snprintf(p->reason, sizeof(p->reason), "%s", reason ? reason : "");
}

static void setup(struct peer *p)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	char text[40];

	memset(p, 0, sizeof(*p));
	p->times = 1;
	p->loop = loop_new();
	p->fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&addr, &len), 0);
	p->watch = loop_watch_new(p->loop, p->fd, on_command, p);
	loop_watch_set(p->watch, true, false);
	snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(addr.sin_port));
	p->ng = rtpengine_new(p->loop, text);
	assert_non_null(p->ng);
	assert_true(rtpengine_alive(p->ng));
	p->started_ms = loop_now_ms(p->loop);
}

static void teardown(struct peer *p)
{
	rtpengine_free(p->ng);
	loop_watch_free(p->watch);
	close(p->fd);
	loop_free(p->loop);
}

static uint64_t ping(struct peer *p, ng_done_fn *done)
{
	uint64_t id = rtpengine_command(p->ng, json_pack("{s:s}", "command", "ping"), done, p);

	assert_true(id != 0);
	assert_int_equal(p->done, 0); /* never before it returned */
	return id;
}

static bool is_done(void *arg)
{
	return ((struct peer *)arg)->done > 0;
}

static bool second_is_done(void *arg)
{
	return ((struct peer *)arg)->done > 1;
}

static bool after_the_last_resend(void *arg)
{
	const struct peer *p = arg;

	return loop_now_ms(p->loop) - p->started_ms > 1300;
}

static void an_answer_completes_the_command_once(void **state)
{
	static loop_step_fn *const steps[] = { is_done, after_the_last_resend, NULL };
	struct peer p;

	(void)state;
	setup(&p);
	p.answer = "d6:result4:ponge";
	p.times = 3;
	ping(&p, on_done);
	loop_steps_run(p.loop, steps, &p, 3000);
	assert_int_equal(p.done, 1);
	assert_int_equal(p.r, 0);
	assert_true(p.had_reply);
	assert_int_equal(p.received, 1);
	assert_non_null(strstr(p.datagrams[0], " d7:command4:pinge"));
	teardown(&p);
}

static void an_error_is_told_with_its_reason(void **state)
{
	static loop_step_fn *const steps[] = { is_done, NULL };
	struct peer p;

	(void)state;
	setup(&p);
	p.answer = "d12:error-reason12:Unknown call6:result5:errore";
	ping(&p, on_done);
	loop_steps_run(p.loop, steps, &p, 2000);
	assert_int_equal(p.r, -EPROTO);
	assert_string_equal(p.reason, "Unknown call");
	teardown(&p);
}

static void a_lost_command_is_sent_again_with_its_cookie(void **state)
{
	static loop_step_fn *const steps[] = { is_done, NULL };
	struct peer p;

	(void)state;
	setup(&p);
	p.lose = 2;
	p.answer = "d6:result2:oke";
	ping(&p, on_done);
	loop_steps_run(p.loop, steps, &p, 3000);
	assert_int_equal(p.r, 0);
	assert_int_equal(p.received, 3);
	assert_string_equal(p.datagrams[0], p.datagrams[1]);
	assert_string_equal(p.datagrams[0], p.datagrams[2]);
	teardown(&p);
}

static bool answer_late(void *arg)
{
	struct peer *p = arg;

	for (unsigned i = 0; i < p->received && i < 16; i++)
		say(p, p->datagrams[i], strcspn(p->datagrams[i], " "), "d6:result2:oke");
	assert_false(rtpengine_alive(p->ng));
	p->answer = "d6:result2:oke";
	rtpengine_command(p->ng, json_pack("{s:s}", "command", "ping"), on_done, p);
	return true;
}

static void silence_is_a_timeout_in_two_seconds_and_a_late_answer_is_nobodys(void **state)
{
	static loop_step_fn *const steps[] = { is_done, answer_late, second_is_done, NULL };
	struct peer p;

	(void)state;
	setup(&p);
	ping(&p, on_done);
	loop_steps_run(p.loop, steps, &p, 5000);
	assert_int_equal(p.done, 2);
	assert_int_equal(p.r, 0);
	assert_true(rtpengine_alive(p.ng));
	assert_int_equal(p.received, 4); /* three times the first */
	teardown(&p);
}

static bool timed_out(void *arg)
{
	const struct peer *p = arg;

	return p->done > 0 && p->r == -ETIMEDOUT && p->took_ms >= 1900 && p->took_ms < 2600;
}

static bool talk_rubbish(void *arg)
{
	static const char *const rubbish[] = {
		"d6:result2:oke", "x", " ", "", "d", "d6:result2:ok", "i99999999999999999999999e"
	};
	struct peer *p = arg;

	if (!p->received)
		return false;
	for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++) {
		say(p, "wrongcookie", 11, rubbish[i]);
		sendto(p->fd, rubbish[i], strlen(rubbish[i]), 0, (struct sockaddr *)&p->from,
		       p->from_len);
	}
	return true;
}

static void rubbish_and_other_cookies_do_not_count(void **state)
{
	static loop_step_fn *const steps[] = { talk_rubbish, timed_out, NULL };
	struct peer p;

	(void)state;
	setup(&p);
	ping(&p, on_done);
	loop_steps_run(p.loop, steps, &p, 4000);
	teardown(&p);
}

static void an_answer_that_cannot_be_read_is_an_error(void **state)
{
	static loop_step_fn *const steps[] = { is_done, NULL };
	struct peer p;

	(void)state;
	setup(&p);
	p.answer = "d6:result";
	ping(&p, on_done);
	loop_steps_run(p.loop, steps, &p, 2000);
	assert_int_equal(p.r, -EIO);
	assert_false(p.had_reply);
	teardown(&p);
}

static void a_cancelled_command_is_not_completed_nor_sent_again(void **state)
{
	static loop_step_fn *const steps[] = { after_the_last_resend, NULL };
	struct peer p;

	(void)state;
	setup(&p);
	rtpengine_cancel(p.ng, ping(&p, on_done));
	rtpengine_cancel(p.ng, 4711);
	rtpengine_cancel(p.ng, 0);
	loop_steps_run(p.loop, steps, &p, 3000);
	assert_int_equal(p.done, 0);
	assert_int_equal(p.received, 1);
	teardown(&p);
}

static void a_command_without_completion_is_sent_again_too(void **state)
{
	static loop_step_fn *const steps[] = { after_the_last_resend, NULL };
	struct peer p;

	(void)state;
	setup(&p);
	p.lose = 1;
	p.answer = "d6:result2:oke";
	ping(&p, NULL);
	loop_steps_run(p.loop, steps, &p, 3000);
	assert_int_equal(p.received, 2);
	teardown(&p);
}

static bool all_done(void *arg)
{
	return ((struct peer *)arg)->done == MANY;
}

static void many_at_once_are_all_answered(void **state)
{
	static loop_step_fn *const steps[] = { all_done, NULL };
	struct peer p;

	(void)state;
	setup(&p);
	p.answer = "d6:result2:oke";
	for (int i = 0; i < MANY; i++)
		ping(&p, on_done);
	loop_steps_run(p.loop, steps, &p, 3000);
	assert_int_equal(p.r, 0);
	teardown(&p);
}

static void freeing_it_completes_nothing(void **state)
{
	struct peer p;

	(void)state;
	setup(&p);
	ping(&p, on_done);
	teardown(&p);
	assert_int_equal(p.done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_completes_the_command_once),
		cmocka_unit_test(an_error_is_told_with_its_reason),
		cmocka_unit_test(a_lost_command_is_sent_again_with_its_cookie),
		cmocka_unit_test(silence_is_a_timeout_in_two_seconds_and_a_late_answer_is_nobodys),
		cmocka_unit_test(rubbish_and_other_cookies_do_not_count),
		cmocka_unit_test(an_answer_that_cannot_be_read_is_an_error),
		cmocka_unit_test(a_cancelled_command_is_not_completed_nor_sent_again),
		cmocka_unit_test(a_command_without_completion_is_sent_again_too),
		cmocka_unit_test(many_at_once_are_all_answered),
		cmocka_unit_test(freeing_it_completes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
