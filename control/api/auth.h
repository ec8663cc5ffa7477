/*
 * auth - who asks: HTTP Basic with an account's SID and one of its tokens, or an API key's SID and
 * secret, compared in constant time; for its own account or one that it owns.
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

/*
 * 0 when the request may act on q->account_sid ("": the asker's own, which it then becomes), with
 * q->actor_sid and actor_account filled; else answered: 401 20003, 403 20005 for an account that is
 * not active, 404 for somebody else's, 429 20429 for an address with too
 * many wrong credentials.
 */
int auth_check(struct api_request *q);
/* 0 unless the asker is an API key, which may manage neither accounts nor keys: then 403 20006. */
int auth_check_main(struct api_request *q);
/* What threads keep of accounts and keys is not taken any more; nor what those of processes keep
 * that were forked after auth_share (-ENOMEM). Any thread. */
void auth_forget(void);
int auth_share(void);

/* The first account: made when it is not there; its token becomes that of the settings when the
 * setting is not what it was. -errno of the database. */
int auth_bootstrap(struct db *db, const struct config *config);

#endif
