/*
 * Seeded random walks: many calls, documents of every verb, and everything that the world and the
 * party can do, in any order. Nothing may be left, nothing may be told twice (the fakes abort), no
 * memory may be touched after its end (ASan).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "call/call_kit.h"

static const char *const verbs[] = {
	"<Say>Hello</Say>",
	"<Say loop=\"0\">x</Say>",
	"<Say/>",
	"<Play>/a.wav</Play>",
	"<Play>/b.wav#rc=1&amp;rp=5xx</Play>",
	"<Play>http://u:p@other/c.wav</Play>",
	"<Play digits=\"12w\"/>",
	"<Play/>",
	"<Pause/>",
	"<Pause length=\"3\"/>",
	"<Gather numDigits=\"2\" timeout=\"2\" "
	"action=\"/g\"><Say>One</Say><Play>/a.wav</Play><Pause/></Gather>",
	"<Gather bargeIn=\"false\" timeout=\"1\"><Play>/b.wav</Play><Play>/a.wav</Play></Gather>",
	"<Gather actionOnEmptyResult=\"true\" timeout=\"1\" action=\"/e\" method=\"GET\"/>",
	"<Gather finishOnKey=\"\" input=\"speech\"/>",
	"<Redirect>/next</Redirect>",
	"<Redirect>http://bad host/</Redirect>",
	"<Redirect/>",
	"<Reject/>",
	"<Reject reason=\"busy\"/>",
	"<Hangup/>",
	"<Dial>1</Dial>",
	"<Dial><Sip>sip:b@192.0.2.1</Sip></Dial>",
	"<Dial answerOnBridge=\"true\" hangupOnStar=\"true\" timeLimit=\"2\" action=\"/d\">"
	"<Sip>sip:b@192.0.2.1</Sip><Client>c</Client></Dial>",
	"<Dial referUrl=\"/refer\"><Sip>sip:b@192.0.2.1</Sip></Dial>",
	"<Dial answerOnBridge=\"true\" referUrl=\"/refer\" action=\"/d\"><Sip>sip:b@192.0.2.1</Sip>"
	"</Dial>",
	"<Dial sequential=\"true\" timeout=\"5\" action=\"/d\"><Sip url=\"/w\" "
	"statusCallback=\"/s\" statusCallbackEvent=\"initiated ringing answered completed\">"
	"sip:b@192.0.2.1</Sip><Number sendDigits=\"1\">+15551230001</Number></Dial>",
	"<Dial answerOnBridge=\"true\"><Sip>sip:b@bad host</Sip></Dial>",
	"<Refer><Sip>sip:b@192.0.2.1</Sip></Refer>",
	"<Refer action=\"/rf\"><Sip>sip:b@192.0.2.1?X-A=1</Sip></Refer>",
	"<Refer action=\"/rf\"/>",
	"<nonsense/>",
};

static uint64_t seed;

static unsigned pick(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char *document(void)
{
	char body[2048] = "";

	for (unsigned n = pick(4); n; n--)
		strcat(body, verbs[pick(COUNT(verbs))]);
	char *doc = NULL;

	fake_check(asprintf(&doc, "<Response>%s</Response>", body) > 0, "memory");
	return doc;
}

static void answer_web(unsigned index)
{
	static const char *const types[] = { "text/xml",   "text/xml",	"text/xml", "audio/wav",
					     "text/plain", "video/mp4", NULL };
	struct http_reply reply = { .headers = "", .body = "" };
	char *doc = document();

	switch (pick(8)) {
	case 0:
		fake_fetch_error(kit.fw, index, 1 + pick(14));
		break;
	case 1:
		reply.status = 300 + (int)pick(10);
		reply.location = pick(4) ? "/redirected" : NULL;
		fake_fetch_done(kit.fw, index, &reply);
		break;
	case 2:
		fake_fetch_reply(kit.fw, index, 400 + (int)pick(200), "text/html", "no");
		break;
	case 3:
		reply = (struct http_reply){ .status = 200,
					     .content_type = "audio/wav",
					     .headers = "",
					     .body = "RIFF",
					     .body_len = 4 };
		reply.cache_control = pick(2) ? "max-age=2" : NULL;
		reply.etag = pick(2) ? "\"e\"" : NULL;
		fake_fetch_done(kit.fw, index, &reply);
		break;
	default:
		fake_fetch_reply(kit.fw, index, pick(10) ? 200 : 304, types[pick(COUNT(types))],
				 pick(10) ? doc : "not xml");
	}
	free(doc);
}

/* A random one of those that are open, or -1. */
static int open_fetch(void)
{
	unsigned first = pick(kit.fw->n_fetches + 1);

	for (unsigned k = 0; k < kit.fw->n_fetches; k++)
		if (kit.fw->fetches[(first + k) % kit.fw->n_fetches]->open)
			return (int)((first + k) % kit.fw->n_fetches);
	return -1;
}

