/*
 * fake_world - a recording fake of call/world.h with a fake clock, for the tests of the call
 * engine.
 *
 * Everything that the engine asks of the world is kept in arrays, in order. Nothing completes by
 * itself: a test answers with fake_ng_reply, fake_fetch_reply ... and moves the clock with
 * fake_advance. Completions that broke world.h's rules (after a cancel, twice) cannot be asked for:
 * the helpers fail the test.
 *
 * Header only: include it in a test's single .c file, after cmocka.h.
 */
#ifndef HOOKSWITCH_TEST_FAKE_WORLD_H
#define HOOKSWITCH_TEST_FAKE_WORLD_H

#include "base/config.h"
#include "call/store.h"
#include "call/store_item.h"
#include "call/world.h"
#include "media/prompt.h"
#include "media/speech_engine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FAKE_UNUSED __attribute__((unused))
#define FAKE_MAX                                                                                   \
	4096 /* of each kind of record; an ancient one is never overwritten: the test fails        \
		instead */

struct fake_timer {
	struct fake_timer *prev, *next;
	struct fake_world *fw;
	void (*fn)(void *arg);
	void *arg;
	uint64_t due_ms, order;
	bool active;
};

struct fake_reply {
	char *transaction, *reason, *to_tag, *headers, *body; /* never NULL */
	int code;
};

struct fake_request {
	char *method, *ruri, *next_hop, *socket, *headers, *body; /* next_hop, socket may be NULL */
	sip_sent_fn *done;
	void *arg;
	bool open; /* Kamailio has not answered the command */
};

struct fake_ng {
	uint64_t id;
	json_t *command;
	ng_done_fn *done;
	void *arg;
	bool open, cancelled;
};

struct fake_play {
	uint32_t id;
	struct prompt *prompt; /* a reference, or NULL for digits */
	unsigned loops;
	char *digits;
	bool open; /* queued or playing */
};

struct fake_port {
	uint8_t event_type;
	const struct media_events *events;
	void *arg;
	uint16_t number;
	unsigned timeout_ms, starts, stops;
	char ip[64];
	uint16_t peer;
	bool open, sending;
	struct fake_play plays[256];
	unsigned n_plays;
};

struct fake_fetch {
	char *method, *url, *body, *headers /* each line ends in LF */, *username, *password;
	struct http_request request; /* the numbers; its pointers are not to be followed */
	http_done_fn *done;
	void *arg;
	bool open, cancelled;
};

struct fake_job {
	char *text; /* ssml or the bytes to decode */
	size_t len;
	char *content_type; /* NULL: speech_say */
	const struct speech_voice *voice;
	speech_done_fn *done;
	void *arg;
	bool open, cancelled;
};

struct fake_domain {
	char *sid, *number;
	void (*done)(void *arg, const struct call_domain *domain);
	void *arg;
	uint64_t id;
	bool open;
};

struct fake_route {
	enum route_kind kind;
	char *user, *domain;
	routes_fn *done;
	void *arg;
	bool open;
};

struct fake_lookup {
	char *host;
	unsigned port; /* 0: not said */
	enum resolver_transport transport;
	resolver_done_fn *done;
	void *arg;
	bool open;
};

struct fake_world {
	unsigned n_connects; /* TLS connections that were asked for */
	int connect_r;
	char connect[300]; /* the last one: "ip:port name", and whose */
	char connect_id[128];
	struct world world; /* what the engine gets */
	struct config config;
	uint64_t now_ms, order;
	struct fake_timer *timers;
	unsigned n_timers;

	struct fake_reply replies[FAKE_MAX];
	struct fake_request requests[FAKE_MAX];
	struct fake_ng ng[FAKE_MAX];
	struct fake_port *ports[FAKE_MAX];
	struct fake_fetch *fetches[FAKE_MAX];
	struct fake_job *jobs[FAKE_MAX];
	struct fake_domain domains[FAKE_MAX];
	struct fake_lookup lookups[FAKE_MAX];
	struct fake_route routes[FAKE_MAX];
	unsigned n_routes;
	bool hosts_refused, restricted; /* what ROUTE_HOST hears */
	unsigned n_lookups, n_cancels, cancelled_cseq;
	struct store_item *stored[FAKE_MAX];
	unsigned n_replies, n_requests, n_ng, n_ports, n_fetches, n_jobs, n_domains, n_stored;

