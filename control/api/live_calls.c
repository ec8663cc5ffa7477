/* What REST does to calls: the update of a live one goes to the engine. */
#include "api/hooks.h"

#include "api/request.h"
#include "base/clock.h"
#include "call/control.h"
#include "io/db.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define SETTLE_MS      2000
#define SETTLE_STEP_MS 10

/* Rows of the parameter table. */
enum { URL, METHOD, STATUS, FALLBACK_URL, FALLBACK_METHOD, STATUS_CALLBACK, STATUS_CALLBACK_METHOD, TWIML, TIME_LIMIT };

/* 1 when the call has ended, 0 when it lives; less than 0 and answered when there is none. */
static int has_ended(struct api_request *q)
{
	const char *params[] = { q->account_sid, q->sid };
	struct db_result *res;
	int r = db_exec(&res, q->db,
			"SELECT status NOT IN ('queued', 'ringing', 'in-progress') FROM calls WHERE account_sid = $1 AND sid = $2", 2,
			params);

	if (r < 0)
		return api_db_error(q, r);
	r = db_rows(res) ? *db_value(res, 0, 0) == 't' : api_not_found(q);
	db_result_free(res);
	return r;
}

/* The engine's row is written a moment after its answer: the reply shows the call as it is by then. */
static int await_end(struct api_request *q)
{
	const struct timespec step = { .tv_nsec = SETTLE_STEP_MS * 1000000L };
	uint64_t until_ms = clock_mono_ms() + SETTLE_MS;
	int r;

	while (!(r = has_ended(q)) && clock_mono_ms() < until_ms)
		nanosleep(&step, NULL);
	return r < 0 ? r : 0;
}

static const char *given(const char *value)
{
	return value && *value ? value : NULL;
}

int call_update(struct api_request *q)
{
	const char *const *v = q->values;
	const struct call_command command = {
		.call_sid = q->sid,
		.account_sid = q->account_sid,
		.status = given(v[STATUS]),
		.url = given(v[URL]),
		.method = given(v[METHOD]),
		.twiml = given(v[TWIML]),
		.fallback_url = given(v[FALLBACK_URL]),
		.fallback_method = given(v[FALLBACK_METHOD]),
		.status_callback = given(v[STATUS_CALLBACK]),
		.status_callback_method = given(v[STATUS_CALLBACK_METHOD]),
		.time_limit = v[TIME_LIMIT] ? atoi(v[TIME_LIMIT]) : 0,
	};
	int code = 0, r;

	r = q->options->calls ? call_control(q->options->calls, &command, &code) : -ENOENT;
	switch (r) {
	case 0:
		return command.status ? await_end(q) : 0;
	case -ENOENT:
		if (has_ended(q) < 0)
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

int call_before_delete(struct api_request *q)
{
	int ended = has_ended(q);

	if (ended < 0)
		return ended;
	return ended ? 0 : api_error(q, 20009, NULL);
}
