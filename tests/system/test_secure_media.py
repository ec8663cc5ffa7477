"""Secure media: SRTP with SDES keys over TLS (sip-and-rest.md §3.6), with libsrtp as the peer."""
import base64
import os
import time

import pytest

from kit import g711, stack
from kit.baresip import Baresip
from kit.callee import next_call, register
from kit.rest import PASSWORD
from kit.sip import media_of
from kit.srtp import E32, E80, Srtp, crypto_lines
from kit.twiml import doc
from kit.webapp import Reply
from test_dial import bob, dial, hears, sip, talk  # noqa: F401 (fixtures)

TONE = "<Play>{}</Play><Pause length='60'/>"


def error(response):
    return response.status, (response.get("X-Twilio-Error") or "").split(" ")[0]


@pytest.fixture
def secure(phones, web, domains):
    """secure(body, srtp=suites): alice calls a domain with Secure=true, over TLS, whose document is body."""
    def run(body, srtp=(E80, E32), **options):
        domain = domains(web.serve("/v", doc(body)), Secure="true")
        call = phones(user="alice", transport="tls").invite(f"sip:100@{domain.name}", srtp=srtp, **options)
        run.sid = lambda: web.wait("/v").params["CallSid"]
        return call
    return run


@pytest.fixture
def home(rest, domains, phones):
    """Bob, registered over TLS; home.uri is where he is."""
    domain = domains(users=("bob",), registers=True)
    domain.bob = phones(user="bob", transport="tls")
    register(domain.bob, domain.name, PASSWORD)
    return domain


# -- a call that comes in

@pytest.mark.parametrize("suites", [(E80, E32), (E32, E80), (E80,), (E32,)])
def test_either_suite_in_either_order_is_taken(secure, web, wav, suites):
    call = secure(TONE.format(web.serve("/a.wav", Reply(wav(700, 5), content_type="audio/wav"))), suites)
    answer = call.wait_final()
    (tag, suite, key), = crypto_lines(answer.body.decode())
    assert (tag, suite) == ("1", suites[0]) and b" RTP/SAVP " in answer.body
    hears(call, 700)
    assert call.srtp.rejected == 0


@pytest.mark.parametrize("sdp, said", [
    ("m=audio {port} RTP/AVP 0 101\r\n", "Secure media required"),
    ("m=audio {port} RTP/SAVP 0 101\r\n", "No crypto suite that is supported"),
    ("m=audio {port} RTP/SAVP 0 101\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^20|1:4\r\n", "No crypto suite that is supported"),
    ("m=audio {port} RTP/SAVP 0 101\r\na=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:{key}\r\n", "No crypto suite that is supported"),
    ("m=audio {port} UDP/TLS/RTP/SAVP 0 101\r\na=setup:actpass\r\n", "No crypto suite that is supported"),
])
def test_a_secure_domain_refuses_what_is_not_secure(secure, sdp, said):
    text = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" + sdp.format(port=40000, key=base64.b64encode(os.urandom(30)).decode())
    refused = secure("", (), sdp=text, rtp=False).wait_final()
    assert error(refused) == (488, "32208") and said in refused.first


def test_a_plain_domain_refuses_srtp(phones, web, domains):
    call = phones(transport="tls").invite(domains(web.serve("/v", doc(""))).uri(), srtp=(E80,))
    assert error(call.wait_final()) == (488, "32207")


def test_an_invite_without_an_offer_is_offered_srtp(secure, web, wav):
    call = secure(TONE.format(web.serve("/a.wav", Reply(wav(700, 5), content_type="audio/wav"))), sdp="")
    call.answers_crypto = True
    offer = call.wait_final()
    assert [c[:2] for c in crypto_lines(offer.body.decode())] == [("1", E80)]
    hears(call, 700)


def test_keys_travel_encrypted(secure, web):
    call = secure('<Gather numDigits="3" action="/g" finishOnKey=""/>')
    call.wait_final()
    web.serve("/g", doc(""))
    time.sleep(0.3)
    call.press("15#")
    assert web.wait("/g").params["Digits"] == "15#"


# -- bridges

@pytest.mark.parametrize("codecs", [(0,), (8,)])
@pytest.mark.parametrize("how", ["plain", "secure"])
def test_a_secure_caller_talks_with_anybody(secure, bob, home, how, codecs):
    to = f"<Sip>sip:bob@{home.name};secure=true</Sip>" if how == "secure" else sip(bob)
    alice = secure(f"<Dial>{to}</Dial>", (E32, E80))
    callee = next_call(home.bob if how == "secure" else bob, codecs=codecs, srtp=(E80,) if how == "secure" else ())
    callee.take()
    alice.wait_final()
    talk(alice, callee)
    assert alice.srtp.rejected == 0 and alice.srtp.suite == E32
    callee.bye()
    alice.wait_request("BYE")


