/* The table of resources: every operation of the API is a row here. */
#include "api/hooks.h"
#include "api/resource.h"

#include <string.h>

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define ROWS(a)	  a, COUNT(a)

#define TEXT(n)	     { n, "r." n, PROPERTY_TEXT, false }
#define AS(n, e)     { n, e, PROPERTY_TEXT, false }
#define DATES \
	{ "date_created", "r.date_created", PROPERTY_DATE, false }, { "date_updated", "r.date_updated", PROPERTY_DATE, false }

/* A parameter that is not given leaves its column; an empty one clears it. */
#define KEEP(column, n)	 column " = CASE WHEN $" #n "::text IS NULL THEN " column " ELSE nullif($" #n ", '') END"
#define KEEPB(column, n) column " = coalesce($" #n "::boolean, " column ")"
#define KEEPT(column, n) column " = coalesce($" #n "::text, " column ")"

/* -- Domains (§1.1) */

static const struct property domain_properties[] = {
	TEXT("sid"), TEXT("account_sid"),
	AS("api_version", "'2010-04-01'"),
	AS("auth_type", "(SELECT coalesce(string_agg(t, ',' ORDER BY seq), '') FROM "
			"(SELECT 'IP_ACL' AS t, min(m.seq) AS seq FROM sip_domain_acl_mappings m WHERE m.domain_sid = r.sid HAVING count(*) > 0 "
			"UNION ALL SELECT 'CREDENTIAL_LIST', min(m.seq) FROM sip_domain_credential_mappings m "
			"WHERE m.domain_sid = r.sid AND m.kind = 'calls' HAVING count(*) > 0) AS x)"),
	TEXT("domain_name"), TEXT("friendly_name"), TEXT("voice_url"), TEXT("voice_method"), TEXT("voice_fallback_url"),
	TEXT("voice_fallback_method"), TEXT("voice_status_callback_url"), TEXT("voice_status_callback_method"),
	{ "sip_registration", "r.sip_registration", PROPERTY_BOOL, false },
	{ "secure", "r.secure", PROPERTY_BOOL, false },
	{ "emergency_calling_enabled", "r.emergency_calling_enabled", PROPERTY_BOOL, false },
	TEXT("emergency_caller_sid"), TEXT("byoc_trunk_sid"), DATES,
};

#define DOMAIN_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."

static const struct param domain_params[] = {
	{ "DomainName", PARAM_TEXT, ON_BOTH | REQUIRED, 1, 253, DOMAIN_CHARS, 21231 },
	{ "FriendlyName", PARAM_TEXT, ON_BOTH, 0, 64, NULL, 21231 },
	{ "VoiceUrl", PARAM_URL, ON_BOTH, 0, 0, NULL, 21205 },
	{ "VoiceMethod", PARAM_METHOD, ON_BOTH, 0, 0, NULL, 21209 },
	{ "VoiceFallbackUrl", PARAM_URL, ON_BOTH, 0, 0, NULL, 21205 },
	{ "VoiceFallbackMethod", PARAM_METHOD, ON_BOTH, 0, 0, NULL, 21209 },
	{ "VoiceStatusCallbackUrl", PARAM_URL, ON_BOTH, 0, 0, NULL, 21205 },
	{ "VoiceStatusCallbackMethod", PARAM_METHOD, ON_BOTH, 0, 0, NULL, 21209 },
	{ "SipRegistration", PARAM_BOOL, ON_BOTH, 0, 0, NULL, 21231 },
	{ "Secure", PARAM_BOOL, ON_BOTH, 0, 0, NULL, 21231 },
	{ "EmergencyCallingEnabled", PARAM_BOOL, ON_BOTH, 0, 0, NULL, 21231 },
	{ "EmergencyCallerSid", PARAM_SID, ON_BOTH, 0, 0, "PN", 21231 },
	{ "ByocTrunkSid", PARAM_SID, ON_BOTH, 0, 0, "BY", 21231 },
};

