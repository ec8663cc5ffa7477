/* The client of Kamailio against a peer that cuts, repeats, delays and talks rubbish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/config.h"
#include "call/kamailio.h"
#include "call/loop_steps.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MANY 500

struct peer {
	struct loop *loop;
	struct kamailio *k;
	struct config config;
	char dir[64], rpc_path[128], own_path[128], evapi[40];
	int listen_fd, rpc_fd, events_fd; /* -1: nobody is connected */
	unsigned connections;
	char last_event[200];
	unsigned events;
	char last_command[70000];
	unsigned commands;
	unsigned last_id;
	unsigned done;
	int r;
	uint64_t started_ms, took_ms;
};

static void on_event(void *arg, const char *json, size_t len)
{
	struct peer *p = arg;

	p->events++;
	snprintf(p->last_event, sizeof(p->last_event), "%.*s", (int)len, json);
}

static void on_done(void *arg, int r)
{
	struct peer *p = arg;

	p->done++;
	p->r = r;
	p->took_ms = loop_now_ms(p->loop) - p->started_ms;
}

static void setup(struct peer *p)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un rpc = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(addr);

	memset(p, 0, sizeof(*p));
	p->loop = loop_new();
	p->events_fd = -1;
	strcpy(p->dir, "/tmp/test_kamailio.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->rpc_path, sizeof(p->rpc_path), "%s/rpc", p->dir);
	snprintf(p->own_path, sizeof(p->own_path), "%s/own", p->dir);
	p->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(p->listen_fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(p->listen_fd, 5), 0);
	assert_int_equal(getsockname(p->listen_fd, (struct sockaddr *)&addr, &len), 0);
	snprintf(p->evapi, sizeof(p->evapi), "127.0.0.1:%u", ntohs(addr.sin_port));
	p->rpc_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	strcpy(rpc.sun_path, p->rpc_path);
	assert_int_equal(bind(p->rpc_fd, (struct sockaddr *)&rpc, sizeof(rpc)), 0);
	p->config.evapi_addr = p->evapi;
	p->config.rpc_socket = p->rpc_path;
	p->config.rpc_client_socket = p->own_path;
	p->k = kamailio_new(p->loop, &p->config, on_event, p);
	assert_non_null(p->k);
	p->started_ms = loop_now_ms(p->loop);
}

static void teardown(struct peer *p)
{
	kamailio_free(p->k);
	close(p->listen_fd);
	close(p->rpc_fd);
	if (p->events_fd >= 0)
		close(p->events_fd);
	unlink(p->rpc_path);
	assert_int_equal(rmdir(p->dir), 0); /* its own socket is gone too */
	loop_free(p->loop);
}

static bool is_connected(void *arg)
{
	struct peer *p = arg;
	int fd = accept(p->listen_fd, NULL, NULL);

	if (fd >= 0) {
		if (p->events_fd >= 0)
			close(p->events_fd);
		p->events_fd = fd;
		p->connections++;
	}
	return p->events_fd >= 0 && kamailio_connected(p->k);
}

static bool is_connected_again(void *arg)
{
	return is_connected(arg) && ((struct peer *)arg)->connections > 1;
}

