/* Calls (sip-and-rest.md §1.6): rows that the engine wrote; the update of a live one goes to it. */
#include "api/table.h"

#include "base/clock.h"
#include "call/control.h"
#include "io/db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SETTLE_MS      2000
#define SETTLE_STEP_MS 10

static const struct property properties[] = {
	TEXT("sid"),
	TEXT("account_sid"),
	TEXT_OR_NULL("parent_call_sid"),
	AS("to", "r.\"to\""),
	AS("to_formatted", "r.\"to\""),
	AS("from", "r.\"from\""),
	AS("from_formatted", "r.\"from\""),
	TEXT_OR_NULL("phone_number_sid"),
	TEXT("status"),
	DATE_OR_NULL("start_time"),
	DATE_OR_NULL("end_time"),
	TEXT_OR_NULL("duration"),
	AS_OR_NULL("price", "NULL"),
	AS("price_unit", "'USD'"),
	TEXT("direction"),
	TEXT_OR_NULL("answered_by"),
	VERSION,
	TEXT_OR_NULL("forwarded_from"),
	AS_OR_NULL("group_sid", "NULL"),
	TEXT_OR_NULL("caller_name"),
	AS("queue_time", "'0'"),
	AS_OR_NULL("trunk_sid", "NULL"),
	DATES,
};
static const struct filter filters[] = {
	{ "To", PARAM_TEXT, "r.\"to\" = $?", NULL },
	{ "From", PARAM_TEXT, "r.\"from\" = $?", NULL },
	{ "ParentCallSid", PARAM_SID, "r.parent_call_sid = $?", "CA" },
	{ "Status", PARAM_ENUM, "r.status = $?",
	  "queued|ringing|in-progress|completed|busy|failed|no-answer|canceled" },
	DATE_FILTERS("StartTime", "r.start_time"),
	DATE_FILTERS("EndTime", "r.end_time"),
};
static const struct param params[] = {
	{ "Url", PARAM_URL, ON_UPDATE, 0, 0, NULL, 21205, NULL, NULL },
	{ "Method", PARAM_METHOD, ON_UPDATE, 0, 0, NULL, 21209, NULL, NULL },
	{ "Status", PARAM_ENUM, ON_UPDATE, 0, 0, "canceled|completed", 20422, NULL, NULL },
	{ "FallbackUrl", PARAM_URL, ON_UPDATE, 0, 0, NULL, 21205, NULL, NULL },
	{ "FallbackMethod", PARAM_METHOD, ON_UPDATE, 0, 0, NULL, 21209, NULL, NULL },
	{ "StatusCallback", PARAM_URL, ON_UPDATE, 0, 0, NULL, 21205, NULL, NULL },
	{ "StatusCallbackMethod", PARAM_METHOD, ON_UPDATE, 0, 0, NULL, 21209, NULL, NULL },
	{ "Twiml", PARAM_TEXT, ON_UPDATE, 0, 4000, NULL, 32018, NULL, NULL },
	{ "TimeLimit", PARAM_INT, ON_UPDATE, 1, 86400, NULL, 20422, NULL, NULL },
};
/* As clients know them; those that are no rows of this table are not served. */
static const struct subresource subresources[] = {
	{ "notifications", "/Notifications" },
	{ "recordings", "/Recordings" },
	{ "payments", "/Payments" },
	{ "events", "/Events" },
	{ "siprec", "/Siprec" },
	{ "streams", "/Streams" },
	{ "transcriptions", "/Transcriptions" },
	{ "user_defined_messages", "/UserDefinedMessages" },
	{ "user_defined_message_subscriptions", "/UserDefinedMessageSubscriptions" },
};

/* Of an update: there is no live call, or its TwiML is refused. */
static const struct hook_error hook_errors[] = {
	{ 21220, CAN_UPDATE }, { 11750, CAN_UPDATE }, { 12100, CAN_UPDATE }, { 12101, CAN_UPDATE },
	{ 12102, CAN_UPDATE }, { 15004, CAN_UPDATE }, { 20009, CAN_DELETE },
};

/* Rows of the parameter table. */
enum {
	URL,
	METHOD,
	STATUS,
	FALLBACK_URL,
	FALLBACK_METHOD,
	STATUS_CALLBACK,
	STATUS_CALLBACK_METHOD,
	TWIML,
	TIME_LIMIT
};

/* 1 when the call has ended, 0 when it lives; less than 0 and answered when there is none. */
static int has_ended(struct api_request *q)
{
	const char *ids[] = { q->account_sid, q->sid };
	int r = api_ask(q, "SELECT 1 FROM calls WHERE account_sid = $1 AND sid = $2", 2, ids);

	if (r <= 0)
		return r < 0 ? r : api_not_found(q);
	return api_ask(q,
		       "SELECT 1 FROM calls WHERE account_sid = $1 AND sid = $2 "
		       "AND status NOT IN ('queued', 'ringing', 'in-progress')",
		       2, ids);
}

/*
 * The engine's row is written a moment after its answer: the reply shows the call as it is by then.
 * An answered call is not canceled.
 */
static int await_end(struct api_request *q, const char *status)
{
	const char *ids[] = { q->account_sid, q->sid,
			      strcmp(status, "canceled") ? "in-progress" : "" };
	const struct timespec step = { .tv_nsec = SETTLE_STEP_MS * 1000000L };
	uint64_t until_ms = clock_mono_ms() + SETTLE_MS;
	int r;

	while ((r = api_ask(q,
			    "SELECT 1 FROM calls WHERE account_sid = $1 AND sid = $2 "
			    "AND status IN ('queued', 'ringing', $3)",
			    3, ids)) > 0 &&
	       clock_mono_ms() < until_ms)
		nanosleep(&step, NULL);
	return r < 0 ? r : 0;
}

static const char *given(const char *value)
{
	return value && *value ? value : NULL;
}

static int update(struct api_request *q)
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
		return command.status ? await_end(q, command.status) : 0;
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

static int before_delete(struct api_request *q)
{
	int ended = has_ended(q);

	if (ended < 0)
		return ended;
	return ended ? 0 : api_error(q, 20009, NULL);
}

const struct resource resource_calls = {
	.path = "/Calls",
	.element = "Call",
	.prefix = "CA",
	.list_key = "calls",
	.can = CAN_UPDATE | CAN_DELETE,
	.table = "calls",
	.sid_column = "sid",
	.newest_first = true,
	TABLE(properties, properties),
	TABLE(params, params),
	TABLE(filters, filters),
	.shows_uri = true,
	TABLE(subresources, subresources),
	.before_delete = before_delete,
	.instead_of_update = update,
	TABLE(hook_errors, hook_errors),
};
