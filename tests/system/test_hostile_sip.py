"""The SIP face towards strangers: bans, guessing of passwords, connections, bombs (docs/hostile-internet.md)."""
import os
import re
import statistics
import time

import pytest

from kit import stack
from kit.callee import next_call
from kit.digest import answer, challenge
from kit.rest import BASE_DOMAIN, PASSWORD
from kit.sip import token
from kit.sip_raw import Raw

from test_registration import Registrant, home  # noqa: F401
from test_sip_auth import error, invite, passes

US = f"sip:nobody@x.{BASE_DOMAIN}"
REFUSED_MAX = int(os.environ.get("SIP_REFUSED_MAX", "400"))
TRIES = 5  # SIP_PASSWORD_TRIES


@pytest.fixture
def sip(fresh_ip):
    with Raw(fresh_ip) as raw:
        yield raw


@pytest.fixture
def another_ip(fresh_ip):
    return fresh_ip.replace("127.0.", "127.77.")


def htable(name):
    """Names and values of a table of Kamailio's."""
    return dict(re.findall(r"name: (\S.*)\n\s*value: (.*)", stack.kamcmd("htable.dump", name)))


def flood(sip, n=REFUSED_MAX + 200):
    """Datagrams that lead nowhere, until they are not answered any more."""
    silent = 0
    for _ in range(n):
        sip.send(sip.request("INVITE", f"sip:100@{token(6)}.{BASE_DOMAIN}"))
        silent = 0 if sip.recv(0.05) else silent + 1
        if silent == 5:
            return True
    return False


def lift(ip):
    for key in (ip, f"udp:{ip}"):
        stack.kamcmd("htable.delete", "bans", key)
        stack.kamcmd("htable.delete", "banned", key)


# -- bans


def test_the_operator_lists_bans_lifts_and_makes_them(sip):
    assert flood(sip)
    assert "refused" in htable("bans")[f"udp:{sip.ip}"]
    stack.kamcmd("htable.delete", "bans", f"udp:{sip.ip}")
    assert sip.ask("OPTIONS", US, timeout=2).status == 200
    stack.kamcmd("htable.setxs", "bans", sip.ip, "operator", "600")
    assert sip.ask("OPTIONS", US, timeout=0.5) is None
    with Raw(sip.ip, "tcp") as tcp:
        tcp.send(tcp.request("OPTIONS", US))
        assert tcp.closed()
    lift(sip.ip)
    assert sip.ask("OPTIONS", US, timeout=2).status == 200


def test_a_ban_ends_and_the_next_one_is_longer(sip):
    def banned_for():
        assert flood(sip)
        begun = time.monotonic()
        stack.wait_for(lambda: sip.ask("OPTIONS", US, timeout=0.2), 30, "the end of the ban")
        return time.monotonic() - begun
    first = banned_for()
    # Refusals are counted by tens of seconds: the next ban begins when they are forgotten, at the latest.
    assert banned_for() > first + 1
    lift(sip.ip)


def test_datagrams_in_a_customers_name_ban_nobody(domains, sip, another_ip):
    """Whose address is in an access list is not banned, though it never called."""
    domain = domains(allow=(f"{sip.ip}/32",))
    with Raw(sip.ip) as spoofer:
        assert not flood(spoofer)
    assert f"udp:{sip.ip}" not in htable("bans")
    assert passes(invite(sip, domain.uri()))


def test_datagrams_in_a_phones_name_ban_nobody(home, fresh_ip):
    domain = home(allow=())
    phone = Registrant(domain.name, fresh_ip)
    assert phone.register().status == 200
    # As after an hour without a call.
    stack.kamcmd("htable.delete", "trusted", fresh_ip)
    assert not flood(phone.sip)
    assert f"udp:{fresh_ip}" not in htable("bans")
    phone.sip.sock.close()


def test_a_carrier_that_was_banned_in_its_absence_is_called_and_the_ban_is_over(rest, phones, fresh_ip):
    bob = phones(user="bob", ip=fresh_ip)
    stack.kamcmd("htable.setxs", "bans", f"udp:{fresh_ip}", "refused", "600")
    rest.post("/Calls.json", To=f"sip:bob@{bob.ip}:{bob.port}", From="alice", Twiml="<Response><Pause length='20'/></Response>")
    call = next_call(bob)
    call.ring()
    call.take()
    assert f"udp:{fresh_ip}" not in htable("bans")
    assert call.bye().status == 200


