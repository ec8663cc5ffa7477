#include "api/auth.h"

#include "api/rate.h"
#include "api/request.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/process.h"
#include "io/db.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CACHE_SLOTS 64
#define CACHE_MS    5000
#define HASH_SIZE   (2 * SHA256_DIGEST_LENGTH + 1)

/* What this thread learned of accounts and keys lately: a request costs no SQL for its
 * authentication. Secrets are kept as hashes, as hex. */
struct cached {
	char user[AUTH_CREDENTIALS_MAX], account[SID_SIZE], actor_account[SID_SIZE];
	char hash[2][HASH_SIZE]; /* of the token or secret, and of a secondary token; "" none */
	bool active, owns;	 /* user may act at all; account is its own or owned by it */
	unsigned generation;
	uint64_t until_ms;
};

static _Atomic unsigned own_generation, *generation = &own_generation;
static _Thread_local struct cached cache[CACHE_SLOTS];

int auth_share(void)
{
	generation = process_shared(sizeof(*generation));
	return generation ? 0 : -ENOMEM;
}

static struct cached *slot_of(const char *user, const char *account)
{
	unsigned h = 5381;

	for (const char *s = user; *s; s++)
		h = h * 33 + (unsigned char)*s;
	for (const char *s = account; *s; s++)
		h = h * 33 + (unsigned char)*s;
	return &cache[h % CACHE_SLOTS];
}

bool auth_decode(char ret[AUTH_CREDENTIALS_MAX], char **password, const char *header)
{
	unsigned char text[AUTH_CREDENTIALS_MAX];
	size_t len;
	int n;

	if (!header || strncasecmp(header, "Basic ", 6))
		return false;
	header += 6 + strspn(header + 6, " ");
	len = strlen(header);
	if (!len || len % 4 || len / 4 * 3 >= sizeof(text))
		return false;
	n = EVP_DecodeBlock(text, (const unsigned char *)header, (int)len);
	if (n < 0)
		return false;
	n -= (header[len - 1] == '=') + (header[len - 2] == '=');
	if (memchr(text, '\0', (size_t)n))
		return false;
	memcpy(ret, text, (size_t)n);
	ret[n] = '\0';
	*password = strchr(ret, ':');
	if (!*password)
		return false;
	*(*password)++ = '\0';
	return true;
}

static int denied(struct api_request *q, const char *why)
{
	rate_count_failure(q);
	return api_error(q, 20003, "Authentication Error - %s", why);
}

static void hash_of(char ret[HASH_SIZE], const char *secret)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)secret, strlen(secret), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

/* user: hashes of what opens it, its account, whether that may act, whether it is, or owns, $2 */
#define LOOK_UP(hashes, from)                                                                      \
	"SELECT " hashes ", u.sid, u.status = 'active' AND o.status = 'active', "                  \
	"a.sid FROM " from "JOIN accounts o ON o.sid = u.owner_account_sid "                       \
	"LEFT JOIN accounts a ON a.sid = coalesce(nullif($2, ''), u.sid) AND (a.sid = u.sid OR "   \
	"a.owner_account_sid = u.sid) "
#define TEXT_HASH(column) "encode(sha256(convert_to(" column ", 'UTF8')), 'hex')"

static const char look_up_account[] =
	LOOK_UP(TEXT_HASH("u.auth_token") ", " TEXT_HASH("u.secondary_auth_token"),
		"accounts u ") "WHERE u.sid = $1";
static const char look_up_key[] =
	LOOK_UP("k.secret_hash, NULL",
		"keys k JOIN accounts u ON u.sid = k.account_sid ") "WHERE k.sid = $1";

static void keep(char *ret, size_t size, const char *value)
{
	size_t n = value ? strnlen(value, size - 1) : 0;

	memcpy(ret, value ? value : "", n);
	ret[n] = '\0';
}

