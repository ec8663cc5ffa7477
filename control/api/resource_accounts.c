/* The account and its subaccounts (sip-and-rest.md §1.10). Closed is final: rows of what such an
 * account did refer to it. */
#include "api/table.h"

#include "base/config.h"
#include "io/db.h"

#include <string.h>

#define TOKEN_LEN 32

static const struct property properties[] = {
	TEXT("sid"),
	TEXT("owner_account_sid"),
	TEXT("friendly_name"),
	TEXT("auth_token"),
	TEXT("status"),
	TEXT("type"),
	DATES,
};
static const struct param params[] = {
	{ "FriendlyName", PARAM_TEXT, ON_BOTH, 1, 64, NULL, 20002, "friendly_name", NULL },
	{ "Status", PARAM_ENUM, ON_UPDATE, 1, 0, "active|suspended|closed", 20422, "status", NULL },
	{ "", PARAM_TEXT, COMPUTED, 0, 0, NULL, 0, NULL, NULL },
};
static const struct filter filters[] = {
	{ "FriendlyName", PARAM_TEXT, "r.friendly_name = $?", NULL },
	{ "Status", PARAM_ENUM, "r.status = $?", "active|suspended|closed" },
};
/* As clients know them; those that are no rows of the table of resources are not served. */
static const struct subresource subresources[] = {
	{ "applications", "/Applications" },
	{ "balance", "/Balance" },
	{ "calls", "/Calls" },
	{ "conferences", "/Conferences" },
	{ "incoming_phone_numbers", "/IncomingPhoneNumbers" },
	{ "keys", "/Keys" },
	{ "notifications", "/Notifications" },
	{ "outgoing_caller_ids", "/OutgoingCallerIds" },
	{ "queues", "/Queues" },
	{ "recordings", "/Recordings" },
	{ "signing_keys", "/SigningKeys" },
	{ "sip", "/SIP" },
	{ "usage", "/Usage" },
};

static const struct hook_error hook_errors[] = {
	{ 21101, CAN_CREATE },
	{ 20409, CAN_UPDATE },
};

/* Rows of the parameter table. */
enum { FRIENDLY_NAME, STATUS, TOKEN };

static int before_create(struct api_request *q)
{
	const char *id[] = { q->account_sid };
	char token[TOKEN_LEN + 1];
	int r = api_ask(q, "SELECT 1 FROM accounts WHERE sid = $1 AND owner_account_sid <> sid", 1,
			id);

	if (r)
		return r < 0 ? r : api_error(q, 21101, NULL);
	random_hex(token, TOKEN_LEN);
	q->values[TOKEN] = api_keep(q, token);
	return q->values[TOKEN] ? 0 : api_error(q, 20500, NULL);
}

/* Only the owner opens and closes an account, and never its own. */
static int before_update(struct api_request *q)
{
	const char *ids[] = { q->account_sid };
	int r;

	if (!q->values[STATUS])
		return 0;
	if (!strcmp(q->actor_account, q->account_sid))
		return api_error(q, 20006,
				 "Status: an account's own status is changed by its owner only");
	r = api_ask(q, "SELECT 1 FROM accounts WHERE sid = $1 AND status = 'closed'", 1, ids);
	if (r <= 0 || !strcmp(q->values[STATUS], "closed"))
		return r < 0 ? r : 0;
	return api_error(q, 20409, "Status: the account is closed, which is final");
}

const struct resource resource_accounts = {
	.path = "",
	.element = "Account",
	.top = true,
	.main_only = true,
	.prefix = "AC",
	.list_key = "accounts",
	.can = CAN_CREATE | CAN_UPDATE,
	.table = "accounts",
	.scope = "(r.sid = $A OR r.owner_account_sid = $A)",
	.sid_column = "sid",
	TABLE(properties, properties),
	TABLE(params, params),
	TABLE(filters, filters),
	.shows_uri = true,
	TABLE(subresources, subresources),
	.insert = "INSERT INTO accounts (sid, owner_account_sid, friendly_name, auth_token) "
		  "VALUES ($S, $A, coalesce($0, 'SubAccount Created at ' || "
		  "to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH12:MI am')), $2) RETURNING sid",
	.limit = AT_LIMIT(limit_subaccounts),
	.limit_error = 20422,
	.changes_sip = true,
	.before_create = before_create,
	.before_update = before_update,
	TABLE(hook_errors, hook_errors),
};
