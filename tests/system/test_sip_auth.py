"""Who may come in: domain, account, IP access control lists, digest (sip-and-rest.md §3.2 rows 1-6)."""
import os

import time

import pytest

from kit import stack
from kit.rest import BASE_DOMAIN, PASSWORD
from kit.sip import token
from kit.digest import answer, challenge
from kit.sip_raw import Raw

ALGORITHMS = ["MD5", "SHA-256"]


def invite(sip, uri, headers=(), **kw):
    """One INVITE: its final response when Kamailio refused it, or 100 when it went on to hookswitchd (whose answer is acknowledged)."""
    call_id, branch, tag = token(16), token(16), token()
    sip.send(sip.request("INVITE", uri, headers, call_id=call_id, branch=branch, from_tag=tag, **kw))
    first = m = sip.recv()
    while m and m.status < 200:
        m = sip.recv(10)
    assert m, f"{uri}: no final response"
    sip.send(sip.request("ACK", uri, call_id=call_id, branch=branch, from_tag=tag, to=m.get("To")))
    return first


def passes(response):
    return response.status == 100


def error(response):
    return (response.get("X-Twilio-Error") or "").split(" ")[0]


@pytest.fixture
def sip(fresh_ip):
    with Raw(fresh_ip) as raw:
        yield raw


@pytest.fixture
def challenged(domains, sip):
    """A domain that only asks for credentials, and a first challenge."""
    domain = domains(allow=(), users=["alice"])
    refused = invite(sip, domain.uri())
    assert refused.status == 407
    return domain, refused


def test_a_domain_that_does_not_exist_is_not_found(sip):
    refused = invite(sip, f"sip:100@no-such-domain.{BASE_DOMAIN}")
    assert (refused.status, error(refused)) == (404, "32002")


@pytest.mark.parametrize("host", ["127.0.0.1", "example.com", BASE_DOMAIN, f"x.y.{BASE_DOMAIN}", "[::1]"])
def test_a_host_that_is_no_name_of_ours_is_not_found(sip, host):
    assert invite(sip, f"sip:100@{host}").status == 404


def test_a_domain_without_any_list_refuses_everybody(domains, sip):
    refused = invite(sip, domains(allow=()).uri())
    assert (refused.status, error(refused)) == (403, "32200")
    assert not refused.all("Proxy-Authenticate")


def test_a_source_of_a_mapped_list_comes_in_whatever_the_case_and_port_of_the_domain(domains, sip):
    domain = domains(allow=(f"{sip.ip}/32",))
    assert passes(invite(sip, f"sip:100@{domain.name.upper()}:5060;transport=udp"))


def test_a_source_that_no_list_holds_is_refused_without_a_challenge_and_the_account_is_told(rest, domains, sip):
    domain = domains(allow=("192.0.2.0/24",))
    refused = invite(sip, domain.uri())
    assert refused.status == 403
    assert refused.get("X-Twilio-Error") == "32201 Authentication failure - source IP Address not in ACL"
    assert not refused.all("Proxy-Authenticate")

    def told():
        time.sleep(0.6)
        # hookswitchd writes down ten a second of an account; other tests may have used them up.
        invite(sip, domain.uri())
        return any(sip.ip in str(n) for n in rest.notifications(32201))
    stack.wait_for(told, what="the Notification 32201")


@pytest.mark.parametrize("last, inside", [(15, False), (16, True), (23, True), (31, True), (32, False)])
def test_a_cidr_block_ends_where_its_prefix_says(domains, last, inside):
    # The address that REST got is in the middle of the block: its host bits do not matter.
    domain = domains(allow=("192.0.2.1/32", "127.0.200.19/28"))
    with Raw(f"127.0.200.{last}") as sip:
        assert passes(invite(sip, domain.uri())) == inside


def test_what_rest_changes_is_effective_at_once(rest, domains, sip):
    domain = domains(allow=("192.0.2.0/24",))
    assert error(invite(sip, domain.uri())) == "32201"
    addresses = f"/SIP/IpAccessControlLists/{domain.acl}/IpAddresses"
    for _ in range(20):
        address = rest.post(f"{addresses}.json", FriendlyName="new", IpAddress=sip.ip)
        assert passes(invite(sip, domain.uri()))
        rest.delete(f"{addresses}/{address['sid']}.json")
        assert error(invite(sip, domain.uri())) == "32201"


