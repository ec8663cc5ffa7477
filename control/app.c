#define LOG_SUBSYSTEM "app"
#include "app.h"

#include "api/api.h"
#include "api/auth.h"
#include "api/rate.h"
#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/process.h"
#include "call/bridge.h"
#include "call/calls.h"
#include "call/call_limits.h"
#include "call/control_run.h"
#include "call/decisions.h"
#include "call/domain_cache.h"
#include "call/kamailio.h"
#include "call/leg.h"
#include "call/routes.h"
#include "call/rtpengine.h"
#include "call/store.h"
#include "call/world.h"
#include "io/db.h"
#include "io/http_client.h"
#include "io/http_server.h"
#include "io/loop.h"
#include "io/resolver.h"
#include "io/siblings.h"
#include "io/socket.h"
#include "media/media.h"
#include "media/prompt.h"
#include "media/speech.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIGRATE_WAIT_MS	   60000
#define NEIGHBOUR_CHECK_MS 1000
#define DATABASE_SILENT_MS 3000 /* it is away when no answer came for so long */

struct app {
	const struct config *config;
	struct loop *loop;
	struct http_client *web;
	struct prompt_cache *prompts;
	struct speech *speech;
	struct resolver *resolver;
	struct media *media;
	struct store *store;
	struct domain_cache *domains;
	struct routes *routes;
	struct kamailio *kamailio;
	struct decisions *decisions;
	struct rtpengine *rtpengine;
	struct dgram *dtmf;
	struct siblings *siblings;
	struct calls *calls;
	struct api *api;
	struct loop_timer *check;
	_Atomic bool kamailio_up, rtpengine_up; /* for /readyz, as the loop saw them last */
	struct db_worker *database;		/* asked every second, for the metric alone */
	uint64_t database_asked_ms;		/* 0: it has answered */
	int database_r;
	struct world world;
};

/* -- world_ops: the real functions behind the engine's table */

static uint64_t w_now_ms(void *w)
{
	return loop_now_ms(((struct app *)w)->loop);
}

static void *w_timer_new(void *w, void (*fn)(void *arg), void *arg)
{
	return loop_timer_new(((struct app *)w)->loop, fn, arg);
}

static void w_timer_start(void *w, void *timer, uint64_t delay_ms)
{
	(void)w;
	loop_timer_start(timer, delay_ms);
}

static void w_timer_stop(void *w, void *timer)
{
	(void)w;
	loop_timer_stop(timer);
}

static void w_timer_free(void *w, void *timer)
{
	(void)w;
	loop_timer_free(timer);
}

static int w_sip_reply(void *w, const char *transaction, int code, const char *reason,
		       const char *to_tag, const char *headers, const char *body)
{
	return kamailio_reply(((struct app *)w)->kamailio, transaction, code, reason, to_tag,
			      headers, body);
}

static int w_sip_request(void *w, const struct sip_out *out, sip_sent_fn *done, void *arg)
{
	return kamailio_request(((struct app *)w)->kamailio, out, done, arg);
}

static int w_sip_cancel(void *w, const char *call_id, unsigned cseq)
{
	return kamailio_cancel(((struct app *)w)->kamailio, call_id, cseq);
}

static int w_tls_connect(void *w, const char *call_id, const char *address, const char *name)
{
	return kamailio_tls_connect(((struct app *)w)->kamailio, call_id, address, name);
}

static int w_resolve(void *w, struct resolver_query **ret, const struct resolver_request *request,
		     resolver_done_fn *done, void *arg)
{
	return resolver_start(ret, ((struct app *)w)->resolver, request, done, arg);
}

static void w_resolve_cancel(void *w, struct resolver_query *query)
{
	(void)w;
	resolver_cancel(query);
}

static void w_sip_forget(void *w, const void *arg)
{
	kamailio_forget(((struct app *)w)->kamailio, arg);
}

static uint64_t w_ng(void *w, json_t *command, ng_done_fn *done, void *arg)
{
	return rtpengine_command(((struct app *)w)->rtpengine, command, done, arg);
}

