/* API keys (sip-and-rest.md §1.10), under both of their names. The secret is shown once, kept as a
 * hash. */
#include "api/table.h"

#include "base/config.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#define SECRET_LEN 32

static const struct property properties[] = { TEXT("sid"), TEXT("friendly_name"), DATES };
static const struct param params[] = {
	{ "FriendlyName", PARAM_TEXT, ON_BOTH, 0, 64, NULL, 20002, "friendly_name", "" },
	{ "", PARAM_TEXT, COMPUTED, 0, 0, NULL, 0, NULL, NULL },
	{ "", PARAM_TEXT, COMPUTED, 0, 0, NULL, 0, "secret_hash", NULL },
};

/* Rows of the parameter table. */
enum { FRIENDLY_NAME, SECRET, SECRET_HASH };

static int before_create(struct api_request *q)
{
	char secret[SECRET_LEN + 1], hex[2 * SHA256_DIGEST_LENGTH + 1];
	unsigned char digest[SHA256_DIGEST_LENGTH];

	random_hex(secret, SECRET_LEN);
	SHA256((const unsigned char *)secret, strlen(secret), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	q->values[SECRET] = api_keep(q, secret);
	q->values[SECRET_HASH] = api_keep(q, hex);
	return q->values[SECRET] && q->values[SECRET_HASH] ? 0 : api_error(q, 20500, NULL);
}

/* A create that was sent again under its Idempotency-Key has no secret to show. */
static int created(struct api_request *q, json_t *json)
{
	if (q->values[SECRET])
		json_object_set_new(json, "secret", json_string(q->values[SECRET]));
	return 201;
}

#define KEY_ROW                                                                                    \
	.element = "Key", .main_only = true, .prefix = "SK",                                       \
	.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE, .table = "keys", .sid_column = "sid",         \
	TABLE(properties, properties), TABLE(params, params), .limit = AT_LIMIT(limit_keys),       \
	.limit_error = 20422, .before_create = before_create, .created = created,                  \
	.shown_once = "secret"

const struct resource resource_keys = {
	.path = "/Keys",
	.create_name = "NewKey",
	.list_key = "keys",
	KEY_ROW,
};
const struct resource resource_signing_keys = {
	.path = "/SigningKeys",
	.name = "SigningKey",
	.create_name = "NewSigningKey",
	.list_key = "signing_keys",
	KEY_ROW,
};
