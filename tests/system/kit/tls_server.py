"""A SIP server over TLS with a certificate of its own: what calls of ours go to."""
import queue
import socket
import ssl
import threading

from .sip import Message, Phone
from .tls import Stream


class Server:
    """Listens at ip. Each connection becomes a Phone in `accepted`; OPTIONS are answered, counted in `options`. `names`: what was asked
    for (SNI), `failures`: handshakes that came to nothing."""

    def __init__(self, ip, certificate, user="bob", version=ssl.TLSVersion.TLSv1_2, port=0):
        self.ip, self.user, self.names, self.failures, self.options = ip, user, [], [], 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = version
        self.context.load_cert_chain(*certificate)
        self.context.sni_callback = lambda _sock, name, _context: self.names.append(name)
        self.phones, self.accepted = [], queue.Queue()
        self.sock = socket.create_server((ip, port))
        self.sock.settimeout(0.1)
        self.port = self.sock.getsockname()[1]
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while not self._closed.is_set():
            try:
                sock, _ = self.sock.accept()
            except TimeoutError:
                continue
            sock.settimeout(5)
            try:
                sock = Stream(self.context.wrap_socket(sock, server_side=True))
            except (ssl.SSLError, OSError) as e:
                self.failures.append(e)
                continue
            phone = Line(self, sock)
            self.phones.append(phone)
            self.accepted.put(phone)

    def line(self, timeout=10):
        """The next connection."""
        return self.accepted.get(timeout=timeout)

    def invited(self):
        """Did an INVITE come, on any connection?"""
        return any(first.startswith("INVITE") for p in self.phones for _, way, first in p.ladder if way == "<-")

    def close(self):
        self._closed.set()
        self._thread.join()
        for phone in self.phones:
            phone.close()
        self.sock.close()


class Line(Phone):
    def __init__(self, server, sock):
        self._server = server
        super().__init__(server=(server.ip, server.port), ip=server.ip, transport="tls", user=server.user, sock=sock)

    def _message(self, raw):
        if raw.startswith(b"OPTIONS "):
            self._server.options += 1
            self.reply(Message(raw), 200, tag="o")
            return
        super()._message(raw)
