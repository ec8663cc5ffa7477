/* What a server says and what db makes of it: a PostgreSQL of the test fails as the SQL text asks.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "io/db.h"

static int listener;
static pthread_t thread;
static atomic_int connections, prepared, executed, synced, rollbacks;
static char conninfo[128];
static struct db *db;

/* -- the server: "FAIL sqlstate" fails so, "DROP" closes the connection, all else succeeds */

static bool read_all(int fd, void *data, size_t len)
{
	for (char *p = data; len;) {
		ssize_t n = recv(fd, p, len, 0);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static void add_message(struct buf *b, char type, const void *body, size_t len)
{
	uint32_t size = htonl((uint32_t)len + 4);

	buf_addc(b, type);
	buf_add(b, &size, 4);
	buf_add(b, body, len);
}

static void add_error(struct buf *b, const char *state)
{
	struct buf e;

	buf_init(&e, 1000);
	buf_addf(&e, "SERROR%cVERROR%cC%.5s%cMit failed%cncalls_pkey%c", 0, 0, state, 0, 0, 0);
	buf_addc(&e, '\0');
	add_message(b, 'E', e.data, e.len);
	buf_done(&e);
}

/* What one connection knows. */
struct session {
	char parsed[200];
	bool parse, in_transaction, failed;
	char bound[200]; /* what is bound to, when that fails */
	bool skip;	 /* until the next Sync */
};

static void add_ready(struct buf *b, const struct session *s)
{
	add_message(b, 'Z', !s->in_transaction ? "I" : s->failed ? "E" : "T", 1);
}

static bool fails(struct buf *b, struct session *s, const char *sql)
{
	if (strncmp(sql, "FAIL ", 5))
		return false;
	add_error(b, sql + 5);
	s->failed = true;
	return true;
}

static void run_simple(struct buf *b, struct session *s, const char *sql)
{
	const char *tag = sql;

	if (!*sql) {
		add_message(b, 'I', "", 0);
	} else if (!fails(b, s, sql)) {
		if (!strcmp(sql, "BEGIN"))
			s->in_transaction = true, s->failed = false;
		if (!strcmp(sql, "COMMIT") || !strcmp(sql, "ROLLBACK")) {
			rollbacks += !strcmp(sql, "ROLLBACK");
			tag = s->failed ? "ROLLBACK" : sql;
			s->in_transaction = false;
		}
		add_message(b, 'C', tag, strlen(tag) + 1);
	}
	add_ready(b, s);
}

static void sync_up(struct buf *b, struct session *s)
{
	if (s->parse && !fails(b, s, s->parsed))
		add_message(b, '1', "", 0);
	s->parse = s->skip = false;
	add_ready(b, s);
}

static void execute(struct buf *b, struct session *s)
{
	if (s->skip)
		return;
	s->skip = fails(b, s, s->bound);
	if (s->skip)
		return;
	executed++;
	add_message(b, '2', "", 0);
	add_message(b, 'n', "", 0);
	add_message(b, 'C', "UPDATE 3", 9);
}

/* false: the connection ends. */
static bool one_message(int fd, struct session *s)
{
	static char body[4096];
	char type;
	uint32_t size;
	struct buf b;
	bool go_on;

	if (!read_all(fd, &type, 1) || !read_all(fd, &size, 4))
		return false;
	size = ntohl(size) - 4;
	if (size > sizeof(body) || !read_all(fd, body, size) || type == 'X')
		return false;
	if (type == 'Q' && !strcmp(body, "DROP"))
		return false;
	buf_init(&b, 4096);
	if (type == 'Q') {
		run_simple(&b, s, body);
	} else if (type == 'P') {
		snprintf(s->parsed, sizeof(s->parsed), "%s", body + strlen(body) + 1);
		s->parse = true;
		prepared++;
	} else if (type == 'B') {
		const char *fail = memmem(body, size, "FAIL ", 5);

		snprintf(s->bound, sizeof(s->bound), "%.10s", fail ? fail : "");
		if (memmem(body, size, "LOST", 4))
			return false;
	} else if (type == 'E') {
		execute(&b, s);
	} else if (type == 'S') {
		synced++;
		sync_up(&b, s);
	}
	go_on = !b.len || send(fd, b.data, b.len, MSG_NOSIGNAL) == (ssize_t)b.len;
	buf_done(&b);
	return go_on;
}

static char startup[4096]; /* of the last connection: names and values, a NUL behind each */

static void serve(int fd)
{
	struct session s = { .parse = false };
	struct buf b;
	uint32_t size;

	if (!read_all(fd, &size, 4) || ntohl(size) > sizeof(startup) ||
	    !read_all(fd, startup, ntohl(size) - 4))
		return;
	connections++;
	buf_init(&b, 100);
	add_message(&b, 'R', "\0\0\0", 4);
	add_ready(&b, &s);
	send(fd, b.data, b.len, MSG_NOSIGNAL);
	buf_done(&b);
	while (one_message(fd, &s))
		;
}

static void *server_main(void *arg)
{
	int fd;

	(void)arg;
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		serve(fd);
		close(fd);
	}
	return NULL;
}

static int setup(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	(void)state;
	connections = prepared = executed = synced = rollbacks = 0;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) || listen(listener, 5) ||
	    getsockname(listener, (struct sockaddr *)&a, &len) ||
	    pthread_create(&thread, NULL, server_main, NULL))
		return -1;
	snprintf(conninfo, sizeof(conninfo),
		 "host=127.0.0.1 port=%d user=x dbname=x sslmode=disable gssencmode=disable",
		 ntohs(a.sin_port));
	db = db_open(conninfo);
	return db ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	db_close(db);
	shutdown(listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(listener);
	return 0;
}

