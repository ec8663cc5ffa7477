/*
 * Caller IDs that an account may show (sip-and-rest.md §1.10). On a platform of one's own the
 * operator answers for the numbers: no call asks the owner of the number for the code, the caller
 * ID is valid at once (docs/api.md).
 */
#include "api/table.h"

#include <stdio.h>
#include <stdlib.h>

#define CODE_LEN 6

static const struct property properties[] = {
	TEXT("sid"), TEXT("account_sid"), TEXT("friendly_name"), TEXT("phone_number"), DATES,
};
static const struct param params[] = {
	{ "PhoneNumber", PARAM_NUMBER, ON_CREATE | REQUIRED, 0, 0, NULL, 21211, NULL, NULL },
	{ "FriendlyName", PARAM_TEXT, ON_BOTH, 0, 64, NULL, 20002, "friendly_name", "" },
	{ "CallDelay", PARAM_INT, ON_CREATE, 0, 60, NULL, 20422, NULL, NULL },
	{ "Extension", PARAM_TEXT, ON_CREATE, 0, 32, NULL, 20422, NULL, NULL },
	{ "StatusCallback", PARAM_URL, ON_CREATE, 0, 0, NULL, 21205, NULL, NULL },
	{ "StatusCallbackMethod", PARAM_METHOD, ON_CREATE, 0, 0, NULL, 21209, NULL, NULL },
};
static const struct property created_properties[] = {
	TEXT("account_sid"),	 TEXT("friendly_name"),
	TEXT("phone_number"),	 AS_OR_NULL("call_sid", "NULL"),
	TEXT("validation_code"),
};
static const struct filter filters[] = {
	{ "PhoneNumber", PARAM_TEXT, "r.phone_number = $?", NULL },
	{ "FriendlyName", PARAM_TEXT, "r.friendly_name = $?", NULL },
};

/* A validation request is what the create answers with. */
static int created(struct api_request *q, json_t *json)
{
	char hex[CODE_LEN + 1], code[24];

	(void)q;
	random_hex(hex, CODE_LEN);
	snprintf(code, sizeof(code), "%06ld", strtol(hex, NULL, 16) % 1000000);
	json_object_del(json, "sid");
	json_object_del(json, "uri");
	json_object_del(json, "date_created");
	json_object_del(json, "date_updated");
	json_object_set_new(json, "call_sid", json_null());
	json_object_set_new(json, "validation_code", json_string(code));
	return 200;
}

const struct resource resource_outgoing_caller_ids = {
	.path = "/OutgoingCallerIds",
	.element = "OutgoingCallerId",
	.create_name = "ValidationRequest",
	.prefix = "PN",
	.list_key = "outgoing_caller_ids",
	.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE,
	.table = "outgoing_caller_ids",
	.sid_column = "sid",
	TABLE(properties, properties),
	TABLE(params, params),
	TABLE(filters, filters),
	.shows_uri = true,
	.insert = "INSERT INTO outgoing_caller_ids (sid, account_sid, phone_number, friendly_name) "
		  "VALUES ($S, $A, $0, coalesce(nullif($1, ''), $0)) RETURNING sid",
	.duplicate_error = 20409,
	.duplicate_text = "PhoneNumber: @ is a caller ID of this account already",
	.created = created,
	TABLE(created_properties, created_properties),
	.created_status = 200,
};
