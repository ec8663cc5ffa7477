"""Status callbacks outlive hookswitchd (docs/adr/0018-durable-callbacks.md)."""
import pytest

from kit import stack
from kit.callee import next_call
from kit.metrics import Page
from kit.rest import TOKEN
from kit.twiml import doc
from kit.webapp import Reply, signature


@pytest.fixture
def restart():
    """restart(between) kills hookswitchd, runs between, and starts it again."""
    def do(between=lambda: None):
        stack.run("docker", "kill", "-s", "KILL", stack.container("control"))
        try:
            between()
        finally:
            stack.run("docker", "start", stack.container("control"))
            stack.wait_for(lambda: stack.healthy("control"), 60, "control healthy again")
    return do


@pytest.fixture
def call(rest, phones, web):
    """A call to bob that he answered; it tells /cs of everything, which says nothing."""
    bob = phones(user="bob")
    web.serve("/cs", Reply("", delay=120))
    row = rest.post("/Calls.json", To=f"sip:bob@{bob.ip}:{bob.port}", From="alice", Url=web.serve("/o", doc("<Pause length='60'/>")),
                    StatusCallback=web.url + "/cs", StatusCallbackEvent="initiated ringing answered completed")
    call = next_call(bob)
    call.ring()
    rest.call_in(row["sid"], "ringing")
    call.take()
    rest.call_in(row["sid"], "in-progress")
    call.sid = row["sid"]
    return call


def told(requests):
    return [(r.params["CallStatus"], r.params["SequenceNumber"]) for r in requests]


def rows_written():
    stack.wait_for(lambda: Page()("hookswitch_store_queue_rows") == 0, what="all rows written")


def test_callbacks_that_a_crash_left_undelivered_come_in_order_as_they_were(web, rest, call, restart):
    assert call.bye().status == 200
    rest.call_in(call.sid, "completed")
    before = web.wait("/cs")
    stack.wait_for(lambda: Page()("hookswitch_status_callbacks_waiting") == 4, what="four callbacks undelivered")
    rows_written()
    restart(lambda: web.serve("/cs", Reply("", 204)))
    web.wait("/cs", 5)
    again = web.seen("/cs")[1:]
    assert told(again) == [("initiated", "0"), ("ringing", "1"), ("in-progress", "2"), ("completed", "3")]
    assert again[0].params == before.params
    assert again[0].headers["I-Twilio-Idempotency-Token"] == before.headers["I-Twilio-Idempotency-Token"]
    assert len({r.headers["I-Twilio-Idempotency-Token"] for r in again}) == 4
    for r in again:
        assert r.headers["X-Twilio-Signature"] == signature(TOKEN, web.url + "/cs", r.params)
    stack.wait_for(lambda: Page()("hookswitch_status_callbacks_waiting") == 0, what="all delivered")
    rows_written()
    restart()
    assert len(web.seen("/cs")) == 5, "what was delivered was told again"


def test_a_call_that_a_crash_cut_off_is_told_to_be_completed(web, rest, call, restart):
    web.serve("/cs", Reply("", 204))
    # The first is on the way and is never answered; after the restart all come.
    rows_written()
    restart()
    rest.call_in(call.sid, "completed")
    web.wait("/cs", 5)
    again = web.seen("/cs")[1:]
    assert told(again) == [("initiated", "0"), ("ringing", "1"), ("in-progress", "2"), ("completed", "3")]
    last, row = again[3], rest.get(f"/Calls/{call.sid}.json")
    assert last.params["CallDuration"] == row["duration"]
    assert set(again[2].params) | {"CallDuration", "Duration"} == set(last.params)
    assert last.headers["X-Twilio-Signature"] == signature(TOKEN, web.url + "/cs", last.params)
