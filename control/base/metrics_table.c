/* The table of metrics. A new one is a row here and a name in metrics.h. */
#include "base/metrics_table.h"

#include "base/version.h"

#define SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define MS(n) ((n) * UINT64_C(1000000))
#define S(n)  ((n) * UINT64_C(1000000000))

/* A request to somebody else's server: from a neighbour's few ms to the longest timeout. */
static const uint64_t web_bounds[] = { MS(1),	MS(5), MS(10), MS(25), MS(50), MS(100), MS(250),
				       MS(500), S(1),  S(2),   S(5),   S(10),  S(15),	S(30) };
/* What stays on this machine. */
static const uint64_t local_bounds[] = {
	MS(1) / 4, MS(1) / 2, MS(1),   MS(2),	MS(5),	  MS(10),
	MS(25),	   MS(50),    MS(100), MS(250), MS(1000), MS(5000)
};
static const uint64_t ring_bounds[] = { MS(50), MS(100), MS(250), MS(500), S(1),
					S(2),	S(5),	 S(10),	  S(30),   S(60) };
static const uint64_t call_bounds[] = { S(1),	S(5),	S(15),	 S(30),	  S(60),   S(120),
					S(300), S(600), S(1800), S(3600), S(14400) };

static const char *const versions[] = { HOOKSWITCH_VERSION };
static const char *const compilers[] = { __VERSION__ };
static const char *const dependencies[] = { "database", "kamailio", "rtpengine" };
static const char *const log_levels[] = { "debug", "info", "warn", "error" };
static const char *const directions[] = { "inbound", "outbound_api", "outbound_dial" };
static const char *const statuses[] = { "completed", "busy", "failed", "no-answer", "canceled" };
static const char *const refusals[] = { "capacity", "invite", "internal", "sip" };
static const char *const levels[] = { "error", "warning" };
static const char *const webhooks[] = { "voice", "fallback", "status_callback", "media" };
static const char *const results[] = { "1xx",	  "2xx",      "3xx",	   "4xx",     "5xx",
				       "bad_url", "dns",      "connect",   "address", "tls",
				       "timeout", "protocol", "too_large", "internal" };
static const char *const stages[] = { "dns", "connect", "tls", "first_byte", "total" };
static const char *const packets[] = { "sent", "received" };
static const char *const outcomes[] = { "ok", "refused", "conflict", "unavailable", "internal" };
static const char *const losses[] = { "queue_full", "refused" };
static const char *const methods[] = { "GET", "HEAD", "POST", "DELETE", "other" };
static const char *const classes[] = { "1xx", "2xx", "3xx", "4xx", "5xx" };
static const char *const failures[] = { "not_sent", "refused", "timeout", "bad" };

#define CELLS(n)	 .cells = (metric_cell[n]){ 0 }, .n_cells = (n)
#define LABEL(name, set) { name, set, SIZE(set) }
#define PER_SERIES(set)	 (SIZE(set) + 2)

#define PLAIN(t, name_, help_) { .name = name_, .type = t, .help = help_, CELLS(1) }
#define BY(t, name_, help_, label, set)                                                            \
	{ .name = name_,                                                                           \
	  .type = t,                                                                               \
	  .help = help_,                                                                           \
	  .labels = { LABEL(label, set) },                                                         \
	  CELLS(SIZE(set)) }
#define BY2(t, name_, help_, l1, s1, l2, s2)                                                       \
	{ .name = name_,                                                                           \
	  .type = t,                                                                               \
	  .help = help_,                                                                           \
	  .labels = { LABEL(l1, s1), LABEL(l2, s2) },                                              \
	  CELLS(SIZE(s1) * SIZE(s2)) }
#define SPREAD .type = HISTOGRAM, .seconds = true
#define TIMES(name_, help_, set)                                                                   \
	{ .name = name_,                                                                           \
	  .help = help_,                                                                           \
	  SPREAD,                                                                                  \
	  .bounds = set,                                                                           \
	  .n_bounds = SIZE(set),                                                                   \
	  CELLS(PER_SERIES(set)) }