def test_a_changed_password_is_asked_for_at_once(rest, challenged, sip):
    domain, refused = challenged
    fields = challenge(refused, "MD5")
    assert passes(invite(sip, domain.uri(), [answer(fields, "INVITE", domain.uri(), "alice", PASSWORD)]))
    credentials = f"/SIP/CredentialLists/{domain.credential_list}/Credentials"
    sid = rest.get(f"{credentials}.json")["credentials"][0]["sid"]
    rest.post(f"{credentials}/{sid}.json", Password="Another2Password")
    assert error(invite(sip, domain.uri(), [answer(fields, "INVITE", domain.uri(), "alice", PASSWORD, nc=2)])) == "32202"
    assert passes(invite(sip, domain.uri(), [answer(fields, "INVITE", domain.uri(), "alice", "Another2Password", nc=3)]))


def test_the_challenge_offers_both_algorithms_with_realm_and_qop(challenged):
    refused = challenged[1]
    assert not refused.all("WWW-Authenticate") and not refused.get("X-Twilio-Error")
    for algorithm in ALGORITHMS:
        fields = challenge(refused, algorithm)
        assert fields["realm"] == BASE_DOMAIN and fields["qop"] == "auth" and "stale" not in fields


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_client_of_one_algorithm_comes_in_and_its_nonce_is_good_for_the_next_call(challenged, sip, algorithm):
    domain, refused = challenged
    fields = challenge(refused, algorithm)
    for nc in (1, 2):
        assert passes(invite(sip, domain.uri(), [answer(fields, "INVITE", domain.uri(), "alice", PASSWORD, nc=nc)]))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_answer_that_was_seen_before_is_no_good(challenged, sip, algorithm):
    domain, refused = challenged
    header = answer(challenge(refused, algorithm), "INVITE", domain.uri(), "alice", PASSWORD)
    assert passes(invite(sip, domain.uri(), [header]))
    again = invite(sip, domain.uri(), [header])
    assert again.status == 407
    assert all(challenge(again, a)["stale"].lower() == "true" for a in ALGORITHMS)


def test_an_answer_seen_elsewhere_is_no_good_from_another_address(challenged, sip):
    domain, refused = challenged
    header = answer(challenge(refused, "MD5"), "INVITE", domain.uri(), "alice", PASSWORD)
    assert passes(invite(sip, domain.uri(), [header]))
    with Raw("127.0.201.1") as thief:
        assert invite(thief, domain.uri(), [header]).status == 407


@pytest.mark.slow
def test_a_nonce_expires(challenged, sip):
    domain, refused = challenged
    fields = challenge(refused, "SHA-256")
    counts = iter(range(1, 10000))

    def look():
        # A wrong password is refused as long as the nonce is good, then challenged anew.
        m = invite(sip, domain.uri(), [answer(fields, "INVITE", domain.uri(), "alice", "wrong", nc=next(counts))])
        if m.status == 403:
            return sip.recv(0.5) and None
        return m
    expired = stack.wait_for(look, float(os.environ.get("SIP_NONCE_SECONDS", "60")) + 10, "the end of the nonce")
    assert expired.status == 407 and challenge(expired, "SHA-256")["stale"].lower() == "true"


@pytest.mark.parametrize("user, password", [("alice", "Wrong1Password"), ("nobody", PASSWORD), ("' OR '1'='1", "x"), ("a" * 300, "x"),
                                            ("alice\\", "x"), ("\u00e4lice", "x"), ("alice';DROP TABLE credentials;--", "x"), ("%61lice", "x")])
def test_wrong_credentials_are_refused_and_an_unknown_user_just_so(challenged, sip, user, password):
    domain, refused = challenged
    m = invite(sip, domain.uri(), [answer(challenge(refused, "MD5"), "INVITE", domain.uri(), user, password)])
    assert (m.status, m.get("X-Twilio-Error")) == (403, "32202 SIP: Bad user credentials")
    # The look-up still works: nothing of the name reached SQL.
    fresh = challenge(invite(sip, domain.uri()), "MD5")
    assert passes(invite(sip, domain.uri(), [answer(fresh, "INVITE", domain.uri(), "alice", PASSWORD)]))


