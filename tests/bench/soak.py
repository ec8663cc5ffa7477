"""The benchmark's soak: what a node meets in an hour, mixed, and at its end every counter, descriptor and byte back where it began.

Calls that are refused, spoken to, answered, played to and bridged, callers that give up or vanish, calls that REST creates, registrations and REST
requests, all at once for BENCH_SOAK_SECONDS. A first, short round fills caches and pools; what is there after it and a rest is what must be there
after the long one. Resident memory is judged by its growth in the second half, a call: a leak of LEAK_BYTES would show.
"""
import os
import pathlib
import subprocess
import threading
import time

import bridge
import measure
import rest as sql
from kit import rest, stack

SECONDS = int(os.environ.get("BENCH_SOAK_SECONDS", "600"))
FIRST_SECONDS = min(60, SECONDS)
LEAK_BYTES, NOISE_KB = 512, 2048
DIALLED = 4
# Scenario, document, calls a second, whether it tells where media goes.
CALLERS = (("reject", "reject", 10, False), ("ivr", "say", 8, True), ("answer", "play", 8, False), ("ivr", "play", 2, True), ("ivr", "dial", DIALLED, True),
           ("cancel", "ring", 3, False), ("vanish", "play", 1, False))
CREATES, REGISTERS, REQUESTS = 2, 20, 20  # a second
CALL_RATE = sum(rate for _, _, rate, _ in CALLERS) + CREATES
DOCUMENTS = {"ring": "<Response><Pause length='10'/><Reject/></Response>",
             "dial": f"<Response><Dial><Sip>sip:callee@{bridge.CALLEE[0]}:{bridge.CALLEE[1]}</Sip></Dial></Response>"}


