"""The other side of a call: a phone that is called, on the Phone and Call of sip.py."""
import time

from .digest import answer, challenge
from .sip import Call, media_of, token, uri_of


class Incoming(Call):
    """An INVITE that a phone received. It answers only what the test says, but CANCEL, as any phone does."""

    def __init__(self, phone, invite, **options):
        super().__init__(phone, uri_of(invite.get("From")), **options)
        self.invite = invite
        self.call_id = invite.get("Call-ID")
        self.from_uri, self.from_tag = uri_of(invite.get("To")), token()
        self.to_header = invite.get("From")
        self.target, self.routes = uri_of(invite.get("Contact")), invite.all("Record-Route")
        self.cseq = 100
        self.canceled = False
        self.answers_crypto = True
        if self.rtp and invite.body:
            self.remote = media_of(invite.body.decode())
            if self.srtp:
                self.srtp.take(invite.body.decode())
            self.rtp.send_to(*self.remote)

    def respond(self, status, reason="Whatever", headers=(), body=""):
        if body:
            headers = [*headers, "Content-Type: application/sdp"]
        self.phone.reply(self.invite, status, reason, [f"Contact: {self.phone.contact}", *headers], body, tag=self.from_tag)

    def ring(self):
        self.respond(180, "Ringing")

    def take(self, headers=(), **sdp):
        """The 200; waits for its ACK."""
        self.answer = self.invite
        self.respond(200, "OK", headers, self.sdp(**sdp))
        return self.wait_request("ACK")

    def _incoming(self, m):
        if m.method == "INVITE" and m.get("CSeq") == self.invite.get("CSeq"):
            return
        if m.method == "CANCEL":
            self.canceled = True
            self.phone.reply(m, 200, tag=self.from_tag)
            if self.answer is None:
                self.respond(487, "Request Terminated")
        super()._incoming(m)

    def abandon(self):
        if self.answer is None and not self.canceled:
            self.respond(480, "Temporarily Unavailable")
        super().abandon()


def next_call(phone, timeout=10, **options):
    """The next INVITE that reaches the phone."""
    deadline = time.monotonic() + timeout
    while True:
        m = phone.stray.get(timeout=max(0.01, deadline - time.monotonic()))
        if m.method == "INVITE":
            call = Incoming(phone, m, **options)
            phone.calls[call.call_id] = call
            return call


def register(phone, domain, password):
    """Registers phone.user at the domain; answers the challenge."""
    uri, call_id, tag = f"sip:{domain}", token(16), token()

    def send(cseq, headers):
        lines = [f"REGISTER {uri} SIP/2.0", f"Via: {phone.via()}", "Max-Forwards: 70", f"From: <sip:{phone.user}@{domain}>;tag={tag}",
                 f"To: <sip:{phone.user}@{domain}>", f"Call-ID: {call_id}", f"CSeq: {cseq} REGISTER", f"Contact: {phone.contact}",
                 "Expires: 600", *headers, "Content-Length: 0"]
        phone.send("\r\n".join(lines) + "\r\n\r\n")
        while True:
            m = phone.stray.get(timeout=10)
            if m.get("Call-ID") == call_id and m.get("CSeq").startswith(f"{cseq} "):
                return m

    first = send(1, [])
    assert first.status == 407, first
    final = send(2, [answer(challenge(first, "MD5"), "REGISTER", uri, phone.user, password)])
    assert final.status == 200, final
