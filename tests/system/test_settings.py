"""What is wrong in .env is said in one sentence that names the setting; what is right is kept."""
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def check(path):
    return subprocess.run(["bash", str(ROOT / "docker/env.sh"), str(path)], capture_output=True, text=True, timeout=20)


@pytest.fixture
def settings(tmp_path):
    file = tmp_path / "env"
    assert check(file).returncode == 0
    return file


def test_a_first_start_generates_secrets_and_a_second_keeps_them(settings):
    text = settings.read_text()
    assert re.search(r"^HOOKSWITCH_ACCOUNT_SID=AC[0-9a-f]{32}$", text, re.M) and re.search(r"^HOOKSWITCH_AUTH_TOKEN=[0-9a-f]{32}$", text, re.M)
    assert re.search(r"^PUBLIC_IP=[0-9.]+$", text, re.M) and not settings.stat().st_mode & 0o077
    assert check(settings).returncode == 0 and settings.read_text() == text


@pytest.mark.parametrize("key, value", [
    ("HOOKSWITCH_ACCOUNT_SID", "AC12"), ("HOOKSWITCH_AUTH_TOKEN", "short"), ("HOOKSWITCH_SIP_DOMAIN", "Sip.Example"), ("PUBLIC_IP", "example.com"),
    ("PUBLIC_IP", "0.0.0.0"), ("PUBLIC_IP", "010.1.1.1"), ("SIP_PORT", "99999"), ("API_PORT", "5060"), ("API_PORT", "8448"), ("RTP_PORT_MIN", "2000"),
    ("RTP_PORT_MAX", "30001"), ("NETWORK_MODE", "bridge"), ("SIP_WORKERS", "abc"), ("MAX_CALLS", "-3"),
])
def test_a_bad_value_is_one_sentence_with_the_setting(settings, key, value):
    lines = [line for line in settings.read_text().splitlines() if not line.startswith(f"{key}=")]
    settings.write_text("\n".join([*lines, f"{key}={value}"]) + "\n")
    done = check(settings)
    assert done.returncode != 0
    said = done.stderr.strip()
    assert said.startswith("hookswitch: ") and "\n" not in said and key in said and "set it to" in said, said
