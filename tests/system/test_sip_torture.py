"""Messages in the manner of RFC 4475: each has the answers that the RFCs allow, or silence; after all of them SIP works as before."""
import pytest

from kit import stack
from kit.rest import BASE_DOMAIN
from kit.sip import token
from kit.sip_raw import Raw

from test_sip_auth import invite, passes

US = f"sip:nobody@x.{BASE_DOMAIN}"
SILENCE = None
# Requests to a domain that does not exist end with 404 when they are understood, so 404 means "valid".
VALID = {404}
BAD = {400, SILENCE}


def text(sip, method="INVITE", uri=US, *headers, body="", **replace):
    return sip.request(method, uri, headers, body, **replace)


def swap(old, new):
    return lambda sip: text(sip).replace(old, new, 1)


def with_headers(*headers, **replace):
    return lambda sip: text(sip, "INVITE", US, *headers, **replace)


def to_uri(uri):
    return lambda sip: text(sip, "INVITE", uri)


def tortuous(sip):
    """RFC 4475 §3.1.1.1: folded, compact, odd case and white space, unknown headers and parameters: all of it valid."""
    return (f"INVITE sip:vivekg@x.{BASE_DOMAIN};unknownparam SIP/2.0\r\n"
            f"TO :\r\n sip:vivekg@x.{BASE_DOMAIN} ;   unknown    =\r\n\tvalue\r\n"
            'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n'
            "MaX-fOrWaRdS: 0068\r\n"
            f"Call-ID: wsinv.{token()}@192.0.2.1\r\n"
            "Content-Length   : 150\r\ncseq: 0009  INVITE\r\n"
            f"Via  : SIP  /   2.0\r\n /UDP\r\n    {sip.ip}:{sip.port};rport;branch=z9hG4bK{token(16)}\r\n"
            "s :\r\nNewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
            "UnknownHeaderWithUnusualValue: ;;,,;;,;\r\nContent-Type: application/sdp\r\n"
            "Route:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
            'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =\r\n  newvalue ;\r\n  secondparam ; q = 0.33\r\n\r\n'
            + "v=0\r\n".ljust(148, "x") + "\r\n")


def compact(sip):
    return (f"INVITE {US} SIP/2.0\r\nv: SIP/2.0/UDP {sip.ip}:{sip.port};rport;branch=z9hG4bK{token(16)}\r\nf: <sip:a@b>;tag=1\r\n"
            f"t: <{US}>\r\ni: {token(16)}\r\nCSeq: 1 INVITE\r\nm: <sip:a@{sip.ip}>\r\nl: 0\r\n\r\n")


def long_values(sip):
    """RFC 4475 §3.1.1.7: long values everywhere."""
    return text(sip, "INVITE", US, f"X-Unknown-{'a' * 200}: {'b' * 3000}", From=f'"{"I have a user name of extreme length" * 20}" <sip:{"a" * 200}@b>;tag={"1" * 200}',
                Call_ID=f"{'long' * 100}@{token()}")


def multipart(sip):
    """RFC 4475 §3.1.1.11: a description beside something else, in parts."""
    body = ("--7a9cbec02ceef655\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n\r\nHello\r\n--7a9cbec02ceef655\r\n"
            "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n\x01\x00\x02\r\n--7a9cbec02ceef655--\r\n")
    return text(sip, body=body, Content_Type="multipart/mixed;boundary=7a9cbec02ceef655")


def of_rfc_2543(sip):
    """RFC 4475 §3.4.1: no branch, no tag, no Max-Forwards, a From without <>."""
    return (f"INVITE {US} SIP/2.0\r\nVia: SIP/2.0/UDP {sip.ip}:{sip.port}\r\nFrom: sip:iuser@example.com\r\nTo: {US}\r\n"
            f"Call-ID: inv2543.{token()}\r\nCSeq: 56 INVITE\r\nContact: <sip:iuser@{sip.ip}>\r\nContent-Length: 0\r\n\r\n")


def response(status_line, via=None):
    """A response instead of a request."""
    return lambda sip: text(sip, "INVITE", US, **({"Via": via} if via else {})).replace(f"INVITE {US} SIP/2.0", status_line, 1)


