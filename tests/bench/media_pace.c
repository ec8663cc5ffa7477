/*
 * media_pace - what the media worker costs and how evenly it sends: N ports play to one socket, the
 * kernel stamps each arrival.
 *
 *   usage: media_pace [ports] [seconds] [threads]
 *   build: cc -O2 -std=gnu17 -D_GNU_SOURCE -Icontrol -o media_pace tests/bench/media_pace.c \
 *          control/media/{media,media_thread,inbox,dtmf_send,rtp,prompt}.c control/io/loop.c
 * control/base/{log,clock}.c \ -luv -lspandsp -lm -lpthread
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/loop.h"
#include "media/media.h"
#include "media/prompt.h"
#include "media/rtp.h"

#define BATCH 64

static struct {
	int ports, seconds, threads, fd;
	uint64_t packets, lost;
	float *gaps_ms;
	size_t gap_count, gap_max;
	struct loop *loop;
} bench = { .ports = 500, .seconds = 10, .threads = 1 };

struct stream {
	uint32_t ssrc;
	uint16_t sequence;
	uint64_t at_ns;
};

/* CPU of this process' threads of that name, in milliseconds. */
static double thread_cpu_ms(const char *name)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *e;
	double ticks = 0;

	while (dir && (e = readdir(dir))) {
		char path[300], line[512], comm[64] = "";
		unsigned long user = 0, system = 0;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/task/%s/stat", e->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fgets(line, sizeof(line), f) &&
		    sscanf(line,
			   "%*d (%63[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			   comm, &user, &system) == 3 &&
		    !strcmp(comm, name))
			ticks += (double)(user + system);
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return ticks * 1000 / (double)sysconf(_SC_CLK_TCK);
}

static struct stream *stream_of(struct stream *streams, uint32_t ssrc)
{
	size_t size = 8192, i = ssrc % size;

	while (streams[i].ssrc && streams[i].ssrc != ssrc)
		i = (i + 1) % size;
	return &streams[i];
}

static void take(struct stream *streams, const uint8_t *data, size_t len, uint64_t at_ns)
{
	const uint8_t *payload;
	struct rtp_header h;
	struct stream *s;
	size_t n;

	if (rtp_parse(&h, &payload, &n, data, len) < 0)
		return;
	s = stream_of(streams, h.ssrc);
	if (s->ssrc) {
		bench.lost += (uint16_t)(h.sequence - s->sequence - 1);
		if (bench.gap_count < bench.gap_max)
			bench.gaps_ms[bench.gap_count++] = (float)(at_ns - s->at_ns) / 1e6f;
	}
	*s = (struct stream){ .ssrc = h.ssrc, .sequence = h.sequence, .at_ns = at_ns };
	bench.packets++;
}

static void *receive(void *arg)
{
	static uint8_t data[BATCH][256], control[BATCH][64];
	static struct stream streams[8192];
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	int n;

	(void)arg;
	for (;;) {
		for (int i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){ data[i], sizeof(data[i]) };
			msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i],
							   .msg_iovlen = 1,
							   .msg_control = control[i],
							   .msg_controllen = 64 };
		}
		n = recvmmsg(bench.fd, msgs, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++) {
			struct cmsghdr *c = CMSG_FIRSTHDR(&msgs[i].msg_hdr);
			struct timespec ts = { 0 };

			if (!msgs[i].msg_len)
				return NULL; /* the end: an empty datagram */
			if (c && c->cmsg_type == SCM_TIMESTAMPNS)
				memcpy(&ts, CMSG_DATA(c), sizeof(ts));
			take(streams, data[i], msgs[i].msg_len,
			     (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec);
		}
	}
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static const struct media_events events;

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int16_t *pcm = calloc(8000 * 60, sizeof(*pcm));
	struct loop_timer *timer;
	struct media_stats stats;
	struct prompt *prompt;
	struct media *media;
	pthread_t receiver;
	int on = 1, size = 8 << 20;
	double cpu_ms;

	bench.ports = argc > 1 ? atoi(argv[1]) : bench.ports;
	bench.seconds = argc > 2 ? atoi(argv[2]) : bench.seconds;
	bench.threads = argc > 3 ? atoi(argv[3]) : bench.threads;
	bench.gap_max = (size_t)bench.ports * (size_t)bench.seconds * 60;
	bench.gaps_ms = calloc(bench.gap_max, sizeof(float));
	bench.fd = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(bench.fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	setsockopt(bench.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(bench.fd, (struct sockaddr *)&addr, len) < 0 ||
	    getsockname(bench.fd, (struct sockaddr *)&addr, &len) < 0)
		return 1;
	bench.loop = loop_new();
	media = media_new(bench.loop, "127.0.0.1", (unsigned)bench.threads);
	prompt = prompt_new(pcm, 8000 * 60);
	pthread_create(&receiver, NULL, receive, NULL);
	for (int i = 0; i < bench.ports; i++) {
		struct media_port *port;

		if (media_open(&port, media, 0, &events, NULL) < 0)
			return 1;
		media_play(port, prompt, 1000);
		media_start(port, "127.0.0.1", ntohs(addr.sin_port), 101);
	}
	timer = loop_timer_new(bench.loop, stop_loop, bench.loop);
	loop_timer_start(timer, (uint64_t)bench.seconds * 1000);
	loop_run(bench.loop);
	cpu_ms = thread_cpu_ms("media");
	media_get_stats(media, &stats);
	loop_timer_free(timer);
	media_free(media);
	sendto(bench.fd, "", 0, 0, (struct sockaddr *)&addr, len);
	pthread_join(receiver, NULL);
	loop_free(bench.loop);
	prompt_unref(prompt);
	if (!bench.gap_count)
		return 1;
	qsort(bench.gaps_ms, bench.gap_count, sizeof(float), by_size);
	printf("{\"ports\": %d, \"seconds\": %d, \"threads\": %d, \"packets\": %llu, \"lost\": "
	       "%llu, \"late_ticks\": %llu, "
	       "\"cpu_ms_per_port_second\": %.4f, \"gap_ms\": {\"min\": %.2f, \"p50\": %.2f, "
	       "\"p99\": %.2f, \"p99.9\": %.2f, \"max\": %.2f}}\n",
	       bench.ports, bench.seconds, bench.threads, (unsigned long long)bench.packets,
	       (unsigned long long)bench.lost, (unsigned long long)stats.late_ticks,
	       cpu_ms / bench.ports / bench.seconds, bench.gaps_ms[0],
	       bench.gaps_ms[bench.gap_count / 2], bench.gaps_ms[bench.gap_count * 99 / 100],
	       bench.gaps_ms[bench.gap_count * 999 / 1000], bench.gaps_ms[bench.gap_count - 1]);
	free(bench.gaps_ms);
	free(pcm);
	return 0;
}