static void w_ng_cancel(void *w, uint64_t id)
{
	rtpengine_cancel(((struct app *)w)->rtpengine, id);
}

static int w_fetch(void *w, struct http_fetch **ret, const struct http_request *request,
		   http_done_fn *done, void *arg)
{
	return http_fetch(ret, ((struct app *)w)->web, request, done, arg);
}

static void w_fetch_cancel(void *w, struct http_fetch *fetch)
{
	(void)w;
	http_fetch_cancel(fetch);
}

static int w_media_open(void *w, struct media_port **ret, unsigned timeout_ms,
			const struct media_events *ev, void *arg)
{
	return media_open(ret, ((struct app *)w)->media, timeout_ms, ev, arg);
}

static void w_media_close(void *w, struct media_port *port)
{
	(void)w;
	media_close(port);
}

static uint16_t w_media_port_number(void *w, const struct media_port *port)
{
	(void)w;
	return media_port_number(port);
}

static void w_media_start(void *w, struct media_port *port, const char *ip, uint16_t number,
			  uint8_t event_type)
{
	(void)w;
	media_start(port, ip, number, event_type);
}

static void w_media_hold(void *w, struct media_port *port, int sending)
{
	(void)w;
	media_hold(port, sending);
}

static uint32_t w_media_play(void *w, struct media_port *port, struct prompt *p, unsigned loops)
{
	(void)w;
	return media_play(port, p, loops);
}

static uint32_t w_media_play_digits(void *w, struct media_port *port, const char *digits)
{
	(void)w;
	return media_play_digits(port, digits);
}

static void w_media_stop(void *w, struct media_port *port)
{
	(void)w;
	media_stop(port);
}

static const struct speech_voice *w_speech_voice(void *w, const char *voice, const char *language,
						 bool *voice_known, bool *language_known)
{
	return speech_voice_find(((struct app *)w)->speech, voice, language, voice_known,
				 language_known);
}

static int w_speech_say(void *w, struct speech_job **ret, const struct speech_voice *voice,
			const char *ssml, speech_done_fn *done, void *arg)
{
	return speech_say(ret, ((struct app *)w)->speech, voice, ssml, done, arg);
}

static int w_speech_decode(void *w, struct speech_job **ret, const void *data, size_t len,
			   const char *content_type, speech_done_fn *done, void *arg)
{
	struct app *app = w;
	const struct prompt_limits limits = { app->config->play_max_bytes,
					      app->config->play_max_seconds };

	return speech_decode(ret, app->speech, data, len, content_type, &limits, done, arg);
}

static void w_speech_cancel(void *w, struct speech_job *job)
{
	(void)w;
	speech_cancel(job);
}

static int w_store(void *w, struct store_item *item)
{
	return store_put(((struct app *)w)->store, item);
}

static int w_domain_get(void *w, const char *domain_sid, const char *number,
			void (*done)(void *arg, const struct call_domain *domain), void *arg,
			uint64_t *ret_id)
{
	return domain_cache_get(((struct app *)w)->domains, domain_sid, number, done, arg, ret_id);
}

static void w_domain_get_cancel(void *w, uint64_t id)
{
	domain_cache_cancel(((struct app *)w)->domains, id);
}

static int w_routes_get(void *w, const struct route_want *want, routes_fn *done, void *arg,
			uint64_t *ret_id)
{
	return routes_get(((struct app *)w)->routes, want, done, arg, ret_id);
}

static void w_routes_cancel(void *w, uint64_t id)
{
	routes_cancel(((struct app *)w)->routes, id);
}

