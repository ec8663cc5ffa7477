"""What an account may not do, or somebody who has its token: destinations and limits (docs/hostile-internet.md)."""
import pytest

from kit import stack
from kit.callee import next_call
from kit.rest import BASE_DOMAIN, PASSWORD, Rest
from kit.sip_raw import Raw
from kit.twiml import doc
from kit.webapp import Reply

from test_sip_auth import error, invite, passes


def sql(text):
    return stack.run("docker", "exec", stack.container("postgres"), "sh", "-c",
                     f"PGPASSWORD=$POSTGRES_PASSWORD psql -h /run/postgresql -U hookswitch -qtA hookswitch -c \"{text}\"").strip()


@pytest.fixture
def customer(rest):
    """A subaccount and its REST: what it is limited to is no other test's concern."""
    made = rest.session.post(rest.root.rsplit("/", 1)[0] + ".json", data={"FriendlyName": "limited"}, timeout=30).json()
    own = Rest(made["sid"], made["auth_token"])
    own.sid = made["sid"]
    yield own
    rest.session.post(f"{rest.root.rsplit('/', 1)[0]}/{made['sid']}.json", data={"Status": "closed"}, timeout=30)


@pytest.fixture
def bob(phones):
    return phones(user="bob")


@pytest.fixture
def create(customer, bob):
    def make(**form):
        return customer.post("/Calls.json", **{"To": f"sip:bob@{bob.ip}:{bob.port}", "From": "alice", "Twiml": "<Response><Hangup/></Response>", **form})
    return make


def refused(customer, row, code):
    customer.call_in(row["sid"], "failed")
    return stack.wait_for(lambda: customer.notifications(code, row["sid"]), what=f"notification {code}")


# -- destinations


def test_without_a_list_an_account_calls_anywhere(create, bob):
    create()
    next_call(bob).respond(486)


def test_with_a_list_what_is_not_in_it_is_not_called(customer, create, bob):
    customer.post("/SIP/Destinations.json", Target="pbx.example.com")
    row = create()
    assert "SIP%2FDestinations" in refused(customer, row, 21215)[0]["message_text"]
    assert bob.stray.empty()
    # And at once, whatever was called a moment ago, when it is there.
    made = customer.post("/SIP/Destinations.json", Target=bob.ip)
    create()
    next_call(bob).respond(486)
    customer.post(f"/SIP/Destinations/{made['sid']}.json", Allowed="false")
    refused(customer, create(), 21215)


@pytest.mark.parametrize("target,allowed", [("*", True), ("127.0.0.1", True), ("127.0.0.2", False), (".example.com", False), ("+", False)])
def test_a_host_is_looked_up_in_the_list(customer, create, bob, target, allowed):
    customer.post("/SIP/Destinations.json", Target=target)
    row = create()
    if allowed:
        next_call(bob).respond(486)
    else:
        refused(customer, row, 21215)


def test_the_longest_prefix_of_a_number_decides(customer, create, bob):
    customer.post("/SIP/Gateways.json", Host=f"{bob.ip}:{bob.port}")
    customer.post("/SIP/Destinations.json", Target="+44")
    customer.post("/SIP/Destinations.json", Target="+4490", Allowed="false")
    refused(customer, create(To="+449011223344"), 21215)
    refused(customer, create(To="+4930123456"), 21215)
    create(To="+442071234567")
    next_call(bob).respond(486)


def test_a_dial_to_what_is_not_in_the_list_fails_and_the_document_goes_on(customer, bob, phones, web):
    customer.post("/SIP/Destinations.json", Target="pbx.example.com")
    domain = customer.domain(web.serve("/v", doc(f'<Dial action="{web.serve("/after", doc("<Hangup/>"))}"><Sip>sip:bob@{bob.ip}:{bob.port}</Sip></Dial>')))
    call = phones().invite(domain.uri())
    p = web.wait("/after").params
    assert p["DialCallStatus"] == "failed"
    assert bob.stray.empty()
    stack.wait_for(lambda: customer.notifications(13227), what="notification 13227")
    call.wait_request("BYE")
    domain.delete()


