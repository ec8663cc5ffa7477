/*
 * hooks - what the resource table cannot say: rules of several fields, computed values, live calls. Each answers the request itself when it
 * returns less than 0.
 */
#ifndef HOOKSWITCH_API_HOOKS_H
#define HOOKSWITCH_API_HOOKS_H

struct api_request;
struct resource;

/* domains.c: q->values[0] is DomainName */
int domain_before_write(struct api_request *q);
int domain_before_delete(struct api_request *q);

/* credentials.c: q->values Username, Password, then the computed realm, HA1 MD5, HA1 SHA-256 */
int credential_before_create(struct api_request *q);
int credential_before_update(struct api_request *q);

/* live_calls.c */
int call_update(struct api_request *q, const struct resource *r);

#endif