	/* what fails from now on */
	int fail_reply, fail_request, fail_media, fail_fetch, fail_speech,
		fail_store; /* -errno, or 0 */
	bool fail_ng, fail_timer;
	unsigned fail_next_ng; /* so many of the next ones */
	bool hold_rows;	       /* nobody is told that his row is written, until fake_rows_written */
	bool delete_failed;    /* an NG delete met fail_ng */
	/* RTPengine answers by itself at fake_run: see fake_ng_auto */
	bool ng_auto;
	uint32_t last_play;
};

#define FAKE(w) ((struct fake_world *)(w))

static inline void fake_check(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "fake_world: %s\n", what);
		abort();
	}
}

static inline char *fake_copy(const char *s)
{
	return strdup(s ? s : "");
}

/* time */

static uint64_t fake_now(void *w)
{
	return FAKE(w)->now_ms;
}

static void *fake_timer_new(void *w, void (*fn)(void *arg), void *arg)
{
	struct fake_world *fw = w;
	struct fake_timer *t;

	if (fw->fail_timer)
		return NULL;
	t = calloc(1, sizeof(*t));
	*t = (struct fake_timer){ .fw = fw, .fn = fn, .arg = arg, .next = fw->timers };
	if (fw->timers)
		fw->timers->prev = t;
	fw->timers = t;
	fw->n_timers++;
	return t;
}

static void fake_timer_start(void *w, void *timer, uint64_t delay_ms)
{
	struct fake_timer *t = timer;

	t->active = true;
	t->due_ms = FAKE(w)->now_ms + delay_ms;
	t->order = ++FAKE(w)->order;
}

static void fake_timer_stop(void *w, void *timer)
{
	(void)w;
	((struct fake_timer *)timer)->active = false;
}

static void fake_timer_free(void *w, void *timer)
{
	struct fake_world *fw = w;
	struct fake_timer *t = timer;

	if (!t)
		return;
	if (t->prev)
		t->prev->next = t->next;
	else
		fw->timers = t->next;
	if (t->next)
		t->next->prev = t->prev;
	fw->n_timers--;
	free(t);
}

static inline struct fake_timer *fake_next_timer(struct fake_world *fw, uint64_t until_ms)
{
	struct fake_timer *best = NULL;

	for (struct fake_timer *t = fw->timers; t; t = t->next)
		if (t->active && t->due_ms <= until_ms &&
		    (!best || t->due_ms < best->due_ms ||
		     (t->due_ms == best->due_ms && t->order < best->order)))
			best = t;
	return best;
}

static inline unsigned fake_active_timers(const struct fake_world *fw)
{
	unsigned n = 0;

	for (const struct fake_timer *t = fw->timers; t; t = t->next)
		n += t->active;
	return n;
}

/* SIP */

static int fake_sip_reply(void *w, const char *transaction, int code, const char *reason,
			  const char *to_tag, const char *headers, const char *body)
{
	struct fake_world *fw = w;

	fake_check(fw->n_replies < FAKE_MAX, "too many replies");
	fake_check(transaction && *transaction, "a reply without transaction");
	fake_check(code >= 101 && code <= 699 && reason && *reason,
		   "a reply without code and reason");
	if (fw->fail_reply)
		return fw->fail_reply;
	fw->replies[fw->n_replies++] = (struct fake_reply){ .transaction = fake_copy(transaction),
							    .code = code,
							    .reason = fake_copy(reason),
							    .to_tag = fake_copy(to_tag),
							    .headers = fake_copy(headers),
							    .body = fake_copy(body) };
	return 0;
}

static int fake_sip_request(void *w, const struct sip_out *out, sip_sent_fn *done, void *arg)
{
	struct fake_world *fw = w;

	fake_check(fw->n_requests < FAKE_MAX, "too many requests");
	if (fw->fail_request)
		return fw->fail_request;
	fw->requests[fw->n_requests++] = (struct fake_request){
		.method = fake_copy(out->method),
		.ruri = fake_copy(out->ruri),
		.next_hop = out->next_hop ? strdup(out->next_hop) : NULL,
		.socket = out->socket ? strdup(out->socket) : NULL,
		.headers = fake_copy(out->headers),
		.body = fake_copy(out->body),
		.done = done,
		.arg = arg,
		.open = true,
	};
	return 0;
}

static int fake_sip_cancel(void *w, const char *call_id, unsigned cseq)
{
	struct fake_world *fw = w;

	fake_check(call_id && *call_id && cseq, "a CANCEL of nothing");
	fw->n_cancels++;
	fw->cancelled_cseq = cseq;
	return 0;
}

static int fake_tls_connect(void *w, const char *call_id, const char *address, const char *name)
{
	struct fake_world *fw = w;

	fake_check(call_id && *call_id, "a connection of nobody's");
	fw->n_connects++;
	snprintf(fw->connect, sizeof(fw->connect), "%s %s", address, name);
	snprintf(fw->connect_id, sizeof(fw->connect_id), "%s", call_id);
	return fw->connect_r;
}

