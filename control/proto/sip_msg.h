/*
 * sip_msg - a received SIP message, parsed once (its addresses: sip_addr.h). Pure.
 *
 * Header and body bytes are the peer's: never trusted, never printed unescaped, and not always
 * UTF-8 (URIs, tags and methods are printable ASCII).
 */
#ifndef HOOKSWITCH_PROTO_SIP_MSG_H
#define HOOKSWITCH_PROTO_SIP_MSG_H

#include <stdbool.h>
#include <stddef.h>

struct sip_header {
	char *name, *value;
};

struct sip_msg {
	bool request;
	char *method; /* of a request, and the CSeq method of a response */
	char *ruri;   /* Request-URI as sent; NULL for a response */
	int status;   /* of a response */
	char *reason;
	char *call_id;
	char *from, *to;	 /* header values as sent */
	char *from_uri, *to_uri; /* addr-spec: no <>, no header parameters */
	char *from_tag, *to_tag; /* NULL when absent */
	char *from_user, *to_user, *ruri_user,
		*ruri_host; /* percent escapes as sent; NULL when absent */
	unsigned cseq;
	char *contact_uri; /* first Contact's addr-spec, or NULL */
	char *via_branch;  /* top Via's branch, or NULL */
	int max_forwards;  /* -1 absent */
	struct sip_header
		*headers; /* all, in order, names as sent, n_headers; folded lines joined */
	size_t n_headers;
	char *content_type; /* or NULL */
	char *body;	    /* body_len bytes and a NUL */
	size_t body_len;
};

/*
 * -EINVAL: not a SIP message with the headers that RFC 3261 §8.1.1 requires (but Max-Forwards,
 * which RFC 2543 had not), one of them twice, a From, To or Request-URI that is no URI, a
 * Content-Length beyond the bytes; or beyond 128 kB, 256 headers or 8 kB a header. -ENOMEM.
 */
int sip_msg_parse(struct sip_msg **ret, const char *raw, size_t len);
void sip_msg_free(struct sip_msg *m); /* NULL is fine */

const char *sip_msg_header(const struct sip_msg *m,
			   const char *name); /* first, long or compact form, any case; or NULL */
/* True when a comma-separated header (Supported, Require, Allow) lists token, any case, in any of
 * its lines. */
bool sip_msg_lists(const struct sip_msg *m, const char *name, const char *token);
/*
 * The route set of RFC 3261 §12.1: Record-Route values, reversed for a UAC; "" when none. malloced.
 * NULL: out of memory, or more than 128 routes.
 */
char *sip_msg_route_set(const struct sip_msg *m, bool reverse);

/* True when value can stand in a header line: no CR, LF, NUL. */
bool sip_header_value_ok(const char *value);

#endif
