/*
 * A name server on the test's own loop, 127.0.0.2, UDP and TCP. Its zone is lines of
 *
 *	name A|AAAA|CNAME|SRV|NAPTR data
 *	name SERVFAIL|SILENT|GARBAGE|CUT|FORGED|TRUNCATED [type]
 *
 * The second kind says how it misbehaves when asked for the name, or for this type of it: garbage,
 *an answer that is cut off, one with another id and other data before the right one, one that asks
 *for TCP.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/loop.h"

#define FAKE_DNS_IP "127.0.0.2"

enum { FD_A = 1, FD_CNAME = 5, FD_AAAA = 28, FD_SRV = 33, FD_NAPTR = 35 };

struct fake_dns {
	struct loop *loop;
	const char *const *zone; /* to NULL */
	int udp, tcp, connection;
	struct loop_watch *udp_watch, *tcp_watch, *connection_watch;
	char servers[40];
	unsigned asked, asked_addresses, asked_tcp;
};

struct fake_packet {
	unsigned char data[65535];
	size_t len;
};

static inline void fd_u8(struct fake_packet *p, unsigned v)
{
	p->data[p->len++] = (unsigned char)v;
}

static inline void fd_u16(struct fake_packet *p, unsigned v)
{
	fd_u8(p, v >> 8);
	fd_u8(p, v & 0xff);
}

static inline void fd_text(struct fake_packet *p, const char *text)
{
	if (!strcmp(text, "-"))
		text = "";
	fd_u8(p, (unsigned)strlen(text));
	memcpy(p->data + p->len, text, strlen(text));
	p->len += strlen(text);
}

static inline void fd_name(struct fake_packet *p, const char *name)
{
	while (*name && strcmp(name, ".")) {
		size_t n = strcspn(name, ".");

		fd_u8(p, (unsigned)n);
		memcpy(p->data + p->len, name, n);
		p->len += n;
		name += n + (name[n] == '.');
	}
	fd_u8(p, 0);
}

static inline unsigned fd_type(const char *text)
{
	return !strcmp(text, "A")	? FD_A
	       : !strcmp(text, "AAAA")	? FD_AAAA
	       : !strcmp(text, "CNAME") ? FD_CNAME
	       : !strcmp(text, "SRV")	? FD_SRV
	       : !strcmp(text, "NAPTR") ? FD_NAPTR
					: 0;
}

static inline void fd_record(struct fake_packet *p, const char *name, unsigned type,
			     const char *data)
{
	unsigned a, b, c;
	char x[64], y[64], z[256];
	size_t at;

	fd_name(p, name);
	fd_u16(p, type);
	fd_u16(p, 1);
	fd_u16(p, 0);
	fd_u16(p, 60); /* its time to live */
	at = p->len;
	fd_u16(p, 0);
	if (type == FD_A) {
		p->len += inet_pton(AF_INET, data, p->data + p->len) == 1 ? 4 : 0;
	} else if (type == FD_AAAA) {
		p->len += inet_pton(AF_INET6, data, p->data + p->len) == 1 ? 16 : 0;
	} else if (type == FD_CNAME) {
		fd_name(p, data);
	} else if (sscanf(data, "%u %u %u %255s", &a, &b, &c, z) == 4) {
		fd_u16(p, a);
		fd_u16(p, b);
		fd_u16(p, c);
		fd_name(p, z);
	} else if (sscanf(data, "%u %u %63s %63s %255s", &a, &b, x, y, z) == 5) {
		fd_u16(p, a);
		fd_u16(p, b);
		fd_text(p, x);
		fd_text(p, y);
		fd_text(p, strchr(z, '!') ? z : "-");
		fd_name(p, strchr(z, '!') ? "." : z);
	}
	p->data[at] = (unsigned char)((p->len - at - 2) >> 8);
	p->data[at + 1] = (unsigned char)((p->len - at - 2) & 0xff);
}

/* The answers for name and what it is an alias of. *known: some line names it. */
static inline unsigned fd_answers(const struct fake_dns *f, struct fake_packet *p, const char *name,
				  unsigned type, const char **how, int *known)
{
	unsigned n = 0;

	for (const char *const *line = f->zone; *line; line++) {
		char owner[256], kind[16], data[300] = "", only[16] = "";

		sscanf(*line, "%255s %15s %299[^\n]", owner, kind, data);
		if (strcasecmp(owner, name))
			continue;
		*known = 1;
		if (!fd_type(kind)) {
			sscanf(*line, "%*s %*s %15s", only);
			if (!*only || fd_type(only) == type)
				*how = strchr(*line, ' ') + 1;
		} else if (fd_type(kind) == type || fd_type(kind) == FD_CNAME) {
			fd_record(p, owner, fd_type(kind), data);
			n++;
			if (fd_type(kind) == FD_CNAME)
				n += fd_answers(f, p, data, type, how, known);
		}
	}
	return n;
}

static inline int fd_how(const char *how, const char *what)
{
	return how && !strncmp(how, what, strlen(what));
}

