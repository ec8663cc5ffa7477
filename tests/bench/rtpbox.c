/* rtpbox: RTP and SRTP sender/receiver for load tests of a media server on loopback.
 *
 * One UDP socket plays the far end of many calls: the server under test uses a
 * distinct port per call, so the server's ip:port identifies the stream.
 *
 *   rtpbox -l 127.0.0.2:20000 -c CMDFIFO -o OUT.json [-p ptime_ms] [-b payload_bytes]
 *          [-t payload_type] [-k suite:key]
 *
 * Commands, one a line, on the FIFO (sipp's <log> action writes them):
 *   SEND ID IP PORT [KEY]  start sending to IP:PORT every ptime (and count what comes back)
 *   RECV ID IP PORT        only count what comes from IP:PORT
 *   STOP ID                the call is over: close its stream and add its counters up
 *   MARK                   start of the measuring window (counters of packets sent/received)
 *   UNMARK                 end of the window
 * SIGTERM/SIGINT: write OUT.json and leave.
 *
 * Every sent payload carries a 16-byte stamp (magic + monotonic ns), so a relay that
 * passes the payload through gives one-way delay. Arrival is when the kernel took the packet
 * (SO_TIMESTAMPNS): that this program was late to read it does not count.
 *
 * -k 80:KEY or 32:KEY: what is sent is SRTP of that suite (AES_CM_128_HMAC_SHA1_80 or _32) with
 * this key (RFC 4568, base64), and what comes is decrypted with the command's KEY; what does not
 * authenticate counts as bad.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <srtp2/srtp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MAXS  16384
#define HASH  65536
#define BATCH 128
#define BUFSZ 512
#define MAGIC 0x52545042u

struct stream {
	uint32_t ip;
	uint16_t port;
	int id;
	int used, known, sending;
	uint64_t tx, rx, first_rx, last_rx, max_gap, bad, lost, gaps40, gaps60;
	uint32_t ssrc, ts, rssrc;
	uint16_t seq;
	uint16_t rseq;
	int rseq_set;
	int slot;
	int next;
	srtp_t in, out; /* NULL: plain RTP */
};
static struct stream S[MAXS];
static int H[HASH];
static int freelist[MAXS], nfree;
static int *slots[1000];
static int nslot[1000], cslot[1000];
static int idmap[1 << 22];
static int ptime = 20, plen = 160, ptype;
static int suite; /* the length of the authentication tag in bits, 0: plain RTP */
static char our_key[64];
static volatile sig_atomic_t quit;
static uint64_t win_tx, win_rx, mark_ns, unmark_ns;
static int in_win;
static uint64_t tot_tx, tot_rx, tot_lost, tot_bad, n_streams, stray, drops, tot_g40, tot_g60,
	n_noaudio;