def test_a_plain_caller_talks_with_a_secure_phone(dial, home):
    alice = dial(f"<Dial><Sip>sip:bob@{home.name};secure=true</Sip></Dial>")
    callee = next_call(home.bob, srtp=(E80,))
    offer = callee.invite.body.decode()
    assert [c[:2] for c in crypto_lines(offer)] == [("1", E80)] and " RTP/SAVP " in offer and "fingerprint" not in offer
    callee.take()
    talk(alice, callee)
    assert callee.srtp.rejected == 0


def test_early_media_under_srtp_is_heard(secure, home, web):
    alice = secure(f'<Dial answerOnBridge="true"><Sip>sip:bob@{home.name};secure=true</Sip></Dial>')
    callee = next_call(home.bob, srtp=(E80,))
    callee.respond(183, "Session Progress", body=callee.sdp())
    early = alice.wait_response(183)
    alice.srtp.take(early.body.decode())
    alice.rtp.send_to(*media_of(early.body.decode()))
    callee.rtp.say(g711.tone(1300, 3.0))
    hears(alice, 1300)
    callee.take()
    talk(alice, callee)


def test_a_hold_and_the_way_back_keep_the_keys(secure, home):
    alice = secure(f"<Dial><Sip>sip:bob@{home.name};secure=true</Sip></Dial>", (E32, E80))
    callee = next_call(home.bob, srtp=(E80,))
    callee.take()
    alice.wait_final()
    talk(alice, callee)
    for one, other in ((alice, callee), (callee, alice)):
        for n, direction in enumerate(("sendonly", "sendrecv"), len([m for m in other.requests if m.method == "INVITE"]) + 1):
            assert one.reinvite(direction).status == 200
            shown = other.wait_request("INVITE", n)
            assert f"a={direction}" in shown.body.decode()
            (tag, suite, key), = crypto_lines(shown.body.decode())
            assert (suite, key) == (other.srtp.suite, other.srtp.remote_key)
            other.srtp.tag, other.answers_crypto = int(tag), True
            other.phone.reply(shown, 200, "OK", [f"Contact: {other.phone.contact}", "Content-Type: application/sdp"], other.sdp())
            other.answers_crypto = other is callee
        time.sleep(0.3)
        talk(alice, callee)


def test_after_the_conversation_the_caller_hears_the_document_again(secure, home, web, wav):
    alice = secure(f"<Dial><Sip>sip:bob@{home.name};secure=true</Sip></Dial>" + TONE.format(web.serve("/a.wav", Reply(wav(900, 5), content_type="audio/wav"))))
    callee = next_call(home.bob, srtp=(E80,))
    callee.take()
    alice.wait_final()
    talk(alice, callee)
    callee.bye()
    hears(alice, 900)
    assert alice.srtp.rejected == 0


@pytest.mark.parametrize("answer", ["plain", "another suite"])
def test_a_party_that_answers_without_our_key_is_hung_up(dial, home, web, rest, answer):
    web.serve("/d", doc(""))
    alice = dial(f'<Dial action="/d"><Sip>sip:bob@{home.name};secure=true</Sip></Dial>')
    callee = next_call(home.bob, srtp=(E80,) if answer != "plain" else ())
    if answer != "plain":
        callee.srtp.suite = E32
    callee.take()
    callee.wait_request("BYE")
    p = web.wait("/d").params
    assert p["DialCallStatus"] == "failed"
    rest.call_in(p["DialCallSid"], "failed")
    stack.wait_for(lambda: rest.notifications(32208, p["DialCallSid"]), what="notification 32208")


def test_a_phone_that_registered_without_tls_is_not_called_securely(dial, home, phones, web, rest):
    registrations = f"/SIP/Domains/{home.sid}/Registrations"
    for binding in rest.get(f"{registrations}.json")["registrations"]:
        rest.delete(f"{registrations}/{binding['sid']}.json")
    register(phones(user="bob"), home.name, PASSWORD)
    web.serve("/d", doc(""))
    alice = dial(f'<Dial action="/d"><Sip>sip:bob@{home.name};secure=true</Sip></Dial>')
    p = web.wait("/d").params
    assert (p["DialCallStatus"], p["DialSipResponseCode"]) == ("failed", "404")
    rest.call_in(p["DialCallSid"], "failed")
    stack.wait_for(lambda: rest.notifications(32209, p["DialCallSid"]), what="notification 32209")
    alice.wait_final()


def test_baresip_talks_securely(secure, rest, domains, tmp_path, wav):
    domain = domains(users=("bob",), registers=True)
    phone = Baresip(tmp_path, domain.name, user="bob", sound=wav(1000, 30), secure=True)
    try:
        stack.wait_for(lambda: rest.get(f"/SIP/Domains/{domain.sid}/Registrations.json")["registrations"], 20, "baresip's binding")
        alice = secure(f"<Dial><Sip>sip:bob@{domain.name};secure=true</Sip></Dial>", (E32,))
        assert alice.wait_final().status == 200
        hears(alice, 1000, 15)
        assert alice.reinvite("sendonly").status == 200
        assert alice.reinvite("sendrecv").status == 200
        hears(alice, 1000)
        assert alice.bye().status == 200
        child, = rest.get("/Calls.json", ParentCallSid=secure.sid())["calls"]
        counted, = media(rest, child["sid"], 1)
        assert counted["crypto_suite"] == E80 and counted["packets_received"] > 5
    except AssertionError as e:
        raise AssertionError(f"{e}\n{''.join(phone.said)}") from None
    finally:
        phone.close()