static const char domain_insert[] =
	"INSERT INTO sip_domains (account_sid, sid, domain_name, friendly_name, voice_url, voice_method, voice_fallback_url, "
	"voice_fallback_method, voice_status_callback_url, voice_status_callback_method, sip_registration, secure, "
	"emergency_calling_enabled, emergency_caller_sid, byoc_trunk_sid) "
	"SELECT $1, $2, $4, $5, nullif($6, ''), coalesce($7, 'POST'), nullif($8, ''), coalesce($9, 'POST'), nullif($10, ''), "
	"coalesce($11, 'POST'), coalesce($12::boolean, false), coalesce($13::boolean, false), coalesce($14::boolean, false), $15, $16 "
	"WHERE $3::text IS NOT NULL RETURNING sid";
static const char domain_update[] =
	"UPDATE sip_domains SET " KEEPT("domain_name", 4) ", " KEEP("friendly_name", 5) ", " KEEP("voice_url", 6) ", " KEEPT("voice_method", 7)
	", " KEEP("voice_fallback_url", 8) ", " KEEPT("voice_fallback_method", 9) ", " KEEP("voice_status_callback_url", 10)
	", " KEEPT("voice_status_callback_method", 11) ", " KEEPB("sip_registration", 12) ", " KEEPB("secure", 13)
	", " KEEPB("emergency_calling_enabled", 14) ", " KEEP("emergency_caller_sid", 15) ", " KEEP("byoc_trunk_sid", 16)
	", date_updated = now() WHERE account_sid = $1 AND sid = $2 AND $3::text IS NOT NULL RETURNING sid";
static const char domain_delete[] = "DELETE FROM sip_domains WHERE account_sid = $1 AND sid = $2 AND $3::text IS NOT NULL RETURNING sid";
static const char *const domain_subs[] = { "ip_access_control_list_mappings", "/IpAccessControlListMappings.json",
					   "credential_list_mappings", "/CredentialListMappings.json", NULL };

/* -- mappings (§1.2, §1.3): an instance's SID is its list's */

#define MAPPING(alias) AS("sid", alias ".sid"), TEXT("account_sid"), AS("friendly_name", alias ".friendly_name"), DATES

static const struct property mapping_properties[] = { MAPPING("l") };
static const struct property legacy_mapping_properties[] = { MAPPING("l"), TEXT("domain_sid") };
static const struct param acl_mapping_params[] = { { "IpAccessControlListSid", PARAM_SID, ON_CREATE | REQUIRED, 0, 0, "AL", 21231 } };
static const struct param cl_mapping_params[] = { { "CredentialListSid", PARAM_SID, ON_CREATE | REQUIRED, 0, 0, "CL", 21231 } };

#define ACL_FROM    "sip_domain_acl_mappings r JOIN ip_access_control_lists l ON l.sid = r.list_sid"
#define CL_FROM(k)  "(SELECT * FROM sip_domain_credential_mappings WHERE kind = '" k "') r JOIN credential_lists l ON l.sid = r.list_sid"
#define ACL_INSERT  "INSERT INTO sip_domain_acl_mappings (account_sid, domain_sid, list_sid) SELECT $1, $3, l.sid FROM ip_access_control_lists l " \
		    "WHERE l.account_sid = $1 AND l.sid = $4 AND $2::text IS NOT NULL RETURNING list_sid"
#define CL_INSERT(k) "INSERT INTO sip_domain_credential_mappings (account_sid, domain_sid, kind, list_sid) " \
		     "SELECT $1, $3, '" k "', l.sid FROM credential_lists l WHERE l.account_sid = $1 AND l.sid = $4 AND $2::text IS NOT NULL RETURNING list_sid"
#define ACL_DELETE  "DELETE FROM sip_domain_acl_mappings WHERE account_sid = $1 AND list_sid = $2 AND domain_sid = $3 RETURNING list_sid"
#define CL_DELETE(k) "DELETE FROM sip_domain_credential_mappings WHERE kind = '" k "' AND account_sid = $1 AND list_sid = $2 AND domain_sid = $3 RETURNING list_sid"

