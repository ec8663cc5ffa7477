#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "media/loop_thread.h"
#include "media/media.h"
#include "media/prompt.h"
#include "media/rtp.h"

/* The daemon's side (loop thread) and RTPengine's (a plain socket that the test thread reads). */
struct fixture {
	struct loop_thread thread;
	struct media *media;
	struct media_port *port;
	unsigned timeout_ms;
	int fd;
	uint16_t fd_port;
	sem_t played, silent;
	uint32_t played_ids[64];
	unsigned played_count;
	struct rtp_header last;
	bool have_last;
};

struct packet {
	struct rtp_header h;
	uint8_t payload[512];
	size_t len;
	uint64_t at_ns;
};

static void on_played(void *arg, uint32_t id)
{
	struct fixture *f = arg;

	f->played_ids[f->played_count++ % 64] = id;
	sem_post(&f->played);
}

static void on_silent(void *arg)
{
	sem_post(&((struct fixture *)arg)->silent);
}

static const struct media_events events = { .played = on_played, .silent = on_silent };

static void do_open(void *arg)
{
	struct fixture *f = arg;

	f->media = media_new(f->thread.loop, "127.0.0.1", 2);
	assert_non_null(f->media);
	assert_int_equal(media_open(&f->port, f->media, f->timeout_ms, &events, f), 0);
}

static void do_start(void *arg)
{
	struct fixture *f = arg;

	media_start(f->port, "127.0.0.1", f->fd_port, RTP_PT_EVENT);
}

static void do_close(void *arg)
{
	struct fixture *f = arg;

	media_close(f->port);
	f->port = NULL;
}

static void do_free(void *arg)
{
	struct fixture *f = arg;

	media_close(f->port);
	media_free(f->media);
}

static void do_stop(void *arg)
{
	media_stop(((struct fixture *)arg)->port);
}

static void do_hold(void *arg)
{
	media_hold(((struct fixture *)arg)->port, 0);
}

static void do_resume(void *arg)
{
	media_hold(((struct fixture *)arg)->port, 1);
}

struct play_args {
	struct fixture *f;
	struct prompt *p;
	unsigned loops;
	const char *digits;
	uint32_t id;
};

static void do_play(void *arg)
{
	struct play_args *a = arg;

	a->id = a->digits ? media_play_digits(a->f->port, a->digits)
			  : media_play(a->f->port, a->p, a->loops);
}

static uint32_t play(struct fixture *f, struct prompt *p, unsigned loops)
{
	struct play_args a = { .f = f, .p = p, .loops = loops };

	loop_thread_do(&f->thread, do_play, &a);
	return a.id;
}

static uint32_t play_digits(struct fixture *f, const char *digits)
{
	struct play_args a = { .f = f, .digits = digits };

	loop_thread_do(&f->thread, do_play, &a);
	return a.id;
}

static int udp_socket(uint16_t *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	getsockname(fd, (struct sockaddr *)&addr, &len);
	*port = ntohs(addr.sin_port);
	return fd;
}

static void fixture_start(struct fixture *f, unsigned timeout_ms)
{
	memset(f, 0, sizeof(*f));
	f->timeout_ms = timeout_ms;
	sem_init(&f->played, 0, 0);
	sem_init(&f->silent, 0, 0);
	f->fd = udp_socket(&f->fd_port);
	loop_thread_start(&f->thread);
	loop_thread_do(&f->thread, do_open, f);
}

static void fixture_end(struct fixture *f)
{
	loop_thread_end(&f->thread, do_free, f);
	close(f->fd);
	sem_destroy(&f->played);
	sem_destroy(&f->silent);
}

static bool receive(struct fixture *f, struct packet *p, int timeout_ms)
{
	struct pollfd pfd = { .fd = f->fd, .events = POLLIN };
	uint8_t data[512];
	const uint8_t *payload;
	ssize_t n;

	if (poll(&pfd, 1, timeout_ms) <= 0)
		return false;
	n = recv(f->fd, data, sizeof(data), 0);
	p->at_ns = clock_mono_ns();
	assert_true(n > 0);
	assert_int_equal(rtp_parse(&p->h, &payload, &p->len, data, (size_t)n), 0);
	memcpy(p->payload, payload, p->len);
	return true;
}

