/*
 * call_kit - calls of the engine on a fake leg and a fake world: for the tests of everything
 * between a leg and the customer's web application. The leg here replaces call/leg*.c: it records
 * what it is asked, and a test says what the party does.
 *
 * Header only: include it in a test's single .c file, after cmocka.h.
 */
#ifndef HOOKSWITCH_TEST_CALL_KIT_H
#define HOOKSWITCH_TEST_CALL_KIT_H

#include "call/calls.h"
#include "call/control_run.h"
#include "call/leg.h"
#include "call/store_item.h"
#include "proto/form.h"
#include "proto/sip_msg.h"
#include "proto/sip_target.h"
#include "call/fake_world.h"

#define KIT_LEGS 64

/* -- the leg */

struct leg {
	const struct leg_events *events;
	void *arg;
	enum leg_state state;
	bool answer_asked, freed, end_due;
	bool answer_out; /* the 200 is sent, the ACK with the party's SDP is awaited */
	enum leg_end end_why;
	int end_code, error_code;
	char call_sid[64];
	bool outbound;
	char target[300], from[100], username[64], password[64]; /* of an outbound leg */
	struct {
		uint32_t id;
		unsigned loops;
		size_t samples;
		char *digits;
		bool open;
	} plays[256];
	unsigned n_plays, stops, rings, progresses, joins;
	struct leg *peer; /* joined to it */
	int refer_answer, refer_code;
	bool abandoned;
	char refer_to[9000]; /* of the last leg_refer; "": none */
	unsigned refers;
	char next_hop[128];
};

struct legs {
	const struct legs_events *events;
	void *arg;
};

static struct kit {
	struct fake_world *fw;
	struct calls *calls;
	struct legs *legs;
	struct leg *leg[KIT_LEGS];
	unsigned n_legs;
	int fail_refer; /* leg_refer fails */
	bool sync_end;	/* leg_reject and leg_hangup tell the end before they return */
	int refuse_code, refuse_error; /* leg_new_inbound refuses */
	uint32_t last_play;
} kit;

static void kit_end(struct leg *leg, enum leg_end why, int code)
{
	if (leg->freed || leg->state == LEG_ENDED)
		return;
	leg->state = LEG_ENDED;
	leg->end_due = false;
	if (leg->peer)
		leg->peer->peer = NULL;
	leg->peer = NULL;
	leg->events->ended(leg->arg, why, code);
}

int leg_new_inbound(struct leg **ret, struct world *world, const char *call_sid,
		    const struct leg_invite *invite, const struct leg_events *events, void *arg,
		    int *ret_code, int *ret_error)
{
	struct leg *leg;

	(void)world;
	(void)invite;
	if (kit.refuse_code) {
		*ret_code = kit.refuse_code;
		*ret_error = kit.refuse_error;
		return -EPROTO;
	}
	leg = calloc(1, sizeof(*leg));
	leg->events = events;
	leg->arg = arg;
	snprintf(leg->call_sid, sizeof(leg->call_sid), "%s", call_sid);
	fake_check(kit.n_legs < KIT_LEGS, "too many legs");
	kit.leg[kit.n_legs++] = leg;
	*ret = leg;
	return 0;
}

int leg_new_outbound(struct leg **ret, struct world *world, struct legs *legs, const char *call_sid,
		     const struct leg_call *call, const struct leg_events *events, void *arg)
{
	struct leg *leg;

	(void)world;
	(void)legs;
	if (kit.n_legs == KIT_LEGS)
		return -ENOMEM;
	leg = calloc(1, sizeof(*leg));
	leg->events = events;
	leg->arg = arg;
	leg->outbound = true;
	leg->state = LEG_CALLING;
	snprintf(leg->call_sid, sizeof(leg->call_sid), "%s", call_sid);
	snprintf(leg->target, sizeof(leg->target), "%s", call->target->uri);
	snprintf(leg->from, sizeof(leg->from), "%s@%s", call->from_user, call->from_host);
	snprintf(leg->username, sizeof(leg->username), "%s", call->username ? call->username : "");
	snprintf(leg->password, sizeof(leg->password), "%s", call->password ? call->password : "");
	snprintf(leg->next_hop, sizeof(leg->next_hop), "%s", call->next_hop ? call->next_hop : "");
	kit.leg[kit.n_legs++] = leg;
	*ret = leg;
	return 0;
}

