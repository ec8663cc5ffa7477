"""The benchmark's part on secure media: what a bridged call-second costs when neither, one or both parties have SRTP, in one run."""
import os
import time

import measure
from kit import rest
from kit.callee import next_call, register
from kit.sip import Phone
from kit.srtp import E32, E80

CALLS = int(os.environ.get("BENCH_SRTP_CALLS", "20"))
# Name, the caller's suites, the party's.
CASES = (("plain", (), ()), ("one side", (E80,), ()), ("both, two suites", (E32,), (E80,)), ("both, one suite", (E80,), (E80,)))


def bridged(found, domain, party, suites, theirs):
    """CALLS conversations, set up one after the other; the window is when all of them talk."""
    phones, legs = [], []
    try:
        for _ in range(CALLS):
            phones.append(Phone(transport="tls" if suites else "udp", user="alice"))
            caller = phones[-1].invite(domain.uri(), srtp=suites)
            callee = next_call(party, srtp=theirs)
            callee.take()
            caller.wait_final()
            legs += [caller, callee]
        time.sleep(1)
        at, heard = time.monotonic(), [len(leg.rtp.packets) for leg in legs]
        before = measure.cpu_snapshot(found)
        time.sleep(measure.SECONDS)
        after, window = measure.cpu_snapshot(found), time.monotonic() - at
        packets = sum(len(leg.rtp.packets) - n for leg, n in zip(legs, heard))
        silent = sum(len(leg.rtp.packets) == n for leg, n in zip(legs, heard))
        rejected = sum(leg.srtp.rejected for leg in legs if leg.srtp)
    finally:
        for phone in phones:
            phone.close()
    measure.wait_idle(found)
    return {"calls": CALLS, "failed": silent + rejected, "packets_per_s": round(packets / window, 1), "packets_expected_per_s": CALLS * 100,
            **measure.costs(before, after, CALLS * window, "cpu_ms_per_call_second")}


def run(found, work, docs, tools, web):
    api, domains = rest.Rest(), []
    home = api.domain(users=("bob",), registers=True)
    domains.append(home)
    parties = {True: Phone(transport="tls", user="bob"), False: Phone(user="bob")}
    register(parties[True], home.name, rest.PASSWORD)
    targets = {True: f"sip:bob@{home.name};secure=true", False: f"sip:bob@{parties[False].ip}:{parties[False].port}"}
    try:
        for name, suites, theirs in CASES:
            secure = bool(theirs)
            (docs / f"srtp{secure:d}.xml").write_text(f"<Response><Dial><Sip>{targets[secure]}</Sip></Dial></Response>")
            domains.append(api.domain(f"http://{web}/srtp{secure:d}.xml", allow=("127.0.0.0/8",), Secure="true" if suites else "false"))
            yield {"test": f"srtp: {name}", **bridged(found, domains[-1], parties[secure], suites, theirs)}
    finally:
        for phone in parties.values():
            phone.close()
        for domain in domains:
            domain.delete()
