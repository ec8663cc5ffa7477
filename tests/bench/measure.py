"""What a load cost: CPU of every process and of hookswitchd's threads, memory, response times by SIPp's clock, and that nothing remains.

The load's own CPU (SIPp, the web application, the RTP peers) stands beside the services' as "load"; no sum has it in it.
"""
import collections
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from kit import stack  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SERVICES = ("kamailio", "rtpengine", "control", "postgres")
SIP = os.environ.get("HOOKSWITCH_SIP_ADDRESS", "127.0.0.1:5060")
TICK = os.sysconf("SC_CLK_TCK")
CALLER = "127.0.0.8"
RTP_SOCKET = "127.0.0.8:21000"
SECONDS = int(os.environ.get("BENCH_SECONDS", "10"))


def numbers(name, default):
    """The whole numbers of a setting, between commas; none when it is empty."""
    return [int(n) for n in os.environ.get(name, default).split(",") if n]


# -- processes


def processes():
    """pids of each service and of the load, by the container that their cgroup names."""
    ids = {service: stack.container(service) for service in SERVICES}
    full = {service: stack.run("docker", "inspect", "-f", "{{.Id}}", cid).strip() for service, cid in ids.items()}
    ours = pathlib.Path("/proc/self/cgroup").read_text()
    found = {service: [] for service in (*SERVICES, "load")}
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
        if cgroup == ours:
            found["load"].append(int(entry.name))
    for service, pids in found.items():
        assert pids, f"no process of {service} is visible: run with the host's pid namespace"
    return found


def stat(path):
    """The fields of a stat file behind the name, and the name."""
    name, _, rest = pathlib.Path(path).read_text().partition("(")[2].rpartition(")")
    return name, rest.split()


def cpu_ms(pids, with_children=False):
    total = 0
    for pid in pids:
        try:
            fields = stat(f"/proc/{pid}/stat")[1]
            total += sum(int(f) for f in fields[11:15 if with_children else 13])
        except OSError:
            pass
    return total * 1000 / TICK


def thread_ms(pids):
    """CPU of each kind of thread, by its name."""
    total = collections.Counter()
    for pid in pids:
        for path in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"):
            try:
                name, fields = stat(path)
            except OSError:
                continue
            total[name] += (int(fields[11]) + int(fields[12])) * 1000 / TICK
    return total


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
    """CPU of each service so far, of the load (its ended children too), and under "threads" of hookswitchd's. The processes are listed anew:
    connections and children come and go."""
    found.update(processes())
    return {**{service: cpu_ms(found[service], service == "load") for service in found}, "threads": thread_ms(found["control"])}


def costs(before, after, count, key="cpu_ms_per_call"):
    """The columns of a row: CPU-ms for each of `count` calls, call-seconds or requests."""
    each = max(count, 1)
    return {key: {s: round((after[s] - before[s]) / each, 3) for s in SERVICES}, "load_ms": round((after["load"] - before["load"]) / each, 3),
            "threads_ms": {name: round((ms - before["threads"][name]) / each, 3) for name, ms in sorted(after["threads"].items())}}


# -- SIPp


class Media:
    """What a party's description says of its media, and what rtpbox does for it."""

    KEY = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"

    def __init__(self, pt=0, codec="PCMU", suite=None):
        self.secure = suite is not None
        lines = {"profile": "RTP/SAVP" if suite else "RTP/AVP", "pt": str(pt), "codec": codec,
                 "attribute": f"a=crypto:1 AES_CM_128_HMAC_SHA1_{suite} inline:{self.KEY}" if suite else "a=sendrecv"}
        self.sipp = [word for key, value in lines.items() for word in ("-key", key, value)]
        self.box = ["-t", str(pt), *(("-k", f"{suite}:{self.KEY}") if suite else ())]


PLAIN = Media()


