"""Calls that REST creates (sip-and-rest.md §1.6, §3.3, §3.8; twiml-and-webhooks.md §3.4, §4.1)."""
import queue
import time

import pytest

from kit import g711, stack
from kit.callee import next_call
from kit.digest import challenge_header, check
from kit.twiml import doc
from kit.webapp import Reply


@pytest.fixture
def bob(phones):
    return phones(user="bob")


@pytest.fixture
def create(rest, bob):
    """create(**form): a call to bob, unless To says else."""
    def make(**form):
        return rest.post("/Calls.json", **{"To": f"sip:bob@{bob.ip}:{bob.port}", "From": "alice", **form})
    return make


def callbacks(web, path, n):
    got = stack.wait_for(lambda: len(web.seen(path)) >= n and web.seen(path), what=f"{n} callbacks")
    return [(r.params["CallStatus"], r.params["SequenceNumber"]) for r in got]


def test_T74_a_call_is_dialled_answered_and_told_of(create, bob, web, rest):
    row = create(Url=web.serve("/o", doc("<Say>Hello Bob</Say>")), StatusCallback=web.serve("/cs", Reply("")),
                 StatusCallbackEvent="initiated ringing answered completed")
    assert (row["status"], row["direction"], row["from"]) == ("queued", "outbound-api", "alice")
    call = next_call(bob)
    invite = call.invite
    assert invite.first.startswith(f"INVITE sip:bob@{bob.ip}:{bob.port} ")
    assert invite.get("From").startswith("<sip:alice@") and invite.get("X-Twilio-CallSid") == row["sid"]
    assert invite.get("X-Twilio-AccountSid") == row["account_sid"]
    call.ring()
    rest.call_in(row["sid"], "ringing")
    assert not web.seen("/o"), "the document is asked for once it is answered"
    call.take()
    p = web.wait("/o").params
    assert (p["CallSid"], p["Direction"], p["CallStatus"]) == (row["sid"], "outbound-api", "in-progress")
    call.rtp.wait_audio(0.3)
    call.wait_request("BYE")
    done = rest.call_in(row["sid"], "completed")
    assert done["start_time"] and int(done["duration"]) >= 0
    assert callbacks(web, "/cs", 4) == [("initiated", "0"), ("ringing", "1"), ("in-progress", "2"), ("completed", "3")]
    assert web.seen("/cs")[3].params["SipResponseCode"] == "200"


def test_the_called_party_presses_keys_and_hangs_up(create, bob, web, rest):
    row = create(Twiml='<Response><Gather numDigits="2" action="%s"><Say>Press</Say></Gather></Response>' % web.serve("/g", doc("<Pause length='20'/>")))
    call = next_call(bob)
    call.take()
    call.rtp.wait_audio(0.2)
    call.press("42")
    assert web.wait("/g").params["Digits"] == "42"
    assert call.bye().status == 200
    rest.call_in(row["sid"], "completed")


@pytest.mark.parametrize("status,state,code", [(486, "busy", 34002), (603, "busy", 31603), (480, "no-answer", 31480), (404, "failed", 32011)])
def test_a_refusal_has_its_status(create, bob, web, rest, status, state, code):
    row = create(Url=web.serve("/o", doc("")), StatusCallback=web.serve("/cs", Reply("")))
    call = next_call(bob)
    call.ring()
    call.respond(status)
    call.wait_request("ACK")
    assert rest.call_in(row["sid"], state)["end_time"]
    last = web.wait("/cs").params
    assert (last["CallStatus"], last["SipResponseCode"], last["SequenceNumber"]) == (state, str(status), "0")
    stack.wait_for(lambda: rest.notifications(code, row["sid"]), what=f"notification {code}")
    assert not web.seen("/o")


