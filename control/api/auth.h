/*
 * auth - who asks: HTTP Basic with an account's SID and token, compared in constant time; own
 * account or one that it owns.
 */
#ifndef HOOKSWITCH_API_AUTH_H
#define HOOKSWITCH_API_AUTH_H

#include <stdbool.h>

struct api_request;
struct config;
struct db;

#define AUTH_CREDENTIALS_MAX 256
/* The header's "Basic base64(user:password)" as user (ret) and password (in ret); false when it is
 * none. */
bool auth_decode(char ret[AUTH_CREDENTIALS_MAX], char **password, const char *header);

/* 0 when the request may act on q->account_sid; else answered: 401 20003, 403 20005 for an account
 * that is not active, 404 for somebody else's. */
int auth_check(struct api_request *q);

/* The first account: made when it is not there, its token set to that of the settings. -errno of
 * the database. */
int auth_bootstrap(struct db *db, const struct config *config);

#endif