class Requests(threading.Thread):
    """What a provisioning application asks, one request after the other, and the calls it creates."""

    def __init__(self, seconds):
        super().__init__(daemon=True)
        self.api, self.until, self.made, self.failed = rest.Rest(), time.monotonic() + seconds, 0, 0

    def run(self):
        number, started = 0, time.monotonic()
        while (now := time.monotonic()) < self.until:
            number += 1
            if number % (REQUESTS // CREATES) == 0:
                answer = self.api.call("POST", "/Calls.json", To=f"sip:callee@{bridge.CALLEE[0]}:{bridge.CALLEE[1]}", From="soak",
                                       Twiml="<Response><Pause length='10'/></Response>", StatusCallback=self.callback)
                self.made += answer.status_code == 201
            elif number % 5 == 0:
                answer = self.api.call("POST", "/SIP/CredentialLists.json", FriendlyName="soak")
                if answer.status_code == 201:
                    answer = self.api.call("DELETE", f"/SIP/CredentialLists/{answer.json()['sid']}.json")
            else:
                answer = self.api.call("GET", ("/Calls.json", "/SIP/Domains.json", "/Notifications.json")[number % 3])
            self.failed += answer.status_code >= 300
            time.sleep(max(0, started + number / REQUESTS - now))


def load(domains, registrar, users, seconds, work, web, tool):
    """One round. Yields its steps, "began", "half" and "ended", as they come, and at last how many calls went through and how many calls and requests
    did not."""
    requests = Requests(seconds)
    requests.callback = f"http://{web}/reject.xml"
    with measure.Box(tool, "127.0.0.8:21000", work, "callers") as box:
        running, party = [], bridge.Callee((DIALLED + CREATES) * seconds, 2000, work)
        for number, (scenario, document, rate, media) in enumerate(CALLERS):
            log = ("-trace_logs", "-log_file", str(box.fifo), "-key", "rtpcmd", "RECV") if media else ("-key", "rtpcmd", "NONE")
            running.append((number, subprocess.Popen(
                ["sipp", "-sf", str(measure.HERE / "sipp" / f"{scenario}.xml"), "-i", measure.CALLER, "-p", str(5100 + number), "-s", domains[document],
                 "-r", str(rate), "-m", str(rate * seconds), "-l", "5000", "-nostdin", "-key", "mport", "21000", *measure.PLAIN.sipp, *log,
                 "-trace_stat", "-stf", str(work / f"{number}.csv"), "-fd", "1s", "-timeout", f"{seconds + 120}s", "-timeout_error", measure.SIP],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)))
        running.append(("register", subprocess.Popen(
            ["sipp", "-sf", str(measure.HERE / "sipp" / "register.xml"), "-i", measure.CALLER, "-p", "5120", "-s", registrar, "-r", str(REGISTERS),
             "-m", str(REGISTERS * seconds), "-inf", str(users), "-nostdin", "-trace_stat", "-stf", str(work / "register.csv"), "-fd", "1s",
             "-timeout", f"{seconds + 120}s", "-timeout_error", measure.SIP], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)))
        requests.start()
        yield "began"
        time.sleep(seconds / 2)
        yield "half"
        requests.join(seconds)
        yield "ended"
        for _, process in running:
            process.wait(180)
        party.end()
    rows = [measure.last_row(work / f"{name}.csv") for name, _ in running] + [measure.last_row(work / "callee.csv")]
    ok, failed = (sum(int(row[f"{word}Call(C)"]) for row in rows) for word in ("Successful", "Failed"))
    yield ok, failed + requests.failed


def kamailio_memory():
    """Bytes of shared memory in use, and of the processes' private memory."""
    shared = next(int(line.split(":")[1]) for line in stack.kamcmd("core.shmmem").splitlines() if line.strip().startswith("used:"))
    private = sum(int(line.split(":")[1]) for line in stack.kamcmd("pkg.stats").splitlines() if line.strip().startswith("used:"))
    return shared, private


def counters(found):
    """What must be the same before and after."""
    found.update(measure.processes())
    shared, private = kamailio_memory()
    result = {**measure.idle_counters(found), "kamailio_shared_bytes": shared, "kamailio_private_bytes": private,
              "calls_that_live": int(sql.psql("SELECT count(*) FROM calls WHERE status IN ('queued', 'ringing', 'in-progress')")),
              "callbacks_to_come": int(sql.psql("SELECT count(*) FROM callbacks")), "bridges": int(sql.psql("SELECT count(*) FROM bridges"))}
    for service in measure.SERVICES:
        counts = [(len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task"))) for pid in found[service] if pathlib.Path(f"/proc/{pid}").exists()]
        result[f"{service}_descriptors"] = sum(n for n, _ in counts)
        result[f"{service}_threads"] = sum(n for _, n in counts)
    return result


# Kamailio's memory may be in pieces that it keeps for the next call; everything else is back to the last one.
SLACK = {"kamailio_shared_bytes": 64 * 1024, "kamailio_private_bytes": 64 * 1024}


def over(before, after):
    return [name for name in before if after[name] > before[name] + SLACK.get(name, 0)]


def rest_until_idle(found, before=None, timeout=180):
    """The counters, when nothing of the load is left, or nothing more than before; those after `timeout` s at the latest."""
    measure.wait_idle(found, timeout)
    deadline = time.monotonic() + timeout
    while True:
        time.sleep(5)
        now = counters(found)
        done = not over(before, now) if before else not (now["calls_that_live"] or now["callbacks_to_come"])
        if done or time.monotonic() > deadline:
            return now


def run(found, work, docs, tools, web):
    for name, text in DOCUMENTS.items():
        (docs / f"{name}.xml").write_text(text)
    api = rest.Rest()
    made = {document: api.domain(f"http://{web}/{document}.xml", allow=("127.0.0.0/8",)) for document in {document for _, document, _, _ in CALLERS}}
    registrar = api.domain(users=[f"soak{n}" for n in range(10)], registers=True)
    users = work / "soak-users.csv"
    users.write_text("SEQUENTIAL\n" + "".join(f"soak{n};[authentication username=soak{n} password={rest.PASSWORD}]\n" for n in range(10)))
    targets = {name: domain.uri()[4:] for name, domain in made.items()}
    try:
        rounds = {}
        for name, seconds in (("first", FIRST_SECONDS), ("soak", SECONDS)):
            sub = work / name
            sub.mkdir()
            marks = {}
            for step in load(targets, registrar.name, users, seconds, sub, web, tools["rtpbox"]):
                if isinstance(step, str):
                    marks[step] = measure.cpu_snapshot(found), {s: measure.rss_kb(found[s]) for s in measure.SERVICES}
                else:
                    ok, failed = step
            rounds[name] = rest_until_idle(found, rounds.get("first"))
        yield {"test": "soak", "offered_per_s": CALL_RATE, "calls": CALL_RATE * SECONDS, "ok": ok, "failed": failed,
               **measure.costs(marks["began"][0], marks["ended"][0], CALL_RATE * SECONDS)}
        for name in rounds["first"]:
            yield {"test": f"soak: {name}", "before": rounds["first"][name], "after": rounds["soak"][name],
                   "failed": int(name in over(rounds["first"], rounds["soak"]))}
        for service in ("control", "rtpengine"):
            half, end = marks["half"][1][service], marks["ended"][1][service]
            growth = max(0, end - half - NOISE_KB) * 1024 / (CALL_RATE * SECONDS / 2)
            yield {"test": f"soak: {service}_resident_kb", "before": half, "after": end, "failed": int(growth > LEAK_BYTES)}
    finally:
        for domain in (*made.values(), registrar):
            domain.delete()