const char *leg_call_id(const struct leg *leg)
{
	fake_check(leg->outbound, "the Call-ID of an inbound leg is the INVITE's");
	return "ours@192.0.2.10";
}

/* The kit frees it: a test may look at it, and nobody may touch it. */
void leg_free(struct leg *leg)
{
	if (!leg)
		return;
	if (leg->peer)
		leg->peer->peer = NULL;
	leg->peer = NULL;
	leg->freed = true;
}

enum leg_state leg_state(const struct leg *leg)
{
	return leg->state;
}

int leg_ring(struct leg *leg)
{
	leg->rings++;
	leg->state = LEG_RINGING;
	return 0;
}

int leg_answer(struct leg *leg)
{
	fake_check(!leg->freed && !leg->answer_asked, "a second answer");
	leg->answer_asked = true;
	leg->state = LEG_ANSWERING;
	return 0;
}

static int kit_ask_end(struct leg *leg, int code, int error_code)
{
	fake_check(!leg->freed && leg->state != LEG_ENDED && !leg->end_due, "an end after the end");
	leg->end_due = true;
	leg->end_why = LEG_END_LOCAL;
	leg->end_code = code;
	leg->error_code = error_code;
	if (kit.sync_end)
		kit_end(leg, LEG_END_LOCAL, code);
	return 0;
}

int leg_reject(struct leg *leg, int code, const char *reason, int error_code)
{
	fake_check(leg->state < LEG_ANSWERED && reason && *reason, "a reject after the answer");
	if (leg->answer_out)
		return -EINVAL;
	return kit_ask_end(leg, code, error_code);
}

int leg_hangup(struct leg *leg)
{
	return kit_ask_end(leg, leg->state >= LEG_ANSWERED ? 200 : leg->outbound ? 487 : 603, 0);
}

static uint32_t kit_play(struct leg *leg, struct prompt *p, unsigned loops, const char *digits)
{
	fake_check(!leg->freed && leg->state >= LEG_ANSWERED && leg->n_plays < 256,
		   "a play without media");
	if (leg->state == LEG_ENDED)
		return 0;
	leg->plays[leg->n_plays].id = ++kit.last_play;
	leg->plays[leg->n_plays].loops = loops;
	leg->plays[leg->n_plays].samples = p ? p->samples : 0;
	leg->plays[leg->n_plays].digits = digits ? strdup(digits) : NULL;
	leg->plays[leg->n_plays].open = true;
	leg->n_plays++;
	return kit.last_play;
}

uint32_t leg_play(struct leg *leg, struct prompt *p, unsigned loops)
{
	return kit_play(leg, p, loops, NULL);
}

uint32_t leg_play_digits(struct leg *leg, const char *digits)
{
	return kit_play(leg, NULL, 1, digits);
}

void leg_stop(struct leg *leg)
{
	leg->stops++;
	for (unsigned i = 0; i < leg->n_plays; i++)
		leg->plays[i].open = false;
}

int leg_join(struct leg *a, struct leg *b)
{
	fake_check(!a->freed && !b->freed && a != b, "a join of what is gone");
	if (a->peer || b->peer || a->state == LEG_ENDED || b->state == LEG_ENDED)
		return -EINVAL;
	leg_stop(a);
	leg_stop(b);
	a->peer = b;
	b->peer = a;
	a->joins++;
	b->joins++;
	return 0;
}

void leg_leave(struct leg *leg)
{
	if (!leg || !leg->peer)
		return;
	fake_check(!leg->freed && leg->peer->peer == leg, "a leave of what is gone");
	leg->peer->peer = NULL;
	leg->peer = NULL;
}

int leg_progress(struct leg *leg)
{
	leg->progresses++;
	return 0;
}

void leg_own(struct leg *leg, const struct leg_events *events, void *arg)
{
	leg->events = events;
	leg->arg = arg;
}

void leg_refer_accept(struct leg *leg)
{
	fake_check(!leg->freed && !leg->refer_answer, "a second answer to a REFER");
	leg->refer_answer = 202;
}

void leg_refer_refuse(struct leg *leg)
{
	fake_check(!leg->freed && !leg->refer_answer, "a second answer to a REFER");
	leg->refer_answer = 603;
}

void leg_refer_notify(struct leg *leg, int code)
{
	fake_check(!leg->freed && leg->refer_answer == 202, "a NOTIFY without a subscription");
	leg->refer_code = code;
}