static int fake_resolve(void *w, struct resolver_query **ret,
			const struct resolver_request *request, resolver_done_fn *done, void *arg)
{
	struct fake_world *fw = w;
	struct fake_lookup *l = &fw->lookups[fw->n_lookups];

	fake_check(fw->n_lookups < FAKE_MAX, "too many look-ups");
	*l = (struct fake_lookup){ .host = fake_copy(request->host),
				   .port = request->port,
				   .transport = request->transport,
				   .done = done,
				   .arg = arg,
				   .open = true };
	fw->n_lookups++;
	*ret = (struct resolver_query *)l;
	return 0;
}

static void fake_resolve_cancel(void *w, struct resolver_query *query)
{
	struct fake_lookup *l = (struct fake_lookup *)query;

	(void)w;
	fake_check(l->open, "a look-up that is over is cancelled");
	l->open = false;
}

static void fake_sip_forget(void *w, const void *arg)
{
	for (unsigned i = 0; i < FAKE(w)->n_requests; i++)
		if (FAKE(w)->requests[i].arg == arg)
			FAKE(w)->requests[i].open = false;
}

/* RTPengine */

static uint64_t fake_ng(void *w, json_t *command, ng_done_fn *done, void *arg)
{
	struct fake_world *fw = w;
	struct fake_ng *ng = &fw->ng[fw->n_ng];

	fake_check(fw->n_ng < FAKE_MAX, "too many NG commands");
	if (fw->fail_ng || (fw->fail_next_ng && fw->fail_next_ng--)) {
		fw->delete_failed |=
			!strcmp(json_string_value(json_object_get(command, "command")), "delete");
		json_decref(command);
		return 0;
	}
	*ng = (struct fake_ng){
		.id = ++fw->n_ng, .command = command, .done = done, .arg = arg, .open = true
	};
	return ng->id;
}

static void fake_ng_cancel(void *w, uint64_t id)
{
	struct fake_world *fw = w;

	if (!id || id > fw->n_ng || !fw->ng[id - 1].open)
		return;
	fw->ng[id - 1].open = false;
	fw->ng[id - 1].cancelled = true;
}

/* web */

static int fake_fetch(void *w, struct http_fetch **ret, const struct http_request *request,
		      http_done_fn *done, void *arg)
{
	struct fake_world *fw = w;
	struct fake_fetch *f;
	size_t n = 1;

	fake_check(fw->n_fetches < FAKE_MAX, "too many fetches");
	if (fw->fail_fetch)
		return fw->fail_fetch;
	f = calloc(1, sizeof(*f));
	f->method = fake_copy(request->method);
	f->url = fake_copy(request->url);
	f->body = request->body ? strndup(request->body, request->body_len) : fake_copy("");
	f->username = request->username ? strdup(request->username) : NULL;
	f->password = request->password ? strdup(request->password) : NULL;
	for (size_t i = 0; request->headers && request->headers[i]; i++)
		n += strlen(request->headers[i]) + 1;
	f->headers = calloc(1, n);
	for (size_t i = 0; request->headers && request->headers[i]; i++) {
		strcat(f->headers, request->headers[i]);
		strcat(f->headers, "\n");
	}
	f->request = *request;
	f->done = done;
	f->arg = arg;
	f->open = true;
	fw->fetches[fw->n_fetches++] = f;
	*ret = (struct http_fetch *)f;
	return 0;
}

static void fake_fetch_cancel(void *w, struct http_fetch *fetch)
{
	struct fake_fetch *f = (struct fake_fetch *)fetch;

	(void)w;
	if (f && f->open) {
		f->open = false;
		f->cancelled = true;
	}
}

/* media */

static int fake_media_open(void *w, struct media_port **ret, unsigned timeout_ms,
			   const struct media_events *ev, void *arg)
{
	struct fake_world *fw = w;
	struct fake_port *port;

	fake_check(fw->n_ports < FAKE_MAX, "too many ports");
	if (fw->fail_media)
		return fw->fail_media;
	port = calloc(1, sizeof(*port));
	*port = (struct fake_port){ .events = ev,
				    .arg = arg,
				    .timeout_ms = timeout_ms,
				    .number = (uint16_t)(20000 + fw->n_ports * 2),
				    .open = true,
				    .sending = true };
	fw->ports[fw->n_ports++] = port;
	*ret = (struct media_port *)port;
	return 0;
}

