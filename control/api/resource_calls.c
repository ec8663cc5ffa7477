/* Calls (sip-and-rest.md §1.6): rows that the engine wrote; the update of a live one goes to it. */
#include "api/table.h"

#include "base/clock.h"
#include "base/config.h"
#include "call/call_order.h"
#include "call/control.h"
#include "call/status_callback.h"
#include "io/db.h"
#include "proto/e164.h"
#include "proto/sip_target.h"
#include "proto/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SETTLE_MS      2000
#define SETTLE_STEP_MS 10
#define TIMEOUT_S      60

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
	{ "To", PARAM_TEXT, ON_CREATE | REQUIRED, 1, 2000, NULL, 21201, "\"to\"", NULL },
	{ "From", PARAM_TEXT, ON_CREATE | REQUIRED, 1, 100, NULL, 21213, "\"from\"", NULL },
	{ "CallerId", PARAM_TEXT, ON_CREATE, 0, 100, NULL, 21212, NULL, NULL },
	{ "ApplicationSid", PARAM_SID, ON_CREATE, 0, 0, "AP", 21218, NULL, NULL },
	{ "Url", PARAM_URL, ON_BOTH, 0, 0, NULL, 21205, NULL, NULL },
	{ "Method", PARAM_METHOD, ON_BOTH, 0, 0, NULL, 21209, NULL, NULL },
	{ "FallbackUrl", PARAM_URL, ON_BOTH, 0, 0, NULL, 21205, NULL, NULL },
	{ "FallbackMethod", PARAM_METHOD, ON_BOTH, 0, 0, NULL, 21209, NULL, NULL },
	{ "StatusCallback", PARAM_URL, ON_BOTH, 0, 0, NULL, 21205, NULL, NULL },
	{ "StatusCallbackMethod", PARAM_METHOD, ON_BOTH, 0, 0, NULL, 21209, NULL, NULL },
	{ "Twiml", PARAM_TEXT, ON_BOTH, 0, 4000, NULL, 32018, NULL, NULL },
	{ "TimeLimit", PARAM_INT, ON_BOTH, 1, 86400, NULL, 20422, NULL, NULL },
	{ "Status", PARAM_ENUM, ON_UPDATE, 0, 0, "canceled|completed", 20422, NULL, NULL },
	{ "StatusCallbackEvent", PARAM_TEXT, ON_CREATE | REPEATED, 0, 100, NULL, 20422, NULL,
	  NULL },
	{ "SendDigits", PARAM_TEXT, ON_CREATE, 0, 32, "0123456789ABCDabcd#*wW", 21206, NULL, NULL },
	{ "Timeout", PARAM_INT, ON_CREATE, 1, 600, NULL, 21208, NULL, NULL },
	{ "SipAuthUsername", PARAM_TEXT, ON_CREATE, 0, 255, NULL, 21221, NULL, NULL },
	{ "SipAuthPassword", PARAM_TEXT, ON_CREATE | HIDDEN, 0, 255, NULL, 21223, NULL, NULL },
	{ "MachineDetection", PARAM_ENUM, ON_CREATE, 0, 0, "Enable|DetectMessageEnd", 21234, NULL,
	  NULL },
	{ "MachineDetectionTimeout", PARAM_INT, ON_CREATE, 3, 60, NULL, 21234, NULL, NULL },
	{ "MachineDetectionSpeechThreshold", PARAM_INT, ON_CREATE, 1000, 6000, NULL, 21234, NULL,
	  NULL },
	{ "MachineDetectionSpeechEndThreshold", PARAM_INT, ON_CREATE, 500, 5000, NULL, 21234, NULL,
	  NULL },
	{ "MachineDetectionSilenceTimeout", PARAM_INT, ON_CREATE, 2000, 10000, NULL, 21234, NULL,
	  NULL },
	{ "AsyncAmd", PARAM_BOOL, ON_CREATE, 0, 0, NULL, 21234, NULL, NULL },
	{ "AsyncAmdStatusCallback", PARAM_URL, ON_CREATE, 0, 0, NULL, 21205, NULL, NULL },
	{ "AsyncAmdStatusCallbackMethod", PARAM_METHOD, ON_CREATE, 0, 0, NULL, 21209, NULL, NULL },
	{ "ReferUrl", PARAM_URL, ON_CREATE, 0, 0, NULL, 21205, NULL, NULL },
	{ "ReferMethod", PARAM_METHOD, ON_CREATE, 0, 0, NULL, 21209, NULL, NULL },
	{ "CallReason", PARAM_TEXT, ON_CREATE, 0, 50, NULL, 20422, NULL, NULL },
	{ "status", PARAM_TEXT, COMPUTED, 0, 0, NULL, 20422, "status", NULL },
	{ "direction", PARAM_TEXT, COMPUTED, 0, 0, NULL, 20422, "direction", NULL },
	{ "node", PARAM_TEXT, COMPUTED, 0, 0, NULL, 20422, "node", NULL },
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

