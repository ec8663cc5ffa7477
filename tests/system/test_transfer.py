"""Parties of a <Dial> transfer each other by REFER (sip-and-rest.md §4.2)."""
import time

import pytest

from kit import stack
from kit.callee import next_call
from kit.twiml import doc
from test_dial import bob, carol, dial, hears, sip, talk  # noqa: F401 (fixtures)


def refer(call, to):
    return call.wait_response(range(200, 700), "REFER", cseq=call.in_dialog("REFER", headers=[f"Refer-To: {to}"]))


def fragments(call, n):
    """What the party's NOTIFYs say, n of them."""
    call.wait_request("NOTIFY", n)
    got = [m for m in call.requests if m.method == "NOTIFY"]
    assert {m.get("Event") for m in got} == {"refer"} and got[-1].get("Subscription-State").startswith("terminated")
    return [m.body.decode().split()[1] for m in got]


@pytest.mark.parametrize("who", ["party", "caller"])
def test_a_blind_transfer_gives_the_other_the_document_of_refer_url(dial, bob, carol, web, who):
    web.serve("/r", doc(f"<Dial>{sip(carol)}</Dial>"))
    alice = dial(f'<Dial referUrl="/r" action="{web.serve("/d", doc(""))}">{sip(bob)}</Dial>')
    callee = next_call(bob)
    callee.take()
    talk(alice, callee)
    transferor, stays = (callee, alice) if who == "party" else (alice, callee)
    target = "<sip:carol@example.com?X-Reason=busy>"
    assert refer(transferor, target).status == 202
    assert fragments(transferor, 2) == ["100", "200"]
    transferor.wait_request("BYE")
    p = web.wait("/r").params
    assert p["ReferTransferTarget"] == target and p["CallStatus"] == "in-progress"
    assert p["CallSid"] == (dial.sid() if who == "party" else callee.invite.get("X-Twilio-CallSid"))
    third = next_call(carol)
    third.take()
    talk(stays, third)
    assert not web.seen("/d")
    third.bye()
    stays.wait_request("BYE")


def connected(dial, bob, web, action=None):
    """Alice and bob talk in a <Dial> that keeps a transferor."""
    more = f' action="{action}"' if action else ""
    alice = dial(f'<Dial answerOnBridge="true" referUrl="/r"{more}>{sip(bob)}</Dial>')
    callee = next_call(bob)
    callee.take()
    talk(alice, callee)
    return alice, callee


@pytest.mark.parametrize("who", ["party", "caller"])
def test_with_answer_on_bridge_the_transferor_stays_until_the_target_answers(dial, bob, carol, web, who):
    web.serve("/r", doc(f"<Dial>{sip(carol)}</Dial>"))
    alice, callee = connected(dial, bob, web)
    transferor, stays = (callee, alice) if who == "party" else (alice, callee)
    assert refer(transferor, "<sip:carol@example.com>").status == 202
    third = next_call(carol)
    third.ring()
    transferor.wait_request("NOTIFY")
    time.sleep(1)
    assert not [m for m in transferor.requests if m.method == "BYE"]
    third.take()
    talk(stays, third)
    assert fragments(transferor, 2) == ["100", "200"]
    transferor.wait_request("BYE")
    third.bye()
    stays.wait_request("BYE")


@pytest.mark.parametrize("why", ["busy", "unreachable", "no document"])
@pytest.mark.parametrize("who", ["party", "caller"])
def test_a_transfer_that_fails_brings_the_two_together_again(dial, bob, carol, web, who, why):
    if why != "unreachable":
        web.serve("/r", doc(f"<Dial>{sip(carol)}</Dial>") if why == "busy" else "nothing")
    alice, callee = connected(dial, bob, web, web.serve("/d", doc("<Pause length='10'/>")))
    transferor = callee if who == "party" else alice
    assert refer(transferor, "<sip:carol@example.com>").status == 202
    if why == "busy":
        next_call(carol).respond(486, "Busy Here")
    assert fragments(transferor, 2) == ["100", "503"]
    talk(alice, callee)
    assert not [m for m in alice.requests if m.method == "INVITE"]
    callee.bye()
    assert web.wait("/d").params["DialCallStatus"] == "completed"
    alice.bye()


def test_a_transferor_who_does_not_wait_leaves_the_other_with_the_target(dial, bob, carol, web):
    web.serve("/r", doc(f"<Dial>{sip(carol)}</Dial>"))
    alice, callee = connected(dial, bob, web)
    assert refer(alice, "<sip:carol@example.com>").status == 202
    alice.bye()
    third = next_call(carol)
    third.take()
    talk(callee, third)
    callee.bye()
    third.wait_request("BYE")


def test_T64_without_refer_url_the_conversation_continues(dial, bob, rest):
    alice = dial(f"<Dial>{sip(bob)}</Dial>")
    callee = next_call(bob)
    callee.take()
    talk(alice, callee)
    assert refer(alice, "<sip:carol@example.com>").status == 603
    stack.wait_for(lambda: rest.notifications(13802, dial.sid()), what="notification 13802")
    talk(alice, callee)


@pytest.mark.parametrize("headers", [[], ["Refer-To: <sip:a@example.com>", "Refer-To: <sip:b@example.com>"], ["Refer-To: <sip:a@example.com;x=" + "y" * 256 + ">"]])
def test_a_refer_that_says_no_one_place_is_refused(dial, bob, headers):
    alice = dial(f'<Dial referUrl="/r">{sip(bob)}</Dial>')
    next_call(bob).take()
    alice.wait_final()
    assert alice.wait_response(range(200, 700), "REFER", cseq=alice.in_dialog("REFER", headers=headers)).status == 400


@stack.in_one_process
def test_an_attended_transfer_joins_the_two_that_were_called(dial, bob, carol, phones, web, domains, rest):
    first = dial(f'<Dial referUrl="/r">{sip(bob)}</Dial>')
    called = next_call(bob)
    called.take()
    talk(first, called)
    # Alice puts bob on hold, calls carol, and then connects them.
    alice = first.phone
    first.reinvite("sendonly")
    shown = called.wait_request("INVITE")
    bob.reply(shown, 200, "OK", [f"Contact: {bob.contact}", "Content-Type: application/sdp"], called.sdp("recvonly"))
    second = alice.invite(domains(web.serve("/v2", doc(f"<Dial>{sip(carol)}</Dial>"))).uri())
    consulted = next_call(carol)
    consulted.take()
    talk(second, consulted)
    replaces = f"{second.call_id}%3Bto-tag%3D{second.answer.tag('To')}%3Bfrom-tag%3D{second.from_tag}"
    assert refer(first, f"<sip:carol@example.com?Replaces={replaces}>").status == 202
    assert fragments(first, 2) == ["100", "200"]
    for leg in (first, second):
        leg.wait_request("BYE")
    again = called.wait_request("INVITE", 2)  # off hold
    assert "a=sendrecv" in again.body.decode()
    bob.reply(again, 200, "OK", [f"Contact: {bob.contact}", "Content-Type: application/sdp"], called.sdp())
    time.sleep(0.3)
    talk(called, consulted)
    called.bye()
    consulted.wait_request("BYE")
    rest.call_in(consulted.invite.get("X-Twilio-CallSid"), "completed")


def test_replaces_of_a_stranger_is_refused(dial, bob, rest):
    alice = dial(f'<Dial referUrl="/r">{sip(bob)}</Dial>')
    callee = next_call(bob)
    callee.take()
    talk(alice, callee)
    assert refer(alice, "<sip:carol@example.com?Replaces=no%3Bto-tag%3Da%3Bfrom-tag%3Db>").status == 603
    talk(alice, callee)
