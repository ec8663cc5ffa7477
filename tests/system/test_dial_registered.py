"""<Dial> rings registered phones wherever they are (sip-and-rest.md §3.4)."""
import pytest

from kit import stack
from kit.baresip import Baresip
from kit.callee import next_call, register
from kit.rest import PASSWORD
from kit.twiml import doc
from test_dial import action, dial, hears, talk  # noqa: F401 (dial is a fixture)


@pytest.fixture
def home(rest, domains):
    """A domain that lets bob register, and alice."""
    domain = domains(users=("bob", "alice"), registers=True)
    return domain


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("noun", ["<Sip>sip:bob@{0}</Sip>", "<Sip>bob@{0}</Sip>", "<Client>bob</Client>"])
def test_a_registered_phone_is_rung_by_its_name(dial, home, phones, noun, transport):
    bob = phones(user="bob", transport=transport)
    register(bob, home.name, PASSWORD)
    alice = dial(f'<Dial callerId="+4930123">{noun.format(home.name)}</Dial>')
    callee = next_call(bob)
    assert callee.invite.first.startswith(f"INVITE sip:bob@{bob.ip}:{bob.port};transport={transport} ")
    assert callee.invite.get("To") == f"<sip:bob@{home.name}>"
    assert callee.invite.get("From").startswith(f"<sip:+4930123@{home.name}>")
    callee.take()
    talk(alice, callee)
    alice.bye()
    callee.wait_request("BYE")


def test_all_phones_of_a_user_ring_and_the_first_answer_wins(dial, home, phones, rest):
    bobs = [phones(user="bob") for _ in range(3)]
    for bob in bobs:
        register(bob, home.name, PASSWORD)
    alice = dial(f"<Dial><Sip>sip:bob@{home.name}</Sip></Dial>")
    calls = [next_call(bob) for bob in bobs]
    assert len({c.invite.get("X-Twilio-CallSid") for c in calls}) == 1
    for c in calls:
        c.ring()
    calls[1].take()
    for c in (calls[0], calls[2]):
        c.wait_request("CANCEL")
    talk(alice, calls[1])
    calls[1].bye()
    row = rest.call_in(calls[1].invite.get("X-Twilio-CallSid"), "completed")
    assert row["direction"] == "outbound-dial"
    alice.wait_request("BYE")


def test_rest_calls_a_registered_phone_too(home, phones, rest, web):
    bob = phones(user="bob")
    register(bob, home.name, PASSWORD)
    rest.post("/Calls.json", To=f"sip:bob@{home.name}", From="alice", Url=web.serve("/o", doc("<Hangup/>")))
    callee = next_call(bob)
    callee.take()
    web.wait("/o")
    callee.wait_request("BYE")


@pytest.mark.parametrize("to,code,sip_code", [("carol@{0}", 32009, "404"), ("bob@{0}", 32009, "404"), ("bob@nobody.{1}", 32214, "404"),
                                              ("sip:{0}", 32223, None)])
def test_nobody_there(dial, home, web, rest, to, code, sip_code):
    base = home.name.partition(".")[2]
    dial(f'<Dial action="{web.serve("/d", doc(""))}"><Sip>{to.format(home.name, base)}</Sip></Dial>')
    told = action(web)
    assert (told["DialCallStatus"], told.get("DialSipResponseCode")) == ("failed", sip_code)
    rest.call_in(told["DialCallSid"], "failed")
    stack.wait_for(lambda: rest.notifications(code, told["DialCallSid"]), what=f"notification {code}")


def test_baresip_is_called_and_talks(dial, home, tmp_path, rest, wav):
    phone = Baresip(tmp_path, home.name, user="bob", sound=wav(1000, 30))
    try:
        path = f"/SIP/Domains/{home.sid}/Registrations.json"
        stack.wait_for(lambda: rest.get(path)["registrations"], 20, "baresip's binding")
        alice = dial(f"<Dial><Sip>sip:bob@{home.name}</Sip></Dial>")
        assert alice.wait_final().status == 200
        hears(alice, 1000, 15)
        assert alice.reinvite("sendonly").status == 200
        assert alice.reinvite("sendrecv").status == 200
        hears(alice, 1000)
        assert alice.bye().status == 200
        child, = rest.get("/Calls.json", ParentCallSid=dial.sid())["calls"]
        rest.call_in(child["sid"], "completed")
    except AssertionError as e:
        raise AssertionError(f"{e}\n{''.join(phone.said)}") from None
    finally:
        phone.close()
