"""REST on calls: the update of a live call, its end, filters; and Notifications of refused attempts."""
import time

import pytest

from kit import g711, stack
from kit.twiml import doc, tone_of
from kit.webapp import Reply


@pytest.fixture
def live(phone, web, domains, wav):
    web.serve("/tone.wav", Reply(wav(440, 20), content_type="audio/wav"))
    web.serve("/other.wav", Reply(wav(1200, 1), content_type="audio/wav"))
    domain = domains(web.serve("/v", doc("<Play>/tone.wav</Play>")), VoiceStatusCallbackUrl=web.serve("/sc", Reply("", 204)))
    call = phone.invite(domain.uri())
    assert call.wait_final().status == 200
    call.rtp.wait_audio(0.3)
    call.sid = web.wait("/v").params["CallSid"]
    return call


def test_T76_a_new_url_replaces_the_document_at_once(live, web, rest):
    url = web.serve("/new", doc("<Play>/other.wav</Play>"))
    before = time.monotonic()
    row = rest.post(f"/Calls/{live.sid}.json", Url=url)
    assert row["sid"] == live.sid and row["status"] == "in-progress"
    ask = web.wait("/new")
    assert ask.form["CallStatus"] == "in-progress" and ask.form["CallSid"] == live.sid
    live.wait_request("BYE")
    late = [p for p in live.rtp.since(before + 0.2 + 0.1) if p.pt == 0 and g711.rms(g711.decode(p.payload, 0)) > 500]
    assert abs(tone_of(live.rtp.audio(before + 0.3)) - 1200) < 40 and late


def test_inline_twiml_replaces_the_document(live, rest):
    mark = time.monotonic()
    rest.post(f"/Calls/{live.sid}.json", Twiml="<Response><Say>Goodbye now</Say></Response>")
    live.wait_request("BYE")
    assert g711.loud_seconds(live.rtp.audio(mark + 0.3)) > 0.2


def test_bad_inline_twiml_is_refused_and_the_call_goes_on(live, rest):
    r = rest.call("POST", f"/Calls/{live.sid}.json", Twiml="<Response><Say>")
    assert r.status_code == 400 and r.json()["code"] == 12100
    mark = time.monotonic()
    stack.wait_for(lambda: abs(tone_of(live.rtp.audio(mark)) - 440) < 30, what="the tone as before")


def test_status_completed_hangs_up(live, web, rest):
    rest.post(f"/Calls/{live.sid}.json", Status="completed")
    live.wait_request("BYE")
    assert web.wait("/sc").params["CallStatus"] == "completed"


def test_T78_an_ended_call_cannot_be_updated(live, web, rest):
    live.bye()
    web.wait("/sc")
    r = rest.call("POST", f"/Calls/{live.sid}.json", Status="completed")
    assert r.status_code == 400 and r.json()["code"] == 21220
    r = rest.call("POST", "/Calls/CA" + "0" * 32 + ".json", Status="completed")
    assert r.status_code == 404 and r.json()["code"] == 20404


def test_a_ringing_call_is_canceled(phone, web, domains, rest):
    domain = domains(web.serve("/v", Reply(doc("<Say>x</Say>"), delay=3)))
    call = phone.invite(domain.uri())
    sid = web.wait("/v").params["CallSid"]
    stack.wait_for(lambda: rest.call("GET", f"/Calls/{sid}.json").status_code == 200, what="the row")
    rest.post(f"/Calls/{sid}.json", Status="canceled")
    assert call.wait_final().status >= 400
    rest.call_in(sid, "canceled")


def test_calls_are_listed_newest_first_with_filters(live, rest):
    rows = rest.get("/Calls.json", Status="in-progress", PageSize=5)["calls"]
    assert live.sid in [r["sid"] for r in rows] and all(r["status"] == "in-progress" for r in rows)
    dates = rest.get("/Calls.json", PageSize=20)["calls"]
    assert [r["sid"] for r in dates].index(live.sid) == 0


def test_a_refused_attempt_is_a_notification_of_the_account(phones, domains, rest):
    domain = domains(None, allow=("203.0.113.0/24",))
    call = phones().invite(domain.uri())
    refused = call.wait_final()
    assert refused.status == 403 and refused.get("X-Twilio-Error").startswith("32201 ")
    row = stack.wait_for(lambda: [n for n in rest.notifications(32201) if domain.name in (n["message_text"] + str(n["request_url"]))],
                         what="notification 32201")[0]
    assert "127.0.0.1" in row["message_text"] and row["log"] == "0"
