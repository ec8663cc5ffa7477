#define LOG_SUBSYSTEM "http"
#include "io/http_server.h"

#include "base/buf.h"
#include "base/log.h"
#include "io/http_deadlines.h"
#include "io/http_server_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define THROW_AWAY_MAX_BYTES (16 << 20)
#define FORWARDED_MAX_BYTES  512
#define FAST_OPEN_QUEUE	     10

struct http_server {
	struct MHD_Daemon *daemon;
	http_handler_fn *handler;
	void *arg;
	size_t max_body;
	struct http_deadlines *deadlines;
	uint64_t idle_ms, request_ms;
	unsigned threads;
	_Atomic unsigned next_thread;
	bool tls;
	int port;
};

/* One request while its body arrives. */
struct incoming {
	struct buf body;
	bool begun;
	bool too_large;
	size_t thrown_away;
	char *uri;
	const char *path, *query; /* in uri */
	const char *expect;	  /* the connection's */
	bool ambiguous;
};

/* libmicrohttpd's pool has no index of its own: a thread takes the next free one at its first
 * request. */
static _Thread_local unsigned thread_number;

static unsigned thread_index(struct http_server *server)
{
	if (!thread_number)
		thread_number = ++server->next_thread;
	return (thread_number - 1) % server->threads;
}

static struct http_deadline *deadline_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* Until its first request, and between two. */
static uint64_t wait_ms(const struct http_server *server)
{
	return server->idle_ms + server->request_ms;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = arg;
	const union MHD_ConnectionInfo *info;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		http_deadline_remove(*context);
		*context = NULL;
		return;
	}
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	*context = info ? http_deadline_add(server->deadlines, info->connect_fd, wait_ms(server))
			: NULL;
}

/* The path of a URI in absolute form (RFC 9112 §3.2.2). */
static char *path_of(char *uri)
{
	char *slash;

	if (strncasecmp(uri, "http://", 7) && strncasecmp(uri, "https://", 8))
		return uri;
	slash = strchr(strchr(uri, ':') + 3, '/');
	return slash ? slash : uri + strlen(uri);
}

/* The request line's URI as sent: libmicrohttpd would decode the path. */
static void *uri_logger(void *arg, const char *uri, struct MHD_Connection *connection)
{
	struct http_server *server = arg;
	struct incoming *in = calloc(1, sizeof(*in));
	char *path, *query;

	http_deadline_set(deadline_of(connection), server->request_ms);
	if (!in)
		return NULL;
	buf_init(&in->body, server->max_body);
	in->uri = strdup(uri);
	if (!in->uri)
		return in;
	path = path_of(in->uri);
	query = strchr(path, '?');
	if (query)
		*query++ = '\0';
	in->path = *path ? path : "/";
	in->query = query ? query : "";
	return in;
}

static void completed(void *arg, struct MHD_Connection *connection, void **state,
		      enum MHD_RequestTerminationCode why)
{
	struct http_server *server = arg;
	struct incoming *in = *state;

	(void)why;
	http_deadline_set(deadline_of(connection), wait_ms(server));
	if (!in)
		return;
	buf_done(&in->body);
	free(in->uri);
	free(in);
	*state = NULL;
}

static const struct sockaddr *peer_of(struct MHD_Connection *connection)
{
	static const struct sockaddr unknown = { .sa_family = AF_UNSPEC };
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return info && info->client_addr ? info->client_addr : &unknown;
}

struct forwarded {
	char text[FORWARDED_MAX_BYTES];
	size_t len;
	bool any, whole;
};

/* A client may send a line of its own before the proxy's: they are one list (RFC 9110 §5.3). */
static enum MHD_Result add_forwarded(void *arg, enum MHD_ValueKind kind, const char *name,
				     const char *value)
{
	struct forwarded *f = arg;
	int n;

	(void)kind;
	if (strcasecmp(name, "X-Forwarded-For"))
		return MHD_YES;
	n = snprintf(f->text + f->len, sizeof(f->text) - f->len, "%s%s", f->any ? "," : "",
		     value ? value : "");
	f->any = true;
	f->len += (size_t)n;
	/* Half a list ends with somebody else. */
	f->whole = f->len < sizeof(f->text);
	return f->whole ? MHD_YES : MHD_NO;
}

static enum MHD_Result reply(struct MHD_Connection *connection, struct http_out *out)
{
	struct MHD_Response *response;
	enum MHD_Result r;

	response = out->body ? MHD_create_response_from_buffer(out->body_len, out->body,
							       MHD_RESPMEM_MUST_FREE)
			     : MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
	if (!response) {
		free(out->body);
		free(out->link);
		return MHD_NO;
	}
	if (out->content_type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, out->content_type);
	for (int i = 0; i < HTTP_OUT_HEADERS; i++)
		if (out->headers[i].name)
			MHD_add_response_header(response, out->headers[i].name,
						out->headers[i].value);
	if (out->link)
		MHD_add_response_header(response, "Link", out->link);
	free(out->link);
	r = MHD_queue_response(connection, (unsigned)out->status, response);
	MHD_destroy_response(response);
	return r;
}

