"""What an account's state and its lists mean for calls (sip-and-rest.md §1.10, §3.2)."""
import pytest

from kit import stack
from kit.rest import API, Rest
from kit.twiml import doc
from kit.webapp import signature


@pytest.fixture
def subaccount(rest):
    """A subaccount, through its owner; closed when the test ends, which is what becomes of accounts."""
    made = rest.session.post(f"{API}/2010-04-01/Accounts.json", data={"FriendlyName": "test"}, timeout=30).json()
    own = Rest(made["sid"], made["auth_token"])

    def status(value):
        answer = rest.session.post(f"{API}/2010-04-01/Accounts/{made['sid']}.json", data={"Status": value}, timeout=30)
        assert answer.status_code == 200, answer.text
    own.status = status
    yield own
    status("closed")


def test_the_domains_of_an_account_that_is_not_active_refuse_with_10001(subaccount, phones):
    domain = subaccount.domain()

    def call():
        return phones().invite(domain.uri()).wait_final()

    def refused():
        answer = call()
        return answer.status == 603 and (answer.get("X-Twilio-Error") or "").startswith("10001 ")

    assert call().status != 603
    subaccount.status("suspended")
    stack.wait_for(refused, what="603 of a suspended account")
    subaccount.status("active")
    stack.wait_for(lambda: call().status != 603, what="calls of an account that is active again")
    subaccount.status("closed")
    stack.wait_for(refused, what="603 of a closed account")


def test_webhooks_are_signed_with_the_primary_token_while_tokens_are_rotated(subaccount, phones, web):
    """A secondary token opens REST beside the primary; from its promotion on webhooks are signed with it, and the old one opens nothing."""
    first, sid = subaccount.session.auth[1], subaccount.session.auth[0]
    domain = subaccount.domain(web.serve("/v", doc("<Hangup/>")))

    def signed_with(token):
        n = len(web.seen("/v"))
        phones().invite(domain.uri())
        asked = web.wait("/v", n + 1)
        return asked.headers["X-Twilio-Signature"] == signature(token, web.url + "/v", asked.params)

    def opens(token):
        return Rest(sid, token).call("GET", "/SIP/Domains.json").status_code == 200

    def tokens(method, path):
        answer = subaccount.session.request(method, f"{API}/v1/AuthTokens/{path}", timeout=30)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    assert signed_with(first)
    second = tokens("POST", "Secondary")["secondary_auth_token"]
    assert opens(first) and opens(second) and signed_with(first)
    assert tokens("POST", "Promote")["auth_token"] == second
    subaccount.session.auth = (sid, second)
    assert opens(second) and not opens(first)
    assert signed_with(second)