static void fake_media_stop(void *w, struct media_port *p)
{
	struct fake_port *port = (struct fake_port *)p;

	(void)w;
	fake_check(port->open, "media_stop on a closed port");
	port->stops++;
	for (unsigned i = 0; i < port->n_plays; i++)
		port->plays[i].open = false;
}

static void fake_media_close(void *w, struct media_port *p)
{
	struct fake_port *port = (struct fake_port *)p;

	if (!port)
		return;
	fake_media_stop(w, p);
	port->open = false;
}

static uint16_t fake_media_port_number(void *w, const struct media_port *p)
{
	(void)w;
	return ((const struct fake_port *)p)->number;
}

static void fake_media_start(void *w, struct media_port *p, const char *ip, uint16_t number,
			     uint8_t event_type)
{
	struct fake_port *port = (struct fake_port *)p;

	(void)w;
	port->event_type = event_type;
	fake_check(port->open, "media_start on a closed port");
	snprintf(port->ip, sizeof(port->ip), "%s", ip);
	port->peer = number;
	port->starts++;
}

static void fake_media_hold(void *w, struct media_port *p, int sending)
{
	(void)w;
	fake_check(((struct fake_port *)p)->open, "media_hold on a closed port");
	((struct fake_port *)p)->sending = sending != 0;
}

static inline uint32_t fake_queue(void *w, struct media_port *p, struct prompt *prompt,
				  unsigned loops, const char *digits)
{
	struct fake_port *port = (struct fake_port *)p;

	fake_check(port->open && port->n_plays < 256, "a play on a closed or full port");
	port->plays[port->n_plays++] =
		(struct fake_play){ .id = ++FAKE(w)->last_play,
				    .prompt = prompt ? prompt_ref(prompt) : NULL,
				    .loops = loops,
				    .digits = digits ? strdup(digits) : NULL,
				    .open = true };
	return FAKE(w)->last_play;
}

static uint32_t fake_media_play(void *w, struct media_port *p, struct prompt *prompt,
				unsigned loops)
{
	return fake_queue(w, p, prompt, loops, NULL);
}

static uint32_t fake_media_play_digits(void *w, struct media_port *p, const char *digits)
{
	return fake_queue(w, p, NULL, 1, digits);
}

/* speech: a voice or language that begins with "unknown" is not known */

static const struct speech_voice *fake_speech_voice(void *w, const char *voice,
						    const char *language, bool *voice_known,
						    bool *language_known)
{
	static const struct speech_voice one = { .name = "fake", .language = "en-us" };

	(void)w;
	if (voice_known)
		*voice_known = !voice || strncmp(voice, "unknown", 7) != 0;
	if (language_known)
		*language_known = !language || strncmp(language, "unknown", 7) != 0;
	return &one;
}

static inline int fake_job(struct fake_world *fw, struct speech_job **ret, const void *text,
			   size_t len, const char *type, const struct speech_voice *voice,
			   speech_done_fn *done, void *arg)
{
	struct fake_job *job;

	fake_check(fw->n_jobs < FAKE_MAX, "too many speech jobs");
	if (fw->fail_speech)
		return fw->fail_speech;
	job = calloc(1, sizeof(*job));
	job->text = calloc(1, len + 1);
	memcpy(job->text, text, len);
	job->len = len;
	job->content_type = type ? strdup(type) : NULL;
	job->voice = voice;
	job->done = done;
	job->arg = arg;
	job->open = true;
	fw->jobs[fw->n_jobs++] = job;
	*ret = (struct speech_job *)job;
	return 0;
}

static int fake_speech_say(void *w, struct speech_job **ret, const struct speech_voice *voice,
			   const char *ssml, speech_done_fn *done, void *arg)
{
	return fake_job(w, ret, ssml, strlen(ssml), NULL, voice, done, arg);
}

static int fake_speech_decode(void *w, struct speech_job **ret, const void *data, size_t len,
			      const char *content_type, speech_done_fn *done, void *arg)
{
	return fake_job(w, ret, data, len, content_type ? content_type : "", NULL, done, arg);
}

static void fake_speech_cancel(void *w, struct speech_job *speech_job)
{
	struct fake_job *job = (struct fake_job *)speech_job;

	(void)w;
	if (job && job->open) {
		job->open = false;
		job->cancelled = true;
	}
}

/* database */

static void fake_row_written(struct store_item *item)
{
	store_written_fn *written = item->written;

	item->written = NULL;
	if (written)
		written(item->arg);
}

