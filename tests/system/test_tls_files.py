"""The certificates of a stack: those that are made for development, and the profiles of those that are there (docs/tls.md). Scripts of the images, here on folders of the test's own."""
import os
import shutil
import subprocess

import pytest

from kit import tls

SCRIPTS = "/src/docker/kamailio"
DOMAIN = "sip.files.test"


def script(name, *argv, **env):
    return subprocess.run([f"{SCRIPTS}/{name}", *argv], env={**os.environ, "HOOKSWITCH_SIP_DOMAIN": DOMAIN, "PUBLIC_IP": "192.0.2.1", **env},
                          capture_output=True, text=True, timeout=60)


def made(folder, **env):
    done = script("certificates.sh", str(folder), **env)
    assert done.returncode == 0, done.stderr
    return {name: (folder / name).read_bytes() for name in ("ca.pem", "rsa/cert.pem", "ecdsa/cert.pem", "rsa/key.pem", "ecdsa/key.pem")}


def profiles(folder, **env):
    out = folder / "tls.cfg"
    done = script("tls-profiles.sh", str(out), SIP_TLS_DIR=str(folder), **env)
    return done, out.read_text() if out.exists() else None


def test_certificates_are_made_once_and_verify(tmp_path):
    first = made(tmp_path)
    assert made(tmp_path) == first
    for kind in ("rsa", "ecdsa"):
        for host in (f"-verify_hostname hello.{DOMAIN}", f"-verify_hostname {DOMAIN}", "-verify_ip 192.0.2.1"):
            assert "OK" in tls.openssl("verify", "-CAfile", f"{tmp_path}/ca.pem", *host.split(), f"{tmp_path}/{kind}/cert.pem")
        assert os.stat(tmp_path / kind / "key.pem").st_mode & 0o777 == 0o640
    assert os.stat(tmp_path / "ca.key").st_mode & 0o777 == 0o600


@pytest.mark.parametrize("env", [{"HOOKSWITCH_SIP_DOMAIN": "other.test"}, {"PUBLIC_IP": "192.0.2.99"}])
def test_another_domain_or_address_has_leaves_made_anew_by_the_same_ca(tmp_path, env):
    first = made(tmp_path)
    then = made(tmp_path, **env)
    assert then["ca.pem"] == first["ca.pem"]
    assert then["rsa/cert.pem"] != first["rsa/cert.pem"] and then["ecdsa/key.pem"] != first["ecdsa/key.pem"]


def test_a_leaf_in_its_last_month_is_made_anew(tmp_path):
    first = made(tmp_path)
    tls.openssl("x509", "-in", f"{tmp_path}/rsa/cert.pem", "-CA", f"{tmp_path}/ca.pem", "-CAkey", f"{tmp_path}/ca.key", "-days", "20", "-out", f"{tmp_path}/short.pem",
                "-copy_extensions", "copyall")
    shutil.move(tmp_path / "short.pem", tmp_path / "rsa/cert.pem")
    then = made(tmp_path)
    assert then["rsa/key.pem"] != first["rsa/key.pem"] and then["ecdsa/cert.pem"] == first["ecdsa/cert.pem"]


def test_what_another_ca_signed_is_never_touched(tmp_path):
    made(tmp_path)
    own = str(tmp_path / "rsa")
    tls.certificate(own, "DNS:voip.example.com", ca=False, days="1")
    before = (tmp_path / "rsa/cert.pem").read_bytes()
    assert made(tmp_path)["rsa/cert.pem"] == before


def test_an_operators_own_pair_needs_no_ca(tmp_path):
    for kind in ("rsa", "ecdsa"):
        tls.certificate(str(tmp_path / kind), "DNS:voip.example.com", kind="RSA" if kind == "rsa" else "EC", ca=False)
    assert script("certificates.sh", str(tmp_path)).returncode == 0
    assert not (tmp_path / "ca.pem").exists()


def test_names_in_full_go_before_those_below_a_domain(tmp_path):
    made(tmp_path)
    tls.certificate(str(tmp_path / "a"), "DNS:*.voip.example.com", ca=False)
    tls.certificate(str(tmp_path / "b"), "DNS:pbx.voip.example.com", "DNS:Big.Example.com", ca=False)
    done, cfg = profiles(tmp_path)
    assert done.returncode == 0, done.stderr
    names = [line.split(" = ")[1] for line in cfg.splitlines() if line.startswith("server_name =")]
    assert names == ["pbx.voip.example.com", "big.example.com", f"ecdsa.{DOMAIN}", "voip.example.com"]
    assert cfg.startswith("[server:default]\nmethod = TLSv1.2+\n") and f"certificate = {tmp_path}/rsa/cert.pem" in cfg.split("[")[1]
    assert cfg.count("method = TLSv1.2+") == cfg.count("[") == 6


def test_a_name_that_is_none_is_left_out(tmp_path):
    made(tmp_path)
    (tmp_path / "ecdsa/names").write_text("good.example.com\n[server:default]\nca_list = /etc/passwd\n a b\n*\n")
    done, cfg = profiles(tmp_path)
    assert done.returncode == 0 and cfg.count("server_name = ") == 1 and "passwd" not in cfg


def test_without_sha1_eight_ciphers_stay(tmp_path):
    made(tmp_path)
    _, cfg = profiles(tmp_path, SIP_TLS_SHA1="0")
    ciphers = next(line for line in cfg.splitlines() if line.startswith("cipher_list")).split(" = ")[1].split(":")
    assert len(ciphers) == 8 and not [c for c in ciphers if c.endswith("-SHA")]


@pytest.mark.parametrize("harm, says", [("mv rsa/key.pem rsa/k && cp ecdsa/key.pem rsa/key.pem", "is not the key of"), ("rm rsa/key.pem", "can't be read"),
                                        ("echo x > rsa/cert.pem", "is no certificate"), ("echo x > rsa/key.pem", "is no private key")])
def test_a_bad_pair_is_named_and_nothing_changes(tmp_path, harm, says):
    made(tmp_path)
    before = profiles(tmp_path)[1]
    subprocess.run(harm, shell=True, cwd=tmp_path, check=True)
    done, after = profiles(tmp_path)
    assert done.returncode != 0 and says in done.stderr and f"{tmp_path}/rsa" in done.stderr
    assert after == before


def test_a_bad_setting_is_named(tmp_path):
    made(tmp_path)
    done, _ = profiles(tmp_path, SIP_TLS_VERIFY="maybe")
    assert done.returncode != 0 and 'SIP_TLS_VERIFY is "maybe": set it to off, warn or on' in done.stderr
