"""Phones register at a SIP domain, stay registered whatever restarts, and are listed and removed through REST (docs/registration.md)."""
import re

import pytest
import requests

from kit import stack
from kit.baresip import Baresip
from kit.digest import answer, challenge
from kit.rest import BASE_DOMAIN, PASSWORD, Rest
from kit.sip import token
from kit.sip_raw import Raw


class Registrant:
    """A phone's side of registration: one socket, one Call-ID, digest answered with a nonce's next count."""

    def __init__(self, domain, ip, user="alice", transport="udp", password=PASSWORD):
        self.domain, self.user, self.password = domain, user, password
        self.sip = Raw(ip, transport)
        self.call_id, self.tag, self.cseq = token(16), token(), 0

    @property
    def contact(self):
        return f"<sip:{self.user}@{self.sip.ip}:{self.sip.port};transport={self.sip.transport}>"

    def send(self, contacts=None, expires=None, to=None, authorization=()):
        self.cseq += 1
        lines = [f"REGISTER sip:{self.domain} SIP/2.0",
                 f"Via: SIP/2.0/{self.sip.transport.upper()} {self.sip.ip}:{self.sip.port};rport;branch=z9hG4bK{token(16)}",
                 "Max-Forwards: 70", f"From: <sip:{self.user}@{self.domain}>;tag={self.tag}",
                 f"To: <{to or f'sip:{self.user}@{self.domain}'}>", f"Call-ID: {self.call_id}", f"CSeq: {self.cseq} REGISTER"]
        lines += [f"Contact: {c}" for c in ([self.contact] if contacts is None else contacts)]
        lines += [f"Expires: {expires}"] if expires is not None else []
        self.sent = "\r\n".join([*lines, "User-Agent: kit/1.0", "Supported: outbound", *authorization, "Content-Length: 0"]) + "\r\n\r\n"
        self.sip.send(self.sent)

    def answer_of(self):
        while True:
            m = self.sip.recv(5)
            assert m, "no answer to REGISTER"
            if m.get("CSeq") == f"{self.cseq} REGISTER":
                return m

    def register(self, **kw):
        self.send(**kw)
        first = self.answer_of()
        if first.status != 407:
            return first
        self.send(**kw, authorization=[answer(challenge(first, "MD5"), "REGISTER", f"sip:{self.domain}", self.user, self.password)])
        return self.answer_of()


def bindings(response):
    """{Contact URI: seconds}"""
    found = {}
    for value in response.all("Contact"):
        for uri, params in re.findall(r"<(sip:[^>]*)>((?:\"[^\"]*\"|[^<\"])*)", value):
            found[uri] = int(re.search(r";expires=(\d+)", params).group(1))
    return found


def error(response):
    return (response.get("X-Twilio-Error") or "").split(" ")[0]


@pytest.fixture
def home(rest, domains):
    """home(users...) makes a domain that lets these users register."""
    def make(users=("alice",), **kw):
        domain = domains(users=users, registers=True, **kw)
        return domain
    return make


@pytest.fixture
def phone(fresh_ip):
    made = []

    def make(domain, **kw):
        made.append(Registrant(domain.name, kw.pop("ip", fresh_ip), **kw))
        return made[-1]
    yield make
    for one in made:
        one.sip.sock.close()


def listed(rest, domain, **query):
    return rest.get(f"/SIP/Domains/{domain.sid}/Registrations.json", **query)["registrations"]


def test_a_phone_registers_after_a_407_and_hears_its_contact_and_expiry(home, phone):
    p = phone(home())
    p.send(expires=1200)
    refused = p.answer_of()
    assert refused.status == 407 and f'realm="{BASE_DOMAIN}"' in refused.get("Proxy-Authenticate")
    assert [v for v in refused.all("Proxy-Authenticate") if "SHA-256" in v] == []
    accepted = p.register(expires=1200)
    assert accepted.status == 200 and list(bindings(accepted)) == [p.contact.strip("<>")]
    assert 1190 <= bindings(accepted)[p.contact.strip("<>")] <= 1200


