"""The benchmark: what a call costs, how many go through, whether every packet is on time, and that nothing remains.

Runs inside the test image, in the stack's network namespace, with the host's /proc (tests/bench/run starts it so). Prints a table and
writes OUT/bench.json. Every figure is of this one run; aims and ratios are judged by people, machines here are noisy.

  (a) reject, say   calls/s reached at the offered rates, CPU-ms a call by process
  (b) play          concurrent calls hearing a prompt: gap between packets at p99.9, CPU-ms a call-second by process
  (c) memory        resident memory a call, of hookswitchd and RTPengine
  (d) idle          transactions, NG calls, calls and sockets after the load
  (e) rest          REST requests/s, p50, p99, CPU-ms a request by process; the last page of a million calls (rest.py)

  (f) register      REGISTERs with digest a second, CPU-ms each by process (register.py)
  (g) bridge        set-ups of a <Dial> a second, CPU-ms a bridged call-second, calls that REST creates a second (bridge.py)

BENCH_PARTS chooses: calls (a to d), rest (e), register (f), bridge (g).
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import wave

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from kit import g711, stack  # noqa: E402
from kit.rest import Rest  # noqa: E402

import bridge as bridge_part  # noqa: E402
import register as register_part  # noqa: E402
import rest as rest_part  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
OUT = pathlib.Path(os.environ.get("BENCH_OUT", "/out"))
SERVICES = ("kamailio", "rtpengine", "control", "postgres")
SIP = os.environ.get("HOOKSWITCH_SIP_ADDRESS", "127.0.0.1:5060")
TICK = os.sysconf("SC_CLK_TCK")
WEB = "127.0.0.9:9900"
CALLER = "127.0.0.8"
RTP_SOCKET = "127.0.0.8:21000"


def processes():
    """pids of each service, by the container that their cgroup names."""
    ids = {service: stack.container(service) for service in SERVICES}
    full = {service: stack.run("docker", "inspect", "-f", "{{.Id}}", cid).strip() for service, cid in ids.items()}
    found = {service: [] for service in SERVICES}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            cgroup = (entry / "cgroup").read_text()
        except OSError:
            continue
        for service, cid in full.items():
            if cid in cgroup:
                found[service].append(int(entry.name))
    for service, pids in found.items():
        assert pids, f"no process of {service} is visible: run with the host's pid namespace"
    return found


def cpu_ms(pids):
    total = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        except OSError:
            pass
    return total * 1000 / TICK


def rss_kb(pids):
    total = 0
    for pid in pids:
        try:
            found = re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())
            total += int(found.group(1)) if found else 0
        except OSError:
            pass
    return total


def cpu_snapshot(found):
    """CPU of each service so far. The processes are listed anew: connections and children come and go."""
    found.update(processes())
    return {service: cpu_ms(pids) for service, pids in found.items()}


def sipp(scenario, target, rate, calls, extra=(), stats=None, limit=20000):
    argv = ["sipp", "-sf", str(HERE / "sipp" / f"{scenario}.xml"), "-i", CALLER, "-p", "5070", "-s", target, "-r", str(rate), "-m",
            str(calls), "-l", str(limit), "-nostdin", "-trace_stat", "-stf", str(stats), "-fd", "1s", "-timeout", "180s", "-timeout_error",
            "-key", "mport", RTP_SOCKET.split(":")[1], *extra, SIP]
    started = time.monotonic()
    done = subprocess.run(argv, capture_output=True, text=True, timeout=240)
    if not pathlib.Path(stats).exists():
        raise SystemExit(f"sipp did not run: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done, time.monotonic() - started


def last_row(stats):
    lines = pathlib.Path(stats).read_text().strip().splitlines()
    return dict(zip(lines[0].split(";"), lines[-1].split(";")))


def call_rate(stats):
    """Calls a second while the load ran: the median of SIPp's own whole seconds."""
    lines = pathlib.Path(stats).read_text().strip().splitlines()
    at = lines[0].split(";").index("CallRate(P)")
    rates = sorted(float(line.split(";")[at]) for line in lines[2:] if float(line.split(";")[at]) > 0)
    return round(rates[len(rates) // 2], 1) if rates else 0.0


def signalling(found, name, scenario, target, rate, calls, work, extra=()):
    stats = work / f"{name}-{rate}.csv"
    before = cpu_snapshot(found)
    done, seconds = sipp(scenario, target, rate, calls, extra, stats)
    wait_idle(found)
    after = cpu_snapshot(found)
    row = last_row(stats)
    ok, failed = int(row["SuccessfulCall(C)"]), int(row["FailedCall(C)"])
    return {"test": name, "offered_per_s": rate, "calls": calls, "ok": ok, "failed": failed, "calls_per_s": call_rate(stats), "seconds": round(seconds, 1),
            "retransmissions": int(row["Retransmissions(C)"]), "response_time_1": row.get("ResponseTime1(C)"),
            "cpu_ms_per_call": {s: round((after[s] - before[s]) / max(ok, 1), 3) for s in SERVICES}, "sipp_exit": done.returncode}


def rtpengine_sessions():
    """Own sessions in RTPengine now, by its CLI."""
    text = stack.run("docker", "exec", stack.container("rtpengine"), "rtpengine-ctl", "-ip", "127.0.0.1", "-port", "2224", "list",
                     "numsessions", check=False)
    return int(re.search(r"Current sessions own:\s+(\d+)", text).group(1))


def media_sockets(found):
    """UDP sockets that hookswitchd has open: one a call, and a fixed few. (Its kept-alive web connections are TCP.)"""
    udp = {line.split()[9] for line in pathlib.Path(f"/proc/{found['control'][0]}/net/udp").read_text().splitlines()[1:]}
    count = 0
    for pid in found["control"]:
        try:
            count += sum(1 for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir() if os.readlink(fd)[8:-1] in udp)
        except OSError:
            pass
    return count


def idle_counters(found):
    return {"kamailio_transactions": stack.kamailio_transactions(), "rtpengine_sessions": rtpengine_sessions(),
            "media_sockets": media_sockets(found)}


def wait_idle(found, timeout=60):
    stack.wait_for(lambda: stack.kamailio_transactions() == 0 and rtpengine_sessions() == 0, timeout, "idle after the load")


def playing(found, target, calls, seconds, work, box):
    """calls at once, each hearing the prompt for its whole length; the middle of it is the window."""
    fifo, result = work / "rtp.fifo", work / "rtp.json"
    os.mkfifo(fifo)
    receiver = subprocess.Popen([str(box), "-l", RTP_SOCKET, "-c", str(fifo), "-o", str(result)])
    idle_rss = {s: rss_kb(found[s]) for s in SERVICES}
    ramp = max(2, calls // 50)
    try:
        stats = work / "play.csv"
        caller = subprocess.Popen(["sipp", "-sf", str(HERE / "sipp" / "ivr.xml"), "-i", CALLER, "-p", "5071", "-s", target, "-r", "50",
                                   "-m", str(calls), "-l", str(calls), "-key", "mport", RTP_SOCKET.split(":")[1], "-key", "rtpcmd", "SEND",
                                   "-nostdin", "-trace_logs", "-log_file", str(fifo), "-trace_stat", "-stf", str(stats), "-fd", "1s",
                                   "-timeout", "180s", "-timeout_error", SIP],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(ramp + 3)
        fifo.open("w").write("MARK\n")
        before, at = cpu_snapshot(found), time.monotonic()
        time.sleep(seconds - ramp - 8)
        after, window = cpu_snapshot(found), time.monotonic() - at
        busy_rss = {s: rss_kb(found[s]) for s in SERVICES}
        fifo.open("w").write("UNMARK\n")
        caller.wait(timeout=120)
    finally:
        receiver.terminate()
        receiver.wait(10)
    wait_idle(found)
    row, media = last_row(stats), json.loads(result.read_text())
    return {"test": "play", "calls": calls, "ok": int(row["SuccessfulCall(C)"]), "failed": int(row["FailedCall(C)"]), "window_s": round(window, 1),
            "gap_ms_p50": media["gap_ms_p50"], "gap_ms_p99": media["gap_ms_p99"], "gap_ms_p999": media["gap_ms_p999"],
            "lost": media["seq_lost"], "receiver_drops": media["rxq_drops"],
            "packets_per_s": round(media["win_rx"] / media["win_s"], 1), "packets_expected_per_s": calls * 50,
            "cpu_ms_per_call_second": {s: round((after[s] - before[s]) / (calls * window), 3) for s in SERVICES},
            "kb_per_call": {s: round((busy_rss[s] - idle_rss[s]) / calls, 1) for s in ("control", "rtpengine")}}


def prepare(work):
    docs = pathlib.Path(tempfile.mkdtemp(dir=work))
    (docs / "reject.xml").write_text("<Response><Reject/></Response>")
    (docs / "say.xml").write_text("<Response><Say>Thank you for calling.</Say><Hangup/></Response>")
    (docs / "play.xml").write_text("<Response><Play>/prompt.wav</Play></Response>")
    with wave.open(str(docs / "prompt.wav"), "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(8000)
        w.writeframes(g711.tone(440, PLAY_SECONDS).tobytes())
    tools = {}
    for name, libs in (("webapp", ["-lmicrohttpd"]), ("rtpbox", [])):
        tools[name] = work / name
        subprocess.run(["gcc", "-O2", "-o", str(tools[name]), str(HERE / f"{name}.c"), *libs], check=True)
    return docs, tools


PLAY_SECONDS = int(os.environ.get("BENCH_PLAY_SECONDS", "30"))
RATES = [int(r) for r in os.environ.get("BENCH_RATES", "100,300,600").split(",")]
SAY_RATES = [int(r) for r in os.environ.get("BENCH_SAY_RATES", "50,100,200").split(",")]
SECONDS = int(os.environ.get("BENCH_SECONDS", "10"))
PARTS = os.environ.get("BENCH_PARTS", "calls rest register bridge").split()
PLAY_CALLS = [int(n) for n in os.environ.get("BENCH_PLAY_CALLS", "100,300").split(",")]


def show(rows):
    for r in rows:
        if r["test"].startswith("rest"):
            rest_part.show(r)
            continue
        cost = r.get("cpu_ms_per_call") or r.get("cpu_ms_per_call_second")
        unit = "ms/call" if "cpu_ms_per_call" in r else "ms/call-s"
        costs = "  ".join(f"{s} {v:.3f}" for s, v in cost.items())
        if r["test"] == "bridged":
            print(f"bridged {r['calls']:5d} calls   ok {r['ok']:5d}  failed {r['failed']}  lost {r['lost']}  gap p99.9 {r['gap_ms_p999']} ms"
                  f"  {r['packets_per_s']:.0f}/{r['packets_expected_per_s']} pkt/s  | {costs} sum {sum(cost.values()):.3f} {unit}")
        elif r["test"] == "play":
            print(f"play    {r['calls']:5d} calls   ok {r['ok']:5d}  gap p50/p99/p99.9 {r['gap_ms_p50']}/{r['gap_ms_p99']}/{r['gap_ms_p999']} ms"
                  f"  lost {r['lost']}  {r['packets_per_s']:.0f}/{r['packets_expected_per_s']} pkt/s  | {costs} {unit}"
                  f"  | kB/call {r['kb_per_call']}")
        else:
            print(f"{r['test']:7s} {r['offered_per_s']:5d}/s      ok {r['ok']:5d}  failed {r['failed']}  reached {r['calls_per_s']}/s"
                  f"  retransmissions {r['retransmissions']}  | {costs} sum {sum(cost.values()):.3f} {unit}")


def with_web(work, part):
    """part(docs, tools) while the customer's application runs."""
    docs, tools = prepare(work)
    web = subprocess.Popen([str(tools["webapp"]), *WEB.split(":"), str(docs)])
    try:
        time.sleep(0.5)
        return part(docs, tools)
    finally:
        web.terminate()
        web.wait(10)


def calls_part(found, work, tools):
    """What calls cost; the rows, and the counters of idleness before and after."""
    rest = Rest()
    domains = {n: rest.domain(f"http://{WEB}/{n}.xml", allow=("127.0.0.0/8",)) for n in ("reject", "say", "play")}
    try:
        rows = []
        signalling(found, "warm-up", "reject", domains["reject"].uri()[4:], 50, 100, work)
        before = idle_counters(found)
        for rate in RATES:
            rows.append(signalling(found, "reject", "reject", domains["reject"].uri()[4:], rate, rate * SECONDS, work))
        fifo_free = ("-key", "rtpcmd", "RECV")
        for rate in SAY_RATES:
            rows.append(signalling(found, "say", "ivr", domains["say"].uri()[4:], rate, rate * SECONDS, work, fifo_free))
        for calls in PLAY_CALLS:
            sub = work / f"play{calls}"
            sub.mkdir()
            rows.append(playing(found, domains["play"].uri()[4:], calls, PLAY_SECONDS, sub, tools["rtpbox"]))
        return rows, before, idle_counters(found)
    finally:
        for domain in domains.values():
            domain.delete()


def main():
    if not PARTS or not set(PARTS) <= {"calls", "rest", "register", "bridge"}:
        raise SystemExit(f"BENCH_PARTS names calls, rest, register and bridge, or some of them, not {' '.join(PARTS) or 'nothing'}")
    OUT.mkdir(parents=True, exist_ok=True)
    found, rows = processes(), []
    before = after = idle_counters(found)
    with tempfile.TemporaryDirectory() as tmp:
        work = pathlib.Path(tmp)
        if "calls" in PARTS:
            rows, before, after = with_web(work, lambda docs, tools: calls_part(found, work, tools))
        if "rest" in PARTS:
            rows += rest_part.measure(work, lambda: cpu_snapshot(found))
        if "bridge" in PARTS:
            rows += with_web(work, lambda docs, tools: bridge_part.measure(work, sys.modules[__name__], docs, tools, WEB))
        if "register" in PARTS:
            rows += register_part.measure(work, lambda name, target, rate, count, extra: signalling(found, name, "register", target, rate, count, work, extra))
    show(rows)
    print(f"idle before {before}\nidle after  {after}")
    leaks = [k for k in ("kamailio_transactions", "rtpengine_sessions") if after[k]]
    if after["media_sockets"] > before["media_sockets"]:
        leaks.append("media_sockets")
    (OUT / "bench.json").write_text(json.dumps({"rows": rows, "idle_before": before, "idle_after": after, "nproc": os.cpu_count(),
                                                "kernel": os.uname().release}, indent=1) + "\n")
    failed = sum(r["failed"] for r in rows)
    print(f"{'FAILED: ' + ', '.join(leaks) if leaks else 'all counters are back to idle'}; {failed} calls and requests failed")
    return 1 if leaks or failed else 0


if __name__ == "__main__":
    sys.exit(main())