static const struct world_ops real_world = {
	.now_ms = w_now_ms,
	.timer_new = w_timer_new,
	.timer_start = w_timer_start,
	.timer_stop = w_timer_stop,
	.timer_free = w_timer_free,
	.sip_reply = w_sip_reply,
	.sip_request = w_sip_request,
	.sip_cancel = w_sip_cancel,
	.tls_connect = w_tls_connect,
	.sip_forget = w_sip_forget,
	.resolve = w_resolve,
	.resolve_cancel = w_resolve_cancel,
	.ng = w_ng,
	.ng_cancel = w_ng_cancel,
	.fetch = w_fetch,
	.fetch_cancel = w_fetch_cancel,
	.media_open = w_media_open,
	.media_close = w_media_close,
	.media_port_number = w_media_port_number,
	.media_start = w_media_start,
	.media_hold = w_media_hold,
	.media_play = w_media_play,
	.media_play_digits = w_media_play_digits,
	.media_stop = w_media_stop,
	.speech_voice = w_speech_voice,
	.speech_say = w_speech_say,
	.speech_decode = w_speech_decode,
	.speech_cancel = w_speech_cancel,
	.store = w_store,
	.domain_get = w_domain_get,
	.domain_get_cancel = w_domain_get_cancel,
	.routes_get = w_routes_get,
	.routes_cancel = w_routes_cancel,
};

/* -- events into the engine */

static void on_sip_event(void *arg, const char *json, size_t len)
{
	struct app *app = arg;

	legs_sip_event(calls_legs(app->calls), json, len);
}

static void on_dtmf(void *arg, const char *data, size_t len)
{
	struct app *app = arg;
	unsigned process = legs_dtmf_event(calls_legs(app->calls), data, len);

	if (process != process_index())
		siblings_tell(app->siblings, process, SIBLING_DIGIT, data, len);
}

static void on_sibling(void *arg, unsigned from, enum sibling_message what, const char *data,
		       size_t len)
{
	struct app *app = arg;

	if (what == SIBLING_DIGIT)
		legs_dtmf_event(calls_legs(app->calls), data, len);
	else
		control_sibling(app->calls, from, what, data, len);
}

static void ask_database(void *arg, struct db *db)
{
	struct app *app = arg;

	/* The first after a restart of the database meets the loss of the connection. */
	app->database_r = db_script(db, "SELECT 1");
	if (app->database_r < 0)
		app->database_r = db_script(db, "SELECT 1");
}

static void database_answered(void *arg)
{
	struct app *app = arg;

	app->database_asked_ms = 0;
	metrics_set(METRIC_DEPENDENCY_UP, DEPENDENCY_DATABASE, 0, app->database_r == 0);
}

static void check_database(struct app *app)
{
	uint64_t now = loop_now_ms(app->loop);

	if (!app->database_asked_ms) {
		if (db_worker_submit(app->database, ask_database, database_answered, app) == 0)
			app->database_asked_ms = now;
	} else if (now - app->database_asked_ms >= DATABASE_SILENT_MS) {
		metrics_set(METRIC_DEPENDENCY_UP, DEPENDENCY_DATABASE, 0, 0);
	}
}

/* The media worker counts for itself. */
static void on_measure(void *arg)
{
	struct media_stats stats;

	media_get_stats(((struct app *)arg)->media, &stats);
	metrics_set(METRIC_MEDIA_PORTS, 0, 0, stats.ports);
	metrics_set(METRIC_MEDIA_PACKETS, PACKETS_SENT, 0, (int64_t)stats.sent);
	metrics_set(METRIC_MEDIA_PACKETS, PACKETS_RECEIVED, 0, (int64_t)stats.received);
	metrics_set(METRIC_MEDIA_DISCARDED, 0, 0, (int64_t)stats.dropped);
	metrics_set(METRIC_MEDIA_LATE_TICKS, 0, 0, (int64_t)stats.late_ticks);
}

static void on_check(void *arg)
{
	struct app *app = arg;

	app->kamailio_up = kamailio_connected(app->kamailio);
	app->rtpengine_up = rtpengine_alive(app->rtpengine);
	metrics_set(METRIC_DEPENDENCY_UP, DEPENDENCY_KAMAILIO, 0, app->kamailio_up);
	metrics_set(METRIC_DEPENDENCY_UP, DEPENDENCY_RTPENGINE, 0, app->rtpengine_up);
	metrics_set(METRIC_CALLBACKS_WAITING, 0, 0, calls_callbacks_waiting(app->calls));
	check_database(app);
	if (process_count() > 1) {
		/* Whichever process shows the page shows what the others saw last. */
		on_measure(app);
		metrics_look_at_process();
	}
	rtpengine_command(app->rtpengine, json_pack("{s:s}", "command", "ping"), NULL, NULL);
	loop_timer_start(app->check, NEIGHBOUR_CHECK_MS);
}

