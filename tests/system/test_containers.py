"""What docs/security.md promises of the containers, looked at in those that run."""
import os
import re
import subprocess

import pytest

from kit import stack

SERVICES = ["postgres", "rtpengine", "kamailio", "control"]
SECRETS = {"postgres": ["database_password", "kamailio_password"], "rtpengine": [], "kamailio": ["kamailio_password"],
           "control": ["auth_token", "database_password"]}
# proto, port; every one of them on one address, never on all.
OUTSIDE = {("udp", 5060), ("tcp", 5060), ("tcp", 5061), ("tcp", 8080)}
INSIDE = {("tcp", 8448), ("udp", 2223), ("tcp", 2224), ("udp", 2300)}


def inside(service, script):
    """A shell's output in the container, as its own user."""
    return stack.run("docker", "exec", stack.container(service), "sh", "-c", script)


def processes(service):
    """status of each process but our shell: {pid: {field: text}}."""
    found = {}
    for block in inside(service, 'for p in /proc/[0-9]*; do [ ${p#/proc/} = $$ ] || { cat $p/status; echo; } 2> /dev/null; done').split("\n\n"):
        fields = dict(line.split(":", 1) for line in block.splitlines() if ":" in line)
        if fields.get("Name", "").strip() not in ("", "cat"):
            found[fields["Pid"].strip()] = {k: v.strip() for k, v in fields.items()}
    assert "1" in found, found
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_no_process_is_root_or_has_a_capability_or_can_gain_one(service):
    for pid, status in processes(service).items():
        assert "0" not in status["Uid"].split(), f"{service} {pid} {status['Name']}: {status['Uid']}"
        assert "0" not in status["Gid"].split()[:2], f"{service} {pid} {status['Name']}: {status['Gid']}"
        for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(status[kind], 16) == 0, f"{service} {pid} {status['Name']}: {kind} {status[kind]}"
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", f"{service} {pid}: {status['NoNewPrivs']} {status['Seccomp']}"


@pytest.mark.parametrize("service", SERVICES)
def test_the_root_file_system_is_read_only_and_its_temporary_ones_run_nothing(service):
    mounts = {at: options.split(",") for _, at, _, options, *_ in map(str.split, inside(service, "cat /proc/self/mounts").splitlines())}
    assert "ro" in mounts["/"]
    for at, options in mounts.items():
        if at in ("/tmp", "/run", "/run/kamailio"):
            assert {"noexec", "nosuid", "nodev"} <= set(options) and any(o.startswith("size=") for o in options), (at, options)
    for path in ("/probe", "/usr/bin/probe", "/etc/probe"):
        done = subprocess.run(["docker", "exec", stack.container(service), "sh", "-c", f": > {path}"], capture_output=True, text=True, timeout=20)
        assert done.returncode != 0 and "Read-only" in done.stderr, done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_no_program_gives_its_user_another_ones_rights(service):
    """no-new-privileges makes setuid programs harmless; and PID 1 cannot fill the machine with processes or cores."""
    limits = stack.run("docker", "inspect", "-f", "{{.HostConfig.Privileged}} {{.HostConfig.PidsLimit}} {{.HostConfig.CapAdd}} {{.HostConfig.PidMode}}",
                       stack.container(service)).split()
    assert limits[:3] == ["false", "1024", "[]"] and "host" not in limits[3:], limits
    assert re.search(r"^Max core file size\s+0\s+0\s", inside(service, "cat /proc/1/limits"), re.M)


@pytest.mark.parametrize("service", SERVICES)
def test_secrets_are_files_and_stand_in_no_environment_or_command_line(service):
    secrets = {"auth_token": os.environ["HOOKSWITCH_AUTH_TOKEN"]}
    for name in ("database_password", "kamailio_password"):
        secrets[name] = inside("postgres", f"cat /run/secrets/{name}").strip()
        assert len(secrets[name]) >= 8
    shown = stack.run("docker", "inspect", stack.container(service))
    shown += inside(service, 'for p in /proc/[0-9]*; do cat $p/environ $p/cmdline 2> /dev/null; done | tr "\\0" "\\n"')
    shown += stack.logs(service, 100000)
    for name, value in secrets.items():
        assert value not in shown, f"{name} of {service} is shown"
    there = inside(service, "ls /run/secrets 2> /dev/null || true").split()
    assert sorted(there) == SECRETS[service]


def listening(service):
    """(proto, address, port) of each socket of the container's own processes that takes what comes from anybody."""
    inodes = set(re.findall(r"socket:\[(\d+)\]", inside(service, "ls -l /proc/[0-9]*/fd 2> /dev/null || true")))
    found = set()
    for proto, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in inside(service, f"cat /proc/net/{proto}").splitlines()[1:]:
            field = line.split()
            if field[9] in inodes and field[3] == state:
                address, port = field[1].split(":")
                found.add((proto.rstrip("6"), address, int(port, 16)))
    return found


def test_every_listener_is_known_and_on_one_address_and_between_services_on_loopback():
    by_service = {s: listening(s) for s in SERVICES}
    # RTPengine sends DTMF events (to DTMF_LISTEN) from a socket that it opens with the first one, binds to nothing and never reads.
    sender = [x for x in by_service["rtpengine"] if x[0] == "udp" and int(x[1], 16) == 0]
    assert len(sender) <= 1, sender
    by_service["rtpengine"] -= set(sender)
    found = set().union(*by_service.values())
    assert {(p, n) for p, _, n in found} >= INSIDE | {("udp", 5060), ("tcp", 5060), ("tcp", 8080)}, found
    for proto, address, port in found:
        assert int(address, 16) != 0, f"{proto} {port} is open on every address"
        if (proto, port) in INSIDE:
            assert address == "0100007F", f"{proto} {port} is on {address}"
        elif (proto, port) not in OUTSIDE:
            # The media worker's and the resolver's, RTPengine's: a call's own, while it is up.
            assert proto == "udp" and port >= 1024, f"{proto} {port} on {address} is nobody's"
    assert not by_service["postgres"], "PostgreSQL has a port"


def mounts(service):
    return stack.run("docker", "inspect", "-f", '{{range .Mounts}}{{println .Destination .RW}}{{end}}', stack.container(service)).split("\n")[:-2]


def test_between_services_is_only_what_they_share():
    """Volumes: each service sees those that it needs, the certificates read-only."""
    shared = {}
    for service in SERVICES:
        for line in mounts(service):
            at, writable = line.split()
            if at.startswith("/run/secrets/"):
                assert writable == "false", at
            else:
                shared.setdefault(at, {})[service] = writable == "true"
    assert set(shared["/var/lib/postgresql/data"]) == {"postgres"}
    assert set(shared["/run/postgresql"]) == {"postgres", "kamailio", "control"}
    assert set(shared["/run/hookswitch"]) == {"kamailio", "control"}
    assert not any(shared["/etc/hookswitch/tls"].values())
    assert set(shared) <= {"/var/lib/postgresql/data", "/run/postgresql", "/run/hookswitch", "/etc/hookswitch/tls"}, shared
