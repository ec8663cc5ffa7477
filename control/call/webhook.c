#define LOG_SUBSYSTEM "webhook"
#include "call/webhook.h"

#include "base/buf.h"
#include "base/config.h"
#include "base/log.h"
#include "base/sid.h"
#include "call/store.h"
#include "call/world.h"
#include "proto/form.h"
#include "proto/signature.h"
#include "proto/url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PARAMS_MAX_BYTES (256 << 10)
#define HEADERS_MAX	 10
#define TOKEN_SIZE	 37

struct webhook {
	struct world *world;
	enum metric_webhook kind;
	webhook_done_fn *done;
	void *arg;
	struct http_fetch *fetch;
	void *timer; /* reports what failed before anything was sent */
	char *document_url;
	char *method;
	struct form params;
	bool with_params; /* false once a redirect dropped them */
	char *variables;
	char *auth_token;
	char *account_sid, *call_sid; /* NULL: no events */
	char *header[2];
	struct http_jar *jar;
	size_t max_bytes;
	struct url url;
	struct url_overrides overrides; /* of the configured URL, for every hop */
	unsigned redirects, retries;
	uint64_t deadline_ms;
	char token[TOKEN_SIZE];
	int early_code;
};

static void webhook_free(struct webhook *w)
{
	if (!w)
		return;
	if (w->timer)
		w->world->ops->timer_free(w->world->w, w->timer);
	free(w->document_url);
	free(w->method);
	form_done(&w->params);
	free(w->variables);
	free(w->auth_token);
	free(w->account_sid);
	free(w->call_sid);
	free(w->header[0]);
	free(w->header[1]);
	url_done(&w->url);
	free(w);
}

void webhook_cancel(struct webhook *w)
{
	if (!w)
		return;
	if (w->fetch) {
		metrics_add(METRIC_WEBHOOKS_RUNNING, 0, 0, -1);
		w->world->ops->fetch_cancel(w->world->w, w->fetch);
	}
	webhook_free(w);
}

/* A random UUID (RFC 4122 version 4). */
/* from: 32 hex digits, or NULL for a random one */
static void new_token(char ret[TOKEN_SIZE], const char *from)
{
	char hex[33] = { 0 };

	if (from)
		snprintf(hex, sizeof(hex), "%s", from);
	else
		random_hex(hex, 32);
	hex[12] = '4';
	hex[16] = "89ab"[hex[16] & 3];
	snprintf(ret, TOKEN_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		 hex + 20);
}

static int code_of(enum http_error error)
{
	switch (error) {
	case HTTP_OK:
		return 0;
	case HTTP_BAD_URL:
		return 11100;
	case HTTP_BAD_HOST:
		return 11210;
	case HTTP_CONNECT_TIMEOUT:
		return 11201;
	case HTTP_CONNECT_REFUSED:
		return 11202;
	case HTTP_ADDRESS_REFUSED:
		return 11205;
	case HTTP_READ_TIMEOUT:
		return 11200;
	case HTTP_TOTAL_TIMEOUT:
		return 11203;
	case HTTP_TLS_HANDSHAKE:
		return 11220;
	case HTTP_TLS_NAME:
		return 11235;
	case HTTP_TLS_EXPIRED:
		return 11236;
	case HTTP_TLS_CHAIN:
		return 11237;
	case HTTP_PROTOCOL:
		return 11206;
	case HTTP_TOO_LARGE:
		return 11750;
	case HTTP_INTERNAL:
		return 12400;
	}
	return 12400;
}

static void finish(struct webhook *w, const struct http_reply *reply, int code, const char *text)
{
	struct webhook_result result = {
		.error_code = code,
		.method = w->method,
		.url = w->url.request ? w->url.request : "",
		.document_url = w->document_url,
		.variables = w->variables,
		.reply = reply,
	};

	snprintf(result.error_text, sizeof(result.error_text), "%s", text ? text : "");
	w->fetch = NULL;
	w->done(w->arg, &result);
	webhook_free(w);
}

static void on_early(void *arg)
{
	struct webhook *w = arg;

	finish(w, NULL, w->early_code,
	       w->early_code == 11100 ? "the URL is not an absolute http or https URL"
				      : "the request could not be sent");
}

/* Something failed before the request left: completes on the next turn, as every completion does.
 */
