"""The SIP dialog of an answered call: hold, re-INVITE, UPDATE, OPTIONS, INFO, late offer, lost ACK, races, session timer."""
import threading
import time

import pytest

from kit import g711, stack
from kit.twiml import doc, tone_of
from kit.webapp import Reply


@pytest.fixture
def playing(phone, web, domains, wav):
    """playing(...) is a call that hears a long 440 Hz tone."""
    web.serve("/tone.wav", Reply(wav(440, 30), content_type="audio/wav"))
    domain = domains(web.serve("/v", doc('<Play loop="3">/tone.wav</Play>')))

    def call(**kw):
        made = phone.invite(domain.uri(), **kw)
        assert made.wait_final().status == 200
        return made

    call.domain = domain
    return call


def test_hold_silences_the_prompt_and_resume_brings_it_back(playing):
    call = playing()
    call.rtp.wait_audio(0.3)
    answer = call.reinvite("sendonly")
    assert answer.status == 200 and (b"a=recvonly" in answer.body or b"a=inactive" in answer.body)
    mark = time.monotonic() + 0.2
    time.sleep(0.8)
    assert g711.loud_seconds(call.rtp.audio(mark)) == 0, "a held party still hears the prompt"
    answer = call.reinvite("sendrecv")
    assert answer.status == 200 and b"a=sendrecv" in answer.body
    mark = time.monotonic()
    stack.wait_for(lambda: g711.loud_seconds(call.rtp.audio(mark)) > 0.3, what="audio after resume")


def test_the_codec_can_change_by_reinvite(playing):
    call = playing(codecs=(0,))
    call.rtp.wait_audio(0.3)
    assert call.reinvite(codecs=(8,)).status == 200
    mark = time.monotonic() + 0.1
    stack.wait_for(lambda: g711.loud_seconds(call.rtp.audio(mark)) > 0.4, what="audio after the change")
    assert {p.pt for p in call.rtp.since(mark)} == {8} and abs(tone_of(call.rtp.audio(mark)) - 440) < 30


def test_an_unusable_reinvite_is_488_and_the_session_stays(playing):
    call = playing()
    call.rtp.wait_audio(0.2)
    assert call.reinvite(codecs=(18,)).status == 488
    mark = time.monotonic()
    stack.wait_for(lambda: g711.loud_seconds(call.rtp.audio(mark)) > 0.3, what="audio as before")


def test_a_reinvite_that_requires_what_we_lack_is_420_and_the_call_goes_on(playing):
    call = playing()
    n = call.in_dialog("INVITE", headers=["Require: 100rel"], body=call.sdp())
    refused = call.wait_response(range(200, 700), cseq=n)
    assert refused.status == 420 and "100rel" in refused.get("Unsupported")
    assert call.reinvite().status == 200


def test_update_options_and_info_in_the_dialog_are_answered(playing):
    call = playing()
    for method in ("UPDATE", "OPTIONS", "INFO"):
        n = call.in_dialog(method)
        assert call.wait_response(range(200, 700), method, cseq=n).status == 200
    n = call.in_dialog("PUBLISH")
    refused = call.wait_response(range(200, 700), "PUBLISH", cseq=n)
    assert refused.status == 405 and "INVITE" in refused.get("Allow")


def test_an_invite_without_sdp_gets_our_offer(playing):
    call = playing(sdp="")
    assert b"m=audio" in call.answer.body
    assert abs(tone_of(call.rtp.wait_audio(0.5)) - 440) < 30


def test_a_required_100rel_is_refused_with_420(phone, playing):
    call = phone.invite(playing.domain.uri(), headers=["Require: 100rel"])
    refused = call.wait_final()
    assert refused.status == 420 and "100rel" in refused.get("Unsupported")


def test_a_retransmitted_invite_starts_no_second_call(playing, web):
    call = playing()
    call.retransmit()
    time.sleep(0.3)
    assert len(web.seen("/v")) == 1


