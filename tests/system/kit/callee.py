"""The other side of a call: a phone that is called, on the Phone and Call of sip.py."""
import time

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
        if self.rtp and invite.body:
            self.remote = media_of(invite.body.decode())
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