static int open_job(void)
{
	unsigned first = pick(kit.fw->n_jobs + 1);

	for (unsigned k = 0; k < kit.fw->n_jobs; k++)
		if (kit.fw->jobs[(first + k) % kit.fw->n_jobs]->open)
			return (int)((first + k) % kit.fw->n_jobs);
	return -1;
}

static void rest(struct leg *leg)
{
	static const char *const status[] = { "completed", "canceled", NULL, NULL, NULL, NULL };
	char *doc = document();
	struct call_command cmd = { .call_sid = leg->call_sid,
				    .account_sid = KIT_ACCOUNT,
				    .status = status[pick(6)] };
	int code;

	if (pick(2))
		cmd.url = "http://rest/u";
	else if (pick(2))
		cmd.twiml = doc;
	if (!pick(4))
		cmd.time_limit = 1 + (int)pick(5);
	if (!pick(4))
		cmd.fallback_url = "http://rest/fb";
	control_run(kit.calls, &cmd, &code);
	free(doc);
}

/* What an INVITE of ours may hear. */
static void party_answers(struct leg *leg, bool live)
{
	if (!live || !leg->outbound || leg->state >= LEG_ANSWERED || leg->end_due)
		return;
	switch (pick(5)) {
	case 0:
		leg->state = LEG_ALERTING;
		leg->events->ringing(leg->arg);
		break;
	case 1:
		if (leg->events->progress)
			leg->events->progress(leg->arg);
		break;
	case 2:
		kit_end(leg, pick(2) ? LEG_END_REFUSED : LEG_END_UNREACHABLE, pick(2) ? 486 : 404);
		break;
	default:
		leg->state = LEG_CONFIRMED;
		leg->events->answered(leg->arg);
	}
}

static void refer(struct leg *leg)
{
	char to[100];

	/* A second one is not told while the first is open. */
	if (leg->state < LEG_ANSWERED || !leg->events->referred ||
	    (leg->refer_answer == 202 && !leg->refer_code))
		return;
	snprintf(to, sizeof(to),
		 pick(2) ? "<sip:c@x?Replaces=%u%%3Bto-tag%%3Do%%3Bfrom-tag%%3Dp>" : "<sip:%u@x>",
		 pick(kit.n_legs));
	leg->refer_answer = leg->refer_code = 0;
	leg->events->referred(leg->arg, to);
}

static void answer_routes(void)
{
	static const struct call_route routes[] = {
		{ "sip:b@192.0.2.1", "sip:192.0.2.1", "udp:192.0.2.2:5060", "d.x", NULL, NULL, -1,
		  false },
		{ "sip:b@192.0.2.2", "sip:192.0.2.2", "udp:192.0.2.2:5060", "d.x", NULL, NULL, -1,
		  false },
		{ "sip:15551230001@192.0.2.3", NULL, NULL, NULL, "u", "p", -1, false },
	};

	if (!kit.fw->n_routes || !kit.fw->routes[kit.fw->n_routes - 1].open)
		return;
	switch (pick(4)) {
	case 0:
		fake_routes_reply(kit.fw, pick(2) ? 32009 : -1, NULL, 0);
		break;
	case 1:
		fake_routes_reply(kit.fw, 0, &routes[2], 1);
		break;
	default:
		fake_routes_reply(kit.fw, 0, routes, 1 + pick(2));
	}
}

