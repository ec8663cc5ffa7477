/* The table of resources: every operation of the API is a row here. */
#include "api/hooks.h"
#include "api/resource.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
/* A member that is a table, and its length. */
#define TABLE(member, a) .member = a, .n_##member = COUNT(a)

/* -- properties */

#define TEXT(n)	  { n, NULL, PROPERTY_TEXT, false }
#define BOOL(n)	  { n, NULL, PROPERTY_BOOL, false }
#define INT(n)	  { n, NULL, PROPERTY_INT, false }
#define DATE(n)	  { n, NULL, PROPERTY_DATE, false }
#define DETAIL(n) { n, NULL, PROPERTY_TEXT, true }
#define AS(n, e)  { n, e, PROPERTY_TEXT, false }
#define DATES	  DATE("date_created"), DATE("date_updated")
#define VERSION	  AS("api_version", "'" API_VERSION "'")

/* -- params */

#define URL_PARAM(n, c)	   { n, PARAM_URL, ON_BOTH, 0, 0, NULL, 21205, c, NULL }
#define METHOD_PARAM(n, c) { n, PARAM_METHOD, ON_BOTH, 0, 0, NULL, 21209, c, "POST" }

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"

/* -- filters: the conditions of a date's name, name<, name> */

#define FIRST_SECOND  "to_timestamp(split_part($?, ',', 1)::bigint)"
#define BEHIND_SECOND "to_timestamp(split_part($?, ',', 2)::bigint)"
#define DATE_FILTERS(n, c)                                                                                                          \
	{ n, PARAM_DATE, c " >= " FIRST_SECOND " AND " c " < " BEHIND_SECOND, NULL },                                              \
	{ n "<", PARAM_DATE, c " < " FIRST_SECOND, NULL },                                                                         \
	{ n ">", PARAM_DATE, c " >= " FIRST_SECOND, NULL }

/* -- Domains (§1.1) */

/* Both kinds of mapping stand in the order in which the first of each came. */
#define AUTH_TYPE                                                                                                                   \
	"(SELECT coalesce(string_agg(t, ',' ORDER BY since, t DESC), '') FROM "                                                     \
	"(SELECT 'IP_ACL' AS t, min(m.date_created) AS since FROM sip_domain_acl_mappings m WHERE m.domain_sid = r.sid "            \
	"HAVING count(*) > 0 UNION ALL "                                                                                            \
	"SELECT 'CREDENTIAL_LIST', min(m.date_created) FROM sip_domain_credential_mappings m "                                      \
	"WHERE m.domain_sid = r.sid AND m.kind = 'calls' HAVING count(*) > 0) AS x)"

static const struct property domain_properties[] = {
	TEXT("sid"),
	TEXT("account_sid"),
	VERSION,
	AS("auth_type", AUTH_TYPE),
	TEXT("domain_name"),
	TEXT("friendly_name"),
	TEXT("voice_url"),
	TEXT("voice_method"),
	TEXT("voice_fallback_url"),
	TEXT("voice_fallback_method"),
	TEXT("voice_status_callback_url"),
	TEXT("voice_status_callback_method"),
	BOOL("sip_registration"),
	BOOL("secure"),
	BOOL("emergency_calling_enabled"),
	TEXT("emergency_caller_sid"),
	TEXT("byoc_trunk_sid"),
	DATES,
};
static const struct param domain_params[] = {
	{ "DomainName", PARAM_TEXT, ON_BOTH | REQUIRED, 1, 253, NULL, 21231, "domain_name", NULL },
	{ "FriendlyName", PARAM_TEXT, ON_BOTH, 0, 64, NULL, 21231, "friendly_name", NULL },
	URL_PARAM("VoiceUrl", "voice_url"),
	METHOD_PARAM("VoiceMethod", "voice_method"),
	URL_PARAM("VoiceFallbackUrl", "voice_fallback_url"),
	METHOD_PARAM("VoiceFallbackMethod", "voice_fallback_method"),
	URL_PARAM("VoiceStatusCallbackUrl", "voice_status_callback_url"),
	METHOD_PARAM("VoiceStatusCallbackMethod", "voice_status_callback_method"),
	{ "SipRegistration", PARAM_BOOL, ON_BOTH, 0, 0, NULL, 21231, "sip_registration", "false" },
	{ "Secure", PARAM_BOOL, ON_BOTH, 0, 0, NULL, 21231, "secure", "false" },
	{ "EmergencyCallingEnabled", PARAM_BOOL, ON_BOTH, 0, 0, NULL, 21231, "emergency_calling_enabled", "false" },
	{ "EmergencyCallerSid", PARAM_SID, ON_BOTH, 0, 0, "PN", 21231, "emergency_caller_sid", NULL },
	{ "ByocTrunkSid", PARAM_SID, ON_BOTH, 0, 0, "BY", 21231, "byoc_trunk_sid", NULL },
};
static const char *const domain_subs[] = { "ip_access_control_list_mappings", "/IpAccessControlListMappings.json",
					   "credential_list_mappings", "/CredentialListMappings.json", NULL };

