"""SIP over TLS (docs/tls.md): versions, ciphers, certificates and their reload; calls and registrations over it."""
import os
import shutil
import ssl

import pytest

from kit import stack, tls
from kit.callee import next_call, register
from kit.rest import BASE_DOMAIN, PASSWORD
from kit.sip import uri_of
from kit.sip_raw import Raw
from kit.twiml import doc
from kit.tls import Handshake
from test_dial import dial, talk  # noqa: F401 (dial is a fixture)
from test_locating import names  # noqa: F401 (a fixture)

CIPHERS = ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-SHA384",
           "AES128-GCM-SHA256", "AES128-SHA256", "AES128-SHA", "AES256-GCM-SHA384", "AES256-SHA256", "AES256-SHA"]
TLS13 = ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"]


def reload():
    stack.run("docker", "exec", stack.container("kamailio"), "tls-reload.sh")


# -- versions and ciphers

@pytest.mark.parametrize("cipher", CIPHERS)
def test_each_of_the_ten_ciphers_is_taken(cipher):
    seen = Handshake("-tls1_2", "-cipher", cipher)
    assert (seen.done, seen.version, seen.cipher) == (True, "TLSv1.2", cipher), seen.text
    assert seen.verified, seen.text


def test_no_other_cipher_of_tls_1_2_is_taken():
    others = [c for c in tls.openssl("ciphers", "ALL:COMPLEMENTOFALL:@SECLEVEL=0").strip().split(":") if c not in CIPHERS and c not in TLS13]
    assert len(others) > 50
    taken = [c for c in others if Handshake("-tls1_2", "-cipher", f"{c}:@SECLEVEL=0").done]
    assert taken == []


@pytest.mark.parametrize("cipher", TLS13)
def test_tls_1_3_is_taken_with_its_ciphers(cipher):
    seen = Handshake("-tls1_3", "-ciphersuites", cipher)
    assert (seen.done, seen.version, seen.cipher) == (True, "TLSv1.3", cipher), seen.text


@pytest.mark.parametrize("version, number", [("-tls1_1", 2), ("-tls1", 1)])
def test_older_versions_are_refused(version, number):
    seen = Handshake(version, "-cipher", "ALL:@SECLEVEL=0")
    assert not seen.done and "alert protocol version" in seen.text, seen.text


def test_ssl_3_is_refused():
    with Raw(transport="tcp", server=tls.ADDRESS) as raw:
        # A ClientHello of SSL 3.0 with one cipher (RSA, 3DES) that such clients have.
        hello = bytes.fromhex("0300") + bytes(32) + b"\0" + bytes.fromhex("0002000a") + bytes.fromhex("0100")
        message = b"\x01" + len(hello).to_bytes(3, "big") + hello
        raw.send(b"\x16\x03\x00" + len(message).to_bytes(2, "big") + message)
        raw.sock.settimeout(5)
        got = raw.sock.recv(100)
        # An alert, fatal: no ServerHello.
        assert got == b"" or (got[0], got[5]) == (0x15, 2), got


