"""A call comes in: the webhook's request, and how the document's first verb decides the SIP answer (vectors T02-T28)."""
import base64
import hashlib
import hmac
import re
import time

from kit import g711, stack
from kit.rest import ACCOUNT, TOKEN
from kit.twiml import doc, tone_of
from kit.webapp import Reply


def test_the_voice_url_is_asked_with_everything_twilio_sends(phone, web, domains, rest):
    domain = domains(web.serve("/v", doc("<Reject/>")))
    call = phone.invite(domain.uri("+15551230000"), headers=["X-Account: 42", "x-lower: a;b=c", "User-to-User: 56a390f3d2b7;encoding=hex"])
    assert call.wait_response(180)
    assert call.wait_final().status == 404
    ask = web.wait("/v")
    assert ask.method == "POST"
    p = ask.params
    assert re.fullmatch("CA[0-9a-f]{32}", p["CallSid"])
    expected = {
        "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "Direction": "inbound", "CallStatus": "ringing",
        "From": call.from_uri, "Caller": call.from_uri, "To": domain.uri("+15551230000"), "Called": domain.uri("+15551230000"),
        "SipDomain": domain.name, "SipDomainSid": domain.sid, "SipCallId": call.call_id, "SipSourceIp": "127.0.0.1",
        "SipHeader_X-Account": "42", "SipHeader_x-lower": "a;b=c", "SipHeader_User-to-User": "56a390f3d2b7;encoding=hex",
    }
    assert {k: p.get(k) for k in expected} == expected
    signed = web.url + "/v" + "".join(k + p[k] for k in sorted(p))
    mac = hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha1).digest()
    assert ask.headers["X-Twilio-Signature"] == base64.b64encode(mac).decode()
    assert ask.headers["Content-Type"].startswith("application/x-www-form-urlencoded")


def test_a_get_voice_url_carries_the_parameters_in_its_query(phone, web, domains):
    domain = domains(web.serve("/v", doc("<Reject/>")) + "?keep=a%20b", VoiceMethod="GET")
    phone.invite(domain.uri()).wait_final()
    ask = web.wait("/v")
    assert ask.method == "GET" and ask.raw_path.startswith("/v?keep=a%20b&")
    assert ask.query["CallStatus"] == "ringing"


def test_T02_an_empty_response_is_answered_and_hung_up(phone, web, domains, rest):
    domain = domains(web.serve("/v", doc("")), VoiceStatusCallbackUrl=web.serve("/sc", Reply("", 204)))
    call = phone.invite(domain.uri())
    assert call.wait_final().status == 200
    call.wait_request("BYE")
    sc = web.wait("/sc").params
    assert sc["CallStatus"] == "completed" and sc["CallDuration"] in ("0", "1") and sc["SequenceNumber"] == "0"
    assert sc["CallbackSource"] == "call-progress-events" and sc["SipResponseCode"] == "200"


def test_T04_reject_is_404_and_never_answers(phone, web, domains, rest):
    domain = domains(web.serve("/v", doc("<Reject/>")), VoiceStatusCallbackUrl=web.serve("/sc", Reply("", 204)))
    call = phone.invite(domain.uri())
    assert call.wait_final().status == 404
    sc = web.wait("/sc").params
    assert sc["CallStatus"] == "no-answer" and sc["CallDuration"] == "0"
    assert not [m for m in call.responses if m.status == 200]


def test_reject_busy_is_486(phone, web, domains):
    domain = domains(web.serve("/v", doc('<Reject reason="busy"/>')), VoiceStatusCallbackUrl=web.serve("/sc", Reply("", 204)))
    assert phone.invite(domain.uri()).wait_final().status == 486
    assert web.wait("/sc").params["CallStatus"] == "busy"


def test_T06_a_bad_reject_reason_is_a_warning_and_a_plain_reject(phone, web, domains, rest):
    domain = domains(web.serve("/v", doc('<Reject reason="foo"/><Say>x</Say>')))
    call = phone.invite(domain.uri())
    assert call.wait_final().status == 404
    sid = web.wait("/v").params["CallSid"]
    stack.wait_for(lambda: rest.notifications(13810, sid), what="notification 13810")


def test_T08_redirect_keeps_ringing_and_asks_the_next_document(phone, web, domains):
    web.serve("/v2", Reply(doc("<Reject/>"), delay=0.3))
    domain = domains(web.serve("/v", doc("<Redirect>/v2?x=1&amp;y=2</Redirect><Say>no</Say>")))
    call = phone.invite(domain.uri())
    ask = web.wait("/v2")
    assert ask.method == "POST" and ask.query == {"x": "1", "y": "2"} and ask.form["CallStatus"] == "ringing"
    assert call.wait_final().status == 404