/* -- mappings (§1.2, §1.3): an instance's SID is its list's */

#define MAPPING TEXT("account_sid"), AS("sid", "r.list_sid"), AS("friendly_name", "l.friendly_name"), DATES

static const struct property mapping_properties[] = { MAPPING };
static const struct property legacy_mapping_properties[] = { MAPPING, TEXT("domain_sid") };
static const struct param acl_mapping_params[] = {
	{ "IpAccessControlListSid", PARAM_SID, ON_CREATE | REQUIRED, 0, 0, "AL", 21231, NULL, NULL },
};
static const struct param cl_mapping_params[] = {
	{ "CredentialListSid", PARAM_SID, ON_CREATE | REQUIRED, 0, 0, "CL", 21231, NULL, NULL },
};

#define MAPPING_ROW                                                                                                                 \
	.parent_prefix = "SD", .parent_table = "sip_domains", .parent_column = "domain_sid", .sid_column = "list_sid",             \
	.can = CAN_CREATE | CAN_DELETE, .duplicate_error = 21231, .changes_sip = true
#define ACL_MAPPING_ROW                                                                                                             \
	MAPPING_ROW, .prefix = "AL", .table = "sip_domain_acl_mappings",                                                           \
		.join = "JOIN ip_access_control_lists l ON l.sid = r.list_sid", TABLE(params, acl_mapping_params),                 \
		.insert = "INSERT INTO sip_domain_acl_mappings (account_sid, domain_sid, list_sid) "                               \
			  "SELECT $A, $P, l.sid FROM ip_access_control_lists l WHERE l.account_sid = $A AND l.sid = $0 "           \
			  "RETURNING list_sid",                                                                                    \
		.duplicate_text = "IpAccessControlList already associated with this domain"
#define CL_MAPPING_ROW(kind)                                                                                                        \
	MAPPING_ROW, .prefix = "CL", .table = "sip_domain_credential_mappings", .where = "r.kind = '" kind "'",                    \
		.join = "JOIN credential_lists l ON l.sid = r.list_sid", TABLE(params, cl_mapping_params),                         \
		.insert = "INSERT INTO sip_domain_credential_mappings (account_sid, domain_sid, kind, list_sid) "                  \
			  "SELECT $A, $P, '" kind "', l.sid FROM credential_lists l WHERE l.account_sid = $A AND l.sid = $0 "      \
			  "RETURNING list_sid",                                                                                    \
		.duplicate_text = "CredentialList already associated with this domain"

/* -- lists and what is in them (§1.4, §1.5) */

static const struct property list_properties[] = { TEXT("sid"), TEXT("account_sid"), TEXT("friendly_name"), DATES };
static const struct param acl_params[] = {
	{ "FriendlyName", PARAM_TEXT, ON_BOTH | REQUIRED | NEEDED, 1, 255, NULL, 21235, "friendly_name", NULL },
};
static const struct param cl_params[] = {
	{ "FriendlyName", PARAM_TEXT, ON_BOTH | REQUIRED | NEEDED, 1, 64, NULL, 21240, "friendly_name", NULL },
};
static const char *const acl_subs[] = { "ip_addresses", "/IpAddresses.json", NULL };
static const char *const cl_subs[] = { "credentials", "/Credentials.json", NULL };