static uint32_t *rxcounts;
static size_t nrx, crx;
static uint32_t *durs;
static uint32_t *mgaps;
#define LATN 20000 /* 10 us buckets to 200 ms */
static uint64_t lat[LATN + 1], nlat;
static uint64_t latmax;
#define GAPN 2000 /* 0.1 ms buckets to 200 ms */
static uint64_t gaph[GAPN + 1], ngap;

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}
/* What CLOCK_REALTIME, in which the kernel stamps packets, is ahead of now(). */
static uint64_t realtime_ahead(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec - now();
}
static void onsig(int s)
{
	(void)s;
	quit = 1;
}
static unsigned hk(uint32_t ip, uint16_t port)
{
	return (ip * 2654435761u ^ (port * 40503u)) & (HASH - 1);
}
static int find(uint32_t ip, uint16_t port)
{
	for (int i = H[hk(ip, port)]; i >= 0; i = S[i].next)
		if (S[i].port == port && S[i].ip == ip)
			return i;
	return -1;
}
static int add(uint32_t ip, uint16_t port)
{
	if (!nfree) {
		fprintf(stderr, "rtpbox: too many streams\n");
		exit(1);
	}
	int i = freelist[--nfree];
	memset(&S[i], 0, sizeof S[i]);
	S[i].ip = ip;
	S[i].port = port;
	S[i].used = 1;
	S[i].slot = -1;
	unsigned h = hk(ip, port);
	S[i].next = H[h];
	H[h] = i;
	return i;
}
static void unslot(int i)
{
	int s = S[i].slot;
	if (s < 0)
		return;
	for (int k = 0; k < nslot[s]; k++)
		if (slots[s][k] == i) {
			slots[s][k] = slots[s][--nslot[s]];
			break;
		}
	S[i].slot = -1;
}
static int base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}
/* A session of the suite with a key of 40 base64 digits (30 bytes: AES key and salt). */
static srtp_t session(const char *key, srtp_ssrc_type_t direction)
{
	unsigned char raw[30];
	for (int i = 0; i < 10; i++) {
		int v = 0;
		for (int k = 0; k < 4; k++) {
			int d = base64_digit(key[4 * i + k]);
			if (d < 0) {
				fprintf(stderr, "rtpbox: not a key: %s\n", key);
				exit(1);
			}
			v = v << 6 | d;
		}
		raw[3 * i] = (unsigned char)(v >> 16);
		raw[3 * i + 1] = (unsigned char)(v >> 8);
		raw[3 * i + 2] = (unsigned char)v;
	}
	srtp_policy_t policy = { .ssrc = { direction, 0 }, .key = raw, .window_size = 128 };
	if (suite == 32)
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
	else
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
	srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
	srtp_t made;
	if (srtp_create(&made, &policy)) {
		fprintf(stderr, "rtpbox: srtp_create\n");
		exit(1);
	}
	return made;
}
static void fin(int i)
{
	struct stream *s = &S[i];
	unslot(i);
	if (s->in)
		srtp_dealloc(s->in);
	if (s->out)
		srtp_dealloc(s->out);
	s->in = s->out = NULL;
	if (s->known) {
		n_streams++;
		tot_tx += s->tx;
		tot_rx += s->rx;
		tot_lost += s->lost;
		tot_bad += s->bad;
		tot_g40 += s->gaps40;
		tot_g60 += s->gaps60;
		if (!s->rx)
			n_noaudio++;
		if (nrx == crx) {
			crx = crx ? crx * 2 : 4096;
			rxcounts = realloc(rxcounts, crx * 4);
			durs = realloc(durs, crx * 4);
			mgaps = realloc(mgaps, crx * 4);
		}
		rxcounts[nrx] = (uint32_t)s->rx;
		durs[nrx] = (uint32_t)((s->last_rx - s->first_rx) / 1000000);
		mgaps[nrx] = (uint32_t)(s->max_gap / 1000);
		nrx++;
	} else
		stray += s->rx;
	unsigned h = hk(s->ip, s->port);
	int *p = &H[h];
	while (*p != i)
		p = &S[*p].next;
	*p = s->next;
	s->used = 0;
	freelist[nfree++] = i;
}
static void cmd(char *l)
{
	char w[8], ip[64], key[64] = "";
	int id, port;
	if (!strncmp(l, "MARK", 4)) {
		in_win = 1;
		mark_ns = now();
		win_tx = win_rx = 0;
		memset(lat, 0, sizeof lat);
		nlat = latmax = 0;
		memset(gaph, 0, sizeof gaph);
		ngap = 0;
		return;
	}
	if (!strncmp(l, "UNMARK", 6)) {
		in_win = 0;
		unmark_ns = now();
		return;
	}
	if (sscanf(l, "%7s %d %63s %d %63s", w, &id, ip, &port, key) >= 4 &&
	    (!strcmp(w, "SEND") || !strcmp(w, "RECV"))) {
		uint32_t a = inet_addr(ip);
		int i = find(a, (uint16_t)port);
		if (i >= 0 && S[i].known) {
			fin(i);
			i = -1;
		}
		if (i >= 0 && now() - S[i].last_rx > 1000000000ull) {
			fin(i);
			i = -1;
		}
		if (i < 0)
			i = add(a, (uint16_t)port);
		S[i].known = 1;
		S[i].id = id;
		if (id >= 0 && id < (1 << 22))
			idmap[id] = i + 1;
		if (suite) {
			S[i].in = session(key, ssrc_any_inbound);
			S[i].out = session(our_key, ssrc_any_outbound);
		}
		if (w[0] == 'S') {
			S[i].sending = 1;
			S[i].ssrc = (uint32_t)random();
			S[i].seq = (uint16_t)random();
			S[i].ts = (uint32_t)random();
			int s = (int)((now() / 1000000) % (uint64_t)ptime);
			S[i].slot = s;
			if (nslot[s] == cslot[s]) {
				cslot[s] = cslot[s] ? cslot[s] * 2 : 64;
				slots[s] = realloc(slots[s], sizeof(int) * (size_t)cslot[s]);
			}
			slots[s][nslot[s]++] = i;
		}
		return;
	}
	if (sscanf(l, "STOP %d", &id) == 1 && id >= 0 && id < (1 << 22) && idmap[id]) {
		int i = idmap[id] - 1;
		idmap[id] = 0;
		if (S[i].used && S[i].id == id)
			fin(i);
	}
}
static int u32cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}
static uint32_t pct(uint32_t *v, size_t n, double p)
{
	if (!n)
		return 0;
	qsort(v, n, 4, u32cmp);
	size_t i = (size_t)(p * (double)(n - 1) + 0.5);
	return v[i];
}
static double hp(uint64_t *h, int n, uint64_t t, double p, double unit)
{
	uint64_t c = 0;
	if (!t)
		return 0;
	for (int i = 0; i <= n; i++) {
		c += h[i];
		if ((double)c >= p * (double)t)
			return (i + 1) * unit;
	}
	return n * unit;
}