/* -- tests */

static void a_session_has_the_options_that_it_was_given(void **state)
{
	static const char options[] = "-c enable_seqscan=off";
	struct db *with = db_open(conninfo);

	(void)state;
	db_options(with, options);
	assert_int_equal(db_script(with, "SELECT"), 0);
	assert_non_null(memmem(startup, sizeof(startup), options, sizeof(options)));
	db_close(with);
	memset(startup, 0, sizeof(startup));
	assert_int_equal(db_script(db, "SELECT"), 0);
	assert_null(memmem(startup, sizeof(startup), "-c", 2));
}

static void each_class_of_failure_has_its_own_error(void **state)
{
	static const struct {
		const char *sql;
		int r;
	} cases[] = {
		{ "FAIL 23505", -EEXIST }, { "FAIL 23503", -ENOENT }, { "FAIL 23514", -EINVAL },
		{ "FAIL 22P02", -EINVAL }, { "FAIL 40001", -EAGAIN }, { "FAIL 40P01", -EAGAIN },
		{ "FAIL 57014", -EIO },	   { "FAIL 53300", -EIO },    { "FAIL 08006", -EIO },
		{ "FAIL 42601", -EINVAL }, { "FAIL 25006", -EIO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct db_result *res = NULL;

		assert_int_equal(db_exec(&res, db, cases[i].sql, 0, NULL), cases[i].r);
		assert_null(res);
		assert_non_null(strstr(db_error(db), "it failed"));
		assert_string_equal(db_constraint(db), "calls_pkey");
		assert_int_equal(db_script(db, cases[i].sql), cases[i].r);
	}
	assert_int_equal(db_script(db, "OK"), 0);
	assert_string_equal(db_error(db), "");
	assert_string_equal(db_constraint(db), "");
	assert_int_equal(connections, 1);
}

static void a_statement_is_prepared_once_a_connection(void **state)
{
	static const char sql[] = "UPDATE x SET y = $1";
	const char *params[] = { NULL };
	struct db_result *res;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(db_exec(&res, db, sql, 1, params), 0);
		assert_int_equal(db_rows(res), 0);
		db_result_free(res);
	}
	assert_int_equal(prepared, 1);
	assert_int_equal(db_script(db, "DROP"), -EIO);
	assert_int_equal(db_exec(NULL, db, sql, 1, params), 0);
	assert_int_equal(prepared, 2);
	assert_int_equal(executed, 4);
	assert_int_equal(connections, 2);
}

