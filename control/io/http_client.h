/*
 * http_client - single HTTP exchanges on the loop (libcurl multi). http_client.c is the only file
 * that sees curl.h.
 *
 * One exchange = one request and its reply: redirects are reported, not followed, and nothing is
 * retried; who calls decides (call/webhook.c). Loop thread only.
 */
#ifndef HOOKSWITCH_IO_HTTP_CLIENT_H
#define HOOKSWITCH_IO_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct http_client;
struct http_jar;   /* the cookies of one call; see http_jar_new */
struct http_fetch; /* a running exchange */

struct http_request {
	const char *method;	    /* "GET" or "POST" */
	const char *url;	    /* absolute http(s), no fragment, no user info */
	const char *const *headers; /* "Name: value" lines, NULL-terminated; may be NULL */
	const char *body;	    /* POST body, body_len bytes; copied */
	size_t body_len;
	const char *username; /* sent only after a 401 asked for Basic or Digest; may be NULL */
	const char *password;
	struct http_jar *jar;			/* may be NULL */
	unsigned connect_ms, read_ms, total_ms; /* read: first byte and between packets */
	size_t max_bytes;			/* body beyond it: HTTP_TOO_LARGE */
	bool sni_off;
};

enum http_error {
	HTTP_OK = 0,
	HTTP_BAD_URL,
	HTTP_BAD_HOST, /* the name does not resolve */
	HTTP_CONNECT_TIMEOUT,
	HTTP_CONNECT_REFUSED, /* refused, unreachable, reset while connecting */
	HTTP_ADDRESS_REFUSED, /* by policy; nothing was sent */
	HTTP_READ_TIMEOUT,
	HTTP_TOTAL_TIMEOUT,
	HTTP_TLS_HANDSHAKE,
	HTTP_TLS_NAME,
	HTTP_TLS_EXPIRED,
	HTTP_TLS_CHAIN,
	HTTP_PROTOCOL, /* not HTTP, cut off, or an unusable encoding */
	HTTP_TOO_LARGE,
	HTTP_INTERNAL,
};

/* Parts of an exchange in microseconds; 0: that part did not happen, or did not end. A connection
 * that is used again has no dns, connect and tls. */
struct http_times {
	unsigned dns_us, connect_us, tls_us;
	unsigned first_byte_us; /* from the request to the first byte of its reply */
	unsigned total_us;
};

struct http_reply {
	enum http_error error;
	char error_text[256];				  /* for people; empty on HTTP_OK */
	int status;					  /* 100..599; 0 when none came */
	const char *content_type;			  /* as sent, or NULL */
	const char *location;				  /* or NULL */
	const char *etag, *last_modified, *cache_control; /* or NULL */
	bool chunked;
	const char *headers; /* the raw header block, for Notifications */
	const char *body;    /* body_len bytes, NUL behind; "" when none */
	size_t body_len;
	unsigned time_connect_ms, time_first_byte_ms, time_total_ms;
	struct http_times times;
};

/* Runs once, on the loop, never before http_fetch returned and never after http_fetch_cancel. reply
 * is gone after it. */
typedef void http_done_fn(void *arg, const struct http_reply *reply);

struct http_client_options {
	bool verify_tls;     /* check chain and name */
	const char *ca_file; /* PEM, trusted beside the system's; "" or NULL: none */
	/* networks_parse's: where exchanges go though addr_is_private says so of it. Elsewhere:
	 * HTTP_ADDRESS_REFUSED, by the address that is connected to, whatever name led there. */
	const char *allowed_networks;
	/* "ip:port" addresses of our own control sockets, NULL-terminated, or NULL: never connected
	 * to, allowed or not (they would leak or obey). */
	const char *const *refuse;
};

/* Proxies of the environment are not used: they would connect where we may not. */
struct http_client *http_client_new(struct loop *loop, const struct http_client_options *options);
void http_client_free(
	struct http_client *client); /* cancels what runs; not from a done; NULL is fine */

struct http_jar *
http_jar_new(void); /* one owner; may go in or after the done of its last exchange */
void http_jar_free(struct http_jar *jar);

/* 0 and *ret, or -ENOMEM. A bad URL is reported through done. */
int http_fetch(struct http_fetch **ret, struct http_client *client,
	       const struct http_request *request, http_done_fn *done, void *arg);
void http_fetch_cancel(struct http_fetch *fetch); /* done will not run; NULL is fine */

#endif