int main(int argc, char **argv)
{
	const char *la = "127.0.0.2:20000", *cf = NULL, *of = "/dev/stdout";
	int o;
	while ((o = getopt(argc, argv, "l:c:o:p:b:t:k:")) != -1)
		switch (o) {
		case 'l':
			la = optarg;
			break;
		case 'c':
			cf = optarg;
			break;
		case 'o':
			of = optarg;
			break;
		case 'p':
			ptime = atoi(optarg);
			break;
		case 'b':
			plen = atoi(optarg);
			break;
		case 't':
			ptype = atoi(optarg);
			break;
		case 'k':
			if (sscanf(optarg, "%d:%63s", &suite, our_key) != 2 ||
			    (suite != 32 && suite != 80) || strlen(our_key) != 40)
				return 2;
			break;
		default:
			return 2;
		}
	if (!cf || ptime < 1 || ptime > 999 || plen < 16 || plen > 400 || (suite && srtp_init()))
		return 2;
	for (int i = 0; i < HASH; i++)
		H[i] = -1;
	for (int i = MAXS - 1; i >= 0; i--)
		freelist[nfree++] = i;
	char ip[64];
	int port;
	if (sscanf(la, "%63[^:]:%d", ip, &port) != 2)
		return 2;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	me.sin_addr.s_addr = inet_addr(ip);
	int big = 32 << 20;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof big))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof big))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &big, sizeof big);
	int one = 1;
	setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
	const uint64_t ahead = realtime_ahead();
	if (bind(fd, (void *)&me, sizeof me)) {
		perror("bind");
		return 1;
	}
	int cfd = open(cf, O_RDWR | O_NONBLOCK);
	if (cfd < 0) {
		perror(cf);
		return 1;
	}
	fcntl(cfd, F_SETPIPE_SZ, 1 << 20);
	int tfd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec it = { { 0, 1000000 }, { 0, 1000000 } };
	timerfd_settime(tfd, 0, &it, NULL);
	signal(SIGTERM, onsig);
	signal(SIGINT, onsig);
	static uint8_t rb[BATCH][BUFSZ], cb[BATCH][64];
	static struct sockaddr_in ra[BATCH];
	static struct iovec ri[BATCH];
	static struct mmsghdr rm[BATCH];
	static uint8_t tb[BATCH][BUFSZ];
	static struct sockaddr_in ta[BATCH];
	static struct iovec ti[BATCH];
	static struct mmsghdr tm[BATCH];
	for (int i = 0; i < BATCH; i++)
		memset(tb[i], 0xff, BUFSZ);
	uint64_t ms = now() / 1000000;
	char line[65536];
	size_t ll = 0;
	uint32_t ovfl = 0;
	while (!quit) {
		struct pollfd p[3] = { { fd, POLLIN, 0 }, { tfd, POLLIN, 0 }, { cfd, POLLIN, 0 } };
		if (poll(p, 3, 1000) < 0 && errno != EINTR)
			break;
		if (p[2].revents & POLLIN) {
			ssize_t n = read(cfd, line + ll, sizeof line - ll - 1);
			if (n > 0) {
				ll += (size_t)n;
				line[ll] = 0;
				char *s = line, *e;
				while ((e = strchr(s, '\n'))) {
					*e = 0;
					cmd(s);
					s = e + 1;
				}
				ll = (size_t)(line + ll - s);
				memmove(line, s, ll);
				if (ll >= sizeof line - 1)
					ll = 0;
			}
		}
		if (p[1].revents & POLLIN) {
			uint64_t x;
			if (read(tfd, &x, 8) < 0) {
			}
			uint64_t m = now() / 1000000;
			if (m - ms > 200)
				ms = m - 200;
			while (ms < m) {
				ms++;
				int s = (int)(ms % (uint64_t)ptime);
				int k = 0;
				while (k < nslot[s]) {
					int n = 0;
					uint64_t t = now();
					for (; n < BATCH && k < nslot[s]; n++, k++) {
						struct stream *q = &S[slots[s][k]];
						uint8_t *b = tb[n];
						uint16_t sq = htons(q->seq);
						uint32_t ts = htonl(q->ts), ss = htonl(q->ssrc),
							 mg = MAGIC;
						b[0] = 0x80;
						b[1] = (uint8_t)(ptype | (q->tx ? 0 : 0x80));
						memcpy(b + 2, &sq, 2);
						memcpy(b + 4, &ts, 4);
						memcpy(b + 8, &ss, 4);
						memcpy(b + 12, &mg, 4);
						memcpy(b + 16, &t, 8);
						int length = 12 + plen;
						if (q->out) {
							/* The last packet's ciphertext is in the
							 * buffer. */
							memset(b + 24, 0xff, (size_t)(plen - 12));
							if (srtp_protect(q->out, b, &length))
								q->bad++;
						}
						q->seq++;
						q->ts += (uint32_t)(8 * ptime);
						q->tx++;
						if (in_win)
							win_tx++;
						ta[n].sin_family = AF_INET;
						ta[n].sin_port = htons(q->port);
						ta[n].sin_addr.s_addr = q->ip;
						ti[n].iov_base = b;
						ti[n].iov_len = (size_t)length;
						memset(&tm[n], 0, sizeof tm[n]);
						tm[n].msg_hdr.msg_name = &ta[n];
						tm[n].msg_hdr.msg_namelen = sizeof ta[n];
						tm[n].msg_hdr.msg_iov = &ti[n];
						tm[n].msg_hdr.msg_iovlen = 1;
					}
					int d = 0;
					while (d < n) {
						int r = sendmmsg(fd, tm + d, (unsigned)(n - d), 0);
						if (r <= 0) {
							if (r < 0 && errno == ECONNREFUSED)
								continue;
							d++;
						} else
							d += r;
					}
				}
			}
		}
		if (p[0].revents & (POLLIN | POLLERR))
			for (int rounds = 0; rounds < 16; rounds++) {
				for (int i = 0; i < BATCH; i++) {
					ri[i].iov_base = rb[i];
					ri[i].iov_len = BUFSZ;
					memset(&rm[i], 0, sizeof rm[i]);
					rm[i].msg_hdr.msg_name = &ra[i];
					rm[i].msg_hdr.msg_namelen = sizeof ra[i];
					rm[i].msg_hdr.msg_iov = &ri[i];
					rm[i].msg_hdr.msg_iovlen = 1;
					rm[i].msg_hdr.msg_control = cb[i];
					rm[i].msg_hdr.msg_controllen = 64;
				}
				int n = recvmmsg(fd, rm, BATCH, MSG_DONTWAIT, NULL);
				if (n <= 0)
					break;
				for (int i = 0; i < n; i++) {
					uint64_t t = now();
					struct timespec stamp;
					for (struct cmsghdr *c = CMSG_FIRSTHDR(&rm[i].msg_hdr); c;
					     c = CMSG_NXTHDR(&rm[i].msg_hdr, c)) {
						if (c->cmsg_level != SOL_SOCKET)
							continue;
						if (c->cmsg_type == SO_RXQ_OVFL)
							memcpy(&ovfl, CMSG_DATA(c), 4);
						if (c->cmsg_type == SCM_TIMESTAMPNS) {
							memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
							t = (uint64_t)stamp.tv_sec * 1000000000ull +
							    (uint64_t)stamp.tv_nsec - ahead;
						}
					}
					unsigned len = rm[i].msg_len;
					uint8_t *b = rb[i];
					if (len < 12)
						continue;
					if ((b[1] & 0x7f) >= 72 && (b[1] & 0x7f) <= 76)
						continue; /* RTCP on the RTP port */
					int j = find(ra[i].sin_addr.s_addr, ntohs(ra[i].sin_port));
					if (j < 0)
						j = add(ra[i].sin_addr.s_addr,
							ntohs(ra[i].sin_port));
					struct stream *q = &S[j];
					int length = (int)len;
					if (q->in && srtp_unprotect(q->in, b, &length)) {
						q->bad++;
						continue;
					}
					len = (unsigned)length;
					if ((b[0] & 0xc0) != 0x80 || (b[1] & 0x7f) != ptype ||
					    len < (unsigned)(12 + plen)) {
						q->bad++;
						if ((b[0] & 0xc0) != 0x80)
							continue;
					}
					uint16_t sq = (uint16_t)(b[2] << 8 | b[3]);
					/* Another source begins with a sequence number of its own.
					 */
					uint32_t from;
					memcpy(&from, b + 8, 4);
					if (q->rseq_set && q->rssrc == from) {
						uint16_t d = (uint16_t)(sq - q->rseq);
						if (d > 1 && d < 1000)
							q->lost += (uint64_t)(d - 1);
					}
					q->rssrc = from;
					q->rseq = sq;
					q->rseq_set = 1;
					if (q->rx) {
						uint64_t g = t - q->last_rx;
						if (g > q->max_gap)
							q->max_gap = g;
						if (g > 40000000ull)
							q->gaps40++;
						if (g > 60000000ull)
							q->gaps60++;
						uint64_t gb = g / 100000;
						gaph[gb > GAPN ? GAPN : gb]++;
						ngap++;
					} else
						q->first_rx = t;
					q->last_rx = t;
					q->rx++;
					if (in_win)
						win_rx++;
					uint32_t mg;
					memcpy(&mg, b + 12, 4);
					if (len >= 24 && mg == MAGIC) {
						uint64_t st;
						memcpy(&st, b + 16, 8);
						uint64_t d = t - st;
						if (d > latmax)
							latmax = d;
						uint64_t k = d / 10000;
						lat[k > LATN ? LATN : k]++;
						nlat++;
					}
				}
				if (n < BATCH)
					break;
			}
	}
	drops = ovfl;
	uint64_t active = 0;
	for (int i = 0; i < MAXS; i++)
		if (S[i].used) {
			if (S[i].known)
				active++;
			fin(i);
		}
	if (!unmark_ns)
		unmark_ns = now();
	FILE *f = fopen(of, "w");
	if (!f)
		return 1;
	double ws = mark_ns ? (double)(unmark_ns - mark_ns) / 1e9 : 0;
	size_t full = 0;
	uint32_t mn = nrx ? ~0u : 0;
	for (size_t i = 0; i < nrx; i++) {
		if (rxcounts[i] < mn)
			mn = rxcounts[i];
	}
	for (size_t i = 0; i < nrx; i++)
		if (rxcounts[i] >= 249)
			full++;
	fprintf(f,
		"{\"streams\":%lu,\"still_open\":%lu,\"tx\":%lu,\"rx\":%lu,\"seq_lost\":%lu,"
		"\"bad\":%lu,\"stray\":%lu,\"rxq_drops\":%lu,\"no_audio\":%lu,\"gaps_over_40ms\":%"
		"lu,\"gaps_over_60ms\":%lu,",
		n_streams, active, tot_tx, tot_rx, tot_lost, tot_bad, stray, drops, n_noaudio,
		tot_g40, tot_g60);
	fprintf(f,
		"\"rx_min\":%u,\"rx_p1\":%u,\"rx_p50\":%u,\"rx_p99\":%u,\"streams_249plus\":%zu,"
		"\"dur_ms_p50\":%u,\"dur_ms_p99\":%u,\"maxgap_us_p50\":%u,\"maxgap_us_p99\":%u,",
		mn, pct(rxcounts, nrx, .01), pct(rxcounts, nrx, .5), pct(rxcounts, nrx, .99), full,
		pct(durs, nrx, .5), pct(durs, nrx, .99), pct(mgaps, nrx, .5), pct(mgaps, nrx, .99));
	fprintf(f,
		"\"gap_ms_p50\":%.1f,\"gap_ms_p99\":%.1f,\"gap_ms_p999\":%.1f,\"win_s\":%.3f,\"win_"
		"tx\":%lu,\"win_rx\":%lu,\"delay_n\":%lu,\"delay_ms_p50\":%.2f,\"delay_ms_p99\":%."
		"2f,\"delay_ms_p999\":%.2f,\"delay_ms_max\":%.2f}\n",
		hp(gaph, GAPN, ngap, .5, .1), hp(gaph, GAPN, ngap, .99, .1),
		hp(gaph, GAPN, ngap, .999, .1), ws, win_tx, win_rx, nlat,
		hp(lat, LATN, nlat, .5, .01), hp(lat, LATN, nlat, .99, .01),
		hp(lat, LATN, nlat, .999, .01), (double)latmax / 1e6);
	fclose(f);
	return 0;
}
