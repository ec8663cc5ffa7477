#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <pthread.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "io/loop.h"
#include "io/socket.h"

static struct loop *loop;
static struct loop_timer *guard, *tick;
static bool late;
static char dir[] = "/tmp/hs-socket-XXXXXX", own_path[64], peer_path[64];

static void on_late(void *arg)
{
	(void)arg;
	late = true;
	loop_stop(loop);
}

static bool (*condition)(void);

static void on_tick(void *arg)
{
	(void)arg;
	if (condition())
		loop_stop(loop);
	else
		loop_timer_start(tick, 1);
}

static int setup(void **state)
{
	(void)state;
	late = false;
	loop = loop_new();
	guard = loop_timer_new(loop, on_late, NULL);
	tick = loop_timer_new(loop, on_tick, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	loop_timer_free(guard);
	loop_timer_free(tick);
	loop_free(loop);
	return 0;
}

/* Runs the loop until the condition holds; a loop can run once. */
static void run_until(bool (*holds)(void))
{
	condition = holds;
	loop_timer_start(guard, 10000);
	loop_timer_start(tick, 0);
	loop_run(loop);
	assert_false(late);
}

static int got;
static char heard[4096];

static void on_datagram(void *arg, const char *data, size_t len)
{
	(void)arg;
	assert_int_equal(data[len], '\0');
	snprintf(heard, sizeof(heard), "%s", data);
	got++;
}

/* -- addresses */

static void addresses_are_ip_and_port(void **state)
{
	struct sockaddr_storage a;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&a;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a;
	socklen_t len;

	(void)state;
	assert_int_equal(socket_parse_addr(&a, &len, "192.0.2.7:5060"), 0);
	assert_int_equal(len, sizeof(*in));
	assert_int_equal(in->sin_family, AF_INET);
	assert_int_equal(ntohl(in->sin_addr.s_addr), 0xc0000207);
	assert_int_equal(ntohs(in->sin_port), 5060);
	assert_int_equal(socket_parse_addr(&a, &len, "[2001:db8::1]:65535"), 0);
	assert_int_equal(in6->sin6_family, AF_INET6);
	assert_int_equal(ntohs(in6->sin6_port), 65535);
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = {
		"",	      "127.0.0.1",	    "127.0.0.1:", ":5060",	"localhost:5060",
		"1.2.3:5",    "1.2.3.4:-1",	    "1.2.3.4:+1", "1.2.3.4: 1", "1.2.3.4:65536",
		"1.2.3.4:5x", "::1:5060",	    "[::1:5060",  "[]:1",	"[1.2.3.4]:5",
		"[::1]5060",  "[fe80::1%eth0]:5060"
	};
	struct sockaddr_storage a;
	socklen_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(socket_parse_addr(&a, &len, bad[i]), -EINVAL);
}

/* -- UDP */

static int udp_socket(struct sockaddr_in *ret)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof(*ret);

	*ret = (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)ret, sizeof(*ret)), 0);
	getsockname(fd, (struct sockaddr *)ret, &len);
	return fd;
}

static bool got_one(void)
{
	return got == 1;
}

static void udp_goes_to_the_peer_and_only_the_peer_is_heard(void **state)
{
	struct sockaddr_in peer, stranger, own;
	socklen_t len = sizeof(own);
	int fd = udp_socket(&peer), other = udp_socket(&stranger);
	struct dgram *d;
	char addr[32], text[16];

	(void)state;
	got = 0;
	snprintf(addr, sizeof(addr), "127.0.0.1:%d", ntohs(peer.sin_port));
	d = dgram_new_udp(loop, NULL, addr, 10, on_datagram, NULL);
	assert_non_null(d);
	assert_int_equal(dgram_send(d, "ping", 4), 0);
	assert_int_equal(recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&own, &len), 4);
	assert_memory_equal(text, "ping", 4);
	assert_int_equal(sendto(other, "forged", 6, 0, (struct sockaddr *)&own, len), 6);
	assert_int_equal(sendto(fd, "pong", 4, 0, (struct sockaddr *)&own, len), 4);
	run_until(got_one);
	assert_string_equal(heard, "pong");
	dgram_free(d);
	close(fd);
	close(other);
}

