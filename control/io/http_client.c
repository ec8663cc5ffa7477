#define LOG_SUBSYSTEM "http"
#include "io/http_client.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/network.h"
#include "io/addr.h"
#include "io/loop.h"
#include "io/socket.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <utlist.h>

#define HEADERS_MAX_BYTES (64 << 10)
#define REFUSE_MAX	  8
#define IDLE_MAX	  256 /* easy handles kept for reuse */

struct http_client {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer *timer; /* curl's own */
	bool verify_tls;
	char *ca_file;
	struct networks allowed;
	struct sockaddr_storage refuse[REFUSE_MAX];
	int n_refuse;
	struct http_fetch *running;
	CURL *idle[IDLE_MAX];
	int n_idle;
};

struct http_jar {
	CURLSH *share;
};

struct http_fetch {
	struct http_client *client;
	struct http_fetch *prev, *next;
	CURL *easy;
	struct curl_slist *headers;
	char *post;
	struct loop_timer *stall; /* read_ms: from the request on, restarted by every byte */
	unsigned read_ms;
	uint64_t started_ns; /* curl's own total is 0 until it has ended the exchange itself */
	bool sent;	     /* a connection stands, the request goes out */
	bool stalled, refused, too_large, chunked, header_overflow;
	bool head_ended; /* curl takes a header that is cut off for a whole one */
	struct buf head, body;
	char *content_type, *location, *etag, *last_modified, *cache_control;
	char error[CURL_ERROR_SIZE];
	http_done_fn *done;
	void *arg;
};

/* One socket of curl's, while curl wants to hear of it. */
struct watched {
	struct http_client *client;
	curl_socket_t fd;
	struct loop_watch *watch;
};

static void collect(struct http_client *client);

/* -- addresses */

/*
 * One of our own control sockets? They listen on loopback addresses; 0.0.0.0 and other 127/8
 * addresses lead there too, so any local-looking address with such a port is refused.
 */
static bool is_own(const struct http_client *client, const struct sockaddr *sa)
{
	for (int i = 0; i < client->n_refuse; i++) {
		const struct sockaddr *own = (const struct sockaddr *)&client->refuse[i];
		uint32_t a, b;

		if (addr_port(own) != addr_port(sa))
			continue;
		if (addr_v4(&a, own) && addr_v4(&b, sa) && (a == b || b == 0 || b >> 24 == 127))
			return true;
		if (sa->sa_family == AF_INET6) {
			const struct in6_addr *v6 = &((const struct sockaddr_in6 *)sa)->sin6_addr;

			if (IN6_IS_ADDR_LOOPBACK(v6) || IN6_IS_ADDR_UNSPECIFIED(v6))
				return true;
		}
	}
	return false;
}

static bool allowed(const struct http_fetch *f, const struct sockaddr *sa)
{
	return !is_own(f->client, sa) &&
	       (!addr_is_private(sa) || networks_have(&f->client->allowed, sa));
}

