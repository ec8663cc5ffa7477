"""<Dial>: the caller is connected with SIP parties (twiml-and-webhooks.md §2.6-§2.9, test vectors T42-T60)."""
import time

import pytest

from kit import g711, stack
from kit.callee import next_call
from kit.digest import challenge_header, check
from kit.sip import media_of
from kit.twiml import doc, tone_of
from kit.webapp import Reply


@pytest.fixture
def bob(phones):
    return phones(user="bob")


@pytest.fixture
def carol(phones):
    return phones(user="carol")


@pytest.fixture
def dial(phones, web, domains):
    """dial(body): alice calls a domain whose document is body."""
    def run(body, **options):
        alice = phones(user="alice")
        call = alice.invite(domains(web.serve("/v", doc(body))).uri(), **options)
        run.sid = lambda: web.wait("/v").params["CallSid"]
        return call
    return run


def sip(phone, extra="", **attributes):
    given = "".join(f' {k}="{v}"' for k, v in attributes.items())
    return f"<Sip{given}>sip:{phone.user}@{phone.ip}:{phone.port}{extra}</Sip>"


def hears(call, hz, timeout=5):
    """Waits until what the call hears is a tone of hz."""
    def look():
        pcm = call.rtp.audio(time.monotonic() - 0.5)
        return len(pcm) > 2000 and abs(tone_of(pcm) - hz) < 25
    stack.wait_for(look, timeout, f"a tone of {hz} Hz")


def talk(a, b):
    """Each hears the other."""
    a.rtp.say(g711.tone(700, 3.0))
    b.rtp.say(g711.tone(1300, 3.0))
    hears(b, 700)
    hears(a, 1300)


def action(web, path="/d"):
    p = web.wait(path).params
    return {k: v for k, v in p.items() if k.startswith("Dial")}


def test_T42_the_caller_talks_with_who_answers_and_the_action_is_told(dial, bob, web, rest):
    alice = dial(f'<Dial action="{web.serve("/d", doc("<Say>Bye</Say>"))}" callerId="+4930123">{sip(bob)}</Dial>')
    assert alice.wait_final().status == 200
    callee = next_call(bob)
    assert callee.invite.get("From").startswith("<sip:+4930123@")
    callee.ring()
    callee.take()
    talk(alice, callee)
    child = callee.invite.get("X-Twilio-CallSid")
    row = rest.call_in(child, "in-progress")
    assert (row["direction"], row["parent_call_sid"], row["from"]) == ("outbound-dial", dial.sid(), "+4930123")
    callee.bye()
    told = action(web)
    assert 0 <= int(told.pop("DialCallDuration")) <= 10
    assert told == {"DialCallStatus": "completed", "DialCallSid": child, "DialBridged": "true", "DialSipResponseCode": "200",
                    "DialSipCallId": callee.call_id}
    assert web.wait("/d").params["CallStatus"] == "in-progress"
    alice.rtp.wait_audio(0.1)
    alice.wait_request("BYE")
    rest.call_in(child, "completed")


@pytest.mark.parametrize("status,state", [(486, "busy"), (404, "failed"), (480, "no-answer"), (603, "busy")])
def test_T43_to_T45_a_refusal_is_told_and_the_document_goes_on(dial, bob, web, status, state):
    alice = dial(f'<Dial action="{web.serve("/d", doc("<Hangup/>"))}">{sip(bob)}</Dial>')
    callee = next_call(bob)
    callee.respond(status, headers=["X-Why: later"])
    told = action(web)
    assert (told["DialCallStatus"], told["DialSipResponseCode"], told["DialBridged"]) == (state, str(status), "false")
    assert told["DialSipHeader_X-Why"] == "later" and "DialCallDuration" not in told
    alice.wait_request("BYE")


def test_T46_without_an_action_the_next_verb_runs(dial, bob, web, wav):
    web.serve("/x.wav", Reply(wav(900, 0.5), content_type="audio/wav"))
    alice = dial(f'<Dial ringTone="de">{sip(bob)}</Dial><Play>/x.wav</Play>')
    callee = next_call(bob)
    hears(alice, 425)  # while it rings
    callee.respond(486)
    hears(alice, 900)
    alice.wait_request("BYE")


