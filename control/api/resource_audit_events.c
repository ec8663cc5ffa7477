/* Who changed what through REST: rows that the writes themselves leave (statements.c). */
#include "api/table.h"

static const struct property properties[] = {
	TEXT("sid"),	       TEXT("account_sid"),
	TEXT("actor_sid"),     TEXT("source_ip_address"),
	TEXT("action"),	       TEXT("resource_path"),
	TEXT("resource_sid"),  TEXT("request_id"),
	JSON("changes", NULL), DATE("event_date"),
};
static const struct filter filters[] = {
	{ "ActorSid", PARAM_TEXT, "r.actor_sid = $?", NULL },
	{ "ResourceSid", PARAM_TEXT, "r.resource_sid = $?", NULL },
	{ "Action", PARAM_ENUM, "r.action = $?", "create|update|delete" },
	DATE_FILTERS("EventDate", "r.event_date"),
};

const struct resource resource_audit_events = {
	.path = "/AuditEvents",
	.element = "AuditEvent",
	.main_only = true,
	.prefix = "AE",
	.list_key = "audit_events",
	.table = "audit_events",
	.sid_column = "sid",
	.newest_first = true,
	TABLE(properties, properties),
	TABLE(filters, filters),
	.shows_uri = true,
};
