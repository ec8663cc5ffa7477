"""Where a SIP URI leads: RFC 3263, with a name server of the tests' own."""
import pytest

from kit.callee import next_call
from kit.dns import TYPES, NameServer
from kit.twiml import doc


@pytest.fixture
def names():
    made = []

    def serve(records):
        made.append(NameServer(records))
        return made[-1]

    yield serve
    for server in made:
        server.close()


def test_a_call_follows_naptr_and_srv_to_the_next_target_when_one_is_silent(names, phones, web, rest):
    bob, silent = phones(user="bob"), phones(user="silent")
    server = names({
        "failover.test": [("NAPTR", (10, 1, "s", "SIP+D2U", "_sip._udp.pool.test"))],
        "_sip._udp.pool.test": [("SRV", (20, 0, bob.port, "b.pool.test")), ("SRV", (10, 0, silent.port, "a.pool.test"))],
        "a.pool.test": [("A", silent.ip)],
        "b.pool.test": [("A", bob.ip)],
    })
    row = rest.post("/Calls.json", To="sip:bob@failover.test", From="alice", Url=web.serve("/o", doc("<Hangup/>")))
    first = silent.stray.get(timeout=10)
    call = next_call(bob)
    assert first.first.startswith("INVITE sip:bob@failover.test ") and call.invite.first.startswith("INVITE sip:bob@failover.test ")
    assert call.invite.at - first.at > 3.5
    call.take()
    call.wait_request("BYE")
    rest.call_in(row["sid"], "completed")
    assert ("failover.test", TYPES["NAPTR"]) in server.asked


def test_a_port_asks_for_addresses_alone(names, phones, web, rest):
    bob = phones(user="bob")
    server = names({"plain.test": [("A", bob.ip)], "_sip._udp.plain.test": [("SRV", (1, 0, 9, "plain.test"))]})
    row = rest.post("/Calls.json", To=f"sip:bob@plain.test:{bob.port}", From="alice", Url=web.serve("/o", doc("<Hangup/>")))
    call = next_call(bob)
    call.take()
    call.wait_request("BYE")
    rest.call_in(row["sid"], "completed")
    assert {kind for _, kind in server.asked} == {1, 28}


def test_a_service_that_is_decidedly_not_there_fails(names, web, rest):
    names({"gone.test": [("A", "127.0.0.1")], "_sip._udp.gone.test": [("SRV", (0, 0, 0, "."))]})
    row = rest.post("/Calls.json", To="sip:bob@gone.test", From="alice", Url=web.serve("/o", doc("<Hangup/>")))
    rest.call_in(row["sid"], "failed")