/* -- what REST asks of the rest (its threads) */

static int forget_decisions(void *arg, sip_sent_fn *done, void *done_arg)
{
	struct app *app = arg;

	return kamailio_connected(app->kamailio)
		       ? kamailio_forget_decisions(app->kamailio, done, done_arg)
		       : -ENOTCONN;
}

static void on_changed(void *arg, const char *domain_sid)
{
	struct app *app = arg;

	calls_forget_domain(app->calls, domain_sid);
	decisions_changed(app->decisions);
}

static void on_neighbours(void *arg, struct api_neighbours *ret)
{
	struct app *app = arg;

	ret->kamailio = app->kamailio_up;
	ret->rtpengine = app->rtpengine_up;
}

static void on_terminate(void *arg)
{
	struct app *app = arg;

	log_info("stopping");
	loop_stop(app->loop);
}

/* -- start and stop */

/* In the order of their needs; the first that fails says why. */
static int start(struct app *app, const struct app_sockets *sockets)
{
	const struct config *c = app->config;
	const char *const own_sockets[] = { c->evapi_addr, c->rtpengine_cli, NULL };
	const struct http_client_options web = { .verify_tls = c->webhook_verify_tls,
						 .ca_file = c->webhook_ca_file,
						 .allowed_networks = c->webhook_allowed_networks,
						 .refuse = own_sockets };
	char err[512];

	if (db_migrate(c->database_url, c->sql_dir, MIGRATE_WAIT_MS, err, sizeof(err)) < 0) {
		log_error("%s", err);
		return -EIO;
	}
	app->loop = loop_new();
	if (!app->loop)
		return -ENOMEM;
	app->check = loop_timer_new(app->loop, on_check, app);
	if (*c->webhook_ca_file && access(c->webhook_ca_file, R_OK) < 0)
		log_warn("WEBHOOK_CA_FILE \"%s\" cannot be read, so every https webhook will fail: "
			 "%s",
			 c->webhook_ca_file, strerror(errno));
	app->web = http_client_new(app->loop, &web);
	app->prompts = prompt_cache_new(c->prompt_cache_bytes);
	app->speech = app->prompts ? speech_new(app->loop, app->prompts, c->speech_voice,
						c->speech_language)
				   : NULL;
	app->resolver = resolver_new(app->loop, c->dns_servers, NULL);
	app->media = media_new(app->loop, c->media_ip, (unsigned)c->media_threads);
	app->store = store_new(app->loop, c->database_url, c->node, (unsigned)c->store_gather_ms);
	app->domains = domain_cache_new(app->loop, c->database_url);
	app->routes = routes_new(app->loop, c->database_url, c->destinations_unlisted);
	app->database = db_worker_new(app->loop, c->database_url, NULL, 1);
	if (!app->check || !app->web || !app->speech || !app->resolver || !app->media ||
	    !app->store || !app->domains || !app->routes || !app->database)
		return -ENOMEM;
	app->world = (struct world){ .ops = &real_world, .w = app, .config = c };
	app->calls = calls_new(&app->world, app->loop, app->domains);
	app->rtpengine = rtpengine_new(app->loop, c->ng_addr);
	app->kamailio = kamailio_new(app->loop, c, on_sip_event, app);
	app->decisions = decisions_new(app->loop, forget_decisions, app);
	app->dtmf = dgram_new_bound(app->loop, sockets->dtmf, on_dtmf, app);
	app->siblings = siblings_new(app->loop, c->rpc_client_socket, on_sibling, app);
	if (!app->calls || !app->rtpengine || !app->kamailio || !app->decisions || !app->dtmf ||
	    !app->siblings)
		return -EIO;
	calls_meet(app->calls, app->siblings);
	if (bridges_resume(app->calls, err, sizeof(err)) < 0 ||
	    store_close_open_calls(c->database_url, c->node, err, sizeof(err)) < 0 ||
	    calls_resume_callbacks(app->calls, err, sizeof(err)) < 0) {
		log_error("%s", err);
		return -EIO;
	}
	app->api = api_start(&(struct api_options){ .config = c,
						    .calls = app->calls,
						    .socket = sockets->rest,
						    .changed = on_changed,
						    .neighbours = on_neighbours,
						    .measure = on_measure,
						    .arg = app },
			     err, sizeof(err));
	if (!app->api) {
		log_error("%s", err);
		return -EIO;
	}
	on_check(app);
	return loop_on_terminate(app->loop, on_terminate, app);
}