static int fail_soon(struct webhook *w, int code)
{
	w->early_code = code;
	w->timer = w->world->ops->timer_new(w->world->w, on_early, w);
	if (!w->timer)
		return -ENOMEM;
	w->world->ops->timer_start(w->world->w, w->timer, 0);
	return 0;
}

static void on_reply(void *arg, const struct http_reply *reply);

struct header_lines {
	char *line[HEADERS_MAX + 1];
	unsigned count;
	bool failed;
};

static void add_header(struct header_lines *h, const char *name, const char *value)
{
	if (asprintf(&h->line[h->count], "%s: %s", name, value) < 0) {
		h->line[h->count] = NULL;
		h->failed = true;
		return;
	}
	h->count++;
}

static int attempt_headers(const struct webhook *w, struct header_lines *h, bool post,
			   const char *sign_url)
{
	char signature[SIGNATURE_SIZE];
	static const struct form none;
	int r;

	r = signature_make(signature, w->auth_token, sign_url,
			   post ? (w->with_params ? &w->params : &none) : NULL);
	if (r < 0)
		return r;
	add_header(h, "User-Agent", "TwilioProxy/1.1");
	add_header(h, "Accept", "*/*");
	add_header(h, "X-Home-Region", "us1");
	add_header(h, "X-Twilio-Signature", signature);
	add_header(h, "I-Twilio-Idempotency-Token", w->token);
	if (post)
		add_header(h, "Content-Type", "application/x-www-form-urlencoded; charset=UTF-8");
	for (int i = 0; i < 2; i++)
		if (w->header[i] && (h->line[h->count] = strdup(w->header[i])))
			h->count++;
	return h->failed ? -ENOMEM : 0;
}

static unsigned or_default(unsigned value, int def)
{
	return value ? value : (unsigned)def;
}

static int attempt(struct webhook *w)
{
	const struct config *cfg = w->world->config;
	bool post = !strcasecmp(w->method, "POST");
	uint64_t now = w->world->ops->now_ms(w->world->w);
	struct header_lines h = { .count = 0 };
	char *url = NULL, *sign_url = NULL;
	struct http_request request;
	struct buf body;
	int r = -ENOMEM;

	buf_init(&body, PARAMS_MAX_BYTES);
	if (post) {
		if (w->with_params && form_encode(&w->params, &body, 1) < 0)
			goto out;
	} else if (w->with_params) {
		url = url_with_query(w->url.request, &w->params);
		sign_url = url_with_query(w->url.sign, &w->params);
		if (!url || !sign_url)
			goto out;
	}
	r = attempt_headers(w, &h, post, sign_url ? sign_url : w->url.sign);
	if (r < 0)
		goto out;
	request = (struct http_request){
		.method = w->method,
		.url = url ? url : w->url.request,
		.headers = (const char *const *)h.line,
		.body = post ? (body.data ? body.data : "") : NULL,
		.body_len = body.len,
		.username = w->url.username,
		.password = w->url.password,
		.jar = w->jar,
		.connect_ms = or_default(w->overrides.connect_ms, cfg->webhook_connect_ms),
		.read_ms = or_default(w->overrides.read_ms, cfg->webhook_read_ms),
		.total_ms = w->deadline_ms > now ? (unsigned)(w->deadline_ms - now) : 1,
		.max_bytes = w->max_bytes,
		.sni_off = w->overrides.sni_off,
	};
	r = w->world->ops->fetch(w->world->w, &w->fetch, &request, on_reply, w);
	if (r == 0)
		metrics_add(METRIC_WEBHOOKS_RUNNING, 0, 0, 1);
out:
	while (h.count)
		free(h.line[--h.count]);
	buf_done(&body);
	free(url);
	free(sign_url);
	return r;
}