/* Of an update: there is no live call, or its TwiML is refused; of a create: what To says. */
static const struct hook_error hook_errors[] = {
	{ 21220, CAN_UPDATE }, { 11750, CAN_UPDATE }, { 12100, CAN_UPDATE }, { 12101, CAN_UPDATE },
	{ 12102, CAN_UPDATE }, { 15004, CAN_UPDATE }, { 20009, CAN_DELETE }, { 21211, CAN_CREATE },
	{ 21222, CAN_CREATE }, { 21224, CAN_CREATE }, { 21225, CAN_CREATE }, { 21227, CAN_CREATE },
	{ 21228, CAN_CREATE }, { 21229, CAN_CREATE }, { 32113, CAN_CREATE },
};

/* Rows of the parameter table. */
enum {
	TO,
	FROM,
	CALLER_ID,
	APPLICATION,
	URL,
	METHOD,
	FALLBACK_URL,
	FALLBACK_METHOD,
	STATUS_CALLBACK,
	STATUS_CALLBACK_METHOD,
	TWIML,
	TIME_LIMIT,
	STATUS,
	EVENTS,
	SEND_DIGITS,
	TIMEOUT,
	USERNAME,
	PASSWORD,
	DETECTION,
	DETECTION_TIMEOUT,
	DETECTION_SPEECH,
	DETECTION_SPEECH_END,
	DETECTION_SILENCE,
	ASYNC_AMD,
	AMD_CALLBACK,
	AMD_CALLBACK_METHOD,
	REFER_URL,
	REFER_METHOD,
	CALL_REASON,
	ROW_STATUS,
	ROW_DIRECTION,
	ROW_NODE,
};

static const char *given(const char *value)
{
	return value && *value ? value : NULL;
}

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

/* The engine writes the row of a call while it asks for the first document: who is asked may be
 * faster. */
