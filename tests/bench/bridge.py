"""The benchmark's part on calls that go out: set-ups of a <Dial> a second, what a bridged call-second costs, calls that REST creates."""
import concurrent.futures
import os
import pathlib
import subprocess
import time

import measure
from kit import rest

HERE = pathlib.Path(__file__).resolve().parent
CALLEE = ("127.0.0.10", 5090)
SECURE_CALLEE = ("127.0.0.10", 5091)  # the same over TLS, behind a bridge (tls.py)
CALLER_RTP, CALLEE_RTP = "127.0.0.8:21000", "127.0.0.10:21000"
RATES = measure.numbers("BENCH_BRIDGE_RATES", "50,100,200")
CREATE_RATES = measure.numbers("BENCH_CREATE_RATES", "100,200,300")
CALLS = measure.numbers("BENCH_BRIDGE_CALLS", "50,200,500")
MEDIA_SECONDS = int(os.environ.get("BENCH_PLAY_SECONDS", "40"))


class Callee:
    """SIPp as the party that is dialled; every call lasts so long. `log`: the box that sends what it says."""

    def __init__(self, calls, hold_ms, work, log=None, media=measure.PLAIN):
        contact = "{}:{};transport=tls".format(*SECURE_CALLEE) if media.secure else "{}:{}".format(*CALLEE)
        extra = ["-trace_logs", "-log_file", str(log), "-key", "rtpcmd", "SEND"] if log else ["-key", "rtpcmd", "RECV"]
        self.process = subprocess.Popen(
            ["sipp", "-sf", str(HERE / "sipp" / "callee.xml"), "-i", CALLEE[0], "-p", str(CALLEE[1]), "-m", str(calls), "-d", str(hold_ms), "-l", "20000",
             "-nostdin", "-t", "t1" if media.secure else "u1", "-key", "contact", contact, "-key", "mport", CALLEE_RTP.split(":")[1], *media.sipp,
             "-trace_stat", "-stf", str(work / "callee.csv"), "-fd", "1s", "-timeout", "240s", *extra],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)

    def end(self):
        """How many calls it counts as failed."""
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            self.process.wait(10)
        return self.process.returncode


def setups(found, domain, work):
    for rate in RATES:
        calls = rate * measure.SECONDS
        callee = Callee(calls, 500, work)
        row = measure.signalling(found, "bridge", "ivr", domain.uri()[4:], rate, calls, work, ("-key", "rtpcmd", "RECV"))
        row["callee_exit"] = callee.end()
        yield row


def bridged(found, target, calls, work, tool, name="bridged", caller=measure.PLAIN, callee=measure.PLAIN, at=measure.SIP):
    """calls at once that talk both ways; the middle of them is the window."""
    ramp, stats = max(2, calls // 50), work / "bridge.csv"
    with measure.Box(tool, CALLER_RTP, work, "caller", caller.box) as near, measure.Box(tool, CALLEE_RTP, work, "callee", callee.box) as far:
        party = Callee(calls, (MEDIA_SECONDS - 2) * 1000, work, far.fifo, callee)
        load = subprocess.Popen(["sipp", "-sf", str(HERE / "sipp" / "ivr.xml"), "-i", measure.CALLER, "-p", "5072", "-s", target, "-r", "50",
                                 "-m", str(calls), "-l", str(calls), "-t", "t1" if caller.secure else "u1", "-key", "mport", CALLER_RTP.split(":")[1],
                                 *caller.sipp, "-key", "rtpcmd", "SEND", "-nostdin", "-trace_logs", "-log_file", str(near.fifo), "-trace_stat",
                                 "-stf", str(stats), "-fd", "1s", "-timeout", "180s", "-timeout_error", at],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(ramp + 3)
        near.tell("MARK")
        far.tell("MARK")
        before, started = measure.cpu_snapshot(found), time.monotonic()
        time.sleep(MEDIA_SECONDS - ramp - 8)
        after, window = measure.cpu_snapshot(found), time.monotonic() - started
        near.tell("UNMARK")
        far.tell("UNMARK")
        load.wait(timeout=120)
        party.end()
    measure.wait_idle(found)
    row = measure.last_row(stats)
    return {"test": name, "calls": calls, "ok": int(row["SuccessfulCall(C)"]), "failed": int(row["FailedCall(C)"]), "window_s": round(window, 1),
            **measure.media_columns([near.result, far.result], calls, 100), **measure.costs(before, after, calls * window, "cpu_ms_per_call_second")}


def creates(found, api, work):
    """POST /Calls at a rate, each answered and hung up by the party after 0.5 s."""
    for rate in CREATE_RATES:
        calls = rate * measure.SECONDS
        callee = Callee(calls, 500, work)
        before, started = measure.cpu_snapshot(found), time.monotonic()

        def create(n, started=started, rate=rate):
            wait = started + n / rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            answer = api.call("POST", "/Calls.json", To=f"sip:callee@{CALLEE[0]}:{CALLEE[1]}", From="load", Twiml="<Response><Pause length='10'/></Response>")
            return answer.status_code == 201

        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            made = sum(pool.map(create, range(calls)))
        seconds = time.monotonic() - started
        callee.end()
        measure.wait_idle(found)
        after = measure.cpu_snapshot(found)
        ok = int(measure.last_row(work / "callee.csv")["SuccessfulCall(C)"])
        yield {"test": "create", "offered_per_s": rate, "calls": calls, "made": made, "ok": ok, "failed": calls - ok, "calls_per_s": round(calls / seconds, 1),
                     "retransmissions": int(measure.last_row(work / "callee.csv")["Retransmissions(C)"]),
                     **measure.costs(before, after, ok)}


def run(found, work, docs, tools, web):
    api = rest.Rest()
    (docs / "dial.xml").write_text(f"<Response><Dial><Sip>sip:callee@{CALLEE[0]}:{CALLEE[1]}</Sip></Dial></Response>")
    domain = api.domain(f"http://{web}/dial.xml", allow=("127.0.0.0/8",))
    try:
        yield from setups(found, domain, work)
        for calls in CALLS:
            sub = work / f"bridged{calls}"
            sub.mkdir()
            yield bridged(found, domain.uri()[4:], calls, sub, tools["rtpbox"])
        yield from creates(found, api, work)
    finally:
        domain.delete()