static void udp_without_a_peer_hears_all_and_sends_nothing(void **state)
{
	struct sockaddr_in a;
	int fd = udp_socket(&a);
	char addr[32];
	struct dgram *d;

	(void)state;
	got = 0;
	/* A free port: that of a socket just closed. */
	snprintf(addr, sizeof(addr), "127.0.0.1:%d", ntohs(a.sin_port));
	close(fd);
	d = dgram_new_udp(loop, addr, NULL, 10, on_datagram, NULL);
	assert_non_null(d);
	assert_int_equal(dgram_send(d, "x", 1), -ECONNREFUSED);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(sendto(fd, "{\"event\":49}", 12, 0, (struct sockaddr *)&a, sizeof(a)), 12);
	run_until(got_one);
	assert_string_equal(heard, "{\"event\":49}");
	close(fd);
	assert_null(dgram_new_udp(loop, addr, NULL, 10, on_datagram, NULL));
	assert_null(dgram_new_udp(loop, "nonsense", NULL, 10, on_datagram, NULL));
	assert_null(dgram_new_udp(loop, NULL, "nonsense", 10, on_datagram, NULL));
	assert_null(dgram_new_udp(loop, "[::1]:0", addr, 10, on_datagram, NULL));
	dgram_free(d);
	dgram_free(NULL);
}

/* -- unix datagrams */

