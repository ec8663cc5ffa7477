#include "io/dns.h"

#include "base/log.h"
#include "io/loop.h"

#include <ares.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A silent server is asked twice: given up after 3 s when it is the only one. */
#define TRY_MS	   1000
#define TRY_MAX_MS 2000
#define TRIES	   2
#define CACHE_S	   10 /* bounds what callers' choice of names makes us keep */
#define PORT_QUESTIONS                                                                             \
	64 /* then another source port: ports are half of what a forger must guess                 \
	    */

struct watched {
	struct watched *next;
	struct dns *dns;
	int fd;
	struct loop_watch *watch;
};

struct dns {
	struct loop *loop;
	ares_channel_t *channel;
	struct watched *watched;
	struct loop_timer *timer; /* c-ares' own deadlines */
	/* Answered, not yet told. c-ares answers from within any of its functions; what is told
	 * from a timer may ask, cancel and free as it likes. */
	struct dns_question *ready, **ready_tail;
	struct loop_timer *tell;
};

struct dns_question {
	struct dns *dns;
	enum dns_kind kind;
	dns_fn *fn; /* NULL: cancelled, c-ares still has it */
	void *arg;
	bool answered; /* it is in the list of ready ones */
	int r;
	struct dns_answer *answer;
	struct dns_question *next;
};

/* -- c-ares on the loop */

static void rearm(struct dns *dns)
{
	struct timeval tv, *next = ares_timeout(dns->channel, NULL, &tv);

	if (next)
		loop_timer_start(dns->timer, (uint64_t)next->tv_sec * 1000 +
						     (uint64_t)next->tv_usec / 1000 + 1);
	else
		loop_timer_stop(dns->timer);
}

static void on_deadline(void *arg)
{
	struct dns *dns = arg;

	ares_process_fds(dns->channel, NULL, 0, ARES_PROCESS_FLAG_NONE);
	rearm(dns);
}

static void on_ready(void *arg, bool readable, bool writable)
{
	const struct watched *w = arg;
	struct dns *dns = w->dns;
	const ares_fd_events_t event = {
		.fd = w->fd,
		.events = (readable ? ARES_FD_EVENT_READ : 0u) |
			  (writable ? ARES_FD_EVENT_WRITE : 0u),
	};

	ares_process_fds(dns->channel, &event, 1, ARES_PROCESS_FLAG_NONE);
	rearm(dns);
}

static void watch_free(struct watched **at)
{
	struct watched *w = *at;

	*at = w->next;
	loop_watch_free(w->watch);
	free(w);
}

/* Neither wanted: c-ares is about to close it. */
static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct dns *dns = arg;
	struct watched **at = &dns->watched, *w;

	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	if (!readable && !writable) {
		if (*at)
			watch_free(at);
		return;
	}
	if (!*at) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return; /* its questions run into their time limits */
		*w = (struct watched){ .dns = dns, .fd = fd };
		w->watch = loop_watch_new(dns->loop, fd, on_ready, w);
		if (!w->watch) {
			free(w);
			return;
		}
		*at = w;
	}
	loop_watch_set((*at)->watch, readable, writable);
}

/* -- answers */

static void question_free(struct dns_question *question)
{
	free(question->answer);
	free(question);
}

static void on_tell(void *arg)
{
	struct dns *dns = arg;
	struct dns_question *question;

	while ((question = dns->ready)) {
		struct dns_question own = *question;

		dns->ready = question->next;
		if (!dns->ready)
			dns->ready_tail = &dns->ready;
		free(question);
		own.fn(own.arg, own.r, own.answer);
	}
}

static int error_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ENODATA:
	case ARES_ENOTFOUND:
	case ARES_ENONAME:
	case ARES_EBADNAME:
		return -ENOENT;
	case ARES_ENOMEM:
		return -ENOMEM;
	case ARES_ETIMEOUT:
		return -ETIMEDOUT;
	default:
		return -EIO;
	}
}