static void progress(struct http_fetch *f)
{
	if (f->read_ms)
		loop_timer_start(f->stall, f->read_ms);
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_fetch *f = arg;

	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKET_BAD;
	if (!allowed(f, &address->addr)) {
		f->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Before each request: a connection that is used again was opened under another exchange's rules.
 */
static int before_request(void *arg, char *peer_ip, char *own_ip, int peer_port, int own_port)
{
	struct http_fetch *f = arg;
	struct sockaddr_storage peer;
	socklen_t len;
	char text[INET6_ADDRSTRLEN + 16];

	(void)own_ip;
	(void)own_port;
	snprintf(text, sizeof(text), strchr(peer_ip, ':') ? "[%s]:%d" : "%s:%d", peer_ip,
		 peer_port);
	if (socket_parse_addr(&peer, &len, text) < 0 || !allowed(f, (struct sockaddr *)&peer)) {
		f->refused = true;
		return CURL_PREREQFUNC_ABORT;
	}
	f->sent = true;
	progress(f);
	return CURL_PREREQFUNC_OK;
}

/* -- curl's sockets and timer on the loop */

static void on_socket(void *arg, bool readable, bool writable)
{
	struct watched *w = arg;
	struct http_client *client = w->client;
	int running;

	/* w may be gone after this call. */
	curl_multi_socket_action(
		client->multi, w->fd,
		(readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0), &running);
	collect(client);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *state)
{
	struct http_client *client = arg;
	struct watched *w = state;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w) {
			loop_watch_free(w->watch);
			free(w);
			curl_multi_assign(client->multi, fd, NULL);
		}
		return 0;
	}
	if (!w) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return -1;
		w->client = client;
		w->fd = fd;
		w->watch = loop_watch_new(client->loop, fd, on_socket, w);
		if (!w->watch) {
			free(w);
			return -1;
		}
		curl_multi_assign(client->multi, fd, w);
	}
	loop_watch_set(w->watch, what & CURL_POLL_IN, what & CURL_POLL_OUT);
	return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct http_client *client = arg;

	(void)multi;
	if (timeout_ms < 0)
		loop_timer_stop(client->timer);
	else
		loop_timer_start(client->timer, (uint64_t)timeout_ms);
	return 0;
}

static void on_timer(void *arg)
{
	struct http_client *client = arg;
	int running;

	curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(client);
}

/* -- an exchange */

/* Gives the handle back: its connection and its jar are free for others from then on. */
static void easy_release(struct http_fetch *f)
{
	struct http_client *client = f->client;

	if (!f->easy)
		return;
	curl_multi_remove_handle(client->multi, f->easy);
	/* A reset keeps shares and cookies: the next exchange must not see this one's jar. */
	curl_easy_setopt(f->easy, CURLOPT_SHARE, NULL);
	if (client->n_idle < IDLE_MAX) {
		curl_easy_reset(f->easy);
		client->idle[client->n_idle++] = f->easy;
	} else {
		curl_easy_cleanup(f->easy);
	}
	f->easy = NULL;
}

static void fetch_free(struct http_fetch *f)
{
	struct http_client *client = f->client;

	DL_DELETE(client->running, f);
	easy_release(f);
	curl_slist_free_all(f->headers);
	loop_timer_free(f->stall);
	buf_done(&f->head);
	buf_done(&f->body);
	free(f->post);
	free(f->content_type);
	free(f->location);
	free(f->etag);
	free(f->last_modified);
	free(f->cache_control);
	free(f);
}

/* Why a certificate was not accepted. curl looks at the name before it asks OpenSSL for a result of
 * its own. */
static enum http_error certificate_error(const struct http_fetch *f)
{
	long verify = X509_V_OK;

	curl_easy_getinfo(f->easy, CURLINFO_SSL_VERIFYRESULT, &verify);
	switch (verify) {
	case X509_V_OK:
	case X509_V_ERR_UNSPECIFIED:
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return HTTP_TLS_NAME;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return HTTP_TLS_EXPIRED;
	default:
		return HTTP_TLS_CHAIN;
	}
}

static enum http_error error_of(const struct http_fetch *f, CURLcode code)
{
	long os_error = 0;