# -- streams as they come, and attacks

def test_a_new_key_by_re_invite_is_used_at_once(secure, web, bob):
    alice = secure(f"<Dial>{sip(bob)}</Dial>")
    callee = next_call(bob)
    callee.take()
    alice.wait_final()
    talk(alice, callee)
    old = alice.srtp.key
    alice.srtp.rekey()
    assert alice.reinvite().status == 200 and alice.srtp.key != old
    talk(alice, callee)


def test_a_sequence_that_wraps_and_a_new_source_are_heard(secure, bob):
    alice = secure(f"<Dial>{sip(bob)}</Dial>")
    alice.rtp.seq = 65500  # wraps 0.7 s after the stream began
    callee = next_call(bob)
    callee.take()
    alice.wait_final()
    time.sleep(1.5)
    assert alice.rtp.seq < 65500
    talk(alice, callee)
    alice.rtp.ssrc ^= 1
    talk(alice, callee)


def media(rest, sid, n):
    """What was counted of the n secure legs of a call."""
    def look():
        rows = rest.get(f"/Calls/{sid}/Media.json")["media"]
        return rows if len(rows) >= n else None
    return stack.wait_for(look, what="the counts of the call's media")


def test_a_call_proves_that_all_it_took_was_encrypted(secure, home, rest):
    alice = secure(f"<Dial><Sip>sip:bob@{home.name};secure=true</Sip></Dial>", (E32, E80))
    callee = next_call(home.bob, srtp=(E80,))
    callee.take()
    alice.wait_final()
    talk(alice, callee)
    callee.bye()
    alice.wait_request("BYE")
    sent = {"caller": alice.rtp.count, "party": callee.rtp.count}
    for call, sid, suite in ((alice, secure.sid(), E32), (callee, callee.invite.get("X-Twilio-CallSid"), E80)):
        counted, = media(rest, sid, 1)
        assert (counted["protocol"], counted["crypto_suite"], counted["packets_rejected"]) == ("RTP/SAVP", suite, 0)
        assert 0 <= sent["caller" if call is alice else "party"] - counted["packets_received"] <= 15
        assert counted["packets_received"] >= 10 and counted["packets_sent"] >= 10


def strike(call, packets):
    """Packets from the address that the party sends from."""
    for p in packets:
        call.rtp.sock.sendto(p, call.remote)


def test_what_does_not_authenticate_is_not_heard_and_nothing_breaks(secure, bob, rest):
    alice = secure(f"<Dial>{sip(bob)}</Dial>")
    callee = next_call(bob)
    callee.take()
    alice.wait_final()
    talk(alice, callee)
    alice.rtp.muted = True
    time.sleep(0.3)
    at, before = time.monotonic(), {(p.ssrc, p.seq) for p in callee.rtp.since(0)}
    real = alice.rtp.sent
    wrong = Srtp((alice.srtp.suite,))
    wrong.take("\n".join(Srtp((alice.srtp.suite,)).lines()))
    plain = b"\x80\x00" + real[2:12] + bytes(160)
    strike(alice, [real] * 50)  # RTPengine relays a replayed one as what it is: the same packet again
    strike(alice, [wrong.protect(plain)] * 50)
    strike(alice, [real[:-n] for n in range(1, 60)] + [real[:12], real[:13], real[:1], b"\x80"])
    strike(alice, [plain] * 50)
    strike(alice, [os.urandom(n) for n in range(1, 300, 7)])
    time.sleep(0.5)
    assert {(p.ssrc, p.seq) for p in callee.rtp.since(at)} <= before, "something of it reached the other party"
    assert not callee.rtp.events(at)
    alice.rtp.muted = False
    talk(alice, callee)
    alice.bye()
    counted, = media(rest, secure.sid(), 1)
    assert counted["packets_rejected"] >= 100, "the attack was counted"


def test_no_key_is_in_a_log(secure, home):
    alice = secure(f"<Dial><Sip>sip:bob@{home.name};secure=true</Sip></Dial>")
    callee = next_call(home.bob, srtp=(E80,))
    callee.take()
    alice.wait_final()
    talk(alice, callee)
    callee.bye()
    keys = {call.srtp.key for call in (alice, callee)} | {call.srtp.remote_key for call in (alice, callee)}
    logs = "".join(stack.logs(service, 3000) for service in ("kamailio", "rtpengine", "control", "postgres"))
    assert "connected with" in logs, "these are the logs of the call"
    for key in keys:
        assert key not in logs and key[:20] not in logs