def test_a_ban_of_datagrams_is_none_of_connections(domains, fresh_ip):
    domain = domains(allow=(), users=["alice"])
    with Raw(fresh_ip) as spoofer, Raw(fresh_ip, "tcp") as phone:
        assert flood(spoofer)
        fields = challenge(invite(phone, domain.uri()), "SHA-256")
        assert passes(invite(phone, domain.uri(), [answer(fields, "INVITE", domain.uri(), "alice", PASSWORD)]))
        lift(fresh_ip)


def test_a_connection_that_leads_nowhere_is_closed_and_the_next_one_too(fresh_ip):
    with Raw(fresh_ip, "tcp") as sip:
        for _ in range(REFUSED_MAX + 1):
            sip.send(sip.request("INVITE", f"sip:100@{token(6)}.{BASE_DOMAIN}"))
        assert sip.closed()
    with Raw(fresh_ip, "tcp") as sip:
        sip.send(sip.request("OPTIONS", US))
        assert sip.closed()
    lift(fresh_ip)


def test_acks_of_no_invite_close_the_connection(fresh_ip):
    """Each that names a tag like ours is told to hookswitchd."""
    with Raw(fresh_ip, "tcp") as sip:
        for _ in range(REFUSED_MAX + 1):
            sip.send(sip.request("ACK", US, to=f"<{US}>;tag=hs-{token(8)}"))
        assert sip.closed()
    assert "refused" in htable("bans")[fresh_ip]
    lift(fresh_ip)


def test_of_a_stranger_that_floods_with_garbage_nothing_is_read_for_some_seconds(sip, another_ip):
    for n in range(2100):  # SIP_MESSAGES_MAX is 2000
        sip.send(b"this is no SIP at all " * 10 + b"\r\n\r\n")
        if n % 50 == 0:
            time.sleep(0.002)
    assert sip.ask("OPTIONS", US, timeout=0.5) is None
    with Raw(another_ip) as other:
        assert other.ask("OPTIONS", US).status == 200
    stack.wait_for(lambda: sip.ask("OPTIONS", US, timeout=0.2), 20, "an answer")


def test_a_flood_from_a_banned_source_costs_callers_nothing(domains, sip, another_ip):
    domain = domains(allow=(f"{another_ip}/32",))
    assert flood(sip)
    stack.kamcmd("htable.setex", "bans", f"udp:{sip.ip}", "60")
    message = sip.request("INVITE", US).encode()
    with Raw(another_ip) as caller:
        until = time.monotonic() + 3
        calls = 0
        while time.monotonic() < until:
            # No more at once than the kernel keeps for a socket.
            for _ in range(100):
                sip.send(message)
            assert passes(invite(caller, domain.uri()))
            calls += 1
        assert calls >= 5
    assert sip.recv(0.2) is None
    lift(sip.ip)


# -- guessing


def guess(sip, domain, user, password, ip=None):
    fields = challenge(invite(sip, domain.uri()), "SHA-256")
    return invite(sip, domain.uri(), [answer(fields, "INVITE", domain.uri(), user, password)])


def test_after_some_wrong_passwords_the_right_one_is_refused_just_so_until_the_lock_ends(domains, sip):
    domain = domains(allow=(), users=["alice"])
    for _ in range(TRIES):
        wrong = guess(sip, domain, "alice", "Wrong1Password")
        assert (wrong.status, error(wrong)) == (403, "32202")
    locked = guess(sip, domain, "alice", PASSWORD)
    assert (locked.first, locked.get("X-Twilio-Error")) == (wrong.first, wrong.get("X-Twilio-Error"))
    assert f"{sip.ip}|alice@{domain.name}" in htable("locked")
    stack.wait_for(lambda: passes(guess(sip, domain, "alice", PASSWORD)), 20, "the end of the lock")