/* The next packet, which must follow the one before: sequence + 1, the same source. */
static void next(struct fixture *f, struct packet *p)
{
	if (!receive(f, p, 2000))
		fail_msg("the stream stopped");
	if (f->have_last) {
		assert_int_equal(p->h.sequence, (uint16_t)(f->last.sequence + 1));
		assert_int_equal(p->h.ssrc, f->last.ssrc);
	}
	f->last = p->h;
	f->have_last = true;
}

/* The next packet is audio, one packet's time after ts; all its samples are this byte. */
static void next_audio(struct fixture *f, uint32_t *ts, uint8_t byte)
{
	struct packet p;

	next(f, &p);
	assert_int_equal(p.h.payload_type, RTP_PT_PCMU);
	assert_int_equal(p.h.timestamp, *ts + 160);
	assert_int_equal(p.len, 160);
	for (size_t i = 0; i < p.len; i++)
		assert_int_equal(p.payload[i], byte);
	*ts = p.h.timestamp;
}

/* Reads silence until the first packet that is something else. */
static void skip_silence(struct fixture *f, struct packet *p)
{
	for (int i = 0; i < 100; i++) {
		uint32_t ts = f->last.timestamp;
		bool had = f->have_last;

		next(f, p);
		if (had && p->h.payload_type == RTP_PT_PCMU)
			assert_int_equal(p->h.timestamp, ts + 160);
		if (p->h.payload_type != RTP_PT_PCMU || p->payload[0] != 0xff)
			return;
	}
	fail_msg("silence for ever");
}

static struct prompt *prompt_of(uint8_t byte, size_t samples)
{
	uint8_t *ulaw = malloc(samples + 1);
	struct prompt *p;

	memset(ulaw, byte, samples);
	p = prompt_new_ulaw(ulaw, samples);
	free(ulaw);
	return p;
}

static void silence_is_paced_by_the_clock_and_begins_with_a_marker(void **state)
{
	struct fixture f;
	struct packet p;
	uint64_t first_ns;
	uint32_t ts;

	(void)state;
	fixture_start(&f, 0);
	assert_false(receive(&f, &p, 60)); /* nothing before start */
	loop_thread_do(&f.thread, do_start, &f);
	next(&f, &p);
	assert_true(p.h.marker);
	first_ns = p.at_ns;
	ts = p.h.timestamp;
	for (int i = 0; i < 50; i++) {
		next(&f, &p);
		assert_false(p.h.marker);
		assert_int_equal(p.h.timestamp, ts + 160);
		assert_int_equal(p.payload[0], 0xff);
		ts = p.h.timestamp;
	}
	/* No drift: fifty packets are a second, whatever single ones did. */
	assert_in_range((p.at_ns - first_ns) / 1000000, 960, 1080);
	fixture_end(&f);
}

static void plays_follow_each_other_without_a_gap_and_each_is_reported(void **state)
{
	struct prompt *a = prompt_of(0x11, 480), *b = prompt_of(0x22, 320);
	struct fixture f;
	struct packet p;
	uint32_t ids[2], ts;

	(void)state;
	fixture_start(&f, 0);
	ids[0] = play(&f, a, 2);
	ids[1] = play(&f, b, 1);
	prompt_unref(a);
	prompt_unref(b);
	loop_thread_do(&f.thread, do_start, &f);
	next(&f, &p);
	assert_int_equal(p.payload[0], 0x11);
	ts = p.h.timestamp;
	for (int i = 0; i < 5; i++)
		next_audio(&f, &ts, 0x11);
	for (int i = 0; i < 2; i++)
		next_audio(&f, &ts, 0x22);
	for (int i = 0; i < 3; i++)
		next_audio(&f, &ts, 0xff);
	assert_true(wait_sem(&f.played, 1000));
	assert_true(wait_sem(&f.played, 1000));
	assert_int_not_equal(ids[0], 0);
	assert_int_equal(f.played_ids[0], ids[0]);
	assert_int_equal(f.played_ids[1], ids[1]);
	fixture_end(&f);
}

