/* Applications (sip-and-rest.md §1.10): a set of webhook addresses under one SID. */
#include "api/table.h"

static const struct property properties[] = {
	TEXT("sid"),
	TEXT("account_sid"),
	VERSION,
	TEXT_OR_NULL("friendly_name"),
	TEXT_OR_NULL("voice_url"),
	TEXT("voice_method"),
	TEXT_OR_NULL("voice_fallback_url"),
	TEXT("voice_fallback_method"),
	TEXT_OR_NULL("status_callback"),
	TEXT("status_callback_method"),
	BOOL("voice_caller_id_lookup"),
	TEXT_OR_NULL("sms_url"),
	TEXT("sms_method"),
	TEXT_OR_NULL("sms_fallback_url"),
	TEXT("sms_fallback_method"),
	TEXT_OR_NULL("sms_status_callback"),
	TEXT_OR_NULL("message_status_callback"),
	BOOL("public_application_connect_enabled"),
	DATES,
};
static const struct param params[] = {
	{ "FriendlyName", PARAM_TEXT, ON_BOTH, 0, 64, NULL, 20002, "friendly_name", NULL },
	URL_PARAM("VoiceUrl", "voice_url"),
	METHOD_PARAM("VoiceMethod", "voice_method"),
	URL_PARAM("VoiceFallbackUrl", "voice_fallback_url"),
	METHOD_PARAM("VoiceFallbackMethod", "voice_fallback_method"),
	URL_PARAM("StatusCallback", "status_callback"),
	METHOD_PARAM("StatusCallbackMethod", "status_callback_method"),
	BOOL_PARAM("VoiceCallerIdLookup", "voice_caller_id_lookup"),
	URL_PARAM("SmsUrl", "sms_url"),
	METHOD_PARAM("SmsMethod", "sms_method"),
	URL_PARAM("SmsFallbackUrl", "sms_fallback_url"),
	METHOD_PARAM("SmsFallbackMethod", "sms_fallback_method"),
	URL_PARAM("SmsStatusCallback", "sms_status_callback"),
	URL_PARAM("MessageStatusCallback", "message_status_callback"),
	BOOL_PARAM("PublicApplicationConnectEnabled", "public_application_connect_enabled"),
	VERSION_PARAM,
};
static const struct filter filters[] = {
	{ "FriendlyName", PARAM_TEXT, "r.friendly_name = $?", NULL },
};

const struct resource resource_applications = {
	.path = "/Applications",
	.element = "Application",
	.prefix = "AP",
	.list_key = "applications",
	.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE,
	.table = "applications",
	.sid_column = "sid",
	TABLE(properties, properties),
	TABLE(params, params),
	TABLE(filters, filters),
	.shows_uri = true,
	.changes_sip = true,
};
