"""No URL of a customer leads to an address that is not public, unless WEBHOOK_ALLOWED_NETWORKS has it: here 127.0.0.0/16."""
import socket

import pytest

from kit import stack
from kit.callee import next_call
from kit.twiml import doc
from kit.webapp import Reply


@pytest.fixture
def trap():
    """A listener on 127.99.0.1 that nobody may connect to; trap.url leads there."""
    class Trap:
        def __init__(self):
            self.socket = socket.create_server(("127.99.0.1", 0))
            self.socket.setblocking(False)
            self.port = self.socket.getsockname()[1]
            self.url = f"http://127.99.0.1:{self.port}/trap"

        def sprung(self):
            try:
                self.socket.accept()[0].close()
                return True
            except BlockingIOError:
                return False

    made = Trap()
    yield made
    made.socket.close()


@pytest.fixture
def refused(rest, web, trap):
    """refused(sid): the call's Notification that an address was refused; and nobody was there."""
    def look(sid, code="11205"):
        stack.wait_for(lambda: rest.call("GET", f"/Calls/{sid}.json").status_code == 200, what="the call's row")
        found = stack.wait_for(lambda: rest.notifications(code, sid), 15, f"a Notification {code}")
        assert not trap.sprung()
        return found
    return look


BAD = ["http://10.255.255.1/", "http://172.16.0.1/", "http://192.168.1.1:8080/", "http://169.254.169.254/latest/meta-data/", "http://100.64.0.1/",
       "http://0.0.0.0/", "http://224.0.0.1/", "http://[fd00::1]/", "http://[fe80::1]/", "http://[::ffff:10.0.0.1]/", "http://[64:ff9b::a00:1]/",
       "http://[2002:a00:1::1]/", "http://[::]/", "http://127.1.0.1/", "http://[::1]/", "http://0x7f630001/"]


@pytest.mark.parametrize("url", BAD)
def test_a_redirect_leads_to_no_address_that_is_not_public(phone, web, domains, refused, url):
    phone.invite(domains(web.serve("/v", Reply("", 302, headers=[("Location", url)]))).uri())
    refused(web.wait("/v").params["CallSid"])


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:8448/_x", "dict://127.0.0.1:2224/", "http://"])
def test_a_redirect_leads_to_no_other_scheme(phone, web, domains, rest, trap, url):
    call = phone.invite(domains(web.serve("/v", Reply("", 302, headers=[("Location", url)]))).uri())
    sid = web.wait("/v").params["CallSid"]
    call.wait_final()
    stack.wait_for(lambda: rest.call("GET", f"/Calls/{sid}.json").status_code == 200, what="the call's row")
    stack.wait_for(lambda: rest.notifications(call_sid=sid), what="a Notification")
    assert not trap.sprung() and len(web.requests) == 1


@pytest.mark.parametrize("body", [
    "<Redirect>{trap}</Redirect>",
    '<Gather timeout="1" actionOnEmptyResult="true" action="{trap}"/>',
    "<Play>{trap}</Play>",
    '<Refer action="{trap}"><Sip>sip:a@example.com</Sip></Refer>',
])
def test_no_url_of_a_document_leads_there(phone, web, domains, refused, trap, body):
    call = phone.invite(domains(web.serve("/v", doc(body.format(trap=trap.url)))).uri())
    call.wait_final()
    if "<Refer" in body:
        phone.reply(call.wait_request("REFER"), 603, "Decline")
    refused(web.wait("/v").params["CallSid"])


def test_no_fallback_leads_there(phone, web, domains, refused, trap):
    phone.invite(domains(web.serve("/v", Reply("", 500)), VoiceFallbackUrl=trap.url).uri())
    refused(web.wait("/v").params["CallSid"])


def test_no_status_callback_leads_there(phone, web, domains, refused, trap):
    call = phone.invite(domains(web.serve("/v", doc("<Hangup/>")), VoiceStatusCallbackUrl=trap.url).uri())
    call.wait_request("BYE")
    refused(web.wait("/v").params["CallSid"])


def test_no_url_of_a_dialled_party_leads_there(phones, web, domains, refused, trap, rest):
    """Its document, its callbacks, and the action behind it."""
    bob = phones(user="bob")
    party = f'<Sip url="{trap.url}" statusCallback="{trap.url}" statusCallbackEvent="answered completed">sip:bob@{bob.ip}:{bob.port}</Sip>'
    phones(user="alice").invite(domains(web.serve("/v", doc(f'<Dial action="{trap.url}">{party}</Dial>'))).uri())
    sid = web.wait("/v").params["CallSid"]
    callee = next_call(bob)
    callee.take()
    callee.wait_request("BYE")
    refused(sid)
    party_sid = rest.get("/Calls.json", ParentCallSid=sid)["calls"][0]["sid"]
    assert len(refused(party_sid)) >= 2


def test_no_url_of_a_created_call_leads_there(phones, rest, refused, trap):
    bob = phones(user="bob")
    row = rest.post("/Calls.json", To=f"sip:bob@{bob.ip}:{bob.port}", From="alice", Url=trap.url, StatusCallback=trap.url)
    next_call(bob).take()
    refused(row["sid"])


def test_an_own_control_socket_is_refused_though_its_network_is_allowed(phone, web, domains, refused):
    """Kamailio's events and RTPengine's command line, which would take a line of a request for a command."""
    for port in (8448, 2224):
        web.serve("/v", Reply("", 307, headers=[("Location", f"http://127.0.0.1:{port}/")]))
        domain = domains(web.url + "/v")
        before = len(web.seen("/v"))
        phone.invite(domain.uri())
        refused(web.wait("/v", before + 1).params["CallSid"])
