/* Two legs that are joined: what one party does is shown to the other (RFC 3261 §14.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/leg_kit.h"

#define HOLD                                                                                       \
	"v=0\r\no=alice 1 2 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n"      \
	"m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n"

/* Each in a world of its own. */
struct pair {
	struct kit *a, *b;
};

static void run(struct pair *p)
{
	for (int i = 0; i < 3; i++) {
		fake_run(p->a->fw);
		fake_run(p->b->fw);
	}
}

static struct pair joined(const char *headers)
{
	struct pair p = { kit_call_with(kit_new(), headers), kit_call() };

	assert_int_equal(leg_join(p.a->leg, p.b->leg), 0);
	run(&p);
	assert_int_equal(fake_count_requests(p.a->fw, "INVITE"), 0);
	return p;
}

/* b's party holds, and a's is told by a re-INVITE. */
static void hold(struct pair *p)
{
	kit_reinvite(p->b, NULL, HOLD);
	run(p);
	assert_int_equal(kit_final(p->b, p->b->transaction), 200);
	kit_ack(p->b, NULL);
	run(p);
	assert_int_equal(fake_count_requests(p->a->fw, "INVITE"), 1);
}

static void done(struct pair *p)
{
	leg_leave(p->a->leg);
	run(p);
	kit_done(p->b);
	kit_done(p->a);
}

static void after_a_glare_the_hold_is_shown_again_but_not_at_once(void **state)
{
	struct pair p = joined(NULL);

	(void)state;
	hold(&p);
	kit_response(p.a, 0, 491, NULL, NULL);
	run(&p);
	assert_int_equal(fake_count_requests(p.a->fw, "INVITE"), 1);
	fake_advance(p.a->fw, 2000);
	run(&p);
	assert_int_equal(fake_count_requests(p.a->fw, "INVITE"), 2);
	kit_response(p.a, 1, 200, SDP_TYPE, KIT_SDP);
	run(&p);
	fake_advance(p.a->fw, 10000);
	assert_int_equal(p.a->ended, 0);
	done(&p);
}

static void a_party_that_refuses_the_hold_stays_in_the_call(void **state)
{
	static const int codes[] = { 488, 500, 491 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct pair p = joined(NULL);

		hold(&p);
		kit_response(p.a, 0, codes[i], NULL, NULL);
		run(&p);
		fake_advance(p.a->fw, 60);
		assert_int_equal(p.a->ended, 0);
		done(&p);
	}
}

static void a_hold_that_kamailio_does_not_take_ends_nothing(void **state)
{
	struct pair p = joined(NULL);
	struct fake_request *r;

	(void)state;
	hold(&p);
	r = &p.a->fw->requests[0];
	r->open = false;
	r->done(r->arg, -ETIMEDOUT);
	fake_advance(p.a->fw, 3000);
	run(&p);
	assert_int_equal(p.a->ended, 0);
	assert_int_equal(fake_count_requests(p.a->fw, "INVITE"), 2);
	done(&p);
}

static void a_refused_hold_is_not_what_a_refresh_says(void **state)
{
	struct pair p = joined("Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n");

	(void)state;
	hold(&p);
	assert_non_null(
		strstr(p.a->fw->requests[0].headers, "Session-Expires: 600;refresher=uac\r\n"));
	kit_response(p.a, 0, 488, NULL, NULL);
	run(&p);
	fake_advance(p.a->fw, 300000);
	run(&p);
	assert_int_equal(fake_count_requests(p.a->fw, "INVITE"), 2);
	assert_string_equal(p.a->fw->requests[1].body, fake_last_reply(p.a->fw)->body);
	done(&p);
}

static void an_answer_that_comes_while_rtpengine_is_told_anew_is_taken(void **state)
{
	struct pair p = joined(NULL);

	(void)state;
	hold(&p);
	p.a->fw->ng_auto = false;
	leg_leave(p.a->leg);
	kit_response(p.a, 0, 200, SDP_TYPE, KIT_SDP);
	p.a->fw->ng_auto = true;
	run(&p);
	assert_int_equal(p.a->ended, 0);
	done(&p);
}

