/* What REST does to calls: the update of a live one goes to the engine. */
#include "api/hooks.h"

#include "api/resource.h"
#include "call/control.h"
#include "io/db.h"

#include <errno.h>
#include <stdlib.h>

/* Rows of the parameter table. */
enum { URL, METHOD, STATUS, FALLBACK_URL, FALLBACK_METHOD, STATUS_CALLBACK, STATUS_CALLBACK_METHOD, TWIML, TIME_LIMIT };

/* 0: the call is there; else answered. */
static int check_exists(struct api_request *q)
{
	const char *params[] = { q->account_sid, q->sid };
	struct db_result *res;
	int rows, r = db_exec(&res, q->db, "SELECT 1 FROM calls WHERE account_sid = $1 AND sid = $2", 2, params);

	if (r < 0)
		return api_db_error(q, r);
	rows = db_rows(res);
	db_result_free(res);
	return rows ? 0 : api_not_found(q);
}

int call_update(struct api_request *q, const struct resource *resource)
{
	const char *const *v = q->values;
	const struct call_command command = {
		.call_sid = q->sid,
		.account_sid = q->account_sid,
		.status = v[STATUS],
		.url = v[URL] && *v[URL] ? v[URL] : NULL,
		.method = v[METHOD],
		.twiml = v[TWIML],
		.fallback_url = v[FALLBACK_URL],
		.fallback_method = v[FALLBACK_METHOD],
		.status_callback = v[STATUS_CALLBACK],
		.status_callback_method = v[STATUS_CALLBACK_METHOD],
		.time_limit = v[TIME_LIMIT] ? atoi(v[TIME_LIMIT]) : 0,
	};
	int code = 0, r;

	(void)resource;
	r = q->options->calls ? call_control(q->options->calls, &command, &code) : -ENOENT;
	switch (r) {
	case 0:
		return 0;
	case -ENOENT:
		if (check_exists(q) < 0)
			return -EPROTO;
		return api_error(q, 21220, "Call is not in-progress. Cannot redirect.");
	case -EBADMSG:
		return api_error(q, code ? code : 12100, NULL);
	case -ETIMEDOUT:
		return api_error(q, 20503, "The call engine did not answer in time; try again");
	default:
		return api_error(q, 20500, NULL);
	}
}