def test_T47_who_does_not_answer_in_time_is_canceled(dial, bob, web):
    dial(f'<Dial timeout="5" action="{web.serve("/d", doc(""))}">{sip(bob)}</Dial>')
    callee = next_call(bob)
    callee.ring()
    at = time.monotonic()
    callee.wait_request("CANCEL")
    assert 4.5 < time.monotonic() - at < 10.5
    told = action(web)
    assert (told["DialCallStatus"], told["DialSipResponseCode"]) == ("no-answer", "487")


def test_T48_the_caller_hangs_up_and_the_party_with_it(dial, bob, web, rest):
    alice = dial(f'<Dial action="{web.serve("/d", doc("<Say>no</Say>"))}">{sip(bob)}</Dial><Redirect>/never</Redirect>')
    callee = next_call(bob)
    callee.take()
    talk(alice, callee)
    alice.bye()
    callee.wait_request("BYE")
    p = web.wait("/d").params
    assert (p["CallStatus"], p["DialCallStatus"], p["DialBridged"]) == ("completed", "completed", "true")
    rest.call_in(p["DialCallSid"], "completed")
    assert not web.seen("/never")


def test_a_caller_who_hangs_up_while_it_rings_cancels(dial, bob, web, rest):
    alice = dial(f"<Dial>{sip(bob)}</Dial>")
    callee = next_call(bob)
    callee.ring()
    alice.wait_final()
    alice.bye()
    callee.wait_request("CANCEL")
    rest.call_in(callee.invite.get("X-Twilio-CallSid"), "canceled")


def test_T49_with_answer_on_bridge_the_caller_rings_until_the_party_answers(dial, bob, web):
    alice = dial(f'<Dial answerOnBridge="true">{sip(bob)}</Dial>')
    callee = next_call(bob)
    callee.ring()
    alice.wait_response(180)
    time.sleep(0.5)
    assert alice.answer is None
    callee.take()
    assert alice.wait_final().status == 200
    talk(alice, callee)
    callee.bye()
    alice.wait_request("BYE")


def test_T50_a_caller_who_was_never_answered_can_be_rejected(dial, bob, web):
    alice = dial(f'<Dial answerOnBridge="true" action="{web.serve("/d", doc("<Reject reason=%sbusy%s/>" % (chr(34), chr(34))))}">{sip(bob)}</Dial>')
    next_call(bob).respond(486)
    assert alice.wait_final().status == 486


def test_early_media_is_heard_before_the_answer(dial, bob, web):
    alice = dial(f'<Dial answerOnBridge="true">{sip(bob)}</Dial>')
    callee = next_call(bob)
    callee.respond(183, "Session Progress", body=callee.sdp())
    early = alice.wait_response(183)
    assert "m=audio" in early.body.decode()
    alice.rtp.send_to(*media_of(early.body.decode()))
    callee.rtp.say(g711.tone(1300, 3.0))
    hears(alice, 1300)
    assert alice.answer is None
    callee.take()
    assert alice.wait_final().status == 200
    talk(alice, callee)


def test_T51_T52_the_party_hears_a_document_first_and_is_then_connected(dial, bob, web):
    web.serve("/w", doc('<Gather numDigits="1" action="/w2"><Say>Press one</Say></Gather><Hangup/>'))
    web.serve("/w2", doc(""))
    alice = dial(f'<Dial action="{web.serve("/d", doc(""))}">{sip(bob, url=web.url + "/w")}</Dial>')
    callee = next_call(bob)
    callee.take(headers=["X-Agent: 7"])
    p = web.wait("/w").params
    assert (p["Direction"], p["CallStatus"], p["ParentCallSid"], p["SipHeader_X-Agent"]) == ("outbound-dial", "in-progress", dial.sid(), "7")
    callee.rtp.wait_audio(0.3)
    assert not web.seen("/d")
    callee.press("1")
    web.wait("/w2")
    talk(alice, callee)
    callee.bye()
    assert action(web)["DialBridged"] == "true"


