/*
 * sip_target - whom a call of ours goes to: what `To=sip:...` of REST and the text of <Sip> say
 * (sip-and-rest.md §3.3). Pure.
 */
#ifndef HOOKSWITCH_PROTO_SIP_TARGET_H
#define HOOKSWITCH_PROTO_SIP_TARGET_H

#include <stdbool.h>

enum sip_transport { SIP_UDP, SIP_TCP, SIP_TLS };

struct sip_target {
	char *uri;  /* for Request-URI and To: without what is said to us alone (edge, region, tnx,
		       secure) and without headers */
	char *user; /* as sent; "" when none */
	char *host; /* lower case, without [] */
	unsigned port; /* 0: not said */
	enum sip_transport transport;
	bool secure;   /* ;secure=true */
	char *headers; /* what stands behind '?': whole lines ending in CRLF; "" when none */
};

struct sip_target_error {
	int code; /* of the dictionary */
	char text[200];
};

/*
 * [sip:|sips:][user@]host[:port][;params][?header=value&...]. Headers are X-* but not X-Twilio-*,
 * User-to-User, Remote-Party-ID, P-Preferred-Identity and P-Called-Party-ID, their values
 * percent-encoded. 0; -EINVAL with *error; -ENOMEM.
 */
int sip_target_parse(struct sip_target *ret, const char *text, struct sip_target_error *error);
void sip_target_done(struct sip_target *t); /* one of zeroes is fine */

#endif
