#include "api/idempotency.h"

#include "api/request.h"
#include "io/db.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#define FINGERPRINT_SIZE (2 * SHA256_DIGEST_LENGTH + 1)

/* Of what was asked: the same key with another body is a mistake of the client's. */
static void fingerprint_of(char ret[FINGERPRINT_SIZE], const struct api_request *q)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	struct buf b;

	buf_init(&b, strlen(q->in->path) + q->in->body_len + 2);
	buf_addf(&b, "%s\n", q->in->path);
	buf_add(&b, q->in->body, q->in->body_len);
	SHA256((const unsigned char *)(b.data ? b.data : ""), b.len, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
	buf_done(&b);
}

bool idempotency_key_ok(const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < n; i++)
		if (key[i] < 0x21 || key[i] > 0x7e)
			return false;
	return n && n <= IDEMPOTENCY_KEY_MAX;
}

static int replay(struct api_request *q, const char *const params[2], const char *fingerprint)
{
	struct db_result *res;
	bool same;
	int r = db_exec(&res, q->db,
			"SELECT fingerprint, sid FROM idempotency_keys WHERE account_sid = $1 AND "
			"key = $2",
			2, params);

	if (r < 0)
		return api_db_error(q, r);
	same = db_rows(res) && !strcmp(db_value(res, 0, 0), fingerprint);
	if (same)
		snprintf(q->sid, sizeof(q->sid), "%s", db_value(res, 0, 1));
	db_result_free(res);
	if (!same)
		return api_error(q, 20409,
				 "Idempotency-Key was used for another request; take a new one");
	api_header(q, "Idempotent-Replayed", "true");
	return 1;
}

int idempotency_claim(struct api_request *q)
{
	/* A few that are over go with each that comes: the table stays as large as a day. */
	static const char sql[] =
		"WITH over AS (DELETE FROM idempotency_keys WHERE ctid IN (SELECT ctid FROM "
		"idempotency_keys WHERE date_created < now() - interval '24 hours' "
		"AND (account_sid, key) <> ($1, $2) LIMIT 10 FOR UPDATE SKIP LOCKED)) "
		"INSERT INTO idempotency_keys AS k (account_sid, key, fingerprint, sid) "
		"VALUES ($1, $2, $3, $4) ON CONFLICT (account_sid, key) DO UPDATE SET "
		"fingerprint = excluded.fingerprint, sid = excluded.sid, date_created = now() "
		"WHERE k.date_created < now() - interval '24 hours' RETURNING sid";
	const char *key = q->in->idempotency_key;
	char fingerprint[FINGERPRINT_SIZE];
	const char *params[] = { q->account_sid, key, fingerprint, q->sid };
	struct db_result *res;
	int r;

	if (!key)
		return 0;
	if (!idempotency_key_ok(key))
		return api_error(q, 20422,
				 "Idempotency-Key must have 1 to %d visible ASCII characters",
				 IDEMPOTENCY_KEY_MAX);
	fingerprint_of(fingerprint, q);
	r = db_exec(&res, q->db, sql, 4, params);
	if (r < 0)
		return api_db_error(q, r);
	r = db_rows(res);
	db_result_free(res);
	return r ? 0 : replay(q, params, fingerprint);
}