static void feed(struct peer *p, const char *bytes, size_t len)
{
	assert_true(send(p->events_fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len);
}

static bool feed_two_and_a_half(void *arg)
{
	feed(arg, "3:one,3:two,5:th", 16);
	return true;
}

static bool two_events(void *arg)
{
	return ((struct peer *)arg)->events == 2;
}

static bool feed_the_rest(void *arg)
{
	feed(arg, "ree,", 4);
	return true;
}

static bool three_events(void *arg)
{
	return ((struct peer *)arg)->events == 3;
}

static void events_come_whole_and_in_order_however_they_are_cut(void **state)
{
	static loop_step_fn *const steps[] = { is_connected,  feed_two_and_a_half, two_events,
					       feed_the_rest, three_events,	   NULL };
	struct peer p;

	(void)state;
	setup(&p);
	loop_steps_run(p.loop, steps, &p, 3000);
	assert_string_equal(p.last_event, "three");
	teardown(&p);
}

static bool feed_rubbish(void *arg)
{
	feed(arg, "3:one,HTTP/1.1 200 OK\r\n", 23);
	return true;
}

static bool feed_an_event(void *arg)
{
	feed(arg, "5:again,", 8);
	return true;
}

static void broken_framing_is_left_behind_by_connecting_anew(void **state)
{
	static loop_step_fn *const steps[] = { is_connected,  feed_rubbish, is_connected_again,
					       feed_an_event, two_events,   NULL };
	struct peer p;

	(void)state;
	setup(&p);
	loop_steps_run(p.loop, steps, &p, 3000);
	assert_string_equal(p.last_event, "again");
	teardown(&p);
}

static bool feed_a_huge_length(void *arg)
{
	feed(arg, "999999999:", 10);
	return true;
}

static bool one_event(void *arg)
{
	return ((struct peer *)arg)->events == 1;
}

static void an_oversize_event_is_refused(void **state)
{
	static loop_step_fn *const steps[] = { is_connected,	   feed_a_huge_length,
					       is_connected_again, feed_an_event,
					       one_event,	   NULL };
	struct peer p;

	(void)state;
	setup(&p);
	loop_steps_run(p.loop, steps, &p, 3000);
	teardown(&p);
}

static bool hang_up(void *arg)
{
	struct peer *p = arg;

	feed(p, "9:half of", 9);
	close(p->events_fd);
	p->events_fd = -1;
	return true;
}

static void half_an_event_of_a_lost_connection_does_not_spoil_the_next(void **state)
{
	static loop_step_fn *const steps[] = { is_connected,  hang_up,	 is_connected_again,
					       feed_an_event, one_event, NULL };
	struct peer p;

	(void)state;
	setup(&p);
	loop_steps_run(p.loop, steps, &p, 3000);
	assert_string_equal(p.last_event, "again");
	teardown(&p);
}

/* commands */

static bool take_command(void *arg)
{
	struct peer *p = arg;
	ssize_t n = recv(p->rpc_fd, p->last_command, sizeof(p->last_command) - 1, MSG_DONTWAIT);
	const char *id;

	if (n < 0)
		return false;
	p->last_command[n] = '\0';
	id = strstr(p->last_command, "\"id\":");
	assert_non_null(id);
	p->last_id = (unsigned)atoi(id + 5);
	p->commands++;
	return true;
}

static void answer(struct peer *p, const char *text)
{
	struct sockaddr_un own = { .sun_family = AF_UNIX };

	strcpy(own.sun_path, p->own_path);
	assert_true(sendto(p->rpc_fd, text, strlen(text), 0, (struct sockaddr *)&own, sizeof(own)) >
		    0);
}

static bool answer_ok(void *arg)
{
	struct peer *p = arg;
	char text[200];

	snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"result\":{},\"id\":%u}", p->last_id);
	answer(p, text);
	answer(p, text); /* twice */
	return true;
}

static bool answer_error(void *arg)
{
	struct peer *p = arg;
	char text[200];

	snprintf(text, sizeof(text),
		 "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"no\"},\"id\":%u}",
		 p->last_id);
	answer(p, text);
	return true;
}

static bool answer_rubbish(void *arg)
{
	struct peer *p = arg;

	answer(p, "rubbish");
	answer(p, "[]");
	answer(p, "{\"error\":17}");
	answer(p, "{\"id\":\"x\"}");
	answer(p, "{\"id\":987654}");
	return true;
}

static bool is_done(void *arg)
{
	return ((struct peer *)arg)->done > 0;
}

static void a_reply_is_json_whatever_it_carries(void **state)
{
	static loop_step_fn *const steps[] = { take_command, NULL };
	struct peer p;
	json_t *command, *params;

	(void)state;
	setup(&p);
	assert_int_equal(
		kamailio_reply(p.k, "12:34", 200, "OK \"\\", "hs-1", "X: \x01\"},{\r\n", "v=0\r\n"),
		0);
	loop_steps_run(p.loop, steps, &p, 2000);
	command = json_loads(p.last_command, 0, NULL);
	assert_non_null(command);
	assert_string_equal(json_string_value(json_object_get(command, "method")), "tm.reply");
	params = json_object_get(command, "params");
	assert_int_equal(json_array_size(params), 6);
	assert_int_equal(json_integer_value(json_array_get(params, 0)), 200);
	assert_string_equal(json_string_value(json_array_get(params, 1)), "OK \"\\");
	assert_string_equal(json_string_value(json_array_get(params, 2)), "12:34");
	assert_string_equal(json_string_value(json_array_get(params, 3)), "hs-1");
	assert_string_equal(json_string_value(json_array_get(params, 4)), "X: \x01\"},{\r\n");
	assert_string_equal(json_string_value(json_array_get(params, 5)), "v=0\r\n");
	json_decref(command);
	teardown(&p);
}

static const struct sip_out bye = { .method = "BYE",
				    .ruri = "sip:a@b",
				    .headers = "From: <sip:x@y>;tag=1\r\n" };

static void a_request_has_every_argument_and_completes_once(void **state)
{
	static loop_step_fn *const steps[] = { take_command, answer_rubbish, answer_ok, is_done,
					       NULL };
	struct peer p;
	json_t *command, *params;

	(void)state;
	setup(&p);
	assert_int_equal(kamailio_request(p.k, &bye, on_done, &p), 0);
	assert_int_equal(p.done, 0);
	loop_steps_run(p.loop, steps, &p, 2000);
	assert_int_equal(p.done, 1);
	assert_int_equal(p.r, 0);
	command = json_loads(p.last_command, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(command, "method")),
			    "tm.t_uac_start");
	params = json_object_get(command, "params");
	assert_int_equal(json_array_size(params), 6);
	assert_string_equal(json_string_value(json_array_get(params, 2)), ".");
	assert_string_equal(json_string_value(json_array_get(params, 3)), ".");
	assert_string_equal(json_string_value(json_array_get(params, 5)), "");
	json_decref(command);
	teardown(&p);
}

