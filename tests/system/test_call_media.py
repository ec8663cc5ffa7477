"""What the caller hears: <Say>, <Play> of every type, digits, pauses, caching, hostile media; packets on time."""
import pathlib
import time

import numpy as np
import pytest

from kit import g711, stack
from kit.twiml import doc, tone_of
from kit.webapp import Reply

AUDIO = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "audio"


@pytest.fixture
def heard(phone, web, domains):
    """heard(body) is what a caller hears of a document, from the answer to the BYE."""

    def run(body, timeout=30, **kw):
        domain = domains(web.serve("/v", doc(body)))
        call = phone.invite(domain.uri(), **kw)
        assert call.wait_final().status == 200
        call.wait_request("BYE", timeout=timeout)
        run.call = call
        run.sid = web.seen("/v")[-1].params["CallSid"]
        return call.rtp.audio()

    return run


def test_speech_is_heard_and_repeats_by_loop(heard):
    once = g711.loud_seconds(heard("<Say>Good morning</Say>"))
    thrice = g711.loud_seconds(heard('<Say loop="3">Good morning</Say>'))
    assert once > 0.3 and 2.5 * once < thrice < 3.5 * once


def test_the_same_speech_twice_is_the_same_audio(heard):
    first = heard("<Say>One two three</Say>")
    loud = np.flatnonzero(np.abs(first) > 200)
    assert g711.similarity(heard("<Say>One two three</Say>"), first[loud[0]:loud[-1]]) > 0.99


def test_a_break_in_speech_adds_its_time(heard):
    plain = len(heard("<Say>One. Two.</Say>"))
    with_break = len(heard('<Say>One. <break time="2s"/>Two.</Say>'))
    assert 1.5 < (with_break - plain) / g711.RATE < 2.6


def test_languages_and_unknown_voices(heard, rest):
    assert g711.loud_seconds(heard('<Say language="fr-FR">Bonjour tout le monde</Say>')) > 0.5
    assert not rest.notifications(13512, heard.sid)
    assert g711.loud_seconds(heard('<Say voice="Polly.Nobody">Hello</Say>')) > 0.2
    stack.wait_for(lambda: rest.notifications(13511, heard.sid), what="notification 13511")


def test_play_repeats_by_loop_without_a_gap(heard, web, wav):
    web.serve("/t.wav", Reply(wav(800, 0.4), content_type="audio/wav"))
    pcm = heard('<Play loop="3">/t.wav</Play>')
    assert abs(g711.loud_seconds(pcm) - 1.2) < 0.08
    loud = np.flatnonzero(np.abs(pcm) > 500)
    assert (loud[-1] - loud[0]) / g711.RATE < 1.3


@pytest.mark.parametrize("name, content_type", [
    (p.name, t) for p in sorted(AUDIO.glob("tone*")) for t in [{
        ".wav": "audio/wav", ".mp3": "audio/mpeg", ".aiff": "audio/aiff", ".aif": "audio/aiff", ".gsm": "audio/gsm", ".ul": "audio/ulaw",
        ".ulaw": "audio/ulaw", ".au": "audio/basic"}.get(p.suffix)] if t])
def test_play_of_every_type(heard, web, name, content_type):
    web.serve("/m", Reply((AUDIO / name).read_bytes(), content_type=content_type))
    pcm = heard("<Play>/m</Play>")
    loud = pcm[np.abs(pcm) > 200]
    assert g711.loud_seconds(pcm) >= 0.15 and len(loud) > 800
    assert abs(g711.dominant_hz(pcm[400:1200]) - 1000) < 40


@stack.in_one_process
def test_a_media_file_is_asked_again_only_with_its_validator(heard, web, wav):
    body = wav(600, 0.3)

    def media(request):
        if request.headers.get("If-None-Match") == '"v1"':
            return Reply("", 304, None, headers=[("ETag", '"v1"')])
        return Reply(body, content_type="audio/wav", headers=[("ETag", '"v1"'), ("Cache-Control", "no-cache")])

    web.serve("/m.wav", media)
    for _ in range(2):
        assert g711.loud_seconds(heard("<Play>/m.wav</Play>")) > 0.2
    asked = web.seen("/m.wav")
    assert len(asked) == 2 and asked[1].headers["If-None-Match"] == '"v1"'
    assert all(a.method == "GET" and not a.params for a in asked)