static void the_last_packet_of_a_prompt_is_filled_with_silence(void **state)
{
	struct prompt *a = prompt_of(0x11, 161);
	struct fixture f;
	struct packet p;

	(void)state;
	fixture_start(&f, 0);
	play(&f, a, 1);
	prompt_unref(a);
	loop_thread_do(&f.thread, do_start, &f);
	next(&f, &p);
	next(&f, &p);
	assert_int_equal(p.len, 160);
	assert_int_equal(p.payload[0], 0x11);
	for (size_t i = 1; i < 160; i++)
		assert_int_equal(p.payload[i], 0xff);
	fixture_end(&f);
}

static void an_empty_prompt_ends_at_once(void **state)
{
	struct prompt *a = prompt_of(0, 0);
	struct fixture f;

	(void)state;
	fixture_start(&f, 0);
	loop_thread_do(&f.thread, do_start, &f);
	play(&f, a, 1000);
	prompt_unref(a);
	assert_true(wait_sem(&f.played, 500));
	fixture_end(&f);
}

/* One digit: five packets that grow, the last with the end bit, and two more ends; then the rest of
 * the gap. */
static void expect_digit(struct fixture *f, struct packet *p, uint8_t event)
{
	uint32_t ts = p->h.timestamp;
	uint32_t audio_ts = ts + 6 * 160;

	for (int i = 1; i <= 7; i++) {
		unsigned duration = 160u * (unsigned)(i < 5 ? i : 5);

		assert_int_equal(p->h.payload_type, RTP_PT_EVENT);
		assert_int_equal(p->h.marker, i == 1);
		assert_int_equal(p->h.timestamp, ts);
		assert_int_equal(p->len, 4);
		assert_int_equal(p->payload[0], event);
		assert_int_equal(p->payload[1] >> 7, i >= 5);
		assert_int_equal(p->payload[2] << 8 | p->payload[3], duration);
		if (i < 7)
			next(f, p);
	}
	for (int i = 0; i < 3; i++) {
		next(f, p);
		assert_int_equal(p->h.payload_type, RTP_PT_PCMU);
		assert_int_equal(p->h.marker, i == 0);
		assert_int_equal(p->h.timestamp, audio_ts += 160);
	}
}

static void digits_are_sent_as_telephone_events_with_pauses_between(void **state)
{
	static const uint8_t want[] = { 1, 0, 10, 11, 12, 15 };
	struct fixture f;
	struct packet p;
	uint32_t id, ts;

	(void)state;
	fixture_start(&f, 0);
	loop_thread_do(&f.thread, do_start, &f);
	id = play_digits(&f, "1w0 *x#Ad");
	for (size_t i = 0; i < sizeof(want); i++) {
		if (i == 0) {
			skip_silence(&f, &p);
		} else if (i == 1) { /* after the pause */
			ts = f.last.timestamp;
			for (int k = 0; k < 25; k++)
				next_audio(&f, &ts, 0xff);
			next(&f, &p);
		} else {
			next(&f, &p);
		}
		expect_digit(&f, &p, want[i]);
	}
	assert_true(wait_sem(&f.played, 500));
	assert_int_equal(f.played_ids[0], id);
	fixture_end(&f);
}

static void digits_and_their_neighbours_share_one_clock(void **state)
{
	struct prompt *a = prompt_of(0x11, 320);
	struct fixture f;
	struct packet p;
	uint32_t ts;

	(void)state;
	fixture_start(&f, 0);
	play(&f, a, 1);
	play_digits(&f, "5");
	play(&f, a, 1);
	loop_thread_do(&f.thread, do_start, &f);
	next(&f, &p);
	ts = p.h.timestamp;
	next_audio(&f, &ts, 0x11);
	next(&f, &p);
	assert_int_equal(p.h.timestamp, ts + 160);
	expect_digit(&f, &p, 5);
	ts = f.last.timestamp;
	next_audio(&f, &ts, 0x11);
	next_audio(&f, &ts, 0x11);
	prompt_unref(a);
	fixture_end(&f);
}

