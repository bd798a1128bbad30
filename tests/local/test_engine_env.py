from __future__ import annotations

from pathlib import Path

import pytest

from lib.local.engine_env import credentials_of, with_pem_files
from lib.local.problems import UsageError


def test_without_any_variable_the_default_socket_is_meant() -> None:
    assert credentials_of({}) == {"server": "unix"}


def test_a_socket_needs_no_certificates(tmp_path: Path) -> None:
    environ = {"DOCKER_HOST": "unix:///x.sock", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}

    assert credentials_of(environ) == {"server": "2", "otherServer": "unix:///x.sock"}


def test_certificates_are_read_from_their_folder(tmp_path: Path) -> None:
    for name in ("ca", "cert", "key"):
        (tmp_path / f"{name}.pem").write_text(name)

    environ = {"DOCKER_HOST": "tcp://e:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}

    assert credentials_of(environ) == {
        "server": "2",
        "otherServer": "https://e:2376",
        "tlsVerify": "verify",
        "tlsCa": "ca",
        "tlsCertificate": "cert",
        "tlsKey": "key",
    }


def test_certificates_without_verification_mean_unverified_tls(tmp_path: Path) -> None:
    environ = {"DOCKER_HOST": "tcp://e:2376", "DOCKER_CERT_PATH": str(tmp_path)}

    assert credentials_of(environ) == {"server": "2", "otherServer": "https://e:2376", "tlsVerify": "skip"}


def test_plain_tcp_stays_plain() -> None:
    assert credentials_of({"DOCKER_HOST": "tcp://e:2375"}) == {"server": "2", "otherServer": "tcp://e:2375"}


def test_a_named_engine_goes_before_the_environment() -> None:
    assert credentials_of({"DOCKER_HOST": "tcp://e:2375"}, "unix:///y")["otherServer"] == "unix:///y"


def test_the_version_becomes_the_pin() -> None:
    assert credentials_of({"DOCKER_API_VERSION": "1.41"}) == {"server": "unix", "apiVersion": "1.41"}


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").mkdir()
    environ = {"DOCKER_HOST": "tcp://e:2376", "DOCKER_CERT_PATH": str(tmp_path)}

    with pytest.raises(UsageError, match=r"ca\.pem cannot be read.*DOCKER_CERT_PATH"):
        credentials_of(environ)


def test_fault_8_27_files_of_certificates_are_read_here_and_only_here(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----")
    text = "-----BEGIN PRIVATE KEY-----"

    config = with_pem_files({"tlsCa": f" {tmp_path}/ca.pem", "tlsKey": text, "server": str(tmp_path)})

    assert config == {"tlsCa": "-----BEGIN CERTIFICATE-----", "tlsKey": text, "server": str(tmp_path)}


@pytest.mark.parametrize("path", ["/dev/zero", "/", "/nonexistent/ca.pem", "a\0b"])
def test_fault_8_27_what_is_no_readable_file_is_named(path: str) -> None:
    with pytest.raises(UsageError):
        with_pem_files({"tlsCa": path})
