#define LOG_SUBSYSTEM "kamailio"
#include "call/kamailio.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/process.h"
#include "io/loop.h"
#include "io/socket.h"
#include "proto/netstring.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define EVENT_MAX_BYTES	  (256 << 10)
#define COMMAND_MAX_BYTES (64 << 10)
#define QUEUE_MAX	  20000
#define ANSWER_MS	  5000
#define SWEEP_MS	  500

/* A command whose answer somebody waits for. */
struct pending {
	unsigned id;
	uint64_t deadline_ms;
	sip_sent_fn *done;
	void *arg;
	UT_hash_handle hh;
};

struct kamailio {
	struct loop *loop;
	struct stream *events;
	struct dgram *rpc;
	struct loop_timer *sweep;
	struct buf input; /* evapi bytes that are no whole netstring yet */
	struct buf output;
	struct pending *pending;
	unsigned next_id;
	uint64_t generation; /* of decisions, never one of a hookswitchd before or beside us */
	const char *spread;
	void (*event)(void *arg, const char *json, size_t len);
	void *arg;
};

/* A message of ours on the event stream. */
__attribute__((format(printf, 2, 3))) static int tell(struct kamailio *k, const char *format, ...)
{
	char text[600], message[620];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		return -EINVAL;
	n = snprintf(message, sizeof(message), "%d:%s,", n, text);
	return stream_send(k->events, message, (size_t)n);
}

static void on_state(void *arg, bool connected)
{
	struct kamailio *k = arg;

	log_info("the event stream is %s", connected ? "connected" : "lost");
	buf_reset(&k->input);
	if (!connected)
		return;
	metrics_count(METRIC_KAMAILIO_CONNECTS, 0, 0);
	/* Nothing comes before. */
	if (tell(k, "process,%u,%u,%s", process_index(), process_count(), k->spread) < 0)
		stream_reset(k->events);
}

static void on_data(void *arg, const char *data, size_t len)
{
	struct kamailio *k = arg;
	size_t at = 0, n, used;
	const char *payload;
	int r = 0;

	if (buf_add(&k->input, data, len) < 0) {
		log_error("the event stream has an event over %d bytes: connecting anew",
			  EVENT_MAX_BYTES);
		stream_reset(k->events);
		return;
	}
	while (at < k->input.len) {
		r = netstring_next(k->input.data + at, k->input.len - at, EVENT_MAX_BYTES, &payload,
				   &n, &used);
		if (r <= 0)
			break;
		metrics_count(METRIC_KAMAILIO_EVENTS, 0, 0);
		k->event(k->arg, payload, n);
		at += used;
	}
	if (r < 0) {
		log_error("the event stream is no netstring: connecting anew");
		stream_reset(k->events);
		return;
	}
	buf_consume(&k->input, at);
}

static void finish(struct kamailio *k, struct pending *p, int r)
{
	HASH_DEL(k->pending, p);
	if (p->done)
		p->done(p->arg, r);
	free(p);
}

static void on_answer(void *arg, const char *data, size_t len)
{
	struct kamailio *k = arg;
	struct pending *p;
	json_t *answer = json_loadb(data, len, JSON_ALLOW_NUL, NULL);
	json_t *error = json_object_get(answer, "error");
	unsigned id = (unsigned)json_integer_value(json_object_get(answer, "id"));

	if (error) {
		metrics_count(METRIC_KAMAILIO_FAILURES, COMMAND_REFUSED, 0);
		log_debug("a command was refused: %s",
			  json_string_value(json_object_get(error, "message")));
	} else if (!answer) {
		metrics_count(METRIC_KAMAILIO_FAILURES, COMMAND_BAD, 0);
	}
	HASH_FIND(hh, k->pending, &id, sizeof(id), p);
	if (p)
		finish(k, p, error ? -EPROTO : 0);
	json_decref(answer);
}

static void on_sweep(void *arg)
{
	struct kamailio *k = arg;
	struct pending *p;
	uint64_t now = loop_now_ms(k->loop);

	/* Insertion order is order of deadlines. A completion may forget others: always look at the
	 * head anew. */
	while ((p = k->pending) && p->deadline_ms <= now) {
		metrics_count(METRIC_KAMAILIO_FAILURES, COMMAND_TIMEOUT, 0);
		finish(k, p, -ETIMEDOUT);
	}
	if (k->pending)
		loop_timer_start(k->sweep, SWEEP_MS);
}

struct kamailio *kamailio_new(struct loop *loop, const struct config *config,
			      void (*event)(void *arg, const char *json, size_t len), void *arg)
{
	static const struct stream_events events = { .state = on_state, .data = on_data };
	struct kamailio *k = calloc(1, sizeof(*k));
	char own[PATH_MAX];

	if (!k)
		return NULL;
	k->loop = loop;
	k->spread = config->spread;
	k->event = event;
	k->arg = arg;
	k->generation = (uint64_t)clock_wall_ms() << 16;
	buf_init(&k->input, EVENT_MAX_BYTES * 2);
	buf_init(&k->output, COMMAND_MAX_BYTES);
	k->sweep = loop_timer_new(loop, on_sweep, k);
	if (process_index())
		snprintf(own, sizeof(own), "%s.%u", config->rpc_client_socket, process_index());
	else
		snprintf(own, sizeof(own), "%s", config->rpc_client_socket);
	k->rpc = dgram_new_unix(loop, own, config->rpc_socket, QUEUE_MAX, on_answer, k);
	k->events = stream_new(loop, config->evapi_addr, &events, k);
	if (!k->sweep || !k->rpc || !k->events) {
		kamailio_free(k);
		return NULL;
	}
	return k;
}