static void stop_drops_all_that_plays_within_two_packets_and_reports_nothing(void **state)
{
	struct prompt *a = prompt_of(0x11, 8000), *b = prompt_of(0x22, 8000),
		      *c = prompt_of(0x33, 160);
	struct fixture f;
	struct packet p;
	uint32_t id;
	int late = 0;

	(void)state;
	fixture_start(&f, 0);
	loop_thread_do(&f.thread, do_start, &f);
	play(&f, a, 1);
	play(&f, b, 1);
	skip_silence(&f, &p);
	assert_int_equal(p.payload[0], 0x11);
	loop_thread_do(&f.thread, do_stop, &f);
	id = play(&f, c, 1); /* what is queued after the stop is not meant by it */
	for (next(&f, &p); p.payload[0] == 0x11; next(&f, &p))
		late++;
	assert_true(late <= 2);
	assert_int_not_equal(p.payload[0], 0x22);
	if (p.payload[0] == 0xff)
		skip_silence(&f, &p);
	assert_int_equal(p.payload[0], 0x33);
	assert_true(wait_sem(&f.played, 500));
	assert_int_equal(f.played_ids[0], id);
	assert_int_equal(f.played_count, 1);
	prompt_unref(a);
	prompt_unref(b);
	prompt_unref(c);
	fixture_end(&f);
}

static void a_prompt_without_end_repeats_without_a_seam_until_it_is_stopped(void **state)
{
	uint8_t ulaw[3 * 160];
	struct prompt *a, *b = prompt_of(0x44, 160);
	struct fixture f;
	struct packet p;
	uint32_t id, ts;
	int late = 0;

	(void)state;
	for (int i = 0; i < 3; i++)
		memset(ulaw + i * 160, 0x11 * (i + 1), 160);
	a = prompt_new_ulaw(ulaw, sizeof(ulaw));
	fixture_start(&f, 0);
	play(&f, a, MEDIA_FOREVER);
	play(&f, b, 1); /* never its turn */
	prompt_unref(a);
	loop_thread_do(&f.thread, do_start, &f);
	next(&f, &p);
	assert_int_equal(p.payload[0], 0x11);
	ts = p.h.timestamp;
	for (int i = 1; i < 60; i++)
		next_audio(&f, &ts, (uint8_t)(0x11 * (i % 3 + 1)));
	loop_thread_do(&f.thread, do_stop, &f);
	for (next(&f, &p); p.payload[0] != 0xff; next(&f, &p)) {
		assert_int_not_equal(p.payload[0], 0x44);
		late++; /* on their way before the stop */
	}
	assert_true(late <= 2);
	id = play(&f, b, 1);
	prompt_unref(b);
	skip_silence(&f, &p);
	assert_int_equal(p.payload[0], 0x44);
	assert_true(wait_sem(&f.played, 500));
	assert_int_equal(f.played_ids[0], id);
	assert_int_equal(f.played_count, 1);
	fixture_end(&f);
}

static void hold_stops_the_packets_while_time_and_plays_go_on(void **state)
{
	struct prompt *a = prompt_of(0x11, 1600);
	struct fixture f;
	struct packet p;
	uint32_t ts, steps;

	(void)state;
	fixture_start(&f, 0);
	loop_thread_do(&f.thread, do_start, &f);
	next(&f, &p);
	loop_thread_do(&f.thread, do_hold, &f);
	while (receive(&f, &p, 60))
		f.last = p.h;
	ts = f.last.timestamp;
	play(&f, a, 1);
	prompt_unref(a);
	assert_true(wait_sem(&f.played, 1000));
	loop_thread_do(&f.thread, do_resume, &f);
	next(&f, &p); /* checks: the sequence has no hole */
	steps = (p.h.timestamp - ts) / 160;
	assert_true(p.h.marker);
	assert_int_equal((p.h.timestamp - ts) % 160, 0);
	assert_in_range(steps, 12, 60);
	fixture_end(&f);
}

static void send_rtp_from(int fd, struct fixture *f)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(media_port_number(f->port)) };
	uint8_t data[172];

	memset(data, 0xff, sizeof(data));
	rtp_write_header(data, &(struct rtp_header){ .payload_type = 0 });
	assert_int_equal(sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&to, sizeof(to)),
			 sizeof(data));
}

