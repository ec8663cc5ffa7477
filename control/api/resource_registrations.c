/* Where the phones of a SIP domain are registered: Kamailio's own bindings, in the table that it
 * works on (docs/registration.md). */
#include "api/table.h"

static const struct property properties[] = {
	TEXT("sid"),
	TEXT("account_sid"),
	TEXT("domain_sid"),
	TEXT("username"),
	AS("contact_uri", "r.contact"),
	AS("received_from", "r.target"),
	TEXT("user_agent"),
	TEXT_OR_NULL("instance"),
	DATE("date_expires"),
	DATES,
};
static const struct filter filters[] = {
	{ "Username", PARAM_TEXT, "r.username = $?", NULL },
};

const struct resource resource_registrations = {
	.path = "/SIP/Domains/@/Registrations",
	.element = "Registration",
	.name = "SipRegistration",
	.parent_prefix = "SD",
	.parent_table = "sip_domains",
	.parent_column = "domain_sid",
	.prefix = "RG",
	.list_key = "registrations",
	.table = "registrations",
	.sid_column = "sid",
	TABLE(properties, properties),
	TABLE(filters, filters),
	.can = CAN_DELETE,
	.shows_uri = true,
};