def test_T53_a_party_that_declines_in_its_document_is_not_connected(dial, bob, web):
    web.serve("/w", doc("<Hangup/>"))
    alice = dial(f'<Dial action="{web.serve("/d", doc("<Pause/><Hangup/>"))}">{sip(bob, url=web.url + "/w")}</Dial>')
    callee = next_call(bob)
    callee.take()
    callee.wait_request("BYE")
    told = action(web)
    assert (told["DialCallStatus"], told["DialBridged"]) == ("completed", "false")
    alice.wait_request("BYE")


def test_a_dialled_party_cannot_dial(dial, bob, web, rest):
    web.serve("/w", doc(f"<Dial>{sip(bob)}</Dial>"))
    dial(f'<Dial>{sip(bob, url=web.url + "/w")}</Dial>')
    callee = next_call(bob)
    callee.take()
    sid = callee.invite.get("X-Twilio-CallSid")
    rest.call_in(sid, "in-progress")
    stack.wait_for(lambda: rest.notifications(13201, sid), what="notification 13201")
    callee.wait_request("BYE")


def test_T54_the_star_key_hangs_the_party_up_and_the_caller_goes_on(dial, bob, web):
    alice = dial(f'<Dial hangupOnStar="true" action="{web.serve("/d", doc("<Pause length=%s3%s/>" % (chr(34), chr(34))))}">{sip(bob)}</Dial>')
    callee = next_call(bob)
    callee.take()
    talk(alice, callee)
    alice.press("*")
    callee.wait_request("BYE")
    assert action(web)["DialCallStatus"] == "completed"
    assert not [m for m in alice.requests if m.method == "BYE"]


def test_T55_time_limit_ends_the_party_alone(dial, bob, web):
    alice = dial(f'<Dial timeLimit="2" action="{web.serve("/d", doc("<Pause/><Hangup/>"))}">{sip(bob)}</Dial>')
    callee = next_call(bob)
    callee.take()
    at = time.monotonic()
    callee.wait_request("BYE")
    assert 1.5 < time.monotonic() - at < 4
    assert action(web)["DialCallDuration"] == "2"
    alice.wait_request("BYE")


def test_T56_the_first_of_several_wins_and_the_others_are_canceled(dial, bob, carol, web, rest):
    alice = dial(f'<Dial action="{web.serve("/d", doc(""))}">{sip(bob)}{sip(carol)}</Dial>')
    first, second = next_call(bob), next_call(carol)
    first.ring()
    second.take()
    first.wait_request("CANCEL")
    talk(alice, second)
    second.bye()
    told = action(web)
    assert told["DialCallSid"] == second.invite.get("X-Twilio-CallSid") and told["DialCallStatus"] == "completed"
    rest.call_in(first.invite.get("X-Twilio-CallSid"), "canceled")


def test_T57_one_after_the_other(dial, bob, carol, web):
    alice = dial(f'<Dial sequential="true" action="{web.serve("/d", doc(""))}">{sip(bob)}{sip(carol)}</Dial>')
    first = next_call(bob)
    assert carol.stray.empty()
    first.respond(486)
    second = next_call(carol)
    second.take()
    talk(alice, second)
    second.bye()
    assert action(web)["DialCallSid"] == second.invite.get("X-Twilio-CallSid")


def test_T58_callbacks_of_the_party_tell_its_story(dial, bob, web):
    dial(f'<Dial>{sip(bob, statusCallback=web.serve("/cs", Reply("")), statusCallbackEvent="initiated ringing answered completed")}</Dial>')
    callee = next_call(bob)
    callee.ring()
    time.sleep(0.2)
    callee.take()
    web.wait("/cs", 3)
    callee.bye()
    got = stack.wait_for(lambda: len(web.seen("/cs")) == 4 and web.seen("/cs"), what="4 callbacks")
    assert [(r.params["CallStatus"], r.params["SequenceNumber"]) for r in got] == [
        ("initiated", "0"), ("ringing", "1"), ("in-progress", "2"), ("completed", "3")]
    assert {r.params["ParentCallSid"] for r in got} == {dial.sid()} and {r.params["Direction"] for r in got} == {"outbound-dial"}
    assert got[3].params["SipResponseCode"] == "200" and "CallDuration" in got[3].params