def sipp(scenario, target, rate, calls, extra=(), stats=None, limit=20000, at=SIP, media=PLAIN):
    """Runs in the directory of `stats`, where it leaves the response times of each call as well."""
    argv = ["sipp", "-sf", str(HERE / "sipp" / f"{scenario}.xml"), "-i", CALLER, "-p", "5070", "-s", target, "-r", str(rate), "-m",
            str(calls), "-l", str(limit), "-nostdin", "-trace_stat", "-stf", str(stats), "-fd", "1s", "-timeout", "180s", "-timeout_error",
            "-trace_rtt", "-rtt_freq", "1", "-timer_resol", "1", "-key", "mport", RTP_SOCKET.split(":")[1], *media.sipp, *extra, at]
    started = time.monotonic()
    done = subprocess.run(argv, capture_output=True, text=True, timeout=240, cwd=stats.parent)
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


def quantile(sorted_values, q, digits=1):
    return round(sorted_values[min(int(len(sorted_values) * q), len(sorted_values) - 1)], digits)


def response_times(directory, scenario):
    """{"final": (p50, p99), "ringing": ...} in ms, of the scenario's response times 1 and 2; takes SIPp's files away."""
    times = collections.defaultdict(list)
    for path in directory.glob(f"{scenario}_*_rtt.csv"):
        with path.open() as file:
            for row in list(csv.reader(file, delimiter=";"))[1:]:
                times[row[2]].append(float(row[1]))
        path.unlink()
    return {name: (quantile(sorted(times[n]), 0.5), quantile(sorted(times[n]), 0.99)) for n, name in (("1", "final"), ("2", "ringing")) if times[n]}


def signalling(found, name, scenario, target, rate, calls, work, extra=(), at=SIP, media=PLAIN):
    """The row of a load of `calls` calls at `rate` a second, idle again at its end."""
    stats = work / f"{name}-{rate}.csv"
    before = cpu_snapshot(found)
    done, seconds = sipp(scenario, target, rate, calls, extra, stats, at=at, media=media)
    wait_idle(found)
    after = cpu_snapshot(found)
    row = last_row(stats)
    ok, failed = int(row["SuccessfulCall(C)"]), int(row["FailedCall(C)"])
    return {"test": name, "offered_per_s": rate, "calls": calls, "ok": ok, "failed": failed, "calls_per_s": call_rate(stats), "seconds": round(seconds, 1),
            "retransmissions": int(row["Retransmissions(C)"]), "response_ms": response_times(work, scenario),
            **costs(before, after, ok), "sipp_exit": done.returncode}


# -- RTP


class Box:
    """rtpbox as the far end of calls: SIPp's <log> lines (its -log_file is `fifo`) say where their media goes. In a `with`; `result` afterwards."""

    def __init__(self, tool, address, work, name, argv=()):
        self.fifo, self._out = work / f"{name}.fifo", work / f"{name}.json"
        os.mkfifo(self.fifo)
        self._process = subprocess.Popen([str(tool), "-l", address, "-c", str(self.fifo), "-o", str(self._out), *argv])

    def __enter__(self):
        return self

    def tell(self, command):
        self.fifo.open("w").write(command + "\n")

    def __exit__(self, *exc):
        self._process.terminate()
        self._process.wait(10)
        self.result = json.loads(self._out.read_text())
        self.fifo.unlink()


def media_columns(results, calls, each):
    """The columns of a row of calls with media: `results` of their boxes, `each` packets a second of a call."""
    worst = {key: [max(r[f"{key}_{p}"] for r in results) for p in ("p50", "p99", "p999")] for key in ("gap_ms", "delay_ms")}
    return {**worst, "lost": sum(r["seq_lost"] for r in results), "bad": sum(r["bad"] for r in results),
            "silent": sum(r["no_audio"] for r in results), "receiver_drops": sum(r["rxq_drops"] for r in results),
            "packets_per_s": round(sum(r["win_rx"] / r["win_s"] for r in results), 1), "packets_expected_per_s": calls * each}


# -- idleness


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


def wait_idle(_found, timeout=60):
    stack.wait_for(lambda: stack.kamailio_transactions() == 0 and rtpengine_sessions() == 0, timeout, "idle after the load")