static void exclamation_marks_in_headers_are_veiled(void **state)
{
	static loop_step_fn *const steps[] = { take_command, NULL };
	struct sip_out out = bye;
	struct peer p;
	json_t *command;

	(void)state;
	setup(&p);
	out.headers = "X-Mood: a!!b!\r\n";
	assert_int_equal(kamailio_request(p.k, &out, NULL, NULL), 0);
	loop_steps_run(p.loop, steps, &p, 2000);
	command = json_loads(p.last_command, 0, NULL);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(command, "params"), 4)),
		"X-Mood: a\1\1b\1\r\n");
	json_decref(command);
	teardown(&p);
}

static void a_refused_request_says_so(void **state)
{
	static loop_step_fn *const steps[] = { take_command, answer_error, is_done, NULL };
	struct peer p;

	(void)state;
	setup(&p);
	assert_int_equal(kamailio_request(p.k, &bye, on_done, &p), 0);
	loop_steps_run(p.loop, steps, &p, 2000);
	assert_int_equal(p.r, -EPROTO);
	teardown(&p);
}

static void a_request_that_is_never_answered_times_out(void **state)
{
	static loop_step_fn *const steps[] = { take_command, is_done, answer_ok, NULL };
	struct peer p;

	(void)state;
	setup(&p);
	assert_int_equal(kamailio_request(p.k, &bye, on_done, &p), 0);
	loop_steps_run(p.loop, steps, &p, 8000);
	assert_int_equal(p.r, -ETIMEDOUT);
	assert_int_equal(p.done, 1);
	assert_true(p.took_ms >= 4900 && p.took_ms < 6500);
	teardown(&p);
}

static bool a_moment_later(void *arg)
{
	const struct peer *p = arg;

	return loop_now_ms(p->loop) - p->started_ms > 100;
}

static void a_forgotten_request_completes_no_more(void **state)
{
	static loop_step_fn *const steps[] = { take_command, answer_ok, a_moment_later, NULL };
	struct peer p;

	(void)state;
	setup(&p);
	assert_int_equal(kamailio_request(p.k, &bye, on_done, &p), 0);
	kamailio_forget(p.k, &p);
	loop_steps_run(p.loop, steps, &p, 2000);
	assert_int_equal(p.done, 0);
	teardown(&p);
}

static bool take_slowly(void *arg)
{
	struct peer *p = arg;

	for (int i = 0; i < 7; i++)
		take_command(p);
	return p->commands == MANY;
}

static void commands_wait_for_a_slow_kamailio_and_none_is_lost(void **state)
{
	static loop_step_fn *const steps[] = { take_slowly, NULL };
	struct peer p;

	(void)state;
	setup(&p);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(kamailio_reply(p.k, "1:1", 180, "Ringing", "t", "", ""), 0);
	loop_steps_run(p.loop, steps, &p, 8000);
	assert_int_equal(p.last_id, MANY);
	teardown(&p);
}

static void without_kamailio_commands_fail_at_once(void **state)
{
	struct peer p;

	(void)state;
	setup(&p);
	close(p.rpc_fd);
	p.rpc_fd = -1;
	assert_int_equal(kamailio_reply(p.k, "1:1", 180, "Ringing", "t", "", ""), -ECONNREFUSED);
	assert_int_equal(kamailio_request(p.k, &bye, on_done, &p), -ECONNREFUSED);
	assert_int_equal(p.done, 0);
	teardown(&p);
}

static void too_much_for_a_datagram_is_refused_here(void **state)
{
	struct peer p;
	char *big = calloc(1, 100001);

	(void)state;
	memset(big, 'x', 100000);
	setup(&p);
	assert_true(kamailio_reply(p.k, "1:1", 200, "OK", "t", "", big) < 0);
	free(big);
	teardown(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_whole_and_in_order_however_they_are_cut),
		cmocka_unit_test(broken_framing_is_left_behind_by_connecting_anew),
		cmocka_unit_test(an_oversize_event_is_refused),
		cmocka_unit_test(half_an_event_of_a_lost_connection_does_not_spoil_the_next),
		cmocka_unit_test(a_reply_is_json_whatever_it_carries),
		cmocka_unit_test(a_request_has_every_argument_and_completes_once),
		cmocka_unit_test(exclamation_marks_in_headers_are_veiled),
		cmocka_unit_test(a_refused_request_says_so),
		cmocka_unit_test(a_request_that_is_never_answered_times_out),
		cmocka_unit_test(a_forgotten_request_completes_no_more),
		cmocka_unit_test(commands_wait_for_a_slow_kamailio_and_none_is_lost),
		cmocka_unit_test(without_kamailio_commands_fail_at_once),
		cmocka_unit_test(too_much_for_a_datagram_is_refused_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