void kamailio_free(struct kamailio *k)
{
	struct pending *p, *tmp;

	if (!k)
		return;
	HASH_ITER(hh, k->pending, p, tmp)
	{
		HASH_DEL(k->pending, p);
		free(p);
	}
	stream_free(k->events);
	dgram_free(k->rpc);
	loop_timer_free(k->sweep);
	buf_done(&k->input);
	buf_done(&k->output);
	free(k);
}

bool kamailio_connected(const struct kamailio *k)
{
	return stream_connected(k->events);
}

/*
 * A JSON string of any bytes: a peer's header may hold bytes that are no UTF-8, which jansson
 * refuses and Kamailio's parser passes through.
 */
static void add_string(struct buf *b, const char *s)
{
	buf_addc(b, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\') {
			buf_addc(b, '\\');
			buf_addc(b, *s);
		} else if (c < 0x20) {
			buf_addf(b, "\\u%04x", c);
		} else {
			buf_addc(b, *s);
		}
	}
	buf_addc(b, '"');
}

/* params: n strings; an empty one is a value too (Kamailio leaves a missing argument
 * uninitialised). */
static int command(struct kamailio *k, const char *method, int n, const char *const *params,
		   int first_number, sip_sent_fn *done, void *arg)
{
	struct buf *b = &k->output;
	struct pending *p = NULL;
	unsigned id = ++k->next_id;
	int r;

	buf_reset(b);
	buf_addf(b, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"%s\",\"params\":[", id, method);
	if (first_number)
		buf_addf(b, "%d%s", first_number, n ? "," : "");
	for (int i = 0; i < n; i++) {
		if (i)
			buf_addc(b, ',');
		add_string(b, params[i] ? params[i] : "");
	}
	buf_adds(b, "]}");
	if (b->error)
		return b->error;
	if (done) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		p->id = id;
		p->done = done;
		p->arg = arg;
		p->deadline_ms = loop_now_ms(k->loop) + ANSWER_MS;
	}
	metrics_count(METRIC_KAMAILIO_COMMANDS, 0, 0);
	r = dgram_send(k->rpc, b->data, b->len);
	if (r < 0) {
		metrics_count(METRIC_KAMAILIO_FAILURES, COMMAND_NOT_SENT, 0);
		log_warn("a command to Kamailio was not sent: %s", strerror(-r));
		free(p);
		return r;
	}
	if (p) {
		HASH_ADD(hh, k->pending, id, sizeof(p->id), p);
		if (!loop_timer_active(k->sweep))
			loop_timer_start(k->sweep, SWEEP_MS);
	}
	return 0;
}

int kamailio_reply(struct kamailio *k, const char *transaction, int code, const char *reason,
		   const char *to_tag, const char *headers, const char *body)
{
	const char *params[] = { reason, transaction, to_tag, headers, body };

	return command(k, "tm.reply", 5, params, code, NULL, NULL);
}

/*
 * tm.t_uac_start takes '!' in headers for its own: "!!" becomes an address of Kamailio's, and what
 * stands around others is lost. They travel as a byte that no header of ours has, and
 * kamailio-cfg/routes/local.cfg puts them back. NULL: out of memory.
 */
static char *veil_headers(const char *headers)
{
	char *copy = strdup(headers ? headers : "");

	for (char *p = copy; p && *p; p++)
		if (*p == '!')
			*p = '\001';
	return copy;
}

int kamailio_request(struct kamailio *k, const struct sip_out *out, sip_sent_fn *done, void *arg)
{
	char *headers = veil_headers(out->headers);
	const char *params[] = { out->method,
				 out->ruri,
				 out->next_hop ? out->next_hop : ".",
				 out->socket ? out->socket : ".",
				 headers,
				 out->body };
	int r = headers ? command(k, "tm.t_uac_start", 6, params, 0, done, arg) : -ENOMEM;

	free(headers);
	return r;
}

int kamailio_tls_connect(struct kamailio *k, const char *call_id, const char *address,
			 const char *name)
{
	return tell(k, "tls.connect,%s,%s,%s", call_id, address, name);
}

int kamailio_cancel(struct kamailio *k, const char *call_id, unsigned cseq)
{
	char number[16];
	const char *params[] = { call_id, number };

	snprintf(number, sizeof(number), "%u", cseq);
	return command(k, "tm.cancel", 2, params, 0, NULL, NULL);
}

void kamailio_forget(struct kamailio *k, const void *arg)
{
	struct pending *p, *tmp;

	HASH_ITER(hh, k->pending, p, tmp)
	{
		if (p->arg != arg)
			continue;
		HASH_DEL(k->pending, p);
		free(p);
	}
}

int kamailio_forget_decisions(struct kamailio *k, sip_sent_fn *done, void *arg)
{
	char generation[24];
	const char *params[] = { "control", "generation", generation };

	snprintf(generation, sizeof(generation), "%" PRIx64 ".%u", ++k->generation,
		 process_index());
	return command(k, "htable.sets", 3, params, 0, done, arg);
}