@pytest.mark.parametrize("asked, given", [(None, 3600), (600, 600), (3600, 3600), (86400, 3600)])
def test_the_expiry_is_between_its_bounds(home, phone, asked, given):
    p = phone(home())
    assert abs(next(iter(bindings(p.register(expires=asked)).values())) - given) <= 5


@pytest.mark.parametrize("how", [{"expires": 599}, {"expires": 1}, {"param": ";expires=60"}, {"param": ";q=0.5;EXPIRES=\"599\"", "expires": 900}])
def test_an_expiry_below_the_minimum_is_423_with_the_minimum(rest, home, phone, how):
    domain = home()
    p = phone(domain)
    param = how.pop("param", "")
    refused = p.register(contacts=[p.contact + param], **how)
    assert (refused.status, refused.get("Min-Expires")) == (423, "600")
    assert listed(rest, domain) == []


def test_a_contacts_own_expiry_is_what_counts(home, phone):
    p = phone(home())
    assert 690 <= bindings(p.register(contacts=[p.contact + ";expires=700"], expires=60))[p.contact.strip("<>")] <= 700


@pytest.mark.parametrize("star", [True, False])
def test_a_phone_unregisters(rest, home, phone, star):
    domain = home()
    p = phone(domain)
    p.register()
    assert len(listed(rest, domain)) == 1
    gone = p.register(contacts=["*"] if star else None, expires=0)
    assert gone.status == 200 and bindings(gone) == {} and listed(rest, domain) == []


def test_without_registration_on_the_domain_it_is_refused(domains, phone):
    refused = phone(domains(users=["alice"])).register()
    assert (refused.status, error(refused)) == (403, "32210")


def test_without_a_mapped_list_it_is_refused(domains, phone):
    refused = phone(domains(users=["alice"], SipRegistration="true")).register()
    assert (refused.status, error(refused)) == (403, "32212")


@pytest.mark.parametrize("wrong", [{"password": "Wrong1Horse2Battery"}, {"user": "mallory"}])
def test_wrong_credentials_are_refused(home, phone, wrong):
    refused = phone(home(), **wrong).register()
    assert (refused.status, error(refused)) == (403, "32212")


def test_a_user_registers_for_nobody_else(home, phone):
    domain = home(("alice", "bob"))
    p = phone(domain)
    assert p.register(to=f"sip:bob@{domain.name}").status == 403
    assert p.register(to=f"sip:alice@other.{BASE_DOMAIN}").status == 404


def test_an_account_that_is_suspended_registers_nobody(rest, phone):
    made = rest.session.post(rest.root.rsplit("/", 1)[0] + ".json", data={"FriendlyName": "sub"}, timeout=30).json()
    sub = Rest(made["sid"], made["auth_token"])
    domain = sub.domain(users=["alice"], registers=True)
    p = phone(domain)
    assert p.register().status == 200
    address = f"{rest.root.rsplit('/', 1)[0]}/{made['sid']}.json"
    assert rest.session.post(address, data={"Status": "suspended"}, timeout=30).status_code == 200
    refused = p.register()
    assert (refused.status, error(refused)) == (603, "10001")
    rest.session.post(address, data={"Status": "active"}, timeout=30)
    domain.delete()


def test_the_eleventh_binding_is_refused_and_a_known_one_is_still_renewed(rest, home, phone, fresh_ip):
    domain = home()
    ten = [phone(domain, ip=fresh_ip) for _ in range(10)]
    for p in ten:
        # Beyond the rate the phone tries again, as Retry-After says.
        stack.wait_for(lambda: p.register().status == 200, 5)
    late = phone(domain)
    refused = stack.wait_for(lambda: (lambda m: m if m.status != 503 else None)(late.register()), 5)
    assert (refused.status, error(refused)) == (403, "32007")
    stack.wait_for(lambda: ten[3].register().status == 200, 5)
    assert len(listed(rest, domain)) == 10