CASES = {
    # valid
    "percent signs that escape nothing": (lambda s: text(s, "RE%47IST%45R", f"sip:reg%%2f@x.{BASE_DOMAIN}", To=f'"%Z%45" <sip:resource@x.{BASE_DOMAIN}>'), {405, 501} | BAD),
    "no white space between display name and address": (with_headers(From="caller<sip:caller@example.com>;tag=323"), VALID),
    "Vias of many transports": (lambda s: text(s).replace("Max-Forwards", "".join(
        f"Via: SIP/2.0/{t} t{n}.example.com;branch=z9hG4bK{n}\r\n" for n, t in enumerate(["SCTP", "TLS", "UNKNOWN", "TCP"])) + "Max-Forwards", 1), VALID),
    "a body of several parts": (multipart, VALID),
    "a request of RFC 2543": (of_rfc_2543, VALID | {400}),
    "a body of a type that nobody knows": (lambda s: text(s, body="<audio>\r\n</audio>\r\n", Content_Type="application/unknownformat"), VALID | {415}),
    "an Accept without what we have": (with_headers("Accept: text/nobodyKnowsThis"), VALID | {406}),
    "unknown schemes in To, From and Contact": (with_headers(To="isbn:2983792873", From="<http://www.example.com>;tag=3234233", Contact="<name:John_Smith>"), VALID | BAD),
    "a branch of nothing but the cookie": (lambda s: text(s, Via=f"SIP/2.0/UDP {s.ip}:{s.port};rport;branch=z9hG4bK"), VALID | {400}),
    # responses
    "a reason phrase in several languages": (response("SIP/2.0 200 = 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e \u0434\u0435\u0432\u044f\u043d\u043e\u0441\u0442\u043e"), {SILENCE}),
    "an empty reason phrase": (response("SIP/2.0 100 "), {SILENCE}),
    "overlarge values in a response": (lambda s: response("SIP/2.0 503 Service Unavailable")(s).replace("CSeq: 1", "CSeq: 9292394834772304023312").replace(
        "Content-Length", "Retry-After: 949302838503028349304023988\r\nWarning: 1812 overture \"In Progress\"\r\nContent-Length", 1), {SILENCE}),
    "a response whose Via is a broadcast": (response("SIP/2.0 200 OK", "SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1324923"), {SILENCE}),
    "a short tortuous INVITE": (tortuous, VALID),
    "compact header names": (compact, VALID),
    "header names in any case": (lambda s: text(s).replace("From:", "fRoM:").replace("Call-ID:", "CALL-id:"), VALID),
    "folded lines": (lambda s: text(s, "INVITE", US, "Subject: one\r\n two\r\n\tthree"), VALID),
    "wide range of characters": (with_headers("X-Odd: \x01~`!@#$%^&*()_+-={}|[]:<>?/.,'"), VALID | BAD),
    "bytes that are no UTF-8": (lambda s: text(s, "INVITE", US, "Subject: @@").encode().replace(b"@@", b"\xff\xfe\xc0\x80"), VALID),
    "escaped characters in the user": (to_uri(f"sip:sips%3Auser%40example.com@x.{BASE_DOMAIN}"), VALID),
    "escaped NULs in a URI": (to_uri(f"sip:null-%00-null@x.{BASE_DOMAIN}"), VALID),
    "long values": (long_values, VALID),
    "bytes behind Content-Length in a datagram": (lambda s: text(s) + "INVITE sip:x@y SIP/2.0\r\n\r\n", VALID | {400}),
    "semicolons in the user part": (to_uri(f"sip:user;par=u%40example.net@x.{BASE_DOMAIN}"), VALID),
    "a method that looks odd but is a token": (lambda s: text(s, "!interesting-Method0123456789_*+`.%indeed'~"), {405, 501}),
    "no Max-Forwards": (lambda s: s.request("INVITE", US, drop=("Max-Forwards",)), VALID),
    "no Contact": (lambda s: s.request("INVITE", US, drop=("Contact",)), VALID | {400}),
    "a Route to somewhere else": (with_headers("Route: <sip:203.0.113.9;lr>"), VALID),
    # Kamailio reads no folded CSeq: dropped, docs/kamailio.md.
    "a folded CSeq": (with_headers(CSeq="0009\r\n  INVITE"), VALID | {SILENCE}),
    "many Vias": (lambda s: text(s).replace("Max-Forwards", "".join(f"Via: SIP/2.0/UDP h{i}.invalid;branch=z9hG4bK{i}\r\n" for i in range(50)) + "Max-Forwards"), VALID),
    "a Require that we do not know": (with_headers("Require: nothingSupportsThis"), VALID | {420}),
    "multiple values where one belongs": (with_headers("Call-ID: another", "CSeq: 2 INVITE", "Max-Forwards: 5", "To: <sip:x@y>"), VALID | BAD),
    # invalid
    "overlarge values in a request": (lambda s: text(s, "REGISTER", f"sip:x.{BASE_DOMAIN}", "Expires: 10000000000000000000000000000000",
                                                     CSeq="36893488147419103232 REGISTER", Max_Forwards="300", Contact="<sip:u@host>;expires=280297596632815"), BAD | VALID | {483}),
    "escaped headers in the Request-URI": (to_uri(f"{US}?Route=%3Csip:example.com%3E"), BAD | VALID),
    "a Date of a time zone that there is not": (with_headers("Date: Fri, 01 Jan 2010 16:00:00 EST"), VALID | BAD),
    "a Contact whose URI has parameters and no brackets": (lambda s: text(s, "REGISTER", f"sip:x.{BASE_DOMAIN}", Contact="sip:user@example.com?Route=%3Csip:sip.example.com%3E"), BAD | VALID),
    "spaces within an address": (with_headers(To=f'"Watson, Thomas" < sip:t.watson@x.{BASE_DOMAIN} >'), BAD | VALID),
    "a display name that is no token and has no quotes": (with_headers(From="Bell, Alexander <sip:a.g.bell@example.com>;tag=433423"), BAD | VALID),
    "an unknown method with the CSeq of another": (lambda s: text(s, "NEWMETHOD", US, CSeq="8 INVITE"), BAD | {405, 501}),
    "two Content-Lengths": (lambda s: text(s, "INVITE", US, "Content-Length: 5", body="There's no way to know how many octets are supposed to be here.\r\n",
                                           Content_Type="text/plain", Content_Length="13"), BAD | VALID),
    "a parameter of the Contact inside and outside": (lambda s: text(s, "REGISTER", f"sip:x.{BASE_DOMAIN}", Contact="<sip:+19725552222@gw1.example.net;unknownparam>;unknownparam=2"), VALID),
    "an escaped header in the Contact": (lambda s: text(s, "REGISTER", f"sip:x.{BASE_DOMAIN}", Contact="<sip:user@example.com?Route=%3Csip:sip.example.com%3E>"), VALID),
    "an unknown scheme in the Authorization of a REGISTER": (lambda s: text(s, "REGISTER", f"sip:x.{BASE_DOMAIN}", "Authorization: NoOneKnowsThisScheme opaque-data=here"), VALID),
    "Require and Proxy-Require that we do not know": (with_headers("Require: nothingSupportsThis, nothingSupportsThisEither", "Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis"), VALID | {420}),
    "extraneous separators": (with_headers(Via="SIP/2.0/UDP 127.0.0.1:5555;;,;,,"), BAD),
    "Content-Length larger than the message": (with_headers(Content_Length="9999"), BAD),
    "negative Content-Length": (with_headers(Content_Length="-999"), BAD),
    "Content-Length that is no number": (with_headers(Content_Length="many"), BAD),
    "Content-Length that overflows": (with_headers(Content_Length="99999999999999999999"), BAD),
    "overlarge CSeq": (with_headers(CSeq="36893488147419103232 INVITE"), BAD),
    "CSeq of another method": (with_headers(CSeq="1 BYE"), BAD),
    "CSeq without a number": (with_headers(CSeq="INVITE"), BAD),
    "Max-Forwards that is no number": (with_headers(Max_Forwards="many"), BAD | {483}),
    "Max-Forwards over 255": (with_headers(Max_Forwards="300"), VALID | BAD | {483}),
    "an unterminated quoted string": (with_headers(To=f'"Mr. J. User <{US}>'), BAD),
    "a Request-URI in angle brackets": (to_uri(f"<{US}>"), BAD | {416}),
    "spaces in the Request-URI": (to_uri(f"sip:user@x.{BASE_DOMAIN}; lr"), BAD),
    "many spaces in the request line": (swap(" SIP/2.0", "  SIP/2.0"), BAD | VALID),
    "spaces behind the request line": (swap(" SIP/2.0\r\n", " SIP/2.0  \r\n"), BAD | VALID),
    "an unknown SIP version": (swap(" SIP/2.0\r\n", " SIP/7.0\r\n"), {505, 400, SILENCE}),
    "an unknown URI scheme": (to_uri("nobodyKnowsThisScheme:totallyopaquecontent"), {416, 400, SILENCE}),
    "another known scheme": (to_uri("http://example.com/"), {416, 400, SILENCE}),
    "a tel URI": (to_uri("tel:+14155550100"), {416, 404}),
    "no From": (lambda s: s.request("INVITE", US, drop=("From",)), BAD),
    "no To": (lambda s: s.request("INVITE", US, drop=("To",)), BAD),
    "no Call-ID": (lambda s: s.request("INVITE", US, drop=("Call-ID",)), BAD),
    "no CSeq": (lambda s: s.request("INVITE", US, drop=("CSeq",)), BAD),
    "no Via": (lambda s: s.request("INVITE", US, drop=("Via",)), BAD),
    "no header at all": (lambda s: f"INVITE {US} SIP/2.0\r\n\r\n", BAD),
    "no colon": (with_headers("ThisIsNoHeader"), BAD | VALID),
    "a header without a name": (with_headers(": value"), BAD | VALID),
    "an empty Request-URI": (lambda s: text(s).replace(f"INVITE {US} ", "INVITE  ", 1), BAD),
    "a user without a host": (to_uri("sip:user@"), BAD | VALID),
    "a port that is none": (to_uri(f"sip:user@x.{BASE_DOMAIN}:99999999"), BAD | VALID),
    "a From without a URI": (with_headers(From="<>;tag=1"), BAD),
    "two From tags": (with_headers(From="<sip:a@b>;tag=1;tag=2"), BAD | VALID),
    "a Via of another protocol": (with_headers(Via="HTTP/1.1 127.0.0.1;branch=z9hG4bKx"), BAD | VALID),
    "a Via with a port that is none": (with_headers(Via="SIP/2.0/UDP 127.0.0.1:999999;branch=z9hG4bKx"), BAD),
    "an unending Via": (with_headers(Via="SIP/2.0/UDP " + "a" * 5000), BAD | VALID),
    "an Expires that is no number": (with_headers("Expires: soon"), BAD | VALID),
    "NULs between": (lambda s: text(s).encode().replace(b"\r\nTo", b"\r\n\x00To", 1), BAD | VALID),
    "bare line feeds": (lambda s: text(s).replace("\r\n", "\n"), BAD | VALID),
    "bare carriage returns": (lambda s: text(s).replace("\r\n", "\r"), BAD),
    "nothing but a ping": (lambda s: "\r\n\r\n", {SILENCE}),
    "one zero byte": (lambda s: b"\0", {SILENCE}),
    "random bytes": (lambda s: bytes((i * 7919 + 13) % 256 for i in range(1200)), {SILENCE}),
    "a STUN request": (lambda s: b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"s" * 12, {SILENCE}),
    "HTTP": (lambda s: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", {SILENCE, 400}),
    "a response that begins nothing": (lambda s: "SIP/2.0 200 OK\r\n\r\n", {SILENCE}),
    "a response of an impossible status": (lambda s: text(s).replace(f"INVITE {US} SIP/2.0", "SIP/2.0 4294967301 better not break the receiver"), {SILENCE}),
    "format and shell characters": (with_headers("X-Evil: %s%n%x $(reboot) `id` ${ENV}", From='"%s%n" <sip:%25s@b>;tag=%n'), VALID | BAD),
    "pseudo-variables of the configuration": (with_headers("X-Evil: $si $var(account) $sht(control=>clients)", From="<sip:$si@b>;tag=$var(x)"), VALID | BAD),
    "JSON characters": (with_headers('X-Evil: "}],{"method":"sip.ack"', Call_ID='x"}]\\'), VALID | BAD),
    "digest without parameters": (with_headers("Proxy-Authorization: Digest"), VALID | BAD),
    "digest that never ends": (with_headers('Proxy-Authorization: Digest username="' + "a" * 2000), VALID | BAD),
    "an unknown authorization scheme": (with_headers("Proxy-Authorization: NoOneKnowsThisScheme opaque-data=here"), VALID | BAD),
}


@pytest.fixture
def sip(fresh_ip):
    with Raw(fresh_ip) as raw:
        yield raw


@pytest.mark.parametrize("name", CASES)
def test_torture(sip, name):
    build, allowed = CASES[name]
    sip.send(build(sip))
    m = sip.final(0.4 if SILENCE in allowed else 2)
    assert (m and m.status) in allowed, m
    # Whatever came: the same worker and the others serve on.
    for _ in range(4):
        assert sip.ask("OPTIONS", US, timeout=2).status == 200


@pytest.mark.parametrize("name", [n for n, (_, allowed) in CASES.items() if allowed & VALID and not n.startswith("bytes behind")])
def test_torture_over_tcp(fresh_ip, name):
    build, allowed = CASES[name]
    with Raw(fresh_ip, "tcp") as sip:
        message = build(sip)
        as_tcp = (lambda m: m.replace(b"/UDP", b"/TCP") if isinstance(m, bytes) else m.replace("/UDP", "/TCP"))
        sip.send(as_tcp(message))
        m = sip.final(0.4 if SILENCE in allowed else 2)
        assert (m and m.status) in allowed, m
    with Raw(fresh_ip, "tcp") as sip:
        assert sip.ask("OPTIONS", US).status == 200


DIALOG_CASES = ["bytes that are no UTF-8", "long values", "many Vias", "JSON characters", "format and shell characters", "folded lines",
                "pseudo-variables of the configuration"]


@pytest.mark.parametrize("name", DIALOG_CASES)
def test_torture_that_passes_the_checks_is_answered_by_hookswitchd(domains, sip, name):
    domain = domains(allow=(f"{sip.ip}/32",))
    message = CASES[name][0](sip)
    data = message if isinstance(message, bytes) else message.encode()
    sip.send(data.replace(US.encode(), domain.uri().encode()))
    m = sip.final(5)
    assert m and 400 <= m.status < 500
    assert passes(invite(sip, domain.uri()))


def test_nothing_of_it_is_left_behind():
    stack.wait_for(lambda: stack.kamailio_transactions() == 0, 60, "an idle transaction table")
