/*
 * http_server - the REST listener: libmicrohttpd's thread pool, one handler, whole request bodies.
 * http_server.c is the only file that sees microhttpd.h.
 *
 * The handler runs on a pool thread, may block, and must be thread safe.
 */
#ifndef HOOKSWITCH_IO_HTTP_SERVER_H
#define HOOKSWITCH_IO_HTTP_SERVER_H

#include <stddef.h>
#include <sys/socket.h>

struct http_server;

struct http_in {
	const char *method;
	const char *path;	     /* decoded by nobody: as sent, without origin and query */
	const char *query;	     /* raw, without '?'; "" when none */
	const char *content_type;    /* or NULL */
	const char *authorization;   /* or NULL */
	const char *accept;	     /* or NULL */
	const char *idempotency_key; /* or NULL */
	const char *if_none_match;   /* or NULL */
	const char *method_override; /* X-HTTP-Method-Override, or NULL */
	const char *expect; /* one that is not 100-continue, or NULL: its body was not read */
	/* Two of Host, Content-Type or Authorization, or two ways to say where the body ends: it
	 * was not read. */
	int ambiguous;
	const struct sockaddr *peer; /* AF_UNSPEC when it is not known */
	const char *forwarded_for;   /* all X-Forwarded-For lines, with commas; or NULL */
	const char *body;	     /* body_len bytes, NUL behind */
	size_t body_len;
	/* The client waits for leave to send its body, which was not read. An answer without status
	 * gives leave, and the handler is asked again, with the body. */
	int waiting;
	int too_large; /* the body passed max_body_bytes and was thrown away, or not asked for */
};

#define HTTP_OUT_HEADERS 12

struct http_out {
	int status;
	const char *content_type; /* static string, or NULL without a body */
	struct {
		const char *name;
		char value[160];
	} headers[HTTP_OUT_HEADERS]; /* name NULL = unused */
	char *link; /* the value of Link, as long as it is; malloced, freed by the server; or NULL
		     */
	char *body; /* malloced; freed by the server */
	size_t body_len;
};

/* thread_index: 0..threads-1, stable for a pool thread's life, so that a handler can keep one
 * connection a thread. */
typedef void http_handler_fn(void *arg, unsigned thread_index, const struct http_in *in,
			     struct http_out *out);

struct http_server_options {
	const char *bind; /* numeric address */
	int port;	  /* 0: any free one, see http_server_port */
	int socket;	  /* of http_server_bind, taken over; 0: bind and port say where */
	unsigned threads;
	unsigned max_connections;
	unsigned max_connections_each; /* of one address, the next are closed; 0: as many as all */
	unsigned idle_timeout_s;
	/* From its first line to its last byte: one that takes longer is cut off, and so is a
	 * connection that has no first line idle_timeout_s later. */
	unsigned request_timeout_s;
	size_t max_body_bytes;
	/* PEM files (http_server_tls.h), both or neither; NULL or "": plain HTTP. One server of a
	 * process may have them. */
	const char *tls_cert, *tls_key;
};

/* A bound socket, which several processes may listen at. -errno with one sentence in err (address
 * in use, bad address ...). */
int http_server_bind(const char *bind, int port, char *err, size_t err_size);

/* NULL with one sentence in err. */
struct http_server *http_server_start(const struct http_server_options *options,
				      http_handler_fn *handler, void *arg, char *err,
				      size_t err_size);
int http_server_port(const struct http_server *server); /* the one that it listens on */
void http_server_stop(struct http_server *server); /* waits for running handlers; NULL is fine */

#endif