static void silent_comes_once_until_packets_come_again(void **state)
{
	struct fixture f;
	struct packet p;

	(void)state;
	fixture_start(&f, 200);
	assert_false(wait_sem(&f.silent, 300)); /* not before start */
	loop_thread_do(&f.thread, do_start, &f);
	for (int i = 0; i < 20; i++) { /* 400 ms of packets both ways */
		next(&f, &p);
		send_rtp_from(f.fd, &f);
	}
	assert_int_not_equal(sem_trywait(&f.silent), 0);
	assert_true(wait_sem(&f.silent, 1000));
	assert_false(wait_sem(&f.silent, 400));
	send_rtp_from(f.fd, &f);
	assert_true(wait_sem(&f.silent, 1000));
	fixture_end(&f);
}

static void strangers_and_garbage_do_not_count_as_media(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct media_stats stats = { 0 };
	struct fixture f;
	struct packet p;
	uint16_t port;
	int stranger = udp_socket(&port);

	(void)state;
	fixture_start(&f, 300);
	send_rtp_from(stranger, &f); /* before we know who may */
	loop_thread_do(&f.thread, do_start, &f);
	to.sin_port = htons(media_port_number(f.port));
	for (int i = 0; i < 10; i++) {
		next(&f, &p);
		send_rtp_from(stranger, &f);
		sendto(f.fd, "short", 5, 0, (struct sockaddr *)&to, sizeof(to));
		sendto(f.fd, "\x80\xc8 a sender report", 18, 0, (struct sockaddr *)&to, sizeof(to));
		sendto(f.fd, "\x40\x00 not version two", 18, 0, (struct sockaddr *)&to, sizeof(to));
	}
	assert_true(wait_sem(&f.silent, 1000));
	media_get_stats(f.media, &stats);
	assert_int_equal(stats.received, 0);
	assert_int_equal(stats.dropped, 30);
	assert_int_equal(stats.ports, 1);
	assert_true(stats.sent >= 10);
	close(stranger);
	fixture_end(&f);
}

static void nothing_comes_after_close_even_in_the_middle_of_a_play(void **state)
{
	struct prompt *a = prompt_of(0x11, 320);
	struct fixture f;
	struct packet p;

	(void)state;
	fixture_start(&f, 40);
	loop_thread_do(&f.thread, do_start, &f);
	for (int i = 0; i < 5; i++)
		play(&f, a, 1);
	prompt_unref(a);
	skip_silence(&f, &p);
	loop_thread_do(&f.thread, do_close, &f);
	f.played_count = 0;
	while (sem_trywait(&f.played) == 0)
		;
	while (sem_trywait(&f.silent) == 0)
		;
	assert_false(wait_sem(&f.played, 150));
	assert_false(wait_sem(&f.silent, 1));
	while (receive(&f, &p, 0))
		;
	assert_false(receive(&f, &p, 60));
	fixture_end(&f);
}

static void do_churn(void *arg)
{
	struct fixture *f = arg;
	struct prompt *p = prompt_of(0x11, 200);
	struct media_port *ports[64];

	for (int i = 0; i < 64; i++) {
		assert_int_equal(media_open(&ports[i], f->media, 20, &events, f), 0);
		media_start(ports[i], "127.0.0.1", f->fd_port, RTP_PT_EVENT);
		media_play(ports[i], p, 1);
		media_play_digits(ports[i], "12");
		if (i % 2)
			media_close(ports[i]);
	}
	for (int i = 0; i < 64; i += 4)
		media_close(ports[i]); /* a quarter stays open for media_free */
	prompt_unref(p);
}

static void ports_may_come_and_go_in_any_state(void **state)
{
	struct media_stats stats;
	struct fixture f;

	(void)state;
	fixture_start(&f, 0);
	for (int i = 0; i < 5; i++)
		loop_thread_do(&f.thread, do_churn, &f);
	media_get_stats(f.media, &stats);
	assert_int_equal(stats.ports, 1 + 5 * 16);
	fixture_end(&f);
}

