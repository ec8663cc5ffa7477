#include "api/auth.h"

#include "api/request.h"
#include "base/clock.h"
#include "base/config.h"
#include "io/db.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CACHE_SLOTS 64
#define CACHE_MS    5000

/* What this thread learned of accounts lately: a request costs no SQL for its authentication. The
 * token is kept as a hash. */
struct cached {
	char user[AUTH_CREDENTIALS_MAX], account[SID_SIZE];
	unsigned char token_hash[SHA256_DIGEST_LENGTH];
	bool active, owns; /* user may act at all; account is its own or owned by it */
	uint64_t until_ms;
};

static _Thread_local struct cached cache[CACHE_SLOTS];

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
	return api_error(q, 20003, "Authentication Error - %s", why);
}

/* The token is user's; account is user's own or owned by it. Fills the slot. */
static int look_up(struct api_request *q, struct cached *slot, const char *user)
{
	static const char sql[] = "SELECT u.auth_token, u.status = 'active' AND o.status = "
				  "'active', a.sid IS NOT NULL FROM accounts u "
				  "JOIN accounts o ON o.sid = u.owner_account_sid "
				  "LEFT JOIN accounts a ON a.sid = $2 AND (a.sid = u.sid OR "
				  "a.owner_account_sid = u.sid) WHERE u.sid = $1";
	const char *params[] = { user, q->account_sid };
	struct db_result *res;
	const char *token;
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
	token = db_value(res, 0, 0);
	SHA256((const unsigned char *)token, strlen(token), slot->token_hash);
	snprintf(slot->user, sizeof(slot->user), "%s", user);
	snprintf(slot->account, sizeof(slot->account), "%s", q->account_sid);
	slot->active = *db_value(res, 0, 1) == 't';
	slot->owns = *db_value(res, 0, 2) == 't';
	slot->until_ms = clock_mono_ms() + CACHE_MS;
	db_result_free(res);
	return 0;
}

int auth_check(struct api_request *q)
{
	char credentials[AUTH_CREDENTIALS_MAX], *password;
	unsigned char hash[SHA256_DIGEST_LENGTH];
	struct cached *slot;
	int r;

	if (!q->in->authorization)
		return denied(q, "No credentials provided");
	if (!auth_decode(credentials, &password, q->in->authorization) ||
	    !sid_valid(credentials, "AC"))
		return denied(q, "invalid username");
	slot = slot_of(credentials, q->account_sid);
	if (slot->until_ms < clock_mono_ms() || strcmp(slot->user, credentials) ||
	    strcmp(slot->account, q->account_sid)) {
		r = look_up(q, slot, credentials);
		if (r < 0)
			return r;
	}
	SHA256((const unsigned char *)password, strlen(password), hash);
	if (CRYPTO_memcmp(hash, slot->token_hash, sizeof(hash)))
		return denied(q, "invalid password");
	if (!slot->active)
		return api_error(q, 20005, NULL);
	return slot->owns ? 0 : api_not_found(q);
}

int auth_bootstrap(struct db *db, const struct config *config)
{
	const char *params[] = { config->account_sid, config->auth_token };

	return db_exec(NULL, db,
		       "INSERT INTO accounts (sid, owner_account_sid, friendly_name, auth_token) "
		       "VALUES ($1, $1, 'First account', $2) "
		       "ON CONFLICT (sid) DO UPDATE SET auth_token = $2, date_updated = now() "
		       "WHERE accounts.auth_token <> $2",
		       2, params);
}