def test_more_than_five_registers_a_second_are_503_with_retry_after(home, phone):
    p = phone(home())
    answers = []
    for _ in range(12):
        answers.append(p.register())
    refused = [m for m in answers if m.status == 503]
    assert refused and all(error(m) == "32008" and m.get("Retry-After") for m in refused)
    assert sum(m.status == 200 for m in answers) >= 5
    stack.wait_for(lambda: p.register().status == 200, 5)


def test_a_register_that_is_repeated_gets_the_same_answer(home, phone):
    p = phone(home())
    first = p.register()
    for _ in range(2):
        p.sip.send(p.sent)
        again = p.answer_of()
        assert again.status == 200 and bindings(again) == bindings(first)


def test_a_phone_that_comes_back_from_another_port_replaces_its_binding(rest, home, phone):
    domain = home()
    instance = ';+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"'
    before, after = phone(domain), phone(domain)
    before.register(contacts=[before.contact + instance])
    sid = listed(rest, domain)[0]["sid"]
    accepted = after.register(contacts=[after.contact + instance])
    assert list(bindings(accepted)) == [after.contact.strip("<>")]
    only, = listed(rest, domain)
    assert only["contact_uri"] == after.contact.strip("<>") and str(after.sip.port) in only["received_from"] and only["sid"] == sid
    assert only["instance"] == "<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"


def test_two_flows_of_one_phone_are_two_bindings(rest, home, phone):
    domain = home()
    instance = ';+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>";reg-id='
    one, two = phone(domain), phone(domain)
    assert one.register(contacts=[one.contact + instance + "1"]).status == 200
    assert two.register(contacts=[two.contact + instance + "2"]).status == 200
    assert len(listed(rest, domain)) == 2


def test_behind_nat_the_address_that_it_came_from_is_kept_and_kept_open(rest, home, phone):
    domain = home()
    p = phone(domain)
    accepted = p.register(contacts=["<sip:alice@10.9.8.7:5060>"])
    assert f"rport={p.sip.port}" in accepted.get("Via") and f"received={p.sip.ip}" in accepted.get("Via")
    only, = listed(rest, domain)
    assert (only["contact_uri"], only["received_from"]) == ("sip:alice@10.9.8.7:5060", f"sip:{p.sip.ip}:{p.sip.port}")
    p.sip.sock.settimeout(35)
    assert p.sip.sock.recv(100) == bytes(4)


def test_a_tcp_connection_is_kept_for_calls_and_answers_its_pings(rest, home, phone):
    domain = home()
    p = phone(domain, transport="tcp")
    assert p.register().status == 200
    only, = listed(rest, domain)
    assert only["received_from"].lower() == f"sip:{p.sip.ip}:{p.sip.port};transport=tcp"
    p.sip.sock.sendall(b"\r\n\r\n")
    p.sip.sock.settimeout(5)
    assert p.sip.sock.recv(100) == b"\r\n"


def restarted(service):
    stack.run("docker", "restart", "-t", "20", stack.container(service), timeout=120)
    stack.wait_for(lambda: stack.healthy(service), 60, f"{service} healthy again")


@pytest.mark.parametrize("service", ["kamailio", "control", "postgres"])
def test_a_restart_loses_no_binding(rest, home, phone, service):
    domain = home()
    p = phone(domain)
    assert p.register().status == 200
    sid = listed(rest, domain)[0]["sid"]
    restarted(service)

    def still():
        try:
            return [one["sid"] for one in listed(rest, domain)] == [sid]
        except (AssertionError, requests.RequestException):
            return False
    stack.wait_for(still, 30, "the binding in the list")
    # The phone renews what it has: no second binding.
    renewed = stack.wait_for(lambda: (lambda m: m if m.status == 200 else None)(p.register()), 30)
    assert len(bindings(renewed)) == 1 and [one["sid"] for one in listed(rest, domain)] == [sid]


