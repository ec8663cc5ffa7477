"""The benchmark's part on calls that come in: refused, answered and hung up by the caller, spoken to, and many at once that hear a prompt."""
import json
import os
import subprocess
import time

from kit.rest import Rest

import measure

RATES = [int(r) for r in os.environ.get("BENCH_RATES", "100,300,600").split(",")]
ANSWER_RATES = [int(r) for r in os.environ.get("BENCH_ANSWER_RATES", "50,200,400").split(",")]
SAY_RATES = [int(r) for r in os.environ.get("BENCH_SAY_RATES", "50,100,200").split(",")]
PLAY_CALLS = [int(n) for n in os.environ.get("BENCH_PLAY_CALLS", "100,300").split(",")]
PLAY_SECONDS = int(os.environ.get("BENCH_PLAY_SECONDS", "30"))
PLAY_RATE = 50
# Test, scenario, document, what the scenario is to tell rtpbox, rates.
LOADS = (("reject", "reject", "reject", None, RATES), ("answer", "answer", "play", None, ANSWER_RATES), ("say", "ivr", "say", "RECV", SAY_RATES))


def playing(found, target, calls, work, box):
    """calls at once, each hearing the prompt for its whole length; the middle of it is the window."""
    fifo, result, stats = work / "rtp.fifo", work / "rtp.json", work / "play.csv"
    os.mkfifo(fifo)
    receiver = subprocess.Popen([str(box), "-l", measure.RTP_SOCKET, "-c", str(fifo), "-o", str(result)])
    idle_rss = {s: measure.rss_kb(found[s]) for s in measure.SERVICES}
    ramp = max(2, calls // PLAY_RATE)
    try:
        caller = subprocess.Popen(["sipp", "-sf", str(measure.HERE / "sipp" / "ivr.xml"), "-i", measure.CALLER, "-p", "5071", "-s", target,
                                   "-r", str(PLAY_RATE), "-m", str(calls), "-l", str(calls), "-key", "mport", measure.RTP_SOCKET.split(":")[1],
                                   "-key", "rtpcmd", "SEND", "-nostdin", "-trace_logs", "-log_file", str(fifo), "-trace_stat", "-stf", str(stats),
                                   "-fd", "1s", "-timeout", "180s", "-timeout_error", measure.SIP],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(ramp + 3)
        fifo.open("w").write("MARK\n")
        before, at = measure.cpu_snapshot(found), time.monotonic()
        time.sleep(PLAY_SECONDS - ramp - 8)
        after, window = measure.cpu_snapshot(found), time.monotonic() - at
        busy_rss = {s: measure.rss_kb(found[s]) for s in measure.SERVICES}
        fifo.open("w").write("UNMARK\n")
        caller.wait(timeout=120)
    finally:
        receiver.terminate()
        receiver.wait(10)
    measure.wait_idle(found)
    row, media = measure.last_row(stats), json.loads(result.read_text())
    return {"test": "play", "calls": calls, "ok": int(row["SuccessfulCall(C)"]), "failed": int(row["FailedCall(C)"]), "window_s": round(window, 1),
            "gap_ms": [media[f"gap_ms_{p}"] for p in ("p50", "p99", "p999")],
            "lost": media["seq_lost"], "receiver_drops": media["rxq_drops"],
            "packets_per_s": round(media["win_rx"] / media["win_s"], 1), "packets_expected_per_s": calls * 50,
            **measure.costs(before, after, calls * window, "cpu_ms_per_call_second"),
            "kb_per_call": {s: round((busy_rss[s] - idle_rss[s]) / calls, 1) for s in ("control", "rtpengine")}}


def warm_up(found, work, web):
    domain = Rest().domain(f"http://{web}/reject.xml", allow=("127.0.0.0/8",))
    try:
        measure.signalling(found, "warm-up", "reject", domain.uri()[4:], 50, 100, work)
    finally:
        domain.delete()


def run(found, work, docs, tools, web):
    rest = Rest()
    domains = {n: rest.domain(f"http://{web}/{n}.xml", allow=("127.0.0.0/8",)) for n in ("reject", "say", "play")}
    try:
        for name, scenario, document, rtpcmd, rates in LOADS:
            for rate in rates:
                extra = ("-key", "rtpcmd", rtpcmd) if rtpcmd else ()
                yield measure.signalling(found, name, scenario, domains[document].uri()[4:], rate, rate * measure.SECONDS, work, extra)
        for calls in PLAY_CALLS:
            sub = work / f"play{calls}"
            sub.mkdir()
            yield playing(found, domains["play"].uri()[4:], calls, sub, tools["rtpbox"])
    finally:
        for domain in domains.values():
            domain.delete()
