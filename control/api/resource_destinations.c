/* Destinations: where an account's calls may go (docs/hostile-internet.md). Beyond Twilio. */
#include "api/table.h"

#include "base/config.h"

#include <string.h>

static const struct property properties[] = {
	TEXT("sid"),	TEXT("account_sid"), TEXT_OR_NULL("friendly_name"),
	TEXT("target"), BOOL("allowed"),     DATES,
};
static const struct param params[] = {
	{ "Target", PARAM_TEXT, ON_BOTH | REQUIRED, 1, 200,
	  "abcdefghijklmnopqrstuvwxyz" DIGITS "+*._:-", 20422, "target", NULL },
	{ "Allowed", PARAM_BOOL, ON_BOTH, 0, 0, NULL, 20422, "allowed", "true" },
	{ "FriendlyName", PARAM_TEXT, ON_BOTH, 0, 64, NULL, 20422, "friendly_name", NULL },
};

/* Rows of the parameter table. */
enum { TARGET };

static int check(struct api_request *q)
{
	const char *t = q->values[TARGET];
	size_t n = t ? strlen(t) : 0;

	if (!t)
		return 0;
	if (*t == '+') {
		if (n > 16 || strspn(t + 1, DIGITS) != n - 1)
			return api_error(q, 20422,
					 "Target: a prefix of numbers is + and up to 15 digits");
		return 0;
	}
	if (!strcmp(t, "*"))
		return 0;
	if (strpbrk(t, "+*") || t[n - 1] == '.' || strstr(t, ".."))
		return api_error(q, 20422,
				 "Target is the beginning of a number (+49), a host "
				 "(pbx.example.com, 192.0.2.1), a domain with all hosts below it "
				 "(.example.com), or * for every host");
	return 0;
}

const struct resource resource_sip_destinations = {
	.path = "/SIP/Destinations",
	.element = "Destination",
	.name = "SipDestination",
	.prefix = "GD",
	.list_key = "destinations",
	.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE,
	.table = "sip_destinations",
	.sid_column = "sid",
	TABLE(properties, properties),
	TABLE(params, params),
	.shows_uri = true,
	.limit = AT_LIMIT(limit_sip_destinations),
	.limit_error = 20422,
	.duplicate_error = 20409,
	.duplicate_text = "Target: the account has a destination @ already",
	.before_create = check,
	.before_update = check,
};
