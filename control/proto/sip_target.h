/*
 * sip_target - whom a SIP URI of REST's To or of <Sip> means, and what headers it asks for
 * (sip-and-rest.md §3.3). Pure.
 *
 *	[sip:|sips:]user@host[:port][;transport=udp|tcp|tls][;secure=true|dtls][;name=value...][?X-A=v&...]
 *
 * The text is the customer's. What comes back can stand in SIP messages as it is.
 */
#ifndef HOOKSWITCH_PROTO_SIP_TARGET_H
#define HOOKSWITCH_PROTO_SIP_TARGET_H

#include <stdbool.h>

#define SIP_TARGET_URI_MAX     254  /* characters before the '?' */
#define SIP_TARGET_HEADERS_MAX 1023 /* and behind it */

enum sip_transport { SIP_UDP, SIP_TCP, SIP_TLS };

struct sip_target {
	/* Request-URI and To: "sip:user@host[:port][;transport=tcp|tls][;others]". edge, region,
	 * tnx and secure are for the platform, maddr, ttl and method would lead the request
	 * elsewhere or make it another: those are left out, and the headers. */
	char *uri;
	char *user;    /* as sent, percent escapes and all, without a password; "" when none */
	char *host;    /* lower case, without [] */
	unsigned port; /* 0: not said */
	enum sip_transport transport;
	bool transport_said; /* else UDP stands for what the DNS says (RFC 3263) */
	bool secure;	     /* ;secure=true, dtls: SRTP, and TLS whatever transport says */
	bool dtls;	     /* ;secure=dtls: keys by DTLS, where the installation has it */
	char *headers;	     /* whole lines, each ending in CRLF; "" when none */
};

struct sip_target_error {
	/* In: a header that is not allowed is left out, and told with success: code 32113. */
	bool leave_out;
	/* Of the dictionary: 21211 the URI, 21227..21229 and 32113 its headers. With success, what
	 * was left out: 32113, or 32114 for a value of secure. */
	int code;
	char text[200]; /* without control characters and what is not ASCII */
};

/*
 * White space around the text does not count. `sips:` is `sip:` with transport=tls. Without a
 * scheme there has to be a user. '?' begins the headers even where RFC 3261 has it in a user part
 * (write %3F). A header's value is percent-decoded; '+' is a plus. 0; -EINVAL with *error; -ENOMEM.
 * *ret is set on success only.
 */
int sip_target_parse(struct sip_target *ret, const char *text, struct sip_target_error *error);
/* A name is base or one below it; any case. */
bool sip_host_is_below(const char *host, const char *base);
void sip_target_done(struct sip_target *t); /* also of a zeroed one */

#endif