def test_each_lock_is_longer(domains, sip):
    domain = domains(allow=(), users=["alice"])
    key = f"{sip.ip}|alice@{domain.name}"

    def lock():
        guess(sip, domain, "alice", "Wrong1Password")
        return htable("locked").get(key)
    first = stack.wait_for(lock, 10, "a lock")
    stack.kamcmd("htable.delete", "locked", key)
    assert int(lock()) == 2 * int(first)


def test_an_address_that_guesses_is_locked_for_that_user_and_no_other_address_is(domains, sip, another_ip):
    domain = domains(allow=(), users=["alice", "bob"])
    for _ in range(TRIES):
        guess(sip, domain, "alice", "Wrong1Password")
    with Raw(another_ip) as phone:
        assert passes(guess(phone, domain, "alice", PASSWORD))
    assert guess(sip, domain, "alice", PASSWORD).status == 403
    assert passes(guess(sip, domain, "bob", PASSWORD))


def test_many_addresses_that_guess_lock_a_user_for_strangers_and_not_for_the_phone_that_was_right_before(domains, fresh_ip, another_ip):
    domain = domains(allow=(), users=["alice"])
    with Raw(fresh_ip) as phone, Raw(another_ip) as stranger:
        assert passes(guess(phone, domain, "alice", PASSWORD))
        for n in range(50):  # SIP_PASSWORD_TRIES_OF_USER
            with Raw(f"127.78.{n}.{int(fresh_ip.split('.')[-1])}") as one:
                guess(one, domain, "alice", "Wrong1Password")
        assert guess(stranger, domain, "alice", PASSWORD).status == 403
        assert passes(guess(phone, domain, "alice", PASSWORD))


def test_a_stranger_that_guesses_at_many_users_is_banned(domains, fresh_ip):
    domain = domains(allow=(), users=["alice"])
    with Raw(fresh_ip) as sip:
        for n in range(49):
            assert guess(sip, domain, f"user{n}", PASSWORD).status == 403
        fields = challenge(invite(sip, domain.uri()), "SHA-256")
        sip.send(sip.request("INVITE", domain.uri(), [answer(fields, "INVITE", domain.uri(), "last", "x")]))
        assert sip.final(2).status == 403
        assert "wrong passwords" in htable("bans")[f"udp:{fresh_ip}"]
        lift(fresh_ip)


def test_a_customer_that_guesses_at_another_ones_users_is_locked_there(domains, sip):
    """Who brought calls in is not banned, and still learns no password of others."""
    own = domains(allow=(f"{sip.ip}/32",))
    other = domains(allow=(), users=["alice"])
    assert passes(invite(sip, own.uri()))
    for n in range(50):
        guess(sip, other, f"user{n}", PASSWORD)
    assert guess(sip, other, "alice", PASSWORD).status == 403
    assert passes(invite(sip, own.uri()))


def test_an_unknown_user_is_locked_as_a_known_one(domains, sip):
    domain = domains(allow=(), users=["alice"])
    seen = []
    for user in ("alice", "nobody"):
        seen.append([(m.first, m.get("X-Twilio-Error"), len(m.headers)) for m in (guess(sip, domain, user, "Wrong1Password") for _ in range(TRIES + 2))])
    assert seen[0] == seen[1]
    assert {f"{sip.ip}|{user}@{domain.name}" for user in ("alice", "nobody")} <= set(htable("locked"))


def test_nobody_is_locked_by_what_others_send_in_his_name(domains, sip, another_ip):
    """Who writes a phone's address on datagrams sees no challenge of the phone's: only his own."""
    domain = domains(allow=(), users=["alice"])
    with Raw(another_ip) as spoofer:
        fields = challenge(invite(spoofer, domain.uri()), "SHA-256")
    for nc in range(1, TRIES + 3):
        spoofed = answer(fields, "INVITE", domain.uri(), "alice", "Wrong1Password", nc=nc)
        assert invite(sip, domain.uri(), [spoofed]).status == 403
    assert f"unproven {sip.ip}|alice@{domain.name}" in htable("locked")
    assert passes(guess(sip, domain, "alice", PASSWORD))


