"""An RTP endpoint: sends silence, tones and RFC 4733 digits every 20 ms; keeps and judges what arrives."""
import random
import socket
import struct
import threading
import time

import numpy as np

from . import g711

DIGITS = "0123456789*#ABCD"


class Packet:
    __slots__ = ("at", "marker", "pt", "seq", "ts", "ssrc", "payload")

    def __init__(self, data, at):
        self.at = at
        b1, self.seq, self.ts, self.ssrc = struct.unpack("!xBHII", data[:12])
        self.marker, self.pt = bool(b1 & 0x80), b1 & 0x7F
        self.payload = data[12 + 4 * (data[0] & 0x0F):]


class RtpPeer:
    """One media socket of a phone. send_to() starts a continuous stream; close() ends it."""

    def __init__(self, ip="127.0.0.1", payload_type=0, dtmf_pt=101, srtp=None):
        self.srtp, self.sent, self.count = srtp, None, 0  # sent: the last datagram; count: all of them
        self.seq, self.ssrc = random.randrange(65536), random.randrange(1 << 32)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((ip, 0))
        self.sock.settimeout(0.1)
        self.ip, self.port = self.sock.getsockname()
        self.payload_type, self.dtmf_pt = payload_type, dtmf_pt
        self.packets = []
        self.muted = False
        self._lock = threading.Lock()
        self._queue = []  # frames to send: (pt, payload, marker, ts_step) or None for silence
        self._target = None
        self._closed = threading.Event()
        self._threads = [threading.Thread(target=f, daemon=True) for f in (self._receive, self._send)]
        for t in self._threads:
            t.start()

    def send_to(self, ip, port):
        self._target = (ip, port)

    def close(self):
        self._closed.set()
        for t in self._threads:
            t.join()
        self.sock.close()

    def _receive(self):
        while not self._closed.is_set():
            try:
                data = self.sock.recv(2048)
            except (TimeoutError, OSError):
                continue
            if self.srtp:
                data = self.srtp.unprotect(data)
            if data and len(data) >= 12 and data[0] >> 6 == 2:
                with self._lock:
                    self.packets.append(Packet(data, time.monotonic()))

    def _send(self):
        ts = random.randrange(1 << 31)
        silence = bytes([0xFF if self.payload_type == 0 else 0xD5]) * 160
        due = time.monotonic()
        event_ts = 0
        while not self._closed.wait(max(0, due - time.monotonic())):
            due += 0.02
            ts = (ts + 160) & 0xFFFFFFFF
            if self._target is None or self.muted:
                continue
            with self._lock:
                frame = self._queue.pop(0) if self._queue else None
            if frame is None:
                pt, payload, marker, first = self.payload_type, silence, False, True
            else:
                pt, payload, marker, first = frame
            if first:
                event_ts = ts
            self.seq = (self.seq + 1) & 0xFFFF
            head = struct.pack("!BBHII", 0x80, (0x80 if marker else 0) | pt, self.seq,
                               event_ts if pt == self.dtmf_pt else ts, self.ssrc)
            packet = head + payload
            if self.srtp:
                packet = self.srtp.protect(packet)
            try:
                if packet:
                    self.sock.sendto(packet, self._target)
                    self.sent = packet
                    self.count += 1
            except OSError:
                pass

    def press(self, digits, ms=100, gap_ms=100):
        """Sends each digit as an RFC 4733 event of ms, then gap_ms of silence."""
        frames = []
        for digit in digits:
            event = DIGITS.index(digit)
            n = max(1, ms // 20)
            for i in range(n):
                frames.append((self.dtmf_pt, struct.pack("!BBH", event, 10, (i + 1) * 160), i == 0, i == 0))
            for _ in range(3):
                frames.append((self.dtmf_pt, struct.pack("!BBH", event, 0x80 | 10, n * 160), False, False))
            frames += [None] * max(1, gap_ms // 20)
        with self._lock:
            self._queue += frames

    def say(self, pcm):
        """Sends int16 samples as audio."""
        data = g711.encode(pcm, self.payload_type)
        with self._lock:
            self._queue += [(self.payload_type, data[i:i + 160].ljust(160, data[-1:]), False, True)
                            for i in range(0, len(data), 160)]

    # -- judging what arrived

    def since(self, at=0.0):
        with self._lock:
            return [p for p in self.packets if p.at >= at]

    def audio(self, since=0.0):
        """int16 samples in the order of their timestamps, gaps as silence; a new stream (SSRC) begins when it came."""
        packets = [p for p in self.since(since) if p.pt in (0, 8)]
        if not packets:
            return np.zeros(0, dtype=np.int16)
        begun, placed = {}, []
        for p in packets:
            ts, at = begun.setdefault(p.ssrc, (p.ts, int((p.at - packets[0].at) * g711.RATE)))
            placed.append((at + ((p.ts - ts) & 0xFFFFFFFF), g711.decode(p.payload, p.pt)))
        placed = [(o, pcm) for o, pcm in placed if o < g711.RATE * 3600]
        out = np.zeros(max(o + len(pcm) for o, pcm in placed), dtype=np.int16)
        for offset, pcm in placed:
            out[offset:offset + len(pcm)] = pcm
        return out

    def events(self, since=0.0):
        """Digits received as RFC 4733, once a key."""
        seen, digits = set(), ""
        for p in self.since(since):
            if p.pt == self.dtmf_pt and len(p.payload) >= 4 and p.ts not in seen:
                seen.add(p.ts)
                digits += DIGITS[p.payload[0] & 0x0F]
        return digits

    def wait_audio(self, seconds=0.5, timeout=10, floor=100):
        """Waits until `seconds` of sound arrived; returns the samples."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            pcm = self.audio()
            if g711.loud_seconds(pcm, floor) >= seconds:
                return pcm
            time.sleep(0.02)
        raise AssertionError(f"only {g711.loud_seconds(self.audio(), floor):.2f} s of sound in {timeout} s")
