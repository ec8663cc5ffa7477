/*
 * hooks - what the resource table cannot say: rules of several fields, computed values, live calls.
 * Each answers the request itself when it returns less than 0 (struct resource).
 */
#ifndef HOOKSWITCH_API_HOOKS_H
#define HOOKSWITCH_API_HOOKS_H

#include <stdbool.h>

struct api_request;

/* domains.c: q->values[0] is DomainName */
int domain_before_create(struct api_request *q);
int domain_before_update(struct api_request *q);
int domain_before_delete(struct api_request *q);

#define DOMAIN_NAME_SIZE 254
/*
 * A name below base: lower-cased to ret; *parent is the name that it is a subdomain of (in ret), or
 * NULL. Returns NULL, or what the name must be.
 */
const char *domain_name_check(char ret[DOMAIN_NAME_SIZE], const char **parent, const char *name, const char *base);
/* The name is an account's SID, right below base: that account's alone. */
bool domain_name_reserved(const char *name, const char *base, const char *account_sid);

/* credentials.c: q->values are Username, Password, then the computed realm and HA1s */
int credential_before_create(struct api_request *q);
int credential_before_update(struct api_request *q);

/* live_calls.c */
int call_update(struct api_request *q);
int call_before_delete(struct api_request *q);

#endif
