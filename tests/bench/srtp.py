"""The benchmark's part on what is between two parties: what a bridged call-second costs when they are plain, of two codecs, or have SRTP, in one run."""
import os

import bridge
import tls
from kit import rest
from measure import PLAIN, Media

CALLS = int(os.environ.get("BENCH_SRTP_CALLS", "200"))
# Name, the caller's media, the party's. Two of one suite are joined by our sides: each packet crosses RTPengine twice (docs/adr/0032).
CASES = (("plain", PLAIN, PLAIN), ("transcoded", PLAIN, Media(8, "PCMA")), ("srtp, caller", Media(suite=80), PLAIN), ("srtp, party", PLAIN, Media(suite=80)),
         ("srtp, two suites", Media(suite=32), Media(suite=80)), ("srtp, one suite", Media(suite=80), Media(suite=80)))


def run(found, work, docs, tools, web):
    api, domains = rest.Rest(), []
    caller_at = tls.to_platform().at
    tls.to_party(bridge.SECURE_CALLEE, bridge.CALLEE)
    targets = {True: "sip:callee@{}:{};secure=true".format(*bridge.SECURE_CALLEE), False: "sip:callee@{}:{}".format(*bridge.CALLEE)}
    try:
        for number, (name, caller, callee) in enumerate(CASES):
            (docs / f"party{callee.secure:d}.xml").write_text(f"<Response><Dial><Sip>{targets[callee.secure]}</Sip></Dial></Response>")
            domains.append(api.domain(f"http://{web}/party{callee.secure:d}.xml", allow=("127.0.0.0/8",), Secure="true" if caller.secure else "false"))
            sub = work / f"case{number}"
            sub.mkdir()
            at = {"at": caller_at} if caller.secure else {}
            yield bridge.bridged(found, domains[-1].uri()[4:], CALLS, sub, tools["rtpbox"], name, caller, callee, **at)
    finally:
        for domain in domains:
            domain.delete()