static int unix_peer(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	strcpy(a.sun_path, peer_path);
	unlink(peer_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static struct dgram *unix_dgram(unsigned queue_max)
{
	return dgram_new_unix(loop, own_path, peer_path, queue_max, on_datagram, NULL);
}

static int peer_fd, taken;

static bool took_all(void)
{
	char text[32], want[32];
	ssize_t n;

	/* A slow reader: one at each tick. */
	n = recv(peer_fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	if (n < 0)
		return false;
	text[n] = '\0';
	snprintf(want, sizeof(want), "%d", taken++);
	assert_string_equal(text, want);
	return taken == 500;
}

static void nothing_is_lost_and_the_order_is_kept_though_the_peers_queue_is_full(void **state)
{
	struct dgram *d;
	char text[32];

	(void)state;
	taken = 0;
	peer_fd = unix_peer();
	d = unix_dgram(1000);
	assert_non_null(d);
	for (int i = 0; i < 500; i++)
		assert_int_equal(dgram_send(d, text, (size_t)sprintf(text, "%d", i)), 0);
	run_until(took_all);
	assert_int_equal(recv(peer_fd, text, sizeof(text), MSG_DONTWAIT), -1);
	dgram_free(d);
	close(peer_fd);
}

static void *slow_peer(void *arg)
{
	char text[32];

	(void)arg;
	for (taken = 0; taken < 300; taken++)
		if (recv(peer_fd, text, sizeof(text), 0) < 0 || atoi(text) != taken)
			break;
	return NULL;
}

static void what_waits_when_it_is_freed_still_goes(void **state)
{
	const struct timeval patience = { .tv_sec = 5 };
	struct dgram *d;
	pthread_t thread;
	char text[32];

	(void)state;
	peer_fd = unix_peer();
	setsockopt(peer_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	d = unix_dgram(1000);
	for (int i = 0; i < 300; i++)
		assert_int_equal(dgram_send(d, text, (size_t)sprintf(text, "%d", i) + 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, slow_peer, NULL), 0);
	/* No loop runs any more. */
	dgram_free(d);
	pthread_join(thread, NULL);
	assert_int_equal(taken, 300);
	close(peer_fd);
}

static void beyond_the_queue_the_sender_is_told(void **state)
{
	struct dgram *d;
	int n = 0;

	(void)state;
	peer_fd = unix_peer();
	d = unix_dgram(5);
	while (dgram_send(d, "x", 1) == 0)
		n++;
	assert_int_equal(dgram_send(d, "x", 1), -EAGAIN);
	assert_in_range(n, 6, 1000);
	dgram_free(d);
	close(peer_fd);
}

static uint64_t deadline;

static bool time_over(void)
{
	return clock_mono_ms() >= deadline;
}

static uint64_t cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void waiting_for_a_peer_that_does_not_read_costs_no_processor(void **state)
{
	struct dgram *d;
	uint64_t before;

	(void)state;
	peer_fd = unix_peer();
	d = unix_dgram(100);
	for (int i = 0; i < 50; i++)
		assert_int_equal(dgram_send(d, "x", 1), 0);
	before = cpu_ms();
	deadline = clock_mono_ms() + 400;
	condition = time_over;
	loop_timer_start(guard, 10000);
	loop_timer_start(tick, 400);
	loop_run(loop);
	assert_false(late);
	assert_true(cpu_ms() - before < 100);
	dgram_free(d);
	close(peer_fd);
}

static bool took_big(void)
{
	static char text[70000];

	if (recv(peer_fd, text, sizeof(text), MSG_DONTWAIT) == 60000)
		taken++;
	return taken == 20;
}

static void datagrams_that_fill_our_own_side_are_waited_for_too(void **state)
{
	static char big[60000];
	struct dgram *d;

	(void)state;
	taken = 0;
	peer_fd = unix_peer();
	d = unix_dgram(100);
	for (int i = 0; i < 20; i++)
		assert_int_equal(dgram_send(d, big, sizeof(big)), 0);
	run_until(took_big);
	dgram_free(d);
	close(peer_fd);
}

static struct dgram *sender;

static bool refused(void)
{
	return dgram_send(sender, "x", 1) == -ECONNREFUSED;
}

static void a_peer_that_goes_while_datagrams_wait_is_told_and_its_successor_served(void **state)
{
	char text[4];

	(void)state;
	peer_fd = unix_peer();
	sender = unix_dgram(100);
	for (int i = 0; i < 50; i++)
		assert_int_equal(dgram_send(sender, "x", 1), 0);
	close(peer_fd);
	run_until(refused);
	peer_fd = unix_peer();
	assert_int_equal(dgram_send(sender, "new", 3), 0);
	assert_int_equal(recv(peer_fd, text, sizeof(text), MSG_DONTWAIT), 3);
	dgram_free(sender);
	close(peer_fd);
}

static void a_unix_peer_that_was_never_there_is_refused(void **state)
{
	struct dgram *d;

	(void)state;
	unlink(peer_path);
	d = unix_dgram(10);
	assert_int_equal(dgram_send(d, "x", 1), -ECONNREFUSED);
	dgram_free(d);
	assert_int_equal(access(own_path, F_OK), -1);
}

static void an_answer_from_another_socket_is_heard(void **state)
{
	struct sockaddr_un own = { .sun_family = AF_UNIX };
	struct dgram *d;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	(void)state;
	got = 0;
	peer_fd = unix_peer();
	d = unix_dgram(100);
	/* Ours has datagrams waiting, its way of waiting must not close its ear. */
	for (int i = 0; i < 50; i++)
		dgram_send(d, "x", 1);
	strcpy(own.sun_path, own_path);
	assert_int_equal(sendto(fd, "answer", 6, 0, (struct sockaddr *)&own, sizeof(own)), 6);
	run_until(got_one);
	assert_string_equal(heard, "answer");
	dgram_free(d);
	close(fd);
	close(peer_fd);
}

static void a_datagram_that_is_too_big_is_ignored_and_the_next_one_heard(void **state)
{
	static char big[100000];
	struct sockaddr_un own = { .sun_family = AF_UNIX };
	struct dgram *d;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	(void)state;
	got = 0;
	d = unix_dgram(100);
	strcpy(own.sun_path, own_path);
	assert_int_equal(sendto(fd, big, sizeof(big), 0, (struct sockaddr *)&own, sizeof(own)),
			 sizeof(big));
	assert_int_equal(sendto(fd, "small", 5, 0, (struct sockaddr *)&own, sizeof(own)), 5);
	run_until(got_one);
	assert_string_equal(heard, "small");
	dgram_free(d);
	close(fd);
}

static void a_socket_left_behind_is_replaced_but_not_a_file(void **state)
{
	struct dgram *d;
	FILE *f;

	(void)state;
	peer_fd = unix_peer();
	assert_int_equal(rename(peer_path, own_path), 0);
	close(peer_fd);
	d = unix_dgram(10);
	assert_non_null(d);
	dgram_free(d);
	f = fopen(own_path, "w");
	fclose(f);
	assert_null(unix_dgram(10));
	assert_int_equal(access(own_path, F_OK), 0);
	unlink(own_path);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
	char path[200];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[199] = '\0';
	assert_null(dgram_new_unix(loop, path, peer_path, 1, on_datagram, NULL));
	assert_null(dgram_new_unix(loop, own_path, path, 1, on_datagram, NULL));
}

/* -- stream */

static int listener, connects, losses, reset_at;
static struct stream *stream;
static size_t bytes;

static void on_state(void *arg, bool connected)
{
	(void)arg;
	assert_int_equal(connected, stream_connected(stream));
	if (connected)
		connects++;
	else
		losses++;
}

static void on_data(void *arg, const char *data, size_t len)
{
	(void)arg;
	(void)data;
	bytes += len;
	if (reset_at && bytes >= (size_t)reset_at)
		stream_reset(stream);
}

static const struct stream_events events = { .state = on_state, .data = on_data };

static int listen_on(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	getsockname(fd, (struct sockaddr *)&a, &len);
	return ntohs(a.sin_port);
}

static void stream_start(void)
{
	char addr[32];

	connects = losses = reset_at = 0;
	bytes = 0;
	snprintf(addr, sizeof(addr), "127.0.0.1:%d", port_of(listener));
	stream = stream_new(loop, addr, &events, NULL);
	assert_non_null(stream);
}

static int accepted_fd;

static bool accepts_and_closes(void)
{
	int fd = accept(listener, NULL, NULL);

	if (fd >= 0)
		close(fd);
	return connects >= 3 && losses >= 2;
}

static void a_stream_that_is_closed_connects_again(void **state)
{
	(void)state;
	listener = listen_on(0);
	stream_start();
	assert_false(stream_connected(stream));
	run_until(accepts_and_closes);
	stream_free(stream);
	close(listener);
}

static uint16_t away_port;
static int phase;

static bool comes_back(void)
{
	if (phase == 0) {
		assert_int_equal(connects, 0);
		if (clock_mono_ms() < deadline)
			return false;
		listener = listen_on(away_port);
		phase = 1;
	}
	return connects == 1;
}

static void a_peer_that_is_not_there_is_tried_until_it_is(void **state)
{
	(void)state;
	listener = listen_on(0);
	away_port = port_of(listener);
	stream_start();
	close(listener);
	phase = 0;
	deadline = clock_mono_ms() + 250;
	run_until(comes_back);
	assert_int_equal(losses, 0);
	stream_free(stream);
	close(listener);
}

static bool writes_much(void)
{
	static char block[100000];

	if (accepted_fd < 0)
		accepted_fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	if (accepted_fd >= 0 && phase < 50 &&
	    send(accepted_fd, block, sizeof(block), MSG_DONTWAIT) > 0)
		phase++;
	return phase == 50 && bytes > 1000000;
}

static void all_that_a_peer_writes_is_taken(void **state)
{
	(void)state;
	listener = listen_on(0);
	accepted_fd = -1;
	phase = 0;
	stream_start();
	run_until(writes_much);
	stream_free(stream);
	close(accepted_fd);
	close(listener);
}

/* The next message is written when the one before was acknowledged. Of one size, as those of like
 * calls: the kernel takes that for the path's segment size and has such a one wait for its second.
 */
static bool all_acknowledged(void)
{
	static const char message[1000];
	int waiting = -1;

	if (accepted_fd < 0)
		accepted_fd = accept(listener, NULL, NULL);
	if (accepted_fd < 0 || bytes < (size_t)phase * sizeof(message))
		return false;
	assert_int_equal(ioctl(accepted_fd, SIOCOUTQ, &waiting), 0);
	if (waiting)
		return false;
	/* 16 s when each waits for the kernel's 40 ms. */
	if (phase == 400)
		return true;
	assert_int_equal(send(accepted_fd, message, sizeof(message), MSG_NOSIGNAL),
			 sizeof(message));
	phase++;
	return false;
}

static void a_peer_that_gathers_what_is_not_acknowledged_need_not_wait(void **state)
{
	(void)state;
	listener = listen_on(0);
	accepted_fd = -1;
	phase = 0;
	stream_start();
	run_until(all_acknowledged);
	stream_free(stream);
	close(accepted_fd);
	close(listener);
}

static bool framing_broken(void)
{
	int fd = accept(listener, NULL, NULL);

	if (fd >= 0) {
		if (accepted_fd >= 0)
			close(accepted_fd);
		accepted_fd = fd;
		assert_int_equal(send(fd, "garbage", 7, MSG_NOSIGNAL), 7);
	}
	return connects == 2;
}

static void a_reset_from_within_data_closes_and_connects_again(void **state)
{
	(void)state;
	listener = listen_on(0);
	accepted_fd = -1;
	stream_start();
	reset_at = 1;
	run_until(framing_broken);
	assert_true(losses >= 1);
	stream_free(stream);
	close(accepted_fd);
	close(listener);
}

static void a_stream_to_nonsense_is_refused(void **state)
{
	(void)state;
	assert_null(stream_new(loop, "kamailio:8448", &events, NULL));
	stream_free(NULL);
}

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(own_path, sizeof(own_path), "%s/own", dir);
	snprintf(peer_path, sizeof(peer_path), "%s/peer", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(own_path);
	unlink(peer_path);
	return rmdir(dir);
}

#define ON_LOOP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_ip_and_port),
		cmocka_unit_test(what_is_no_address_is_refused),
		ON_LOOP(udp_goes_to_the_peer_and_only_the_peer_is_heard),
		ON_LOOP(udp_without_a_peer_hears_all_and_sends_nothing),
		ON_LOOP(nothing_is_lost_and_the_order_is_kept_though_the_peers_queue_is_full),
		ON_LOOP(what_waits_when_it_is_freed_still_goes),
		ON_LOOP(beyond_the_queue_the_sender_is_told),
		ON_LOOP(waiting_for_a_peer_that_does_not_read_costs_no_processor),
		ON_LOOP(datagrams_that_fill_our_own_side_are_waited_for_too),
		ON_LOOP(a_peer_that_goes_while_datagrams_wait_is_told_and_its_successor_served),
		ON_LOOP(a_unix_peer_that_was_never_there_is_refused),
		ON_LOOP(an_answer_from_another_socket_is_heard),
		ON_LOOP(a_datagram_that_is_too_big_is_ignored_and_the_next_one_heard),
		ON_LOOP(a_socket_left_behind_is_replaced_but_not_a_file),
		ON_LOOP(a_path_that_is_too_long_is_refused),
		ON_LOOP(a_stream_that_is_closed_connects_again),
		ON_LOOP(a_peer_that_is_not_there_is_tried_until_it_is),
		ON_LOOP(all_that_a_peer_writes_is_taken),
		ON_LOOP(a_peer_that_gathers_what_is_not_acknowledged_need_not_wait),
		ON_LOOP(a_reset_from_within_data_closes_and_connects_again),
		ON_LOOP(a_stream_to_nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
