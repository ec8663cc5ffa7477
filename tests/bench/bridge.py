"""The benchmark's part on calls that go out: set-ups of a <Dial> a second, what a bridged call-second costs, calls that REST creates."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import time

import measure
from kit import rest

HERE = pathlib.Path(__file__).resolve().parent
CALLEE = ("127.0.0.10", 5090)
CALLER_RTP, CALLEE_RTP = "127.0.0.8:21000", "127.0.0.10:21000"
RATES = [int(r) for r in os.environ.get("BENCH_BRIDGE_RATES", "50,100,200").split(",")]
CREATE_RATES = [int(r) for r in os.environ.get("BENCH_CREATE_RATES", "100,200,300").split(",")]
CALLS = [int(n) for n in os.environ.get("BENCH_BRIDGE_CALLS", "100").split(",")]
MEDIA_SECONDS = int(os.environ.get("BENCH_PLAY_SECONDS", "30"))


class Callee:
    """SIPp as the party that is dialled; every call lasts so long."""

    def __init__(self, calls, hold_ms, work, log=None):
        extra = ["-trace_logs", "-log_file", str(log), "-key", "rtpcmd", "SEND"] if log else ["-key", "rtpcmd", "RECV"]
        self.process = subprocess.Popen(
            ["sipp", "-sf", str(HERE / "sipp" / "callee.xml"), "-i", CALLEE[0], "-p", str(CALLEE[1]), "-m", str(calls), "-d", str(hold_ms), "-l", "20000",
             "-nostdin", "-key", "mport", CALLEE_RTP.split(":")[1], "-trace_stat", "-stf", str(work / "callee.csv"), "-fd", "1s", "-timeout", "240s", *extra],
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


def bridged(found, domain, calls, work, box):
    """calls at once that talk both ways; the middle of them is the window."""
    results, boxes, fifos = [], [], []
    for name, address in (("caller", CALLER_RTP), ("callee", CALLEE_RTP)):
        fifo, result = work / f"{name}.fifo", work / f"{name}.json"
        os.mkfifo(fifo)
        boxes.append(subprocess.Popen([str(box), "-l", address, "-c", str(fifo), "-o", str(result)]))
        fifos.append(fifo)
        results.append(result)
    ramp = max(2, calls // 50)
    callee = Callee(calls, (MEDIA_SECONDS - 2) * 1000, work, fifos[1])
    stats = work / "bridge.csv"
    caller = subprocess.Popen(["sipp", "-sf", str(HERE / "sipp" / "ivr.xml"), "-i", measure.CALLER, "-p", "5072", "-s", domain.uri()[4:], "-r", "50",
                               "-m", str(calls), "-l", str(calls), "-key", "mport", CALLER_RTP.split(":")[1], "-key", "rtpcmd", "SEND", "-nostdin",
                               "-trace_logs", "-log_file", str(fifos[0]), "-trace_stat", "-stf", str(stats), "-fd", "1s", "-timeout", "180s",
                               "-timeout_error", measure.SIP], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(ramp + 3)
        for fifo in fifos:
            fifo.open("w").write("MARK\n")
        before, at = measure.cpu_snapshot(found), time.monotonic()
        time.sleep(MEDIA_SECONDS - ramp - 8)
        after, window = measure.cpu_snapshot(found), time.monotonic() - at
        for fifo in fifos:
            fifo.open("w").write("UNMARK\n")
        caller.wait(timeout=120)
        callee.end()
    finally:
        for one in boxes:
            one.terminate()
            one.wait(10)
    measure.wait_idle(found)
    row, media = measure.last_row(stats), [json.loads(r.read_text()) for r in results]
    return {"test": "bridged", "calls": calls, "ok": int(row["SuccessfulCall(C)"]), "failed": int(row["FailedCall(C)"]), "window_s": round(window, 1),
            "lost": sum(m["seq_lost"] for m in media), "receiver_drops": sum(m["rxq_drops"] for m in media),
            "gap_ms": [max(m[f"gap_ms_{p}"] for m in media) for p in ("p50", "p99", "p999")],
            "delay_ms": [max(m[f"delay_ms_{p}"] for m in media) for p in ("p50", "p99", "p999")],
            "packets_per_s": round(sum(m["win_rx"] / m["win_s"] for m in media), 1), "packets_expected_per_s": calls * 100,
            **measure.costs(before, after, calls * window, "cpu_ms_per_call_second")}


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
            yield bridged(found, domain, calls, sub, tools["rtpbox"])
        yield from creates(found, api, work)
    finally:
        domain.delete()
