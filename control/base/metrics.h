/*
 * metrics - counters, gauges and histograms of the daemon, in Prometheus' text format 0.0.4.
 * docs/operations.md says what each series means.
 *
 * One table (metrics_table.c) gives every metric its name, type, help, labels and buckets. Labels
 * take the values that stand in the table and no others, so the number of series is fixed: nothing
 * that a peer or customer names (account, URL, SID, address) ever becomes one.
 *
 * Any thread, no start, no end for a process alone. Counting is one relaxed atomic addition,
 * observing is two.
 */
#ifndef HOOKSWITCH_BASE_METRICS_H
#define HOOKSWITCH_BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/* In the table's order. */
enum metric {
	METRIC_BUILD_INFO,
	METRIC_DEPENDENCY_UP, /* enum metric_dependency */
	METRIC_LOG_LINES,     /* enum log_level */

	METRIC_CALLS_ACTIVE,
	METRIC_CALLS_LIMIT,
	METRIC_CALLS_STARTED,
	METRIC_CALLS_ANSWERED,
	METRIC_CALLS_ENDED,	   /* enum metric_direction, enum metric_call_status */
	METRIC_CALLS_REFUSED,	   /* enum metric_refusal */
	METRIC_CALL_ANSWER_NS,	   /* INVITE to answer */
	METRIC_CALL_DURATION_NS,   /* answer to end */
	METRIC_CALL_NOTIFICATIONS, /* enum error_level */

	METRIC_WEBHOOKS, /* enum metric_webhook, enum metric_webhook_result */
	METRIC_WEBHOOKS_RUNNING,
	METRIC_WEBHOOK_RETRIES,
	METRIC_WEBHOOK_STAGE_NS, /* enum metric_webhook, enum metric_stage */
	METRIC_CALLBACKS_WAITING,

	METRIC_MEDIA_PORTS,
	METRIC_MEDIA_PACKETS, /* enum metric_packets */
	METRIC_MEDIA_DISCARDED,
	METRIC_MEDIA_LATE_TICKS,

	METRIC_DB_STATEMENTS, /* enum metric_db_outcome */
	METRIC_DB_STATEMENT_NS,
	METRIC_DB_QUEUED,
	METRIC_STORE_QUEUED,
	METRIC_STORE_LOST, /* enum metric_lost */

	METRIC_REST_REQUESTS, /* enum metric_method, enum metric_status_class */
	METRIC_REST_REQUEST_NS,

	METRIC_KAMAILIO_EVENTS,
	METRIC_KAMAILIO_CONNECTS,
	METRIC_KAMAILIO_COMMANDS,
	METRIC_KAMAILIO_FAILURES, /* enum metric_command_failure */

	METRIC_RTPENGINE_COMMANDS,
	METRIC_RTPENGINE_RESENDS,
	METRIC_RTPENGINE_FAILURES, /* enum metric_command_failure */
	METRIC_RTPENGINE_COMMAND_NS,

	METRIC_PROCESS_START_NS,
	METRIC_PROCESS_CPU_NS,
	METRIC_PROCESS_RESIDENT,
	METRIC_PROCESS_VIRTUAL,
	METRIC_PROCESS_FDS,
	METRIC_PROCESS_FDS_MAX,
	METRICS
};

/* The values of the labels, in the order of the table's words. */
enum metric_dependency { DEPENDENCY_DATABASE, DEPENDENCY_KAMAILIO, DEPENDENCY_RTPENGINE };
enum metric_direction { DIRECTION_INBOUND, DIRECTION_OUTBOUND_API, DIRECTION_OUTBOUND_DIAL };
enum metric_call_status {
	CALLS_COMPLETED,
	CALLS_BUSY,
	CALLS_FAILED,
	CALLS_NO_ANSWER,
	CALLS_CANCELED
};
enum metric_refusal {
	REFUSED_CAPACITY, /* the node's limit */
	REFUSED_INVITE,	  /* what the INVITE says */
	REFUSED_INTERNAL, /* our own trouble */
	REFUSED_SIP	  /* by Kamailio: no such domain, no permission, bad password, flood */
};
enum metric_webhook { WEBHOOK_VOICE, WEBHOOK_FALLBACK, WEBHOOK_STATUS_CALLBACK, WEBHOOK_MEDIA };
enum metric_webhook_result {
	WEBHOOK_1XX, /* and below: a status that no server should send */
	WEBHOOK_2XX,
	WEBHOOK_3XX,
	WEBHOOK_4XX,
	WEBHOOK_5XX,
	WEBHOOK_BAD_URL,
	WEBHOOK_DNS,
	WEBHOOK_CONNECT,
	WEBHOOK_ADDRESS,
	WEBHOOK_TLS,
	WEBHOOK_TIMEOUT,
	WEBHOOK_PROTOCOL,
	WEBHOOK_TOO_LARGE,
	WEBHOOK_INTERNAL
};
enum metric_stage { STAGE_DNS, STAGE_CONNECT, STAGE_TLS, STAGE_FIRST_BYTE, STAGE_TOTAL };
enum metric_packets { PACKETS_SENT, PACKETS_RECEIVED };
enum metric_db_outcome { DB_OK, DB_REFUSED, DB_CONFLICT, DB_UNAVAILABLE, DB_INTERNAL };
enum metric_lost { LOST_QUEUE_FULL, LOST_REFUSED };
enum metric_method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_DELETE, METHOD_OTHER };
enum metric_status_class { STATUS_1XX, STATUS_2XX, STATUS_3XX, STATUS_4XX, STATUS_5XX };
enum metric_command_failure { COMMAND_NOT_SENT, COMMAND_REFUSED, COMMAND_TIMEOUT, COMMAND_BAD };

/*
 * a and b choose the values of the first and second label; 0 where the metric has none. A value
 * that the table does not have is our bug and aborts. Metrics in _NS are in nanoseconds here and
 * in seconds on the page.
 */
void metrics_add(enum metric m, unsigned a, unsigned b, int64_t n); /* of counters n >= 0 */
void metrics_count(enum metric m, unsigned a, unsigned b);	    /* adds 1 */
/* Gauges; counters too, where somebody else counts and this is their last word. */
void metrics_set(enum metric m, unsigned a, unsigned b, int64_t value);
void metrics_observe(enum metric m, unsigned a, unsigned b, uint64_t value); /* histograms */
/* Now; of a histogram: how often it observed. */
int64_t metrics_get(enum metric m, unsigned a, unsigned b);

/* 100..599 by its hundreds; what is none of these is the nearest. */
enum metric_status_class metrics_status_class(int status);

/* Looks at the process anew: version, start, CPU, memory, descriptors. What cannot be read stays as
 * it was. */
void metrics_look_at_process(void);

/*
 * The page shows the processes of a node together: the sum of what they counted, for whether
 * something is up the least. metrics_share comes before they are forked (process_count is theirs;
 * -ENOMEM), metrics_begin_process in each before it counts: it goes on counting where the process
 * of its number ended, with gauges at zero. Without both a process shows its own.
 */
int metrics_share(void);
void metrics_begin_process(void);

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Appends the whole page. The buffer's error, if any. */
int metrics_render(struct buf *b);

#endif
