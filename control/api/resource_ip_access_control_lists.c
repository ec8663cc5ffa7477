/* IP access control lists (sip-and-rest.md §1.4). */
#include "api/table.h"

#include "base/config.h"

static const struct property properties[] = { TEXT("sid"), TEXT("account_sid"),
					      TEXT("friendly_name"), DATES };
static const struct param params[] = {
	{ "FriendlyName", PARAM_TEXT, ON_BOTH | REQUIRED | NEEDED, 1, 255, NULL, 21235,
	  "friendly_name", NULL },
};
static const struct subresource subresources[] = {
	{ "ip_addresses", "/IpAddresses" },
};

const struct resource resource_ip_access_control_lists = {
	.path = "/SIP/IpAccessControlLists",
	.element = "IpAccessControlList",
	.name = "SipIpAccessControlList",
	.prefix = "AL",
	.list_key = "ip_access_control_lists",
	.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE,
	.table = "ip_access_control_lists",
	.sid_column = "sid",
	TABLE(properties, properties),
	TABLE(params, params),
	.shows_uri = true,
	TABLE(subresources, subresources),
	.limit = AT_LIMIT(limit_acls),
	.limit_error = 21255,
	.duplicate_error = 21235,
	.duplicate_text = "FriendlyName: there is an IpAccessControlList of this name already",
	.in_use_error = 21236,
	.changes_sip = true,
};