static int fake_store(void *w, struct store_item *item)
{
	struct fake_world *fw = w;

	fake_check(fw->n_stored < FAKE_MAX && item, "too many rows");
	if (fw->fail_store) {
		store_item_free(item);
		return fw->fail_store;
	}
	fw->stored[fw->n_stored++] = item;
	/* At once: who asks has done all else. */
	if (!fw->hold_rows)
		fake_row_written(item);
	return 0;
}

FAKE_UNUSED static void fake_rows_written(struct fake_world *fw)
{
	for (unsigned i = 0; i < fw->n_stored; i++)
		fake_row_written(fw->stored[i]);
}

static int fake_domain_get(void *w, const char *domain_sid, const char *number,
			   void (*done)(void *arg, const struct call_domain *domain), void *arg,
			   uint64_t *ret_id)
{
	struct fake_world *fw = w;

	fake_check(fw->n_domains < FAKE_MAX, "too many domain look-ups");
	fw->domains[fw->n_domains] = (struct fake_domain){ .sid = fake_copy(domain_sid),
							   .number = fake_copy(number),
							   .done = done,
							   .arg = arg,
							   .id = fw->n_domains + 1,
							   .open = true };
	*ret_id = ++fw->n_domains;
	return 0;
}

static void fake_domain_get_cancel(void *w, uint64_t id)
{
	if (id && id <= FAKE(w)->n_domains)
		FAKE(w)->domains[id - 1].open = false;
}

static int fake_routes_get(void *w, const struct route_want *want, routes_fn *done, void *arg,
			   uint64_t *ret_id)
{
	struct fake_world *fw = w;

	/* At once, which the real one never does: most tests are not about it. */
	if (want->kind == ROUTE_HOST) {
		const struct call_route route = { .restricted = fw->restricted };

		*ret_id = FAKE_MAX + 1;
		done(arg, fw->hosts_refused ? 13227 : 0, &route, !fw->hosts_refused);
		return 0;
	}
	fake_check(fw->n_routes < FAKE_MAX, "too many routes");
	fw->routes[fw->n_routes] = (struct fake_route){ .kind = want->kind,
							.user = fake_copy(want->user),
							.domain = fake_copy(want->domain),
							.done = done,
							.arg = arg,
							.open = true };
	*ret_id = ++fw->n_routes;
	return 0;
}

static void fake_routes_cancel(void *w, uint64_t id)
{
	if (id && id <= FAKE(w)->n_routes)
		FAKE(w)->routes[id - 1].open = false;
}

static const struct world_ops fake_ops = {
	.now_ms = fake_now,
	.timer_new = fake_timer_new,
	.timer_start = fake_timer_start,
	.timer_stop = fake_timer_stop,
	.timer_free = fake_timer_free,
	.sip_reply = fake_sip_reply,
	.sip_request = fake_sip_request,
	.sip_cancel = fake_sip_cancel,
	.sip_forget = fake_sip_forget,
	.tls_connect = fake_tls_connect,
	.resolve = fake_resolve,
	.resolve_cancel = fake_resolve_cancel,
	.ng = fake_ng,
	.ng_cancel = fake_ng_cancel,
	.fetch = fake_fetch,
	.fetch_cancel = fake_fetch_cancel,
	.media_open = fake_media_open,
	.media_close = fake_media_close,
	.media_port_number = fake_media_port_number,
	.media_start = fake_media_start,
	.media_hold = fake_media_hold,
	.media_play = fake_media_play,
	.media_play_digits = fake_media_play_digits,
	.media_stop = fake_media_stop,
	.speech_voice = fake_speech_voice,
	.speech_say = fake_speech_say,
	.speech_decode = fake_speech_decode,
	.speech_cancel = fake_speech_cancel,
	.store = fake_store,
	.domain_get = fake_domain_get,
	.domain_get_cancel = fake_domain_get_cancel,
	.routes_get = fake_routes_get,
	.routes_cancel = fake_routes_cancel,
};

/*
 * What a test uses
 */

static struct fake_world *fake_world_new(void)
{
	struct fake_world *fw = calloc(1, sizeof(*fw));

	fw->now_ms = 1000000;
	fw->config = (struct config){
		.account_sid = "AC00000000000000000000000000000001",
		.auth_token = "0123456789abcdef0123456789abcdef",
		.sip_domain = "sip.hookswitch.test",
		.public_ip = "192.0.2.10",
		.sip_port = 5060,
		.sips_port = 5061,
		.sip_tls_verify = "off",
		.media_ip = "127.0.0.1",
		.max_calls = 100,
		.rtp_timeout_ms = 60000,
		.rtp_strict_source = true,
		.ack_timeout_ms = 32000,
		.max_call_seconds = 14400,
		.session_expires_s = 1800,
		.webhook_connect_ms = 5000,
		.webhook_read_ms = 15000,
		.webhook_total_ms = 15000,
		.webhook_verify_tls = true,
		.twiml_max_bytes = 65536,
		.hangup_first = "answer",
		.play_max_bytes = 1 << 20,
		.play_max_seconds = 2400,
		.speech_voice = "man",
		.speech_language = "en-US",
	};
	fw->world = (struct world){ .ops = &fake_ops, .w = fw, .config = &fw->config };
	return fw;
}

