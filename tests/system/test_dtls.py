"""DTLS-SRTP with ICE (docs/secure-media.md), with aiortc as the peer; SRTP_DTLS is true here."""
import re
import time

import numpy as np
import pytest

from kit import g711, stack
from kit.callee import next_call
from kit.rtp import RtpPeer
from kit.srtp import E80
from kit.twiml import doc
from kit.webapp import Reply
from kit.webrtc import WebRtc
from test_dial import bob, dial, hears, sip, talk  # noqa: F401 (fixtures)
from test_secure_media import TONE, error, home, media, secure  # noqa: F401 (fixtures)


@pytest.fixture
def webrtc():
    made = []

    def make():
        made.append(WebRtc())
        return made[-1]
    yield make
    for one in made:
        one.close()


@pytest.fixture
def caller(secure, webrtc):
    """caller(body): alice's call by DTLS-SRTP to a domain with Secure=true whose document is body; spoil(sdp): what it offers instead."""
    def run(body, spoil=lambda sdp: sdp):
        peer = webrtc()
        call = secure(body, (), sdp=spoil(peer.offer()), rtp=False)
        run.sid = secure.sid
        final = call.wait_final()
        if final.status == 200:
            peer.accept(final.body.decode())
            call.rtp = peer
        return call
    return run


def answer_by(call, peer):
    """The dialled party takes the call with what peer answers."""
    text = peer.answer(call.invite.body.decode())
    call.sdp = lambda: text
    call.take()
    call.rtp = peer


def loud(pcm):
    return bool(np.any(np.abs(pcm) > 1000))


def tone(web, wav):
    return TONE.format(web.serve("/a.wav", Reply(wav(700, 10), content_type="audio/wav")))


def test_a_caller_by_dtls_hears_the_document_and_its_packets_are_counted(caller, web, wav, rest):
    call = caller(tone(web, wav))
    answered = call.wait_final().body.decode()
    assert " UDP/TLS/RTP/SAVPF " in answered and "a=fingerprint:sha-256 " in answered and "a=crypto" not in answered
    assert "a=candidate:" in answered and "a=rtcp-mux" in answered
    hears(call, 700)
    call.bye()
    row, = media(rest, caller.sid(), 1)
    assert row["protocol"] == "UDP/TLS/RTP/SAVPF" and row["crypto_suite"] not in ("", "none")
    assert row["packets_received"] > 10 and row["packets_sent"] > 10


@pytest.mark.parametrize("how", ["plain", "sdes"])
def test_a_caller_by_dtls_talks_with_anybody(caller, bob, home, how):
    alice = caller(f"<Dial><Sip>sip:bob@{home.name};secure=true</Sip></Dial>" if how == "sdes" else f"<Dial>{sip(bob)}</Dial>")
    callee = next_call(home.bob if how == "sdes" else bob, srtp=(E80,) if how == "sdes" else ())
    offer = callee.invite.body.decode()
    assert "fingerprint" not in offer and "candidate" not in offer and (" RTP/SAVP " if how == "sdes" else " RTP/AVP ") in offer
    callee.take()
    talk(alice, callee)
    callee.bye()
    alice.wait_request("BYE")


def test_secure_dtls_calls_a_party_by_dtls(dial, home, webrtc):
    alice = dial(f"<Dial><Sip>sip:bob@{home.name};secure=dtls</Sip></Dial>")
    callee = next_call(home.bob, rtp=False)
    offer = callee.invite.body.decode()
    assert " UDP/TLS/RTP/SAVPF " in offer and "a=setup:actpass" in offer and "a=crypto" not in offer and "a=candidate:" in offer
    answer_by(callee, webrtc())
    alice.wait_final()
    talk(alice, callee)


def test_two_parties_by_dtls_talk(caller, home, webrtc):
    alice = caller(f"<Dial><Sip>sip:bob@{home.name};secure=dtls</Sip></Dial>")
    callee = next_call(home.bob, rtp=False)
    answer_by(callee, webrtc())
    talk(alice, callee)


def test_after_the_conversation_the_caller_hears_the_document_again(caller, home, webrtc, web, wav):
    alice = caller(f"<Dial><Sip>sip:bob@{home.name};secure=dtls</Sip></Dial>" + tone(web, wav))
    callee = next_call(home.bob, rtp=False)
    answer_by(callee, webrtc())
    talk(alice, callee)
    callee.bye()
    hears(alice, 700)


def test_an_answer_without_dtls_is_hung_up(dial, home, rest, web):
    dial(f'<Dial action="/d"><Sip>sip:bob@{home.name};secure=dtls</Sip></Dial>')
    callee = next_call(home.bob)
    callee.take()
    callee.wait_request("BYE")
    assert web.wait("/d").params["DialCallStatus"] == "failed"


def test_who_has_another_certificate_hears_nothing_and_is_not_heard(caller, bob, rest):
    def another(sdp):
        return re.sub(r"(a=fingerprint:\S+ )(..)", lambda m: m.group(1) + ("00" if m.group(2) != "00" else "01"), sdp)
    alice = caller(f"<Dial>{sip(bob)}</Dial>", another)
    callee = next_call(bob)
    callee.take()
    alice.rtp.say(g711.tone(700, 3.0))
    callee.rtp.say(g711.tone(1300, 3.0))
    begun = time.monotonic()
    time.sleep(2)
    assert not loud(callee.rtp.audio(begun)) and not loud(alice.rtp.audio(begun))
    callee.bye()
    row, = media(rest, caller.sid(), 1)
    assert row["packets_received"] == 0, row


def test_plain_rtp_is_not_heard_where_dtls_was_agreed(caller, bob):
    alice = caller(f"<Dial>{sip(bob)}</Dial>")
    callee = next_call(bob)
    callee.take()
    talk(alice, callee)
    port = int(re.search(r"m=audio (\d+)", alice.wait_final().body.decode()).group(1))
    stack.wait_for(lambda: not loud(callee.rtp.audio(time.monotonic() - 0.5)), 6, "silence")
    peer = RtpPeer("127.0.0.5")
    try:
        peer.send_to("127.0.0.1", port)
        peer.say(g711.tone(900, 2.0))
        begun = time.monotonic()
        time.sleep(1.5)
        assert not loud(callee.rtp.audio(begun))
    finally:
        peer.close()


def test_a_domain_that_takes_no_srtp_takes_no_dtls(phones, domains, web, webrtc):
    domain = domains(web.serve("/v", doc("<Pause/>")))
    refused = phones(user="alice", transport="tls").invite(f"sip:100@{domain.name}", sdp=webrtc().offer(), rtp=False).wait_final()
    assert error(refused) == (488, "32207")
    domain.update(SrtpOptional="true")
    assert phones(user="alice", transport="tls").invite(f"sip:100@{domain.name}", sdp=webrtc().offer(), rtp=False).wait_final().status == 200


@pytest.mark.parametrize("fingerprint", ["", "a=fingerprint:sha-1 " + ":".join(["AB"] * 20) + "\r\n", "a=fingerprint:sha-256 AB:CD\r\n"])
def test_an_offer_whose_certificate_nobody_can_know_is_refused(secure, webrtc, fingerprint):
    sdp = re.sub(r"(a=fingerprint:.*\r\n)+", fingerprint, webrtc().offer())
    assert error(secure("", (), sdp=sdp, rtp=False).wait_final()) == (488, "32208")
