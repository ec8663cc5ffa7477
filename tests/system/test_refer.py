"""<Refer>: the platform transfers a caller by REFER (sip-and-rest.md §4.1, test vector T80)."""
import pytest

from kit import stack
from kit.twiml import doc

CAROL = "<Sip>sip:carol@carol.example.com?X-Reason=busy&amp;User-to-User=12%3Bencoding%3Dhex</Sip>"


@pytest.fixture
def refer(phone, web, domains):
    """refer(body): a call whose document is body, answered, and the REFER that came in it."""
    def run(body):
        call = phone.invite(domains(web.serve("/v", doc(body))).uri())
        assert call.wait_final().status == 200
        run.sid = web.wait("/v").params["CallSid"]
        return call, call.wait_request("REFER")
    return run


def notify(call, fragment, state="active;expires=60", event="refer"):
    """The code that a NOTIFY of the phone's gets."""
    n = call.in_dialog("NOTIFY", headers=[f"Event: {event}", f"Subscription-State: {state}"], body=fragment, content_type="message/sipfrag;version=2.0")
    return call.wait_response(range(200, 700), "NOTIFY", cseq=n).status


def progress(call, *codes):
    for code in codes:
        last = code >= 200
        assert notify(call, f"SIP/2.0 {code} Whatever\r\n", "terminated;reason=noresource" if last else "active;expires=60") == 200


def told(web, path="/rf"):
    p = web.wait(path).params
    return [p.get(k) for k in ("ReferCallStatus", "ReferSipResponseCode", "NotifySipResponseCode")]


def test_T80_the_action_hears_that_the_target_answered(refer, web, phone):
    web.serve("/rf", doc("<Hangup/>"))
    call, request = refer(f'<Refer action="/rf">{CAROL}</Refer>')
    assert request.get("Refer-To") == "<sip:carol@carol.example.com?X-Reason=busy&User-to-User=12%3Bencoding%3Dhex>"
    assert request.tag("To") == call.from_tag and request.get("Call-ID") == call.call_id
    assert not web.seen("/rf")
    phone.reply(request, 202, "Accepted", [f"Contact: {phone.contact}"])
    progress(call, 100, 180, 200)
    assert told(web) == ["in-progress", "202", "200"]
    p = web.wait("/rf").params
    assert p["CallStatus"] == "in-progress" and p["CallSid"] == refer.sid
    call.wait_request("BYE")


@pytest.mark.parametrize("code, status", [(486, "busy"), (404, "failed")])
def test_a_target_that_refuses_leaves_the_call_with_its_document(refer, web, phone, code, status):
    web.serve("/rf", doc('<Pause length="1"/><Redirect>/next</Redirect>'))
    web.serve("/next", doc("<Hangup/>"))
    call, request = refer(f'<Refer action="/rf">{CAROL}</Refer>')
    phone.reply(request, 202, "Accepted", [f"Contact: {phone.contact}"])
    progress(call, 100, code)
    assert told(web) == [status, "202", str(code)]
    assert web.wait("/next").params["CallSid"] == refer.sid
    call.wait_request("BYE")


def test_a_phone_that_refuses_the_refer_has_failed(refer, web, phone):
    web.serve("/rf", doc("<Hangup/>"))
    call, request = refer(f'<Refer action="/rf">{CAROL}</Refer>')
    phone.reply(request, 405, "Method Not Allowed", ["Allow: INVITE, ACK, BYE, CANCEL"])
    assert told(web) == ["failed", "405", None]
    assert notify(call, "SIP/2.0 200 OK\r\n") == 481
    call.wait_request("BYE")


def test_a_caller_that_hangs_up_meanwhile_has_canceled_it(refer, web, phone, rest):
    web.serve("/rf", doc("<Say>Never heard</Say>"))
    call, request = refer(f'<Refer action="/rf">{CAROL}</Refer>')
    phone.reply(request, 202, "Accepted", [f"Contact: {phone.contact}"])
    progress(call, 100, 180)
    assert call.bye().status == 200
    assert told(web) == ["canceled", "202", "180"]
    rest.call_in(refer.sid, "completed")


def test_a_phone_that_hangs_up_once_it_told_all_is_gone_but_the_action_is_asked(refer, web, phone, rest):
    web.serve("/rf", doc("<Say>Never heard</Say>"))
    call, request = refer(f'<Refer action="/rf">{CAROL}</Refer>')
    phone.reply(request, 202, "Accepted", [f"Contact: {phone.contact}"])
    progress(call, 100, 200)
    assert call.bye().status == 200
    assert told(web) == ["in-progress", "202", "200"]
    rest.call_in(refer.sid, "completed")


def test_without_an_action_the_document_goes_on_and_its_end_hangs_up(refer, web, phone):
    call, request = refer(f"<Refer>{CAROL}</Refer><Refer>{CAROL}</Refer>")
    phone.reply(request, 603, "Decline")
    second = call.wait_request("REFER", 2)
    phone.reply(second, 202, "Accepted", [f"Contact: {phone.contact}"])
    assert notify(call, "SIP/2.0 200 OK\r\n", event="message-summary") == 489
    cseq = second.get("CSeq").split()[0]
    assert notify(call, "SIP/2.0 200 OK\r\n", "terminated;reason=noresource", f"refer;id={cseq}") == 200
    call.wait_request("BYE")


def test_a_bad_target_is_told(phone, web, domains, rest):
    web.serve("/rf", doc("<Hangup/>"))
    call = phone.invite(domains(web.serve("/v", doc('<Refer action="/rf"><Sip>sip:carol@bad host</Sip></Refer>'))).uri())
    assert told(web) == ["failed", None, None]
    sid = web.wait("/v").params["CallSid"]
    stack.wait_for(lambda: rest.notifications(13243, sid), what="notification 13243")
    call.wait_request("BYE")