def test_T10_a_document_that_is_not_xml_takes_the_fallback(phone, web, domains, rest):
    url = web.serve("/v", "not xml")
    domain = domains(url, VoiceFallbackUrl=web.serve("/fb", doc('<Reject reason="busy"/>')))
    call = phone.invite(domain.uri())
    assert call.wait_final().status == 486
    p = web.wait("/fb").params
    assert p["ErrorCode"] == "12100" and p["ErrorUrl"] == url and p["SipDomain"] == domain.name and p["CallStatus"] == "ringing"
    stack.wait_for(lambda: rest.notifications(12100, p["CallSid"]), what="notification 12100")


def test_T12_a_line_before_the_prolog_is_12100(phone, web, domains):
    domain = domains(web.serve("/v", '\n<?xml version="1.0"?><Response/>'), VoiceFallbackUrl=web.serve("/fb", doc("<Reject/>")))
    phone.invite(domain.uri()).wait_final()
    assert web.wait("/fb").params["ErrorCode"] == "12100"


def test_T14_an_unknown_verb_is_skipped_with_line_and_column(phone, web, domains, rest, wav):
    web.serve("/a.wav", Reply(wav(800, 0.6), content_type="audio/wav"))
    domain = domains(web.serve("/v", "<Response>\n<say>x</say><Play>/a.wav</Play></Response>"))
    call = phone.invite(domain.uri())
    call.wait_final()
    heard = call.rtp.wait_audio(0.5)
    assert abs(tone_of(heard) - 800) < 30
    sid = web.wait("/v").params["CallSid"]
    row = stack.wait_for(lambda: rest.notifications(12200, sid), what="notification 12200")[0]
    assert "line=2" in row["message_text"] and "LogLevel=WARN" in row["message_text"]


def test_T16_a_bad_play_loop_plays_once(phone, web, domains, rest, wav):
    web.serve("/a.wav", Reply(wav(700, 0.5), content_type="audio/wav"))
    domain = domains(web.serve("/v", doc('<Play loop="x">/a.wav</Play>')))
    call = phone.invite(domain.uri())
    call.wait_request("BYE")
    assert 0.4 <= g711.loud_seconds(call.rtp.audio()) <= 0.6
    sid = web.wait("/v").params["CallSid"]
    stack.wait_for(lambda: rest.notifications(13410, sid), what="notification 13410")


def test_T18_plain_text_is_spoken(phone, web, domains):
    domain = domains(web.serve("/v", Reply("hello", content_type="text/plain")))
    call = phone.invite(domain.uri())
    assert call.wait_final().status == 200
    call.wait_request("BYE")
    assert g711.loud_seconds(call.rtp.audio()) > 0.15


def test_T20_text_html_with_twiml_is_executed(phone, web, domains):
    domain = domains(web.serve("/v", Reply(doc('<Reject reason="busy"/>'), content_type="text/html; charset=utf-8")))
    assert phone.invite(domain.uri()).wait_final().status == 486


def test_T22_ten_redirects_are_followed_and_eleven_are_11215(phone, web, domains, rest):
    for n in range(11):
        web.serve(f"/r{n}", Reply("", 302, headers=[("Location", f"/r{n + 1}")]))
    web.serve("/r11", doc('<Reject reason="busy"/>'))
    fallback = web.serve("/fb", doc("<Reject/>"))
    ten = domains(web.url + "/r1", VoiceFallbackUrl=fallback)
    assert phone.invite(ten.uri()).wait_final().status == 486
    assert web.seen("/r5")[0].method == "GET" and not web.seen("/r5")[0].params
    eleven = domains(web.url + "/r0", VoiceFallbackUrl=fallback)
    assert phone.invite(eleven.uri()).wait_final().status == 404
    assert web.wait("/fb").params["ErrorCode"] == "11215"


def test_T24_overrides_in_the_fragment_retry_with_one_idempotency_token(phone, web, domains):
    url = web.serve("/v", Reply("", 500), Reply("", 500), Reply(doc("<Reject/>")))
    domain = domains(url + "#rc=2&rp=5xx&rt=1000")
    assert phone.invite(domain.uri()).wait_final().status == 404
    asked = [web.wait("/v", n) for n in (1, 2, 3)]
    assert len({a.headers["I-Twilio-Idempotency-Token"] for a in asked}) == 1
    assert all("#" not in a.raw_path for a in asked)


def test_T26_cookies_live_as_long_as_the_call(phone, web, domains):
    web.serve("/next", doc("<Reject/>"))
    domain = domains(web.serve("/v", Reply(doc("<Redirect>/next</Redirect>"), headers=[("Set-Cookie", "s=1")])))
    phone.invite(domain.uri()).wait_final()
    assert web.wait("/next").headers["Cookie"] == "s=1"
    phone.invite(domain.uri()).wait_final()
    assert web.wait("/v", 2).headers["Cookie"] is None


