"""The SIP face beyond authentication: methods, limits, transports, floods, and a hookswitchd that is away."""
import pytest

from kit import stack
from kit.rest import BASE_DOMAIN
from kit.sip import token
from kit.sip_raw import Raw
from kit.webapp import Reply

from test_sip_auth import invite, passes

ALLOW = {"INVITE", "ACK", "CANCEL", "OPTIONS", "BYE"}
SDP = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
       "a=rtpmap:0 PCMU/8000\r\n")
US = f"sip:nobody@x.{BASE_DOMAIN}"


def allowed(response):
    return {m.strip() for m in response.get("Allow").split(",")}


@pytest.fixture
def sip(fresh_ip):
    with Raw(fresh_ip) as raw:
        yield raw


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_options_is_answered(fresh_ip, transport):
    with Raw(fresh_ip, transport) as sip:
        m = sip.ask("OPTIONS", f"sip:{BASE_DOMAIN}")
    assert m.status == 200 and ALLOW <= allowed(m) and m.get("Accept") == "application/sdp"
    assert m.get("Server") == "Hookswitch" and m.tag("To")


@pytest.mark.parametrize("method", ["MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER", "NOTIFY", "NEWMETHOD"])
def test_a_method_that_begins_nothing_here_is_not_allowed(sip, method):
    m = sip.ask(method, US)
    assert m.status == 405 and ALLOW <= allowed(m)


@pytest.mark.parametrize("method", ["BYE", "INFO", "UPDATE", "PRACK", "CANCEL"])
def test_a_request_of_no_dialog_or_transaction_is_told_so(sip, method):
    assert sip.ask(method, US).status == 481


@pytest.mark.parametrize("tag", ["foreign", "hs-0000000000000000"])
def test_a_request_in_a_dialog_that_does_not_exist_is_told_so(sip, tag):
    assert sip.ask("BYE", US, to=f"<{US}>;tag={tag}").status == 481


@pytest.mark.parametrize("to", [f"<{US}>", f"<{US}>;tag=foreign", f"<{US}>;tag=hs-0"])
def test_an_ack_of_nothing_is_dropped(sip, to):
    sip.send(sip.request("ACK", US, to=to))
    assert sip.ask("OPTIONS", US).cseq_method == "OPTIONS"


def test_max_forwards_zero_is_too_many_hops_except_for_options(sip):
    assert sip.ask("INVITE", US, Max_Forwards="0").status == 483
    assert sip.ask("OPTIONS", US, Max_Forwards="0").status == 200


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_message_over_the_limit_is_told_so(fresh_ip, transport):
    with Raw(fresh_ip, transport) as sip:
        assert sip.ask("INVITE", US, [f"X-Big: {'a' * 40000}"]).status == 513
        # The connection, and the listener, still serve.
        assert sip.ask("OPTIONS", US).status == 200


def test_a_message_far_over_the_limit_ends_its_connection(fresh_ip):
    with Raw(fresh_ip, "tcp") as sip:
        try:
            sip.send(sip.request("INVITE", US, [f"X-Big: {'a' * 200000}"]))
        except ConnectionError:
            pass
        assert sip.closed(5)
    with Raw(fresh_ip, "tcp") as sip:
        assert sip.ask("OPTIONS", US).status == 200


@pytest.mark.slow
def test_a_message_that_never_ends_ends_its_connection(fresh_ip):
    with Raw(fresh_ip, "tcp") as sip:
        sip.send("INVITE sip:100@example.com SIP/2.0\r\nVia: SIP/2.0/TCP")
        assert sip.closed(30)


def test_tcp_takes_messages_in_pieces_and_together_and_answers_a_ping(fresh_ip):
    with Raw(fresh_ip, "tcp") as sip:
        text = sip.request("OPTIONS", US)
        for at in range(0, len(text), 37):
            sip.send(text[at:at + 37])
        assert sip.final().status == 200
        sip.send(sip.request("OPTIONS", US, call_id="one") + sip.request("OPTIONS", US, call_id="two"))
        assert {sip.final().get("Call-ID"), sip.final().get("Call-ID")} == {"one", "two"}
        sip.send("\r\n\r\n")
        sip.sock.settimeout(2)
        assert sip.sock.recv(16) == b"\r\n"


def test_a_reply_to_nothing_goes_nowhere(sip):
    with Raw("127.0.201.3") as victim:
        sip.send("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKone\r\n"
                 f"Via: SIP/2.0/UDP 127.0.201.3:{victim.port};branch=z9hG4bKtwo\r\nFrom: <sip:a@b>;tag=hs-1\r\nTo: <sip:a@b>;tag=2\r\n"
                 "Call-ID: nobodys\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n")
        assert victim.recv(1) is None


