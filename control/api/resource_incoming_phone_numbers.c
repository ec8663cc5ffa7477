/*
 * Numbers that an account owns (sip-and-rest.md §1.10). The operator says which: there is no stock
 * to buy from. A call to such a number at the account's SIP gateway, the SIP domain whose name is
 * the account's SID, runs the number's VoiceUrl (docs/api.md).
 */
#include "api/table.h"

#include "io/db.h"

#include <string.h>

static const struct property properties[] = {
	TEXT("sid"),
	TEXT("account_sid"),
	TEXT("phone_number"),
	AS("friendly_name", "coalesce(r.friendly_name, r.phone_number)"),
	VERSION,
	AS("address_requirements", "'none'"),
	AS("origin", "'hosted'"),
	AS("status", "'in-use'"),
	AS("type", "'local'"),
	JSON("beta", "'false'"),
	JSON("capabilities", "'{\"voice\":true,\"sms\":false,\"mms\":false,\"fax\":false}'"),
	TEXT_OR_NULL("voice_url"),
	TEXT("voice_method"),
	TEXT_OR_NULL("voice_fallback_url"),
	TEXT("voice_fallback_method"),
	TEXT_OR_NULL("voice_application_sid"),
	BOOL("voice_caller_id_lookup"),
	TEXT("voice_receive_mode"),
	TEXT_OR_NULL("status_callback"),
	TEXT("status_callback_method"),
	TEXT_OR_NULL("sms_url"),
	TEXT("sms_method"),
	TEXT_OR_NULL("sms_fallback_url"),
	TEXT("sms_fallback_method"),
	TEXT_OR_NULL("sms_application_sid"),
	TEXT_OR_NULL("trunk_sid"),
	TEXT_OR_NULL("address_sid"),
	TEXT_OR_NULL("identity_sid"),
	TEXT_OR_NULL("bundle_sid"),
	TEXT("emergency_status"),
	TEXT_OR_NULL("emergency_address_sid"),
	AS("emergency_address_status", "'unregistered'"),
	DATES,
};

/* Rows of the parameter table that hooks know; the others follow. */
enum { PHONE_NUMBER, ACCOUNT, VOICE_APPLICATION, SMS_APPLICATION };

static const struct param params[] = {
	{ "PhoneNumber", PARAM_NUMBER, ON_CREATE | REQUIRED, 0, 0, NULL, 21211, "phone_number",
	  NULL },
	{ "AccountSid", PARAM_SID, ON_UPDATE, 1, 0, "AC", 20422, "account_sid", NULL },
	{ "VoiceApplicationSid", PARAM_SID, ON_BOTH, 0, 0, "AP", 21218, "voice_application_sid",
	  NULL },
	{ "SmsApplicationSid", PARAM_SID, ON_BOTH, 0, 0, "AP", 21218, "sms_application_sid", NULL },
	{ "FriendlyName", PARAM_TEXT, ON_BOTH, 0, 64, NULL, 20002, "friendly_name", NULL },
	URL_PARAM("VoiceUrl", "voice_url"),
	METHOD_PARAM("VoiceMethod", "voice_method"),
	URL_PARAM("VoiceFallbackUrl", "voice_fallback_url"),
	METHOD_PARAM("VoiceFallbackMethod", "voice_fallback_method"),
	URL_PARAM("StatusCallback", "status_callback"),
	METHOD_PARAM("StatusCallbackMethod", "status_callback_method"),
	BOOL_PARAM("VoiceCallerIdLookup", "voice_caller_id_lookup"),
	{ "VoiceReceiveMode", PARAM_ENUM, ON_BOTH, 0, 0, "voice", 20422, "voice_receive_mode",
	  "voice" },
	URL_PARAM("SmsUrl", "sms_url"),
	METHOD_PARAM("SmsMethod", "sms_method"),
	URL_PARAM("SmsFallbackUrl", "sms_fallback_url"),
	METHOD_PARAM("SmsFallbackMethod", "sms_fallback_method"),
	{ "TrunkSid", PARAM_SID, ON_BOTH, 0, 0, "TK", 20422, "trunk_sid", NULL },
	{ "EmergencyStatus", PARAM_ENUM, ON_BOTH, 0, 0, "Active|Inactive", 20422,
	  "emergency_status", "Inactive" },
	{ "EmergencyAddressSid", PARAM_SID, ON_BOTH, 0, 0, "AD", 20422, "emergency_address_sid",
	  NULL },
	{ "IdentitySid", PARAM_SID, ON_BOTH, 0, 0, "RI", 20422, "identity_sid", NULL },
	{ "AddressSid", PARAM_SID, ON_BOTH, 0, 0, "AD", 20422, "address_sid", NULL },
	{ "BundleSid", PARAM_SID, ON_BOTH, 0, 0, "BU", 20422, "bundle_sid", NULL },
	VERSION_PARAM,
};
static const struct filter filters[] = {
	{ "PhoneNumber", PARAM_TEXT, "r.phone_number LIKE '%' || replace($?, '*', '%') || '%'",
	  NULL },
	{ "FriendlyName", PARAM_TEXT, "coalesce(r.friendly_name, r.phone_number) = $?", NULL },
	{ "Beta", PARAM_BOOL, "$? = 'false'", NULL },
	{ "Origin", PARAM_ENUM, "$? = 'hosted'", "hosted|twilio" },
};

