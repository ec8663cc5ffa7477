"""Nothing that a customer or a caller writes becomes a header, a request or a parameter of its own (docs/hostile-internet.md)."""
import queue

import pytest

from kit import stack
from kit.callee import next_call
from kit.sip import token
from kit.sip_raw import Raw
from kit.twiml import doc

from test_sip_face import SDP
from test_sip_auth import invite, passes  # noqa: F401

CRLFS = {"CRLF": "\r\n", "LF": "\n", "CR": "\r", "escaped CRLF": "%0D%0A", "escaped LF": "%0a", "escaped CR": "%0d", "escaped twice": "%250D%250A",
         "NUL": "%00", "a UTF-8 line separator": "%E2%80%A8", "overlong LF": "%C0%8A", "a folded line": "%0D%0A%20"}
WORD = "Injected-Header"


@pytest.fixture
def bob(phones):
    return phones(user="bob")


def soundly(phone, timeout=1.5):
    """What reached the phone, if anything did, has no header that somebody injected; returns its INVITE."""
    try:
        call = next_call(phone, timeout)
    except queue.Empty:
        return None
    head = call.invite.text.split("\r\n\r\n")[0]
    assert not any(line.lower().startswith(WORD.lower()) for line in head.replace("\r", "\n").split("\n")), head
    assert "\n" not in head.replace("\r\n", "") and "\r" not in head.replace("\r\n", "") and "\0" not in head
    call.respond(486)
    return call.invite


def places(bob, c):
    """Form of POST /Calls by where the bytes are."""
    evil = f"a{c}{WORD}: 1"
    to = f"sip:bob@{bob.ip}:{bob.port}"
    return {
        "a header's value": {"To": f"{to}?X-A={evil}"},
        "a header's name": {"To": f"{to}?X-A{c}{WORD}=1"},
        "User-to-User": {"To": f"{to}?User-to-User={evil}"},
        "the user": {"To": f"sip:bob{c}{WORD}:1@{bob.ip}:{bob.port}"},
        "the host": {"To": f"{to}{c}{WORD}:1"},
        "a URI's parameter": {"To": f"{to};transport=udp;x={evil}"},
        "From": {"To": to, "From": evil},
        "CallerId": {"To": to, "CallerId": evil},
        "the user name": {"To": to, "SipAuthUsername": evil, "SipAuthPassword": "x"},
        "CallReason": {"To": to, "CallReason": evil},
    }


@pytest.mark.parametrize("kind", CRLFS)
def test_rest_injects_nothing(rest, bob, kind):
    for form in places(bob, CRLFS[kind]).values():
        answer = rest.call("POST", "/Calls.json", **{"From": "alice", "Twiml": "<Response/>", **form})
        assert answer.status_code in (201, 400), answer.text
        if answer.status_code == 201:
            soundly(bob, 0.3)


@pytest.mark.parametrize("kind", CRLFS)
def test_twiml_injects_nothing(phones, web, domains, bob, kind):
    c = CRLFS[kind].replace("\r", "&#13;").replace("\n", "&#10;")
    to = f"sip:bob@{bob.ip}:{bob.port}"
    evil = f"a{c}{WORD}: 1"
    nouns = [f"<Sip>{to}?X-A={evil}</Sip>", f"<Sip>{to}?X-A{c}{WORD}=1</Sip>", f"<Sip>{to}?User-to-User={evil}</Sip>", f"<Sip>sip:bob{c}{WORD}:1@{bob.ip}:{bob.port}</Sip>",
             f"<Sip username=\"{evil}\" password=\"{evil}\">{to}</Sip>", f"<Client>bob{c}{WORD}: 1</Client>", f"<Number>+1555{c}{WORD}: 1</Number>"]
    body = "".join(f"<Dial timeout='5'>{noun}</Dial>" for noun in nouns) + f"<Dial callerId=\"{evil}\" timeout='5'><Sip>{to}</Sip></Dial>"
    call = phones().invite(domains(web.serve("/v", doc(f"<Say>x</Say>{body}<Hangup/>"))).uri())
    call.wait_final()
    while not any(m.method == "BYE" for m in call.requests):
        soundly(bob, 0.3)