def test_without_postgres_phones_hear_503_and_keep_their_bindings(rest, home, phone):
    domain = home()
    p = phone(domain)
    assert p.register().status == 200
    stack.run("docker", "stop", stack.container("postgres"), timeout=120)
    try:
        refused = p.register()
        assert refused.status >= 500
    finally:
        stack.run("docker", "start", stack.container("postgres"))
        stack.wait_for(lambda: stack.healthy("postgres"), 60)
        stack.wait_for(lambda: stack.healthy("control"), 60)
    renewed = stack.wait_for(lambda: (lambda m: m if m.status == 200 else None)(p.register()), 30)
    stack.wait_for(lambda: rest.call("GET", "/SIP/Domains.json").status_code == 200, 30, "REST with its database")
    assert refused.status == 503 and refused.get("Retry-After")
    assert len(bindings(renewed)) == 1 and len(listed(rest, domain)) == 1


def test_rest_lists_pages_fetches_and_deletes_bindings(rest, home, phone):
    domain = home(("alice", "bob"))
    for user in ("alice", "bob", "alice"):
        assert phone(domain, user=user).register().status == 200
    path = f"/SIP/Domains/{domain.sid}/Registrations"
    assert [one["username"] for one in listed(rest, domain)] == ["alice", "bob", "alice"]
    assert [one["username"] for one in listed(rest, domain, Username="bob")] == ["bob"]
    page = rest.get(path + ".json", PageSize=2)
    assert len(page["registrations"]) == 2 and page["next_page_uri"]
    one = page["registrations"][0]
    assert re.fullmatch("RG[0-9a-f]{32}", one["sid"]) and one["user_agent"] == "kit/1.0" and one["domain_sid"] == domain.sid
    assert rest.get(f"{path}/{one['sid']}.json") == one
    rest.delete(f"{path}/{one['sid']}.json")
    rest.get(f"{path}/{one['sid']}.json", expect=404)
    rest.delete(f"{path}/{one['sid']}.json", expect=404)
    assert len(listed(rest, domain)) == 2


def test_a_deleted_binding_is_not_in_the_next_answer_and_may_register_again(rest, home, phone):
    domain = home()
    one, two = phone(domain), phone(domain)
    one.register()
    sid = listed(rest, domain)[0]["sid"]
    rest.delete(f"/SIP/Domains/{domain.sid}/Registrations/{sid}.json")
    assert list(bindings(two.register())) == [two.contact.strip("<>")]
    assert len(bindings(one.register())) == 2


def test_a_credential_that_goes_takes_its_bindings_out_of_reach(rest, home, phone):
    domain = home(("alice", "bob"))
    a, b = phone(domain), phone(domain, user="bob")
    assert a.register().status == b.register().status == 200
    path = f"/SIP/CredentialLists/{domain.credential_list}/Credentials"
    sid = next(c["sid"] for c in rest.get(path + ".json")["credentials"] if c["username"] == "alice")
    rest.delete(f"{path}/{sid}.json")
    assert [one["username"] for one in listed(rest, domain)] == ["bob"]
    assert a.register().status == 403


def test_a_domain_that_goes_or_stops_registering_takes_its_bindings_along(rest, home, phone):
    domain = home()
    p = phone(domain)
    assert p.register().status == 200
    domain.update(SipRegistration="false")
    assert listed(rest, domain) == []
    domain.update(SipRegistration="true")
    assert listed(rest, domain) == [] and bindings(p.register(contacts=[])) == {}
    assert p.register().status == 200
    rest.delete(f"/SIP/Domains/{domain.sid}.json")
    again = rest.post("/SIP/Domains.json", DomainName=domain.name, SipRegistration="true")
    domain.sid = again["sid"]
    rest.post(f"/SIP/Domains/{domain.sid}/Auth/Registrations/CredentialListMappings.json", CredentialListSid=domain.credential_list)
    assert listed(rest, domain) == [] and bindings(p.register(contacts=[])) == {}


def test_baresip_registers(rest, home, tmp_path):
    domain = home()
    phone = Baresip(tmp_path, domain.name)
    try:
        only, = stack.wait_for(lambda: listed(rest, domain), 20, "baresip's binding")
        assert only["user_agent"].startswith("baresip") and only["instance"]
    except AssertionError:
        raise AssertionError("".join(phone.said)) from None
    finally:
        phone.close()
