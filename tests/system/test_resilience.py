"""Each process goes away and comes back: the others stay, callers get an answer, nothing stored is lost, counters return to idle."""
import time

import pytest
import requests

from kit import g711, stack
from kit.callee import next_call
from kit.metrics import Page
from kit.rest import API
from kit.twiml import doc
from kit.webapp import Reply
from test_dial import talk


@pytest.fixture
def gone():
    """gone(service) kills it; it is started again, and healthy, when the test ends."""
    killed = []

    def kill(service):
        killed.append(service)
        stack.run("docker", "kill", "-s", "KILL", stack.container(service))

    yield kill
    for service in killed:
        stack.run("docker", "start", stack.container(service))
    for service in killed:
        stack.wait_for(lambda: stack.healthy(service), 60, f"{service} healthy again")


def back(service):
    stack.run("docker", "start", stack.container(service))
    stack.wait_for(lambda: stack.healthy(service), 60, f"{service} healthy again")


def one_call_works(phones, domain):
    call = phones().invite(domain.uri())
    assert call.wait_final(20).status == 200
    call.rtp.wait_audio(0.2)
    call.bye()


@pytest.fixture
def domain(web, domains):
    return domains(web.serve("/v", doc('<Say loop="20">I am still here.</Say>')))


def test_without_hookswitchd_callers_get_503_at_once(phones, domain, gone):
    one_call_works(phones, domain)
    gone("control")
    stack.wait_for(lambda: not stack.hookswitchds(), what="Kamailio notices")
    started = time.monotonic()
    refused = phones().invite(domain.uri()).wait_final()
    assert refused.status == 503 and refused.get("Retry-After") and time.monotonic() - started < 1
    back("control")
    one_call_works(phones, domain)


def test_a_call_that_waits_for_its_document_is_answered_when_hookswitchd_dies(phones, web, domains, gone):
    domain = domains(web.serve("/slow", Reply(doc("<Say>x</Say>"), delay=10)))
    call = phones().invite(domain.uri())
    call.wait_response(180)
    web.wait("/slow")
    gone("control")
    assert call.wait_final(15).status in (500, 503)
    back("control")


def test_calls_that_a_crash_cut_off_are_closed_at_the_next_start(phones, domain, rest, gone, web):
    assert phones().invite(domain.uri()).wait_final().status == 200
    sid = web.wait("/v").params["CallSid"]
    rest.call_in(sid, "in-progress")
    gone("control")
    back("control")
    row = rest.get(f"/Calls/{sid}.json")
    assert row["status"] == "completed" and row["end_time"] and row["duration"] is not None


@pytest.mark.parametrize("service, dependency", [("postgres", "database"), ("kamailio", "kamailio"), ("rtpengine", "rtpengine")])
def test_a_dependency_that_is_away_is_named_and_the_metrics_are_still_there(gone, service, dependency):
    def state():
        r = requests.get(API + "/readyz", timeout=15)
        return r.status_code, r.json()

    gone(service)
    stack.wait_for(lambda: Page()("hookswitch_dependency_up", dependency=dependency) == 0, 15, f"{dependency} down in the metrics")
    status, body = stack.wait_for(lambda: state() if state()[0] == 503 else None, 15, f"{dependency} down in /readyz")
    assert status == 503 and body["status"] == "unavailable" and body["away"].split() == [dependency]
    assert body["dependencies"] == {d: "down" if d == dependency else "up" for d in ("database", "kamailio", "rtpengine")}
    back(service)
    stack.wait_for(lambda: Page()("hookswitch_dependency_up", dependency=dependency) == 1, 15, f"{dependency} up in the metrics")
    stack.wait_for(lambda: state()[0] == 200, 15, f"{dependency} up in /readyz")


def test_a_database_that_restarts_loses_no_call_and_no_row(phones, domain, rest, gone, web):
    call = phones().invite(domain.uri())
    assert call.wait_final().status == 200
    sid = web.wait("/v").params["CallSid"]
    gone("postgres")
    time.sleep(0.5)
    mark = time.monotonic()
    assert call.bye().status == 200
    assert g711.loud_seconds(call.rtp.audio(mark - 0.5)) > 0, "the prompt stopped with the database"
    back("postgres")
    row = rest.call_in(sid, "completed", 30)
    assert row["duration"] is not None
    one_call_works(phones, domain)