def test_an_old_cseq_is_refused_and_the_call_goes_on(playing):
    call = playing()
    call.rtp.wait_audio(0.2)
    call.in_dialog("OPTIONS")
    call.cseq -= 3
    n = call.in_dialog("INFO")
    assert call.wait_response(range(200, 700), "INFO", cseq=n).status == 500
    call.cseq += 3
    assert call.bye().status == 200


def test_a_dialog_that_does_not_exist_is_481(phone, playing):
    call = playing()
    call.bye()
    n = call.in_dialog("BYE")
    assert call.wait_response(range(200, 700), "BYE", cseq=n).status == 481


def test_a_cancel_after_the_answer_changes_nothing(playing):
    call = playing()
    call.rtp.wait_audio(0.2)
    call.cancel()
    call.wait_response({200, 481}, "CANCEL")
    mark = time.monotonic()
    stack.wait_for(lambda: g711.loud_seconds(call.rtp.audio(mark)) > 0.3, what="audio as before")


@pytest.mark.slow
def test_a_lost_ack_ends_in_bye_after_32_seconds(playing, rest, web):
    call = playing(ack=False)
    started = time.monotonic()
    bye = call.wait_request("BYE", timeout=40)
    assert 30 <= bye.at - started <= 36
    sid = web.wait("/v").params["CallSid"]
    stack.wait_for(lambda: rest.notifications(32022, sid), what="notification 32022")


def test_a_small_session_expires_is_422(phone, playing):
    call = phone.invite(playing.domain.uri(), headers=["Supported: timer", "Session-Expires: 30"])
    refused = call.wait_final()
    assert refused.status == 422 and int(refused.get("Min-SE")) >= 90


def test_a_session_timer_is_accepted(phone, playing):
    call = phone.invite(playing.domain.uri(), headers=["Supported: timer", "Session-Expires: 600;refresher=uac"])
    answer = call.wait_final()
    assert answer.status == 200 and answer.get("Session-Expires").startswith("600") and "timer" in answer.get("Require")
    assert call.reinvite().status == 200


def test_no_rtp_for_the_timeout_ends_the_call(phone, playing, rest, web):
    call = playing()
    call.rtp.wait_audio(0.2)
    call.rtp.muted = True
    bye = call.wait_request("BYE", timeout=20)  # the test stack runs with RTP_TIMEOUT_MS=4000
    assert bye.get("Reason").startswith("Q.850")
    sid = web.wait("/v").params["CallSid"]
    stack.wait_for(lambda: rest.notifications(32014, sid), what="notification 32014")


def test_cancel_at_any_instant_ends_in_487_and_leaves_nothing(phones, web, domains, fresh_ip):
    web.serve("/v", lambda request: Reply(doc("<Say>Hello there</Say>"), delay=0.05))
    domain = domains(web.url + "/v")
    phone = phones(ip=fresh_ip)
    finals = []

    def one(delay):
        call = phone.invite(domain.uri(), ack=True)
        time.sleep(delay)
        call.cancel()
        final = call.wait_final()
        finals.append(final.status)
        if final.status == 200:
            call.bye()

    threads = [threading.Thread(target=one, args=(n * 0.01,)) for n in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(finals) == 20 and set(finals) <= {200, 487} and 487 in finals, finals
    stack.wait_for(lambda: stack.kamailio_transactions() == 0, timeout=45, what="no transactions left")


def test_tcp_works_like_udp(phones, web, domains, wav):
    web.serve("/t.wav", Reply(wav(650, 1), content_type="audio/wav"))
    domain = domains(web.serve("/v", doc("<Play>/t.wav</Play>")))
    phone = phones(transport="tcp")
    call = phone.invite(domain.uri())
    assert call.wait_final().status == 200
    assert abs(tone_of(call.rtp.wait_audio(0.5)) - 650) < 30
    call.wait_request("BYE")