def test_who_does_not_answer_in_time_is_canceled(create, bob, web, rest):
    row = create(Url=web.serve("/o", doc("")), StatusCallback=web.serve("/cs", Reply("")), Timeout=1)
    call = next_call(bob)
    call.ring()
    call.wait_request("CANCEL")
    rest.call_in(row["sid"], "no-answer")
    assert web.wait("/cs").params["SipResponseCode"] == "487"


def test_rest_cancels_a_call_that_rings_and_redirects_one_that_is_answered(create, bob, web, rest):
    row = create(Url=web.serve("/o", doc("<Pause length='30'/>")))
    call = next_call(bob)
    call.ring()
    rest.call_in(row["sid"], "ringing")
    assert rest.call("POST", f"/Calls/{row['sid']}.json", Url=web.url + "/p").json()["code"] == 21220
    rest.post(f"/Calls/{row['sid']}.json", Status="canceled")
    call.wait_request("CANCEL")
    rest.call_in(row["sid"], "canceled")
    row = create(Url=web.url + "/o")
    call = next_call(bob)
    call.take()
    web.wait("/o")
    rest.call_in(row["sid"], "in-progress")
    rest.post(f"/Calls/{row['sid']}.json", Url=web.serve("/p", doc("<Hangup/>")))
    web.wait("/p")
    call.wait_request("BYE")
    rest.call_in(row["sid"], "completed")


def test_an_answer_that_crosses_the_cancel_is_hung_up(create, bob, web, rest):
    row = create(Url=web.serve("/o", doc("")))
    call = next_call(bob)
    call.ring()
    rest.call_in(row["sid"], "ringing")
    call.answer = call.invite  # a phone that does not see the CANCEL in time
    rest.post(f"/Calls/{row['sid']}.json", Status="canceled")
    call.wait_request("CANCEL")
    call.take()
    call.wait_request("BYE")
    assert not web.seen("/o")


@pytest.mark.parametrize("answers", [False, True])
def test_who_rings_or_answers_too_late_is_not_left_alone(create, bob, web, rest, answers):
    row = create(Url=web.serve("/o", doc("")))
    call = next_call(bob)
    rest.call_in(row["sid"], "failed")
    if answers:
        call.take()
        call.wait_request("BYE")
    else:
        call.ring()
        call.wait_request("CANCEL")
    assert not web.seen("/o")


@pytest.mark.parametrize("contact", ["<sip:bob@10.9.8.7:5060>", '"Bob" <sip:bob@192.168.9.9>;expires=60'])
def test_who_answers_from_behind_nat_gets_the_ack_and_the_bye(create, bob, web, rest, monkeypatch, contact):
    row = create(Url=web.serve("/o", doc("<Pause length='30'/>")))
    call = next_call(bob)
    monkeypatch.setattr(type(bob), "contact", contact)
    call.take()
    web.wait("/o")
    rest.post(f"/Calls/{row['sid']}.json", Status="completed")
    assert call.wait_request("BYE").first == f"BYE sip:bob@{bob.ip}:{bob.port} SIP/2.0"


@pytest.mark.parametrize("value", ["Great!", "a!b", "Great!!", "!a!!!b!", "!" * 60])
def test_exclamation_marks_in_a_header_arrive(create, bob, web, value):
    create(To=f"sip:bob@{bob.ip}:{bob.port}?X-Mood={value}&X-Next=1", Url=web.serve("/o", doc("")))
    invite = next_call(bob).invite
    assert invite.get("X-Mood") == value and invite.get("X-Next") == "1"


def test_exclamation_marks_in_a_route_arrive(create, bob, web, rest):
    row = create(Url=web.serve("/o", doc("<Pause length='30'/>")))
    call = next_call(bob)
    route = f"<sip:!a!!b!c@{bob.ip}:{bob.port};lr>"
    call.take(headers=[f"Record-Route: {route}"])
    web.wait("/o")
    rest.post(f"/Calls/{row['sid']}.json", Status="completed")
    assert call.wait_request("BYE").get("Route") == route


