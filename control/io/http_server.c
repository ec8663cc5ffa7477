#define LOG_SUBSYSTEM "http"
#include "io/http_server.h"

#include "base/buf.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THROW_AWAY_MAX_BYTES (16 << 20)

struct http_server {
	struct MHD_Daemon *daemon;
	http_handler_fn *handler;
	void *arg;
	size_t max_body;
	unsigned threads;
	_Atomic unsigned next_thread;
};

/* One request while its body arrives. */
struct incoming {
	struct buf body;
	bool begun;
	bool too_large;
	size_t thrown_away;
	char *raw_uri;
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

/* The request line's URI as sent: libmicrohttpd would decode the path. */
static void *uri_logger(void *arg, const char *uri, struct MHD_Connection *connection)
{
	struct http_server *server = arg;
	struct incoming *in = calloc(1, sizeof(*in));

	(void)connection;
	if (!in)
		return NULL;
	buf_init(&in->body, server->max_body);
	in->raw_uri = strdup(uri);
	return in;
}

static void completed(void *arg, struct MHD_Connection *connection, void **state,
		      enum MHD_RequestTerminationCode why)
{
	struct incoming *in = *state;

	(void)arg;
	(void)connection;
	(void)why;
	if (!in)
		return;
	buf_done(&in->body);
	free(in->raw_uri);
	free(in);
	*state = NULL;
}

static void peer_name(char *ret, size_t size, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	char ip[INET6_ADDRSTRLEN] = "?";
	unsigned port = 0;

	if (info && info->client_addr->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)info->client_addr;

		inet_ntop(AF_INET, &in->sin_addr, ip, sizeof(ip));
		port = ntohs(in->sin_port);
	} else if (info && info->client_addr->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)info->client_addr;

		inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof(ip));
		port = ntohs(in6->sin6_port);
	}
	snprintf(ret, size, "%s:%u", ip, port);
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
		return MHD_NO;
	}
	if (out->content_type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, out->content_type);
	for (int i = 0; i < HTTP_OUT_HEADERS; i++)
		if (out->headers[i].name)
			MHD_add_response_header(response, out->headers[i].name,
						out->headers[i].value);
	r = MHD_queue_response(connection, (unsigned)out->status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *len, void **state)
{
	struct http_server *server = arg;
	struct incoming *in = *state;
	struct http_out out = { .status = 500 };
	struct http_in request;
	char peer[INET6_ADDRSTRLEN + 8];
	char *query;

	(void)url;
	(void)version;
	if (!in || !in->raw_uri)
		return MHD_NO;
	/* The first call comes before any body: a reply here would be early. */
	if (!in->begun) {
		in->begun = true;
		return MHD_YES;
	}
	if (*len) {
		if (!in->too_large && buf_add(&in->body, data, *len) < 0) {
			in->too_large = true;
			buf_done(&in->body);
		}
		/* A client hears its answer once it has sent all; one that never ends is cut off.
		 */
		if (in->too_large && (in->thrown_away += *len) > THROW_AWAY_MAX_BYTES)
			return MHD_NO;
		*len = 0;
		return MHD_YES;
	}
	query = strchr(in->raw_uri, '?');
	if (query)
		*query++ = '\0';
	peer_name(peer, sizeof(peer), connection);
	request = (struct http_in){
		.method = method,
		.path = in->raw_uri,
		.query = query ? query : "",
		.content_type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
							    MHD_HTTP_HEADER_CONTENT_TYPE),
		.authorization = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
							     MHD_HTTP_HEADER_AUTHORIZATION),
		.accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
						      MHD_HTTP_HEADER_ACCEPT),
		.idempotency_key =
			MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Idempotency-Key"),
		.peer = peer,
		.body = in->body.data ? in->body.data : "",
		.body_len = in->body.len,
		.too_large = in->too_large,
	};
	server->handler(server->arg, thread_index(server), &request, &out);
	return reply(connection, &out);
}

static void log_line(void *arg, const char *fmt, va_list ap)
{
	char text[256];

	(void)arg;
	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	log_debug("%s", text);
}

struct http_server *http_server_start(const struct http_server_options *o, http_handler_fn *handler,
				      void *arg, char *err, size_t err_size)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)o->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons((uint16_t)o->port) };
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG | MHD_USE_TCP_FASTOPEN;
	const void *addr = &in;
	struct http_server *server;

	if (inet_pton(AF_INET6, o->bind, &in6.sin6_addr) == 1) {
		flags |= MHD_USE_IPv6;
		addr = &in6;
	} else if (inet_pton(AF_INET, o->bind, &in.sin_addr) != 1) {
		snprintf(err, err_size, "%s is not a numeric address", o->bind);
		return NULL;
	}
	server = calloc(1, sizeof(*server));
	if (!server) {
		snprintf(err, err_size, "out of memory");
		return NULL;
	}
	server->handler = handler;
	server->arg = arg;
	server->max_body = o->max_body_bytes;
	server->threads = o->threads;
	errno = 0;
	server->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, log_line,
		NULL, MHD_OPTION_SOCK_ADDR, addr, MHD_OPTION_THREAD_POOL_SIZE, o->threads,
		MHD_OPTION_CONNECTION_LIMIT, o->max_connections, MHD_OPTION_CONNECTION_TIMEOUT,
		o->idle_timeout_s, MHD_OPTION_URI_LOG_CALLBACK, uri_logger, server,
		MHD_OPTION_NOTIFY_COMPLETED, completed, server, MHD_OPTION_END);
	if (!server->daemon) {
		snprintf(err, err_size, "cannot listen on %s port %d: %s", o->bind, o->port,
			 errno ? strerror(errno) : "the server did not start");
		free(server);
		return NULL;
	}
	return server;
}

int http_server_port(const struct http_server *server)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);

	return info ? info->port : 0;
}

void http_server_stop(struct http_server *server)
{
	if (!server)
		return;
	MHD_stop_daemon(server->daemon);
	free(server);
}