def test_the_account_is_told_of_wrong_credentials(rest, challenged, sip):
    domain, refused = challenged

    def told():
        time.sleep(0.6)
        # hookswitchd writes down ten a second of an account; other tests may have used them up.
        invite(sip, domain.uri(), [answer(challenge(invite(sip, domain.uri()), "MD5"), "INVITE", domain.uri(), "alice", "wrong")])
        return any(sip.ip in str(n) for n in rest.notifications(32202))
    stack.wait_for(told, what="the Notification 32202")


@pytest.mark.parametrize("change", [{"nonce": "A" * 40}, {"response": "0" * 31}, {"response": ""}, {"realm": "elsewhere"}, {"nonce": ""}])
def test_an_answer_to_no_challenge_of_ours_is_challenged(challenged, sip, change):
    domain, refused = challenged
    m = invite(sip, domain.uri(), [answer(challenge(refused, "MD5"), "INVITE", domain.uri(), "alice", PASSWORD, **change)])
    assert m.status == 407


def test_an_answer_without_qop_is_challenged(challenged, sip):
    domain, refused = challenged
    m = invite(sip, domain.uri(), [answer(challenge(refused, "MD5"), "INVITE", domain.uri(), "alice", PASSWORD, qop=False)])
    assert m.status == 407


def test_credentials_for_another_realm_beside_ours_do_no_harm(challenged, sip):
    domain, refused = challenged
    fields = challenge(refused, "SHA-256")
    other = answer({**fields, "realm": "elsewhere"}, "INVITE", domain.uri(), "bob", "x")
    assert passes(invite(sip, domain.uri(), [other, answer(fields, "INVITE", domain.uri(), "alice", PASSWORD)]))


def test_with_both_kinds_of_lists_both_must_pass(domains, sip):
    domain = domains(allow=(f"{sip.ip}/32",), users=["alice"])
    refused = invite(sip, domain.uri())
    assert refused.status == 407
    header = answer(challenge(refused, "SHA-256"), "INVITE", domain.uri(), "alice", PASSWORD)
    with Raw("127.0.201.2") as elsewhere:
        m = invite(elsewhere, domain.uri(), [header])
        assert (m.status, error(m)) == (403, "32201")
    assert passes(invite(sip, domain.uri(), [header]))


def test_a_user_of_another_domain_does_not_come_in(domains, sip):
    domains(allow=(), users=["alice"])
    other = domains(allow=(), users=["bob"])
    fields = challenge(invite(sip, other.uri()), "MD5")
    m = invite(sip, other.uri(), [answer(fields, "INVITE", other.uri(), "alice", PASSWORD)])
    assert (m.status, error(m)) == (403, "32202")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_secure_domain_refuses_plain_transport(domains, fresh_ip, transport):
    domain = domains(allow=("127.0.0.0/8",), Secure="true")
    with Raw(fresh_ip, transport) as sip:
        refused = invite(sip, domain.uri())
    assert (refused.status, error(refused)) == (488, "32209")
    assert "Secure SIP transport required" in refused.first


def test_register_is_told_that_it_is_not_supported(domains, sip):
    refused = sip.ask("REGISTER", f"sip:{domains().name}")
    assert (refused.status, error(refused)) == (403, "32210")


@pytest.mark.parametrize("host", ["x'--.{base}", "x%27.{base}", "x;y.{base}", "x\\.{base}", 'x".{base}', "x y.{base}", "{base}.evil.test", "a" * 300 + ".{base}"])
def test_a_hostile_domain_reaches_no_sql(domains, sip, host):
    sip.send(sip.request("INVITE", "sip:100@" + host.format(base=BASE_DOMAIN), to="<sip:a@b>"))
    m = sip.final(1)
    assert m is None or m.status in (400, 404)
    assert passes(invite(sip, domains(allow=(f"{sip.ip}/32",)).uri()))