#define TIMES_BY(name_, help_, set, label, values)                                                 \
	{ .name = name_,                                                                           \
	  .help = help_,                                                                           \
	  SPREAD,                                                                                  \
	  .bounds = set,                                                                           \
	  .n_bounds = SIZE(set),                                                                   \
	  .labels = { LABEL(label, values) },                                                      \
	  CELLS(PER_SERIES(set) * SIZE(values)) }
#define TIMES_BY2(name_, help_, set, l1, v1, l2, v2)                                               \
	{ .name = name_,                                                                           \
	  .help = help_,                                                                           \
	  SPREAD,                                                                                  \
	  .bounds = set,                                                                           \
	  .n_bounds = SIZE(set),                                                                   \
	  .labels = { LABEL(l1, v1), LABEL(l2, v2) },                                              \
	  CELLS(PER_SERIES(set) * SIZE(v1) * SIZE(v2)) }
#define SECONDS(t, name_, help_)                                                                   \
	{ .name = name_, .type = t, .help = help_, .seconds = true, CELLS(1) }

/* clang-format off */
struct metric_row metric_rows[METRICS] = {
	[METRIC_BUILD_INFO] = BY2(LEAST, "hookswitch_build_info", "Always 1; what runs is in the labels",
		"version", versions, "compiler", compilers),
	[METRIC_DEPENDENCY_UP] = BY(LEAST, "hookswitch_dependency_up",
		"Whether the service that calls need was there a second ago", "dependency", dependencies),
	[METRIC_LOG_LINES] = BY(COUNTER, "hookswitch_log_lines_total", "Lines written to the log", "level", log_levels),

	[METRIC_CALLS_ACTIVE] = PLAIN(GAUGE, "hookswitch_calls_active", "Calls that live now"),
	[METRIC_CALLS_LIMIT] = PLAIN(LEAST, "hookswitch_calls_limit", "Calls that this node takes at once (MAX_CALLS)"),
	[METRIC_CALLS_STARTED] = BY(COUNTER, "hookswitch_calls_started_total", "Calls taken on", "direction", directions),
	[METRIC_CALLS_ANSWERED] = BY(COUNTER, "hookswitch_calls_answered_total", "Calls answered", "direction", directions),
	[METRIC_CALLS_ENDED] = BY2(COUNTER, "hookswitch_calls_total", "Calls ended, by their final CallStatus",
		"direction", directions, "status", statuses),
	[METRIC_CALLS_REFUSED] = BY(COUNTER, "hookswitch_calls_refused_total",
		"INVITEs that never became a call", "reason", refusals),
	[METRIC_CALL_ANSWER_NS] = TIMES("hookswitch_call_answer_seconds", "From the INVITE to the answer", ring_bounds),
	[METRIC_CALL_DURATION_NS] = TIMES("hookswitch_call_duration_seconds", "From the answer to the end", call_bounds),
	[METRIC_CALL_NOTIFICATIONS] = BY(COUNTER, "hookswitch_notifications_total",
		"Errors and warnings of calls, as their accounts see them", "level", levels),

	[METRIC_WEBHOOKS] = BY2(COUNTER, "hookswitch_webhook_requests_total",
		"HTTP requests to customers' servers (each redirect and retry is one), by status or failure",
		"kind", webhooks, "result", results),
	[METRIC_WEBHOOKS_RUNNING] = PLAIN(GAUGE, "hookswitch_webhook_requests_active", "HTTP requests to customers' servers now"),
	[METRIC_WEBHOOK_RETRIES] = BY(COUNTER, "hookswitch_webhook_retries_total", "Requests repeated after a failure", "kind", webhooks),
	[METRIC_WEBHOOK_STAGE_NS] = TIMES_BY2("hookswitch_webhook_stage_seconds",
		"Parts of a request's time; dns, connect and tls of new connections alone, first_byte: from the request to the reply",
		web_bounds, "kind", webhooks, "stage", stages),
	[METRIC_CALLBACKS_WAITING] = PLAIN(GAUGE, "hookswitch_status_callbacks_waiting", "Status callbacks not delivered yet"),