static void a_hold_that_comes_before_the_ack_is_shown_after_it(void **state)
{
	struct pair p = { kit_new(), kit_call() };
	struct fake_world *fw = p.a->fw;

	(void)state;
	fw->ng_auto = true;
	kit_invite(p.a, NULL, KIT_SDP);
	assert_int_equal(leg_answer(p.a->leg), 0);
	run(&p);
	snprintf(p.a->our_tag, sizeof(p.a->our_tag), "%s", fake_last_reply(fw)->to_tag);
	assert_int_equal(leg_join(p.a->leg, p.b->leg), 0);
	kit_reinvite(p.b, NULL, HOLD);
	run(&p);
	kit_ack(p.b, NULL);
	run(&p);
	/* RFC 3261 §14.1: not while the INVITE is not over. */
	assert_int_equal(fake_count_requests(fw, "INVITE"), 0);
	kit_ack(p.a, NULL);
	run(&p);
	assert_int_equal(fake_count_requests(fw, "INVITE"), 1);
	assert_non_null(strstr(fw->requests[0].body, "a=sendonly\r\n"));
	done(&p);
}

static void who_leaves_while_an_answer_is_awaited_in_the_ack_is_ours(void **state)
{
	(void)state;
	/* Joined, or parted, between our offer and the answer. */
	for (int i = 0; i < 2; i++) {
		struct pair p = joined(NULL);
		struct fake_world *fw = p.a->fw;
		const char *m;

		if (i) {
			leg_leave(p.a->leg);
			run(&p);
		}
		kit_reinvite(p.a, NULL, NULL);
		run(&p);
		assert_int_equal(kit_final(p.a, p.a->transaction), 200);
		if (i)
			assert_int_equal(leg_join(p.a->leg, p.b->leg), 0);
		else
			leg_leave(p.a->leg);
		run(&p);
		kit_ack(p.a, KIT_SDP);
		run(&p);
		m = strstr(json_string_value(json_object_get(fw->ng[fw->n_ng - 2].command, "sdp")),
			   "m=audio ");
		assert_non_null(m);
		assert_int_equal(atoi(m + 8), i ? 30002 : fw->ports[0]->number);
		assert_int_equal(fw->ports[0]->sending, !i);
		done(&p);
	}
}

static void who_is_joined_before_its_answer_came_hears_the_other(void **state)
{
	struct pair p = { kit_new(), kit_call() };
	struct fake_world *fw = p.a->fw;
	const char *sdp;

	(void)state;
	fw->ng_auto = true;
	kit_invite(p.a, NULL, NULL);
	assert_int_equal(leg_answer(p.a->leg), 0);
	run(&p);
	snprintf(p.a->our_tag, sizeof(p.a->our_tag), "%s", fake_last_reply(fw)->to_tag);
	assert_int_equal(leg_join(p.a->leg, p.b->leg), 0);
	run(&p);
	kit_ack(p.a, KIT_SDP);
	run(&p);
	sdp = json_string_value(json_object_get(fw->ng[fw->n_ng - 2].command, "sdp"));
	assert_non_null(strstr(sdp, "m=audio 30002 "));
	done(&p);
}

static void early_media_that_fails_refuses_the_invite(void **state)
{
	struct pair p = { kit_new(), kit_call() };
	struct fake_world *fw = p.a->fw;

	(void)state;
	fw->ng_auto = true;
	kit_invite(p.a, NULL, KIT_SDP);
	assert_int_equal(leg_progress(p.a->leg), 0);
	fake_run(fw);
	assert_int_equal(fake_last_reply(fw)->code, 183);
	fw->ng_auto = false;
	assert_int_equal(leg_join(p.a->leg, p.b->leg), 0);
	fake_ng_reply(fw, fw->n_ng - 1, -ETIMEDOUT, NULL);
	run(&p);
	assert_int_equal(kit_final(p.a, p.a->transaction), 500);
	assert_int_equal(p.a->ended, 1);
	assert_int_equal(p.a->end_code, 500);
	kit_cancel(p.a);
	done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_a_glare_the_hold_is_shown_again_but_not_at_once),
		cmocka_unit_test(a_party_that_refuses_the_hold_stays_in_the_call),
		cmocka_unit_test(a_hold_that_kamailio_does_not_take_ends_nothing),
		cmocka_unit_test(a_refused_hold_is_not_what_a_refresh_says),
		cmocka_unit_test(an_answer_that_comes_while_rtpengine_is_told_anew_is_taken),
		cmocka_unit_test(a_hold_that_comes_before_the_ack_is_shown_after_it),
		cmocka_unit_test(who_leaves_while_an_answer_is_awaited_in_the_ack_is_ours),
		cmocka_unit_test(who_is_joined_before_its_answer_came_hears_the_other),
		cmocka_unit_test(early_media_that_fails_refuses_the_invite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