#define FAKE_KEY "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"

/* RTPengine's answer to an offer or answer, with a description as it would write it. */
FAKE_UNUSED static json_t *fake_ng_ok(const struct fake_ng *ng)
{
	const char *command = json_string_value(json_object_get(ng->command, "command"));
	const char *from = json_string_value(json_object_get(ng->command, "from-tag"));
	const char *theirs = json_string_value(json_object_get(ng->command, "sdp"));
	bool offer = !strcmp(command, "offer");
	const char *direction = !theirs			       ? "sendrecv"
				: strstr(theirs, "a=sendonly") ? "sendonly"
				: strstr(theirs, "a=recvonly") ? "recvonly"
				: strstr(theirs, "a=inactive") ? "inactive"
							       : "sendrecv";
	/* Of the last offer of a party: its answer is as secure. */
	static char asked[100];
	const char *crypto = theirs ? strstr(theirs, "a=crypto:") : NULL;
	const char *profile = json_string_value(json_object_get(ng->command, "transport protocol"));
	bool to_party, secure;
	char sdp[800];

	if (!offer && strcmp(command, "answer"))
		return json_pack("{s:s}", "result", "ok");
	/* What the party says is written for our side, whose tag begins with i, and the other way
	 * round; in an answer, from-tag still names who offered. */
	to_party = offer ? from[0] == 'i' : from[0] != 'i';
	if (offer && !to_party)
		snprintf(asked, sizeof(asked), "%.*s", crypto ? (int)strcspn(crypto, ":") + 26 : 0,
			 crypto ? crypto : "");
	secure = to_party && (offer ? !strcmp(profile, "RTP/SAVP") : asked[0] != 0);
	snprintf(sdp, sizeof(sdp),
		 "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d RTP/%s 0 "
		 "101\r\n"
		 "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=%s\r\n%s%s",
		 to_party ? "192.0.2.10" : "127.0.0.1",
		 theirs && strstr(theirs, "c=IN IP4 0.0.0.0") ? "0.0.0.0"
		 : to_party				      ? "192.0.2.10"
							      : "127.0.0.1",
		 to_party ? 30000 : 30002, secure ? "SAVP" : "AVP", direction,
		 !secure ? ""
		 : offer ? "a=crypto:1 AES_CM_128_HMAC_SHA1_80"
			 : asked,
		 secure ? " inline:" FAKE_KEY "\r\n" : "");
	return json_pack("{s:s,s:s}", "result", "ok", "sdp", sdp);
}

/* Completes an NG command; takes reply (NULL: none). */
FAKE_UNUSED static void fake_ng_reply(struct fake_world *fw, unsigned index, int r, json_t *reply)
{
	struct fake_ng *ng = &fw->ng[index];

	fake_check(index < fw->n_ng && ng->open, "this NG command does not wait");
	ng->open = false;
	if (ng->done)
		ng->done(ng->arg, r, reply);
	json_decref(reply);
}

static inline void fake_answer_ng(struct fake_world *fw)
{
	for (unsigned i = 0; i < fw->n_ng; i++)
		if (fw->ng[i].open)
			fake_ng_reply(fw, i, 0, fake_ng_ok(&fw->ng[i]));
}

/* Moves the clock, running what falls due, in order. With ng_auto, RTPengine answers first. */
FAKE_UNUSED static void fake_advance(struct fake_world *fw, uint64_t ms)
{
	uint64_t until = fw->now_ms + ms;
	struct fake_timer *t;
	unsigned guard = 0;

	for (;;) {
		if (fw->ng_auto)
			fake_answer_ng(fw);
		t = fake_next_timer(fw, until);
		if (!t)
			break;
		fake_check(++guard < 100000, "timers that never end");
		if (t->due_ms > fw->now_ms)
			fw->now_ms = t->due_ms;
		t->active = false;
		t->fn(t->arg);
	}
	fw->now_ms = until;
}

/* One turn of the loop: what is due now. */
FAKE_UNUSED static void fake_run(struct fake_world *fw)
{
	fake_advance(fw, 0);
}