	[METRIC_MEDIA_PORTS] = PLAIN(GAUGE, "hookswitch_media_ports_open", "Media sockets open towards RTPengine"),
	[METRIC_MEDIA_PACKETS] = BY(COUNTER, "hookswitch_media_packets_total", "RTP packets of the media worker", "direction", packets),
	[METRIC_MEDIA_DISCARDED] = PLAIN(COUNTER, "hookswitch_media_discarded_total", "Datagrams at media sockets that were not RTP"),
	[METRIC_MEDIA_LATE_TICKS] = PLAIN(COUNTER, "hookswitch_media_late_ticks_total",
		"20 ms ticks of the media clock that ran more than 5 ms late"),

	[METRIC_DB_STATEMENTS] = BY(COUNTER, "hookswitch_database_statements_total", "SQL statements, by what came of them", "outcome", outcomes),
	[METRIC_DB_STATEMENT_NS] = TIMES("hookswitch_database_statement_seconds",
		"Time of a SQL statement, with a connection that had to be made for it", local_bounds),
	[METRIC_DB_QUEUED] = PLAIN(GAUGE, "hookswitch_database_queue_jobs", "Jobs at the database's worker threads, running or waiting"),
	[METRIC_STORE_QUEUED] = PLAIN(GAUGE, "hookswitch_store_queue_rows", "Rows of calls and notifications that are not written yet"),
	[METRIC_STORE_LOST] = BY(COUNTER, "hookswitch_store_rows_lost_total", "Rows that were never written", "reason", losses),

	[METRIC_REST_REQUESTS] = BY2(COUNTER, "hookswitch_rest_requests_total",
		"REST requests, without those for health and metrics", "method", methods, "status", classes),
	[METRIC_REST_REQUEST_NS] = TIMES_BY("hookswitch_rest_request_seconds",
		"From a whole REST request to its whole answer", local_bounds, "method", methods),

	[METRIC_KAMAILIO_EVENTS] = PLAIN(COUNTER, "hookswitch_kamailio_events_total", "Events from Kamailio"),
	[METRIC_KAMAILIO_CONNECTS] = PLAIN(COUNTER, "hookswitch_kamailio_connects_total", "Times that the event stream was connected"),
	[METRIC_KAMAILIO_COMMANDS] = PLAIN(COUNTER, "hookswitch_kamailio_commands_total", "Commands to Kamailio"),
	[METRIC_KAMAILIO_FAILURES] = BY(COUNTER, "hookswitch_kamailio_command_failures_total",
		"Commands that failed; timeouts of those that wait for an answer alone", "reason", failures),

	[METRIC_RTPENGINE_COMMANDS] = PLAIN(COUNTER, "hookswitch_rtpengine_commands_total",
		"Commands to RTPengine, a ping a second among them"),
	[METRIC_RTPENGINE_RESENDS] = PLAIN(COUNTER, "hookswitch_rtpengine_resends_total", "Commands sent again for want of an answer"),
	[METRIC_RTPENGINE_FAILURES] = BY(COUNTER, "hookswitch_rtpengine_command_failures_total", "Commands that failed", "reason", failures),
	[METRIC_RTPENGINE_COMMAND_NS] = TIMES("hookswitch_rtpengine_command_seconds", "From a command to its answer", local_bounds),

	[METRIC_PROCESS_START_NS] = SECONDS(LEAST, "process_start_time_seconds", "Start of the process since the epoch"),
	[METRIC_PROCESS_CPU_NS] = SECONDS(COUNTER, "process_cpu_seconds_total", "CPU time of the process, user and system"),
	[METRIC_PROCESS_RESIDENT] = PLAIN(GAUGE, "process_resident_memory_bytes", "Resident memory"),
	[METRIC_PROCESS_VIRTUAL] = PLAIN(GAUGE, "process_virtual_memory_bytes", "Virtual memory"),
	[METRIC_PROCESS_FDS] = PLAIN(GAUGE, "process_open_fds", "Open file descriptors"),
	[METRIC_PROCESS_FDS_MAX] = PLAIN(GAUGE, "process_max_fds", "File descriptors that may be open"),
};
/* clang-format on */