def test_a_redirect_leads_nowhere_else(customer, create, bob, phones):
    customer.post("/SIP/Destinations.json", Target=bob.ip)
    carol = phones(user="carol", ip="127.0.79.1")
    row = create()
    call = next_call(bob)
    bob.reply(call.invite, 302, "Moved Temporarily", [f"Contact: <sip:carol@{carol.ip}:{carol.port}>"], tag=call.from_tag)
    refused(customer, row, 32219)
    assert carol.stray.empty()


def test_a_subaccount_calls_nowhere_where_its_owner_may_not(rest, create, customer, bob):
    customer.post("/SIP/Destinations.json", Target="*")
    made = rest.post("/SIP/Destinations.json", Target="pbx.example.com")
    try:
        refused(customer, create(), 21215)
    finally:
        rest.delete(f"/SIP/Destinations/{made['sid']}.json")
    create()
    next_call(bob).respond(486)


def test_registered_phones_of_ones_own_need_no_destination(customer, phones, web):
    from kit.callee import register
    customer.post("/SIP/Destinations.json", Target="+49")
    domain = customer.domain(users=("alice",), registers=True)
    alice = phones(user="alice")
    register(alice, domain.name, PASSWORD)
    customer.post("/Calls.json", To=domain.uri("alice"), From="x", Twiml="<Response><Hangup/></Response>")
    next_call(alice).respond(486)
    domain.delete()


# -- limits


@pytest.fixture
def limit():
    """limit(sid, calls, a second): as the operator sets them."""
    made = []

    def set_limit(sid, calls=None, per_second=None):
        made.append(sid)
        sql(f"INSERT INTO call_limits VALUES ('{sid}', {calls or 'NULL'}, {per_second or 'NULL'})")
    yield set_limit
    for sid in made:
        sql(f"DELETE FROM call_limits WHERE sid = '{sid}'")


@pytest.mark.parametrize("of", ["account", "domain"])
def test_the_call_beyond_the_calls_at_once_is_503_and_told(customer, phones, web, limit, of):
    domain = customer.domain(web.serve("/v", doc("<Say>Hello</Say><Pause length='60'/>")))
    limit(customer.sid if of == "account" else domain.sid, calls=2)
    phone = phones()
    up = [phone.invite(domain.uri()) for _ in range(2)]
    for call in up:
        assert call.wait_final().status == 200
    over = phone.invite(domain.uri()).wait_final()
    assert (over.status, error(over)) == (503, "10004") and int(over.get("Retry-After")) > 0
    stack.wait_for(lambda: customer.notifications(10004), what="notification 10004")
    up[0].bye()
    stack.wait_for(lambda: phone.invite(domain.uri()).wait_final().status == 200, 5, "a call in its place")
    domain.delete()


def test_outbound_calls_count_too(customer, create, bob, limit):
    limit(customer.sid, calls=1)
    create()
    ringing = next_call(bob)
    ringing.ring()
    refused(customer, create(), 10004)
    ringing.respond(486)


@pytest.mark.parametrize("of", ["owner", "domain"])
def test_calls_beyond_the_calls_a_second_are_503_and_told(rest, customer, fresh_ip, web, limit, of):
    domain = customer.domain(web.serve("/v", doc("<Reject/>")))
    limit(rest.root.rsplit("/", 1)[1] if of == "owner" else domain.sid, per_second=3)
    with Raw(fresh_ip) as sip:
        for n in range(30):
            sip.send(sip.request("INVITE", domain.uri()))
        finals = [sip.final(5) for n in range(30)]
    codes = [(m.status, error(m)) for m in finals]
    assert codes.count((503, "32013")) >= 20 and 3 <= sum(status == 404 for status, _ in codes) <= 9
    stack.wait_for(lambda: customer.notifications(32013), what="notification 32013")
    domain.delete()
