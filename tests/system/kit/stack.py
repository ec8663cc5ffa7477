"""The running stack as an operator sees it: compose services through the engine's CLI, kamcmd, counters."""
import os
import subprocess
import time

import pytest

PROJECT = os.environ.get("COMPOSE_PROJECT_NAME", "")


# HOOKSWITCHD_SPREAD: the tests' stack shares single calls out among its processes, and is run once more with accounts.
SPREAD = os.environ.get("HOOKSWITCHD_SPREAD", "call")
in_one_process = pytest.mark.skipif(SPREAD != "account", reason="its calls have to be in one process")
in_all_processes = pytest.mark.skipif(SPREAD == "account", reason="its calls have to be in all processes")


def run(*argv, check=True, timeout=60):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(argv)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def container(service):
    found = run("docker", "ps", "-aq", "--filter", f"label=com.docker.compose.project={PROJECT}",
                "--filter", f"label=com.docker.compose.service={service}").split()
    assert len(found) == 1, f"service {service} of {PROJECT}: containers {found}"
    return found[0]


def kamcmd(*argv):
    return run("docker", "exec", container("kamailio"), "kamcmd", *argv)


def hookswitchds():
    """The numbers of the hookswitchd processes that Kamailio knows of, as in "01"."""
    done = subprocess.run(["docker", "exec", container("kamailio"), "kamcmd", "htable.get", "process", "all"], capture_output=True, text=True, timeout=60)
    return done.stdout.split("value:")[1].split()[0] if "value:" in done.stdout else ""


def logs(service, tail=200):
    done = subprocess.run(["docker", "logs", "--tail", str(tail), container(service)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60)
    return done.stdout


def wait_for(look, timeout=10, what="the condition"):
    """The first true value that look returns; asks every 20 ms."""
    deadline = time.monotonic() + timeout
    while True:
        value = look()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come in {timeout} s; last: {value!r}")
        time.sleep(0.02)


def kamailio_transactions():
    """Transactions that Kamailio holds now (tm.stats `current`)."""
    for line in kamcmd("tm.stats").splitlines():
        if line.strip().startswith("current:"):
            return int(line.split(":")[1])
    raise AssertionError("tm.stats has no `current`")


def healthy(service):
    return run("docker", "inspect", "-f", "{{.State.Health.Status}}", container(service)).strip() == "healthy"
