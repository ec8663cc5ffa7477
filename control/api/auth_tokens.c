#include "api/auth_tokens.h"

#include "api/auth.h"
#include "api/protocol.h"
#include "api/rate.h"
#include "api/request.h"
#include "base/clock.h"
#include "io/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_LEN 32

/* Each answers with the account's token, and both dates. $1 the account; the audit row is of the
 * same statement: $2 its SID, $3 the actor, $4 its address, $5 the request. */
#define AUDITED(write, action, path)                                                               \
	"WITH w AS (" write "), a AS (INSERT INTO audit_events (sid, account_sid, actor_sid, "     \
	"source_ip_address, request_id, action, resource_path, resource_sid, changes) "            \
	"SELECT $2, $1, $3, $4, $5, '" action "', '" path "', $1, '{}' FROM w) "                   \
	"SELECT token, floor(extract(epoch FROM created)), floor(extract(epoch FROM updated)) "    \
	"FROM w"

static const struct auth_tokens_operation operations[] = {
	{ "/v1/AuthTokens/Secondary", "POST", "secondary_auth_token",
	  AUDITED("UPDATE accounts SET secondary_auth_token = $6, secondary_date_created = now(), "
		  "date_updated = now() WHERE sid = $1 AND secondary_auth_token IS NULL "
		  "RETURNING secondary_auth_token AS token, secondary_date_created AS created, "
		  "date_updated AS updated",
		  "create", "/AuthTokens/Secondary"),
	  "There is a secondary auth token already; promote or delete it first", 201, true,
	  "CreateSecondaryAuthToken" },
	{ "/v1/AuthTokens/Secondary", "DELETE", NULL,
	  AUDITED("UPDATE accounts SET secondary_auth_token = NULL, date_updated = now() "
		  "WHERE sid = $1 AND secondary_auth_token IS NOT NULL "
		  "RETURNING '' AS token, date_created AS created, date_updated AS updated",
		  "delete", "/AuthTokens/Secondary"),
	  "There is no secondary auth token", 204, false, "DeleteSecondaryAuthToken" },
	{ "/v1/AuthTokens/Promote", "POST", "auth_token",
	  AUDITED("UPDATE accounts SET auth_token = secondary_auth_token, secondary_auth_token = "
		  "NULL, date_updated = now() WHERE sid = $1 AND secondary_auth_token IS NOT NULL "
		  "RETURNING auth_token AS token, date_created AS created, date_updated AS "
		  "updated",
		  "update", "/AuthTokens/Promote"),
	  "There is no secondary auth token to promote; create one first", 200, false,
	  "UpdateAuthTokenPromotion" },
};
#define N (sizeof(operations) / sizeof(operations[0]))

const struct auth_tokens_operation *auth_tokens_at(size_t index)
{
	return index < N ? &operations[index] : NULL;
}

static json_t *date(const char *seconds)
{
	time_t t = (time_t)strtoll(seconds, NULL, 10);
	struct tm tm;
	char text[32];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

static void answer(struct api_request *q, const struct auth_tokens_operation *o,
		   const struct db_result *res)
{
	json_t *json = NULL;

	if (o->member)
		json = json_pack("{s:s, s:s, s:o, s:o, s:s}", "account_sid", q->account_sid,
				 o->member, db_value(res, 0, 0), "date_created",
				 date(db_value(res, 0, 1)), "date_updated",
				 date(db_value(res, 0, 2)), "url", o->path);
	api_reply(q, o->status, json);
}

static void run(struct api_request *q, const struct auth_tokens_operation *o)
{
	char token[TOKEN_LEN + 1];
	const char *params[] = { q->account_sid, q->audit_sid,	q->actor_sid,
				 q->client.ip,	 q->request_id, token };
	struct db_result *res;
	int r;

	if (auth_check(q) < 0 || rate_check(q) < 0 || auth_check_main(q) < 0)
		return;
	sid_new(q->audit_sid, "AE");
	random_hex(token, TOKEN_LEN);
	r = db_exec(&res, q->db, o->sql, o->makes ? 6 : 5, params);
	if (r < 0) {
		api_db_error(q, r);
		return;
	}
	if (db_rows(res)) {
		answer(q, o, res);
		auth_forget();
		/* Webhooks are signed with the token. */
		if (q->options->changed)
			q->options->changed(q->options->arg, NULL);
	} else {
		api_error(q, o->makes ? 20409 : 20404, "%s", o->none);
	}
	db_result_free(res);
}

bool auth_tokens_serve(struct api_request *q)
{
	char allow[40] = "";

	for (size_t i = 0; i < N; i++) {
		if (strcmp(operations[i].path, q->in->path))
			continue;
		if (!strcmp(operations[i].method, q->method)) {
			run(q, &operations[i]);
			return true;
		}
		snprintf(allow + strlen(allow), sizeof(allow) - strlen(allow), "%s%s",
			 *allow ? ", " : "", operations[i].method);
	}
	if (!*allow)
		return false;
	protocol_not_allowed(q, allow);
	return true;
}