static void statements_together_are_one_transaction_in_one_round_trip(void **state)
{
	static const char insert[] = "INSERT", update[] = "UPDATE";
	const char *fine[] = { "1" }, *bad[] = { "FAIL 23503" }, *lost[] = { "LOST" };
	struct db_statement all[] = { { insert, 1, fine },
				      { update, 1, fine },
				      { insert, 1, fine } };

	(void)state;
	assert_int_equal(db_exec_together(db, all, 3), 0);
	assert_int_equal(prepared, 2);
	assert_int_equal(executed, 3);
	/* Two to prepare, one for all three. */
	assert_int_equal(synced, 3);
	all[1].params = bad;
	assert_int_equal(db_exec_together(db, all, 3), -ENOENT);
	assert_non_null(strstr(db_error(db), "it failed"));
	assert_int_equal(executed, 4);
	assert_int_equal(synced, 4);
	all[1].params = lost;
	assert_int_equal(db_exec_together(db, all, 3), -EIO);
	all[1].params = fine;
	assert_int_equal(db_exec_together(db, all, 3), 0);
	assert_int_equal(db_exec_together(db, all, 0), 0);
	assert_int_equal(connections, 2);
	assert_int_equal(db_exec(NULL, db, update, 1, fine), 0);
}

static void a_lost_connection_is_told_once_and_made_again(void **state)
{
	(void)state;
	assert_int_equal(db_script(db, "OK"), 0);
	assert_int_equal(db_script(db, "DROP"), -EIO);
	assert_string_not_equal(db_error(db), "");
	assert_int_equal(db_script(db, "OK"), 0);
	assert_int_equal(connections, 2);
}

static void a_transaction_whose_connection_is_lost_runs_nothing_more(void **state)
{
	(void)state;
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_script(db, "DROP"), -EIO);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(db_script(db, "OK"), -EIO);
		assert_int_equal(db_exec(NULL, db, "OK too", 0, NULL), -EIO);
	}
	assert_int_equal(db_commit(db), -EIO);
	assert_int_equal(connections, 1);
	assert_int_equal(db_script(db, "OK"), 0);
	assert_int_equal(connections, 2);
}

static void a_rollback_ends_a_transaction_whose_connection_is_lost(void **state)
{
	(void)state;
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_script(db, "DROP"), -EIO);
	db_rollback(db);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(rollbacks, 0);
}

static void a_commit_after_a_failed_statement_is_no_success(void **state)
{
	(void)state;
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_script(db, "FAIL 23505"), -EEXIST);
	assert_int_equal(db_commit(db), -EINVAL);
	assert_string_not_equal(db_error(db), "");
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_commit(db), 0);
}

static void a_begin_ends_what_was_left_open_and_a_rollback_of_nothing_says_nothing(void **state)
{
	(void)state;
	db_rollback(db);
	assert_int_equal(connections, 0);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(rollbacks, 1);
	db_rollback(db);
	assert_int_equal(rollbacks, 2);
	db_rollback(db);
	assert_int_equal(rollbacks, 2);
}

static void an_empty_script_is_no_error(void **state)
{
	(void)state;
	assert_int_equal(db_script(db, ""), 0);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_session_has_the_options_that_it_was_given, setup,
						teardown),
		SERVED(each_class_of_failure_has_its_own_error),
		SERVED(a_statement_is_prepared_once_a_connection),
		SERVED(statements_together_are_one_transaction_in_one_round_trip),
		cmocka_unit_test_setup_teardown(a_session_has_the_options_that_it_was_given, setup,
						teardown),
		SERVED(each_class_of_failure_has_its_own_error),
		SERVED(a_statement_is_prepared_once_a_connection),
		SERVED(a_lost_connection_is_told_once_and_made_again),
		SERVED(a_transaction_whose_connection_is_lost_runs_nothing_more),
		SERVED(a_rollback_ends_a_transaction_whose_connection_is_lost),
		SERVED(a_commit_after_a_failed_statement_is_no_success),
		SERVED(a_begin_ends_what_was_left_open_and_a_rollback_of_nothing_says_nothing),
		SERVED(an_empty_script_is_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