/* Makes the answer to a question; *how: in what way it is a bad one. */
static inline void fd_answer(struct fake_dns *f, struct fake_packet *p, const unsigned char *q,
			     size_t len, const char **how)
{
	char name[256] = "";
	size_t at = 12;
	unsigned type, n;
	int known = 0;

	while (at < len && q[at]) {
		snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s%.*s",
			 *name ? "." : "", q[at], (const char *)q + at + 1);
		at += 1u + q[at];
	}
	at += 5;
	type = q[at - 3];
	f->asked++;
	f->asked_addresses += type == FD_A || type == FD_AAAA;
	memcpy(p->data, q, at);
	p->len = at;
	*how = NULL;
	n = fd_answers(f, p, name, type, how, &known);
	p->data[2] = 0x81; /* QR RD */
	p->data[3] = (unsigned char)(0x80 | (fd_how(*how, "SERVFAIL") ? 2 : known ? 0 : 3));
	memset(p->data + 4, 0, 8);
	p->data[5] = 1;
	p->data[6] = (unsigned char)(n >> 8);
	p->data[7] = (unsigned char)n;
}

static inline void fd_on_udp(void *arg, bool readable, bool writable)
{
	struct fake_dns *f = arg;
	static struct fake_packet p;
	unsigned char q[2048];
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	const char *how;
	ssize_t len =
		recvfrom(f->udp, q, sizeof(q), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);

	(void)readable;
	(void)writable;
	if (len < 17)
		return;
	fd_answer(f, &p, q, (size_t)len, &how);
	if (fd_how(how, "SILENT"))
		return;
	if (fd_how(how, "GARBAGE"))
		memset(p.data + 4, 0xff, p.len - 4);
	if (fd_how(how, "CUT"))
		p.len -= 3;
	if (fd_how(how, "TRUNCATED")) {
		p.data[2] |= 2;
		p.data[6] = p.data[7] = 0;
		p.len = (size_t)len < p.len ? (size_t)len : p.len;
	}
	if (fd_how(how, "FORGED")) {
		struct fake_packet forged = p;

		forged.data[0] ^= 0x55;
		forged.data[forged.len - 1] ^= 0x55;
		sendto(f->udp, forged.data, forged.len, 0, (struct sockaddr *)&from, from_len);
	}
	sendto(f->udp, p.data, p.len, 0, (struct sockaddr *)&from, from_len);
}

static inline void fd_on_connection(void *arg, bool readable, bool writable)
{
	struct fake_dns *f = arg;
	static struct fake_packet p;
	unsigned char q[2048], size[2];
	const char *how;
	ssize_t len = recv(f->connection, q, sizeof(q), MSG_DONTWAIT);

	(void)readable;
	(void)writable;
	if (len < 19) {
		loop_watch_set(f->connection_watch, false, false);
		return;
	}
	f->asked_tcp++;
	fd_answer(f, &p, q + 2, (size_t)len - 2, &how);
	size[0] = (unsigned char)(p.len >> 8);
	size[1] = (unsigned char)p.len;
	send(f->connection, size, 2, MSG_MORE | MSG_NOSIGNAL);
	send(f->connection, p.data, p.len, MSG_NOSIGNAL);
}

static inline void fd_on_accept(void *arg, bool readable, bool writable)
{
	struct fake_dns *f = arg;

	(void)readable;
	(void)writable;
	loop_watch_free(f->connection_watch);
	if (f->connection >= 0)
		close(f->connection);
	f->connection = accept(f->tcp, NULL, NULL);
	f->connection_watch = loop_watch_new(f->loop, f->connection, fd_on_connection, f);
	loop_watch_set(f->connection_watch, true, false);
}

static inline int fake_dns_start(struct fake_dns *f, struct loop *loop, const char *const *zone)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);

	inet_pton(AF_INET, FAKE_DNS_IP, &sin.sin_addr);
	*f = (struct fake_dns){ .loop = loop, .zone = zone, .connection = -1 };
	f->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	f->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(f->tcp, (struct sockaddr *)&sin, len) < 0 || listen(f->tcp, 4) < 0 ||
	    getsockname(f->tcp, (struct sockaddr *)&sin, &len) < 0 ||
	    bind(f->udp, (struct sockaddr *)&sin, len) < 0)
		return -1;
	snprintf(f->servers, sizeof(f->servers), FAKE_DNS_IP ":%u", ntohs(sin.sin_port));
	f->udp_watch = loop_watch_new(loop, f->udp, fd_on_udp, f);
	f->tcp_watch = loop_watch_new(loop, f->tcp, fd_on_accept, f);
	loop_watch_set(f->udp_watch, true, false);
	loop_watch_set(f->tcp_watch, true, false);
	return 0;
}

static inline void fake_dns_stop(struct fake_dns *f)
{
	loop_watch_free(f->udp_watch);
	loop_watch_free(f->tcp_watch);
	loop_watch_free(f->connection_watch);
	close(f->udp);
	close(f->tcp);
	if (f->connection >= 0)
		close(f->connection);
}
