"""Several hookswitchd processes on one node (HOOKSWITCHD_PROCESSES=2 here): every call stays with its process, whichever of them REST or RTPengine meets."""
import time

import pytest

from kit import g711, stack
from kit.callee import next_call
from kit.metrics import Page
from kit.twiml import doc
from kit.webapp import Reply
from test_dial import talk

PROCESSES = 2


def process_of(sid):
    return int(sid[2], 16) % PROCESSES


def pids():
    """{number: pid in the container}"""
    names = stack.run("docker", "exec", stack.container("control"), "sh", "-c", 'grep -H "^hookswitchd/" /proc/[0-9]*/comm || true')
    return {int(line.rpartition("/")[2]): int(line.split("/")[2]) for line in names.splitlines()}


def kill(number, signal="KILL"):
    stack.run("docker", "exec", stack.container("control"), "sh", "-c", f"kill -{signal} {pids()[number]}")


def all_there():
    stack.wait_for(lambda: stack.hookswitchds() == "01", 30, "both processes connected")


@pytest.fixture
def calls(phones, web, domains):
    """calls(n): answered calls that hear a tone; each has its sid and that of its process."""
    domain = domains(web.serve("/v", doc('<Say loop="50">I am still here.</Say>')), VoiceStatusCallbackUrl=web.serve("/sc", doc("")))

    def make(n):
        made = []
        for _ in range(n):
            call = phones().invite(domain.uri())
            assert call.wait_final().status == 200
            call.sid = web.seen("/v")[-1].params["CallSid"]
            call.process = process_of(call.sid)
            made.append(call)
        return made

    make.domain = domain
    return make


@stack.in_all_processes
def test_new_calls_take_turns_and_each_dialog_stays_with_its_process(calls):
    made = calls(6)
    assert sorted(c.process for c in made) == [0, 0, 0, 1, 1, 1]
    for call in made:
        call.rtp.wait_audio(0.2)
        assert call.reinvite().status == 200
        assert call.bye().status == 200


@stack.in_all_processes
def test_rest_reaches_a_call_of_any_process(calls, rest):
    for call in calls(8):
        assert rest.post(f"/Calls/{call.sid}.json", Status="completed")["status"] == "completed"
        call.wait_request("BYE")


@stack.in_all_processes
def test_bad_twiml_for_a_call_of_any_process_is_refused_with_its_code(calls, rest):
    for call in calls(8):
        r = rest.call("POST", f"/Calls/{call.sid}.json", Twiml="<Response><Say>")
        assert r.status_code == 400 and r.json()["code"] == 12100
        call.bye()
        stack.wait_for(lambda: rest.get(f"/Calls/{call.sid}.json")["status"] == "completed")
        assert rest.call("POST", f"/Calls/{call.sid}.json", Status="completed").json()["code"] == 21220


@stack.in_all_processes
def test_digits_reach_the_process_of_their_call(phones, web, domains):
    web.serve("/done", doc("<Hangup/>"))
    domain = domains(web.serve("/v", doc('<Gather action="/done" numDigits="2" timeout="20"/>')))
    for n in range(8):
        call = phones().invite(domain.uri())
        assert call.wait_final().status == 200
        call.press(f"{n}7")
        assert web.wait("/done", count=n + 1).params["Digits"] == f"{n}7"
        call.wait_request("BYE")


@stack.in_all_processes
def test_a_change_of_rest_is_seen_by_all_processes_at_once(calls, phones, web):
    for n in range(4):
        calls.domain.update(VoiceUrl=web.serve(f"/new{n}", doc("<Reject reason=\"busy\"/>")))
        for k in range(4):
            assert phones().invite(calls.domain.uri()).wait_final().status == 486
        assert len(web.seen(f"/new{n}")) == 4


def test_the_metrics_are_of_all_processes(calls):
    before = Page()("hookswitch_calls_started_total", direction="inbound")
    made = calls(6)

    def shown():
        page = Page()
        return page("hookswitch_calls_started_total", direction="inbound") - before, page("hookswitch_calls_active")

    for _ in range(8):
        assert shown() == (6, 6)
    for call in made:
        call.bye()
    stack.wait_for(lambda: shown() == (6, 0), what="no calls")