int leg_refer(struct leg *leg, const char *refer_to)
{
	fake_check(!leg->freed && leg->state >= LEG_ANSWERED, "a REFER without a dialog");
	if (leg->state == LEG_ENDED)
		return -EINVAL;
	if (kit.fail_refer)
		return kit.fail_refer;
	snprintf(leg->refer_to, sizeof(leg->refer_to), "%s", refer_to);
	leg->refers++;
	return 0;
}

/* A dialog is named by the number of its leg. */
void *legs_find_owner(struct legs *legs, const char *call_id, const char *party_tag,
		      const char *our_tag, const struct leg_events *events)
{
	unsigned n = (unsigned)atoi(call_id);

	(void)legs;
	if (strcmp(party_tag, "p") || strcmp(our_tag, "o") || n >= kit.n_legs ||
	    kit.leg[n]->freed || kit.leg[n]->state == LEG_ENDED || kit.leg[n]->events != events)
		return NULL;
	return kit.leg[n]->arg;
}

json_t *leg_save(const struct leg *leg)
{
	return json_pack("{s:s}", "sid", leg->call_sid);
}

int leg_resume(struct leg **ret, struct world *world, struct legs *legs, const json_t *saved,
	       const struct leg_events *events, void *arg)
{
	struct leg *leg = calloc(1, sizeof(*leg));

	(void)world;
	(void)legs;
	leg->events = events;
	leg->arg = arg;
	leg->state = LEG_CONFIRMED;
	snprintf(leg->call_sid, sizeof(leg->call_sid), "%s",
		 json_string_value(json_object_get(saved, "sid")));
	kit.leg[kit.n_legs++] = leg;
	*ret = leg;
	return 0;
}

void leg_rejoin(struct leg *a, struct leg *b)
{
	a->peer = b;
	b->peer = a;
}

void leg_abandon(struct leg *leg)
{
	leg->peer = NULL;
	leg->freed = leg->abandoned = true;
}

int leg_dtmf_pt(const struct leg *leg)
{
	(void)leg;
	return 101;
}

struct legs *legs_new(struct world *world, const struct legs_events *events, void *arg)
{
	struct legs *legs = calloc(1, sizeof(*legs));

	(void)world;
	legs->events = events;
	legs->arg = arg;
	return legs;
}

void legs_free(struct legs *legs)
{
	free(legs);
}

/* -- what a test uses */

#define KIT_ACCOUNT "AC00000000000000000000000000000001"
#define KIT_DOMAIN  "SD00000000000000000000000000000001"

static const struct call_domain kit_domain = {
	.sid = KIT_DOMAIN,
	.name = "acme.sip.example.com",
	.account_sid = KIT_ACCOUNT,
	.auth_token = "0123456789abcdef0123456789abcdef",
	.account_active = true,
	.voice_url = "http://app/v",
	.voice_method = "POST",
	.voice_fallback_url = "http://app/fb",
	.voice_fallback_method = "POST",
	.status_callback_url = "http://app/sc",
	.status_callback_method = "POST",
};

static const char kit_headers[] = "X-Account: 42\r\n"
				  "x-lower: a;b=c\r\n"
				  "User-to-User: 56a390;encoding=hex\r\n"
				  "Subject: not shown\r\n";

FAKE_UNUSED static int kit_setup(void **state)
{
	(void)state;
	memset(&kit, 0, sizeof(kit));
	kit.fw = fake_world_new();
	kit.fw->config.prompt_cache_bytes = 1 << 20;
	kit.fw->config.dial_action_on_hangup = true;
	kit.calls = calls_new(&kit.fw->world, NULL, NULL);
	kit.legs = calls_legs(kit.calls);
	return 0;
}

FAKE_UNUSED static int kit_teardown(void **state)
{
	(void)state;
	calls_free(kit.calls);
	for (unsigned i = 0; i < kit.n_legs; i++) {
		fake_check(kit.leg[i]->freed, "a leg was left");
		for (unsigned n = 0; n < kit.leg[i]->n_plays; n++)
			free(kit.leg[i]->plays[n].digits);
		free(kit.leg[i]);
	}
	fake_check(fake_open_things(kit.fw) == 0, "something was left open in the world");
	fake_world_free(kit.fw);
	return 0;
}

