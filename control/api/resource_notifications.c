/* Notifications (sip-and-rest.md §1.10): of the account, and those of one call. */
#include "api/table.h"

static const struct property properties[] = {
	TEXT("sid"),
	TEXT("account_sid"),
	TEXT_OR_NULL("call_sid"),
	VERSION,
	TEXT("log"),
	TEXT("error_code"),
	AS("more_info", "'https://www.twilio.com/docs/errors/' || r.error_code"),
	TEXT("message_text"),
	DATE("message_date"),
	TEXT_OR_NULL("request_method"),
	TEXT_OR_NULL("request_url"),
	DETAIL("request_variables"),
	DETAIL("response_headers"),
	DETAIL("response_body"),
	DATES,
};
static const struct filter filters[] = {
	{ "Log", PARAM_ENUM, "r.log = $?::smallint", "0|1" },
	DATE_FILTERS("MessageDate", "r.message_date"),
};

#define NOTIFICATION_ROW                                                                           \
	.prefix = "NO", .element = "Notification", .list_key = "notifications",                    \
	.table = "notifications", .sid_column = "sid", .newest_first = true,                       \
	TABLE(properties, properties), TABLE(filters, filters), .shows_uri = true

const struct resource resource_notifications = { .path = "/Notifications", NOTIFICATION_ROW };

const struct resource resource_call_notifications = {
	.path = "/Calls/@/Notifications",
	.name = "CallNotification",
	.parent_prefix = "CA",
	.parent_table = "calls",
	.parent_column = "call_sid",
	NOTIFICATION_ROW,
};
