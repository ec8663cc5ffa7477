#define LOG_SUBSYSTEM "api"
#include "api/api.h"

#include "api/auth.h"
#include "api/auth_tokens.h"
#include "api/health.h"
#include "api/openapi.h"
#include "api/path.h"
#include "api/protocol.h"
#include "api/rate.h"
#include "api/resource.h"
#include "api/statements.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "io/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct api {
	struct api_options options;
	struct http_server *server;
	struct db **connections; /* one a thread */
	unsigned n_connections;
	char *openapi; /* the document */
	struct networks proxies, monitors;
};

static bool is(const char *a, const char *b)
{
	return !strcmp(a, b);
}

/* -- /openapi.json */

static void answer_openapi(struct api_request *q, const char *document)
{
	if (protocol_only_get(q) < 0)
		return;
	q->out->body = strdup(document);
	q->out->status = q->out->body ? 200 : 500;
	q->out->content_type = q->out->body ? "application/json" : NULL;
	q->out->body_len = q->out->body ? strlen(document) : 0;
}

/* -- dispatch */

static void not_allowed(struct api_request *q, bool can_post, bool can_delete)
{
	char allow[40];

	snprintf(allow, sizeof(allow), "GET, HEAD%s%s", can_post ? ", POST" : "",
		 can_delete ? ", DELETE" : "");
	protocol_not_allowed(q, allow);
}

static void operate(struct api_request *q, const struct resource *r, bool instance)
{
	const char *method = q->method;
	bool get = is(method, "GET") || is(method, "HEAD");
	bool can_post = r->can & (instance ? CAN_UPDATE : CAN_CREATE),
	     can_delete = instance && (r->can & CAN_DELETE);

	if (get && instance)
		resource_fetch(q, r, 200);
	else if (get)
		resource_list(q, r);
	else if (is(method, "POST") && can_post && (protocol_take_body(q) < 0 || q->in->waiting))
		return;
	else if (is(method, "POST") && can_post && instance)
		resource_update(q, r);
	else if (is(method, "POST") && can_post)
		resource_create(q, r);
	else if (is(method, "DELETE") && can_delete)
		resource_delete(q, r);
	else
		not_allowed(q, can_post, can_delete);
}

static void route(struct api_request *q)
{
	const struct resource *r;
	struct path path;
	bool instance;

	if (path_take(&path, q) < 0 || auth_check(q) < 0)
		return;
	/* The request counts once, when it comes with its body. */
	if (!q->in->waiting && rate_check(q) < 0)
		return;
	r = path_resource(&path, q, &instance);
	if (r && (!r->main_only || auth_check_main(q) == 0) && protocol_take_query(q) == 0)
		operate(q, r, instance);
}

static void stamp(struct api_request *q, uint64_t started_ns)
{
	api_header(q, "Twilio-Request-Id", "%s", q->request_id);
	api_header(q, "Twilio-Request-Duration", "%.3f",
		   (double)(clock_mono_ns() - started_ns) / 1e9);
}

static void count(const char *method, int status, uint64_t started_ns)
{
	static const char *const known[] = {
		[METHOD_GET] = "GET",
		[METHOD_HEAD] = "HEAD",
		[METHOD_POST] = "POST",
		[METHOD_DELETE] = "DELETE",
	};
	unsigned m = 0;

	while (m < METHOD_OTHER && !is(method, known[m]))
		m++;
	metrics_count(METRIC_REST_REQUESTS, m, metrics_status_class(status));
	metrics_observe(METRIC_REST_REQUEST_NS, m, 0, clock_mono_ns() - started_ns);
}

/* A client waits for leave to send a body: only what would be refused with any body is answered.
 * Nothing is done yet, so what could be without a body has leave. */
static void check_waiting(struct api_request *q)
{
	bool acts = is(q->method, "GET") || is(q->method, "HEAD") || is(q->method, "DELETE");

	if (!acts && !strncmp(q->in->path, API_ROOT, strlen(API_ROOT) - 1))
		route(q);
}

static void handle(void *arg, unsigned thread_index, const struct http_in *in, struct http_out *out)
{
	struct api *api = arg;
	struct api_request q = {
		.options = &api->options, .in = in, .out = out, .db = api->connections[thread_index]
	};
	uint64_t started_ns = clock_mono_ns();

	form_init(&q.query);
	form_init(&q.form);
	sid_new(q.request_id, "RQ");
	client_of(&q.client, in, &api->proxies);
	if (protocol_check(&q) < 0) {
		count(in->method, out->status, started_ns);
	} else if (in->waiting) {
		check_waiting(&q);
		if (out->status)
			count(in->method, out->status, started_ns);
	} else if (!health_serve(&q, &api->monitors)) {
		if (is(in->path, "/openapi.json"))
			answer_openapi(&q, api->openapi);
		else if (!auth_tokens_serve(&q))
			route(&q);
		protocol_finish(&q);
		count(in->method, out->status, started_ns);
	}
	stamp(&q, started_ns);
	form_done(&q.query);
	form_done(&q.form);
	for (int i = 0; i < q.n_scratch; i++)
		buf_done(&q.scratch[i]);
	free(q.changes);
}

/* -- start and stop */

/* Loopback, and the address itself that is listened on: the container's health check comes from one
 * of these. */
static int monitors_of(struct networks *ret, const struct config *c)
{
	char *list;
	int r;

	if (asprintf(&list, "127.0.0.0/8,::1,%s%s%s", c->api_bind, *c->api_monitors ? "," : "",
		     c->api_monitors) < 0)
		return -ENOMEM;
	r = networks_parse(ret, list);
	free(list);
	return r;
}

struct api *api_start(const struct api_options *options, char *err, size_t err_size)
{
	const struct config *c = options->config;
	const struct http_server_options server = { .bind = c->api_bind,
						    .port = c->api_port,
						    .threads = (unsigned)c->api_threads,
						    .max_connections = (unsigned)c->api_connections,
						    .max_connections_each =
							    (unsigned)c->api_connections_each,
						    .tls_cert = c->api_tls_cert,
						    .tls_key = c->api_tls_key,
						    .socket = options->socket,
						    .idle_timeout_s = (unsigned)c->api_idle_s,
						    .request_timeout_s = (unsigned)c->api_request_s,
						    .max_body_bytes = PROTOCOL_BODY_MAX_BYTES };
	struct api *api = calloc(1, sizeof(*api));

	snprintf(err, err_size, "out of memory");
	if (!api)
		return NULL;
	api->options = *options;
	api->n_connections = server.threads;
	api->connections = calloc(server.threads, sizeof(struct db *));
	api->openapi = openapi_document();
	if (!api->connections || !api->openapi || statements_make() < 0 ||
	    networks_parse(&api->proxies, c->api_proxies) < 0 || monitors_of(&api->monitors, c) < 0)
		goto fail;
	for (unsigned i = 0; i < server.threads; i++) {
		api->connections[i] = db_open(c->database_url);
		if (!api->connections[i])
			goto fail;
	}
	if (auth_bootstrap(api->connections[0], c) < 0) {
		snprintf(err, err_size, "the first account was not made: %s",
			 db_error(api->connections[0]));
		goto fail;
	}
	api->server = http_server_start(&server, handle, api, err, err_size);
	if (!api->server)
		goto fail;
	return api;
fail:
	api_stop(api);
	return NULL;
}

void api_stop(struct api *api)
{
	if (!api)
		return;
	http_server_stop(api->server);
	for (unsigned i = 0; api->connections && i < api->n_connections; i++)
		db_close(api->connections[i]);
	free(api->connections);
	free(api->openapi);
	statements_free();
	free(api);
}
