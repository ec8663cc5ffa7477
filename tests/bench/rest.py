"""The REST part of the benchmark: requests a second and their times on 100,000 credentials, and what the last page of 1,000,000 calls costs.

wrk asks over loopback with keep-alive connections (rest.lua says what). Rows come by SQL; the plans of the deep page are those that the
daemon's own statements ran with, from PostgreSQL's auto_explain.
"""
import base64
import hashlib
import json
import os
import re
import resource
import secrets
import subprocess

import measure
from kit import rest, stack

LISTS, PER_LIST = 100, 1000
CALLS = int(os.environ.get("BENCH_REST_CALLS", "1000000"))
NEIGHBOUR_CALLS = CALLS * 3 // 10  # of another account, all newer: no page may walk past them
SECONDS = int(os.environ.get("BENCH_REST_SECONDS", "10"))
CONNECTIONS = int(os.environ.get("BENCH_REST_CONNECTIONS", "32"))
PAGE = 50
ROUNDS = 5
KINDS = ("fetch", "list", "create")
COSTS = ("control", "postgres")

FILL = f"""
INSERT INTO credential_lists (sid, account_sid, friendly_name)
	SELECT 'CL' || md5('bench list ' || l), :'account', 'bench ' || l FROM generate_series(0, {LISTS - 1}) l;
INSERT INTO credentials (sid, account_sid, credential_list_sid, username, realm, ha1_md5, ha1_sha256)
	SELECT 'CR' || md5('bench user ' || n), :'account', 'CL' || md5('bench list ' || n % {LISTS}), 'user' || n, 'bench', md5('' || n),
		encode(sha256(convert_to('' || n, 'UTF8')), 'hex')
	FROM generate_series(0, {LISTS * PER_LIST - 1}) n;
INSERT INTO calls (sid, account_sid, "to", "from", status, direction, start_time, end_time, duration)
	SELECT 'CA' || md5('bench call ' || n), :'account', 'sip:100@bench', 'sip:' || n || '@bench', 'completed', 'inbound', now(), now(), n % 600
	FROM generate_series(1, {CALLS}) n;
INSERT INTO accounts (sid, owner_account_sid, friendly_name, auth_token)
	VALUES ('AC' || md5('bench neighbour'), 'AC' || md5('bench neighbour'), 'bench neighbour', md5(random()::text));
INSERT INTO calls (sid, account_sid, "to", "from", status, direction, start_time, end_time, duration)
	SELECT 'CA' || md5('bench neighbour ' || n), 'AC' || md5('bench neighbour'), 'sip:100@bench', 'sip:' || n || '@bench', 'completed', 'inbound',
		now(), now(), n % 600
	FROM generate_series(1, {NEIGHBOUR_CALLS}) n;
VACUUM ANALYZE credential_lists, credentials, calls;
CHECKPOINT;
"""
EXPLAIN_ON = """
ALTER ROLE hookswitch SET session_preload_libraries = 'auto_explain';
ALTER ROLE hookswitch SET auto_explain.log_min_duration = 0;
ALTER ROLE hookswitch SET auto_explain.log_analyze = on;
ALTER ROLE hookswitch SET auto_explain.log_format = 'json';
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'hookswitch';
"""


def psql(sql):
    """As the database's owner, in its container."""
    command = 'exec psql -qAt -v ON_ERROR_STOP=1 -v account="$1" -U postgres'
    done = subprocess.run(["docker", "exec", "-i", stack.container("postgres"), "sh", "-c", command, "psql", rest.ACCOUNT], input=sql,
                          capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise SystemExit(f"the rows could not be made: {done.stderr}")
    return done.stdout.strip()


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def path(tail):
    return f"/2010-04-01/Accounts/{rest.ACCOUNT}{tail}"


def list_path(number):
    return path(f"/SIP/CredentialLists/CL{md5(f'bench list {number}')}/Credentials")


def write_paths(work):
    """A file of paths for each kind of request."""
    paths = {
        "fetch": [f"{list_path(n % LISTS)}/CR{md5(f'bench user {n}')}.json" for n in range(LISTS * PER_LIST)],
        "list": [f"{list_path(n)}.json?PageSize={PAGE}" for n in range(LISTS)],
        "create": [f"{list_path(n)}.json" for n in range(LISTS)],
    }
    for kind, lines in paths.items():
        (work / f"{kind}.paths").write_text("\n".join(lines) + "\n")


def wrk(kind, file, seconds, connections):
    """What wrk measured, and the processor time that it took itself."""
    basic = base64.b64encode(f"{rest.ACCOUNT}:{rest.TOKEN}".encode()).decode()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "5s", "-s", os.path.join(os.path.dirname(__file__), "rest.lua"),
                           rest.API, "--", "create" if kind == "create" else "get", str(file), basic, secrets.token_hex(4)],
                          capture_output=True, text=True, timeout=seconds + 60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = re.search(r"^RESULT (.*)$", done.stdout, re.M)
    if not found:
        raise SystemExit(f"wrk did not run: {done.stdout[-500:]}{done.stderr[-500:]}")
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000
    return json.loads(found.group(1)), cpu


