/*
 * url - http(s) URLs of webhooks: checking, resolving, and what is sent and signed of them
 * (twiml-and-webhooks.md §1.1 relative URLs, §1.7 connection overrides, §3.3 signing). Pure.
 */
#ifndef HOOKSWITCH_PROTO_URL_H
#define HOOKSWITCH_PROTO_URL_H

#include <stdbool.h>
#include <stddef.h>

struct form;

/* Connection overrides of a fragment "#ct=..&rt=..&tt=..&rc=..&rp=..&sni=..&e=..". */
enum url_retry {
	URL_RETRY_4XX = 1,
	URL_RETRY_5XX = 2,
	URL_RETRY_CT = 4,
	URL_RETRY_RT = 8,
	URL_RETRY_ALL = 15
};
struct url_overrides {
	unsigned connect_ms, read_ms, total_ms; /* 0: not given */
	int retry_count;			/* -1: not given */
	unsigned retry_policy;			/* of enum url_retry, 0: not given */
	bool sni_off;
};

struct url {
	char *request;	/* what goes on the wire: no fragment, no user info */
	char *sign;	/* what is signed: request, for https without the port */
	char *username; /* percent-decoded user info, or NULL */
	char *password;
	struct url_overrides overrides;
};

/* 0; -EINVAL not an absolute http(s) URL; -ENOTSUP a bad override: *error_code says which
 * (11240..11243, 11100). */
int url_parse(struct url *ret, const char *text, int *error_code);
void url_done(struct url *u);

/* Resolves ref against base (RFC 3986 §5); base may be NULL when ref is absolute. Keeps fragments
 * of ref. The caller frees *ret. */
int url_resolve(char **ret, const char *base, const char *ref);

/* request URL + the pairs as a query: '&'-joined behind an existing query, which stays verbatim.
 * The caller frees. */
char *url_with_query(const char *url, const struct form *pairs);

/* True for an absolute http(s) URL whose host has no '_' (REST: 21205 class). */
bool url_valid_webhook(const char *text);

#endif
