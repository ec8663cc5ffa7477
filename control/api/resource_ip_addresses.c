/* Addresses and blocks of an IP access control list (sip-and-rest.md §1.4). */
#include "api/table.h"

#include "base/config.h"
#include "io/db.h"

#include <stdlib.h>
#include <string.h>

static const struct property properties[] = {
	TEXT("sid"),
	TEXT("account_sid"),
	TEXT("friendly_name"),
	AS("ip_address", "host(r.ip_address)"),
	INT("cidr_prefix_length"),
	TEXT("ip_access_control_list_sid"),
	DATES,
};

/* Rows of the parameter table. */
enum { FRIENDLY_NAME, IP_ADDRESS, PREFIX };

static const struct param params[] = {
	{ "FriendlyName", PARAM_TEXT, ON_BOTH | REQUIRED, 1, 255, NULL, 21238, "friendly_name",
	  NULL },
	{ "IpAddress", PARAM_IP, ON_BOTH | REQUIRED, 0, 0, NULL, 21238, "ip_address", NULL },
	{ "CidrPrefixLength", PARAM_INT, ON_BOTH, 0, 128, NULL, 21238, "cidr_prefix_length", NULL },
};

static const char *whole(const char *address)
{
	return strchr(address, ':') ? "128" : "32";
}

/* The prefix fits the address; the whole address when nothing is said of it. */
static int check_prefix(struct api_request *q, const char *address)
{
	const char *prefix = q->values[PREFIX], *max = whole(address);

	if (!prefix || !*prefix)
		q->values[PREFIX] = max;
	else if (atoi(prefix) > atoi(max))
		return api_error(q, 21238,
				 "CidrPrefixLength must be a whole number from 0 to %s for %s", max,
				 address);
	return 0;
}

static int before_create(struct api_request *q)
{
	return check_prefix(q, q->values[IP_ADDRESS]);
}

/* What is not given stays; a whole address stays whole. */
static int before_update(struct api_request *q)
{
	const char *ids[] = { q->account_sid, q->sid };
	const char *address = q->values[IP_ADDRESS], *stored, *prefix;
	struct db_result *res;
	int r;

	if (!address && !q->values[PREFIX])
		return 0;
	r = db_exec(&res, q->db,
		    "SELECT host(ip_address), cidr_prefix_length FROM ip_addresses "
		    "WHERE account_sid = $1 AND sid = $2",
		    2, ids);
	if (r < 0)
		return api_db_error(q, r);
	stored = db_value(res, 0, 0);
	prefix = db_value(res, 0, 1);
	if (!q->values[PREFIX] && strcmp(prefix, whole(stored)))
		q->values[PREFIX] = api_keep(q, prefix);
	r = check_prefix(q, address ? address : stored);
	db_result_free(res);
	return r;
}

const struct resource resource_ip_addresses = {
	.path = "/SIP/IpAccessControlLists/@/IpAddresses",
	.element = "IpAddress",
	.name = "SipIpAddress",
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
	.limit = AT_LIMIT(limit_ip_addresses),
	.limit_error = 21237,
	.duplicate_error = 21235,
	.duplicate_text = "IpAddress: this address is in the list already",
	.changes_sip = true,
	.before_create = before_create,
	.before_update = before_update,
};
