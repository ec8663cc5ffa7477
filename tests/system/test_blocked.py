"""A party that nobody hears for four seconds is not decoded (docs/media.md): what is still known of it, and that it is heard again."""
import time

import pytest

from kit import stack
from kit.callee import next_call
from kit.metrics import Page
from kit.twiml import doc
from kit.webapp import Reply
from test_dial import talk

UNHEARD_S = 5.5  # four, and what it takes


@pytest.fixture
def alice(phones, web, domains, wav):
    """alice(document) is answered and has been unheard for so long that RTPengine drops what she sends."""
    web.serve("/long.wav", Reply(wav(500, 60), content_type="audio/wav"))
    web.serve("/g", doc("<Hangup/>"))

    def make(body):
        call = phones().invite(domains(web.serve("/v", doc(body))).uri())
        assert call.wait_final().status == 200
        call.rtp.wait_audio(0.3)
        time.sleep(UNHEARD_S)
        return call

    return make


def received():
    return Page()("hookswitch_media_packets_total", direction="received")


def test_her_packets_go_no_further_than_rtpengine_and_her_digits_are_heard(alice, web):
    call = alice('<Gather numDigits="2" action="/g"><Play>/long.wav</Play></Gather>')
    stack.wait_for(lambda: Page()("hookswitch_media_ports_open") == 1)
    time.sleep(1.2)
    before = received()
    time.sleep(2)
    assert received() - before == 0
    # Nor does a hold change that, or its end.
    assert call.reinvite("sendonly").status == 200 and call.reinvite().status == 200
    time.sleep(1.2)
    before = received()
    time.sleep(1)
    assert received() - before == 0
    call.rtp.wait_audio(0.3)
    call.press("47")
    assert web.wait("/g").params["Digits"] == "47"
    call.wait_request("BYE")


def test_when_she_stops_sending_she_is_gone_all_the_same(alice, web, rest):
    call = alice("<Play>/long.wav</Play>")
    sid = web.wait("/v").params["CallSid"]
    call.rtp.muted = True
    # RTP_TIMEOUT_MS is 4000 here; the media worker's time passes first, and RTPengine's after it.
    call.wait_request("BYE", timeout=15)
    stack.wait_for(lambda: rest.notifications(32014, sid), what="notification 32014")


def test_while_she_sends_she_stays(alice):
    call = alice("<Play>/long.wav</Play>")
    mark = time.monotonic()
    time.sleep(11)
    assert call.bye().status == 200
    assert len(call.rtp.since(mark)) > 500


def test_whom_she_calls_then_hears_her_and_later_her_digits_are_heard_again(alice, phones, web):
    bob = phones(user="bob")
    web.serve("/d", doc('<Gather numDigits="1" action="/g" timeout="20"><Play>/long.wav</Play></Gather>'))
    call = alice('<Gather numDigits="1" timeout="20" action="/dial"><Play>/long.wav</Play></Gather>')
    web.serve("/dial", doc(f'<Dial action="/d"><Sip>sip:bob@{bob.ip}:{bob.port}</Sip></Dial>'))
    call.press("1")
    called = next_call(bob)
    called.take()
    talk(call, called)
    called.bye()
    web.wait("/d")
    time.sleep(UNHEARD_S)
    call.press("7")
    assert web.wait("/g").params["Digits"] == "7"
    call.wait_request("BYE")
