"""https webhooks: the certificate's chain and name are checked, with the system's authorities and those of WEBHOOK_CA_FILE."""
import pytest

from kit import stack
from kit.twiml import doc
from kit.webapp import WebApp


@pytest.fixture
def https():
    made = []

    def make(cert):
        made.append(WebApp(cert=cert))
        return made[-1]

    yield make
    for app in made:
        app.close()


def test_an_application_with_a_good_certificate_is_asked(phone, domains, https):
    web = https("here")
    web.serve("/next", doc("<Hangup/>"))
    call = phone.invite(domains(web.serve("/v", doc("<Redirect>/next</Redirect>"))).uri())
    assert call.wait_final().status == 200
    assert web.wait("/next").params["CallSid"] == web.wait("/v").params["CallSid"]
    call.wait_request("BYE")


@pytest.mark.parametrize("cert, code", [("other", 11235), ("stranger", 11237)])
def test_another_name_or_no_chain_is_refused_before_anything_is_sent(phone, web, domains, rest, https, cert, code):
    far = https(cert)
    phone.invite(domains(web.serve("/v", doc(f"<Redirect>{far.url}/next</Redirect>"))).uri())
    sid = web.wait("/v").params["CallSid"]
    stack.wait_for(lambda: rest.call("GET", f"/Calls/{sid}.json").status_code == 200, what="the call's row")
    stack.wait_for(lambda: rest.notifications(code, sid), what=f"a Notification {code}; there are {rest.notifications(call_sid=sid)}")
    assert not far.requests
