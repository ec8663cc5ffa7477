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


def test_containers_get_secrets_as_files_that_no_other_user_of_the_machine_reaches(settings):
    """.secrets beside the settings: a folder of its owner's alone; files that do not change while the settings do not."""
    text = settings.read_text()
    folder = settings.parent / ".secrets"
    value = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    names = {"auth_token": "HOOKSWITCH_AUTH_TOKEN", "database_password": "POSTGRES_PASSWORD", "kamailio_password": "KAMAILIO_DB_PASSWORD"}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {n: (folder / n).read_text().strip() for n in names} == {n: value[key] for n, key in names.items()}
    rest = (folder / "settings.env").read_text()
    assert "HOOKSWITCH_ACCOUNT_SID=" in rest and not any(value[key] in rest for key in names.values())

    def stamps():
        return {n: (folder / f"{n}.env").read_text() for n in names}
    before = stamps()
    assert check(settings).returncode == 0 and stamps() == before
    settings.write_text(text.replace(value["HOOKSWITCH_AUTH_TOKEN"], "f" * 32))
    assert check(settings).returncode == 0
    after = stamps()
    assert (folder / "auth_token").read_text().strip() == "f" * 32
    assert {n for n in names if after[n] != before[n]} == {"auth_token"}


@pytest.mark.parametrize("ip, allowed", [("10.1.2.3", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("172.31.0.9", "127.0.0.1"), ("100.127.0.1", "127.0.0.1"),
                                         ("8.8.8.8", ""), ("172.32.0.1", ""), ("100.128.0.1", ""), ("11.0.0.1", "")])
def test_webhooks_may_go_to_loopback_only_where_the_address_is_private_and_an_operators_choice_stays(settings, ip, allowed):
    lines = [line for line in settings.read_text().splitlines() if not line.startswith(("PUBLIC_IP=", "WEBHOOK_ALLOWED_NETWORKS="))]
    settings.write_text("\n".join([*lines, f"PUBLIC_IP={ip}"]))
    assert check(settings).returncode == 0
    assert settings.read_text().splitlines()[-1] == f"WEBHOOK_ALLOWED_NETWORKS={allowed}"
    settings.write_text(settings.read_text().replace("\nWEBHOOK_ALLOWED_NETWORKS=" + allowed, "\nWEBHOOK_ALLOWED_NETWORKS="))
    assert check(settings).returncode == 0
    assert settings.read_text().rstrip("\n").splitlines()[-1] == "WEBHOOK_ALLOWED_NETWORKS="


@pytest.mark.parametrize("ip", ["0.0.0.0", "192.0.2.1"])
def test_rest_without_a_certificate_stays_on_loopback(settings, ip):
    text = settings.read_text().replace("API_BIND=127.0.0.1", f"API_BIND={ip}")
    settings.write_text(text)
    done = check(settings)
    assert done.returncode != 0 and "API_BIND" in done.stderr and "API_TLS_CERT" in done.stderr
    for more in ("API_PLAIN_HTTP=true\n", "API_TLS_CERT=/x/cert.pem\nAPI_TLS_KEY=/x/key.pem\n"):
        settings.write_text(text + more)
        assert check(settings).returncode == 0