def test_a_repeated_invite_is_one_call_and_gets_the_same_answer(domains, web, sip):
    domain = domains(web.serve("/voice", Reply("<Response><Reject/></Response>", delay=0.5)), allow=(f"{sip.ip}/32",))
    text = sip.request("INVITE", domain.uri(), body=SDP, Content_Type="application/sdp")
    for _ in range(3):
        sip.send(text)
    seen = set()

    def finals():
        m = sip.recv(0.5)
        if m and m.status >= 200:
            seen.add((m.status, m.tag("To")))
        return seen
    [(status, tag)] = stack.wait_for(finals, 10, "a final response")
    head = text.partition("Contact:")[0].replace("INVITE", "ACK").replace(f"To: <{domain.uri()}>", f"To: <{domain.uri()}>;tag={tag}")
    sip.send(head + "Content-Length: 0\r\n\r\n")
    assert status == 404 and len(web.requests) == 1


def test_a_source_that_is_refused_again_and_again_is_not_answered_and_nobody_else_suffers(domains, fresh_ip):
    domain = domains(allow=("127.0.201.4/32",))
    with Raw(fresh_ip) as scanner, Raw("127.0.201.4") as caller:
        unanswered = 0
        for _ in range(3000):
            scanner.send(scanner.request("INVITE", f"sip:100@{token(6)}.{BASE_DOMAIN}"))
            unanswered = 0 if scanner.recv(0.05) else unanswered + 1
            if unanswered == 20:
                break
        assert unanswered == 20
        assert passes(invite(caller, domain.uri()))
        # It is heard again when it has been quiet.
        stack.wait_for(lambda: scanner.ask("OPTIONS", US, timeout=0.5), 20, "an answer for the scanner")


def test_a_caller_is_never_counted_as_a_flood(domains, sip):
    domain = domains(allow=(f"{sip.ip}/32",))
    assert passes(invite(sip, domain.uri()))
    for _ in range(1000):
        assert sip.ask("OPTIONS", US).status == 200
    assert passes(invite(sip, domain.uri()))


def test_kamcmd_works_in_the_container():
    assert "kamailio" in stack.kamcmd("core.version")
    assert "decisions" in stack.kamcmd("htable.listTables")


@pytest.mark.slow
def test_without_hookswitchd_callers_are_told_at_once_and_those_who_wait_too(domains, web, fresh_ip):
    domain = domains(web.serve("/voice", Reply("<Response/>", delay=8)), allow=(f"{fresh_ip}/32",))
    with Raw(fresh_ip) as waiting, Raw(fresh_ip) as sip:
        waiting.send(waiting.request("INVITE", domain.uri(), body=SDP, Content_Type="application/sdp"))
        assert waiting.recv().status == 100
        control = stack.container("control")
        stack.run("docker", "kill", "--signal", "KILL", control)
        try:
            final = waiting.final(10)
            assert final.status == 503 and int(final.get("Retry-After")) > 0
            refused = sip.ask("INVITE", domain.uri(), timeout=1)
            assert refused.status == 503 and int(refused.get("Retry-After")) > 0
            in_dialog = sip.ask("BYE", domain.uri(), to=f"<{domain.uri()}>;tag=hs-0", timeout=1)
            assert in_dialog.status == 503
            assert sip.ask("OPTIONS", US).status == 200
        finally:
            stack.run("docker", "start", control)
            stack.wait_for(lambda: stack.healthy("control"), 60, "a healthy control")
        stack.wait_for(lambda: passes(invite(sip, domain.uri())), 10, "a call that passes")


@pytest.mark.slow
def test_without_the_database_callers_are_told_to_come_back_and_nothing_wrong_is_remembered(domains, sip):
    known = domains(allow=(f"{sip.ip}/32",))
    postgres = stack.container("postgres")
    uri = f"sip:100@{token()}.{BASE_DOMAIN}"
    stack.run("docker", "stop", postgres)
    try:
        refused = sip.ask("INVITE", uri)
        assert refused.status == 503 and int(refused.get("Retry-After")) > 0
    finally:
        stack.run("docker", "start", postgres)
        stack.wait_for(lambda: stack.healthy("postgres"), 60, "a healthy database")
    stack.wait_for(lambda: sip.ask("INVITE", uri).status == 404, 30, "a decision")
    stack.wait_for(lambda: sip.ask("INVITE", known.uri()).status != 503, 30, "a hookswitchd that has its database")


def test_no_transaction_is_left_behind():
    stack.wait_for(lambda: stack.kamailio_transactions() == 0, 60, "an idle transaction table")