def test_T60_headers_travel_and_others_are_dropped(dial, bob, web, rest):
    dial(f"<Dial>{sip(bob, '?X-A=1&amp;Foo=2&amp;User-to-User=a%3Bencoding%3Dhex')}</Dial>")
    invite = next_call(bob).invite
    assert (invite.get("X-A"), invite.get("User-to-User"), invite.get("Foo")) == ("1", "a;encoding=hex", None)
    rest.call_in(invite.get("X-Twilio-CallSid"), "queued")
    stack.wait_for(lambda: rest.notifications(13252, invite.get("X-Twilio-CallSid")), what="notification 13252")


@pytest.mark.parametrize("a,b", [((0,), (8,)), ((8,), (0,)), ((8,), (8,))])
def test_whatever_each_side_speaks_they_understand_each_other(dial, bob, a, b):
    alice = dial(f"<Dial>{sip(bob)}</Dial>", codecs=a)
    callee = next_call(bob, codecs=b)
    callee.take()
    alice.wait_final()
    talk(alice, callee)


@pytest.mark.parametrize("pt", [101, 96])
def test_keys_are_relayed_as_telephone_events(dial, bob, pt):
    alice = dial(f"<Dial>{sip(bob)}</Dial>", dtmf_pt=pt)
    callee = next_call(bob, dtmf_pt=pt)
    assert "telephone-event/8000" in callee.invite.body.decode() and f"a=rtpmap:{pt} " in callee.invite.body.decode()
    callee.take()
    talk(alice, callee)
    at = time.monotonic()
    alice.press("15#")
    stack.wait_for(lambda: callee.rtp.events(at) == "15#", what="the keys at the party")
    callee.press("9*")
    stack.wait_for(lambda: alice.rtp.events(at) == "9*", what="the keys at the caller")


def test_a_hold_is_shown_to_the_other_and_taken_back(dial, bob):
    alice = dial(f"<Dial>{sip(bob)}</Dial>")
    callee = next_call(bob)
    callee.take()
    talk(alice, callee)
    for one, other in ((alice, callee), (callee, alice)):
        n = len([m for m in other.requests if m.method == "INVITE"])
        assert one.reinvite("sendonly").status == 200
        shown = other.wait_request("INVITE", n + 1)
        assert "a=sendonly" in shown.body.decode()
        other.phone.reply(shown, 200, "OK", [f"Contact: {other.phone.contact}", "Content-Type: application/sdp"], other.sdp("recvonly"))
        other.wait_request("ACK", len([m for m in other.requests if m.method == "ACK"]) or 1)
        one.rtp.say(g711.tone(1100, 2.0))  # music on hold
        hears(other, 1100)
        assert one.reinvite("sendrecv").status == 200
        shown = other.wait_request("INVITE", n + 2)
        assert "a=sendrecv" in shown.body.decode()
        other.phone.reply(shown, 200, "OK", [f"Contact: {other.phone.contact}", "Content-Type: application/sdp"], other.sdp())
        time.sleep(0.3)
        talk(alice, callee)


def test_rest_redirects_the_caller_and_the_party_is_hung_up(dial, bob, web, rest):
    alice = dial(f'<Dial action="{web.serve("/d", doc(""))}">{sip(bob)}</Dial>')
    callee = next_call(bob)
    callee.take()
    talk(alice, callee)
    rest.post(f"/Calls/{dial.sid()}.json", Url=web.serve("/n", doc("<Say>New</Say>")))
    web.wait("/n")
    callee.wait_request("BYE")
    alice.rtp.wait_audio(0.2)
    assert not web.seen("/d")