@stack.in_all_processes
def test_a_process_that_dies_takes_its_own_calls_along_and_no_others(calls, phones, web, rest):
    made = calls(4)
    lost, kept = ([c for c in made if c.process == n] for n in (1, 0))
    assert len(lost) == len(kept) == 2
    old = pids()
    kill(1)
    mark = time.monotonic()
    stack.wait_for(lambda: stack.hookswitchds() == "0", what="Kamailio notices")
    # New ones go to the other, without a pause.
    assert [c.process for c in calls(2)] == [0, 0]
    for call in kept:
        stack.wait_for(lambda: g711.loud_seconds(call.rtp.audio(mark)) > 0.3, what="the prompt goes on")
        assert call.bye().status == 200
    all_there()
    assert pids()[0] == old[0] and pids()[1] != old[1]
    for call in lost:
        row = rest.call_in(call.sid, "completed", 20)
        assert row["end_time"] and row["duration"] is not None
        assert call.bye().status == 481
    stack.wait_for(lambda: {c.sid for c in lost + kept} <= {r.params["CallSid"] for r in web.seen("/sc")}, 20, "status callbacks of all")
    assert sorted(c.process for c in calls(2)) == [0, 1]


@stack.in_one_process
def test_the_calls_of_an_account_are_in_one_process(calls, phones, rest):
    own = process_of("CA" + rest.session.auth[0][2:])
    assert [c.process for c in calls(4)] == [own] * 4
    bob = phones(user="bob")
    # Either process may get the request.
    for _ in range(8):
        rest.session.close()
        sid = rest.post("/Calls.json", To=f"sip:bob@{bob.ip}:{bob.port}", From="alice", Twiml="<Response><Pause length='30'/></Response>")["sid"]
        assert process_of(sid) == own
        called = next_call(bob)
        assert called.invite.get("X-Twilio-CallSid") == sid
        called.take()
        rest.call_in(sid, "in-progress")
        rest.post(f"/Calls/{sid}.json", Status="completed")
        called.wait_request("BYE")


@stack.in_one_process
def test_while_the_process_of_an_account_is_away_the_others_take_its_calls(calls, rest):
    own = process_of("CA" + rest.session.auth[0][2:])
    kill(own)
    stack.wait_for(lambda: stack.hookswitchds() == str(1 - own), what="Kamailio notices")
    assert [c.process for c in calls(2)] == [1 - own] * 2
    all_there()
    assert [c.process for c in calls(2)] == [own] * 2


@stack.in_all_processes
def test_a_call_that_waits_for_its_document_is_answered_when_its_process_dies(phones, web, domains):
    domain = domains(web.serve("/slow", Reply(doc("<Say>x</Say>"), delay=8)))
    waiting = {}
    for n in (1, 2):
        call = phones().invite(domain.uri())
        waiting[process_of(web.wait("/slow", n).params["CallSid"])] = call
    kill(1)
    refused = waiting[1].wait_final(3)
    assert refused.status == 503 and refused.get("Retry-After")
    assert waiting[0].wait_final(15).status == 200
    all_there()


@stack.in_all_processes
def test_a_bridge_goes_on_while_its_process_is_away(phones, web, domains, wav):
    for wanted in range(PROCESSES):
        callee = phones(user="bob", ip="127.0.0.2")
        domain = domains(web.serve("/v", doc(f"<Dial><Sip>sip:bob@{callee.ip}:{callee.port}</Sip></Dial>")))
        while True:
            caller = phones().invite(domain.uri())
            called = next_call(callee)
            called.take()
            assert caller.wait_final().status == 200
            sid = web.seen("/v")[-1].params["CallSid"]
            if process_of(sid) == wanted:
                break
            caller.bye()
        talk(caller, called)
        # All of it stays together, also among another number of processes.
        assert called.invite.get("X-Twilio-CallSid")[2] == sid[2]
        assert called.invite.tag("From")[3] == caller.answer.tag("To")[3] == sid[2]
        kill(wanted)
        talk(caller, called)
        all_there()
        talk(caller, called)
        assert caller.bye().status == 200
        called.wait_request("BYE")


def test_all_processes_end_with_the_supervisor():
    ended = stack.container("control")
    stack.run("docker", "stop", "-t", "20", ended)
    try:
        assert stack.run("docker", "inspect", "-f", "{{.State.ExitCode}}", ended).strip() == "0"
        stack.wait_for(lambda: not stack.hookswitchds(), 5, "Kamailio knows of none")
    finally:
        stack.run("docker", "start", ended)
        stack.wait_for(lambda: stack.healthy("control"), 60, "healthy again")
    all_there()