def load(found, kind, work):
    file = work / f"{kind}.paths"
    wrk(kind, file, 2, CONNECTIONS)
    before = measure.cpu_snapshot(found)
    result, generator = wrk(kind, file, SECONDS, CONNECTIONS)
    after = measure.cpu_snapshot(found)
    cost = {s: round((after[s] - before[s]) / max(result["requests"], 1), 3) for s in COSTS}
    cost["generator"] = round(generator / max(result["requests"], 1), 3)
    return {"test": f"rest-{kind}", "connections": CONNECTIONS, **result, "requests_per_s": round(result["requests"] / result["seconds"]),
            "cpu_ms_per_request": cost}


def pages():
    """The paths of the first, the middle and the last page of the calls, newest first."""
    low, high = (int(n) for n in psql(f"SELECT min(seq), max(seq) FROM calls WHERE account_sid = '{rest.ACCOUNT}'").split("|"))
    token = path(f"/Calls.json?PageSize={PAGE}&PageToken=PACA%s").__mod__
    return {"first": path(f"/Calls.json?PageSize={PAGE}"), "middle": token(f"{(low + high) // 2:032x}"), "last": token(f"{low + PAGE:032x}")}


def check_last(api, where):
    """The last page is it: it is full, ends with the oldest call, and nothing is behind it."""
    page = api.session.get(rest.API + where["last"], timeout=30).json()
    oldest = psql(f"SELECT sid FROM calls WHERE account_sid = '{rest.ACCOUNT}' ORDER BY seq LIMIT 1")
    assert len(page["calls"]) == PAGE and page["calls"][-1]["sid"] == oldest and not page["next_page_uri"], page


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def plans_of(api, where):
    """The plan of each page as the daemon's statement ran: the last of enough runs for PostgreSQL to have settled on one."""
    psql(EXPLAIN_ON)
    found = {}
    for name, page in where.items():
        for _ in range(12):
            api.session.get(rest.API + page, timeout=60).raise_for_status()
        text = stack.logs("postgres", 2000).replace("\n\t", "\n")
        logged = [json.loads(plan) for plan in re.findall(r"LOG:  duration: [0-9.]+ ms  plan:\n(\{.*?\n\})", text, re.S) if "FROM calls r" in plan]
        steps = list(nodes(logged[-1]["Plan"]))
        found[name] = {"nodes": [n["Node Type"] for n in steps],
                       "rows_read": max(n["Actual Rows"] + n.get("Rows Removed by Filter", 0) for n in steps if "Scan" in n["Node Type"])}
    psql("ALTER ROLE hookswitch RESET ALL")
    return found


def deep_page(work):
    """First and last page in turn, one connection, so that what disturbs the machine disturbs both."""
    api, where = rest.Rest(), pages()
    check_last(api, where)
    times, failed = {name: [] for name in where}, 0
    for name, page in where.items():
        (work / f"{name}.paths").write_text(page + "\n")
    for _ in range(ROUNDS):
        for name in where:
            result, _ = wrk("get", work / f"{name}.paths", 1, 1)
            times[name].append(result["p50_ms"])
            failed += result["failed"]
    median = {name: sorted(all_)[ROUNDS // 2] for name, all_ in times.items()}
    plans = plans_of(api, where)
    bad = [name for name, p in plans.items() if p["rows_read"] > 2 * PAGE or {"Seq Scan", "Sort", "Incremental Sort"} & set(p["nodes"])]
    return {"test": "rest-deep-page", "rows": CALLS, "p50_ms": median, "last_to_first": round(median["last"] / median["first"], 2), "plans": plans,
            "failed": failed + len(bad)}


def run(found, work, docs, tools, web):
    psql(FILL)
    write_paths(work)
    for kind in KINDS:
        yield load(found, kind, work)
    yield deep_page(work)


def show(row):
    if row["test"] == "rest-deep-page":
        print(f"deep page of {row['rows']} calls ({NEIGHBOUR_CALLS} newer ones of another account): p50 " + "  ".join(f"{k} {v:.2f} ms" for k, v in row["p50_ms"].items())
              + f"  last/first {row['last_to_first']}")
        for name, plan in row["plans"].items():
            print(f"  {name}: {' > '.join(plan['nodes'])}, {plan['rows_read']} rows read")
        if row["failed"]:
            print("  FAILED: a page reads more than itself or sorts, or a request failed")
        return
    costs = "  ".join(f"{s} {v:.3f}" for s, v in row["cpu_ms_per_request"].items())
    print(f"{row['test']:12s} {row['connections']} connections  {row['requests_per_s']}/s  p50/p99 {row['p50_ms']:.1f}/{row['p99_ms']:.1f} ms"
          f"  failed {row['failed']}  | {costs} sum {sum(row['cpu_ms_per_request'].values()):.3f} ms/request")
