#include "http_heard.h"

/* -- requests */

static void a_request_comes_with_all_that_was_sent(void **state)
{
	int fd = dial();

	(void)state;
	says(fd, "POST /2010-04-01/Calls HTTP/1.1\r\nHost: x\r\nContent-Type: "
		 "text/plain\r\nAccept: text/*\r\n"
		 "Authorization: Basic QQ==\r\nContent-Length: 3\r\n\r\na=b");
	reply(fd);
	close(fd);
	assert_string_equal(heard.method, "POST");
	assert_string_equal(heard.path, "/2010-04-01/Calls");
	assert_string_equal(heard.query, "");
	assert_string_equal(heard.type, "text/plain");
	assert_string_equal(heard.accept, "text/*");
	assert_string_equal(heard.authorization, "Basic QQ==");
	assert_string_equal(heard.peer, "127.0.0.1");
	assert_string_equal(heard.body, "a=b");
	assert_true(heard.nul);
	assert_false(heard.too_large);
}

static void what_was_not_sent_is_null_and_the_body_empty(void **state)
{
	(void)state;
	ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_string_equal(heard.type, "(null)");
	assert_string_equal(heard.accept, "(null)");
	assert_string_equal(heard.authorization, "(null)");
	assert_int_equal(heard.body_len, 0);
	assert_true(heard.nul);
}

static void the_path_and_the_query_are_as_sent(void **state)
{
	static const struct {
		const char *uri, *path, *query;
	} cases[] = {
		{ "/a%2Fb/%20c%00d", "/a%2Fb/%20c%00d", "" },
		{ "/a?x=%26&y=1+2", "/a", "x=%26&y=1+2" },
		{ "/a?", "/a", "" },
		{ "/a?b?c", "/a", "b?c" },
		{ "/a%3Fb?c", "/a%3Fb", "c" },
		{ "/../a//b/./c", "/../a//b/./c", "" },
		{ "/%zz+%", "/%zz+%", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char request[200];

		snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n",
			 cases[i].uri);
		ask(request);
		assert_string_equal(heard.path, cases[i].path);
		assert_string_equal(heard.query, cases[i].query);
	}
}

