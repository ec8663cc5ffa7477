"""Whom calls over TLS go to (SIP_TLS_VERIFY on or warn, docs/tls.md): chain and name of the certificate, before anything of the call is sent."""
import os

import pytest

from kit import stack
from kit.callee import next_call
from kit.twiml import doc
from test_dial import dial, talk  # noqa: F401 (dial is a fixture)
from test_locating import names  # noqa: F401 (a fixture)

MODE = os.environ.get("SIP_TLS_VERIFY", "off")
pytestmark = pytest.mark.skipif(MODE == "off", reason="the stack's setting is off: tests/run has a run with on, and one with warn")
on = pytest.mark.skipif(MODE != "on", reason="of the setting on")
warn = pytest.mark.skipif(MODE != "warn", reason="of the setting warn")


@pytest.fixture
def call_to(rest, web):
    def make(target):
        return rest.post("/Calls.json", To=target, From="alice", Url=web.serve("/o", doc('<Say>Hello, this call went out over TLS.</Say><Pause length="60"/>')))
    return make


@pytest.fixture
def named(tls_server, names):  # noqa: F811
    """named(host, *names, **kw): a server at a host of the name server's, whose certificate has these names (the host's, when none)."""
    def make(host, *has, **kw):
        made = tls_server(*(has or (f"DNS:{host}",)), **kw)
        names({host: [("A", made.ip)]})
        made.target = f"sip:bob@{host}:{made.port};transport=tls"
        return made
    return make


def notifications(rest, sid):
    return [n["error_code"] for n in rest.get(f"/Calls/{sid}/Notifications.json")["notifications"]]


def test_a_server_with_the_name_that_was_called_is_reached(call_to, named, rest):
    bob = named("pbx.tls.example")
    row = call_to(bob.target)
    callee = next_call(bob.line())
    assert callee.invite.get("X-Hookswitch-Connection") is None
    callee.take()
    callee.rtp.wait_audio(0.3)
    rest.post(f"/Calls/{row['sid']}.json", expect=200, Status="completed")
    callee.wait_request("BYE")
    assert bob.names == ["pbx.tls.example"] and len(bob.phones) == 1 and bob.options == 1
    assert notifications(rest, row["sid"]) == []


def test_the_next_call_takes_the_same_connection(call_to, named):
    bob = named("pbx.tls.example")
    for n in range(3):
        call_to(bob.target)
        line = bob.line() if n == 0 else line
        next_call(line).take()
    assert len(bob.phones) == 1 and bob.options == 1


def test_calls_at_once_share_a_connection(call_to, named):
    bob = named("pbx.tls.example")
    for _ in range(5):
        call_to(bob.target)
    taken = 0
    line = bob.line()
    while taken < 5:
        next_call(line).take()
        taken += 1
    assert len(bob.phones) == 1


def test_an_address_is_a_name_too(call_to, tls_server):
    bob = tls_server()
    call_to(f"sip:bob@{bob.ip}:{bob.port};transport=tls")
    next_call(bob.line()).take()


def test_a_server_that_closed_its_connection_is_looked_at_again(call_to, named):
    bob = named("pbx.tls.example")
    call_to(bob.target)
    first = bob.line()
    callee = next_call(first)
    callee.take()
    assert callee.bye().status == 200
    first.close()
    call_to(bob.target)
    next_call(bob.line()).take()
    assert bob.options == 2


def refused(rest, row, bob, code):
    """The call failed, the account hears why, and the server saw nothing of it."""
    rest.call_in(row["sid"], "failed")
    stack.wait_for(lambda: code in notifications(rest, row["sid"]) if code else True, what=f"notification {code}")
    assert not bob.invited()


@on
def test_another_name_is_refused(call_to, named, rest):
    bob = named("pbx.tls.example", "DNS:other.tls.example", "DNS:*.pbx.tls.example")
    refused(rest, call_to(bob.target), bob, "11235")


@on
def test_another_name_at_the_same_address_is_refused_on_the_open_connection(call_to, tls_server, names, rest):  # noqa: F811
    bob = tls_server("DNS:pbx.tls.example")
    names({"pbx.tls.example": [("A", bob.ip)], "evil.example": [("A", bob.ip)]})
    call_to(f"sip:bob@pbx.tls.example:{bob.port};transport=tls")
    next_call(bob.line()).take()
    row = call_to(f"sip:mallory@evil.example:{bob.port};transport=tls")
    rest.call_in(row["sid"], "failed")
    assert sum(first.startswith("INVITE") for _, _, first in bob.phones[0].ladder) == 1


@on
@pytest.mark.parametrize("kw", [{"ca": False}, {"usage": "clientAuth"}], ids=["unknown CA", "not for servers"])
def test_a_chain_that_is_not_trusted_is_refused(call_to, named, rest, kw):
    bob = named("pbx.tls.example", **kw)
    refused(rest, call_to(bob.target), bob, None)
    assert bob.options == 0


@warn
def test_another_name_is_written_down_and_called_all_the_same(call_to, named, rest):
    bob = named("pbx.tls.example", "DNS:other.tls.example")
    row = call_to(bob.target)
    next_call(bob.line()).take()
    stack.wait_for(lambda: notifications(rest, row["sid"]) == ["11235"], what="notification 11235")
    assert "the certificate does not name this host" in stack.logs("control", 100)


@warn
def test_an_unknown_ca_is_written_down_and_called_all_the_same(call_to, named, rest):
    bob = named("pbx.tls.example", ca=False)
    row = call_to(bob.target)
    next_call(bob.line()).take()
    stack.wait_for(lambda: notifications(rest, row["sid"]) == ["11237"], what="notification 11237")


def test_a_dialled_server_hangs_up(dial, named):  # noqa: F811
    bob = named("pbx.tls.example")
    alice = dial(f"<Dial><Sip>{bob.target}</Sip></Dial>")
    callee = next_call(bob.line())
    callee.take()
    talk(alice, callee)
    assert callee.bye().status == 200
    alice.wait_request("BYE")