struct framing {
	unsigned hosts, types, accounts, lengths, encodings;
};

static enum MHD_Result count_framing(void *arg, enum MHD_ValueKind kind, const char *name,
				     const char *value)
{
	struct framing *f = arg;

	(void)kind;
	(void)value;
	f->hosts += !strcasecmp(name, MHD_HTTP_HEADER_HOST);
	f->types += !strcasecmp(name, MHD_HTTP_HEADER_CONTENT_TYPE);
	f->accounts += !strcasecmp(name, MHD_HTTP_HEADER_AUTHORIZATION);
	f->lengths += !strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH);
	f->encodings += !strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING);
	return MHD_YES;
}

/* What two readers could see two requests in (RFC 9112 §3.2, §6.1, §6.3): HTTP/1.0 knows no
 * Transfer-Encoding. */
static bool is_ambiguous(struct MHD_Connection *connection, const char *version)
{
	struct framing f = { 0 };

	MHD_get_connection_values(connection, MHD_HEADER_KIND, count_framing, &f);
	return f.hosts > 1 || f.types > 1 || f.accounts > 1 || f.lengths + f.encodings > 1 ||
	       (f.encodings && !strcmp(version, MHD_HTTP_VERSION_1_0));
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* Asks the handler; MHD_YES without an answer when it gives leave to send the body. */
static enum MHD_Result ask_handler(struct http_server *server, struct MHD_Connection *connection,
				   const char *method, struct incoming *in, bool waiting)
{
	struct http_out out = { .status = waiting ? 0 : 500 };
	struct http_in request;
	struct forwarded forwarded = { .whole = true };

	MHD_get_connection_values(connection, MHD_HEADER_KIND, add_forwarded, &forwarded);
	request = (struct http_in){
		.method = method,
		.path = in->path,
		.query = in->query,
		.content_type = header(connection, MHD_HTTP_HEADER_CONTENT_TYPE),
		.authorization = header(connection, MHD_HTTP_HEADER_AUTHORIZATION),
		.accept = header(connection, MHD_HTTP_HEADER_ACCEPT),
		.idempotency_key = header(connection, "Idempotency-Key"),
		.if_none_match = header(connection, MHD_HTTP_HEADER_IF_NONE_MATCH),
		.method_override = header(connection, "X-HTTP-Method-Override"),
		.expect = in->expect,
		.ambiguous = in->ambiguous,
		.peer = peer_of(connection),
		.forwarded_for = forwarded.any && forwarded.whole ? forwarded.text : NULL,
		.body = in->body.data ? in->body.data : "",
		.body_len = in->body.len,
		.waiting = waiting,
		.too_large = in->too_large,
	};
	/* What the handler takes is not the client's fault. */
	http_deadline_set(deadline_of(connection), 0);
	server->handler(server->arg, thread_index(server), &request, &out);
	if (waiting && !out.status) {
		http_deadline_set(deadline_of(connection), server->request_ms);
		return MHD_YES;
	}
	return reply(connection, &out);
}

/* The headers are there, the body is not: an answer here ends the connection. It is for what can be
 * read in two ways, and for clients that wait for leave to send (RFC 9110 §10.1.1). */
static enum MHD_Result begin(struct http_server *server, struct MHD_Connection *connection,
			     const char *method, const char *version, struct incoming *in)
{
	const char *length = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
	bool waiting = false;

	in->begun = true;
	in->ambiguous = is_ambiguous(connection, version);
	/* HTTP/1.0 has no such header. */
	if (strcmp(version, MHD_HTTP_VERSION_1_0))
		in->expect = header(connection, MHD_HTTP_HEADER_EXPECT);
	if (in->expect && !strcasecmp(in->expect, "100-continue")) {
		in->expect = NULL;
		/* Who has no body to send waits for nothing. */
		waiting = (length && strtoull(length, NULL, 10)) ||
			  header(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING);
		in->too_large = length && strtoull(length, NULL, 10) > server->max_body;
	}
	if (in->expect || in->ambiguous || in->too_large)
		return ask_handler(server, connection, method, in, false);
	return waiting ? ask_handler(server, connection, method, in, true) : MHD_YES;
}

static enum MHD_Result take_piece(struct incoming *in, const char *data, size_t len)
{
	if (!in->too_large && buf_add(&in->body, data, len) < 0) {
		in->too_large = true;
		buf_done(&in->body);
	}
	/* A client hears its answer once it has sent all; one that never ends is cut off. */
	return in->too_large && (in->thrown_away += len) > THROW_AWAY_MAX_BYTES ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *len, void **state)
{
	struct http_server *server = arg;
	struct incoming *in = *state;
	enum MHD_Result r;

	(void)url;
	if (!in || !in->uri)
		return MHD_NO;
	if (!in->begun)
		return begin(server, connection, method, version, in);
	if (!*len)
		return ask_handler(server, connection, method, in, false);
	r = take_piece(in, data, *len);
	*len = 0;
	return r;
}

static void log_line(void *arg, const char *fmt, va_list ap)
{
	char text[256];

	(void)arg;
	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	log_debug("%s", text);
}

/* libmicrohttpd's TLS asks for the certificate at each handshake. */
static int start_tls(struct http_server *server, const struct http_server_options *o,
		     struct MHD_OptionItem *options, char *err, size_t err_size)
{
	int r;

	if (!o->tls_cert || !*o->tls_cert)
		return 0;
	r = http_server_tls_start(o->tls_cert, o->tls_key, err, err_size);
	if (r < 0)
		return r;
	server->tls = true;
	options[0] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_CERT_CALLBACK2, 0,
					      http_server_tls_callback() };
	options[1] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0,
					      (void *)(uintptr_t)HTTP_SERVER_TLS_PRIORITIES };
	return 0;
}