static const struct property ip_properties[] = {
	TEXT("sid"),
	TEXT("account_sid"),
	TEXT("friendly_name"),
	AS("ip_address", "host(r.ip_address)"),
	INT("cidr_prefix_length"),
	TEXT("ip_access_control_list_sid"),
	DATES,
};
static const struct param ip_params[] = {
	{ "FriendlyName", PARAM_TEXT, ON_BOTH | REQUIRED, 1, 255, NULL, 21238, "friendly_name", NULL },
	{ "IpAddress", PARAM_IP, ON_BOTH | REQUIRED, 0, 0, NULL, 21238, "ip_address", NULL },
	{ "CidrPrefixLength", PARAM_INT, ON_BOTH, 0, 32, NULL, 21238, "cidr_prefix_length", "32" },
};

/* RFC 3261's user, and '@'; what ends a name in a digest or needs quotes in it cannot be. */
#define USER_CHARS LETTERS DIGITS "-_.!~*'()&=+$,;?/%@"

static const struct property credential_properties[] = {
	TEXT("sid"), TEXT("account_sid"), TEXT("credential_list_sid"), TEXT("username"), DATES,
};
static const struct param credential_params[] = {
	{ "Username", PARAM_TEXT, ON_CREATE | REQUIRED, 1, 32, USER_CHARS, 21243, "username", NULL },
	{ "Password", PARAM_PASSWORD, ON_BOTH | REQUIRED, 0, 0, NULL, 21243, NULL, NULL },
	{ "", PARAM_TEXT, COMPUTED, 0, 0, NULL, 0, "realm", NULL },
	{ "", PARAM_TEXT, COMPUTED, 0, 0, NULL, 0, "ha1_md5", NULL },
	{ "", PARAM_TEXT, COMPUTED, 0, 0, NULL, 0, "ha1_sha256", NULL },
};

/* -- Calls (§1.6) */

static const struct property call_properties[] = {
	TEXT("sid"),
	TEXT("account_sid"),
	TEXT("parent_call_sid"),
	AS("to", "r.\"to\""),
	AS("to_formatted", "r.\"to\""),
	AS("from", "r.\"from\""),
	AS("from_formatted", "r.\"from\""),
	AS("phone_number_sid", "NULL"),
	TEXT("status"),
	DATE("start_time"),
	DATE("end_time"),
	TEXT("duration"),
	AS("price", "NULL"),
	AS("price_unit", "'USD'"),
	TEXT("direction"),
	TEXT("answered_by"),
	VERSION,
	TEXT("forwarded_from"),
	AS("group_sid", "NULL"),
	TEXT("caller_name"),
	AS("queue_time", "'0'"),
	AS("trunk_sid", "NULL"),
	DATES,
};
static const struct filter call_filters[] = {
	{ "To", PARAM_TEXT, "r.\"to\" = $?", NULL },
	{ "From", PARAM_TEXT, "r.\"from\" = $?", NULL },
	{ "ParentCallSid", PARAM_SID, "r.parent_call_sid = $?", "CA" },
	{ "Status", PARAM_ENUM, "r.status = $?", "queued|ringing|in-progress|completed|busy|failed|no-answer|canceled" },
	DATE_FILTERS("StartTime", "r.start_time"),
	DATE_FILTERS("EndTime", "r.end_time"),
};
static const struct param call_params[] = {
	{ "Url", PARAM_URL, ON_UPDATE, 0, 0, NULL, 21205, NULL, NULL },
	{ "Method", PARAM_METHOD, ON_UPDATE, 0, 0, NULL, 21209, NULL, NULL },
	{ "Status", PARAM_ENUM, ON_UPDATE, 0, 0, "canceled|completed", 20422, NULL, NULL },
	{ "FallbackUrl", PARAM_URL, ON_UPDATE, 0, 0, NULL, 21205, NULL, NULL },
	{ "FallbackMethod", PARAM_METHOD, ON_UPDATE, 0, 0, NULL, 21209, NULL, NULL },
	{ "StatusCallback", PARAM_URL, ON_UPDATE, 0, 0, NULL, 21205, NULL, NULL },
	{ "StatusCallbackMethod", PARAM_METHOD, ON_UPDATE, 0, 0, NULL, 21209, NULL, NULL },
	{ "Twiml", PARAM_TEXT, ON_UPDATE, 0, 4000, NULL, 32018, NULL, NULL },
	{ "TimeLimit", PARAM_INT, ON_UPDATE, 1, 86400, NULL, 20422, NULL, NULL },
};
/* As clients know them; those that are no rows of this table are not served. */
static const char *const call_subs[] = {
	"notifications", "/Notifications.json",
	"recordings", "/Recordings.json",
	"payments", "/Payments.json",
	"events", "/Events.json",
	"siprec", "/Siprec.json",
	"streams", "/Streams.json",
	"transcriptions", "/Transcriptions.json",
	"user_defined_messages", "/UserDefinedMessages.json",
	"user_defined_message_subscriptions", "/UserDefinedMessageSubscriptions.json",
	NULL,
};