def test_headers_and_user_to_user_are_in_the_invite(create, bob, web):
    create(To=f"sip:bob@{bob.ip}:{bob.port};edge=dublin?X-Order=a%20%2B%201&User-to-User=313233%3Bencoding%3Dhex", Url=web.serve("/o", doc("")))
    invite = next_call(bob).invite
    assert invite.get("X-Order") == "a + 1" and invite.get("User-to-User") == "313233;encoding=hex"
    assert "edge" not in invite.first


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_a_challenge_is_answered(create, bob, web, rest, algorithm):
    create(Url=web.serve("/o", doc("<Hangup/>")), SipAuthUsername="carl", SipAuthPassword="s3cret")
    first = next_call(bob)
    assert not first.invite.get("Proxy-Authorization")
    bob.calls.pop(first.call_id)  # the next INVITE has its Call-ID too
    first.respond(407, "Proxy Authentication Required", [challenge_header(algorithm)])
    second = next_call(bob)
    check(second.invite.get("Proxy-Authorization"), "INVITE", "carl", "s3cret", algorithm)
    second.take()
    web.wait("/o")
    second.wait_request("BYE")
    first.rtp.close()


def test_digits_are_sent_to_who_answers(create, bob, web):
    create(Url=web.serve("/o", doc("<Hangup/>")), SendDigits="w1#")
    call = next_call(bob)
    at = time.monotonic()
    call.take()
    call.wait_request("BYE")
    assert call.rtp.events(at) == "1#"


def test_no_invite_goes_where_nobody_is(create, rest, web):
    row = create(To="sip:bob@nobody.invalid", Url=web.serve("/o", doc("")))
    rest.call_in(row["sid"], "failed")
    stack.wait_for(lambda: rest.notifications(13254, row["sid"]), what="notification 13254")
    row = create(To="+14155550100", Url=web.url + "/o")
    rest.call_in(row["sid"], "failed")
    stack.wait_for(lambda: rest.notifications(13224, row["sid"]), what="notification 13224")


@pytest.mark.parametrize("form,code", [
    ({"To": None}, 21201), ({"From": None}, 21213), ({"From": "a b"}, 21212), ({"Url": None}, 21205), ({"Url": "x"}, 21205),
    ({"To": "sip:bob@"}, 21211), ({"To": "sip:b@x?Via=1"}, 32113), ({"To": "sip:b@x?X(=1"}, 21228), ({"To": "sip:b@x?X-a=%0a"}, 21229),
    ({"To": "sip:b@x?X-a=" + "1" * 1100}, 21227), ({"SendDigits": "12x"}, 21206), ({"Timeout": 601}, 21208), ({"Timeout": 0}, 21208),
    ({"SipAuthUsername": "u"}, 21225), ({"SipAuthUsername": "u\r\nVia: x", "SipAuthPassword": "p"}, 21222), ({"SipAuthUsername": "u", "SipAuthPassword": "p\n"}, 21224), ({"StatusCallbackEvent": "nothing"}, 20422), ({"ApplicationSid": "AP" + "0" * 32}, 21218),
    ({"Method": "PUT"}, 21209), ({"Url": None, "Twiml": "x" * 4001}, 32018)])
def test_what_cannot_be_is_refused_and_nobody_called(create, bob, rest, web, form, code):
    r = rest.call("POST", "/Calls.json", **{k: v for k, v in {"To": f"sip:bob@{bob.ip}:{bob.port}", "From": "alice", "Url": web.url + "/o", **form}.items() if v is not None})
    assert r.status_code == 400 and r.json()["code"] == code, r.text
    with pytest.raises(queue.Empty):
        bob.stray.get(timeout=0.05)