FAKE_UNUSED static void fake_request_sent(struct fake_world *fw, unsigned index, int r)
{
	struct fake_request *q = &fw->requests[index];

	fake_check(index < fw->n_requests && q->open, "this command does not wait");
	q->open = false;
	if (q->done)
		q->done(q->arg, r);
}

FAKE_UNUSED static const struct fake_reply *fake_last_reply(const struct fake_world *fw)
{
	fake_check(fw->n_replies > 0, "no reply was sent");
	return &fw->replies[fw->n_replies - 1];
}

/* How many replies with a code from lo to hi this transaction got. */
FAKE_UNUSED static unsigned fake_count_replies(const struct fake_world *fw, const char *transaction,
					       int lo, int hi)
{
	unsigned n = 0;

	for (unsigned i = 0; i < fw->n_replies; i++)
		n += !strcmp(fw->replies[i].transaction, transaction) &&
		     fw->replies[i].code >= lo && fw->replies[i].code <= hi;
	return n;
}

FAKE_UNUSED static unsigned fake_count_requests(const struct fake_world *fw, const char *method)
{
	unsigned n = 0;

	for (unsigned i = 0; i < fw->n_requests; i++)
		n += !strcmp(fw->requests[i].method, method);
	return n;
}

FAKE_UNUSED static unsigned fake_count_ng(const struct fake_world *fw, const char *command)
{
	unsigned n = 0;

	for (unsigned i = 0; i < fw->n_ng; i++)
		n += !strcmp(json_string_value(json_object_get(fw->ng[i].command, "command")),
			     command);
	return n;
}

FAKE_UNUSED static struct fake_port *fake_last_port(const struct fake_world *fw)
{
	fake_check(fw->n_ports > 0, "no media port was opened");
	return fw->ports[fw->n_ports - 1];
}

/* The first play that is still queued ends by itself. */
FAKE_UNUSED static void fake_played(struct fake_port *port)
{
	for (unsigned i = 0; i < port->n_plays; i++) {
		if (!port->plays[i].open)
			continue;
		port->plays[i].open = false;
		port->events->played(port->arg, port->plays[i].id);
		return;
	}
	fake_check(false, "nothing plays");
}

/* Completes a fetch with status and body (error HTTP_OK), or with an error and no reply. */
FAKE_UNUSED static void fake_fetch_done(struct fake_world *fw, unsigned index,
					const struct http_reply *reply)
{
	struct fake_fetch *f = fw->fetches[index];

	fake_check(index < fw->n_fetches && f->open, "this fetch does not wait");
	f->open = false;
	f->done(f->arg, reply);
}

FAKE_UNUSED static void fake_fetch_reply(struct fake_world *fw, unsigned index, int status,
					 const char *content_type, const char *body)
{
	struct http_reply reply = { .status = status,
				    .content_type = content_type,
				    .headers = "",
				    .body = body ? body : "",
				    .body_len = body ? strlen(body) : 0 };

	fake_fetch_done(fw, index, &reply);
}

FAKE_UNUSED static void fake_fetch_error(struct fake_world *fw, unsigned index,
					 enum http_error error)
{
	struct http_reply reply = {
		.error = error, .error_text = "it failed", .headers = "", .body = ""
	};

	fake_fetch_done(fw, index, &reply);
}

/* Completes a speech job; on success with samples of silence. */
FAKE_UNUSED static void fake_speech_done(struct fake_world *fw, unsigned index, int r,
					 size_t samples)
{
	struct fake_job *job = fw->jobs[index];
	int16_t *pcm = calloc(samples ? samples : 1, sizeof(*pcm));

	fake_check(index < fw->n_jobs && job->open, "this speech job does not wait");
	job->open = false;
	job->done(job->arg, r, r < 0 ? NULL : prompt_new(pcm, samples ? samples : 1));
	free(pcm);
}

FAKE_UNUSED static void fake_domain_reply(struct fake_world *fw, unsigned index,
					  const struct call_domain *domain)
{
	struct fake_domain *d = &fw->domains[index];

	fake_check(index < fw->n_domains && d->open, "this domain look-up does not wait");
	d->open = false;
	d->done(d->arg, domain);
}

/* The database answers the look-up of a route, the last one. */
FAKE_UNUSED static void fake_routes_reply(struct fake_world *fw, int error,
					  const struct call_route *routes, unsigned n)
{
	struct fake_route *r = &fw->routes[fw->n_routes - 1];

	fake_check(fw->n_routes && r->open, "nobody waits for routes");
	r->open = false;
	r->done(r->arg, error, routes, n);
}

