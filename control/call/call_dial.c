/* Whom a call of ours goes to: SIP URIs, registered phones, numbers (sip-and-rest.md §3.3, §3.4).
 */
#define LOG_SUBSYSTEM "call"
#include "base/config.h"
#include "base/log.h"
#include "call/call.h"
#include "call/call_fork.h"
#include "call/call_limits.h"
#include "call/call_outbound.h"
#include "call/notify.h"
#include "call/routes.h"
#include "call/status_callback.h"
#include "proto/e164.h"
#include "proto/sip_target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEADLINE_S	     600 /* of a ringing call, whatever the order says */
#define CODE_INTERNAL	     12400
#define CODE_BAD_URI	     21211 /* of REST's To; of a <Sip>: */
#define CODE_DIAL_URI	     13243
#define CODE_DIAL_HEADER     13252
#define CODE_PARAM_VALUE     32114
#define CODE_INSECURE	     32209
#define CODE_BAD_NUMBER	     13223
#define CODE_NO_USER	     32223
#define CODE_OFFLINE	     32009
#define CODE_NOT_ALLOWED     13227 /* of a <Dial>; of REST: */
#define CODE_NOT_ALLOWED_API 21215
#define CLIENT		     "client:"

/* The user part of a URI; what is no URI is one itself. */
static void party_user(char *ret, size_t size, const char *party)
{
	size_t scheme = !strncasecmp(party, "sips:", 5)	 ? 5
			: !strncasecmp(party, "sip:", 4) ? 4
							 : 0;
	const char *user = party + scheme;
	size_t n = scheme ? strcspn(user, "@;:?") : strlen(user);

	/* A URI may be of a host alone. */
	if (scheme && !strchr(user, '@'))
		n = 0;
	snprintf(ret, size, "%.*s", (int)n, user);
	if (!*ret || ret[strspn(ret, CALLER_CHARS)])
		snprintf(ret, size, "anonymous");
}

/* A Contact as a phone wrote it can be a Request-URI. */
static bool uri_ok(const char *uri)
{
	if (strncasecmp(uri, "sip:", 4) && strncasecmp(uri, "sips:", 5))
		return false;
	for (const char *p = uri; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("<>\"\\", *p))
			return false;
	return true;
}

static void describe(const struct call *c, struct leg_call *call, char *from_user, size_t size)
{
	const struct call_order *order = c->order;
	const struct call *parent =
		order->parent_sid ? calls_find(c->calls, order->parent_sid, NULL) : NULL;

	party_user(from_user, size, order->from);
	*call = (struct leg_call){ .account_sid = c->account_sid,
				   .shown_sid = c->sid,
				   .from_user = from_user,
				   .from_host = c->world->config->sip_domain,
				   .username = order->username,
				   .password = order->password,
				   .beside = parent ? parent->leg : NULL,
				   .early_media = order->early_media,
				   .dtmf_pt = order->dtmf_pt };
}

/* -- legs */

static void call_legs(struct call *c, const struct leg_call *calls, unsigned n)
{
	int r;

	if (n > 1)
		r = call_forks_start(c, calls, n);
	else
		r = leg_new_outbound(&c->leg, c->world, c->calls->legs, c->sid, calls,
				     &call_leg_events, c);
	if (r == 0 && c->leg && !(c->sip_call_id = strdup(leg_call_id(c->leg)))) {
		call_hangup(c, CALL_EV_FAILED);
		return;
	}
	if (r < 0) {
		call_outbound_fail(c, CODE_INTERNAL, 0, "out of memory");
		return;
	}
	/* Who is called, and what was told, is known now. */
	call_update_callback(c, callbacks_sequence_after(c, CALLBACK_INITIATED));
	callbacks_put(c->calls->callbacks, c, CALLBACK_INITIATED, 0);
}

/* told: of what is left out of it. */
static int parse(struct call *c, struct sip_target *target, const char *uri, bool told)
{
	bool dialled = c->order->parent_sid != NULL;
	struct sip_target_error error = { .leave_out = dialled };
	int r = sip_target_parse(target, uri, &error);

	if (r < 0) {
		call_outbound_fail(
			c, dialled && error.code == CODE_BAD_URI ? CODE_DIAL_URI : error.code, 0,
			r == -ENOMEM ? "out of memory" : error.text);
		return r;
	}
	if (error.code && !told)
		notify(c, error.code == CODE_PARAM_VALUE ? error.code : CODE_DIAL_HEADER, NULL,
		       NULL, "%s", error.text);
	if (!dialled)
		return 0;
	/* What the party hears first is asked for with the host that was called. */
	free(c->domain_name);
	c->domain_name = strdup(target->host);
	if (c->domain_name)
		return 0;
	sip_target_done(target);
	call_outbound_fail(c, CODE_INTERNAL, 0, "out of memory");
	return -ENOMEM;
}

/* -- by routes */

static void fail_route(struct call *c, int error)
{
	static const struct {
		int code, sip_code;
		const char *text;
	} reasons[] = {
		{ CODE_OFFLINE, 404, "nobody is registered there" },
		{ CODE_INSECURE, 404, "nobody is registered there over TLS" },
		{ 32214, 404,
		  "there is no SIP domain of this name in the account, its owner or a subaccount" },
		{ 13224, 0,
		  "no SIP gateway of the account takes this number: make one (/SIP/Gateways)" },
		{ CODE_NOT_ALLOWED, 0,
		  "the account's list of destinations does not allow it (/SIP/Destinations)" },
		{ -1, 0, "the database did not answer" },
	};
	int code = error < 0 ? CODE_INTERNAL : error;

	if (error == CODE_NOT_ALLOWED && !c->order->parent_sid)
		code = CODE_NOT_ALLOWED_API;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].code == error)
			call_outbound_fail(c, code, reasons[i].sip_code, reasons[i].text);
}

