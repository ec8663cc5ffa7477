/* Credential lists (sip-and-rest.md §1.5). */
#include "api/table.h"

#include "base/config.h"

static const struct property properties[] = { TEXT("sid"), TEXT("account_sid"),
					      TEXT("friendly_name"), DATES };
static const struct param params[] = {
	{ "FriendlyName", PARAM_TEXT, ON_BOTH | REQUIRED | NEEDED, 1, 64, NULL, 21240,
	  "friendly_name", NULL },
};
static const struct subresource subresources[] = {
	{ "credentials", "/Credentials" },
};

const struct resource resource_credential_lists = {
	.path = "/SIP/CredentialLists",
	.element = "CredentialList",
	.name = "SipCredentialList",
	.prefix = "CL",
	.list_key = "credential_lists",
	.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE,
	.table = "credential_lists",
	.sid_column = "sid",
	TABLE(properties, properties),
	TABLE(params, params),
	.shows_uri = true,
	TABLE(subresources, subresources),
	.limit = AT_LIMIT(limit_credential_lists),
	.limit_error = 21239,
	.duplicate_error = 21240,
	.duplicate_text = "FriendlyName: there is a CredentialList of this name already",
	.in_use_error = 21241,
	.changes_sip = true,
};