static void server_free(struct http_server *server)
{
	if (!server)
		return;
	http_deadlines_stop(server->deadlines);
	if (server->tls)
		http_server_tls_stop();
	free(server);
}

int http_server_bind(const char *bind_to, int port, char *err, size_t err_size)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	bool v6 = inet_pton(AF_INET6, bind_to, &in6.sin6_addr) == 1;
	struct sockaddr *addr = v6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in;
	const int on = 1, unfinished = FAST_OPEN_QUEUE;
	int fd, r;

	if (!v6 && inet_pton(AF_INET, bind_to, &in.sin_addr) != 1) {
		snprintf(err, err_size, "%s is not a numeric address", bind_to);
		return -EINVAL;
	}
	fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &unfinished, sizeof(unfinished));
		if (v6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	}
	if (fd < 0 || bind(fd, addr, v6 ? sizeof(in6) : sizeof(in)) < 0) {
		r = -errno;
		snprintf(err, err_size, "cannot listen on %s port %d: %s", bind_to, port,
			 strerror(errno));
		if (fd >= 0)
			close(fd);
		return r;
	}
	return fd;
}

static int port_of(int fd)
{
	struct sockaddr_storage own = { 0 };
	socklen_t len = sizeof(own);

	/* Of both families the port is at the same place. */
	return getsockname(fd, (struct sockaddr *)&own, &len) < 0
		       ? 0
		       : ntohs(((struct sockaddr_in *)&own)->sin_port);
}

struct http_server *http_server_start(const struct http_server_options *o, http_handler_fn *handler,
				      void *arg, char *err, size_t err_size)
{
	struct MHD_OptionItem tls_options[3] = { [2] = { MHD_OPTION_END, 0, NULL } };
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG;
	int fd = o->socket ? o->socket : http_server_bind(o->bind, o->port, err, err_size);
	struct http_server *server;

	if (fd < 0)
		return NULL;
	server = calloc(1, sizeof(*server));
	if (!server) {
		snprintf(err, err_size, "out of memory");
		goto fail;
	}
	server->port = port_of(fd);
	server->handler = handler;
	server->arg = arg;
	server->max_body = o->max_body_bytes;
	server->idle_ms = (uint64_t)o->idle_timeout_s * 1000;
	server->request_ms = (uint64_t)o->request_timeout_s * 1000;
	server->threads = o->threads;
	if (start_tls(server, o, tls_options, err, err_size) < 0)
		goto fail;
	server->deadlines = http_deadlines_start();
	if (!server->deadlines) {
		snprintf(err, err_size, "no thread for the deadlines of connections");
		goto fail;
	}
	errno = 0;
	if (listen(fd, SOMAXCONN) == 0)
		server->daemon = MHD_start_daemon(
			flags | (server->tls ? MHD_USE_TLS : 0), 0, NULL, NULL, on_request, server,
			MHD_OPTION_EXTERNAL_LOGGER, log_line, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
			MHD_OPTION_THREAD_POOL_SIZE, o->threads, MHD_OPTION_CONNECTION_LIMIT,
			o->max_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
			o->max_connections_each, MHD_OPTION_CONNECTION_TIMEOUT, o->idle_timeout_s,
			MHD_OPTION_URI_LOG_CALLBACK, uri_logger, server,
			MHD_OPTION_NOTIFY_COMPLETED, completed, server,
			MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
			MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1, MHD_OPTION_ARRAY,
			server->tls ? tls_options : &tls_options[2], MHD_OPTION_END);
	if (!server->daemon) {
		snprintf(err, err_size, "cannot serve %s port %d: %s", o->bind, server->port,
			 errno ? strerror(errno) : "the server did not start");
		goto fail;
	}
	return server;
fail:
	close(fd);
	server_free(server);
	return NULL;
}

int http_server_port(const struct http_server *server)
{
	return server->port;
}

void http_server_stop(struct http_server *server)
{
	if (!server)
		return;
	MHD_stop_daemon(server->daemon);
	server_free(server);
}