/* An INVITE arrives; its leg is the last one. */
FAKE_UNUSED static struct leg *kit_invite_of(const char *headers, const char *user)
{
	struct sip_msg *msg = NULL;
	unsigned before = kit.n_legs;
	char raw[8192];

	snprintf(raw, sizeof(raw),
		 "INVITE sip:+15551230000@acme.sip.example.com SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1\r\n"
		 "From: \"Alice\" <sip:alice@acme.sip.example.com>;tag=a\r\n"
		 "To: <sip:+15551230000@acme.sip.example.com>\r\n"
		 "Call-ID: abc123@192.0.2.10\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n%s"
		 "Contact: <sip:alice@192.0.2.10>\r\nContent-Length: 0\r\n\r\n",
		 headers);
	fake_check(sip_msg_parse(&msg, raw, strlen(raw)) == 0, "the INVITE does not parse");
	kit.legs->events->incoming(kit.legs->arg,
				   &(struct leg_invite){ .legs = kit.legs,
							 .transaction = "1:2",
							 .msg = msg,
							 .source_ip = "192.0.2.10",
							 .source_port = 5060,
							 .proto = "udp",
							 .socket = "udp:127.0.0.1:5060",
							 .account_sid = KIT_ACCOUNT,
							 .domain = "acme.sip.example.com",
							 .domain_sid = KIT_DOMAIN,
							 .user = user });
	sip_msg_free(msg);
	return kit.n_legs > before ? kit.leg[kit.n_legs - 1] : NULL;
}

/* A call that rings; its VoiceUrl was asked. */
FAKE_UNUSED static struct leg *kit_call_with(const struct call_domain *domain)
{
	struct leg *leg = kit_invite_of(kit_headers, "");

	fake_domain_reply(kit.fw, kit.fw->n_domains - 1, domain);
	return leg;
}

FAKE_UNUSED static struct leg *kit_call(void)
{
	return kit_call_with(&kit_domain);
}

FAKE_UNUSED static struct fake_fetch *kit_fetch(void)
{
	fake_check(kit.fw->n_fetches > 0, "nothing was fetched");
	return kit.fw->fetches[kit.fw->n_fetches - 1];
}

FAKE_UNUSED static void kit_reply(int status, const char *type, const char *body)
{
	fake_fetch_reply(kit.fw, kit.fw->n_fetches - 1, status, type, body);
}

/* The last request is answered with <Response>body</Response>. */
FAKE_UNUSED static void kit_twiml(const char *body)
{
	char *doc = NULL;

	fake_check(asprintf(&doc,
			    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>%s</Response>",
			    body) > 0,
		   "memory");
	kit_reply(200, "text/xml", doc);
	free(doc);
}

FAKE_UNUSED static void kit_redirect(int status, const char *location)
{
	struct http_reply reply = {
		.status = status, .location = location, .headers = "", .body = ""
	};

	fake_fetch_done(kit.fw, kit.fw->n_fetches - 1, &reply);
}

/* The 200 is out. */
FAKE_UNUSED static void kit_answered(struct leg *leg)
{
	fake_check(leg->state == LEG_ANSWERING, "the answer was not asked for");
	leg->state = LEG_ANSWERED;
	leg->events->answered(leg->arg);
}

FAKE_UNUSED static void kit_digits(struct leg *leg, const char *digits)
{
	for (; *digits; digits++)
		leg->events->digit(leg->arg, *digits, 100);
}

FAKE_UNUSED static bool kit_playing(const struct leg *leg)
{
	for (unsigned i = 0; i < leg->n_plays; i++)
		if (leg->plays[i].open)
			return true;
	return false;
}

/* What the party says of our REFER. */
FAKE_UNUSED static void kit_referral(struct leg *leg, int refer_code, int notify_code, bool final)
{
	fake_check(leg->refers > 0, "a NOTIFY without a REFER");
	leg->events->referral(leg->arg, refer_code, notify_code, final);
}

/* What plays ends by itself. */
FAKE_UNUSED static void kit_played(struct leg *leg)
{
	for (unsigned i = 0; i < leg->n_plays; i++) {
		if (!leg->plays[i].open)
			continue;
		leg->plays[i].open = false;
		leg->events->played(leg->arg, leg->plays[i].id);
		return;
	}
	fake_check(false, "nothing plays");
}

