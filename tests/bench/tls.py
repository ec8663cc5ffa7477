"""The benchmark's part on TLS: handshakes, and the same calls over TCP and over TLS in one run, so that the ratio counts and not the machine."""
import asyncio
import os
import socket
import ssl
import threading
import time

import measure
from kit.rest import Rest

HANDSHAKES = int(os.environ.get("BENCH_TLS_HANDSHAKES", "2000"))
RATES = measure.numbers("BENCH_TLS_RATES", "100,200")
ADDRESS = ("127.0.0.1", int(os.environ.get("SIPS_PORT", "5061")))

# name, version, cipher of TLS 1.2, name that is asked for (the ECDSA certificate has one of its own)
KINDS = (("tls1.3-ecdsa", ssl.TLSVersion.TLSv1_3, None, "ecdsa."), ("tls1.3-rsa", ssl.TLSVersion.TLSv1_3, None, ""),
         ("tls1.2-ecdhe-rsa", ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES128-GCM-SHA256", ""), ("tls1.2-rsa", ssl.TLSVersion.TLSv1_2, "AES128-SHA", ""))


def handshakes(found, name, wrap):
    before, started = measure.cpu_snapshot(found), time.monotonic()
    for _ in range(HANDSHAKES):
        with wrap(socket.create_connection(ADDRESS)) as sock:
            # Answered with a pong: the handshake is over on both sides.
            sock.sendall(b"\r\n\r\n")
            assert sock.recv(2), "closed"
    seconds, after = time.monotonic() - started, measure.cpu_snapshot(found)
    return {"test": f"handshake {name}", "offered_per_s": 0, "calls": HANDSHAKES, "ok": HANDSHAKES, "failed": 0, "retransmissions": 0,
            "calls_per_s": round(HANDSHAKES / seconds, 1),
            **measure.costs(before, after, HANDSHAKES)}


def client(version, cipher, sni):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    if cipher:
        context.set_ciphers(cipher)
    return lambda sock: context.wrap_socket(sock, server_hostname=sni + os.environ["HOOKSWITCH_SIP_DOMAIN"])


class Bridge:
    """Between SIPp, which 3.7.3 as Debian builds it does not get through a handshake (SSL_ERROR_WANT_READ), and TLS: what connects to `at` is
    connected to `to`. `listen`, `connect`: the context of the side that is TLS."""

    def __init__(self, to=ADDRESS, at=("127.0.0.1", 0), listen=None, connect=None):
        self.to, self.listen, self.connect = to, listen, connect
        self.loop, ready = asyncio.new_event_loop(), threading.Event()
        threading.Thread(target=self._run, args=(at, ready), daemon=True).start()
        assert ready.wait(10)

    def _run(self, at, ready):
        server = self.loop.run_until_complete(asyncio.start_server(self._connection, *at, ssl=self.listen))
        self.at = "{}:{}".format(*server.sockets[0].getsockname())
        ready.set()
        self.loop.run_forever()

    async def _connection(self, reader, writer):
        name = {"server_hostname": os.environ["HOOKSWITCH_SIP_DOMAIN"]} if self.connect else {}
        try:
            other_reader, other_writer = await asyncio.open_connection(*self.to, ssl=self.connect, **name)
        except OSError:  # nobody is there, between two loads
            writer.close()
            return
        await asyncio.gather(self._pump(reader, other_writer), self._pump(other_reader, writer))

    @staticmethod
    async def _pump(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


def to_platform():
    """A bridge for SIPp as a caller over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return Bridge(connect=context)


def to_party(at, party):
    """A bridge for SIPp, which listens at `party` over TCP, as a party that is called over TLS at `at`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/tls/test/here.pem", "/tls/test/here.key")
    return Bridge(party, at, listen=context)


def run(found, work, docs, tools, web):
    for name, version, cipher, sni in KINDS:
        yield handshakes(found, name, client(version, cipher, sni))
    api = Rest()
    domains = {n: api.domain(f"http://{web}/{n}.xml", allow=("127.0.0.0/8",)) for n in ("reject", "say", "play")}
    domains["secure"] = api.domain(f"http://{web}/play.xml", allow=("127.0.0.0/8",), Secure="true")
    at = to_platform().at
    try:
        # One connection for all calls, as of a PBX.
        for name, scenario, extra in (("reject", "reject", ()), ("say", "ivr", ("-key", "rtpcmd", "RECV"))):
            target = domains[name].uri()[4:]
            for rate in RATES:
                for transport, argv, where in (("tcp", ("-t", "t1"), measure.SIP), ("tls", ("-t", "t1"), at)):
                    yield measure.signalling(found, f"{name}-{transport}", scenario, target, rate, rate * measure.SECONDS, work, (*argv, *extra), where)
        # Answered and hung up by the caller, media leg and all: in the clear, and by TLS with SRTP.
        for rate in RATES:
            for name, domain, where, media in (("answer-tcp", "play", measure.SIP, measure.PLAIN), ("answer-tls-srtp", "secure", at, measure.Media(suite=80))):
                yield measure.signalling(found, name, "answer", domains[domain].uri()[4:], rate, rate * measure.SECONDS, work, ("-t", "t1"), where, media)
    finally:
        for domain in domains.values():
            domain.delete()