def test_many_calls_at_once_are_all_told_and_leave_nothing(create, bob, web, rest):
    before = stack.kamailio_transactions()
    web.serve("/o", doc("<Hangup/>"))
    web.serve("/cs", Reply(""))
    rows = [create(Url=web.url + "/o", StatusCallback=web.url + "/cs") for _ in range(30)]
    for _ in rows:
        next_call(bob).take()
    for row in rows:
        rest.call_in(row["sid"], "completed")
    stack.wait_for(lambda: len({r.params["CallSid"] for r in web.seen("/cs")}) == 30, what="30 callbacks")
    stack.wait_for(lambda: stack.kamailio_transactions() <= before, 40, "no transaction left")


def test_a_redirect_is_followed_with_the_headers_of_before(create, bob, phones, web):
    carol = phones(user="carol")
    create(To=f"sip:bob@{bob.ip}:{bob.port}?X-Order=7", Url=web.serve("/o", doc("<Hangup/>")))
    first = next_call(bob)
    bob.reply(first.invite, 302, "Moved Temporarily", [f"Contact: <sip:carol@{carol.ip}:{carol.port}>"], tag=first.from_tag)
    moved = next_call(carol)
    assert moved.invite.first.startswith(f"INVITE sip:carol@{carol.ip}:{carol.port} ")
    assert moved.invite.get("To") == first.invite.get("To") and moved.invite.get("X-Order") == "7"
    moved.take()
    web.wait("/o")
    moved.wait_request("BYE")


@pytest.mark.parametrize("contact", ["<tel:+4930123>", "<sip:carol@nowhere.invalid>", "<sip:bob@acme.sip.hookswitch.test>", None])
def test_a_redirect_that_leads_nowhere_is_told(create, bob, rest, web, contact):
    row = create(Url=web.serve("/o", doc("")))
    call = next_call(bob)
    bob.reply(call.invite, 302, "Moved Temporarily", [f"Contact: {contact}"] if contact else [], tag=call.from_tag)
    rest.call_in(row["sid"], "failed")
    stack.wait_for(lambda: rest.notifications(32219, row["sid"]), what="notification 32219")


def test_redirects_in_a_circle_end(create, bob, rest, web):
    row = create(Url=web.serve("/o", doc("")))
    for _ in range(6):
        call = next_call(bob)
        bob.calls.pop(call.call_id)
        call.respond(302, "Moved Temporarily")
        call.rtp.close()
    rest.call_in(row["sid"], "failed")
    assert rest.notifications(32219, row["sid"])


def test_who_answers_is_unknown_and_that_is_told(create, bob, web, rest):
    row = create(Url=web.serve("/o", doc("<Hangup/>")), MachineDetection="Enable", AsyncAmd="true", AsyncAmdStatusCallback=web.serve("/amd", Reply("")),
                 StatusCallback=web.serve("/cs", Reply("")))
    next_call(bob).take()
    for path in ("/o", "/amd", "/cs"):
        p = web.wait(path).params
        assert (p["AnsweredBy"], p["MachineDetectionDuration"], p["CallSid"]) == ("unknown", "0", row["sid"])
    stack.wait_for(lambda: rest.notifications(13750, row["sid"]), what="notification 13750")


def test_refer_url_of_a_created_call_is_for_its_dials(create, bob, phones, web):
    carol = phones(user="carol")
    create(Twiml=f"<Response><Dial><Sip>sip:carol@{carol.ip}:{carol.port}</Sip></Dial></Response>", ReferUrl=web.serve("/r", doc("<Say>Transferred</Say>")))
    call = next_call(bob)
    call.take()
    third = next_call(carol)
    third.take()
    third.rtp.say(g711.tone(700, 2))
    call.rtp.wait_audio(0.3)
    n = third.in_dialog("REFER", headers=["Refer-To: <sip:dan@example.com>"])
    assert third.wait_response(range(200, 700), "REFER", cseq=n).status == 202
    assert web.wait("/r").params["ReferTransferTarget"] == "<sip:dan@example.com>"
    third.wait_request("BYE")
    call.wait_request("BYE")