static void by_gateway(struct call *c, const struct call_route *route)
{
	char from_user[SIP_TARGET_URI_MAX + 1];
	struct sip_target target;
	struct leg_call call;

	if (parse(c, &target, route->uri, false) < 0)
		return;
	describe(c, &call, from_user, sizeof(from_user));
	call.target = &target;
	call.username = route->username;
	call.password = route->password;
	call.one_host = route->restricted;
	call_legs(c, &call, 1);
	sip_target_done(&target);
}

static void to_phones(struct call *c, const struct call_route *routes, unsigned n)
{
	char from_user[SIP_TARGET_URI_MAX + 1], aor[SIP_TARGET_URI_MAX + 1];
	const char *user = c->order->to + strlen(CLIENT);
	bool client = !strncmp(c->order->to, CLIENT, strlen(CLIENT));
	struct leg_call calls[ROUTES_MAX];
	struct sip_target target;
	unsigned used = 0;

	snprintf(aor, sizeof(aor), "sip:%s@%s", user, routes->domain);
	if (parse(c, &target, client ? aor : c->order->to, true) < 0)
		return;
	for (unsigned i = 0; i < n; i++) {
		struct leg_call *call = &calls[used];

		/* sip-and-rest.md §3.4 */
		if (target.secure && strncmp(routes[i].socket, "tls:", 4) != 0)
			continue;
		describe(c, call, from_user, sizeof(from_user));
		call->target = &target;
		call->from_host = routes[i].domain;
		call->ruri = uri_ok(routes[i].uri) ? routes[i].uri : routes[i].next_hop;
		call->next_hop = routes[i].next_hop;
		call->socket = routes[i].socket;
		used++;
	}
	for (unsigned i = 0; i < used; i++)
		calls[i].early_media = calls[i].early_media && used == 1;
	if (used)
		call_legs(c, calls, used);
	else
		fail_route(c, CODE_INSECURE);
	sip_target_done(&target);
}

static void to_host(struct call *c, const struct call_route *route)
{
	char from_user[SIP_TARGET_URI_MAX + 1];
	struct sip_target target;
	struct leg_call call;

	if (parse(c, &target, c->order->to, true) < 0)
		return;
	describe(c, &call, from_user, sizeof(from_user));
	call.target = &target;
	call.one_host = route->restricted;
	call_legs(c, &call, 1);
	sip_target_done(&target);
}

static bool beyond_limit(const struct call *c, int calls)
{
	if (calls < 0)
		calls = c->world->config->account_calls;
	return calls > 0 && call_limits_count(c->calls->limits, c->account_sid) > (unsigned)calls;
}

static void on_routes(void *arg, int error, const struct call_route *routes, unsigned n)
{
	struct call *c = arg;

	c->routes_get = 0;
	if (error)
		fail_route(c, error);
	else if (beyond_limit(c, routes->account_calls))
		call_outbound_fail(c, 10004, 0, "the account has as many calls as it may");
	else if (routes->next_hop)
		to_phones(c, routes, n);
	else if (routes->uri)
		by_gateway(c, routes);
	else
		to_host(c, routes);
}

static void ask(struct call *c, enum route_kind kind, const char *user, const char *domain)
{
	const struct route_want want = {
		.kind = kind, .account_sid = c->account_sid, .user = user, .domain = domain
	};

	if (c->world->ops->routes_get(c->world->w, &want, on_routes, c, &c->routes_get) == 0)
		return;
	c->routes_get = 0;
	call_outbound_fail(c, CODE_INTERNAL, 0, "too many calls wait for the database");
}

/* -- by what To says */

static void dial_uri(struct call *c)
{
	struct sip_target target;

	if (parse(c, &target, c->order->to, false) < 0)
		return;
	/* Where customers' SIP domains are. */
	if (!sip_host_is_below(target.host, c->world->config->sip_domain))
		ask(c, ROUTE_HOST, target.host, NULL);
	else if (*target.user)
		ask(c, ROUTE_AOR, target.user, target.host);
	else
		call_outbound_fail(c, CODE_NO_USER, 0, "the SIP URI has no user");
	sip_target_done(&target);
}

void call_dial(struct call *c)
{
	const struct call_order *order = c->order;
	int timeout_s = order->timeout_s < DEADLINE_S ? order->timeout_s : DEADLINE_S;

	c->dialled = true;
	c->started_ms = c->world->ops->now_ms(c->world->w);
	c->world->ops->timer_start(c->world->w, c->deadline, (uint64_t)timeout_s * 1000);
	if (order->number && !e164_ok(order->to))
		call_outbound_fail(
			c, CODE_BAD_NUMBER, 0,
			"a number is + and 2 to 15 digits, or ten digits of North America");
	else if (order->number || *order->to == '+')
		ask(c, ROUTE_NUMBER, order->to, NULL);
	else if (!strncmp(order->to, CLIENT, strlen(CLIENT)))
		ask(c, ROUTE_CLIENT, order->to + strlen(CLIENT), NULL);
	else
		dial_uri(c);
}