/* -- Notifications (§1.10) */

static const struct property notification_properties[] = {
	TEXT("sid"),
	TEXT("account_sid"),
	TEXT("call_sid"),
	VERSION,
	TEXT("log"),
	TEXT("error_code"),
	AS("more_info", "'https://www.twilio.com/docs/errors/' || r.error_code"),
	TEXT("message_text"),
	DATE("message_date"),
	TEXT("request_method"),
	TEXT("request_url"),
	DETAIL("request_variables"),
	DETAIL("response_headers"),
	DETAIL("response_body"),
	DATES,
};
static const struct filter notification_filters[] = {
	{ "Log", PARAM_ENUM, "r.log = $?::smallint", "0|1" },
	DATE_FILTERS("MessageDate", "r.message_date"),
};

#define NOTIFICATION_ROW                                                                                                            \
	.prefix = "NO", .list_key = "notifications", .table = "notifications", .sid_column = "sid", .newest_first = true,          \
	TABLE(properties, notification_properties), TABLE(filters, notification_filters), .shows_uri = true

/* -- the resources */

static const struct resource table[] = {
	{
		.path = "/SIP/Domains",
		.prefix = "SD",
		.list_key = "domains",
		.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE,
		.table = "sip_domains",
		.sid_column = "sid",
		TABLE(properties, domain_properties),
		TABLE(params, domain_params),
		.shows_uri = true,
		.subresources = domain_subs,
		.limit = 100,
		.limit_error = 21230,
		.duplicate_error = 21232,
		.duplicate_text = "already exists.",
		.duplicate_named = true,
		.changes_sip = true,
		.before_create = domain_before_create,
		.before_update = domain_before_update,
		.before_delete = domain_before_delete,
	},
	{
		.path = "/SIP/Domains/@/Auth/Calls/IpAccessControlListMappings",
		.list_key = "contents",
		TABLE(properties, mapping_properties),
		ACL_MAPPING_ROW,
	},
	{
		.path = "/SIP/Domains/@/Auth/Calls/CredentialListMappings",
		.list_key = "contents",
		TABLE(properties, mapping_properties),
		CL_MAPPING_ROW("calls"),
	},
	{
		.path = "/SIP/Domains/@/Auth/Registrations/CredentialListMappings",
		.list_key = "contents",
		TABLE(properties, mapping_properties),
		CL_MAPPING_ROW("registrations"),
	},
	{
		.path = "/SIP/Domains/@/IpAccessControlListMappings",
		.list_key = "ip_access_control_list_mappings",
		TABLE(properties, legacy_mapping_properties),
		.shows_uri = true,
		ACL_MAPPING_ROW,
	},
	{
		.path = "/SIP/Domains/@/CredentialListMappings",
		.list_key = "credential_list_mappings",
		TABLE(properties, legacy_mapping_properties),
		.shows_uri = true,
		CL_MAPPING_ROW("calls"),
	},
	{
		.path = "/SIP/IpAccessControlLists",
		.prefix = "AL",
		.list_key = "ip_access_control_lists",
		.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE,
		.table = "ip_access_control_lists",
		.sid_column = "sid",
		TABLE(properties, list_properties),
		TABLE(params, acl_params),
		.shows_uri = true,
		.subresources = acl_subs,
		.limit = 1000,
		.limit_error = 21255,
		.duplicate_error = 21235,
		.duplicate_text = "FriendlyName: there is an IpAccessControlList of this name already",
		.in_use_error = 21236,
		.changes_sip = true,
	},
	{
		.path = "/SIP/IpAccessControlLists/@/IpAddresses",
		.prefix = "IP",
		.parent_prefix = "AL",
		.parent_table = "ip_access_control_lists",
		.list_key = "ip_addresses",
		.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE,
		.table = "ip_addresses",
		.sid_column = "sid",
		.parent_column = "ip_access_control_list_sid",
		TABLE(properties, ip_properties),
		TABLE(params, ip_params),
		.shows_uri = true,
		.limit = 100,
		.limit_error = 21237,
		.duplicate_error = 21235,
		.duplicate_text = "IpAddress: this address is in the list already",
		.changes_sip = true,
	},
	{
		.path = "/SIP/CredentialLists",
		.prefix = "CL",
		.list_key = "credential_lists",
		.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE,
		.table = "credential_lists",
		.sid_column = "sid",
		TABLE(properties, list_properties),
		TABLE(params, cl_params),
		.shows_uri = true,
		.subresources = cl_subs,
		.limit = 100,
		.limit_error = 21239,
		.duplicate_error = 21240,
		.duplicate_text = "FriendlyName: there is a CredentialList of this name already",
		.in_use_error = 21241,
		.changes_sip = true,
	},
	{
		.path = "/SIP/CredentialLists/@/Credentials",
		.prefix = "CR",
		.parent_prefix = "CL",
		.parent_table = "credential_lists",
		.list_key = "credentials",
		.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE,
		.table = "credentials",
		.sid_column = "sid",
		.parent_column = "credential_list_sid",
		TABLE(properties, credential_properties),
		TABLE(params, credential_params),
		.shows_uri = true,
		.limit = 1000,
		.limit_error = 21242,
		.duplicate_error = 21243,
		.duplicate_text = "Username: this name is in the list already",
		.changes_sip = true,
		.before_create = credential_before_create,
		.before_update = credential_before_update,
	},
	{
		.path = "/Calls",
		.prefix = "CA",
		.list_key = "calls",
		.can = CAN_UPDATE | CAN_DELETE,
		.table = "calls",
		.sid_column = "sid",
		.newest_first = true,
		TABLE(properties, call_properties),
		TABLE(params, call_params),
		TABLE(filters, call_filters),
		.shows_uri = true,
		.subresources = call_subs,
		.before_delete = call_before_delete,
		.instead_of_update = call_update,
	},
	{ .path = "/Notifications", NOTIFICATION_ROW },
	{
		.path = "/Calls/@/Notifications",
		.parent_prefix = "CA",
		.parent_table = "calls",
		.parent_column = "call_sid",
		NOTIFICATION_ROW,
	},
};

