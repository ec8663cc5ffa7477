/* SIP domains (sip-and-rest.md §1.1). */
#include "api/table.h"

#include "api/domain_name.h"
#include "base/config.h"
#include "io/db.h"

/* What guards the domain, in the order in which the first of each kind came. */
#define AUTH_TYPE                                                                                  \
	"(SELECT coalesce(string_agg(t, ',' ORDER BY since, t DESC), '') FROM "                    \
	"(SELECT 'IP_ACL' AS t, min(m.date_created) AS since FROM sip_domain_acl_mappings m "      \
	"WHERE m.domain_sid = r.sid "                                                              \
	"HAVING count(*) > 0 UNION ALL "                                                           \
	"SELECT 'CREDENTIAL_LIST', min(m.date_created) FROM sip_domain_credential_mappings m "     \
	"WHERE m.domain_sid = r.sid AND m.kind = 'calls' HAVING count(*) > 0 UNION ALL "           \
	"SELECT 'CLIENT_CERTIFICATE', min(c.date_created) FROM sip_client_certificates c "         \
	"WHERE c.domain_sid = r.sid HAVING count(*) > 0) AS x)"

static const struct property properties[] = {
	TEXT("sid"),
	TEXT("account_sid"),
	VERSION,
	AS("auth_type", AUTH_TYPE),
	TEXT("domain_name"),
	TEXT_OR_NULL("friendly_name"),
	TEXT_OR_NULL("voice_url"),
	TEXT("voice_method"),
	TEXT_OR_NULL("voice_fallback_url"),
	TEXT("voice_fallback_method"),
	TEXT_OR_NULL("voice_status_callback_url"),
	TEXT("voice_status_callback_method"),
	BOOL("sip_registration"),
	BOOL("secure"),
	BOOL_OR_NULL("srtp_optional"),
	BOOL("emergency_calling_enabled"),
	TEXT_OR_NULL("emergency_caller_sid"),
	TEXT_OR_NULL("byoc_trunk_sid"),
	DATES,
};
static const struct param params[] = {
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
	{ "SrtpOptional", PARAM_BOOL, ON_BOTH, 0, 0, NULL, 21231, "srtp_optional", NULL },
	{ "EmergencyCallingEnabled", PARAM_BOOL, ON_BOTH, 0, 0, NULL, 21231,
	  "emergency_calling_enabled", "false" },
	{ "EmergencyCallerSid", PARAM_SID, ON_BOTH, 0, 0, "PN", 21231, "emergency_caller_sid",
	  NULL },
	{ "ByocTrunkSid", PARAM_SID, ON_BOTH, 0, 0, "BY", 21231, "byoc_trunk_sid", NULL },
};
static const struct subresource subresources[] = {
	{ "ip_access_control_list_mappings", "/IpAccessControlListMappings" },
	{ "credential_list_mappings", "/CredentialListMappings" },
};

static const struct hook_error hook_errors[] = {
	{ 21233, CAN_UPDATE | CAN_DELETE },
};

/* b.NAME only where NAME belongs to the account or its owner; the lock keeps NAME until b is there.
 */
static int check_parent(struct api_request *q, const char *parent)
{
	const char *ids[] = { q->account_sid, parent };
	int r = api_ask(q,
			"SELECT 1 FROM sip_domains d WHERE d.domain_name = $2 AND d.account_sid IN "
			"(SELECT unnest(ARRAY[a.sid, a.owner_account_sid]) FROM accounts a "
			"WHERE a.sid = $1) FOR KEY SHARE OF d",
			2, ids);

	if (r)
		return r < 0 ? r : 0;
	return api_error(q, 21231,
			 "DomainName is below %s, which is no domain of this account or its owner",
			 parent);
}

/* The row is locked: no subdomain comes while this looks. */
static int check_no_subdomains(struct api_request *q, const char *what)
{
	const char *ids[] = { q->account_sid, q->sid };
	int r = api_ask(q,
			"SELECT 1 FROM sip_domains d JOIN sip_domains s "
			"ON right(s.domain_name, length(d.domain_name) + 1) = '.' || d.domain_name "
			"WHERE d.account_sid = $1 AND d.sid = $2 LIMIT 1",
			2, ids);

	if (r <= 0)
		return r;
	return api_error(q, 21233, "The domain still has subdomains; delete them before you %s it",
			 what);
}

/* Puts the name as it is stored to q->values[0]. */
static int check_name(struct api_request *q)
{
	const char *base = q->options->config->sip_domain, *parent, *want;
	char name[DOMAIN_NAME_SIZE];

	want = domain_name_check(name, &parent, q->values[0], base);
	if (want)
		return api_error(q, 21231, "DomainName %s", want);
	if (domain_name_reserved(name, base, q->account_sid))
		return api_error(
			q, 21231,
			"DomainName: a name that is an account's SID is reserved for that account");
	if (parent && check_parent(q, parent) < 0)
		return -1;
	q->values[0] = api_keep(q, name);
	return q->values[0] ? 0 : api_error(q, 20500, NULL);
}

static int before_create(struct api_request *q)
{
	return check_name(q);
}

static int before_update(struct api_request *q)
{
	const char *ids[] = { q->account_sid, q->sid, NULL };
	int r;

	if (!q->values[0])
		return 0;
	r = check_name(q);
	if (r < 0)
		return r;
	ids[2] = q->values[0];
	r = api_ask(q,
		    "SELECT 1 FROM sip_domains WHERE account_sid = $1 AND sid = $2 AND domain_name "
		    "<> $3",
		    3, ids);
	return r > 0 ? check_no_subdomains(q, "rename") : r;
}

static int before_delete(struct api_request *q)
{
	return check_no_subdomains(q, "delete");
}

const struct resource resource_sip_domains = {
	.path = "/SIP/Domains",
	.element = "Domain",
	.name = "SipDomain",
	.prefix = "SD",
	.list_key = "domains",
	.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE,
	.table = "sip_domains",
	.sid_column = "sid",
	TABLE(properties, properties),
	TABLE(params, params),
	.shows_uri = true,
	TABLE(subresources, subresources),
	.limit = AT_LIMIT(limit_sip_domains),
	.limit_error = 21230,
	.duplicate_error = 21232,
	.duplicate_text = "Domain @ already exists.",
	.changes_sip = true,
	.before_create = before_create,
	.before_update = before_update,
	.before_delete = before_delete,
	TABLE(hook_errors, hook_errors),
};
