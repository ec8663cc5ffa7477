/* Two legs in one fake world: the kit's caller, and bob, who is called for her. */
#ifndef PAIR_KIT_H
#define PAIR_KIT_H

#include "call/leg_kit.h"
#include "proto/sip_target.h"

#define OTHER_SID   "CA00000000000000000000000000000002"
#define PARTY	    ";tag=bob1"
#define BOB_CONTACT "Contact: <sip:bob@192.0.2.20:5070>\r\n"
#define KIT_SDP_OF(d)                                                                              \
	KIT_SDP_HEAD "m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=" d     \
		     "\r\n"

/* The called party: its leg beside the kit's caller. */
static struct {
	struct leg *leg;
	unsigned answered, ended, progressed;
	enum leg_end why;
	char refer_to[300];
	bool accepts;
} bob;

static void on_answered(void *arg)
{
	(void)arg;
	bob.answered++;
}

static void on_ringing(void *arg)
{
	(void)arg;
}

static void on_progress(void *arg)
{
	(void)arg;
	bob.progressed++;
}

static void on_held(void *arg, bool held)
{
	(void)arg;
	(void)held;
}

static void on_referred(void *arg, const char *refer_to)
{
	(void)arg;
	snprintf(bob.refer_to, sizeof(bob.refer_to), "%s", refer_to);
	if (bob.accepts)
		leg_refer_accept(bob.leg);
}

static void on_ended(void *arg, enum leg_end why, int code)
{
	(void)arg;
	(void)code;
	bob.why = why;
	bob.ended++;
}

static const struct leg_events bob_events = { .ringing = on_ringing,
					      .progress = on_progress,
					      .answered = on_answered,
					      .referred = on_referred,
					      .held = on_held,
					      .ended = on_ended };

static const char *call_uri = "sip:bob@acme.sip.example.com";
static bool one_ng_call; /* bob is called beside the caller */

/* The index of bob's INVITE among our requests; our Call-ID and tag are in it. */
static unsigned bob_invite;

FAKE_UNUSED static void bob_says(struct kit *k, unsigned index, int code, const char *sdp)
{
	const char *h = k->fw->requests[index].headers, *to = strstr(h, "To: ");
	char *with, *text = k->fw->requests[index].headers;
	int len = (int)strcspn(to, "\r");

	if (strstr(to, "tag=") && strstr(to, "tag=") < to + len) {
		kit_response(k, index, code, sdp ? BOB_CONTACT SDP_TYPE : BOB_CONTACT, sdp);
		return;
	}
	assert_true(asprintf(&with, "%.*s%s%s", (int)(to - h) + len, h, PARTY, to + len) > 0);
	k->fw->requests[index].headers = with;
	kit_response(k, index, code, sdp ? BOB_CONTACT SDP_TYPE : BOB_CONTACT, sdp);
	k->fw->requests[index].headers = text;
	free(with);
}

FAKE_UNUSED static void call_bob(struct kit *k, bool early)
{
	struct sip_target_error error = { 0 };
	struct sip_target target;
	struct leg_call call = { .target = &target,
				 .account_sid = "AC1",
				 .shown_sid = OTHER_SID,
				 .from_user = "alice",
				 .from_host = "sip.example.com",
				 .ruri = "sip:bob@10.0.0.1",
				 .next_hop = "sip:192.0.2.20:5070",
				 .socket = "udp:192.0.2.10:5060",
				 .beside = one_ng_call ? k->leg : NULL,
				 .early_media = early };

	memset(&bob, 0, sizeof(bob));
	assert_int_equal(sip_target_parse(&target, call_uri, &error), 0);
	assert_int_equal(leg_new_outbound(&bob.leg, &k->fw->world, k->legs, OTHER_SID, &call,
					  &bob_events, NULL),
			 0);
	sip_target_done(&target);
	fake_run(k->fw);
	bob_invite = k->fw->n_requests - 1;
}

/* Alice's call is answered, and bob has answered too. */
FAKE_UNUSED static struct kit *both_answered(void)
{
	struct kit *k = kit_call();

	call_bob(k, false);
	bob_says(k, bob_invite, 200, KIT_SDP_OF("sendrecv"));
	fake_run(k->fw);
	assert_int_equal(bob.answered, 1);
	return k;
}

/* And they are joined. */
FAKE_UNUSED static struct kit *joined(void)
{
	struct kit *k = both_answered();

	assert_int_equal(leg_join(k->leg, bob.leg), 0);
	/* Before RTPengine has heard of it: nothing of ours comes behind what it is told. */
	assert_false(k->fw->ports[0]->sending || k->fw->ports[1]->sending);
	fake_run(k->fw);
	return k;
}

FAKE_UNUSED static void done(struct kit *k)
{
	k->fw->fail_request = 0;
	leg_free(bob.leg);
	leg_free(k->leg);
	k->leg = NULL;
	for (int i = 0; i < 20; i++)
		fake_advance(k->fw, 10000);
	assert_int_equal(legs_count(k->legs), 0);
	assert_int_equal(fake_open_things(k->fw), 0);
	legs_free(k->legs);
	fake_world_free(k->fw);
	free(k);
}

/* The last description of our side of a leg, by the command that it was in. */
FAKE_UNUSED static const char *last_sdp(struct kit *k, const char *sid, const char *command)
{
	const char *tag = strcmp(command, "offer") == 0 ? "from-tag" : "to-tag";

	for (unsigned i = k->fw->n_ng; i-- > 0;) {
		const json_t *c = k->fw->ng[i].command;
		const char *of = json_string_value(json_object_get(c, tag));

		if (of && of[0] == 'i' && !strcmp(of + 1, sid) &&
		    !strcmp(json_string_value(json_object_get(c, "command")), command))
			return json_string_value(json_object_get(c, "sdp"));
	}
	fail_msg("no %s of %s", command, sid);
	return NULL;
}

/* The port in it. */
FAKE_UNUSED static unsigned own_port(struct kit *k, const char *sid, const char *command)
{
	const char *m = strstr(last_sdp(k, sid, command), "m=audio ");

	assert_non_null(m);
	return (unsigned)atoi(m + 8);
}

#endif
