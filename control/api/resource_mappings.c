/* Which lists guard a SIP domain (sip-and-rest.md §1.2, and the older paths to the same rows of
 * §1.3): a mapping's SID is its list's. */
#include "api/table.h"

#include "base/config.h"

#define MAPPING                                                                                    \
	TEXT("account_sid"), AS("sid", "r.list_sid"), AS("friendly_name", "l.friendly_name"), DATES

static const struct property mapping_properties[] = { MAPPING };
static const struct property legacy_mapping_properties[] = { MAPPING, TEXT("domain_sid") };
static const struct param acl_mapping_params[] = {
	{ "IpAccessControlListSid", PARAM_SID, ON_CREATE | REQUIRED, 0, 0, "AL", 21231, NULL,
	  NULL },
};
static const struct param cl_mapping_params[] = {
	{ "CredentialListSid", PARAM_SID, ON_CREATE | REQUIRED, 0, 0, "CL", 21231, NULL, NULL },
};

#define MAPPING_ROW                                                                                \
	.parent_prefix = "SD", .parent_table = "sip_domains", .parent_column = "domain_sid",       \
	.sid_column = "list_sid", .can = CAN_CREATE | CAN_DELETE,                                  \
	.limit = AT_LIMIT(limit_mapped_lists), .limit_error = 21231, .duplicate_error = 21231,     \
	.changes_sip = true
#define ACL_MAPPING_ROW                                                                            \
	MAPPING_ROW, .prefix = "AL", .element = "IpAccessControlListMapping",                      \
		.table = "sip_domain_acl_mappings",                                                \
		.join = "JOIN ip_access_control_lists l ON l.sid = r.list_sid",                    \
		TABLE(params, acl_mapping_params),                                                 \
		.insert =                                                                          \
			"INSERT INTO sip_domain_acl_mappings (account_sid, domain_sid, list_sid) " \
			"SELECT $A, $P, l.sid FROM ip_access_control_lists l WHERE l.account_sid " \
			"= $A AND l.sid = $0 "                                                     \
			"RETURNING list_sid",                                                      \
		.duplicate_text = "IpAccessControlList already associated with this domain"
#define CL_MAPPING_ROW(kind)                                                                       \
	MAPPING_ROW, .prefix = "CL", .element = "CredentialListMapping",                           \
		.table = "sip_domain_credential_mappings", .where = "r.kind = '" kind "'",         \
		.join = "JOIN credential_lists l ON l.sid = r.list_sid",                           \
		TABLE(params, cl_mapping_params),                                                  \
		.insert = "INSERT INTO sip_domain_credential_mappings (account_sid, domain_sid, "  \
			  "kind, list_sid) "                                                       \
			  "SELECT $A, $P, '" kind "', l.sid FROM credential_lists l WHERE "        \
			  "l.account_sid = $A AND l.sid = $0 "                                     \
			  "RETURNING list_sid",                                                    \
		.duplicate_text = "CredentialList already associated with this domain"

const struct resource resource_auth_calls_ip_access_control_list_mappings = {
	.path = "/SIP/Domains/@/Auth/Calls/IpAccessControlListMappings",
	.name = "SipAuthCallsIpAccessControlListMapping",
	.list_key = "contents",
	TABLE(properties, mapping_properties),
	ACL_MAPPING_ROW,
};

const struct resource resource_auth_calls_credential_list_mappings = {
	.path = "/SIP/Domains/@/Auth/Calls/CredentialListMappings",
	.name = "SipAuthCallsCredentialListMapping",
	.list_key = "contents",
	TABLE(properties, mapping_properties),
	CL_MAPPING_ROW("calls"),
};

const struct resource resource_auth_registrations_credential_list_mappings = {
	.path = "/SIP/Domains/@/Auth/Registrations/CredentialListMappings",
	.name = "SipAuthRegistrationsCredentialListMapping",
	.list_key = "contents",
	TABLE(properties, mapping_properties),
	CL_MAPPING_ROW("registrations"),
};

const struct resource resource_ip_access_control_list_mappings = {
	.path = "/SIP/Domains/@/IpAccessControlListMappings",
	.name = "SipIpAccessControlListMapping",
	.list_key = "ip_access_control_list_mappings",
	TABLE(properties, legacy_mapping_properties),
	.shows_uri = true,
	ACL_MAPPING_ROW,
};

const struct resource resource_credential_list_mappings = {
	.path = "/SIP/Domains/@/CredentialListMappings",
	.name = "SipCredentialListMapping",
	.list_key = "credential_list_mappings",
	TABLE(properties, legacy_mapping_properties),
	.shows_uri = true,
	CL_MAPPING_ROW("calls"),
};