static bool awaited(struct api_request *q)
{
	const char *ids[] = { q->account_sid, q->sid };
	const struct call_command nothing = { .call_sid = q->sid, .account_sid = q->account_sid };
	const struct timespec step = { .tv_nsec = SETTLE_STEP_MS * 1000000L };
	uint64_t until_ms = clock_mono_ms() + SETTLE_MS;
	struct db_result *res;
	int code, there = 0;

	if (!q->options->calls || call_control(q->options->calls, &nothing, &code) < 0)
		return false;
	while (!there && clock_mono_ms() < until_ms) {
		if (db_exec(&res, q->db, "SELECT 1 FROM calls WHERE account_sid = $1 AND sid = $2",
			    2, ids) < 0)
			return false;
		there = db_rows(res);
		db_result_free(res);
		if (!there)
			nanosleep(&step, NULL);
	}
	return there;
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

/* -- create: the row is ours, the call the engine's */

/* sip_addr.h's user characters that need no escape and mean nothing elsewhere. */
static bool is_caller(const char *s)
{
	return !s[strspn(s, LETTERS DIGITS "+-_.")];
}

static int check_parties(struct api_request *q)
{
	const char **v = q->values, *to = v[TO];
	struct sip_target_error error = { 0 };
	struct sip_target target = { 0 };
	int r;

	if (given(v[CALLER_ID]))
		v[FROM] = v[CALLER_ID];
	if (!is_caller(v[FROM]))
		return api_error(q, 21212, "From has letters, digits and +-_. and no others");
	if (!strncmp(to, "client:", 7))
		return to[7] ? 0 : api_error(q, 21211, "To: client: needs a name");
	if (*to == '+')
		return e164_ok(to) ? 0 : api_error(q, 21211, "To is no number in E.164");
	r = sip_target_parse(&target, to, &error);
	sip_target_done(&target);
	if (r == -ENOMEM)
		return api_error(q, 20500, NULL);
	return r < 0 ? api_error(q, error.code, "To: %s", error.text) : 0;
}

/* What an application says goes before what the request says. */
static int take_application(struct api_request *q)
{
	static const char sql[] =
		"SELECT voice_url, voice_method, voice_fallback_url, voice_fallback_method, "
		"status_callback, status_callback_method "
		"FROM applications WHERE account_sid = $1 AND sid = $2";
	const char *ids[] = { q->account_sid, q->values[APPLICATION] };
	struct db_result *res;
	int e;

	if (!given(q->values[APPLICATION]))
		return 0;
	e = db_exec(&res, q->db, sql, 2, ids);
	if (e < 0)
		return api_db_error(q, e);
	if (!db_rows(res) || !db_value(res, 0, 0)) {
		db_result_free(res);
		return api_error(q, 21218,
				 "ApplicationSid: there is no such application in this account, or "
				 "it has no VoiceUrl");
	}
	q->values[TWIML] = NULL;
	for (int i = 0; i < 6; i++) {
		const char *value = db_value(res, 0, i);

		q->values[URL + i] = value ? api_keep(q, value) : NULL;
	}
	db_result_free(res);
	return q->values[URL] ? 0 : api_error(q, 20500, NULL);
}

/* The parameter may come several times, and with several words: bits of enum callback_event. */
static int take_events(struct api_request *q, unsigned *ret)
{
	static const char *const names[] = { [CALLBACK_INITIATED] = "initiated",
					     [CALLBACK_RINGING] = "ringing",
					     [CALLBACK_ANSWERED] = "answered",
					     [CALLBACK_COMPLETED] = "completed" };
	const struct form *f = &q->form;

	*ret = 0;
	for (size_t i = 0; i < f->count; i++) {
		const char *p = f->pairs[i].value;
		size_t n, k;

		if (strcmp(f->pairs[i].name, params[EVENTS].name))
			continue;
		for (; *(p += strspn(p, " ,")); p += n) {
			n = strcspn(p, " ,");
			for (k = 0; k < COUNT(names); k++)
				if (strlen(names[k]) == n && !strncmp(names[k], p, n))
					break;
			if (k == COUNT(names))
				return api_error(q, 20422,
						 "StatusCallbackEvent is initiated, ringing, "
						 "answered or completed");
			*ret |= 1u << k;
		}
	}
	if (!*ret)
		*ret = 1u << CALLBACK_COMPLETED;
	return 0;
}

static int before_create(struct api_request *q)
{
	const char **v = q->values;
	unsigned events;

	if (check_parties(q) < 0 || take_application(q) < 0 || take_events(q, &events) < 0)
		return -EPROTO;
	if (!given(v[URL]) && !given(v[TWIML]))
		return api_error(q, 21205, "Url, Twiml or ApplicationSid is required");
	if (given(v[USERNAME]) && !given(v[PASSWORD]))
		return api_error(q, 21225, NULL);
	if (text_has_controls(v[USERNAME]))
		return api_error(q, 21222, "SipAuthUsername has a control character");
	if (text_has_controls(v[PASSWORD]))
		return api_error(q, 21224, "SipAuthPassword has a control character");
	v[ROW_STATUS] = "queued";
	v[ROW_DIRECTION] = "outbound-api";
	v[ROW_NODE] = q->options->config->node;
	return 0;
}

/* The engine would never tell of it. */
static int give_up(struct api_request *q)
{
	const char *ids[] = { q->sid };

	db_exec(NULL, q->db,
		"UPDATE calls SET status = 'failed', end_time = now(), date_updated = now() "
		"WHERE sid = $1",
		1, ids);
	return api_error(q, 20503, "The call engine takes no calls; try again");
}

static int committed(struct api_request *q)
{
	const char *const *v = q->values, *ids[] = { q->account_sid };
	struct call_order order = {
		.sid = q->sid,
		.account_sid = q->account_sid,
		.to = v[TO],
		.from = v[FROM],
		.url = given(v[URL]),
		.method = given(v[METHOD]),
		.twiml = given(v[URL]) ? NULL : v[TWIML],
		.fallback_url = given(v[FALLBACK_URL]),
		.fallback_method = given(v[FALLBACK_METHOD]),
		.status_callback = given(v[STATUS_CALLBACK]),
		.status_callback_method = given(v[STATUS_CALLBACK_METHOD]),
		.send_digits = given(v[SEND_DIGITS]),
		.machine_detection = given(v[DETECTION]) != NULL,
		.amd_callback = given(v[AMD_CALLBACK]),
		.amd_callback_method = given(v[AMD_CALLBACK_METHOD]),
		.refer_url = given(v[REFER_URL]),
		.refer_method = given(v[REFER_METHOD]),
		.username = given(v[USERNAME]),
		.password = given(v[PASSWORD]),
		.timeout_s = given(v[TIMEOUT]) ? atoi(v[TIMEOUT]) : TIMEOUT_S,
		.time_limit_s = given(v[TIME_LIMIT]) ? atoi(v[TIME_LIMIT]) : 0,
	};
	struct db_result *res;
	int r;

	if (take_events(q, &order.callback_events) < 0 || !q->options->calls)
		return give_up(q);
	if (db_exec(&res, q->db, "SELECT auth_token FROM accounts WHERE sid = $1", 1, ids) < 0)
		return give_up(q);
	order.auth_token = db_rows(res) ? db_value(res, 0, 0) : "";
	r = calls_order(q->options->calls, &order);
	db_result_free(res);
	return r < 0 ? give_up(q) : 0;
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
	.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE,
	.table = "calls",
	.sid_column = "sid",
	.newest_first = true,
	.of_process = true,
	TABLE(properties, properties),
	TABLE(params, params),
	TABLE(filters, filters),
	.shows_uri = true,
	TABLE(subresources, subresources),
	.before_create = before_create,
	.committed = committed,
	.before_delete = before_delete,
	.awaited = awaited,
	.instead_of_update = update,
	TABLE(hook_errors, hook_errors),
};