def test_unknown_users_and_wrong_passwords_take_the_same_time(domains, fresh_ip):
    """Each name for the first time, so that nothing of it is kept: the look-up in SQL is part of it."""
    users = [f"user{n}" for n in range(40)]
    domain = domains(allow=(), users=users)
    took = {True: [], False: []}
    with Raw(fresh_ip) as sip:
        for n, user in enumerate(users):
            for known in (True, False):
                if n % 20 == 0:
                    stack.kamcmd("htable.flush", "locked")
                    stack.kamcmd("htable.flush", "guesses")
                fields = challenge(invite(sip, domain.uri()), "SHA-256")
                message = sip.request("INVITE", domain.uri(), [answer(fields, "INVITE", domain.uri(), user if known else f"none{n}", "Wrong1Password")])
                begun = time.monotonic()
                sip.send(message)
                assert sip.final(2).status == 403
                took[known].append(time.monotonic() - begun)
        lift(fresh_ip)
    medians = {known: statistics.median(t) * 1000 for known, t in took.items()}
    assert abs(medians[True] - medians[False]) < 1.0, medians


# -- registrations


def test_a_domain_has_no_more_bindings_than_it_may_and_those_it_has_are_renewed(home, fresh_ip):
    """SIP_BINDINGS_OF_DOMAIN is 12 here."""
    users = [f"user{n}" for n in range(13)]
    domain = home(users=users, allow=())
    phones = [Registrant(domain.name, fresh_ip, user=user) for user in users]
    assert [phone.register().status for phone in phones] == [200] * 12 + [403]
    refused = phones[12].register()
    assert (refused.status, error(refused)) == (403, "32007") and "of the domain" in refused.first
    assert phones[0].register().status == 200
    assert phones[1].register(expires=0).status == 200
    assert phones[12].register().status == 200
    for phone in phones:
        phone.sip.sock.close()


# -- connections and bombs


def test_one_address_does_not_take_all_connections(fresh_ip, another_ip):
    """SIP_CONNECTIONS_PER_SOURCE (512)."""
    made = []
    try:
        for _ in range(600):
            made.append(Raw(fresh_ip, "tcp"))
        last = made[-1]
        last.send(last.request("OPTIONS", US))
        assert last.closed() or last.recv(0.5) is None
        assert made[0].ask("OPTIONS", US).status == 200
        with Raw(another_ip, "tcp") as other:
            assert other.ask("OPTIONS", US).status == 200
    finally:
        for sip in made:
            sip.sock.close()


@pytest.mark.slow
def test_a_message_that_comes_byte_by_byte_ends_its_connection(fresh_ip):
    with Raw(fresh_ip, "tcp") as slow, Raw(fresh_ip, "tcp") as quick:
        # What has not said anything for ten seconds is closed as well.
        assert quick.ask("OPTIONS", US).status == 200
        begun = time.monotonic()
        ended = False
        for byte in slow.request("OPTIONS", US).encode():
            try:
                slow.send(bytes([byte]))
            except ConnectionError:
                ended = True
                break
            time.sleep(0.25)
            if slow.closed(0.01):
                ended = True
                break
        assert ended and time.monotonic() - begun < 30
        assert quick.ask("OPTIONS", US).status == 200