	/* Of several addresses of a name one may be refused and another have served. */
	if (f->refused && !f->sent)
		return HTTP_ADDRESS_REFUSED;
	if (f->too_large)
		return HTTP_TOO_LARGE;
	if (f->stalled)
		return HTTP_READ_TIMEOUT;
	switch (code) {
	case CURLE_OK:
		return f->header_overflow || !f->head_ended ? HTTP_PROTOCOL : HTTP_OK;
	case CURLE_URL_MALFORMAT:
		return HTTP_BAD_URL;
	case CURLE_UNSUPPORTED_PROTOCOL:
		/* After the request: what came is no HTTP (curl's HTTP/0.9). */
		return f->sent ? HTTP_PROTOCOL : HTTP_BAD_URL;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return HTTP_BAD_HOST;
	case CURLE_OPERATION_TIMEDOUT:
		return f->sent ? HTTP_TOTAL_TIMEOUT : HTTP_CONNECT_TIMEOUT;
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(f->easy, CURLINFO_OS_ERRNO, &os_error);
		return os_error == ETIMEDOUT ? HTTP_CONNECT_TIMEOUT : HTTP_CONNECT_REFUSED;
	case CURLE_PEER_FAILED_VERIFICATION:
		return certificate_error(f);
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_USE_SSL_FAILED:
		return HTTP_TLS_HANDSHAKE;
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return HTTP_TLS_CHAIN;
	case CURLE_FILESIZE_EXCEEDED:
		return HTTP_TOO_LARGE;
	case CURLE_OUT_OF_MEMORY:
	case CURLE_FAILED_INIT:
		return HTTP_INTERNAL;
	default:
		return f->head.error == -ENOMEM || f->body.error == -ENOMEM ? HTTP_INTERNAL
									    : HTTP_PROTOCOL;
	}
}

static unsigned info_us(CURL *easy, CURLINFO what)
{
	curl_off_t us = 0;

	curl_easy_getinfo(easy, what, &us);
	return (unsigned)us;
}

static unsigned info_ms(CURL *easy, CURLINFO what)
{
	return info_us(easy, what) / 1000;
}

static unsigned part_us(unsigned from_us, unsigned to_us)
{
	return to_us > from_us ? to_us - from_us : 0;
}

/* curl's times all count from the start of the exchange. */
static void take_times(const struct http_fetch *f, struct http_times *ret)
{
	unsigned dns = info_us(f->easy, CURLINFO_NAMELOOKUP_TIME_T),
		 connect = info_us(f->easy, CURLINFO_CONNECT_TIME_T),
		 tls = info_us(f->easy, CURLINFO_APPCONNECT_TIME_T);
	long connections = 0;

	curl_easy_getinfo(f->easy, CURLINFO_NUM_CONNECTS, &connections);
	if (connections > 0) {
		ret->dns_us = dns;
		ret->connect_us = part_us(dns, connect);
		ret->tls_us = part_us(connect, tls);
	}
	ret->first_byte_us = part_us(info_us(f->easy, CURLINFO_PRETRANSFER_TIME_T),
				     info_us(f->easy, CURLINFO_STARTTRANSFER_TIME_T));
	ret->total_us = (unsigned)((clock_mono_ns() - f->started_ns) / 1000);
}

static void complete(struct http_fetch *f, CURLcode code)
{
	struct http_reply reply = { .error = error_of(f, code) };
	http_done_fn *done = f->done;
	void *arg = f->arg;
	long status = 0;

	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	reply.status = (int)status;
	if (reply.error)
		snprintf(reply.error_text, sizeof(reply.error_text), "%s",
			 f->refused && !f->sent ? "its address is not of the public Internet, "
						  "and WEBHOOK_ALLOWED_NETWORKS does not allow it"
			 : f->too_large		? "the body is larger than allowed"
			 : f->stalled		? "no data within the read timeout"
			 : f->header_overflow	? "the header is larger than allowed"
			 : code == CURLE_OK	? "the header was cut off"
			 : f->error[0]		? f->error
						: curl_easy_strerror(code));
	reply.content_type = f->content_type;
	reply.location = f->location;
	reply.etag = f->etag;
	reply.last_modified = f->last_modified;
	reply.cache_control = f->cache_control;
	reply.chunked = f->chunked;
	reply.headers = f->head.data ? f->head.data : "";
	reply.body = f->body.data ? f->body.data : "";
	reply.body_len = f->body.len;
	reply.time_connect_ms = info_ms(f->easy, CURLINFO_CONNECT_TIME_T);
	reply.time_first_byte_ms = info_ms(f->easy, CURLINFO_STARTTRANSFER_TIME_T);
	take_times(f, &reply.times);
	reply.time_total_ms = reply.times.total_us / 1000;
	loop_timer_stop(f->stall);
	easy_release(f); /* done may free the jar */
	f->done = NULL;	 /* a cancel from within done must not free f twice */
	done(arg, &reply);
	fetch_free(f);
}

