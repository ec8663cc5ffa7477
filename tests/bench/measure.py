"""What a load cost: CPU of every process and of hookswitchd's threads, memory, response times by SIPp's clock, and that nothing remains.

The load's own CPU (SIPp, the web application, the RTP peers) stands beside the services' as "load"; no sum has it in it.
"""
import collections
import csv
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


def sipp(scenario, target, rate, calls, extra=(), stats=None, limit=20000, at=SIP):
    """Runs in the directory of `stats`, where it leaves the response times of each call as well."""
    argv = ["sipp", "-sf", str(HERE / "sipp" / f"{scenario}.xml"), "-i", CALLER, "-p", "5070", "-s", target, "-r", str(rate), "-m",
            str(calls), "-l", str(limit), "-nostdin", "-trace_stat", "-stf", str(stats), "-fd", "1s", "-timeout", "180s", "-timeout_error",
            "-trace_rtt", "-rtt_freq", "1", "-timer_resol", "1", "-key", "mport", RTP_SOCKET.split(":")[1], *extra, at]
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


def quantile(sorted_values, q):
    return round(sorted_values[min(int(len(sorted_values) * q), len(sorted_values) - 1)], 1)


def response_times(directory, scenario):
    """{"final": (p50, p99), "ringing": ...} in ms, of the scenario's response times 1 and 2; takes SIPp's files away."""
    times = collections.defaultdict(list)
    for path in directory.glob(f"{scenario}_*_rtt.csv"):
        with path.open() as file:
            for row in list(csv.reader(file, delimiter=";"))[1:]:
                times[row[2]].append(float(row[1]))
        path.unlink()
    return {name: (quantile(sorted(times[n]), 0.5), quantile(sorted(times[n]), 0.99)) for n, name in (("1", "final"), ("2", "ringing")) if times[n]}


def signalling(found, name, scenario, target, rate, calls, work, extra=(), at=SIP):
    """The row of a load of `calls` calls at `rate` a second, idle again at its end."""
    stats = work / f"{name}-{rate}.csv"
    before = cpu_snapshot(found)
    done, seconds = sipp(scenario, target, rate, calls, extra, stats, at=at)
    wait_idle(found)
    after = cpu_snapshot(found)
    row = last_row(stats)
    ok, failed = int(row["SuccessfulCall(C)"]), int(row["FailedCall(C)"])
    return {"test": name, "offered_per_s": rate, "calls": calls, "ok": ok, "failed": failed, "calls_per_s": call_rate(stats), "seconds": round(seconds, 1),
            "retransmissions": int(row["Retransmissions(C)"]), "response_ms": response_times(work, scenario),
            **costs(before, after, ok), "sipp_exit": done.returncode}


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
