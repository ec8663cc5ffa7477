/* Passwords become hashes here (sip-and-rest.md §1.5) and go no further. */
#include "api/hooks.h"

#include "api/request.h"
#include "base/config.h"
#include "io/db.h"
#include "proto/digest.h"

#include <stddef.h>

/* Rows of the parameter table. */
enum { USERNAME, PASSWORD, REALM, HA1_MD5, HA1_SHA256 };

static int hash(struct api_request *q, const char *username)
{
	const char *realm = q->options->config->sip_domain, *password = q->values[PASSWORD];
	char md5[DIGEST_MD5_SIZE], sha256[DIGEST_SHA256_SIZE];

	digest_ha1_md5(md5, username, realm, password);
	digest_ha1_sha256(sha256, username, realm, password);
	q->values[PASSWORD] = NULL;
	q->values[REALM] = realm;
	q->values[HA1_MD5] = api_keep(q, md5);
	q->values[HA1_SHA256] = api_keep(q, sha256);
	return q->values[HA1_MD5] && q->values[HA1_SHA256] ? 0 : api_error(q, 20500, NULL);
}

int credential_before_create(struct api_request *q)
{
	return hash(q, q->values[USERNAME]);
}

int credential_before_update(struct api_request *q)
{
	const char *params[] = { q->account_sid, q->sid };
	struct db_result *res;
	int r;

	if (!q->values[PASSWORD])
		return 0;
	/* The name is in the hash, and is the row's: it cannot change. */
	r = db_exec(&res, q->db, "SELECT username FROM credentials WHERE account_sid = $1 AND sid = $2", 2, params);
	if (r < 0)
		return api_db_error(q, r);
	r = db_rows(res) ? hash(q, db_value(res, 0, 0)) : api_not_found(q);
	db_result_free(res);
	return r;
}
