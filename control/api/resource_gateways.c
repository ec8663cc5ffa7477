/* SIP gateways: where calls to numbers go (docs/gateways.md). Beyond Twilio. */
#include "api/table.h"

#include "base/config.h"
#include "io/db.h"
#include "proto/sip_target.h"
#include "proto/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct property properties[] = {
	TEXT("sid"),
	TEXT("account_sid"),
	TEXT_OR_NULL("friendly_name"),
	TEXT("prefix"),
	TEXT("host"),
	INT("strip"),
	TEXT("prepend"),
	TEXT_OR_NULL("username"),
	{ "authenticates", "r.username IS NOT NULL", PROPERTY_BOOL, false, false },
	DATES,
};
static const struct param params[] = {
	{ "Prefix", PARAM_TEXT, ON_BOTH, 1, 16, DIGITS "+", 20422, "prefix", "+" },
	{ "Host", PARAM_TEXT, ON_BOTH | REQUIRED, 1, 200, NULL, 21211, "host", NULL },
	{ "FriendlyName", PARAM_TEXT, ON_BOTH, 0, 64, NULL, 20422, "friendly_name", NULL },
	{ "Strip", PARAM_INT, ON_BOTH, 0, 15, NULL, 20422, "strip", "0" },
	{ "Prepend", PARAM_TEXT, ON_BOTH, 0, 32, LETTERS DIGITS "+*-_.", 20422, "prepend", "" },
	{ "Username", PARAM_TEXT, ON_BOTH, 0, 64, NULL, 21222, "username", NULL },
	{ "Password", PARAM_TEXT, ON_BOTH | HIDDEN, 0, 64, NULL, 21224, "password", NULL },
};

/* Rows of the parameter table. */
enum { PREFIX, HOST, FRIENDLY_NAME, STRIP, PREPEND, USERNAME, PASSWORD };

static int check(struct api_request *q)
{
	const char *const *v = q->values;
	struct sip_target_error error = { 0 };
	struct sip_target target;
	char uri[256];
	int r;

	if (v[PREFIX] && (*v[PREFIX] != '+' || strchr(v[PREFIX] + 1, '+')))
		return api_error(q, 20422,
				 "Prefix is the beginning of a number in E.164: + and digits");
	if (text_has_controls(v[USERNAME]))
		return api_error(q, 21222, "Username has a control character");
	if (text_has_controls(v[PASSWORD]))
		return api_error(q, 21224, "Password has a control character");
	if (!v[HOST])
		return 0;
	if (strpbrk(v[HOST], "@?"))
		return api_error(q, 21211, "Host is host[:port][;transport=udp|tcp|tls]");
	snprintf(uri, sizeof(uri), "sip:1@%s", v[HOST]);
	r = sip_target_parse(&target, uri, &error);
	if (r == -ENOMEM)
		return api_error(q, 20500, NULL);
	if (r < 0)
		return api_error(q, 21211, "Host: %s", error.text);
	sip_target_done(&target);
	return 0;
}

const struct resource resource_sip_gateways = {
	.path = "/SIP/Gateways",
	.element = "Gateway",
	.name = "SipGateway",
	.prefix = "GW",
	.list_key = "gateways",
	.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE,
	.table = "sip_gateways",
	.sid_column = "sid",
	TABLE(properties, properties),
	TABLE(params, params),
	.shows_uri = true,
	.limit = AT_LIMIT(limit_sip_gateways),
	.limit_error = 20422,
	.duplicate_error = 20409,
	.duplicate_text = "Prefix: the account has a gateway for @ already",
	.before_create = check,
	.before_update = check,
};
