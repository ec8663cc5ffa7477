/* Users of a credential list (sip-and-rest.md §1.5). Passwords become hashes here and go no
 * further. */
#include "api/table.h"

#include "base/config.h"
#include "io/db.h"
#include "proto/digest.h"

/* RFC 3261's user, and '@'; what ends a name in a digest or needs quotes in it cannot be. */
#define USER_CHARS LETTERS DIGITS "-_.!~*'()&=+$,;?/%@"

static const struct property properties[] = {
	TEXT("sid"), TEXT("account_sid"), TEXT("credential_list_sid"), TEXT("username"), DATES,
};
static const struct param params[] = {
	{ "Username", PARAM_TEXT, ON_CREATE | REQUIRED, 1, 32, USER_CHARS, 21243, "username",
	  NULL },
	{ "Password", PARAM_PASSWORD, ON_BOTH | REQUIRED, 0, 0, NULL, 21243, NULL, NULL },
	{ "", PARAM_TEXT, COMPUTED, 0, 0, NULL, 0, "realm", NULL },
	{ "", PARAM_TEXT, COMPUTED, 0, 0, NULL, 0, "ha1_md5", NULL },
	{ "", PARAM_TEXT, COMPUTED, 0, 0, NULL, 0, "ha1_sha256", NULL },
};

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

static int before_create(struct api_request *q)
{
	return hash(q, q->values[USERNAME]);
}

static int before_update(struct api_request *q)
{
	const char *ids[] = { q->account_sid, q->sid };
	struct db_result *res;
	int r;

	if (!q->values[PASSWORD])
		return 0;
	/* The name is in the hash, and is the row's: it cannot change. */
	r = db_exec(&res, q->db,
		    "SELECT username FROM credentials WHERE account_sid = $1 AND sid = $2", 2, ids);
	if (r < 0)
		return api_db_error(q, r);
	r = db_rows(res) ? hash(q, db_value(res, 0, 0)) : api_not_found(q);
	db_result_free(res);
	return r;
}

const struct resource resource_credentials = {
	.path = "/SIP/CredentialLists/@/Credentials",
	.element = "Credential",
	.name = "SipCredential",
	.prefix = "CR",
	.parent_prefix = "CL",
	.parent_table = "credential_lists",
	.list_key = "credentials",
	.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE,
	.table = "credentials",
	.sid_column = "sid",
	.parent_column = "credential_list_sid",
	TABLE(properties, properties),
	TABLE(params, params),
	.shows_uri = true,
	.limit = AT_LIMIT(limit_credentials),
	.limit_error = 21242,
	.duplicate_error = 21243,
	.duplicate_text = "Username: this name is in the list already",
	.changes_sip = true,
	.before_create = before_create,
	.before_update = before_update,
};
