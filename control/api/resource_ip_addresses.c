/* Addresses and blocks of an IP access control list (sip-and-rest.md §1.4). */
#include "api/table.h"

static const struct property properties[] = {
	TEXT("sid"),
	TEXT("account_sid"),
	TEXT("friendly_name"),
	AS("ip_address", "host(r.ip_address)"),
	INT("cidr_prefix_length"),
	TEXT("ip_access_control_list_sid"),
	DATES,
};
static const struct param params[] = {
	{ "FriendlyName", PARAM_TEXT, ON_BOTH | REQUIRED, 1, 255, NULL, 21238, "friendly_name",
	  NULL },
	{ "IpAddress", PARAM_IP, ON_BOTH | REQUIRED, 0, 0, NULL, 21238, "ip_address", NULL },
	{ "CidrPrefixLength", PARAM_INT, ON_BOTH, 0, 32, NULL, 21238, "cidr_prefix_length", "32" },
};

const struct resource resource_ip_addresses = {
	.path = "/SIP/IpAccessControlLists/@/IpAddresses",
	.prefix = "IP",
	.parent_prefix = "AL",
	.parent_table = "ip_access_control_lists",
	.list_key = "ip_addresses",
	.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE,
	.table = "ip_addresses",
	.sid_column = "sid",
	.parent_column = "ip_access_control_list_sid",
	TABLE(properties, properties),
	TABLE(params, params),
	.shows_uri = true,
	.limit = 100,
	.limit_error = 21237,
	.duplicate_error = 21235,
	.duplicate_text = "IpAddress: this address is in the list already",
	.changes_sip = true,
};
