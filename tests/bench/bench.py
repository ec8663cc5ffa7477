"""The benchmark: what a call costs, how many go through, whether every packet is on time, and that nothing remains.

Runs inside the test image, in the stack's network namespace, with the host's /proc (tests/bench/run starts it so). Prints a table and
writes OUT/bench.json. Every figure is of this one run; aims and ratios are judged by people, machines here are noisy.

  (a) reject, answer, say   calls/s reached at the offered rates, response times, CPU-ms a call by process; answer: the caller hangs up;
                            at half the highest rate also the answers to a few INVITEs by the kernel's clock (probe.py)
  (b) play          concurrent calls hearing a prompt: gap between packets at p99.9, CPU-ms a call-second by process
  (c) memory        resident memory a call, of hookswitchd and RTPengine
  (d) idle          transactions, NG calls, calls and sockets after the load
  (e) rest          REST requests/s, p50, p99, CPU-ms a request by process; the last page of a million calls (rest.py)

  (f) register      REGISTERs with digest a second, CPU-ms each by process (register.py)
  (g) bridge        set-ups of a <Dial> a second, CPU-ms a bridged call-second, calls that REST creates a second (bridge.py)
  (h) tls           handshakes, and calls over TLS beside the same over TCP (tls.py)

  (i) srtp          bridged calls of plain parties, of two codecs, of one and two with SRTP (srtp.py)
  (j) scale         an answered call's cost beside 10 to 5,000 others, with 10,000 domains, after a million calls (scale.py)
  (k) soak          all of it mixed for BENCH_SOAK_SECONDS, and what remains of it (soak.py); only when BENCH_PARTS names it

BENCH_PARTS chooses: calls (a to d), rest (e), register (f), bridge (g), tls (h), srtp (i), scale (j), soak (k).
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import wave

import measure  # first: it makes the tests' kit known
from kit import g711

import bridge
import calls
import register
import rest
import scale
import soak
import srtp
import tls

OUT = pathlib.Path(os.environ.get("BENCH_OUT", "/out"))
WEB = "127.0.0.9:9900"
MODULES = {"calls": calls, "rest": rest, "register": register, "bridge": bridge, "tls": tls, "srtp": srtp, "scale": scale, "soak": soak}
PARTS = os.environ.get("BENCH_PARTS", " ".join(name for name in MODULES if name != "soak")).split()


def prepare(work):
    docs = pathlib.Path(tempfile.mkdtemp(dir=work))
    (docs / "reject.xml").write_text("<Response><Reject/></Response>")
    (docs / "say.xml").write_text("<Response><Say>Thank you for calling.</Say><Hangup/></Response>")
    (docs / "play.xml").write_text("<Response><Play>/prompt.wav</Play></Response>")
    with wave.open(str(docs / "prompt.wav"), "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(8000)
        w.writeframes(g711.tone(440, calls.PLAY_SECONDS).tobytes())
    tools = {}
    for name, libs in (("webapp", ["-lmicrohttpd"]), ("rtpbox", ["-lsrtp2"])):
        tools[name] = work / name
        subprocess.run(["gcc", "-O2", "-o", str(tools[name]), str(measure.HERE / f"{name}.c"), *libs], check=True)
    return docs, tools


def show(r):
    if r["test"].startswith("rest"):
        rest.show(r)
        return
    if "before" in r:
        print(f"{r['test']:36s}{r['before']:>12}{r['after']:>12}{'  FAILED' if r['failed'] else ''}", flush=True)
        return
    unit = "cpu_ms_per_call" if "cpu_ms_per_call" in r else "cpu_ms_per_call_second"
    cost = r[unit]
    columns = [f"{r['test']:16s}", f"{r['calls']:6d} calls" if "gap_ms_p999" in r or unit.endswith("second") else f"{r['offered_per_s']:6d}/s   ",
               f"failed {r['failed']}"]
    if "calls_per_s" in r:
        columns.append(f"reached {r['calls_per_s']}/s  repeated {r['retransmissions']}")
    if "packets_per_s" in r:
        columns.append(f"{r['packets_per_s']:.0f}/{r['packets_expected_per_s']} pkt/s")
    columns += [f"{name} {', '.join(map(str, r[key]))} ms" for key, name in (("gap_ms", "gap p50, p99, p99.9"), ("delay_ms", "relay p50, p99, p99.9")) if key in r]
    columns += [f"{name} p50, p99 {times[0]}, {times[1]} ms" for name, times in r.get("response_ms", {}).items()]
    columns += [f"{name} by the kernel's clock p50, p99 {times[0]}, {times[1]} ms" for name, times in r.get("probed_ms", {}).items()]
    columns += [f"{name} {r[name]}" for name in ("lost", "bad", "silent") if name in r]
    columns.append("CPU-ms " + " ".join(f"{s} {v:.3f}" for s, v in cost.items()) + f" sum {sum(cost.values()):.3f} a {'call' if unit == 'cpu_ms_per_call' else 'call-second'}, load {r['load_ms']:.3f}")
    columns += [f"kB a call {r['kb_per_call']}"] if "kb_per_call" in r else []
    print("  ".join(columns), flush=True)


def main():
    if not PARTS or not set(PARTS) <= set(MODULES):
        raise SystemExit(f"BENCH_PARTS names some of {', '.join(MODULES)}, not {' '.join(PARTS) or 'nothing'}")
    OUT.mkdir(parents=True, exist_ok=True)
    found, rows = measure.processes(), []
    with tempfile.TemporaryDirectory() as tmp:
        work = pathlib.Path(tmp)
        docs, tools = prepare(work)
        web = subprocess.Popen([str(tools["webapp"]), *WEB.split(":"), str(docs)])
        try:
            time.sleep(0.5)
            calls.warm_up(found, work, WEB)
            before = measure.idle_counters(found)
            for name, module in MODULES.items():
                if name in PARTS:
                    for row in module.run(found, work, docs, tools, WEB):
                        rows.append(row)
                        show(row)
            after = measure.idle_counters(found)
        finally:
            web.terminate()
            web.wait(10)
    print(f"idle before {before}\nidle after  {after}")
    leaks = [k for k in before if after[k] > (before[k] if k == "media_sockets" else 0)]
    (OUT / "bench.json").write_text(json.dumps({"rows": rows, "idle_before": before, "idle_after": after, "nproc": os.cpu_count(),
                                                "kernel": os.uname().release}, indent=1) + "\n")
    failed = sum(r["failed"] for r in rows)
    print(f"{'FAILED: ' + ', '.join(leaks) if leaks else 'all counters are back to idle'}; {failed} calls and requests failed")
    return 1 if leaks or failed else 0


if __name__ == "__main__":
    sys.exit(main())
