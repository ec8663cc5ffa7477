/* Balance and usage. A platform of one's own bills nobody: the balance is 0, calls have no price,
 * and usage counts calls and their minutes (docs/api.md). */
#include "api/table.h"

static const struct property balance_properties[] = {
	AS("account_sid", "r.sid"),
	AS("balance", "'0.00'"),
	AS("currency", "'USD'"),
};
static const struct property usage_properties[] = {
	TEXT("account_sid"),
	VERSION,
	TEXT("category"),
	TEXT("description"),
	TEXT("count"),
	AS("count_unit", "'calls'"),
	AS("usage", "r.minutes"),
	AS("usage_unit", "'minutes'"),
	AS("price", "'0'"),
	AS("price_unit", "'usd'"),
	AS_OR_NULL("start_date", "to_char(r.start_date AT TIME ZONE 'UTC', 'YYYY-MM-DD')"),
	AS_OR_NULL("end_date", "to_char(r.end_date AT TIME ZONE 'UTC', 'YYYY-MM-DD')"),
	AS("as_of", "to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"')"),
};
static const struct filter usage_filters[] = {
	{ "Category", PARAM_TEXT, "r.category = $?", NULL },
};

const struct resource resource_balance = {
	.path = "/Balance",
	.element = "Balance",
	.singleton = true,
	.prefix = "AC",
	.table = "accounts",
	.scope = "r.sid = $A",
	.sid_column = "sid",
	TABLE(properties, balance_properties),
};

const struct resource resource_usage_records = {
	.path = "/Usage/Records",
	.element = "UsageRecord",
	.list_only = true,
	.prefix = "UR",
	.list_key = "usage_records",
	.table = "usage_records",
	.sid_column = "category",
	TABLE(properties, usage_properties),
	TABLE(filters, usage_filters),
};