def test_rtpengine_gone_refuses_new_calls_and_comes_back(phones, domain, gone):
    gone("rtpengine")
    assert phones().invite(domain.uri()).wait_final(15).status in (500, 503)
    back("rtpengine")
    one_call_works(phones, domain)


def test_kamailio_gone_and_back(phones, domain, gone):
    gone("kamailio")
    back("kamailio")

    def works():
        call = phones().invite(domain.uri())
        try:
            return call.wait_final(5).status == 200
        except AssertionError:
            return False
        finally:
            call.abandon()

    stack.wait_for(works, 30, "calls as before")


def test_after_many_calls_every_counter_is_back_to_idle(phones, web, domains):
    domain = domains(web.serve("/v", doc("<Say>Hi</Say>")))
    phone = phones()
    for _ in range(4):
        calls = [phone.invite(domain.uri()) for _ in range(15)]
        for n, call in enumerate(calls):
            if n % 3 == 0:
                call.cancel()
            assert call.wait_final(20).status in (200, 487)
        for call in calls:
            if call.answer is not None:
                call.wait_request("BYE", timeout=20)
    stack.wait_for(lambda: stack.kamailio_transactions() == 0, 60, "no transactions left")
    sessions = stack.run("docker", "exec", stack.container("rtpengine"), "rtpengine-ctl", "-ip", "127.0.0.1", "-port", "2224", "list",
                         "numsessions")
    assert "Current sessions own: 0" in " ".join(sessions.split()), sessions


def test_callbacks_that_were_not_delivered_come_after_a_restart_in_their_order(phones, rest, web, gone):
    bob = phones(user="bob")
    web.serve("/cs", Reply("", delay=30))
    row = rest.post("/Calls.json", To=f"sip:bob@{bob.ip}:{bob.port}", From="alice", Twiml="<Response><Pause length='30'/></Response>",
                    StatusCallback=web.url + "/cs", StatusCallbackEvent=["initiated", "ringing", "answered"])
    callee = next_call(bob)
    callee.ring()
    rest.call_in(row["sid"], "ringing")
    callee.take()
    rest.call_in(row["sid"], "in-progress")
    web.wait("/cs")
    assert len(web.seen("/cs")) == 1, "those behind it wait for the first"
    gone("control")
    web.serve("/cs", Reply(""))
    back("control")
    got = stack.wait_for(lambda: len(web.seen("/cs")) >= 4 and web.seen("/cs"), 20, "three callbacks after the restart")
    assert [(r.params["CallStatus"], r.params["SequenceNumber"]) for r in got[1:]] == [("initiated", "0"), ("ringing", "1"), ("in-progress", "2")]
    assert all(r.params["CallSid"] == row["sid"] for r in got)
    time.sleep(1)
    assert len(web.seen("/cs")) == 4, "delivered once"


@pytest.mark.parametrize("signal", ["KILL", "TERM"])
def test_bridged_parties_talk_on_over_a_restart_and_hang_each_other_up(phones, web, domains, gone, rest, signal):
    bob = phones(user="bob")
    alice = phones().invite(domains(web.serve("/v", doc(f"<Dial><Sip>sip:bob@{bob.ip}:{bob.port}</Sip></Dial>"))).uri())
    callee = next_call(bob)
    callee.take()
    talk(alice, callee)
    child, sid = callee.invite.get("X-Twilio-CallSid"), web.wait("/v").params["CallSid"]
    if signal == "KILL":
        gone("control")
    else:
        stack.run("docker", "stop", "-t", "20", stack.container("control"))
    talk(alice, callee)
    back("control")
    talk(alice, callee)
    assert not [m for one in (alice, callee) for m in one.requests if m.method == "BYE"]
    assert rest.get(f"/Calls/{sid}.json")["status"] == "in-progress"
    assert alice.reinvite("sendonly").status == 200
    shown = callee.wait_request("INVITE")
    assert "a=sendonly" in shown.body.decode()
    bob.reply(shown, 200, "OK", [f"Contact: {bob.contact}", "Content-Type: application/sdp"], callee.sdp("recvonly"))
    assert callee.bye().status == 200
    alice.wait_request("BYE")
    for one in (sid, child):
        row = rest.call_in(one, "completed")
        assert int(row["duration"]) >= 1
