#define LOG_SUBSYSTEM "rtpengine"
#include "call/rtpengine.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/sid.h"
#include "io/loop.h"
#include "io/socket.h"
#include "proto/ng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define COMMAND_MAX_BYTES (64 << 10)
#define QUEUE_MAX	  20000
#define SWEEP_MS	  100
/* RTPengine keeps answers by cookie and repeats them, so sending again is safe. */
static const unsigned resend_after_ms[] = { 400, 1000 };
#define GIVE_UP_MS 2000
#define SENDS	   (sizeof(resend_after_ms) / sizeof(resend_after_ms[0]))

struct pending {
	uint64_t id;
	char cookie[32];
	uint64_t sent_ms, sent_ns;
	unsigned resent;
	char *text;
	size_t len;
	ng_done_fn *done;
	void *arg;
	bool cancelled;
	UT_hash_handle hh;
};

struct rtpengine {
	struct loop *loop;
	struct dgram *socket;
	struct loop_timer *sweep;
	struct pending *pending;
	struct buf output;
	char prefix[9]; /* of our cookies: another daemon's do not match */
	uint64_t next_id;
	bool alive;
};

static void pending_free(struct rtpengine *rtpengine, struct pending *p)
{
	HASH_DEL(rtpengine->pending, p);
	free(p->text);
	free(p);
}

static void finish(struct rtpengine *rtpengine, struct pending *p, int r, const json_t *reply)
{
	ng_done_fn *done = p->done;
	void *arg = p->arg;

	pending_free(rtpengine, p);
	if (done)
		done(arg, r, reply);
}

static void on_reply(void *arg, const char *data, size_t len)
{
	struct rtpengine *rtpengine = arg;
	const char *space = memchr(data, ' ', len), *result;
	struct pending *p;
	json_t *reply;
	size_t n = space ? (size_t)(space - data) : 0;

	if (!n)
		return;
	HASH_FIND(hh, rtpengine->pending, data, n, p);
	if (!p)
		return; /* the answer to one that was sent twice, or cancelled */
	reply = bencode_read(space + 1, len - n - 1, NULL);
	result = json_string_value(json_object_get(reply, "result"));
	rtpengine->alive = true;
	metrics_observe(METRIC_RTPENGINE_COMMAND_NS, 0, 0, clock_mono_ns() - p->sent_ns);
	if (!result) {
		metrics_count(METRIC_RTPENGINE_FAILURES, COMMAND_BAD, 0);
		log_error("an answer cannot be read");
		finish(rtpengine, p, -EIO, NULL);
	} else if (!strcmp(result, "error")) {
		metrics_count(METRIC_RTPENGINE_FAILURES, COMMAND_REFUSED, 0);
		log_warn("a command failed: %s",
			 json_string_value(json_object_get(reply, "error-reason")));
		finish(rtpengine, p, -EPROTO, reply);
	} else {
		finish(rtpengine, p, 0, reply);
	}
	json_decref(reply);
}

static void on_sweep(void *arg)
{
	struct rtpengine *rtpengine = arg;
	uint64_t now = loop_now_ms(rtpengine->loop);
	struct pending *p, *tmp;

	HASH_ITER(hh, rtpengine->pending, p, tmp)
	{
		uint64_t age = now - p->sent_ms;

		if (p->cancelled && age >= GIVE_UP_MS) {
			pending_free(rtpengine, p);
		} else if (age >= GIVE_UP_MS) {
			rtpengine->alive = false;
			metrics_count(METRIC_RTPENGINE_FAILURES, COMMAND_TIMEOUT, 0);
			finish(rtpengine, p, -ETIMEDOUT, NULL);
		} else if (!p->cancelled && p->resent < SENDS &&
			   age >= resend_after_ms[p->resent]) {
			p->resent++;
			metrics_count(METRIC_RTPENGINE_RESENDS, 0, 0);
			dgram_send(rtpengine->socket, p->text, p->len);
		}
	}
	if (rtpengine->pending)
		loop_timer_start(rtpengine->sweep, SWEEP_MS);
}

struct rtpengine *rtpengine_new(struct loop *loop, const char *ng_addr)
{
	struct rtpengine *rtpengine = calloc(1, sizeof(*rtpengine));

	if (!rtpengine)
		return NULL;
	rtpengine->loop = loop;
	rtpengine->alive = true;
	random_hex(rtpengine->prefix, 8);
	buf_init(&rtpengine->output, COMMAND_MAX_BYTES);
	rtpengine->sweep = loop_timer_new(loop, on_sweep, rtpengine);
	rtpengine->socket = dgram_new_udp(loop, NULL, ng_addr, QUEUE_MAX, on_reply, rtpengine);
	if (!rtpengine->sweep || !rtpengine->socket) {
		rtpengine_free(rtpengine);
		return NULL;
	}
	return rtpengine;
}

void rtpengine_free(struct rtpengine *rtpengine)
{
	struct pending *p, *tmp;

	if (!rtpengine)
		return;
	HASH_ITER(hh, rtpengine->pending, p, tmp)
	pending_free(rtpengine, p);
	dgram_free(rtpengine->socket);
	loop_timer_free(rtpengine->sweep);
	buf_done(&rtpengine->output);
	free(rtpengine);
}

uint64_t rtpengine_command(struct rtpengine *rtpengine, json_t *command, ng_done_fn *done,
			   void *arg)
{
	struct buf *b = &rtpengine->output;
	struct pending *p = calloc(1, sizeof(*p));
	int n;

	if (!p || !command)
		goto fail;
	p->id = ++rtpengine->next_id;
	n = snprintf(p->cookie, sizeof(p->cookie), "%s%llu", rtpengine->prefix,
		     (unsigned long long)p->id);
	buf_reset(b);
	buf_addf(b, "%s ", p->cookie);
	if (bencode_write(b, command) < 0)
		goto fail;
	p->text = malloc(b->len);
	if (!p->text)
		goto fail;
	memcpy(p->text, b->data, b->len);
	p->len = b->len;
	p->done = done;
	p->arg = arg;
	p->sent_ms = loop_now_ms(rtpengine->loop);
	p->sent_ns = clock_mono_ns();
	metrics_count(METRIC_RTPENGINE_COMMANDS, 0, 0);
	HASH_ADD_KEYPTR(hh, rtpengine->pending, p->cookie, (size_t)n, p);
	/* A send that fails is one that is lost: the sweep sends it again. */
	dgram_send(rtpengine->socket, p->text, p->len);
	if (!loop_timer_active(rtpengine->sweep))
		loop_timer_start(rtpengine->sweep, SWEEP_MS);
	json_decref(command);
	return p->id;
fail:
	if (p)
		free(p->text);
	free(p);
	json_decref(command);
	return 0;
}

void rtpengine_cancel(struct rtpengine *rtpengine, uint64_t id)
{
	struct pending *p;
	char cookie[32];
	int n = snprintf(cookie, sizeof(cookie), "%s%llu", rtpengine->prefix,
			 (unsigned long long)id);

	HASH_FIND(hh, rtpengine->pending, cookie, (size_t)n, p);
	if (!p)
		return;
	/* Its datagram is out; it must not be sent again, behind a later command of the same call.
	 * The sweep forgets it. */
	p->done = NULL;
	p->cancelled = true;
}

bool rtpengine_alive(const struct rtpengine *rtpengine)
{
	return rtpengine->alive;
}
