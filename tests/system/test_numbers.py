"""Calls to an account's phone numbers at its SIP gateway, the SIP domain whose name is the account's SID."""
import secrets

import pytest

from kit import stack
from kit.rest import BASE_DOMAIN, API, Rest
from kit.twiml import doc
from kit.webapp import Reply


@pytest.fixture
def gateway(rest):
    """A subaccount with its gateway; the subaccount is closed when the test ends."""
    made = rest.session.post(f"{API}/2010-04-01/Accounts.json", data={"FriendlyName": "numbers"}, timeout=30).json()
    own = Rest(made["sid"], made["auth_token"])
    own.gateway = own.domain(name=made["sid"].lower())
    yield own
    rest.session.post(f"{API}/2010-04-01/Accounts/{made['sid']}.json", data={"Status": "closed"}, timeout=30)


def number(account, **form):
    return account.post("/IncomingPhoneNumbers.json", PhoneNumber=f"+1415{secrets.randbelow(10 ** 7):07}", **form)


def heard(web, path, phone, uri, **options):
    """The webhook that a call to uri leads to, when the call has ended."""
    call = phone.invite(uri, **options)
    assert call.wait_final().status == 200
    hook = web.wait(path)
    call.wait_request("BYE")
    return hook.params


def test_a_number_runs_its_voice_url_and_is_who_is_called(gateway, phones, web):
    own = number(gateway, VoiceUrl=web.serve("/number", doc("<Pause length='0'/><Say>Hi</Say>")),
                 StatusCallback=web.serve("/over", Reply("")))
    p = heard(web, "/number", phones(), gateway.gateway.uri(own["phone_number"]), from_uri="sip:+442071838750@pbx.example.com")
    assert p["To"] == p["Called"] == own["phone_number"]
    assert p["From"] == p["Caller"] == "+442071838750"
    assert web.wait("/over").params["CallStatus"] == "completed"
    row = gateway.call_in(p["CallSid"], "completed")
    assert (row["to"], row["from"], row["phone_number_sid"]) == (own["phone_number"], "+442071838750", own["sid"])


def test_the_application_of_a_number_goes_before_its_own_urls(gateway, phones, web):
    say = doc("<Say>Hi</Say>")
    app = gateway.post("/Applications.json", FriendlyName="a", VoiceUrl=web.serve("/app", say))
    own = number(gateway, VoiceUrl=web.serve("/number", say), VoiceApplicationSid=app["sid"])
    uri = gateway.gateway.uri(own["phone_number"])
    p = heard(web, "/app", phones(), uri, from_uri="sip:bob@pbx.example.com")
    assert p["From"].startswith("sip:bob@"), "a caller without a number is a SIP URI"
    assert not web.seen("/number")
    gateway.post(f"/Applications/{app['sid']}.json", VoiceUrl=web.serve("/app2", say))
    heard(web, "/app2", phones(), uri)
    gateway.delete(f"/Applications/{app['sid']}.json")
    heard(web, "/number", phones(), uri)


def test_what_is_no_number_of_the_account_is_the_gateways_own(gateway, phones, web, rest):
    gateway.gateway.update(VoiceUrl=web.serve("/gateway", doc("<Say>Hi</Say>")))
    foreign = rest.post("/IncomingPhoneNumbers.json", PhoneNumber=f"+1416{secrets.randbelow(10 ** 7):07}",
                        VoiceUrl=web.serve("/foreign", doc("<Say>No</Say>")))
    try:
        p = heard(web, "/gateway", phones(), gateway.gateway.uri(foreign["phone_number"]))
        assert p["To"] == gateway.gateway.uri(foreign["phone_number"])
        assert not web.seen("/foreign")
    finally:
        rest.delete(f"/IncomingPhoneNumbers/{foreign['sid']}.json")


def test_at_another_domain_of_the_account_a_number_is_a_user_as_any(gateway, phones, web):
    own = number(gateway, VoiceUrl=web.serve("/number", doc("<Say>No</Say>")))
    other = gateway.domain(web.serve("/domain", doc("<Say>Hi</Say>")))
    p = heard(web, "/domain", phones(), other.uri(own["phone_number"]))
    assert p["To"] == other.uri(own["phone_number"]) and not web.seen("/number")


def test_a_number_without_a_voice_url_refuses_and_says_so(gateway, phones):
    own = number(gateway)
    assert phones().invite(gateway.gateway.uri(own["phone_number"])).wait_final().status == 404
    note = stack.wait_for(lambda: gateway.notifications(11321), what="notification 11321")[0]
    assert "number" in note["message_text"]


def test_no_other_account_has_the_name_of_the_gateway(gateway, rest):
    rest.delete(f"/SIP/Domains/{gateway.gateway.sid}.json", expect=404)
    made = rest.session.post(f"{API}/2010-04-01/Accounts.json", data={"FriendlyName": "other"}, timeout=30).json()
    try:
        r = rest.call("POST", "/SIP/Domains.json", DomainName=f"{made['sid'].lower()}.{BASE_DOMAIN}")
        assert r.status_code == 400 and r.json()["code"] == 21231, r.text
    finally:
        rest.session.post(f"{API}/2010-04-01/Accounts/{made['sid']}.json", data={"Status": "closed"}, timeout=30)