/* True when it still wants an answer, for which there is room then. */
static bool take(struct dns_question *question, int status)
{
	struct dns *dns = question->dns;

	if (!question->fn) {
		question_free(question);
		return false;
	}
	/* Shutting down with a question open is ours to have prevented. */
	BUG_ON(status == ARES_EDESTRUCTION);
	question->r = error_of(status);
	if (question->r == 0) {
		question->answer = calloc(1, sizeof(*question->answer));
		question->r = question->answer ? 0 : -ENOMEM;
	}
	question->answered = true;
	*dns->ready_tail = question;
	dns->ready_tail = &question->next;
	loop_timer_start(dns->tell, 0);
	return question->r == 0;
}

static void close_answer(struct dns_question *question)
{
	if (question->answer->n)
		return;
	free(question->answer);
	question->answer = NULL;
	question->r = -ENOENT;
}

static void on_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *list)
{
	struct dns_question *question = arg;
	struct dns_answer *a;

	(void)timeouts;
	if (take(question, status)) {
		a = question->answer;
		for (const struct ares_addrinfo_node *node = list->nodes;
		     node && a->n < DNS_RECORDS_MAX; node = node->ai_next) {
			if (node->ai_family != AF_INET && node->ai_family != AF_INET6)
				continue;
			memcpy(&a->addresses[a->n++], node->ai_addr, node->ai_addrlen);
		}
		close_answer(question);
	}
	ares_freeaddrinfo(list);
}

/* "": not there, or longer than what we could use. */
static void copy_text(char *ret, size_t size, const ares_dns_rr_t *rr, ares_dns_rr_key_t key)
{
	const char *text = ares_dns_rr_get_str(rr, key);

	if (!text || strlen(text) >= size || !strcmp(text, "."))
		text = "";
	snprintf(ret, size, "%s", text);
}

static void add_srv(struct dns_answer *a, const ares_dns_rr_t *rr)
{
	struct dns_srv *srv = &a->srv[a->n++];

	srv->priority = ares_dns_rr_get_u16(rr, ARES_RR_SRV_PRIORITY);
	srv->weight = ares_dns_rr_get_u16(rr, ARES_RR_SRV_WEIGHT);
	srv->port = ares_dns_rr_get_u16(rr, ARES_RR_SRV_PORT);
	copy_text(srv->target, sizeof(srv->target), rr, ARES_RR_SRV_TARGET);
}

static void add_naptr(struct dns_answer *a, const ares_dns_rr_t *rr)
{
	struct dns_naptr *naptr = &a->naptr[a->n++];
	const char *regexp = ares_dns_rr_get_str(rr, ARES_RR_NAPTR_REGEXP);

	naptr->order = ares_dns_rr_get_u16(rr, ARES_RR_NAPTR_ORDER);
	naptr->preference = ares_dns_rr_get_u16(rr, ARES_RR_NAPTR_PREFERENCE);
	copy_text(naptr->flags, sizeof(naptr->flags), rr, ARES_RR_NAPTR_FLAGS);
	copy_text(naptr->services, sizeof(naptr->services), rr, ARES_RR_NAPTR_SERVICES);
	copy_text(naptr->replacement, sizeof(naptr->replacement), rr, ARES_RR_NAPTR_REPLACEMENT);
	naptr->regexp = regexp && *regexp;
}

static void on_records(void *arg, ares_status_t status, size_t timeouts,
		       const ares_dns_record_t *message)
{
	struct dns_question *question = arg;
	struct dns_answer *a;
	size_t n;

	(void)timeouts;
	if (!take(question, (int)status))
		return;
	a = question->answer;
	n = ares_dns_record_rr_cnt(message, ARES_SECTION_ANSWER);
	for (size_t i = 0; i < n && a->n < DNS_RECORDS_MAX; i++) {
		const ares_dns_rr_t *rr =
			ares_dns_record_rr_get_const(message, ARES_SECTION_ANSWER, i);
		ares_dns_rec_type_t type = ares_dns_rr_get_type(rr);

		if (question->kind == DNS_SRV && type == ARES_REC_TYPE_SRV)
			add_srv(a, rr);
		else if (question->kind == DNS_NAPTR && type == ARES_REC_TYPE_NAPTR)
			add_naptr(a, rr);
	}
	close_answer(question);
}

