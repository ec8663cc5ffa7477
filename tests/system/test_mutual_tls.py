"""Domains that authenticate callers by the certificates of their TLS connections (docs/tls.md); SIP_TLS_CLIENT_CERTIFICATES is 1 here."""
import pytest

from kit import stack, tls
from kit.digest import answer, challenge
from kit.rest import PASSWORD
from kit.sip_raw import Raw
from test_sip_auth import error, invite, passes


class Own:
    """A certificate and its key, as files, and its SHA-256 as openssl writes it."""

    def __init__(self, folder, **kw):
        self.files = tls.certificate(str(folder), "DNS:pbx.example.com", usage="clientAuth", **kw)
        self.fingerprint = tls.openssl("x509", "-in", self.files[0], "-noout", "-fingerprint", "-sha256").strip().split("=")[1]


@pytest.fixture
def pbx(tmp_path):
    return Own(tmp_path / "pbx", ca=False)


@pytest.fixture
def guarded(domains, rest):
    """guarded(*certificates, **domain): a domain that lists these, and nothing else unless it is said."""
    def make(*certificates, allow=(), **kw):
        domain = domains(None, allow=allow, **kw)
        domain.certificates = [listed(rest, domain, c) for c in certificates]
        return domain
    return make


def path(domain, sid=""):
    return f"/SIP/Domains/{domain.sid}/Auth/Calls/ClientCertificates{sid and '/' + sid}.json"


def listed(rest, domain, certificate):
    return rest.post(path(domain), Fingerprint=certificate.fingerprint)["sid"]


def refused(sip, domain, code="32200"):
    response = invite(sip, domain.uri())
    assert (response.status, error(response)) == (403, code), response


@pytest.mark.parametrize("kind", ["RSA", "EC"])
@pytest.mark.parametrize("ca", [False, True], ids=["self-signed", "of an authority"])
def test_who_has_the_listed_certificate_comes_in(guarded, fresh_ip, tmp_path, kind, ca):
    own = Own(tmp_path, kind=kind, ca=ca)
    domain = guarded(own)
    with Raw(fresh_ip, "tls", own=own.files) as sip:
        assert passes(invite(sip, domain.uri()))
        assert passes(invite(sip, domain.uri()))  # on the same connection


def test_all_others_stay_outside(guarded, fresh_ip, pbx, tmp_path):
    domain = guarded(pbx)
    with Raw(fresh_ip, "tls", own=Own(tmp_path / "other", ca=False).files) as other:
        refused(other, domain)
    with Raw(fresh_ip, "tls") as nobody:
        refused(nobody, domain)
    for transport in ("udp", "tcp"):
        with Raw(fresh_ip, transport) as plain:
            refused(plain, domain)


def test_the_certificate_of_one_domain_opens_no_other(guarded, fresh_ip, pbx, tmp_path):
    mine, theirs, open_one = guarded(pbx), guarded(Own(tmp_path / "other", ca=False)), guarded(allow=("127.0.0.0/8",))
    with Raw(fresh_ip, "tls", own=pbx.files) as sip:
        assert passes(invite(sip, mine.uri()))
        refused(sip, theirs)
        assert passes(invite(sip, open_one.uri()))
        assert passes(invite(sip, mine.uri()))


def test_a_certificate_that_is_taken_off_the_list_is_refused_at_once(guarded, rest, fresh_ip, pbx, tmp_path):
    domain = guarded(pbx, Own(tmp_path / "other", ca=False))
    with Raw(fresh_ip, "tls", own=pbx.files) as sip:
        assert passes(invite(sip, domain.uri()))
        rest.delete(path(domain, domain.certificates[0]))
        refused(sip, domain)
        listed(rest, domain, pbx)
        assert passes(invite(sip, domain.uri()))


def test_a_domain_whose_last_certificate_goes_lets_nobody_in(guarded, rest, fresh_ip, pbx):
    domain = guarded(pbx)
    rest.delete(path(domain, domain.certificates[0]))
    with Raw(fresh_ip, "tls", own=pbx.files) as sip:
        refused(sip, domain)


def test_with_an_access_list_both_are_needed(guarded, fresh_ip, pbx):
    here, elsewhere = guarded(pbx, allow=("127.0.0.0/8",)), guarded(pbx, allow=("192.0.2.0/24",))
    with Raw(fresh_ip, "tls", own=pbx.files) as sip:
        assert passes(invite(sip, here.uri()))
        refused(sip, elsewhere, "32201")
    with Raw(fresh_ip, "tls") as nobody:
        refused(nobody, here)


def test_with_credentials_both_are_needed(guarded, fresh_ip, pbx):
    domain = guarded(pbx, users=("alice",))
    with Raw(fresh_ip, "tls", own=pbx.files) as sip:
        challenged = invite(sip, domain.uri())
        assert challenged.status == 407
        login = answer(challenge(challenged, "SHA-256"), "INVITE", domain.uri(), "alice", PASSWORD)
        assert passes(invite(sip, domain.uri(), [login]))
    with Raw(fresh_ip, "tls") as nobody:
        refused(nobody, domain)  # and is not asked for a password


def test_the_account_is_told_of_who_was_refused(guarded, rest, fresh_ip, pbx):
    domain = guarded(pbx)
    with Raw(fresh_ip, "tls") as nobody:
        refused(nobody, domain)
    told = stack.wait_for(lambda: [n for n in rest.notifications(32200) if domain.name in str(n)], 5, "the Notification")
    assert "Insufficient permissions" in told[0]["message_text"].replace("+", " ") and "SipTransport=tls" in told[0]["message_text"], told