#define MAPPING_ROW(p, pre, key, source, props, rows, ins, del, what)                                                                   \
	{ .path = "/SIP/Domains/@" p, .prefix = pre, .parent_prefix = "SD", .parent_table = "sip_domains", .list_key = key, .from = source, \
	  .sid_sql = "l.sid", .parent_sql = "r.domain_sid", .properties = props, .n_properties = COUNT(props), .params = rows,           \
	  .n_params = COUNT(rows), .insert = ins, .delete_ = del, .duplicate_error = 21231,                                               \
	  .duplicate_text = what " already associated with this domain", .changes_sip = true

/* -- lists and what is in them (§1.4, §1.5) */

static const struct property list_properties[] = { TEXT("sid"), TEXT("account_sid"), TEXT("friendly_name"), DATES };
static const struct param acl_params[] = { { "FriendlyName", PARAM_TEXT, ON_BOTH | REQUIRED | REQUIRED_U, 1, 255, NULL, 21235 } };
static const struct param cl_params[] = { { "FriendlyName", PARAM_TEXT, ON_BOTH | REQUIRED | REQUIRED_U, 1, 64, NULL, 21240 } };
static const char *const acl_subs[] = { "ip_addresses", "/IpAddresses.json", NULL };
static const char *const cl_subs[] = { "credentials", "/Credentials.json", NULL };

#define LIST_INSERT(t) "INSERT INTO " t " (account_sid, sid, friendly_name) SELECT $1, $2, $4 WHERE $3::text IS NOT NULL RETURNING sid"
#define LIST_UPDATE(t) \
	"UPDATE " t " SET friendly_name = $4, date_updated = now() WHERE account_sid = $1 AND sid = $2 AND $3::text IS NOT NULL RETURNING sid"
#define LIST_DELETE(t) "DELETE FROM " t " WHERE account_sid = $1 AND sid = $2 AND $3::text IS NOT NULL RETURNING sid"

static const struct property ip_properties[] = {
	TEXT("sid"), TEXT("account_sid"), TEXT("friendly_name"), AS("ip_address", "host(r.ip_address)"),
	{ "cidr_prefix_length", "r.cidr_prefix_length", PROPERTY_INT, false }, TEXT("ip_access_control_list_sid"), DATES,
};
static const struct param ip_params[] = {
	{ "FriendlyName", PARAM_TEXT, ON_BOTH | REQUIRED, 1, 255, NULL, 21238 },
	{ "IpAddress", PARAM_IP, ON_BOTH | REQUIRED, 0, 0, NULL, 21238 },
	{ "CidrPrefixLength", PARAM_INT, ON_BOTH, 0, 32, NULL, 21238 },
};
static const char ip_insert[] = "INSERT INTO ip_addresses (account_sid, sid, ip_access_control_list_sid, friendly_name, ip_address, cidr_prefix_length) "
				"VALUES ($1, $2, $3, $4, $5::inet, coalesce($6::int, 32)) RETURNING sid";
static const char ip_update[] = "UPDATE ip_addresses SET " KEEPT("friendly_name", 4) ", ip_address = coalesce($5::inet, ip_address), "
				"cidr_prefix_length = coalesce($6::int, cidr_prefix_length), date_updated = now() "
				"WHERE account_sid = $1 AND sid = $2 AND ip_access_control_list_sid = $3 RETURNING sid";
static const char ip_delete[] = "DELETE FROM ip_addresses WHERE account_sid = $1 AND sid = $2 AND ip_access_control_list_sid = $3 RETURNING sid";

static const struct property credential_properties[] = { TEXT("sid"), TEXT("account_sid"), TEXT("credential_list_sid"), TEXT("username"), DATES };
static const struct param credential_params[] = {
	{ "Username", PARAM_TEXT, ON_CREATE | REQUIRED, 1, 32, NULL, 21243 },
	{ "Password", PARAM_PASSWORD, ON_BOTH | REQUIRED, 0, 0, NULL, 21243 },
	/* Computed by the hook, never taken from a client. */
	{ "", PARAM_TEXT, 0, 0, 0, NULL, 0 },
	{ "", PARAM_TEXT, 0, 0, 0, NULL, 0 },
	{ "", PARAM_TEXT, 0, 0, 0, NULL, 0 },
};
static const char credential_insert[] =
	"INSERT INTO credentials (account_sid, sid, credential_list_sid, username, realm, ha1_md5, ha1_sha256) "
	"SELECT $1, $2, $3, $4, $6, $7, $8 WHERE $5::text IS NULL RETURNING sid";
static const char credential_update[] =
	"UPDATE credentials SET realm = coalesce($6, realm), ha1_md5 = coalesce($7, ha1_md5), ha1_sha256 = coalesce($8, ha1_sha256), date_updated = now() "
	"WHERE account_sid = $1 AND sid = $2 AND credential_list_sid = $3 AND $4::text IS NULL AND $5::text IS NULL RETURNING sid";
static const char credential_delete[] =
	"DELETE FROM credentials WHERE account_sid = $1 AND sid = $2 AND credential_list_sid = $3 RETURNING sid";

/* -- Calls (§1.6) */

static const struct property call_properties[] = {
	TEXT("sid"), TEXT("account_sid"), TEXT("parent_call_sid"), AS("to", "r.\"to\""), AS("to_formatted", "r.\"to\""), AS("from", "r.\"from\""),
	AS("from_formatted", "r.\"from\""), AS("phone_number_sid", "NULL"), TEXT("status"),
	{ "start_time", "r.start_time", PROPERTY_DATE, false }, { "end_time", "r.end_time", PROPERTY_DATE, false }, TEXT("duration"),
	AS("price", "NULL"), AS("price_unit", "'USD'"), TEXT("direction"), TEXT("answered_by"), AS("api_version", "'2010-04-01'"),
	TEXT("forwarded_from"), AS("group_sid", "NULL"), TEXT("caller_name"), AS("queue_time", "'0'"), AS("trunk_sid", "NULL"), DATES,
};
static const struct filter call_filters[] = {
	{ "To", PARAM_TEXT, "r.\"to\" = $?", NULL },
	{ "From", PARAM_TEXT, "r.\"from\" = $?", NULL },
	{ "ParentCallSid", PARAM_SID, "r.parent_call_sid = $?", "CA" },
	{ "Status", PARAM_ENUM, "r.status = $?", "queued|ringing|in-progress|completed|busy|failed|no-answer|canceled" },
	{ "StartTime", PARAM_TEXT, "(r.start_time AT TIME ZONE 'UTC')::date = ($?)::timestamptz::date", NULL },
	{ "StartTime<", PARAM_TEXT, "r.start_time < ($? || ' UTC')::timestamptz", NULL },
	{ "StartTime>", PARAM_TEXT, "r.start_time >= ($? || ' UTC')::timestamptz", NULL },
	{ "EndTime", PARAM_TEXT, "(r.end_time AT TIME ZONE 'UTC')::date = ($?)::timestamptz::date", NULL },
	{ "EndTime<", PARAM_TEXT, "r.end_time < ($? || ' UTC')::timestamptz", NULL },
	{ "EndTime>", PARAM_TEXT, "r.end_time >= ($? || ' UTC')::timestamptz", NULL },
};
static const struct param call_params[] = {
	{ "Url", PARAM_URL, ON_UPDATE, 0, 0, NULL, 21205 },
	{ "Method", PARAM_METHOD, ON_UPDATE, 0, 0, NULL, 21209 },
	{ "Status", PARAM_ENUM, ON_UPDATE, 0, 0, "canceled|completed", 20422 },
	{ "FallbackUrl", PARAM_URL, ON_UPDATE, 0, 0, NULL, 21205 },
	{ "FallbackMethod", PARAM_METHOD, ON_UPDATE, 0, 0, NULL, 21209 },
	{ "StatusCallback", PARAM_URL, ON_UPDATE, 0, 0, NULL, 21205 },
	{ "StatusCallbackMethod", PARAM_METHOD, ON_UPDATE, 0, 0, NULL, 21209 },
	{ "Twiml", PARAM_TEXT, ON_UPDATE, 1, 4000, NULL, 32018 },
	{ "TimeLimit", PARAM_INT, ON_UPDATE, 1, 86400, NULL, 20422 },
};
static const char *const call_subs[] = { "notifications", "/Notifications.json", "recordings", "/Recordings.json", NULL };

/* -- Notifications (§1.10) */

static const struct property notification_properties[] = {
	TEXT("sid"), TEXT("account_sid"), TEXT("call_sid"), AS("api_version", "'2010-04-01'"), AS("log", "r.log::text"),
	AS("error_code", "r.error_code::text"), AS("more_info", "'https://www.twilio.com/docs/errors/' || r.error_code"), TEXT("message_text"),
	{ "message_date", "r.message_date", PROPERTY_DATE, false }, AS("request_method", "r.request_method"), TEXT("request_url"),
	{ "request_variables", "r.request_variables", PROPERTY_TEXT, true }, { "response_headers", "r.response_headers", PROPERTY_TEXT, true },
	{ "response_body", "r.response_body", PROPERTY_TEXT, true }, DATES,
};
static const struct filter notification_filters[] = {
	{ "Log", PARAM_ENUM, "r.log::text = $?", "0|1" },
	{ "MessageDate", PARAM_TEXT, "(r.message_date AT TIME ZONE 'UTC')::date = ($?)::timestamptz::date", NULL },
	{ "MessageDate<", PARAM_TEXT, "r.message_date < ($? || ' UTC')::timestamptz", NULL },
	{ "MessageDate>", PARAM_TEXT, "r.message_date >= ($? || ' UTC')::timestamptz", NULL },
};

#define NOTIFICATION_ROW                                                                                                                     \
	.prefix = "NO", .list_key = "notifications", .from = "notifications r", .sid_sql = "r.sid", .newest_first = true,                     \
	.properties = notification_properties, .n_properties = COUNT(notification_properties), .filters = notification_filters,                \
	.n_filters = COUNT(notification_filters), .shows_uri = true

static const struct resource table[] = {
	{ .path = "/SIP/Domains", .prefix = "SD", .list_key = "domains", .from = "sip_domains r", .sid_sql = "r.sid",
	  .properties = domain_properties, .n_properties = COUNT(domain_properties), .params = domain_params, .n_params = COUNT(domain_params),
	  .subresources = domain_subs, .shows_uri = true, .insert = domain_insert, .update = domain_update, .delete_ = domain_delete,
	  .limit = 100, .limit_error = 21230, .duplicate_error = 21232, .duplicate_text = "already exists.", .duplicate_named = true,
	  .changes_sip = true, .before_create = domain_before_write, .before_update = domain_before_write, .before_delete = domain_before_delete },

	MAPPING_ROW("/Auth/Calls/IpAccessControlListMappings", "AL", "contents", ACL_FROM, mapping_properties, acl_mapping_params, ACL_INSERT,
		    ACL_DELETE, "IpAccessControlList") },
	MAPPING_ROW("/Auth/Calls/CredentialListMappings", "CL", "contents", CL_FROM("calls"), mapping_properties, cl_mapping_params,
		    CL_INSERT("calls"), CL_DELETE("calls"), "CredentialList") },
	MAPPING_ROW("/Auth/Registrations/CredentialListMappings", "CL", "contents", CL_FROM("registrations"), mapping_properties,
		    cl_mapping_params, CL_INSERT("registrations"), CL_DELETE("registrations"), "CredentialList") },
	MAPPING_ROW("/IpAccessControlListMappings", "AL", "ip_access_control_list_mappings", ACL_FROM, legacy_mapping_properties,
		    acl_mapping_params, ACL_INSERT, ACL_DELETE, "IpAccessControlList"), .shows_uri = true },
	MAPPING_ROW("/CredentialListMappings", "CL", "credential_list_mappings", CL_FROM("calls"), legacy_mapping_properties, cl_mapping_params,
		    CL_INSERT("calls"), CL_DELETE("calls"), "CredentialList"), .shows_uri = true },

	{ .path = "/SIP/IpAccessControlLists", .prefix = "AL", .list_key = "ip_access_control_lists", .from = "ip_access_control_lists r",
	  .sid_sql = "r.sid", .properties = list_properties, .n_properties = COUNT(list_properties), .params = acl_params,
	  .n_params = COUNT(acl_params), .subresources = acl_subs, .shows_uri = true, .insert = LIST_INSERT("ip_access_control_lists"),
	  .update = LIST_UPDATE("ip_access_control_lists"), .delete_ = LIST_DELETE("ip_access_control_lists"), .limit = 1000,
	  .limit_error = 21255, .duplicate_error = 21235, .duplicate_text = "An IpAccessControlList with this FriendlyName already exists",
	  .in_use_error = 21236, .changes_sip = true },
	{ .path = "/SIP/IpAccessControlLists/@/IpAddresses", .prefix = "IP", .parent_prefix = "AL", .parent_table = "ip_access_control_lists",
	  .list_key = "ip_addresses", .from = "ip_addresses r", .sid_sql = "r.sid", .parent_sql = "r.ip_access_control_list_sid",
	  .properties = ip_properties, .n_properties = COUNT(ip_properties), .params = ip_params, .n_params = COUNT(ip_params),
	  .shows_uri = true, .insert = ip_insert, .update = ip_update, .delete_ = ip_delete, .limit = 100, .limit_error = 21237,
	  .duplicate_error = 21235, .duplicate_text = "This address is already in the list", .changes_sip = true },

	{ .path = "/SIP/CredentialLists", .prefix = "CL", .list_key = "credential_lists", .from = "credential_lists r", .sid_sql = "r.sid",
	  .properties = list_properties, .n_properties = COUNT(list_properties), .params = cl_params, .n_params = COUNT(cl_params),
	  .subresources = cl_subs, .shows_uri = true, .insert = LIST_INSERT("credential_lists"), .update = LIST_UPDATE("credential_lists"),
	  .delete_ = LIST_DELETE("credential_lists"), .limit = 100, .limit_error = 21239, .duplicate_error = 21240,
	  .duplicate_text = "A CredentialList with this FriendlyName already exists", .in_use_error = 21241, .changes_sip = true },
	{ .path = "/SIP/CredentialLists/@/Credentials", .prefix = "CR", .parent_prefix = "CL", .parent_table = "credential_lists",
	  .list_key = "credentials", .from = "credentials r", .sid_sql = "r.sid", .parent_sql = "r.credential_list_sid",
	  .properties = credential_properties, .n_properties = COUNT(credential_properties), .params = credential_params,
	  .n_params = COUNT(credential_params), .shows_uri = true, .insert = credential_insert, .update = credential_update,
	  .delete_ = credential_delete, .limit = 1000, .limit_error = 21242, .duplicate_error = 21243,
	  .duplicate_text = "This Username is already in the list", .changes_sip = true, .before_create = credential_before_create,
	  .before_update = credential_before_update },

	{ .path = "/Calls", .prefix = "CA", .list_key = "calls", .from = "calls r", .sid_sql = "r.sid", .newest_first = true,
	  .properties = call_properties, .n_properties = COUNT(call_properties), .filters = call_filters, .n_filters = COUNT(call_filters),
	  .params = call_params, .n_params = COUNT(call_params), .subresources = call_subs, .shows_uri = true, .instead_of_update = call_update },
	{ .path = "/Notifications", NOTIFICATION_ROW },
	{ .path = "/Calls/@/Notifications", .parent_prefix = "CA", .parent_table = "calls", .parent_sql = "r.call_sid", NOTIFICATION_ROW },
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