def client_hello():
    """One of OpenSSL's own, as bytes."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = ssl._create_unverified_context().wrap_bio(incoming, outgoing, server_hostname=BASE_DOMAIN)
    with pytest.raises(ssl.SSLWantReadError):
        hello.do_handshake()
    return outgoing.read()


def broken_hellos():
    whole = client_hello()
    yield "SIP in the clear", b"OPTIONS sip:x SIP/2.0\r\n\r\n"
    yield "zeros", bytes(4096)
    yield "a record that is too long", b"\x16\x03\x01\xff\xff" + bytes(65535)
    yield "application data first", b"\x17\x03\x03\x00\x05hello"
    yield "an empty record after the other", b"\x16\x03\x01\x00\x00" * 2000
    for at in range(5, len(whole), 23):
        yield f"a byte of the hello changed at {at}", whole[:at] + bytes([whole[at] ^ 0xff]) + whole[at + 1:]
    for at in (1, 5, 44, len(whole) - 1):
        yield f"the hello cut at {at}", whole[:at]


def test_malformed_handshakes_harm_nobody_else(web, domains, phones):
    domain = domains(hello(web))
    call = phones(transport="tls").invite(f"sip:x@{domain.name}")
    assert call.wait_final().status == 200
    workers = stack.kamcmd("core.psx")
    stalled = []
    for what, data in broken_hellos():
        raw = Raw(transport="tcp", server=tls.ADDRESS)
        stalled.append(raw)
        try:
            raw.send(data)
        except ConnectionError:
            pass
        assert Handshake().done, what
    assert call.reinvite().status == 200 and call.bye().status == 200
    assert stack.kamcmd("core.psx") == workers, "no process was lost"
    for raw in stalled:
        raw.sock.close()


# -- certificates

def test_rsa_is_served_to_all_and_ecdsa_to_those_who_ask_for_its_name():
    usual, by_name, small = Handshake(), Handshake(sni=f"acme.{BASE_DOMAIN}"), Handshake(sni=f"ecdsa.{BASE_DOMAIN}")
    assert (usual.key, by_name.key, small.key) == ("RSA", "RSA", "EC")
    assert usual.verified and by_name.verified and small.verified
    assert "X509v3 Subject Alternative Name" in tls.openssl("x509", "-noout", "-ext", "subjectAltName", stdin=small.certificate)


def test_private_keys_are_for_the_services_alone():
    for name in ("rsa/key.pem", "ecdsa/key.pem"):
        mode = os.stat(f"{tls.DIR}/{name}").st_mode
        assert mode & 0o007 == 0 and os.stat(f"{tls.DIR}/{name}").st_gid == 5061
    assert os.stat(f"{tls.DIR}/ca.key").st_mode & 0o077 == 0


@pytest.fixture
def put():
    """put(folder, *names) puts a certificate beside those that are there; all that was put goes away with the test."""
    made = []

    def make(folder, *names, **kw):
        made.append(f"{tls.DIR}/{folder}")
        tls.certificate(made[-1], *names, **kw)
        reload()
    yield make
    for folder in made:
        shutil.rmtree(folder)
    reload()


def test_a_certificate_put_beside_the_others_is_served_to_those_who_ask_for_its_names(put):
    put("example", "DNS:sip.example.com", "DNS:*.voice.example.com")
    names = {sni: Handshake(sni=sni).serial for sni in ("sip.example.com", "x.voice.example.com", "voice.example.com", f"x.{BASE_DOMAIN}")}
    assert names["sip.example.com"] == names["x.voice.example.com"] != names[f"x.{BASE_DOMAIN}"]
    assert names["voice.example.com"] == names[f"x.{BASE_DOMAIN}"]


# -- calls

def hello(web):
    return web.serve("/voice", doc('<Say>Hello, and welcome: this call came in over TLS.</Say><Pause length="60"/>'))


def sip_tls(call):
    """Every message of the call that has a Contact of ours names TLS and its port."""
    contacts = [m.get("Contact") for m in call.responses + call.requests if m.get("Contact")]
    assert contacts and all(c.endswith(":5061;transport=tls>") for c in contacts), contacts


def test_a_call_over_tls_with_digest_ends_when_the_caller_hangs_up(web, domains, phones):
    domain = domains(hello(web), users=("alice",))
    phone = phones(transport="tls", sni=domain.name)
    call = phone.invite(f"sip:hello@{domain.name};transport=tls", credentials=("alice", PASSWORD))
    assert call.wait_final().status == 200
    call.rtp.wait_audio()
    sip_tls(call)
    assert call.reinvite().status == 200
    assert call.bye().status == 200


def test_a_call_over_tls_is_hung_up_on_its_connection(web, domains, phones, rest):
    domain = domains(web.serve("/voice", doc("<Pause length=\"1\"/>")))
    call = phones(transport="tls").invite(f"sip:x@{domain.name}")
    assert call.wait_final().status == 200
    assert call.wait_request("BYE")
    sip_tls(call)


def test_a_domain_that_is_secure_refuses_other_transports(web, domains, phones):
    domain = domains(hello(web), Secure="true")
    for transport in ("udp", "tcp"):
        refused = phones(transport=transport).invite(f"sip:x@{domain.name}").wait_final()
        assert (refused.status, refused.get("X-Twilio-Error").split()[0]) == (488, "32209")


def test_new_certificates_are_served_while_a_call_goes_on(web, domains, phones, put):
    domain = domains(hello(web))
    call = phones(transport="tls").invite(f"sip:x@{domain.name}")
    assert call.wait_final().status == 200
    before = Handshake(sni="new.example.com").serial
    put("new", "DNS:new.example.com")
    assert Handshake(sni="new.example.com").serial != before
    assert call.reinvite().status == 200
    call.rtp.wait_audio()
    assert call.bye().status == 200


# -- an address where a domain should be

def counted():
    return int(stack.kamcmd("stats.get_statistics", "tls_address_refused").split("=")[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:5061;transport=tls", "[::1]"])
def test_a_call_over_tls_to_an_address_is_refused_and_the_operator_sees_it(host, fresh_ip):
    before = counted()
    with Raw(fresh_ip, "tls") as raw:
        refused = raw.ask("INVITE", f"sip:100@{host}")
    assert (refused.status, refused.get("X-Twilio-Error").split()[0]) == (403, "32002")
    assert counted() == before + 1
    stack.wait_for(lambda: f"{fresh_ip} asks over TLS for {host.split(':5061')[0]}: refused" in stack.logs("kamailio", 100), what="a line in the log")


def test_the_account_whose_access_list_holds_the_source_is_told_of_it(domains, fresh_ip, rest):
    domains(allow=(fresh_ip,))
    with Raw(fresh_ip, "tls") as raw:
        assert raw.ask("INVITE", "sip:100@127.0.0.1").status == 403

    def told():
        return [n for n in rest.get("/Notifications.json")["notifications"] if n["error_code"] == "32002" and fresh_ip in n["message_text"]]
    assert "100%40127.0.0.1" in stack.wait_for(told, what="the notification")[0]["message_text"]


def test_over_tcp_an_address_is_an_unknown_domain_as_ever(fresh_ip):
    with Raw(fresh_ip, "tcp") as raw:
        assert raw.ask("INVITE", "sip:100@127.0.0.1").status == 404


# -- registration

@pytest.fixture
def home(rest, domains):
    domain = domains(users=("bob",), registers=True)
    return domain


def test_a_phone_registered_over_tls_is_called_on_its_connection(dial, home, phones):
    bob = phones(user="bob", transport="tls")
    register(bob, home.name, PASSWORD)
    alice = dial(f"<Dial><Sip>sip:bob@{home.name}</Sip></Dial>")
    callee = next_call(bob)
    callee.take()
    assert uri_of(callee.invite.get("Contact")).endswith(":5061;transport=tls")
    assert callee.invite.get("Via").startswith("SIP/2.0/TLS ")
    talk(alice, callee)
    alice.bye()
    callee.wait_request("BYE")


def test_a_phone_registered_over_tls_hangs_up(dial, home, phones):
    bob = phones(user="bob", transport="tls")
    register(bob, home.name, PASSWORD)
    alice = dial(f"<Dial><Sip>sip:bob@{home.name}</Sip></Dial>")
    callee = next_call(bob)
    callee.take()
    talk(alice, callee)
    assert callee.bye().status == 200
    alice.wait_request("BYE")


# -- calls of ours

def call_to(rest, web, target):
    return rest.post("/Calls.json", To=target, From="alice", Url=web.serve("/o", doc('<Say>Hello, this call went out over TLS.</Say><Pause length="60"/>')))


@pytest.mark.parametrize("form", ["sip:bob@{0.ip}:{0.port};transport=tls", "sips:bob@{0.ip}:{0.port}"])
def test_a_call_goes_out_over_tls(rest, web, tls_server, form):
    bob = tls_server(ca=False)
    row = call_to(rest, web, form.format(bob))
    callee = next_call(bob.line())
    # sips is sip with transport=tls (overview, TLS).
    assert callee.invite.first.startswith(f"INVITE sip:bob@{bob.ip}:{bob.port};transport=tls ")
    assert uri_of(callee.invite.get("To")) == f"sip:bob@{bob.ip}:{bob.port};transport=tls"
    assert uri_of(callee.invite.get("Contact")).endswith(":5061;transport=tls")
    assert callee.invite.get("Via").startswith("SIP/2.0/TLS ") and callee.invite.get("X-Hookswitch-Connection") is None
    callee.take()
    callee.rtp.wait_audio(0.3)
    rest.post(f"/Calls/{row['sid']}.json", expect=200, Status="completed")
    callee.wait_request("BYE")
    assert len(bob.phones) == 1, "one connection for all"


def test_a_dialled_server_over_tls_hangs_up(dial, tls_server):
    bob = tls_server(ca=False)
    alice = dial(f"<Dial><Sip>sip:bob@{bob.ip}:{bob.port};transport=tls</Sip></Dial>")
    callee = next_call(bob.line())
    callee.take()
    talk(alice, callee)
    assert callee.bye().status == 200
    alice.wait_request("BYE")


def test_a_server_is_found_by_its_srv_record(rest, web, tls_server, names):  # noqa: F811
    bob = tls_server(ca=False)
    names({"_sips._tcp.tls.example": [("SRV", (0, 0, bob.port, "pbx.tls.example"))], "pbx.tls.example": [("A", bob.ip)], "tls.example": [("A", "127.0.0.9")]})
    call_to(rest, web, "sip:bob@tls.example;transport=tls")
    callee = next_call(bob.line())
    assert callee.invite.first.startswith("INVITE sip:bob@tls.example;transport=tls ")
    callee.take()