static void do_many(void *arg)
{
	struct fixture *f = arg;

	for (int i = 0; i < 20; i++) {
		struct media_port *port;

		assert_int_equal(media_open(&port, f->media, 0, &events, f), 0);
		media_start(port, "127.0.0.1", f->fd_port, RTP_PT_EVENT);
	}
}

static void ports_of_a_thread_do_not_send_in_one_burst(void **state)
{
	struct fixture f;
	struct packet p;
	unsigned per_ms[20] = { 0 }, most = 0;

	(void)state;
	fixture_start(&f, 0);
	loop_thread_do(&f.thread, do_many, &f);
	for (int i = 0; i < 40; i++) /* all of them run */
		assert_true(receive(&f, &p, 1000));
	for (int i = 0; i < 400; i++) {
		assert_true(receive(&f, &p, 1000));
		per_ms[p.at_ns / 1000000 % 20]++;
	}
	for (int i = 0; i < 20; i++)
		if (per_ms[i] > most)
			most = per_ms[i];
	assert_true(most < 200); /* in one burst they would be 400 */
	fixture_end(&f);
}

static void a_bad_address_is_refused_and_the_port_stays_quiet(void **state)
{
	struct loop *loop = loop_new();
	struct media *media = media_new(loop, "127.0.0.1", 1);
	struct media_port *port;

	(void)state;
	assert_null(media_new(loop, "not an address", 1));
	assert_int_equal(media_open(&port, media, 0, &events, NULL), 0);
	assert_int_equal(media_port_number(port) % 2, 0);
	media_start(port, "nowhere", 4000, RTP_PT_EVENT);
	media_close(port);
	media_close(NULL);
	media_free(media);
	loop_free(loop);
}

static void rtp_headers_are_read_with_all_their_lengths_checked(void **state)
{
	const uint8_t good[] = {
		0xb1, 0x80, 0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 2, /* one CSRC, extension, padding */
		9,    9,    9,	  9,	1, 1, 0, 1, 7, 7, 7, 7, 'a', 'b', 0, 2
	};
	const uint8_t *payload;
	struct rtp_header h;
	size_t n;

	(void)state;
	assert_int_equal(rtp_parse(&h, &payload, &n, good, sizeof(good)), 0);
	assert_true(h.marker);
	assert_int_equal(h.sequence, 0x1234);
	assert_int_equal(n, 2);
	assert_memory_equal(payload, "ab", 2);
	for (size_t len = 0; len < sizeof(good) - 4; len++) {
		uint8_t *part = malloc(len + 1);

		memcpy(part, good, len);
		if (len < 24 || part[len - 1] > len - 24 || !part[len - 1])
			assert_int_equal(rtp_parse(&h, &payload, &n, part, len), -EINVAL);
		free(part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_is_paced_by_the_clock_and_begins_with_a_marker),
		cmocka_unit_test(plays_follow_each_other_without_a_gap_and_each_is_reported),
		cmocka_unit_test(the_last_packet_of_a_prompt_is_filled_with_silence),
		cmocka_unit_test(an_empty_prompt_ends_at_once),
		cmocka_unit_test(digits_are_sent_as_telephone_events_with_pauses_between),
		cmocka_unit_test(digits_and_their_neighbours_share_one_clock),
		cmocka_unit_test(stop_drops_all_that_plays_within_two_packets_and_reports_nothing),
		cmocka_unit_test(a_prompt_without_end_repeats_without_a_seam_until_it_is_stopped),
		cmocka_unit_test(hold_stops_the_packets_while_time_and_plays_go_on),
		cmocka_unit_test(silent_comes_once_until_packets_come_again),
		cmocka_unit_test(strangers_and_garbage_do_not_count_as_media),
		cmocka_unit_test(nothing_comes_after_close_even_in_the_middle_of_a_play),
		cmocka_unit_test(ports_may_come_and_go_in_any_state),
		cmocka_unit_test(ports_of_a_thread_do_not_send_in_one_burst),
		cmocka_unit_test(a_bad_address_is_refused_and_the_port_stays_quiet),
		cmocka_unit_test(rtp_headers_are_read_with_all_their_lengths_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