def test_play_of_digits_arrives_as_rfc_4733(heard):
    heard('<Play digits="12w#A"/>')
    assert heard.call.rtp.events() == "12#A"


def test_a_missing_media_file_is_skipped_with_a_notification(heard, web, rest, wav):
    web.serve("/t.wav", Reply(wav(900, 0.4), content_type="audio/wav"))
    pcm = heard("<Play>/missing.wav</Play><Play>/t.wav</Play>")
    assert abs(tone_of(pcm) - 900) < 30
    stack.wait_for(lambda: rest.notifications(11200, heard.sid), what="a notification")


@pytest.mark.parametrize("body, content_type", [
    (b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff", "audio/wav"),
    (b"", "audio/wav"),
    (b"ID3" + bytes(range(256)) * 20, "audio/mpeg"),
    (b"<html>not audio</html>", "audio/aiff"),
])
def test_hostile_media_does_not_end_the_service(heard, web, wav, body, content_type):
    web.serve("/bad", Reply(body, content_type=content_type))
    web.serve("/t.wav", Reply(wav(900, 0.3), content_type="audio/wav"))
    heard("<Play>/bad</Play>")
    assert abs(tone_of(heard("<Play>/t.wav</Play>")) - 900) < 40


def test_media_of_a_wrong_type_takes_the_failure_path(heard, web, rest):
    web.serve("/page", Reply("<p>hello</p>", content_type="application/json"))
    assert g711.loud_seconds(heard("<Play>/page</Play>")) > 1, "no apology was heard"
    stack.wait_for(lambda: rest.notifications(13420, heard.sid) or rest.notifications(12300, heard.sid), what="a notification")


def test_packets_are_on_time_and_continuous(phone, web, domains, wav):
    web.serve("/t.wav", Reply(wav(500, 0.5), content_type="audio/wav"))
    domain = domains(web.serve("/v", doc('<Play>/t.wav</Play><Pause length="1"/><Play>/t.wav</Play>')))
    call = phone.invite(domain.uri())
    call.wait_request("BYE", timeout=15)
    packets = call.rtp.since()
    assert len({p.ssrc for p in packets}) == 1
    steps = [((b.seq - a.seq) & 0xFFFF, (b.ts - a.ts) & 0xFFFFFFFF) for a, b in zip(packets, packets[1:])]
    assert set(steps) == {(1, 160)}, "sequence or timestamps jump"
    gaps = sorted(b.at - a.at for a, b in zip(packets, packets[1:]))
    assert 0.018 < gaps[len(gaps) // 2] < 0.022 and gaps[len(gaps) * 9 // 10] < 0.035, "packets come in bursts"
    seconds = packets[-1].at - packets[0].at
    assert abs(len(packets) - 1 - seconds * 50) <= 2, f"{len(packets)} packets in {seconds:.2f} s"
    pcm = call.rtp.audio()
    assert abs(g711.loud_seconds(pcm) - 1.0) < 0.1


def test_say_of_a_text_with_markup_characters_reaches_the_ear(heard):
    assert g711.loud_seconds(heard("<Say>A &amp; B &lt; C</Say>")) > 0.4


def test_the_first_packets_come_right_after_the_answer(phone, web, domains, wav):
    web.serve("/t.wav", Reply(wav(500, 0.5), content_type="audio/wav"))
    domain = domains(web.serve("/v", doc("<Play>/t.wav</Play>")))
    phone.invite(domain.uri()).wait_request("BYE")  # the media file is cached from now on
    call = phone.invite(domain.uri())
    call.wait_request("BYE")
    assert call.rtp.packets[0].at - call.answer.at < 0.5
    assert time.monotonic() - call.answer.at < 5


def test_markup_of_speech_is_taken_without_a_warning(heard, rest):
    pcm = heard('<Say><prosody pitch="high" rate="slow">One</prosody> <say-as interpret-as="digits" role="x">42</say-as></Say>')
    assert g711.loud_seconds(pcm) > 0.5
    assert not rest.notifications(12200, heard.sid)
