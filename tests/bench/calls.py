"""The benchmark's part on calls that come in: refused, answered and hung up by the caller, spoken to, and many at once that hear a prompt."""
import os
import subprocess
import time

from kit.rest import Rest

import measure
import probe

RATES = measure.numbers("BENCH_RATES", "100,300,600")
ANSWER_RATES = measure.numbers("BENCH_ANSWER_RATES", "50,200,400")
SAY_RATES = measure.numbers("BENCH_SAY_RATES", "50,100,200")
PLAY_CALLS = measure.numbers("BENCH_PLAY_CALLS", "100,500,1000")
PLAY_SECONDS = int(os.environ.get("BENCH_PLAY_SECONDS", "40"))
PLAY_RATE = 100
# Test, scenario, document, what the scenario is to tell rtpbox, rates.
LOADS = (("reject", "reject", "reject", None, RATES), ("answer", "answer", "play", None, ANSWER_RATES), ("say", "ivr", "say", "RECV", SAY_RATES))


def probed(found, target, work):
    """Answers to an INVITE by the kernel's clock, beside half of the highest rate of calls that are refused."""
    rate, stats = max(RATES) // 2, work / "probed.csv"
    before = measure.cpu_snapshot(found)
    with probe.Probe(target, measure.SECONDS) as own:
        measure.sipp("reject", target, rate, rate * measure.SECONDS, (), stats)
    measure.wait_idle(found)
    after = measure.cpu_snapshot(found)
    last = measure.last_row(stats)
    calls, ok = rate * measure.SECONDS + own.calls, int(last["SuccessfulCall(C)"]) + own.ok
    return {"test": "reject, probed", "offered_per_s": rate + probe.PER_SECOND, "calls": calls, "ok": ok, "failed": calls - ok,
            "calls_per_s": measure.call_rate(stats) + probe.PER_SECOND, "retransmissions": int(last["Retransmissions(C)"]),
            "response_ms": measure.response_times(work, "reject"), "probed_calls": own.calls, "probed_ms": own.response_ms(),
            **measure.costs(before, after, ok)}


def playing(found, target, calls, work, tool):
    """calls at once, each hearing the prompt for its whole length; the middle of it is the window."""
    stats, ramp = work / "play.csv", max(2, calls // PLAY_RATE)
    idle_rss = {s: measure.rss_kb(found[s]) for s in measure.SERVICES}
    with measure.Box(tool, measure.RTP_SOCKET, work, "play") as box:
        caller = subprocess.Popen(["sipp", "-sf", str(measure.HERE / "sipp" / "ivr.xml"), "-i", measure.CALLER, "-p", "5071", "-s", target,
                                   "-r", str(PLAY_RATE), "-m", str(calls), "-l", str(calls), "-key", "mport", measure.RTP_SOCKET.split(":")[1],
                                   "-key", "rtpcmd", "SEND", *measure.PLAIN.sipp, "-nostdin", "-trace_logs", "-log_file", str(box.fifo), "-trace_stat", "-stf", str(stats),
                                   "-fd", "1s", "-timeout", "180s", "-timeout_error", measure.SIP],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(ramp + 3)
        box.tell("MARK")
        before, at = measure.cpu_snapshot(found), time.monotonic()
        time.sleep(PLAY_SECONDS - ramp - 8)
        after, window = measure.cpu_snapshot(found), time.monotonic() - at
        busy_rss = {s: measure.rss_kb(found[s]) for s in measure.SERVICES}
        box.tell("UNMARK")
        caller.wait(timeout=120)
    measure.wait_idle(found)
    row = measure.last_row(stats)
    return {"test": "play", "calls": calls, "ok": int(row["SuccessfulCall(C)"]), "failed": int(row["FailedCall(C)"]), "window_s": round(window, 1),
            **measure.media_columns([box.result], calls, 50), **measure.costs(before, after, calls * window, "cpu_ms_per_call_second"),
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
        if RATES:
            yield probed(found, domains["reject"].uri()[4:], work)
        for calls in PLAY_CALLS:
            sub = work / f"play{calls}"
            sub.mkdir()
            yield playing(found, domains["play"].uri()[4:], calls, sub, tools["rtpbox"])
    finally:
        for domain in domains.values():
            domain.delete()