/* -- questions */

int dns_ask(struct dns_question **ret, struct dns *dns, enum dns_kind kind, const char *name,
	    dns_fn *fn, void *arg)
{
	static const ares_dns_rec_type_t types[] = {
		[DNS_SRV] = ARES_REC_TYPE_SRV, [DNS_NAPTR] = ARES_REC_TYPE_NAPTR
	};
	/* One kind of socket: else every address comes three times. */
	const struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC,
						   .ai_socktype = SOCK_DGRAM };
	struct dns_question *question = calloc(1, sizeof(*question));

	if (!question)
		return -ENOMEM;
	question->dns = dns;
	question->kind = kind;
	question->fn = fn;
	question->arg = arg;
	*ret = question;
	if (kind == DNS_ADDRESSES)
		ares_getaddrinfo(dns->channel, name, NULL, &hints, on_addresses, question);
	else
		ares_query_dnsrec(dns->channel, name, ARES_CLASS_IN, types[kind], on_records,
				  question, NULL);
	rearm(dns);
	return 0;
}

void dns_cancel(struct dns_question *question)
{
	struct dns *dns;
	struct dns_question **at;

	if (!question)
		return;
	question->fn = NULL;
	if (!question->answered)
		return;
	dns = question->dns;
	for (at = &dns->ready; *at != question;)
		at = &(*at)->next;
	*at = question->next;
	if (dns->ready_tail == &question->next)
		dns->ready_tail = at;
	question_free(question);
}

bool dns_in_hosts(struct dns *dns, const char *name)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct hostent *host;

	for (int i = 0; i < 2; i++)
		if (ares_gethostbyname_file(dns->channel, name, families[i], &host) ==
		    ARES_SUCCESS) {
			ares_free_hostent(host);
			return true;
		}
	return false;
}

/* -- birth and end */

struct dns *dns_new(struct loop *loop, const char *servers, const char *hosts)
{
	struct dns *dns = calloc(1, sizeof(*dns));
	struct ares_options options = { .timeout = TRY_MS,
					.tries = TRIES,
					.maxtimeout = TRY_MAX_MS,
					.qcache_max_ttl = CACHE_S,
					.udp_max_queries = PORT_QUESTIONS,
					.hosts_path = (char *)hosts, /* copied */
					.sock_state_cb = on_socket,
					.sock_state_cb_data = dns };
	const int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_MAXTIMEOUTMS |
			 ARES_OPT_QUERY_CACHE | ARES_OPT_UDP_MAX_QUERIES | ARES_OPT_SOCK_STATE_CB |
			 (hosts ? ARES_OPT_HOSTS_FILE : 0);

	if (!dns)
		return NULL;
	dns->loop = loop;
	dns->ready_tail = &dns->ready;
	dns->timer = loop_timer_new(loop, on_deadline, dns);
	dns->tell = loop_timer_new(loop, on_tell, dns);
	if (!dns->timer || !dns->tell ||
	    ares_init_options(&dns->channel, &options, mask) != ARES_SUCCESS ||
	    (*servers && ares_set_servers_csv(dns->channel, servers) != ARES_SUCCESS)) {
		dns_free(dns);
		return NULL;
	}
	return dns;
}

void dns_free(struct dns *dns)
{
	if (!dns)
		return;
	BUG_ON(dns->ready);
	if (dns->channel)
		ares_destroy(dns->channel);
	while (dns->watched)
		watch_free(&dns->watched);
	loop_timer_free(dns->timer);
	loop_timer_free(dns->tell);
	free(dns);
}
