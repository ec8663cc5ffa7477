"""Fixtures: one REST client, a web application and phones a test, and what a failing test shows."""
import itertools

import pytest

from kit.rest import Rest
from kit.sip import Phone
from kit.webapp import WebApp
from kit import stack, tls
from kit.tls_server import Server as TlsServer

_addresses = itertools.count(10)


@pytest.fixture(scope="session")
def rest():
    return Rest()


@pytest.fixture
def web(request):
    app = WebApp()
    yield app
    request.node.webapp = app
    app.close()


@pytest.fixture
def phones(request):
    """phones(transport=..., ip=...) makes phones that hang up and close when the test ends."""
    made = []

    def make(**kw):
        phone = Phone(**kw)
        made.append(phone)
        return phone

    request.node.phones = made
    yield make
    for phone in made:
        phone.close()


@pytest.fixture
def phone(phones):
    return phones()


@pytest.fixture
def domains(rest):
    """domains(voice_url, ...) provisions SIP domains that go away with the test."""
    made = []

    def make(*args, **kw):
        made.append(rest.domain(*args, **kw))
        return made[-1]

    yield make
    for domain in made:
        domain.delete()


@pytest.fixture
def fresh_ip():
    """A loopback address that no other test uses: sources with their own flood counters and ACL decisions."""
    n = next(_addresses)
    return f"127.0.{n // 250 + 1}.{n % 250 + 1}"


@pytest.fixture
def tls_server(tmp_path, fresh_ip):
    """tls_server(*names, **kw): a SIP server over TLS whose certificate has these names."""
    made = []

    def make(*names, ip=fresh_ip, **kw):
        certificate = tls.certificate(str(tmp_path / str(len(made))), *(names or (f"IP:{ip}",)), **kw)
        made.append(TlsServer(ip, certificate))
        return made[-1]
    yield make
    for one in made:
        one.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call" and report.failed:
        for phone in getattr(item, "phones", []):
            report.sections.append(("SIP ladder", phone.print_ladder()))
        if "web" in getattr(item, "funcargs", {}):
            report.sections.append(("webhooks", "\n".join(map(repr, item.funcargs["web"].requests))))
        for service in ("control", "kamailio"):
            try:
                report.sections.append((f"log of {service}", stack.logs(service, 60)))
            except (AssertionError, OSError) as e:
                report.sections.append((f"log of {service}", str(e)))
    return report


@pytest.fixture(scope="session")
def wav():
    """wav(hz, seconds): the bytes of an 8 kHz 16-bit WAV file with that tone."""
    import io
    import wave

    from kit import g711

    def make(hz, seconds, level=8000):
        out = io.BytesIO()
        with wave.open(out, "wb") as w:
            w.setnchannels(1)
            w.setsampwidth(2)
            w.setframerate(g711.RATE)
            w.writeframes(g711.tone(hz, seconds, level).tobytes())
        return out.getvalue()

    return make
