/* What is refused or decided by the headers alone, before a body is read. */
#include "http_heard.h"

static void leave_to_send_is_given_when_the_body_will_be_read(void **state)
{
	int fd = dial();

	(void)state;
	says(fd, "POST /leave HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: "
		 "3\r\n\r\n");
	assert_non_null(strstr(reply(fd), " 100 "));
	assert_int_equal(heard.calls, 0);
	says(fd, "a=b");
	assert_non_null(strstr(reply(fd), " 201 "));
	assert_string_equal(heard.body, "a=b");
	assert_string_equal(heard.expect, "(null)");
	close(fd);
}

static void leave_is_not_given_for_what_would_be_refused(void **state)
{
	(void)state;
	assert_null(strstr(ask("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
			       "Content-Length: 1001\r\n\r\n"),
			   " 100 "));
	assert_int_equal(heard.calls, 1);
	assert_true(heard.too_large);
	ask("POST / HTTP/1.1\r\nHost: x\r\nExpect: the-best\r\nContent-Length: 3\r\n\r\n");
	assert_int_equal(heard.calls, 2);
	assert_string_equal(heard.expect, "the-best");
	assert_int_equal(heard.body_len, 0);
}

static void the_handler_is_asked_for_leave_and_may_refuse(void **state)
{
	static const char *const without[] = {
		"POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
		"GET /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
		"POST /x HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\na=b",
	};
	int fd = dial();

	(void)state;
	says(fd, "POST /leave?a=b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n");
	assert_non_null(strstr(reply(fd), " 100 "));
	assert_int_equal(heard.asked_for_leave, 1);
	says(fd, "3\r\na=b\r\n0\r\n\r\n");
	assert_non_null(strstr(reply(fd), " 201 "));
	assert_string_equal(heard.path, "/leave");
	assert_string_equal(heard.query, "a=b");
	assert_string_equal(heard.body, "a=b");
	assert_int_equal(heard.asked_for_leave, 1);
	close(fd);
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
		ask(without[i]);
	assert_int_equal(heard.asked_for_leave, 1);
	heard.give_no_leave = true;
	assert_non_null(strstr(ask("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
				   "Content-Length: 3\r\n\r\n"),
			       "HTTP/1.1 201 "));
	assert_int_equal(heard.body_len, 0);
}

static void a_uri_may_be_absolute(void **state)
{
	(void)state;
	ask("GET http://api.example.com/a/b?c=d HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_string_equal(heard.path, "/a/b");
	assert_string_equal(heard.query, "c=d");
	ask("GET HTTPS://api.example.com HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_string_equal(heard.path, "/");
}

/* What could be read in two ways (RFC 9112 §6.3) or is no request never comes to the handler. */
static void ambiguous_and_broken_requests_are_refused(void **state)
{
	static const char *const requests[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3x\r\n\r\na=b",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
		"GARBAGE\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		int fd = dial();
		char text[4096];
		ssize_t n;

		says(fd, requests[i]);
		shutdown(fd, SHUT_WR);
		n = recv(fd, text, sizeof(text) - 1, 0);
		text[n > 0 ? n : 0] = '\0';
		if (n > 0 && strncmp(text, "HTTP/1.1 400", 12) &&
		    strncmp(text, "HTTP/1.1 505", 12) && strncmp(text, "HTTP/1.0 400", 12))
			fail_msg("%s: %s", requests[i], text);
		close(fd);
		if (heard.calls)
			fail_msg("%s was handled", requests[i]);
	}
}

/* Whoever believes the other header sees a second request behind the first. */
static void what_can_be_read_in_two_ways_is_told_and_never_two_requests(void **state)
{
	static const char *const headers[] = {
		"Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
		"Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n",
		"Host: x\r\nContent-Length: 5\r\nContent-Length: 10\r\n",
		"Host: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n",
		"Host: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\nContent-Length: 6\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		char text[4096];
		int fd = dial();

		heard.ambiguous = heard.calls = 0;
		says(fd, "POST /one HTTP/1.1\r\n");
		says(fd, headers[i]);
		says(fd, "\r\n0\r\n\r\nGET /two HTTP/1.1\r\nHost: x\r\n\r\n");
		shutdown(fd, SHUT_WR);
		while (recv(fd, text, sizeof(text), 0) > 0)
			;
		/* The listener refuses some by itself. */
		if (!strcmp(heard.path, "/two") || heard.calls > 1 ||
		    (heard.calls && !heard.ambiguous))
			fail_msg("%s: %s, %d calls", headers[i], heard.path, heard.calls);
		close(fd);
	}
}

static void what_stands_once_is_not_guessed_from_two(void **state)
{
	static const struct {
		const char *request;
		int ambiguous;
	} rows[] = {
		{ "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 1 },
		{ "GET / HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n",
		  1 },
		{ "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nauthorization: a\r\n\r\n", 1 },
		{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 1 },
		{ "GET / HTTP/1.1\r\nHost: x\r\nAccept: a/b\r\nAccept: c/d\r\n\r\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ask(rows[i].request);
		if (heard.calls != (int)i + 1 || heard.ambiguous != rows[i].ambiguous)
			fail_msg("%s", rows[i].request);
	}
}

static void a_line_without_an_end_is_refused(void **state)
{
	static char junk[1 << 17];
	char text[4096];
	int fd = dial();
	ssize_t n;

	(void)state;
	memset(junk, 'x', sizeof(junk));
	says(fd, "GET / HTTP/1.1\r\nHost: x\r\nX-Long: ");
	say(fd, junk, sizeof(junk));
	n = recv(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	assert_true(n <= 0 || strstr(text, " 431 ") || strstr(text, " 413 "));
	assert_int_equal(heard.calls, 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(leave_to_send_is_given_when_the_body_will_be_read),
		SERVED(leave_is_not_given_for_what_would_be_refused),
		SERVED(the_handler_is_asked_for_leave_and_may_refuse),
		SERVED(a_uri_may_be_absolute),
		SERVED(ambiguous_and_broken_requests_are_refused),
		SERVED(what_can_be_read_in_two_ways_is_told_and_never_two_requests),
		SERVED(what_stands_once_is_not_guessed_from_two),
		SERVED(a_line_without_an_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