static bool retry_wanted(const struct webhook *w, const struct http_reply *reply)
{
	unsigned policy = w->overrides.retry_policy ? w->overrides.retry_policy : URL_RETRY_CT;
	unsigned count = w->overrides.retry_count >= 0 ? (unsigned)w->overrides.retry_count : 1;

	if (w->retries >= count || w->world->ops->now_ms(w->world->w) >= w->deadline_ms)
		return false;
	switch (reply->error) {
	case HTTP_CONNECT_TIMEOUT:
	case HTTP_CONNECT_REFUSED:
	case HTTP_TLS_HANDSHAKE:
		return policy & URL_RETRY_CT;
	case HTTP_READ_TIMEOUT:
		/* Never after a part of the reply came. */
		return (policy & URL_RETRY_RT) && !reply->status;
	case HTTP_OK:
		return (reply->status >= 500 && (policy & URL_RETRY_5XX)) ||
		       (reply->status >= 400 && reply->status < 500 && (policy & URL_RETRY_4XX));
	default:
		return false;
	}
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Scheme, host and port of a request URL are the same in both. */
static bool same_origin(const char *a, const char *b)
{
	size_t n = strcspn(a, ":") + 3, m;

	m = strlen(a) > n ? n + strcspn(a + n, "/?") : strlen(a);
	return !strncasecmp(a, b, m) && strchr("/?", b[m]);
}

/* 0; -EINVAL: a redirect to nowhere; -ENOMEM. */
static int follow(struct webhook *w, const struct http_reply *reply)
{
	struct url next = { .request = NULL };
	char *text = NULL;
	int code = 0, r;

	if (!reply->location || !*reply->location)
		return -EINVAL;
	r = url_resolve(&text, w->document_url, reply->location);
	if (r < 0)
		goto out;
	/* Overrides are the customer's configuration, not what a reply says. */
	text[strcspn(text, "#")] = '\0';
	r = url_parse(&next, text, &code);
	if (r < 0)
		goto out;
	if (!next.username && w->url.username && same_origin(w->url.request, next.request)) {
		next.username = w->url.username;
		next.password = w->url.password;
		w->url.username = w->url.password = NULL;
	}
	if (reply->status < 304 || strcasecmp(w->method, "POST")) {
		strcpy(w->method, "GET"); /* room: it held GET or POST */
		w->with_params = false;
	}
	url_done(&w->url);
	w->url = next;
	memset(&next, 0, sizeof(next));
	free(w->document_url);
	w->document_url = text;
	text = NULL;
out:
	url_done(&next);
	free(text);
	return r;
}

static enum metric_webhook_result result_of(const struct http_reply *reply)
{
	switch (reply->error) {
	case HTTP_OK:
		return (enum metric_webhook_result)(WEBHOOK_1XX +
						    metrics_status_class(reply->status));
	case HTTP_BAD_URL:
		return WEBHOOK_BAD_URL;
	case HTTP_BAD_HOST:
		return WEBHOOK_DNS;
	case HTTP_CONNECT_REFUSED:
		return WEBHOOK_CONNECT;
	case HTTP_ADDRESS_REFUSED:
		return WEBHOOK_ADDRESS;
	case HTTP_CONNECT_TIMEOUT:
	case HTTP_READ_TIMEOUT:
	case HTTP_TOTAL_TIMEOUT:
		return WEBHOOK_TIMEOUT;
	case HTTP_TLS_HANDSHAKE:
	case HTTP_TLS_NAME:
	case HTTP_TLS_EXPIRED:
	case HTTP_TLS_CHAIN:
		return WEBHOOK_TLS;
	case HTTP_PROTOCOL:
		return WEBHOOK_PROTOCOL;
	case HTTP_TOO_LARGE:
		return WEBHOOK_TOO_LARGE;
	case HTTP_INTERNAL:
		break;
	}
	return WEBHOOK_INTERNAL;
}

static void count_reply(const struct webhook *w, const struct http_reply *reply)
{
	const struct http_times *t = &reply->times;
	const unsigned us[] = {
		[STAGE_DNS] = t->dns_us,     [STAGE_CONNECT] = t->connect_us,
		[STAGE_TLS] = t->tls_us,     [STAGE_FIRST_BYTE] = t->first_byte_us,
		[STAGE_TOTAL] = t->total_us,
	};

	metrics_add(METRIC_WEBHOOKS_RUNNING, 0, 0, -1);
	metrics_count(METRIC_WEBHOOKS, w->kind, result_of(reply));
	for (unsigned stage = 0; stage < sizeof(us) / sizeof(us[0]); stage++)
		if (us[stage])
			metrics_observe(METRIC_WEBHOOK_STAGE_NS, w->kind, stage,
					us[stage] * UINT64_C(1000));
}

/* A request that ended is an event of its call, a redirect's and a retry's too. */
static void put_event(const struct webhook *w, const struct http_reply *reply)
{
	struct store_item *item;

	if (!w->call_sid)
		return;
	item = store_item_call_event(&(struct store_call_event){
		.account_sid = w->account_sid,
		.call_sid = w->call_sid,
		.method = w->method,
		.url = w->url.request,
		.parameters = w->with_params ? &w->params : NULL,
		.response_code = reply->status,
		.duration_ms = reply->time_total_ms,
		.content_type = reply->content_type,
		.body = reply->error == HTTP_OK ? reply->body : NULL,
	});
	if (!item || w->world->ops->store(w->world->w, item) < 0)
		log_error("%s: an event is lost", w->call_sid);
}

static void on_reply(void *arg, const struct http_reply *reply)
{
	struct webhook *w = arg;
	char text[64];
	int r = 0;

	w->fetch = NULL;
	count_reply(w, reply);
	put_event(w, reply);
	if (retry_wanted(w, reply)) {
		w->retries++;
		metrics_count(METRIC_WEBHOOK_RETRIES, w->kind, 0);
		r = attempt(w);
		if (r < 0)
			finish(w, reply, 12400, "out of memory");
		return;
	}
	if (reply->error != HTTP_OK) {
		finish(w, reply, code_of(reply->error), reply->error_text);
		return;
	}
	if (is_redirect(reply->status)) {
		if (w->redirects++ >= WEBHOOK_REDIRECTS_MAX) {
			finish(w, reply, 11215, "more than 10 redirects");
			return;
		}
		r = follow(w, reply);
		if (r == 0)
			r = attempt(w);
		if (r == -ENOMEM)
			finish(w, reply, 12400, "out of memory");
		else if (r < 0)
			finish(w, reply, 11216, "a redirect without a usable Location");
		return;
	}
	if ((reply->status >= 200 && reply->status < 300) || reply->status == 304) {
		finish(w, reply, 0, NULL);
		return;
	}
	snprintf(text, sizeof(text), "the server answered %d", reply->status);
	finish(w, reply, 11200, text);
}

static int copy_request(struct webhook *w, const struct webhook_request *request)
{
	struct buf b;

	form_init(&w->params);
	w->document_url = strdup(request->url);
	w->method =
		strdup(!strcasecmp(request->method ? request->method : "", "GET") ? "GET" : "POST");
	w->auth_token = strdup(request->auth_token);
	if (!w->document_url || !w->method || !w->auth_token)
		return -ENOMEM;
	for (int i = 0; i < 2; i++)
		if (request->header[i] && !(w->header[i] = strdup(request->header[i])))
			return -ENOMEM;
	if (request->call_sid && (!(w->account_sid = strdup(request->account_sid)) ||
				  !(w->call_sid = strdup(request->call_sid))))
		return -ENOMEM;
	w->with_params = request->params != NULL;
	if (request->params && form_copy(&w->params, request->params) < 0)
		return -ENOMEM;
	buf_init(&b, PARAMS_MAX_BYTES);
	form_encode(&w->params, &b, 1);
	w->variables = b.error == -ENOMEM ? NULL : buf_steal(&b);
	buf_done(&b);
	if (!w->variables)
		w->variables = strdup("");
	return w->variables ? 0 : -ENOMEM;
}

int webhook_start(struct webhook **ret, struct world *world, const struct webhook_request *request,
		  webhook_done_fn *done, void *arg)
{
	struct webhook *w = calloc(1, sizeof(*w));
	int r, code = 11100;

	if (!w)
		return -ENOMEM;
	w->world = world;
	w->done = done;
	w->arg = arg;
	w->jar = request->jar;
	w->kind = request->kind;
	w->max_bytes = request->max_bytes;
	new_token(w->token, request->idempotency);
	r = copy_request(w, request);
	if (r < 0)
		goto out;
	r = url_parse(&w->url, request->url, &code);
	if (r == -ENOMEM)
		goto out;
	if (r < 0) {
		memset(&w->url, 0, sizeof(w->url));
		r = fail_soon(w, r == -ENOTSUP && code ? code : 11100);
		goto out;
	}
	w->overrides = w->url.overrides;
	w->deadline_ms = world->ops->now_ms(world->w) +
			 or_default(w->overrides.total_ms, world->config->webhook_total_ms);
	r = attempt(w);
	if (r < 0 && r != -ENOMEM)
		r = fail_soon(w, 12400);
out:
	if (r < 0) {
		webhook_free(w);
		return r;
	}
	*ret = w;
	return 0;
}