def test_T28_a_cancel_while_the_document_is_fetched_is_487(phone, web, domains):
    domain = domains(web.serve("/v", Reply(doc("<Say>never</Say>"), delay=1.5)),
                     VoiceStatusCallbackUrl=web.serve("/sc", Reply("", 204)))
    call = phone.invite(domain.uri())
    call.wait_response(180)
    web.wait("/v")
    call.cancel()
    assert call.wait_response(200, "CANCEL")
    assert call.wait_final().status == 487
    sc = web.wait("/sc").params
    assert sc["CallStatus"] == "no-answer" and sc["SipResponseCode"] == "487"


def test_no_200_before_the_document_says_so(phone, web, domains):
    domain = domains(web.serve("/v", Reply(doc('<Pause length="1"/><Say>hi</Say>'), delay=0.5)))
    started = time.monotonic()
    call = phone.invite(domain.uri())
    answer = call.wait_final()
    assert answer.status == 200 and answer.at - started >= 1.5, "the Pause was not waited for before the answer"
    assert re.fullmatch("CA[0-9a-f]{32}", answer.get("X-Twilio-CallSid"))


def test_a_failing_webhook_without_fallback_is_answered_with_an_apology(phone, web, domains, rest):
    domain = domains(web.serve("/v", Reply("boom", 500)))
    call = phone.invite(domain.uri())
    assert call.wait_final().status == 200
    call.wait_request("BYE", timeout=20)
    assert g711.loud_seconds(call.rtp.audio()) > 1
    sid = web.wait("/v").params["CallSid"]
    stack.wait_for(lambda: rest.notifications(11200, sid), what="notification of the failure")


def test_a_domain_without_a_voice_url_answers_404(phone, domains):
    assert phone.invite(domains(None).uri()).wait_final().status == 404


def test_the_row_is_there_for_who_is_asked_for_the_first_document(phone, web, domains, rest):
    rows = []

    def look(request):
        rows.append(rest.call("GET", f"/Calls/{request.params['CallSid']}.json"))
        return doc("<Hangup/>")

    domain = domains(web.serve("/v", look))
    for _ in range(20):
        phone.invite(domain.uri()).wait_request("BYE")
    assert [r.status_code for r in rows] == [200] * 20
    assert {r.json()["status"] for r in rows} == {"ringing"}


def test_the_call_row_tells_the_story(phone, web, domains, rest, wav):
    web.serve("/a.wav", Reply(wav(600, 1.2), content_type="audio/wav"))
    domain = domains(web.serve("/v", doc("<Play>/a.wav</Play>")))
    call = phone.invite(domain.uri("77"))
    call.wait_final()
    sid = web.wait("/v").params["CallSid"]
    row = rest.call_in(sid, "in-progress")
    assert row["to"] == domain.uri("77") and row["direction"] == "inbound" and row["start_time"] and not row["end_time"]
    call.wait_request("BYE")
    done = rest.call_in(sid, "completed")
    assert done["duration"] in ("1", "2") and done["end_time"]
    assert sid in [c["sid"] for c in rest.get("/Calls.json")["calls"]]


def authenticated(challenge, good):
    """A reply that asks for credentials until they come."""
    def reply(request):
        if good(request.headers.get("Authorization") or ""):
            return Reply(doc('<Reject reason="busy"/>'))
        return Reply("", 401, "text/plain", headers=[("WWW-Authenticate", challenge)])
    return reply


def test_a_webhook_with_basic_credentials_sends_them_when_asked(phone, web, domains):
    expected = "Basic " + base64.b64encode(b"app:s3cret").decode()
    web.serve("/v", authenticated('Basic realm="app"', lambda got: got == expected))
    domain = domains(web.url.replace("http://", "http://app:s3cret@") + "/v")
    assert phone.invite(domain.uri()).wait_final().status == 486
    first, second = web.wait("/v", 1), web.wait("/v", 2)
    assert first.headers["Authorization"] is None and second.form["CallStatus"] == "ringing"


def test_a_webhook_with_digest_credentials_answers_the_challenge(phone, web, domains):
    def good(header):
        f = dict(re.findall(r'(\w+)="?([^",]*)"?', header))
        def h(*parts):
            return hashlib.md5(":".join(parts).encode()).hexdigest()
        return header.startswith("Digest ") and f["response"] == h(h("app", "r", "s3cret"), "n1", f["nc"], f["cnonce"], "auth", h("POST", f["uri"]))

    web.serve("/v", authenticated('Digest realm="r", nonce="n1", qop="auth", algorithm=MD5', good))
    domain = domains(web.url.replace("http://", "http://app:s3cret@") + "/v")
    assert phone.invite(domain.uri()).wait_final().status == 486
