/* What was counted of each secure leg of a call (docs/secure-media.md); ours. */
#include "api/table.h"

static const struct property properties[] = {
	TEXT("protocol"),	 TEXT("crypto_suite"), INT("packets_received"),
	INT("packets_rejected"), INT("packets_sent"),  DATE("date_created"),
};

const struct resource resource_call_media = {
	.path = "/Calls/@/Media",
	.element = "Medium",
	.name = "CallMedia",
	.parent_prefix = "CA",
	.parent_table = "calls",
	.parent_column = "call_sid",
	.prefix = "MD",
	.list_key = "media",
	.list_only = true,
	.table = "call_media",
	.sid_column = "sid",
	TABLE(properties, properties),
};