/* Completes what has finished. A completion may start and cancel others, so the list is read anew
 * each time. */
static void collect(struct http_client *client)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(client->multi, &left))) {
		struct http_fetch *f = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &f);
		complete(f, msg->data.result);
	}
}

static void on_stall(void *arg)
{
	struct http_fetch *f = arg;

	f->stalled = true;
	complete(f, CURLE_OPERATION_TIMEDOUT);
}

static void keep(char **field, const char *value, size_t len)
{
	free(*field);
	*field = strndup(value, len);
}

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	struct http_fetch *f = arg;
	size_t len = size * n, name;
	const struct {
		const char *name;
		char **field;
	} wanted[] = {
		{ "content-type", &f->content_type },
		{ "location", &f->location },
		{ "etag", &f->etag },
		{ "last-modified", &f->last_modified },
		{ "cache-control", &f->cache_control },
	};
	const char *colon, *value, *end = line + len;

	progress(f);
	if (len > 5 && !memcmp(line, "HTTP/", 5)) {
		/* A new reply: after a 100 or a 401 that was answered. */
		buf_reset(&f->head);
		f->chunked = f->head_ended = false;
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
			free(*wanted[i].field);
			*wanted[i].field = NULL;
		}
	}
	if (buf_add(&f->head, line, len) < 0) {
		f->header_overflow = f->head.error == -ENOSPC;
		return 0;
	}
	/* Trailers may follow. */
	if (*line == '\r' || *line == '\n')
		f->head_ended = true;
	colon = memchr(line, ':', len);
	if (!colon)
		return len;
	name = (size_t)(colon - line);
	for (value = colon + 1; value < end && (*value == ' ' || *value == '\t'); value++)
		;
	while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
		end--;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (strlen(wanted[i].name) == name && !strncasecmp(line, wanted[i].name, name))
			keep(wanted[i].field, value, (size_t)(end - value));
	/* The last coding of the list (RFC 9112 §6.1). */
	if (name == 17 && !strncasecmp(line, "transfer-encoding", name) && end - value >= 7 &&
	    !strncasecmp(end - 7, "chunked", 7))
		f->chunked = true;
	return len;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http_fetch *f = arg;

	progress(f);
	if (buf_add(&f->body, data, size * n) < 0) {
		f->too_large = f->body.error == -ENOSPC;
		return 0;
	}
	return size * n;
}

static CURL *easy_new(struct http_client *client)
{
	return client->n_idle ? client->idle[--client->n_idle] : curl_easy_init();
}

static int add_headers(struct http_fetch *f, const char *const *headers)
{
	struct curl_slist *list;

	/* curl waits for a 100-continue before bodies over 1 MB otherwise; webhooks never want it.
	 */
	list = curl_slist_append(NULL, "Expect:");
	for (; list && headers && *headers; headers++) {
		struct curl_slist *longer = curl_slist_append(list, *headers);

		if (!longer) {
			curl_slist_free_all(list);
			list = NULL;
			break;
		}
		list = longer;
	}
	f->headers = list;
	return list ? 0 : -ENOMEM;
}

/* curl has no option for it. Runs before the ClientHello is made. */
static void forget_name(const SSL *ssl, int where, int value)
{
	(void)value;
	if (where & SSL_CB_HANDSHAKE_START)
		SSL_set_tlsext_host_name((SSL *)(uintptr_t)ssl, NULL);
}

static CURLcode without_sni(CURL *easy, void *context, void *arg)
{
	(void)easy;
	(void)arg;
	SSL_CTX_set_info_callback(context, forget_name);
	return CURLE_OK;
}

