"""The caller presses digits and is led on: <Gather> by DTMF (vectors T30-T38)."""
import time

import pytest

from kit import g711, stack
from kit.twiml import doc, tone_of
from kit.webapp import Reply


@pytest.fixture
def ivr(phone, web, domains, wav):
    """ivr(gather, then="") answers a call with that document; returns the call once it is up."""
    for name, hz, seconds in (("long", 500, 8), ("no", 1500, 0.5), ("short", 900, 0.6)):
        web.serve(f"/{name}.wav", Reply(wav(hz, seconds), content_type="audio/wav"))
    web.serve("/g", doc("<Hangup/>"))

    def call(body, **kw):
        domain = domains(web.serve("/v", doc(body)))
        made = phone.invite(domain.uri(), **kw)
        assert made.wait_final().status == 200
        return made

    return call


def test_T30_a_digit_during_the_prompt_stops_it_and_is_submitted(ivr, web):
    call = ivr('<Gather numDigits="1" action="/g"><Play>/long.wav</Play></Gather><Play>/no.wav</Play>')
    call.rtp.wait_audio(0.5)
    pressed = time.monotonic()
    call.press("5")
    p = web.wait("/g").params
    assert p["Digits"] == "5" and p["CallStatus"] == "in-progress" and p["msg"] == "Gather End" and p["FinishedOnKey"] == ""
    call.wait_request("BYE")
    # The key takes 100 ms itself; RTPengine tells of its end.
    late = [k for k in call.rtp.since(pressed + 0.1 + 0.2) if k.pt == 0 and g711.rms(g711.decode(k.payload, 0)) > 500]
    assert not late, "the prompt went on more than 200 ms after the key"
    assert abs(tone_of(call.rtp.audio()) - 500) < 30, "no.wav was played"


def test_T32_the_finish_key_alone_is_an_empty_result(ivr, web):
    call = ivr('<Gather action="/g"/><Play>/no.wav</Play>')
    call.press("#")
    assert abs(tone_of(call.rtp.wait_audio(0.4)) - 1500) < 40
    call.wait_request("BYE")
    assert not web.seen("/g")


def test_T34_without_a_finish_key_all_keys_are_collected(ivr, web):
    call = ivr('<Gather finishOnKey="" timeout="2" action="/g"/>')
    call.press("1#*")
    ask = web.wait("/g")
    assert ask.form["Digits"] == "1#*" and (b"Digits=1%23%2A" in ask.body or b"Digits=1%23*" in ask.body)


def test_T36_bad_attributes_are_warnings_and_the_gather_runs_with_defaults(ivr, web, rest):
    call = ivr('<Gather finishOnKey="12" numDigits="0" action="/g"><Dial>1</Dial></Gather>')
    sid = web.wait("/v").params["CallSid"]
    call.press("42#")
    p = web.wait("/g").params
    assert p["Digits"] == "42" and p["FinishedOnKey"] == "#"
    for code in (13311, 13314, 13320):
        stack.wait_for(lambda: rest.notifications(code, sid), what=f"notification {code}")


def test_T38_the_timeout_starts_after_the_prompt(ivr, web):
    call = ivr('<Gather timeout="2" action="/g"><Play>/short.wav</Play><Pause length="2"/></Gather>')
    answered = call.answer.at
    bye = call.wait_request("BYE", timeout=12)
    assert 4.2 <= bye.at - answered <= 6.0, bye.at - answered
    assert not web.seen("/g")


def test_digits_in_a_row_restart_the_timer_and_numdigits_submits_at_once(ivr, web):
    call = ivr('<Gather numDigits="4" timeout="3" action="/g"/>')
    call.press("1234", ms=60, gap_ms=60)
    started = time.monotonic()
    assert web.wait("/g").params["Digits"] == "1234"
    assert time.monotonic() - started < 2.5


def test_action_on_empty_result_asks_with_empty_digits(ivr, web):
    ivr('<Gather timeout="1" actionOnEmptyResult="true" action="/g"/><Play>/no.wav</Play>')
    assert web.wait("/g").params["Digits"] == ""


def test_without_barge_in_the_prompt_goes_on(ivr, web):
    call = ivr('<Gather bargeIn="false" numDigits="1" timeout="1" action="/g"><Play>/short.wav</Play></Gather>')
    call.press("7")
    web.wait("/g")
    assert g711.loud_seconds(call.rtp.audio()) >= 0.5


def test_gather_without_action_asks_the_same_document_again(ivr, web):
    call = ivr('<Gather numDigits="1"/>')
    call.press("3")
    assert web.wait("/v", 2).params["Digits"] == "3"


def test_the_caller_is_led_on_through_documents(ivr, web):
    web.serve("/g", doc('<Gather numDigits="2" action="/h"><Play>/short.wav</Play></Gather>'))
    web.serve("/h", doc("<Play>/no.wav</Play>"))
    call = ivr('<Gather numDigits="1" action="/g"><Say>Press one</Say></Gather>')
    call.rtp.wait_audio(0.1)
    call.press("1")
    web.wait("/g")
    call.rtp.wait_audio(0.6)
    call.press("23")
    assert web.wait("/h").params["Digits"] == "23"
    call.wait_request("BYE")
    assert abs(tone_of(call.rtp.audio()[-int(0.6 * g711.RATE):]) - 1500) < 40


def test_hanging_up_in_a_gather_asks_no_action(ivr, web, rest):
    call = ivr('<Gather action="/g" actionOnEmptyResult="true"/>')
    sid = web.wait("/v").params["CallSid"]
    call.press("1")
    assert call.bye().status == 200
    rest.call_in(sid, "completed")
    assert not web.seen("/g")


def test_digits_from_a_pcma_phone_arrive_once_each(ivr, web):
    call = ivr('<Gather numDigits="6" action="/g"><Play>/long.wav</Play></Gather>', codecs=(8,))
    heard = call.rtp.wait_audio(0.5)
    assert abs(tone_of(heard) - 500) < 30 and {k.pt for k in call.rtp.packets} == {8}
    call.press("112233")
    assert web.wait("/g").params["Digits"] == "112233"


def test_a_phone_whose_telephone_event_is_not_101_is_understood_both_ways(ivr, web):
    web.serve("/g", doc('<Play digits="90#"/><Hangup/>'))
    call = ivr('<Gather numDigits="3" action="/g"/>', dtmf_pt=96)
    call.press("5*0")
    assert web.wait("/g").params["Digits"] == "5*0"
    call.wait_request("BYE")
    assert call.rtp.events() == "90#"


def test_speech_attributes_are_taken_and_digits_still_count(ivr, web, rest):
    call = ivr('<Gather input="dtmf speech" numDigits="1" language="en-GB" hints="yes, no" enhanced="true" speechTimeout="auto" maxSpeechTime="5" '
               'debug="false" profanityFilter="false" speechModel="phone_call" partialResultCallback="/p" partialResultCallbackMethod="GET" action="/g"/>')
    sid = web.wait("/v").params["CallSid"]
    call.press("8")
    assert web.wait("/g").params["Digits"] == "8"
    stack.wait_for(lambda: rest.notifications(13326, sid), what="the notification that speech is not recognised")
    assert not rest.notifications(12200, sid)
