"""When the answers to an INVITE arrive, by the kernel's clock: a few refused calls a second of our own beside SIPp's, whose clock has steps of 4 ms."""
import random
import re
import select
import socket
import struct
import threading
import time

import measure

PER_SECOND = 25
SO_TIMESTAMPNS = 35  # <asm-generic/socket.h>; Python has no name for it

INVITE = """INVITE sip:{target} SIP/2.0
Via: SIP/2.0/UDP {ip}:{port};branch=z9hG4bK{call}
From: <sip:probe@{ip}:{port}>;tag={call}
To: <sip:{target}>
Call-ID: {call}
CSeq: 1 INVITE
Contact: <sip:probe@{ip}:{port}>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: {length}

"""
SDP = """v=0
o=probe 1 1 IN IP4 {ip}
s=-
c=IN IP4 {ip}
t=0 0
m=audio 21000 RTP/AVP 0
"""
ACK = """ACK sip:{target} SIP/2.0
Via: SIP/2.0/UDP {ip}:{port};branch=z9hG4bK{call}
From: <sip:probe@{ip}:{port}>;tag={call}
{to}
Call-ID: {call}
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

"""


class Probe(threading.Thread):
    """Calls `target`, which refuses, PER_SECOND times a second for so many seconds, each at any moment of its slot: SIPp sends in bursts, which must not
    be met at one phase. In a `with`, whose end waits for it; nothing is sent twice."""

    def __init__(self, target, seconds):
        super().__init__(daemon=True)
        self.calls, self._sent, self._times = PER_SECOND * seconds, [], {"ringing": {}, "final": {}}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.bind((measure.CALLER, 0))
        ip, port = self._socket.getsockname()
        self._line = {"target": target, "ip": ip, "port": port}
        address, _, port = measure.SIP.partition(":")
        self._server = address, int(port)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.join()
        self._socket.close()

    @property
    def ok(self):
        """How many calls were refused, as they are to be."""
        return len(self._times["final"])

    def response_ms(self):
        """{"ringing": (p50, p99), "final": ...}, from just before the INVITE was sent to the answer's arrival."""
        return {name: tuple(measure.quantile(sorted(times.values()), q, 2) for q in (0.5, 0.99)) for name, times in self._times.items() if times}

    def _wire(self, text, number=None, **values):
        return text.format(call=f"probe{number}-{self._line['port']}", **self._line, **values).replace("\n", "\r\n").encode()

    def _invite(self):
        sdp = self._wire(SDP)
        data = self._wire(INVITE, len(self._sent), length=len(sdp)) + sdp
        self._sent.append(time.time_ns())
        self._socket.sendto(data, self._server)

    def _receive(self):
        data, control, _, _ = self._socket.recvmsg(65535, 64)
        seconds, ns = struct.unpack("qq", control[0][2])
        text = data.decode()
        number = int(re.search(r"(?im)^Call-ID: *probe(\d+)", text).group(1))
        code = int(text[8:11])
        name = {180: "ringing", 404: "final"}.get(code)
        if name:
            self._times[name].setdefault(number, (seconds * 1_000_000_000 + ns - self._sent[number]) / 1e6)
        if code >= 200:
            self._socket.sendto(self._wire(ACK, number, to=re.search(r"(?im)^To:[^\r]*", text).group()), self._server)

    def run(self):
        poll, started = select.poll(), time.monotonic()
        poll.register(self._socket, select.POLLIN)
        due = [(n + random.random()) / PER_SECOND for n in range(self.calls)] + [self.calls / PER_SECOND + 2]
        while (now := time.monotonic() - started) < due[-1] and self.ok < self.calls:
            wait = due[len(self._sent)] - now
            if wait <= 0:
                self._invite()
            elif poll.poll(wait * 1000):
                self._receive()
