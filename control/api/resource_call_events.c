/* What a call asked web applications and what they answered (sip-and-rest.md §1.10, Appendix A). */
#include "api/table.h"

#define REQUEST                                                                                    \
	"json_build_object('method', r.request_method, 'url', r.request_url, 'parameters', "       \
	"r.request_parameters)"
/* What is wrong with a document stands among the call's Notifications. */
#define RESPONSE                                                                                   \
	"json_build_object('response_code', r.response_code, 'request_duration', "                 \
	"r.request_duration, 'content_type', r.content_type, 'response_body', r.response_body, "   \
	"'date_created', to_char(r.date_created AT TIME ZONE 'UTC', "                              \
	"'Dy, DD Mon YYYY HH24:MI:SS \"+0000\"'), 'validation_errors', '[]'::json)"

static const struct property properties[] = {
	JSON("request", REQUEST),
	JSON("response", RESPONSE),
};

const struct resource resource_call_events = {
	.path = "/Calls/@/Events",
	.element = "Event",
	.name = "CallEvent",
	.parent_prefix = "CA",
	.parent_table = "calls",
	.parent_column = "call_sid",
	.prefix = "EV",
	.list_key = "events",
	.list_only = true,
	.table = "call_events",
	.sid_column = "sid",
	TABLE(properties, properties),
};
