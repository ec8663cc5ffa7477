"""Raw SIP for tests of the SIP face: bytes out, bytes in, over UDP or TCP. Nothing is answered, repaired or retransmitted here."""
import re
import socket
import time

from . import tls
from .sip import Message, token

SERVER = ("127.0.0.1", 5060)


class Raw:
    """One socket. send() takes text or bytes as they are; recv() returns the next message or None when `timeout` is over."""

    def __init__(self, ip="127.0.0.1", transport="udp", server=None, sni=None, own=None):
        server = server or (SERVER[0], 5061 if transport == "tls" else SERVER[1])
        self.ip, self.transport, self.server, self._pending = ip, transport, server, b""
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
        self.sock.bind((ip, 0))
        self.port = self.sock.getsockname()[1]
        if transport != "udp":
            self.sock.connect(server)
        if transport == "tls":
            self.sock = tls.client(self.sock, sni, own)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, message):
        data = message if isinstance(message, bytes) else message.encode()
        if self.transport == "udp":
            self.sock.sendto(data, self.server)
        else:
            self.sock.sendall(data)

    def _next(self):
        head, end, rest = self._pending.partition(b"\r\n\r\n")
        if not end:
            return None
        found = re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head)
        length = int(found.group(1)) if found else 0
        if len(rest) < length:
            return None
        self._pending = rest[length:]
        return Message(head + end + rest[:length])

    def recv(self, timeout=2.0):
        deadline = time.monotonic() + timeout
        while True:
            if self.transport != "udp":
                m = self._next()
                if m:
                    return m
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self.sock.settimeout(left)
            try:
                data = self.sock.recv(65536)
            except TimeoutError:
                return None
            except ConnectionError:
                return None
            if self.transport == "udp":
                return Message(data)
            if not data:
                return None
            self._pending += data

    def closed(self, timeout=2.0):
        """True when the peer closed the connection within `timeout`."""
        self.sock.settimeout(timeout)
        try:
            while self.sock.recv(65536):
                pass
            return True
        except TimeoutError:
            return False
        except ConnectionError:
            return True

    def final(self, timeout=5.0):
        """The next response that is not provisional, or None."""
        deadline = time.monotonic() + timeout
        while True:
            m = self.recv(max(0.0, deadline - time.monotonic()))
            if m is None or (m.status and m.status >= 200):
                return m

    def request(self, method, uri, headers=(), body="", cseq=1, call_id=None, branch=None, from_tag=None, to=None, drop=(), **replace):
        """A sound request; `headers` are added, names in `drop` left out, `replace` gives other values (Max_Forwards="0")."""
        lines = {"Via": f"SIP/2.0/{self.transport.upper()} {self.ip}:{self.port};rport;branch=z9hG4bK{branch or token(16)}",
                 "Max-Forwards": "70", "From": f"<sip:alice@{self.ip}>;tag={from_tag or token()}", "To": to or f"<{uri}>",
                 "Call-ID": call_id or f"{token(16)}@{self.ip}", "CSeq": f"{cseq} {method}",
                 "Contact": f"<sip:alice@{self.ip}:{self.port};transport={self.transport}>",
                 "Content-Length": str(len(body.encode()))}
        lines.update({name.replace("_", "-"): value for name, value in replace.items()})
        text = [f"{method} {uri} SIP/2.0"] + [f"{n}: {v}" for n, v in lines.items() if n not in drop] + list(headers)
        return "\r\n".join(text) + "\r\n\r\n" + body

    def ask(self, *args, timeout=5.0, **kw):
        """Sends request(...) and returns the final response."""
        self.send(self.request(*args, **kw))
        return self.final(timeout)