static void set_options(struct http_fetch *f, const struct http_request *q)
{
	CURL *e = f->easy;

	curl_easy_setopt(e, CURLOPT_PRIVATE, f);
	curl_easy_setopt(e, CURLOPT_URL, q->url);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, f->headers);
	curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, f->error);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, f);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, f);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, before_request);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, f);
	if (q->sni_off) {
		/* Neither from nor for exchanges that name their server. */
		curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, without_sni);
		curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
		curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	}
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)q->connect_ms);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)q->total_ms);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, f->client->verify_tls ? 1L : 0L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, f->client->verify_tls ? 2L : 0L);
	if (f->client->ca_file)
		curl_easy_setopt(e, CURLOPT_CAINFO, f->client->ca_file);
	if (q->username) {
		curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST));
		curl_easy_setopt(e, CURLOPT_USERNAME, q->username);
		curl_easy_setopt(e, CURLOPT_PASSWORD, q->password ? q->password : "");
	}
	if (q->jar) {
		curl_easy_setopt(e, CURLOPT_COOKIEFILE, "");
		curl_easy_setopt(e, CURLOPT_SHARE, q->jar->share);
	}
	if (!strcmp(q->method, "POST")) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, f->post);
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_len);
	}
}

int http_fetch(struct http_fetch **ret, struct http_client *client, const struct http_request *q,
	       http_done_fn *done, void *arg)
{
	struct http_fetch *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->client = client;
	f->done = done;
	f->arg = arg;
	f->read_ms = q->read_ms;
	f->started_ns = clock_mono_ns();
	buf_init(&f->head, HEADERS_MAX_BYTES);
	buf_init(&f->body, q->max_bytes);
	DL_APPEND(client->running, f);
	f->easy = easy_new(client);
	f->stall = loop_timer_new(client->loop, on_stall, f);
	f->post = malloc(q->body_len + 1);
	if (!f->easy || !f->stall || !f->post || add_headers(f, q->headers) < 0)
		goto fail;
	if (q->body_len)
		memcpy(f->post, q->body, q->body_len);
	set_options(f, q);
	if (curl_multi_add_handle(client->multi, f->easy) != CURLM_OK)
		goto fail;
	*ret = f;
	return 0;
fail:
	fetch_free(f);
	return -ENOMEM;
}

void http_fetch_cancel(struct http_fetch *f)
{
	if (f && f->done)
		fetch_free(f);
}

/* -- cookies */

struct http_jar *http_jar_new(void)
{
	struct http_jar *jar = calloc(1, sizeof(*jar));

	if (!jar)
		return NULL;
	jar->share = curl_share_init();
	if (!jar->share) {
		free(jar);
		return NULL;
	}
	curl_share_setopt(jar->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
	return jar;
}

void http_jar_free(struct http_jar *jar)
{
	if (!jar)
		return;
	curl_share_cleanup(jar->share);
	free(jar);
}

/* -- the client */

struct http_client *http_client_new(struct loop *loop, const struct http_client_options *o)
{
	const char *const *refuse = o->refuse;
	struct http_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	client->loop = loop;
	client->verify_tls = o->verify_tls;
	if (o->allowed_networks && networks_parse(&client->allowed, o->allowed_networks) < 0)
		goto fail;
	if (o->ca_file && *o->ca_file) {
		client->ca_file = strdup(o->ca_file);
		if (!client->ca_file)
			goto fail;
	}
	for (; refuse && *refuse && client->n_refuse < REFUSE_MAX; refuse++) {
		socklen_t len;

		if (socket_parse_addr(&client->refuse[client->n_refuse], &len, *refuse) == 0)
			client->n_refuse++;
	}
	client->timer = loop_timer_new(loop, on_timer, client);
	client->multi = curl_multi_init();
	if (!client->timer || !client->multi)
		goto fail;
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, 512L);
	return client;
fail:
	http_client_free(client);
	return NULL;
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	while (client->running)
		fetch_free(client->running);
	while (client->n_idle)
		curl_easy_cleanup(client->idle[--client->n_idle]);
	if (client->multi)
		curl_multi_cleanup(client->multi);
	loop_timer_free(client->timer);
	free(client->ca_file);
	free(client);
}
