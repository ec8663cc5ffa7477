"""Media from strangers: what is injected is not heard, nothing is led away, garbage does no harm (docs/hostile-internet.md)."""
import random
import struct
import time

import numpy as np
import pytest

from kit import g711, stack
from kit.callee import next_call
from kit.rtp import RtpPeer
from kit.twiml import doc, tone_of

from test_dial import bob, dial, hears, sip, talk  # noqa: F401

LEARNING_S = 4.3  # RTPengine learns where a party sends from until then, in whole seconds


@pytest.fixture
def intruder():
    peers = []

    def make(ip="127.0.80.1"):
        peers.append(RtpPeer(ip))
        return peers[-1]
    yield make
    for peer in peers:
        peer.close()


@pytest.fixture
def bridged(dial, bob):  # noqa: F811
    alice = dial(f"<Dial>{sip(bob)}</Dial>")
    callee = next_call(bob)
    callee.take()
    talk(alice, callee)
    begun = time.monotonic()
    stack.wait_for(lambda: time.monotonic() - begun > LEARNING_S, 10, "the end of learning")
    return alice, callee


def spectrum(pcm, hz):
    """How much of the sound is that tone, 0 to 1."""
    pcm = pcm.astype(float)
    power = abs(np.fft.rfft(pcm)) ** 2
    at = int(round(hz * len(pcm) / g711.RATE))
    return power[max(at - 3, 0):at + 4].sum() / max(power.sum(), 1.0)


def intrude(stranger, call, hz=2200, seconds=1.5):
    """Sends a loud tone at the port where the call's media is expected; returns when it began."""
    stranger.say(g711.tone(hz, seconds, 20000))
    begun = time.monotonic()
    stranger.send_to(*call.remote)
    stack.wait_for(lambda: time.monotonic() - begun > seconds, 10, "the end of the tone")
    return begun


@pytest.mark.parametrize("ip", ["127.0.80.1", "127.0.0.1"])
def test_what_a_stranger_injects_is_not_heard_and_leads_nothing_away(bridged, intruder, ip):
    """From another address, and from another port of the party's own."""
    alice, callee = bridged
    stranger = intruder(ip)
    alice.rtp.say(g711.tone(700, 3.0))
    begun = intrude(stranger, alice)
    heard = callee.rtp.audio(begun)
    assert abs(tone_of(heard) - 700) < 25 and spectrum(heard, 2200) < 0.01
    assert stranger.since() == []
    talk(alice, callee)


def test_digits_of_a_stranger_are_none_of_the_callers(phones, web, domains, intruder):
    done = web.serve("/after", doc("<Hangup/>"))
    url = web.serve("/v", doc(f'<Gather numDigits="2" timeout="10" action="{done}"><Say>Press two keys</Say></Gather>'))
    alice = phones().invite(domains(url).uri())
    alice.wait_final()
    begun = time.monotonic()
    alice.rtp.wait_audio(0.3)
    stack.wait_for(lambda: time.monotonic() - begun > LEARNING_S, 10, "the end of learning")
    stranger = intruder()
    stranger.send_to(*alice.remote)
    stranger.press("99")
    alice.press("12")
    assert web.wait("/after").params["Digits"] == "12"


def garbage(n):
    rng = random.Random(4475)
    for i in range(n):
        yield [rng.randbytes(rng.randrange(1, 1400)),
               struct.pack("!BBHII", 0x80 | rng.randrange(64), rng.randrange(256), i & 0xFFFF, 0, 0) + rng.randbytes(rng.randrange(200)),
               struct.pack("!BBH", 0x80 | rng.randrange(32), 200 + rng.randrange(8), rng.randrange(65536)) + rng.randbytes(rng.randrange(120)),
               struct.pack("!BBHII", 0x90, 0, i & 0xFFFF, 1, 2) + struct.pack("!HH", 0xBEDE, 0xFFFF),
               struct.pack("!BBHII", 0x8F, 0, i & 0xFFFF, 1, 2),
               struct.pack("!BBHII", 0xA0, 0, i & 0xFFFF, 1, 2) + b"\xff" * 20,
               b"\x00\x01\x00\x08\x21\x12\xa4\x42" + rng.randbytes(20),
               b"\x16\xfe\xff" + rng.randbytes(60)][i % 8]


@pytest.mark.parametrize("whose", ["a stranger's", "the party's own"])
def test_garbage_in_rtp_and_rtcp_does_no_harm(bridged, intruder, whose):
    alice, callee = bridged
    sock = (intruder() if whose == "a stranger's" else alice.rtp).sock
    ip, port = alice.remote
    for data in garbage(2000):
        sock.sendto(data, (ip, port))
        sock.sendto(data, (ip, port + 1))
        if random.random() < 0.05:
            time.sleep(0.001)
    talk(alice, callee)
    assert stack.healthy("rtpengine")
