"""TLS for tests: the stack's certificates, clients that check them, servers with certificates of their own, one handshake as openssl sees it."""
import os
import re
import select
import ssl
import subprocess
import threading
import time

DIR = "/tls"
CA = f"{DIR}/ca.pem"
ADDRESS = ("127.0.0.1", 5061)


class Stream:
    """A TLS connection that one thread reads while others write: OpenSSL's must not be used by two at once."""

    def __init__(self, sock):
        self._sock, self._lock, self._timeout = sock, threading.Lock(), None
        sock.setblocking(False)
        self.getsockname, self.close, self.fileno = sock.getsockname, sock.close, sock.fileno

    def settimeout(self, seconds):
        self._timeout = seconds

    def pending(self):
        with self._lock:
            return self._sock.pending()

    def _try(self, call, *args):
        """None: not now."""
        with self._lock:
            try:
                return call(*args)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return None

    def recv(self, size):
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        while True:
            data = self._try(self._sock.recv, size)
            if data is not None:
                return data
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError
            select.select([self._sock], [], [], left)

    def sendall(self, data):
        view = memoryview(data)
        while view:
            n = self._try(self._sock.send, view)
            if n is None:
                select.select([], [self._sock], [], 1)
            else:
                view = view[n:]


def client(sock, sni=None, own=None):
    """The socket as a TLS client that checks chain and name; sni: the name that it asks for and checks; own: its (certificate, key), of files."""
    context = ssl.create_default_context(cafile=CA)
    if own:
        context.load_cert_chain(*own)
    return Stream(context.wrap_socket(sock, server_hostname=sni or os.environ["HOOKSWITCH_SIP_DOMAIN"]))


def openssl(*argv, stdin=""):
    done = subprocess.run(["openssl", *argv], input=stdin, capture_output=True, text=True, timeout=20)
    return done.stdout + done.stderr


class Handshake:
    """What `openssl s_client` came to: done, version, cipher, and the server's certificate (PEM)."""

    def __init__(self, *options, sni=None):
        name = ["-servername", sni] if sni else ["-noservername"]
        self.text = openssl("s_client", "-connect", "{}:{}".format(*ADDRESS), "-CAfile", CA, *name, *options)
        line = next((x for x in self.text.splitlines() if x.startswith("New, ")), "New, (NONE), Cipher is (NONE)")
        self.cipher = line.rsplit(" ", 1)[1]
        self.version = (re.findall(r"Protocol *: (\S+)", self.text) or [None])[0]
        self.done = self.cipher != "(NONE)"
        self.verified = "Verify return code: 0 (ok)" in self.text
        start, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
        self.certificate = self.text[self.text.index(start):self.text.index(end) + len(end)] if start in self.text else None

    @property
    def key(self):
        """RSA or EC."""
        return "EC" if "id-ecPublicKey" in openssl("x509", "-noout", "-text", stdin=self.certificate) else "RSA"

    @property
    def serial(self):
        return openssl("x509", "-noout", "-serial", stdin=self.certificate).strip()


def certificate(folder, *names, kind="RSA", ca=True, days="30", usage="serverAuth"):
    """folder/cert.pem and key.pem for these names (DNS:x, IP:x), by the stack's CA, or of nobody known (ca=False)."""
    os.makedirs(folder, exist_ok=True)
    cert, key = f"{folder}/cert.pem", f"{folder}/key.pem"
    alg = ["-newkey", "rsa:2048"] if kind == "RSA" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    by = ["-CA", CA, "-CAkey", f"{DIR}/ca.key"] if ca else []
    out = openssl("req", "-x509", *alg, "-nodes", "-subj", "/CN=test", "-days", days, "-keyout", key, "-out", cert, *by,
                  "-addext", f"subjectAltName={','.join(names)}", "-addext", f"extendedKeyUsage={usage}",
                  "-addext", "basicConstraints=critical,CA:FALSE")
    assert os.path.exists(cert), out
    os.chown(key, -1, 5061)
    os.chmod(key, 0o640)
    return cert, key