static void step(void)
{
	static const char keys[] = "0123456789*#ABCD";
	struct leg *leg = kit.n_legs ? kit.leg[pick(kit.n_legs)] : NULL;
	bool live = leg && !leg->freed && leg->state != LEG_ENDED;
	int i;

	switch (pick(19)) {
	case 0:
		if (kit.n_legs < 12)
			kit_invite_of("", pick(2) ? "user" : "");
		break;
	case 1:
		for (unsigned k = 0; k < kit.fw->n_domains; k++) {
			if (!kit.fw->domains[k].open)
				continue;
			fake_domain_reply(kit.fw, k, pick(10) ? &kit_domain : NULL);
			break;
		}
		break;
	case 2:
	case 3:
	case 4:
		i = open_fetch();
		if (i >= 0)
			answer_web((unsigned)i);
		break;
	case 5:
	case 6:
		i = open_job();
		if (i >= 0)
			fake_speech_done(kit.fw, (unsigned)i, pick(6) ? 0 : -EINVAL,
					 1 + pick(100000));
		break;
	case 7:
		if (live && leg->state == LEG_ANSWERING && !leg->end_due)
			kit_answered(leg);
		break;
	case 8:
		if (live && kit_playing(leg))
			kit_played(leg);
		break;
	case 9:
		if (live && leg->state >= LEG_ANSWERED)
			leg->events->digit(leg->arg, keys[pick(16)], 100);
		break;
	case 10:
		fake_advance(kit.fw, pick(2500));
		break;
	case 11:
		if (leg && pick(3) == 0)
			rest(leg);
		break;
	case 12:
		if (live && pick(6) == 0)
			kit_end(leg, pick(LEG_END_TRANSPORT + 1), 200 + (int)pick(400));
		break;
	case 13:
		party_answers(leg, live);
		break;
	case 14:
		party_answers(leg, live);
		break;
	case 15:
		if (live && pick(2))
			refer(leg);
		else if (live && leg->refers)
			kit_referral(leg, pick(4) ? 202 : 405, pick(2) ? 180 : 0, pick(2));
		break;
	case 16:
		answer_routes();
		break;
	default:
		kit_turn();
		break;
	}
}

static void any_order_of_events_leaves_nothing_behind(void **state)
{
	unsigned answered = 0, plays = 0, callbacks = 0, notifications = 0;

	(void)state;
	log_set_level(LOG_ERROR);
	for (unsigned run = 1; run <= 400; run++) {
		seed = run;
		kit_setup(NULL);
		kit.sync_end = pick(2);
		kit.fw->config.play_strict = pick(2);
		kit.fw->config.hangup_first = pick(2) ? "603" : "answer";
		kit.fw->config.prompt_cache_bytes = pick(2) ? 150000 : 0;
		for (unsigned n = 0; n < 300; n++)
			step();
		if (pick(2)) {
			/* Everybody hangs up, and every callback arrives. */
			for (unsigned i = 0; i < kit.n_legs; i++)
				kit_end(kit.leg[i], LEG_END_REMOTE_BYE, 200);
			kit_turn();
			assert_int_equal(calls_count(kit.calls), 0);
			kit_deliver();
			assert_int_equal(calls_callbacks_waiting(kit.calls), 0);
		}
		for (unsigned i = 0; i < kit.n_legs; i++) {
			answered += kit.leg[i]->answer_asked;
			plays += kit.leg[i]->n_plays;
		}
		callbacks += kit_asked("http://app/sc");
		notifications += kit_notifications();
		kit_teardown(NULL);
	}
	/* The walk went everywhere. */
	assert_true(answered > 500);
	assert_true(plays > 500);
	assert_true(callbacks > 500);
	assert_true(notifications > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_of_events_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