static void a_body_in_pieces_is_handled_once_and_whole(void **state)
{
	int fd = dial();

	(void)state;
	says(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
	for (int i = 0; i < 100; i++)
		says(fd, "0123456789");
	reply(fd);
	close(fd);
	assert_int_equal(heard.calls, 1);
	assert_int_equal(heard.body_len, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(heard.body[i], '0' + i % 10);
	assert_false(heard.too_large);
}

static void a_chunked_body_is_put_together(void **state)
{
	(void)state;
	ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
	    "chunked\r\n\r\n3\r\na=b\r\n4\r\n&c=d\r\n0\r\n\r\n");
	assert_int_equal(heard.calls, 1);
	assert_string_equal(heard.body, "a=b&c=d");
}

static void requests_of_one_connection_are_answered_in_their_order(void **state)
{
	int fd = dial();

	(void)state;
	says(fd, "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nAGET /2 "
		 "HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_non_null(strstr(reply(fd), "X-Number: 1\r\n"));
	assert_non_null(strstr(reply(fd), "X-Number: 2\r\n"));
	assert_string_equal(heard.path, "/2");
	assert_int_equal(heard.body_len, 0);
	close(fd);
}

static void a_body_over_the_maximum_is_thrown_away_and_the_handler_told(void **state)
{
	char body[MAX_BODY + 1];
	int fd = dial();

	(void)state;
	memset(body, 'b', sizeof(body));
	says(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
	assert_true(say(fd, body, sizeof(body)));
	reply(fd);
	close(fd);
	assert_int_equal(heard.calls, 1);
	assert_true(heard.too_large);
	assert_int_equal(heard.body_len, 0);
}

static void a_large_body_is_told_and_the_next_request_is_served(void **state)
{
	char *body = calloc(1, 1 << 20);
	int fd = dial();

	(void)state;
	says(fd, "POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n");
	assert_true(say(fd, body, 1 << 20));
	reply(fd);
	assert_int_equal(heard.calls, 1);
	assert_true(heard.too_large);
	assert_int_equal(heard.body_len, 0);
	assert_true(heard.nul);
	says(fd, "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=b");
	reply(fd);
	assert_string_equal(heard.path, "/small");
	assert_string_equal(heard.body, "a=b");
	assert_false(heard.too_large);
	close(fd);
	free(body);
}

static void a_body_without_an_end_is_cut_off(void **state)
{
	static char block[1 << 16];
	char size[16];
	int fd = dial(), n, blocks = 0;

	(void)state;
	says(fd, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
	n = snprintf(size, sizeof(size), "%zx\r\n", sizeof(block));
	while (blocks < 4096 && say(fd, size, (size_t)n) && say(fd, block, sizeof(block)) &&
	       say(fd, "\r\n", 2))
		blocks++;
	assert_in_range(blocks, 1, 4095);
	close(fd);
	ask("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(heard.calls, 1);
	assert_string_equal(heard.path, "/next");
}

/* For how long the server takes a byte each 50 ms behind this. */
static int drip(const char *begin)
{
	struct pollfd p = { .fd = dial(), .events = POLLIN };
	int ms = 0;

	says(p.fd, begin);
	while (ms < DEADLINE_MS && say(p.fd, "b", 1) && !poll(&p, 1, 50))
		ms += 50;
	close(p.fd);
	return ms;
}

static void what_comes_too_slowly_is_cut_off(void **state)
{
	(void)state;
	start_with(remember, 50, 1, 1);
	assert_in_range(drip("POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"), 700,
			3000);
	assert_in_range(drip("GET /slow HTTP/1.1\r\nHost: x\r\nX-Slow: "), 700, 3000);
	/* There the idle time counts too, as it does between two requests. */
	assert_in_range(drip("GET /slow"), 1500, 5000);
	assert_int_equal(heard.calls, 0);
}

static void takes_its_time(void *arg, unsigned thread_index, const struct http_in *in,
			   struct http_out *out)
{
	poll(NULL, 0, 1600);
	remember(arg, thread_index, in, out);
}

static void the_answer_to_a_request_that_came_may_take_longer(void **state)
{
	(void)state;
	start_with(takes_its_time, 50, 10, 1);
	assert_non_null(
		strstr(ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"), " 201 "));
}

static void a_connection_beyond_the_maximum_waits_for_another_to_end(void **state)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	struct pollfd late = { .events = POLLIN };
	int fds[THREADS];

	(void)state;
	start_with(remember, THREADS, 20, 60);
	for (int i = 0; i < THREADS; i++) {
		fds[i] = dial();
		says(fds[i], request);
		reply(fds[i]);
	}
	late.fd = dial();
	says(late.fd, request);
	assert_int_equal(poll(&late, 1, 200), 0);
	assert_int_equal(heard.calls, THREADS);
	close(fds[0]);
	reply(late.fd);
	assert_int_equal(heard.calls, THREADS + 1);
	for (int i = 1; i < THREADS; i++)
		close(fds[i]);
	close(late.fd);
}

static void the_answer_to_head_has_the_length_of_the_body_and_none(void **state)
{
	int fd = dial();
	char text[4096];
	size_t len = 0;
	ssize_t n;

	(void)state;
	says(fd, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	while ((n = recv(fd, text + len, sizeof(text) - 1 - len, 0)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	assert_string_equal(heard.method, "HEAD");
	assert_non_null(strcasestr(text, "\r\nContent-Length: 2\r\n"));
	assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
	close(fd);
}

static void a_client_that_goes_in_its_body_is_not_handled(void **state)
{
	int fd = dial();

	(void)state;
	says(fd, "POST /gone HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
	close(fd);
	ask("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
	http_server_stop(server);
	server = NULL;
	assert_int_equal(heard.calls, 1);
	assert_string_equal(heard.path, "/next");
}

/* -- replies */

static void a_reply_has_status_headers_and_body(void **state)
{
	const char *text = ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");

	(void)state;
	assert_memory_equal(text, "HTTP/1.1 201 ", 13);
	assert_non_null(strstr(text, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(text, "\r\nX-Number: 1\r\n"));
	assert_string_equal(strstr(text, "\r\n\r\n") + 4, "{}");
}

static void no_body(void *arg, unsigned thread_index, const struct http_in *in,
		    struct http_out *out)
{
	(void)arg;
	(void)thread_index;
	(void)in;
	out->status = 204;
}

static void a_reply_may_have_no_body(void **state)
{
	const char *text;

	(void)state;
	start(no_body);
	text = ask("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_memory_equal(text, "HTTP/1.1 204 ", 13);
	assert_null(strcasestr(text, "Content-Type"));
	assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
}

/* -- threads */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t owner[THREADS];
static bool owned[THREADS], mixed;

static void note_thread(void *arg, unsigned i, const struct http_in *in, struct http_out *out)
{
	(void)arg;
	(void)in;
	pthread_mutex_lock(&lock);
	if (i >= THREADS || (owned[i] && !pthread_equal(owner[i], pthread_self()))) {
		mixed = true;
	} else {
		owned[i] = true;
		owner[i] = pthread_self();
	}
	pthread_mutex_unlock(&lock);
	out->status = 200;
}

static void *ask_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < 50; i++)
		ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	return NULL;
}

static void an_index_belongs_to_one_thread(void **state)
{
	pthread_t t[8];

	(void)state;
	for (int round = 0; round < 2; round++) {
		memset(owned, 0, sizeof(owned));
		mixed = false;
		start(note_thread);
		for (int i = 0; i < 8; i++)
			assert_int_equal(pthread_create(&t[i], NULL, ask_often, NULL), 0);
		for (int i = 0; i < 8; i++)
			pthread_join(t[i], NULL);
		assert_false(mixed);
		teardown(NULL);
	}
}

static sem_t inside, go;
static atomic_bool ended;

static void wait_for_go(void *arg, unsigned i, const struct http_in *in, struct http_out *out)
{
	(void)arg;
	(void)i;
	(void)in;
	sem_post(&inside);
	wait_sem(&go, DEADLINE_MS);
	ended = true;
	out->status = 200;
}

static void *stop_server(void *arg)
{
	sem_post(arg);
	http_server_stop(server);
	return (void *)(intptr_t)ended;
}

static void a_stop_waits_for_the_handler_that_runs(void **state)
{
	sem_t stopping;
	pthread_t t;
	void *ended_before;
	int fd;

	(void)state;
	sem_init(&inside, 0, 0);
	sem_init(&go, 0, 0);
	sem_init(&stopping, 0, 0);
	start(wait_for_go);
	fd = dial();
	says(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_true(wait_sem(&inside, DEADLINE_MS));
	assert_int_equal(pthread_create(&t, NULL, stop_server, &stopping), 0);
	assert_true(wait_sem(&stopping, DEADLINE_MS));
	sem_post(&go);
	pthread_join(t, &ended_before);
	server = NULL;
	assert_true(ended_before);
	close(fd);
}

/* -- starting */

static void what_cannot_be_listened_on_is_told(void **state)
{
	struct http_server_options o = { .bind = "127.0.0.1",
					 .port = port,
					 .threads = 1,
					 .max_connections = 10,
					 .idle_timeout_s = 5,
					 .request_timeout_s = 5,
					 .max_body_bytes = 10 };
	char err[200] = "", number[16];

	(void)state;
	snprintf(number, sizeof(number), "%d", port);
	assert_null(http_server_start(&o, remember, NULL, err, sizeof(err)));
	assert_non_null(strstr(err, "127.0.0.1"));
	assert_non_null(strstr(err, number));
	o.bind = "localhost";
	assert_null(http_server_start(&o, remember, NULL, err, sizeof(err)));
	assert_string_equal(err, "localhost is not a numeric address");
	http_server_stop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(a_request_comes_with_all_that_was_sent),
		SERVED(what_was_not_sent_is_null_and_the_body_empty),
		SERVED(the_path_and_the_query_are_as_sent),
		SERVED(a_body_in_pieces_is_handled_once_and_whole),
		SERVED(a_chunked_body_is_put_together),
		SERVED(requests_of_one_connection_are_answered_in_their_order),
		SERVED(a_body_over_the_maximum_is_thrown_away_and_the_handler_told),
		SERVED(a_large_body_is_told_and_the_next_request_is_served),
		SERVED(a_body_without_an_end_is_cut_off),
		cmocka_unit_test_teardown(what_comes_too_slowly_is_cut_off, teardown),
		cmocka_unit_test_teardown(the_answer_to_a_request_that_came_may_take_longer,
					  teardown),
		cmocka_unit_test_teardown(a_connection_beyond_the_maximum_waits_for_another_to_end,
					  teardown),
		SERVED(the_answer_to_head_has_the_length_of_the_body_and_none),
		SERVED(a_client_that_goes_in_its_body_is_not_handled),
		SERVED(a_reply_has_status_headers_and_body),
		cmocka_unit_test_teardown(a_reply_may_have_no_body, teardown),
		cmocka_unit_test_teardown(an_index_belongs_to_one_thread, teardown),
		cmocka_unit_test_teardown(a_stop_waits_for_the_handler_that_runs, teardown),
		SERVED(what_cannot_be_listened_on_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
