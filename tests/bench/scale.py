"""The benchmark's cost curves: what an answered call costs beside more and more calls, with more and more domains, and after a million calls.

Every row is the same load, answered and hung up by the caller, of one run: the curve is to be flat. What the held calls cost by themselves is
measured before it and taken off.
"""
import os
import pathlib
import subprocess
import time

import measure
from kit import rest, stack
from rest import psql

RATE = int(os.environ.get("BENCH_SCALE_RATE", "100"))
HELD = measure.numbers("BENCH_SCALE_HELD", "10,1000,5000")
DOMAINS = measure.numbers("BENCH_SCALE_DOMAINS", "1,10000")
ROWS = measure.numbers("BENCH_SCALE_ROWS", "1000000")
HOLD_SECONDS, HOLD_RATE = 55, 250  # calls that are held ring for so long, and come at so many a second
HOLD = f"<Response><Pause length='{HOLD_SECONDS}'/><Reject/></Response>"

# Copies of a domain, each open to the same callers: %(name)s1.%(base)s and so on.
ADD_DOMAINS = """
WITH made AS (INSERT INTO sip_domains (sid, account_sid, domain_name, voice_url)
	SELECT 'SD' || md5('%(name)s' || n), account_sid, '%(name)s' || n || '.%(base)s', voice_url FROM sip_domains, generate_series(1, %(count)d) n
	WHERE sid = '%(like)s' RETURNING sid)
INSERT INTO sip_domain_acl_mappings (domain_sid, list_sid, account_sid)
	SELECT made.sid, list_sid, account_sid FROM made, sip_domain_acl_mappings WHERE domain_sid = '%(like)s';
ANALYZE sip_domains, sip_domain_acl_mappings
"""
DROP_DOMAINS = "DELETE FROM sip_domains WHERE domain_name LIKE '%(name)s%%.%(base)s'"
ADD_CALLS = """
INSERT INTO calls (sid, account_sid, "to", "from", status, direction, start_time, end_time, duration)
	SELECT 'CA' || md5('scale ' || n), '%(account)s', 'sip:100@bench', 'sip:' || n || '@bench', 'completed', 'inbound', now(), now(), n %% 600
	FROM generate_series(1, %(count)d) n;
VACUUM ANALYZE calls;
CHECKPOINT
"""
DROP_CALLS = "DELETE FROM calls WHERE \"to\" = 'sip:100@bench'"


class Held:
    """So many calls that ring, nothing more, until they are refused."""

    def __init__(self, target, count, work):
        self.process = subprocess.Popen(
            ["sipp", "-sf", str(measure.HERE / "sipp" / "reject.xml"), "-i", measure.CALLER, "-p", "5130", "-s", target, "-r", str(HOLD_RATE), "-m",
             str(count), "-l", str(count), "-nostdin", "-key", "mport", "21000", *measure.PLAIN.sipp, "-trace_stat", "-stf", str(work / "held.csv"), "-fd", "1s",
             "-timeout", "180s", measure.SIP], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(count / HOLD_RATE + 2)

    def end(self):
        self.process.wait(180)


def row(found, name, target, work, scenario="answer", extra=()):
    """The load while whatever else there is stays; what that costs alone is taken off."""
    quiet, began = measure.cpu_snapshot(found), time.monotonic()
    time.sleep(4)
    before, started = measure.cpu_snapshot(found), time.monotonic()
    stats, calls = work / "scale.csv", RATE * measure.SECONDS
    measure.sipp(scenario, target, RATE, calls, extra, stats)
    after, seconds = measure.cpu_snapshot(found), time.monotonic() - started
    share = seconds / (started - began)
    last = measure.last_row(stats)
    ok = int(last["SuccessfulCall(C)"])
    costs = measure.costs(before, after, ok)
    costs["cpu_ms_per_call"] = {s: round((after[s] - before[s] - (before[s] - quiet[s]) * share) / max(ok, 1), 3) for s in measure.SERVICES}
    return {"test": f"scale: {name}", "offered_per_s": RATE, "calls": calls, "ok": ok, "failed": int(last["FailedCall(C)"]),
            "calls_per_s": measure.call_rate(stats), "retransmissions": int(last["Retransmissions(C)"]), "response_ms": measure.response_times(work, pathlib.Path(scenario).name),
            "background_ms_per_s": round(sum(before[s] - quiet[s] for s in measure.SERVICES) / (started - began), 1), **costs}


def over_domains(found, domain, count, work):
    """Each call to the next of so many domains."""
    names = {"name": "scale", "base": rest.BASE_DOMAIN, "count": count, "like": domain.sid}
    psql(ADD_DOMAINS % names)
    stack.kamcmd("htable.sets", "control", "generation", f"scale-{count}")
    fields = work / "domains.csv"
    fields.write_text("SEQUENTIAL\n" + "".join(f"100@scale{n}.{rest.BASE_DOMAIN};\n" for n in range(1, count + 1)))
    scenario = measure.HERE / "sipp" / "answer.xml"
    spread = work / "spread"
    spread.with_suffix(".xml").write_text(scenario.read_text().replace("[service]", "[field0]"))
    try:
        return row(found, f"{count} domains", "unused", work, spread, ("-inf", str(fields)))
    finally:
        psql(DROP_DOMAINS % names)


def run(found, work, docs, tools, web):
    (docs / "hold.xml").write_text(HOLD)
    api = rest.Rest()
    hold, domain = (api.domain(f"http://{web}/{document}.xml", allow=("127.0.0.0/8",)) for document in ("hold", "play"))
    target = domain.uri()[4:]
    try:
        for count in HELD:
            held = Held(hold.uri()[4:], count, work)
            yield row(found, f"{count} ring", target, work)
            held.end()
            measure.wait_idle(found, 120)
        for count in DOMAINS:
            yield over_domains(found, domain, count, work)
            measure.wait_idle(found)
        for count in ROWS:
            psql(ADD_CALLS % {"account": rest.ACCOUNT, "count": count})
            # The second time PostgreSQL has written each page once since the checkpoint, whole.
            for name in (f"{count} rows", f"{count} rows, again"):
                yield row(found, name, target, work)
                measure.wait_idle(found)
            psql(DROP_CALLS)
    finally:
        hold.delete()
        domain.delete()