static void stop(struct app *app)
{
	api_stop(app->api);
	calls_free(app->calls);
	siblings_free(app->siblings);
	dgram_free(app->dtmf);
	kamailio_free(app->kamailio);
	decisions_free(app->decisions);
	rtpengine_free(app->rtpengine);
	domain_cache_free(app->domains);
	routes_free(app->routes);
	db_worker_free(app->database);
	store_free(app->store);
	media_free(app->media);
	resolver_free(app->resolver);
	speech_free(app->speech);
	prompt_cache_free(app->prompts);
	http_client_free(app->web);
	loop_timer_free(app->check);
	loop_free(app->loop);
}

int app_open(const struct config *c, struct app_sockets *ret, char *err, size_t err_size)
{
	ret->dtmf = dgram_bind_udp(c->dtmf_listen);
	if (ret->dtmf < 0) {
		snprintf(err, err_size,
			 "DTMF_LISTEN %s cannot be bound: %s; set an address of this host that is "
			 "free, for "
			 "RTPengine too",
			 c->dtmf_listen, strerror(-ret->dtmf));
		return ret->dtmf;
	}
	ret->rest = http_server_bind(c->api_bind, c->api_port, err, err_size);
	return ret->rest < 0 ? ret->rest : 0;
}

int app_share(void)
{
	int r = metrics_share();

	r = r < 0 ? r : call_limits_share();
	r = r < 0 ? r : auth_share();
	return r < 0 ? r : rates_share();
}

void app_begin_process(void)
{
	metrics_begin_process();
	call_limits_begin_process();
}

int app_run(const struct config *config, const struct app_sockets *sockets)
{
	struct app app = { .config = config };
	int r = start(&app, sockets);

	if (r == 0) {
		log_info("ready: REST on %s:%d, SIP domain %s", config->api_bind, config->api_port,
			 config->sip_domain);
		loop_run(app.loop);
	} else {
		log_error("cannot start: %s", strerror(-r));
	}
	stop(&app);
	return r < 0;
}

/* -- health */

struct health {
	struct loop *loop;
	int status;
};

static void on_health(void *arg, const struct http_reply *reply)
{
	struct health *h = arg;

	h->status = reply->error ? 0 : reply->status;
	loop_stop(h->loop);
}

int app_health(const struct config *config)
{
	/* It is our own address, whatever stands on its certificate. */
	const struct http_client_options options = { .allowed_networks = "0.0.0.0/0,::/0" };
	struct health h = { .loop = loop_new() };
	struct http_client *client = h.loop ? http_client_new(h.loop, &options) : NULL;
	struct http_fetch *fetch;
	char url[128];

	snprintf(url, sizeof(url),
		 strchr(config->api_bind, ':') ? "%s://[%s]:%d/healthz" : "%s://%s:%d/healthz",
		 *config->api_tls_cert ? "https" : "http", config->api_bind, config->api_port);
	if (client && http_fetch(&fetch, client,
				 &(struct http_request){ .method = "GET",
							 .url = url,
							 .connect_ms = 2000,
							 .read_ms = 2000,
							 .total_ms = 3000,
							 .max_bytes = 4096 },
				 on_health, &h) == 0)
		loop_run(h.loop);
	http_client_free(client);
	loop_free(h.loop);
	return h.status == 200 ? 0 : 1;
}