const struct resource *resource_at(size_t index)
{
	return index < COUNT(table) ? &table[index] : NULL;
}

/* A SID of 34 characters up to '/' or the end; copies it. */
static bool take_sid(char ret[SID_SIZE], const char *s, size_t len, const char *prefix)
{
	if (len != SID_SIZE - 1)
		return false;
	memcpy(ret, s, len);
	ret[len] = '\0';
	return sid_valid(ret, prefix);
}

static bool match(struct api_request *q, const struct resource *r, const char *path, size_t len, bool *instance)
{
	const char *at = strchr(r->path, '@');
	size_t n = at ? (size_t)(at - r->path) : strlen(r->path);

	if (len < n || strncmp(path, r->path, n))
		return false;
	path += n;
	len -= n;
	if (at) {
		size_t rest = strlen(at + 1);

		if (len < SID_SIZE - 1 || !take_sid(q->parent_sid, path, SID_SIZE - 1, r->parent_prefix))
			return false;
		path += SID_SIZE - 1;
		len -= SID_SIZE - 1;
		if (len < rest || strncmp(path, at + 1, rest))
			return false;
		path += rest;
		len -= rest;
	}
	*instance = len > 0;
	return !len || (*path == '/' && take_sid(q->sid, path + 1, len - 1, r->prefix));
}

const struct resource *resource_find(struct api_request *q, const char *path, size_t len, bool *instance)
{
	for (size_t i = 0; i < COUNT(table); i++) {
		q->parent_sid[0] = q->sid[0] = '\0';
		if (match(q, &table[i], path, len, instance))
			return &table[i];
	}
	return NULL;
}