def test_rest_redirects_the_party_and_the_action_is_told(dial, bob, web, rest):
    alice = dial(f'<Dial action="{web.serve("/d", doc("<Pause length=%s5%s/>" % (chr(34), chr(34))))}">{sip(bob)}</Dial>')
    callee = next_call(bob)
    callee.take()
    talk(alice, callee)
    rest.post(f"/Calls/{callee.invite.get('X-Twilio-CallSid')}.json", Url=web.serve("/n", doc("<Pause/><Say>Alone now</Say>")))
    assert "DialCallDuration" not in action(web)
    at = time.monotonic()
    stack.wait_for(lambda: g711.loud_seconds(callee.rtp.audio(at)) > 0.2, what="speech at the party")
    callee.wait_request("BYE")
    assert not [m for m in alice.requests if m.method == "BYE"]


@pytest.mark.parametrize("to,code", [("<Sip>sip:bob@127.0.0.300</Sip>", 13243), ("<Sip>sip:bob@nowhere.invalid</Sip>", 13254),
                                     ("<Number>12</Number>", 13223), ("<Number>+4930123456</Number>", 13224)])
def test_a_target_that_cannot_be_dialled_fails_with_its_reason(dial, web, rest, to, code):
    dial(f'<Dial action="{web.serve("/d", doc(""))}">{to}</Dial>')
    told = action(web)
    assert told["DialCallStatus"] == "failed"
    rest.call_in(told["DialCallSid"], "failed")
    stack.wait_for(lambda: rest.notifications(code, told["DialCallSid"]), what=f"notification {code}")


def test_nobody_to_dial(dial, web, rest):
    dial(f'<Dial action="{web.serve("/d", doc(""))}"></Dial>')
    assert action(web) == {"DialCallStatus": "failed", "DialBridged": "false"}


def test_a_caller_id_that_can_be_none_is_told_and_not_used(dial, bob, rest):
    dial(f'<Dial callerId="no body">{sip(bob)}</Dial>')
    assert next_call(bob).invite.get("From").startswith("<sip:alice@")
    stack.wait_for(lambda: rest.notifications(13214, dial.sid()), what="notification 13214")


@pytest.fixture
def gateway(rest, phones):
    """A carrier that takes numbers of +4930 as 030..., with a password."""
    carrier = phones(user="carrier")
    made = [rest.post("/SIP/Gateways.json", Host=f"{carrier.ip}:{carrier.port}", Prefix="+4930", Strip=3, Prepend="0", Username="gw", Password="secret"),
            rest.post("/SIP/Gateways.json", Host="192.0.2.1", Prefix="+49")]
    yield carrier
    for one in made:
        rest.delete(f"/SIP/Gateways/{one['sid']}.json")


@pytest.mark.parametrize("target", ["+49 (30) 123-456", "<Number>+4930123456</Number>"])
def test_a_number_leaves_through_the_gateway_of_its_prefix(dial, gateway, web, target):
    alice = dial(f'<Dial callerId="+4940999" action="{web.serve("/d", doc(""))}">{target}</Dial>')
    first = next_call(gateway)
    assert first.invite.first.startswith(f"INVITE sip:030123456@{gateway.ip}:{gateway.port} ")
    assert first.invite.get("From").startswith("<sip:+4940999@")
    gateway.calls.pop(first.call_id)  # the next INVITE has its Call-ID too
    first.respond(401, "Unauthorized", [challenge_header("MD5").replace("Proxy-Authenticate", "WWW-Authenticate")])
    callee = next_call(gateway)
    check(callee.invite.get("Authorization"), "INVITE", "gw", "secret", "MD5")
    first.rtp.close()
    callee.take()
    talk(alice, callee)
    callee.bye()
    assert action(web)["DialCallStatus"] == "completed"


def test_keys_are_pressed_for_a_number_before_it_is_connected(dial, gateway):
    alice = dial('<Dial><Number sendDigits="w12">+4930123456</Number></Dial>')
    callee = next_call(gateway)
    at = time.monotonic()
    callee.take()
    stack.wait_for(lambda: callee.rtp.events(at) == "12", what="the keys")
    talk(alice, callee)