/* Fills the slot; 0, or answered. */
static int look_up(struct api_request *q, struct cached *slot, const char *user)
{
	const char *params[] = { user, q->account_sid };
	const char *sql = user[0] == 'S' ? look_up_key : look_up_account;
	unsigned now = *generation;
	struct db_result *res;
	int r = db_exec(&res, q->db, sql, 2, params);

	if (r == -EIO)
		r = db_exec(&res, q->db, sql, 2, params);
	if (r < 0)
		return api_db_error(q, r);
	slot->until_ms = 0;
	if (!db_rows(res)) {
		db_result_free(res);
		return denied(q, "invalid username");
	}
	keep(slot->user, sizeof(slot->user), user);
	keep(slot->account, sizeof(slot->account), q->account_sid);
	keep(slot->hash[0], HASH_SIZE, db_value(res, 0, 0));
	keep(slot->hash[1], HASH_SIZE, db_value(res, 0, 1));
	keep(slot->actor_account, SID_SIZE, db_value(res, 0, 2));
	slot->active = *db_value(res, 0, 3) == 't';
	slot->owns = db_value(res, 0, 4) != NULL;
	slot->generation = now;
	slot->until_ms = clock_mono_ms() + CACHE_MS;
	db_result_free(res);
	return 0;
}

static bool opens(const struct cached *slot, const char *password)
{
	char hash[HASH_SIZE];
	int first, second;

	hash_of(hash, password);
	first = CRYPTO_memcmp(hash, slot->hash[0], HASH_SIZE - 1);
	second = CRYPTO_memcmp(hash, slot->hash[1], HASH_SIZE - 1);
	return !first || !second;
}

int auth_check(struct api_request *q)
{
	char credentials[AUTH_CREDENTIALS_MAX], *password;
	struct cached *slot;
	int r;

	if (!q->in->authorization)
		return api_error(q, 20003, "Authentication Error - No credentials provided");
	if (rate_check_client(q) < 0)
		return -EPROTO;
	if (!auth_decode(credentials, &password, q->in->authorization) ||
	    (!sid_valid(credentials, "AC") && !sid_valid(credentials, "SK")))
		return denied(q, "invalid username");
	slot = slot_of(credentials, q->account_sid);
	if (slot->until_ms < clock_mono_ms() || slot->generation != *generation ||
	    strcmp(slot->user, credentials) || strcmp(slot->account, q->account_sid)) {
		r = look_up(q, slot, credentials);
		if (r < 0)
			return r;
	}
	if (!opens(slot, password))
		return denied(q, "invalid password");
	if (!slot->active)
		return api_error(q, 20005, NULL);
	if (!slot->owns)
		return api_not_found(q);
	keep(q->actor_sid, SID_SIZE, credentials);
	keep(q->actor_account, SID_SIZE, slot->actor_account);
	if (!q->account_sid[0])
		keep(q->account_sid, SID_SIZE, slot->actor_account);
	return 0;
}

int auth_check_main(struct api_request *q)
{
	if (q->actor_sid[0] == 'A')
		return 0;
	return api_error(q, 20006,
			 "An API key manages neither accounts nor keys; use the account's SID and "
			 "auth token");
}

void auth_forget(void)
{
	++*generation;
}

int auth_bootstrap(struct db *db, const struct config *config)
{
	const char *params[] = { config->account_sid, config->auth_token };

	return db_exec(NULL, db,
		       "INSERT INTO accounts (sid, owner_account_sid, friendly_name, auth_token, "
		       "configured_token_hash) "
		       "VALUES ($1, $1, 'First account', $2, " TEXT_HASH(
			       "$2") ") "
				     "ON CONFLICT (sid) DO UPDATE SET auth_token = $2, "
				     "date_updated = now(), "
				     "configured_token_hash = excluded.configured_token_hash "
				     "WHERE accounts.configured_token_hash IS DISTINCT FROM "
				     "excluded.configured_token_hash",
		       2, params);
}
