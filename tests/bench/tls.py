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
RATES = [int(r) for r in os.environ.get("BENCH_TLS_RATES", "100,200").split(",")]
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
    """TCP on this side, TLS to Kamailio: SIPp 3.7.3 as Debian builds it does not get through a handshake (SSL_ERROR_WANT_READ)."""

    def __init__(self):
        self.loop, ready = asyncio.new_event_loop(), threading.Event()
        threading.Thread(target=self._run, args=(ready,), daemon=True).start()
        assert ready.wait(10)

    def _run(self, ready):
        server = self.loop.run_until_complete(asyncio.start_server(self._connection, "127.0.0.1", 0))
        self.at = "127.0.0.1:{}".format(server.sockets[0].getsockname()[1])
        ready.set()
        self.loop.run_forever()

    async def _connection(self, reader, writer):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        secure_reader, secure_writer = await asyncio.open_connection(*ADDRESS, ssl=context, server_hostname=os.environ["HOOKSWITCH_SIP_DOMAIN"])
        await asyncio.gather(self._pump(reader, secure_writer), self._pump(secure_reader, writer))

    @staticmethod
    async def _pump(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


def run(found, work, docs, tools, web):
    for name, version, cipher, sni in KINDS:
        yield handshakes(found, name, client(version, cipher, sni))
    api = Rest()
    domains = {n: api.domain(f"http://{web}/{n}.xml", allow=("127.0.0.0/8",)) for n in ("reject", "say", "play")}
    domains["secure"] = api.domain(f"http://{web}/play.xml", allow=("127.0.0.0/8",), Secure="true")
    at = Bridge().at
    try:
        # One connection for all calls, as of a PBX.
        for name, scenario, extra in (("reject", "reject", ()), ("say", "ivr", ("-key", "rtpcmd", "RECV"))):
            target = domains[name].uri()[4:]
            for rate in RATES:
                for transport, argv, where in (("tcp", ("-t", "t1"), measure.SIP), ("tls", ("-t", "t1"), at)):
                    yield measure.signalling(found, f"{name}-{transport}", scenario, target, rate, rate * measure.SECONDS, work, (*argv, *extra), where)
        # Answered and hung up by the caller, media leg and all: in the clear, and by TLS with SRTP.
        for rate in RATES:
            for name, scenario, domain, where in (("answer-tcp", "answer", "play", measure.SIP), ("answer-tls-srtp", "secure", "secure", at)):
                yield measure.signalling(found, name, scenario, domains[domain].uri()[4:], rate, rate * measure.SECONDS, work, ("-t", "t1"), where)
    finally:
        for domain in domains.values():
            domain.delete()