BOMBS = {
    "many headers": lambda s, uri: s.request("INVITE", uri, [f"X-H{i}: v" for i in range(2500)]),
    "one long header": lambda s, uri: s.request("INVITE", uri, ["X-Long: " + "a" * 30000]),
    "many Vias": lambda s, uri: s.request("INVITE", uri).replace("Max-Forwards", "".join(
        f"Via: SIP/2.0/UDP h{i}.invalid;branch=z9hG4bK{i}\r\n" for i in range(500)) + "Max-Forwards"),
    "many Routes": lambda s, uri: s.request("INVITE", uri, ["Record-Route: <sip:r.invalid;lr>"] * 600),
    "many media lines": lambda s, uri: sdp(s, uri, "m=audio 40000 RTP/AVP 0\r\n" * 1000),
    "many attributes": lambda s, uri: sdp(s, uri, "m=audio 40000 RTP/AVP 0\r\n" + "a=rtpmap:0 PCMU/8000\r\n" * 1000),
    "many codecs": lambda s, uri: sdp(s, uri, "m=audio 40000 RTP/AVP " + " ".join(str(i % 128) for i in range(6000)) + "\r\n"),
    "many crypto lines": lambda s, uri: sdp(s, uri, "m=audio 40000 RTP/SAVP 0\r\n" + "".join(
        f"a=crypto:{i} AES_CM_128_HMAC_SHA1_80 inline:{'A' * 40}\r\n" for i in range(300))),
    "deep multipart": lambda s, uri: s.request("INVITE", uri, body="".join(
        f"--b{i}\r\nContent-Type: multipart/mixed;boundary=b{i + 1}\r\n\r\n" for i in range(400)), Content_Type="multipart/mixed;boundary=b0"),
    "an SDP of control characters": lambda s, uri: sdp(s, uri, "m=audio 40000 RTP/AVP 0\r\n" + "\x01\x7f" * 8000),
    "a Contact list": lambda s, uri: s.request("INVITE", uri, Contact=", ".join(f"<sip:c{i}@192.0.2.1>" for i in range(800))),
    "a nested comment": lambda s, uri: s.request("INVITE", uri, ["Subject: " + "(" * 20000]),
}


def sdp(sip, uri, media):
    body = f"v=0\r\no=- 1 1 IN IP4 {sip.ip}\r\ns=-\r\nc=IN IP4 {sip.ip}\r\nt=0 0\r\n{media}"
    return sip.request("INVITE", uri, body=body, Content_Type="application/sdp")


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_bomb_from_a_customer_is_answered_and_harms_nobody(domains, fresh_ip, another_ip, name, transport):
    domain = domains(allow=(f"{fresh_ip}/32", f"{another_ip}/32"))
    with Raw(fresh_ip, transport) as sip, Raw(another_ip) as caller:
        begun = time.monotonic()
        sip.send(BOMBS[name](sip, domain.uri()))
        m = sip.final(5)
        assert m and 400 <= m.status < 700, m
        assert time.monotonic() - begun < 2
        assert passes(invite(caller, domain.uri()))


# -- SIP_UNIFORM_REFUSALS


SHAPE = ("Via", "From", "To", "Call-ID", "Content-Length")


def shape(m):
    """What a scanner sees of an answer, without what is of the request or new in each."""
    return (m.first, [(n, re.sub(r'(nonce|opaque)="[^"]*"|tag=[^;]*', "", v)) for n, v in m.headers if n not in SHAPE and not n.startswith("CSeq")])


@pytest.mark.skipif(os.environ.get("SIP_UNIFORM_REFUSALS") != "1", reason="strangers are told why, as Twilio does; tests/run asks again with the setting")
def test_with_uniform_refusals_a_stranger_cannot_tell_domains_apart(rest, domains, fresh_ip, another_ip):
    hosts = {"unknown": f"sip:100@no-such.{BASE_DOMAIN}", "below": f"sip:100@a.b.{BASE_DOMAIN}", "elsewhere": "sip:100@example.com",
             "of an access list": domains(allow=(f"{another_ip}/32",)).uri(), "of passwords": domains(allow=(), users=["alice"]).uri(),
             "of both": domains(allow=(f"{another_ip}/32",), users=["alice"]).uri(), "of neither": domains(allow=()).uri(),
             "secure": domains(allow=(), users=["alice"], Secure="true").uri()}
    for method in ("INVITE", "REGISTER"):
        seen = {}
        for n, (what, uri) in enumerate(hosts.items()):
            with Raw(f"127.81.{n}.{fresh_ip.split('.')[-1]}") as sip:
                to = None if method == "INVITE" else f"<sip:alice@{uri.partition('@')[2]}>"
                first = sip.ask(method, uri, to=to)
                second = sip.ask(method, uri, [answer(challenge(first, "MD5"), method, uri, "alice", "Wrong1Password")], to=to)
                seen[what] = shape(first), shape(second)
        assert {m[0][0].split()[1] for m in seen.values()} == {"407"} and {m[1][0].split()[1] for m in seen.values()} == {"403"}
        assert len(set(map(repr, seen.values()))) == 1, seen
