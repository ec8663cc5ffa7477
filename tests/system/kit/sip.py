"""A SIP phone for tests: real messages over UDP or TCP, digest, dialogs, SDP, and an RTP peer for its audio."""
import queue
import random
import re
import socket
import threading
import time

from . import tls
from .digest import answer, challenge
from .rtp import RtpPeer
from .srtp import Srtp


def token(n=12):
    return "".join(random.choice("0123456789abcdef") for _ in range(n))


class Message:
    """A received or sent message. headers: list of (name, value); get() ignores case."""

    COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
               "c": "content-type", "k": "supported", "s": "subject"}

    def __init__(self, raw):
        self.at = time.monotonic()
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "replace")).split("\r\n")
        self.first = lines[0]
        self.headers = [tuple(x.strip() for x in line.split(":", 1)) for line in lines[1:] if ":" in line]
        self.status = int(self.first.split()[1]) if self.first.startswith("SIP/2.0 ") else None
        self.method = None if self.status else self.first.split(" ")[0]
        self.text = raw.decode("utf-8", "replace")

    def all(self, name):
        name = name.lower()
        return [v for n, v in self.headers if self.COMPACT.get(n.lower(), n.lower()) == name]

    def get(self, name):
        values = self.all(name)
        return values[0] if values else None

    @property
    def cseq_method(self):
        return (self.get("CSeq") or " ").split()[-1]

    def tag(self, name):
        found = re.search(r";\s*tag=([^;>\s]+)", self.get(name) or "")
        return found.group(1) if found else None

    def __repr__(self):
        return f"<{self.first} | CSeq {self.get('CSeq')}>"


def uri_of(header):
    found = re.search(r"<([^>]*)>", header)
    return found.group(1) if found else header.split(";")[0].strip()


class Phone:
    """One socket and its dialogs. `ladder` keeps every message in order for a failing test to print. sock: a connection that is there."""

    def __init__(self, server=None, ip="127.0.0.1", transport="udp", user="alice", sock=None, sni=None):
        self.server = server or ("127.0.0.1", 5061 if transport == "tls" else 5060)
        self.ip, self.transport, self.user = ip, transport, user
        self.sock = sock or self._connect(sni)
        self.sock.settimeout(0.1)
        self.port = self.sock.getsockname()[1]
        self.calls, self.stray, self.ladder = {}, queue.Queue(), []
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _connect(self, sni):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if self.transport == "udp" else socket.SOCK_STREAM)
        sock.bind((self.ip, 0))
        if self.transport != "udp":
            sock.connect(self.server)
        return tls.client(sock, sni) if self.transport == "tls" else sock

    def close(self):
        for call in list(self.calls.values()):
            call.abandon()
        self._closed.set()
        self._thread.join()
        self.sock.close()

    def send(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        self.ladder.append((time.monotonic(), "->", data.split(b"\r\n")[0].decode("utf-8", "replace")))
        if self.transport == "udp":
            self.sock.sendto(data, self.server)
        else:
            self.sock.sendall(data)

    def _receive(self):
        pending = b""
        while not self._closed.is_set():
            try:
                data = self.sock.recv(65536)
            except (TimeoutError, OSError):
                continue
            if not data and self.transport != "udp":
                return
            if self.transport == "udp":
                self._message(data)
                continue
            pending += data
            while b"\r\n\r\n" in pending:
                head, _, rest = pending.partition(b"\r\n\r\n")
                found = re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head)
                length = int(found.group(1)) if found else 0
                if len(rest) < length:
                    break
                self._message(head + b"\r\n\r\n" + rest[:length])
                pending = rest[length:]

    def _message(self, raw):
        if len(raw) < 12:
            return
        m = Message(raw)
        self.ladder.append((m.at, "<-", m.first))
        call = self.calls.get(m.get("Call-ID"))
        if call:
            call._incoming(m)
        else:
            self.stray.put(m)

    def via(self, branch=None):
        return f"SIP/2.0/{self.transport.upper()} {self.ip}:{self.port};rport;branch=z9hG4bK{branch or token(16)}"

    @property
    def contact(self):
        return f"<sip:{self.user}@{self.ip}:{self.port};transport={self.transport}>"

    def invite(self, to, **options):
        """Starts a call to sip:user@domain; see Call for the options. Answers a challenge when it has credentials."""
        call = Call(self, to, **options)
        self.calls[call.call_id] = call
        call.start()
        return call

    def reply(self, request, status, reason="OK", headers=(), body="", tag=None):
        lines = [f"SIP/2.0 {status} {reason}"]
        lines += [f"Via: {v}" for v in request.all("Via")] + [f"Record-Route: {v}" for v in request.all("Record-Route")]
        to = request.get("To")
        if tag and "tag=" not in to:
            to += f";tag={tag}"
        lines += [f"From: {request.get('From')}", f"To: {to}", f"Call-ID: {request.get('Call-ID')}",
                  f"CSeq: {request.get('CSeq')}", *headers, f"Content-Length: {len(body.encode())}"]
        self.send("\r\n".join(lines) + "\r\n\r\n" + body)

    def print_ladder(self):
        start = self.ladder[0][0] if self.ladder else 0
        return "\n".join(f"{at - start:8.3f} {way} {first}" for at, way, first in self.ladder)