static int check_application(struct api_request *q, int row)
{
	const char *ids[] = { q->account_sid, q->values[row] };
	int r;

	if (!ids[1] || !*ids[1])
		return 0;
	r = api_ask(q,
		    "SELECT 1 FROM applications WHERE account_sid = $1 AND sid = $2 FOR KEY SHARE",
		    2, ids);
	if (r)
		return r < 0 ? r : 0;
	return api_error(q, 21218, "%s: there is no such application in this account",
			 params[row].name);
}

static int before_create(struct api_request *q)
{
	return check_application(q, VOICE_APPLICATION) < 0 ? -1
							   : check_application(q, SMS_APPLICATION);
}

/* A number goes to another account of the same owner; applications stay behind. */
static int check_move(struct api_request *q)
{
	const char *ids[] = { q->actor_account, q->values[ACCOUNT] };
	int r = api_ask(q,
			"SELECT 1 FROM accounts WHERE sid = $2 AND status = 'active' "
			"AND (sid = $1 OR owner_account_sid = $1)",
			2, ids);

	if (r <= 0)
		return r < 0 ? r
			     : api_error(q, 20404, "AccountSid: there is no such active account");
	if (strcmp(q->values[ACCOUNT], q->account_sid)) {
		q->values[VOICE_APPLICATION] = "";
		q->values[SMS_APPLICATION] = "";
	}
	return 0;
}

static int before_update(struct api_request *q)
{
	if (q->values[ACCOUNT] && check_move(q) < 0)
		return -1;
	return before_create(q);
}

static int after_update(struct api_request *q)
{
	if (q->values[ACCOUNT])
		memcpy(q->account_sid, q->values[ACCOUNT], SID_SIZE);
	return 0;
}

const struct resource resource_incoming_phone_numbers = {
	.path = "/IncomingPhoneNumbers",
	.element = "IncomingPhoneNumber",
	.prefix = "PN",
	.list_key = "incoming_phone_numbers",
	.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE,
	.table = "incoming_phone_numbers",
	.sid_column = "sid",
	TABLE(properties, properties),
	TABLE(params, params),
	TABLE(filters, filters),
	.shows_uri = true,
	.duplicate_error = 20409,
	.duplicate_text = "PhoneNumber: @ is an account's already",
	.changes_sip = true,
	.before_create = before_create,
	.before_update = before_update,
	.after_update = after_update,
};