@pytest.mark.parametrize("reason", ["busy\r\nInjected-Header: 1", "rejected&#13;&#10;Injected-Header: 1"])
def test_a_rejects_reason_injects_nothing(phones, web, domains, reason):
    call = phones().invite(domains(web.serve("/v", f'<Response><Reject reason="{reason}"/></Response>')).uri())
    assert WORD not in call.wait_final().text


INBOUND = {
    "a NUL": b"X-A: a\0b", "a bare LF": b"X-A: a\nInjected: b", "a bare CR": b"X-A: a\rInjected: b", "a form's separators": b"X-A: v&CallSid=CA1&AccountSid=AC1",
    "percent": b"X-A: %0d%0aInjected%3a b", "JSON": b'X-A: "}],"method":"sip.ack","params":{"', "XML": b"X-A: </Response><Hangup/>", "no UTF-8": b"X-A: \xff\xfe\xc0\x80",
    "a name of ours": b"X-Twilio-CallSid: CA00000000000000000000000000000000", "a name with a separator": b"X-A&CallSid: v", "an equals sign": b"X-A=b: v",
    "folded": b"X-A: a\r\n CallSid: CA1", "a quoted name": b'Subject: "x"\r\nX-A: v', "template": b"X-A: ${jndi:ldap://x/a} {{7*7}} $(id) `id`", "SQL": b"X-A: ');DROP TABLE calls;--",
}


@pytest.mark.parametrize("name", INBOUND)
def test_what_a_caller_writes_is_a_value_and_nothing_else_at_the_webhook(domains, web, fresh_ip, name):
    domain = domains(web.serve("/v", doc("<Reject/>")), allow=(f"{fresh_ip}/32",))
    with Raw(fresh_ip) as sip:
        text = sip.request("INVITE", domain.uri(), ["@@"], body=SDP, Content_Type="application/sdp").encode().replace(b"@@", INBOUND[name])
        sip.send(text)
        # What is no header at all is dropped or refused before anybody looks at it.
        m = sip.final(2)
        assert m is None and name in ("a name with a separator", "an equals sign") or 400 <= m.status < 500
    for r in web.seen("/v"):
        p = r.params
        assert p["CallSid"].startswith("CA") and len(p["CallSid"]) == 34 and p["CallSid"] != "CA" + "0" * 32
        assert p["AccountSid"] != "AC1" and "Injected" not in p
        body = r.body.decode("ascii")
        assert body.count("CallSid=CA") == 1 + body.count("SipHeader_X-Twilio-CallSid=CA") and "\n" not in body
        assert all(name.isascii() and "\r" not in name for name in r.headers.keys())


@pytest.mark.parametrize("display", ['"Bob\\"\r\n Injected: x" ', '"%0d%0aInjected: x" ', '"</From><x>" ', '"' + "\u202e" * 20 + '" '])
def test_a_callers_display_name_injects_nothing_into_a_dialled_call(phones, web, domains, bob, fresh_ip, display):
    domain = domains(web.serve("/v", doc(f"<Dial><Sip>sip:bob@{bob.ip}:{bob.port}</Sip></Dial>")), allow=(f"{fresh_ip}/32",))
    with Raw(fresh_ip) as sip:
        sip.send(sip.request("INVITE", domain.uri(), body=SDP, Content_Type="application/sdp", From=f"{display}<sip:al%0d%0aice@{fresh_ip}>;tag={token()}"))
        seen = soundly(bob, 3)
        final = sip.final(5)
        assert seen or final.status >= 400
        assert seen is None or "Injected" not in seen.text


@pytest.mark.parametrize("location", ["/next\r\nSet-Cookie: a=b", "/next%0d%0aInjected: x"])
def test_a_webhooks_redirect_injects_nothing_into_the_next_request(phones, web, domains, location):
    from kit.webapp import Reply
    web.serve("/v", Reply(raw=f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()))
    web.serve("/next", doc("<Reject/>"))
    phones().invite(domains(web.url + "/v").uri()).wait_final()
    assert not any("Injected" in r.headers or "Set-Cookie" in r.headers for r in web.requests)


def test_the_stack_is_well_after_all_of_it():
    assert all(stack.healthy(s) for s in ("control", "kamailio", "rtpengine"))