/* All that waits to be spoken or decoded becomes prompts of so many samples. */
FAKE_UNUSED static void kit_speak(size_t samples)
{
	for (unsigned i = 0; i < kit.fw->n_jobs; i++)
		if (kit.fw->jobs[i]->open)
			fake_speech_done(kit.fw, i, 0, samples);
}

FAKE_UNUSED static const char *kit_spoken(void)
{
	fake_check(kit.fw->n_jobs > 0, "nothing was spoken");
	return kit.fw->jobs[kit.fw->n_jobs - 1]->text;
}

/* A fetched media file arrives and is decoded. */
FAKE_UNUSED static void kit_media(size_t samples)
{
	kit_reply(200, "audio/wav", "RIFF");
	kit_speak(samples);
}

/* The end that was asked for happens, and the turn of the loop ends. */
FAKE_UNUSED static void kit_turn(void)
{
	for (unsigned i = 0; i < kit.n_legs; i++)
		if (kit.leg[i]->end_due)
			kit_end(kit.leg[i], kit.leg[i]->end_why, kit.leg[i]->end_code);
	fake_run(kit.fw);
}

FAKE_UNUSED static void kit_hangs_up(struct leg *leg)
{
	kit_end(leg, leg->state >= LEG_ANSWERED ? LEG_END_REMOTE_BYE : LEG_END_CANCELED,
		leg->state >= LEG_ANSWERED ? 200 : 487);
	kit_turn();
}

FAKE_UNUSED static const json_t *kit_notification(int code)
{
	for (unsigned i = kit.fw->n_stored; i-- > 0;)
		if (kit.fw->stored[i]->kind == STORE_NOTIFICATION &&
		    json_integer_value(json_object_get(kit.fw->stored[i]->row, "error_code")) ==
			    code)
			return kit.fw->stored[i]->row;
	return NULL;
}

FAKE_UNUSED static unsigned kit_notifications(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < kit.fw->n_stored; i++)
		n += kit.fw->stored[i]->kind == STORE_NOTIFICATION;
	return n;
}

/* The n-th of the call's Events, from 0; NULL when there are not so many. */
FAKE_UNUSED static const json_t *kit_event(unsigned n)
{
	for (unsigned i = 0; i < kit.fw->n_stored; i++)
		if (kit.fw->stored[i]->kind == STORE_CALL_EVENT && n-- == 0)
			return kit.fw->stored[i]->row;
	return NULL;
}

FAKE_UNUSED static const json_t *kit_last_row(void)
{
	for (unsigned i = kit.fw->n_stored; i-- > 0;)
		if (kit.fw->stored[i]->kind <= STORE_CALL_UPDATE)
			return kit.fw->stored[i]->row;
	return NULL;
}

FAKE_UNUSED static const char *kit_status(void)
{
	return json_string_value(json_object_get(kit_last_row(), "status"));
}

/* A parameter of the body of a POST; lives until the next call. NULL: absent. */
FAKE_UNUSED static const char *kit_param(const struct fake_fetch *f, const char *name)
{
	static char value[4096];
	struct form form;
	const char *v;

	form_init(&form);
	fake_check(form_parse(&form, f->body, strlen(f->body), 200, NULL) == 0,
		   "a body that is no form");
	v = form_get(&form, name);
	snprintf(value, sizeof(value), "%s", v ? v : "");
	form_done(&form);
	return v ? value : NULL;
}

/* The fetch of the status callback, or NULL. */
FAKE_UNUSED static const struct fake_fetch *kit_callback(void)
{
	for (unsigned i = 0; i < kit.fw->n_fetches; i++)
		if (!strcmp(kit.fw->fetches[i]->url, "http://app/sc"))
			return kit.fw->fetches[i];
	return NULL;
}

FAKE_UNUSED static unsigned kit_asked(const char *url)
{
	unsigned n = 0;

	for (unsigned i = 0; i < kit.fw->n_fetches; i++)
		n += !strcmp(kit.fw->fetches[i]->url, url);
	return n;
}

/* Answers everything that is still fetched after the calls (status callbacks), so that nothing is
 * left. */
FAKE_UNUSED static void kit_deliver(void)
{
	for (unsigned i = 0; i < kit.fw->n_fetches; i++)
		if (kit.fw->fetches[i]->open)
			fake_fetch_reply(kit.fw, i, 204, NULL, "");
}

#define kit_test(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

#endif
