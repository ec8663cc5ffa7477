/*
 * dns - questions to the name service, by c-ares on the loop. dns.c is the only file that sees
 * ares.h. Loop thread only.
 */
#ifndef HOOKSWITCH_IO_DNS_H
#define HOOKSWITCH_IO_DNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define DNS_RECORDS_MAX 32 /* of an answer; further ones are left out */
#define DNS_NAME_SIZE	256

struct loop;
struct dns;
struct dns_question;

enum dns_kind { DNS_ADDRESSES, DNS_SRV, DNS_NAPTR };

struct dns_srv { /* RFC 2782 */
	uint16_t priority, weight, port;
	char target[DNS_NAME_SIZE]; /* "": the service is decidedly not there */
};

struct dns_naptr { /* RFC 3403 §4.1 */
	uint16_t order, preference;
	char flags[8], services[32], replacement[DNS_NAME_SIZE]; /* "": longer, or none */
	bool regexp;						 /* there is one */
};

struct dns_answer {
	unsigned n; /* 1 at least */
	union {
		struct sockaddr_storage addresses[DNS_RECORDS_MAX]; /* port 0 */
		struct dns_srv srv[DNS_RECORDS_MAX];
		struct dns_naptr naptr[DNS_RECORDS_MAX];
	};
};

/*
 * servers: "ip[:port],...", or "" for those of /etc/resolv.conf, which is read now and never again.
 * hosts: the path of a hosts file, or NULL for the system's; what changes in it counts. Answers are
 * kept for their time to live, 10 s at most. NULL: out of memory, or bad servers.
 */
struct dns *dns_new(struct loop *loop, const char *servers, const char *hosts);
void dns_free(struct dns *dns); /* NULL is fine; no question waits any more */

/*
 * The answer is the callee's, who frees it with free(). NULL: r says why. -ENOENT no such name, or
 * none with such records; -ETIMEDOUT; -ENOMEM; -EIO the name service failed. The question is gone
 * when this is called.
 */
typedef void dns_fn(void *arg, int r, struct dns_answer *answer);

/*
 * Asks of name, to whose addresses the hosts file counts too; aliases (CNAME) are followed. A
 * server that is silent is given up after some seconds, but set a limit of your own. Exactly one
 * fn, never before this has returned, never after a cancel. -ENOMEM.
 */
int dns_ask(struct dns_question **ret, struct dns *dns, enum dns_kind kind, const char *name,
	    dns_fn *fn, void *arg);
void dns_cancel(struct dns_question *question); /* NULL is fine */

/* Whether the hosts file names it: then it is no name of the DNS. */
bool dns_in_hosts(struct dns *dns, const char *name);

#endif