class Call:
    """A call this phone makes. sdp: None writes a usual one for the RtpPeer, "" sends none (late offer), text is sent as is.
    srtp: the suites of a secure one."""

    answers_crypto = False  # its descriptions have one suite, the other side's choice

    def __init__(self, phone, to, credentials=None, headers=(), sdp=None, codecs=(0, 8), from_uri=None, ack=True,
                 algorithm=None, rtp=True, profile="RTP/AVP", dtmf_pt=101, srtp=()):
        self.phone, self.to_uri, self.credentials, self.headers = phone, to, credentials, list(headers)
        self.srtp = Srtp(srtp) if srtp else None
        profile = "RTP/SAVP" if srtp else profile
        self.codecs, self.profile, self.auto_ack, self.algorithm = codecs, profile, ack, algorithm
        self.call_id, self.from_tag, self.cseq = f"{token(16)}@{phone.ip}", token(), 1
        self.from_uri = from_uri or f"sip:{phone.user}@{phone.ip}"
        self.dtmf_pt = dtmf_pt
        self.rtp = RtpPeer(phone.ip, codecs[0] if codecs else 0, dtmf_pt, self.srtp) if rtp else None
        self.sdp_version = 1
        self.sdp_text = sdp
        self.to_header, self.target, self.routes = f"<{to}>", to, []
        self.responses, self.requests, self.answer = [], [], None
        self.acks = 0
        self._changed = threading.Condition()
        self._invite = None
        self._invite_branch = None
        self._ended = False

    # -- building

    def sdp(self, direction="sendrecv", codecs=None, port=None, address=None):
        codecs = self.codecs if codecs is None else codecs
        names = {0: "PCMU/8000", 8: "PCMA/8000", 9: "G722/8000", 18: "G729/8000"}
        lines = ["v=0", f"o=- 1 {self.sdp_version} IN IP4 {address or self.phone.ip}", "s=-",
                 f"c=IN IP4 {address or self.phone.ip}", "t=0 0",
                 f"m=audio {self.rtp.port if port is None else port} {self.profile} " + " ".join(map(str, [*codecs, self.dtmf_pt]))]
        lines += [f"a=rtpmap:{c} {names[c]}" for c in codecs]
        lines += [f"a=rtpmap:{self.dtmf_pt} telephone-event/8000", f"a=fmtp:{self.dtmf_pt} 0-16", "a=ptime:20", f"a={direction}"]
        lines += self.srtp.lines(self.answers_crypto) if self.srtp else []
        self.sdp_version += 1
        return "\r\n".join(lines) + "\r\n"

    def request(self, method, cseq=None, headers=(), body="", content_type="application/sdp", branch=None, target=None):
        lines = [f"{method} {target or self.target} SIP/2.0", f"Via: {self.phone.via(branch)}", "Max-Forwards: 70",
                 f"From: <{self.from_uri}>;tag={self.from_tag}", f"To: {self.to_header}", f"Call-ID: {self.call_id}",
                 f"CSeq: {cseq or self.cseq} {method}", f"Contact: {self.phone.contact}"]
        lines += [f"Route: {r}" for r in self.routes] + list(headers)
        if body:
            lines.append(f"Content-Type: {content_type}")
        lines.append(f"Content-Length: {len(body.encode())}")
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def start(self, extra=()):
        body = self.sdp() if self.sdp_text is None and self.rtp else (self.sdp_text or "")
        self._invite_branch = token(16)
        self._invite = self.request("INVITE", headers=[*self.headers, *extra], body=body, branch=self._invite_branch)
        self._invite_cseq = self.cseq
        self.phone.send(self._invite)

    def retransmit(self):
        self.phone.send(self._invite)

    # -- receiving

    def _incoming(self, m):
        if m.status is None:
            with self._changed:
                self.requests.append(m)
                self._changed.notify_all()
            if m.method in ("BYE", "OPTIONS", "NOTIFY"):
                self.phone.reply(m, 200)
                self._ended |= m.method == "BYE"
            return
        if m.cseq_method == "INVITE":
            if m.status >= 300:
                self._ack_failure(m)
            elif m.status >= 200:
                self._take_answer(m)
            elif m.tag("To"):
                self.to_header = m.get("To")
        with self._changed:
            self.responses.append(m)
            self._changed.notify_all()
        if m.cseq_method == "INVITE" and m.status == 407 and self.credentials and "Proxy-Authorization" not in self._invite:
            fields = challenge(m, self.algorithm) if self.algorithm else challenge(m, "SHA-256") or challenge(m, "MD5")
            self.cseq += 1
            self.to_header = f"<{self.to_uri}>"
            self.start([answer(fields, "INVITE", self.to_uri, *self.credentials)])

    def _ack_failure(self, m):
        self.phone.send(f"ACK {self.to_uri} SIP/2.0\r\nVia: {m.get('Via').split(',')[0]}\r\nMax-Forwards: 70\r\n"
                        f"From: {m.get('From')}\r\nTo: {m.get('To')}\r\nCall-ID: {self.call_id}\r\n"
                        f"CSeq: {m.get('CSeq').split()[0]} ACK\r\nContent-Length: 0\r\n\r\n")

    def _take_answer(self, m):
        if self.answer is None:
            self.answer = m
            self.to_header = m.get("To")
            self.target = uri_of(m.get("Contact"))
            self.routes = list(reversed(m.all("Record-Route")))
        if m.body and self.rtp:
            self.remote = media_of(m.body.decode())
            if self.srtp:
                self.srtp.take(m.body.decode())
            if self.remote[1]:
                self.rtp.send_to(*self.remote)
        if self.auto_ack:
            self.ack(m)

    def ack(self, m=None, body=None):
        m = m or self.answer
        if body is None:
            body = self.sdp() if self.sdp_text == "" and self.rtp and m.body else ""
        self.acks += 1
        self.phone.send(self.request("ACK", cseq=m.get("CSeq").split()[0], body=body))

    # -- waiting

    def wait_response(self, status, method="INVITE", timeout=10, cseq=None):
        """The first response of that status (a number, or a set) to that method."""
        wanted = {status} if isinstance(status, int) else set(status)
        return self._wait(lambda: next((m for m in self.responses if m.status in wanted and m.cseq_method == method and
                                        (cseq is None or m.get("CSeq").startswith(f"{cseq} "))), None),
                          timeout, f"{method} {status}")

    def wait_final(self, timeout=10):
        return self._wait(lambda: next((m for m in self.responses if m.cseq_method == "INVITE" and m.status >= 200 and
                                        int(m.get("CSeq").split()[0]) == self.cseq and
                                        not (m.status == 407 and self.credentials and
                                             "Proxy-Authorization" not in self._invite)), None), timeout, "a final response")

    def wait_request(self, method, count=1, timeout=10):
        def look():
            found = [m for m in self.requests if m.method == method]
            return found[count - 1] if len(found) >= count else None
        return self._wait(look, timeout, method)

    def _wait(self, look, timeout, what):
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                found = look()
                if found is not None:
                    return found
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"no {what} in {timeout} s\n{self.phone.print_ladder()}")
                self._changed.wait(left)

    # -- what the phone does

    def next_cseq(self):
        self.cseq += 1
        return self.cseq

    def in_dialog(self, method, **kw):
        """Sends a request in the dialog, returns its CSeq."""
        n = self.next_cseq()
        self.phone.send(self.request(method, cseq=n, **kw))
        return n

    def reinvite(self, direction="sendrecv", timeout=10, **sdp):
        n = self.in_dialog("INVITE", body=self.sdp(direction, **sdp))
        return self.wait_response(range(200, 700), timeout=timeout, cseq=n)

    def cancel(self):
        text = self.request("CANCEL", cseq=self._invite_cseq, branch=self._invite_branch, target=self.to_uri)
        self.phone.send(text.replace(f"To: {self.to_header}", f"To: <{self.to_uri}>"))

    def bye(self, timeout=10):
        n = self.in_dialog("BYE")
        self._ended = True
        return self.wait_response(range(200, 700), "BYE", timeout, cseq=n)

    def press(self, digits, **kw):
        self.rtp.press(digits, **kw)

    def abandon(self):
        """Ends the call as a test leaves it: BYE or CANCEL when it is still up, sockets closed."""
        try:
            if self.answer is not None and not self._ended:
                self.bye(2)
            elif self.answer is None and self.responses and not any(
                    m.status >= 200 and int(m.get("CSeq").split()[0]) == self.cseq for m in self.responses):
                self.cancel()
                self.wait_final(2)
        except (AssertionError, OSError):
            pass
        if self.rtp:
            self.rtp.close()
            self.rtp = None
        self.phone.calls.pop(self.call_id, None)


def media_of(sdp):
    """(address, port) of the first audio line."""
    address = re.search(r"^c=IN IP[46] (\S+)", sdp, re.M).group(1)
    return address, int(re.search(r"^m=audio (\d+)", sdp, re.M).group(1))
