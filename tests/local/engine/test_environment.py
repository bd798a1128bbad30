from __future__ import annotations

from pathlib import Path

import pytest

from lib.local.engine.environment import credentials_of
from lib.local.problems import UsageError


def test_without_any_variable_the_default_socket_is_meant() -> None:
    assert credentials_of({}) == {"server": "unix"}


def test_a_socket_needs_no_certificates(tmp_path: Path) -> None:
    environ = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}

    assert credentials_of(environ, "unix:///x.sock") == {"server": "2", "otherServer": "unix:///x.sock"}


def test_certificates_are_read_from_their_folder(tmp_path: Path) -> None:
    for name in ("ca", "cert", "key"):
        (tmp_path / f"{name}.pem").write_text(name)

    environ = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}

    assert credentials_of(environ, "tcp://e:2376") == {
        "server": "2",
        "otherServer": "https://e:2376",
        "tlsVerify": "verify",
        "tlsCa": "ca",
        "tlsCertificate": "cert",
        "tlsKey": "key",
    }


def test_certificates_without_verification_mean_unverified_tls(tmp_path: Path) -> None:
    expected = {"server": "2", "otherServer": "https://e:2376", "tlsVerify": "skip"}

    assert credentials_of({"DOCKER_CERT_PATH": str(tmp_path)}, "tcp://e:2376") == expected


def test_plain_tcp_stays_plain() -> None:
    assert credentials_of({}, "tcp://e:2375") == {"server": "2", "otherServer": "tcp://e:2375"}


def test_certificates_of_the_address_itself_go_before_the_variables(tmp_path: Path) -> None:
    environ = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}

    assert credentials_of(environ, "tcp://e:2375", {}) == {"server": "2", "otherServer": "tcp://e:2375"}


def test_the_version_becomes_the_pin() -> None:
    assert credentials_of({"DOCKER_API_VERSION": "1.41"}) == {"server": "unix", "apiVersion": "1.41"}


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").mkdir()
    environ = {"DOCKER_CERT_PATH": str(tmp_path)}

    with pytest.raises(UsageError, match=r"ca\.pem cannot be read.*DOCKER_CERT_PATH"):
        credentials_of(environ, "tcp://e:2376")