/* The targets, "ip[:port][/tcp]" separated by spaces, of the last host that was asked for. */
FAKE_UNUSED static void fake_resolved(struct fake_world *fw, const char *targets)
{
	struct fake_lookup *l = &fw->lookups[fw->n_lookups - 1];
	enum resolver_transport usual = l->transport == RESOLVER_ANY ? RESOLVER_UDP : l->transport;
	struct resolver_target list[8];
	char text[200], *save, *p;
	unsigned n = 0;

	fake_check(fw->n_lookups && l->open, "no look-up waits");
	memset(list, 0, sizeof(list));
	snprintf(text, sizeof(text), "%s", targets);
	for (p = strtok_r(text, " ", &save); p; p = strtok_r(NULL, " ", &save), n++) {
		struct sockaddr_in *in = (struct sockaddr_in *)&list[n].address;
		bool tcp = strstr(p, "/tcp");
		char *end = p + strcspn(p, ":/");
		unsigned port = *end == ':' ? (unsigned)atoi(end + 1) : l->port;

		*end = '\0';
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)(port ? port : usual == RESOLVER_TLS ? 5061 : 5060));
		fake_check(inet_pton(AF_INET, p, &in->sin_addr) == 1, "a bad address");
		list[n].transport = tcp ? RESOLVER_TCP : usual;
	}
	l->open = false;
	l->done(l->arg, n ? 0 : -ENOENT, list, n);
}

/* What still waits or is open: all 0 when a test has ended every call. */
FAKE_UNUSED static unsigned fake_open_things(const struct fake_world *fw)
{
	unsigned n = fw->n_timers;

	for (unsigned i = 0; i < fw->n_ports; i++)
		n += fw->ports[i]->open;
	for (unsigned i = 0; i < fw->n_fetches; i++)
		n += fw->fetches[i]->open;
	for (unsigned i = 0; i < fw->n_jobs; i++)
		n += fw->jobs[i]->open;
	for (unsigned i = 0; i < fw->n_domains; i++)
		n += fw->domains[i].open;
	for (unsigned i = 0; i < fw->n_routes; i++)
		n += fw->routes[i].open;
	for (unsigned i = 0; i < fw->n_lookups; i++)
		n += fw->lookups[i].open;
	for (unsigned i = 0; i < fw->n_ng; i++) /* with nobody to answer to, it may wait */
		n += fw->ng[i].open && fw->ng[i].done;
	return n;
}

static void fake_world_free(struct fake_world *fw)
{
	while (fw->timers)
		fake_timer_free(fw, fw->timers);
	for (unsigned i = 0; i < fw->n_replies; i++) {
		free(fw->replies[i].transaction);
		free(fw->replies[i].reason);
		free(fw->replies[i].to_tag);
		free(fw->replies[i].headers);
		free(fw->replies[i].body);
	}
	for (unsigned i = 0; i < fw->n_requests; i++) {
		free(fw->requests[i].method);
		free(fw->requests[i].ruri);
		free(fw->requests[i].next_hop);
		free(fw->requests[i].socket);
		free(fw->requests[i].headers);
		free(fw->requests[i].body);
	}
	for (unsigned i = 0; i < fw->n_ng; i++)
		json_decref(fw->ng[i].command);
	for (unsigned i = 0; i < fw->n_ports; i++) {
		for (unsigned k = 0; k < fw->ports[i]->n_plays; k++) {
			prompt_unref(fw->ports[i]->plays[k].prompt);
			free(fw->ports[i]->plays[k].digits);
		}
		free(fw->ports[i]);
	}
	for (unsigned i = 0; i < fw->n_fetches; i++) {
		struct fake_fetch *f = fw->fetches[i];

		free(f->method);
		free(f->url);
		free(f->body);
		free(f->headers);
		free(f->username);
		free(f->password);
		free(f);
	}
	for (unsigned i = 0; i < fw->n_jobs; i++) {
		free(fw->jobs[i]->text);
		free(fw->jobs[i]->content_type);
		free(fw->jobs[i]);
	}
	for (unsigned i = 0; i < fw->n_lookups; i++)
		free(fw->lookups[i].host);
	for (unsigned i = 0; i < fw->n_domains; i++) {
		free(fw->domains[i].number);
		free(fw->domains[i].sid);
	}
	for (unsigned i = 0; i < fw->n_routes; i++) {
		free(fw->routes[i].user);
		free(fw->routes[i].domain);
	}
	for (unsigned i = 0; i < fw->n_stored; i++)
		store_item_free(fw->stored[i]);
	free(fw);
}

#endif
