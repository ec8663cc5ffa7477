"""SRTP with SDES keys (RFC 3711, RFC 4568) on libsrtp: what a secure phone adds to its RTP."""
import base64
import os
import re

from pylibsrtp import Error, Policy, Session

E80, E32 = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"
PROFILES = {E80: Policy.SRTP_PROFILE_AES128_CM_SHA1_80, E32: Policy.SRTP_PROFILE_AES128_CM_SHA1_32}


def crypto_lines(sdp):
    """[(tag, suite, key as text)] of the description."""
    return re.findall(r"^a=crypto:(\d+) (\S+) inline:([A-Za-z0-9+/=]+)", sdp, re.M)


class Srtp:
    """The keys of one stream both ways. rejected counts what did not authenticate."""

    def __init__(self, suites):
        self.suites = list(suites)
        self.rekey()
        self.tag, self.suite, self.remote_key = 1, None, None
        self._in = self._out = self._keys = None
        self.rejected = 0

    def rekey(self):
        self.key = base64.b64encode(os.urandom(30)).decode()

    def lines(self, answer=False):
        if answer:
            return [f"a=crypto:{self.tag} {self.suite} inline:{self.key}"]
        return [f"a=crypto:{n} {suite} inline:{self.key}" for n, suite in enumerate(self.suites, 1)]

    def take(self, sdp):
        """The other side's description: its first line of a suite of ours."""
        tag, suite, key = next(c for c in crypto_lines(sdp) if c[1] in PROFILES)
        keys = (suite, key, self.key)
        if keys == self._keys:
            return  # the streams go on
        self._keys = keys
        self.tag, self.suite, self.remote_key = int(tag), suite, key
        self._in = self._session(key, Policy.SSRC_ANY_INBOUND)
        self._out = self._session(self.key, Policy.SSRC_ANY_OUTBOUND)

    def _session(self, key, direction):
        return Session(Policy(key=base64.b64decode(key), ssrc_type=direction, srtp_profile=PROFILES[self.suite]))

    def protect(self, packet):
        return self._out.protect(packet) if self._out else None

    def unprotect(self, packet):
        """None: not encrypted with the key that was agreed on."""
        try:
            return self._in.unprotect(packet) if self._in else None
        except Error:
            self.rejected += 1
            return None
