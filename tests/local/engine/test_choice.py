"""Which engine is meant, in the order of the docker command line, and by which word."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from lib.local.engine.choice import chosen
from lib.local.problems import UsageError
from tests.local.running import run


def context(folder: Path, name: str, endpoint: Any, **pem: str) -> dict[str, str]:
    """Write a context as `docker context create` does; the environment that names its folder."""
    identity = sha256(name.encode()).hexdigest()
    meta, tls = (folder / "contexts" / kind / identity for kind in ("meta", "tls"))
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(
        json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": endpoint}})
    )
    (tls / "docker").mkdir(parents=True)
    for file, text in pem.items():
        (tls / "docker" / f"{file}.pem").write_text(text)
    return {"DOCKER_CONFIG": str(folder), "DOCKER_CONTEXT": name}


def config(folder: Path, **content: Any) -> None:
    (folder / "config.json").write_text(json.dumps(content))


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    """A home in which Docker Desktop's socket answers."""
    path = tmp_path / ".docker/run/docker.sock"
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        yield tmp_path


def test_the_option_goes_before_all_variables(tmp_path: Path) -> None:
    environ = {"DOCKER_HOST": "tcp://e:2375", **context(tmp_path, "shop", {"Host": "unix:///c"})}

    found = chosen(environ, "unix:///o")

    assert (found.fields["otherServer"], found.why) == ("unix:///o", "the option --engine")


def test_docker_host_goes_before_the_context(tmp_path: Path) -> None:
    environ = {"DOCKER_HOST": "tcp://e:2375", **context(tmp_path, "shop", {"Host": "unix:///c"})}

    found = chosen(environ)

    assert (found.fields["otherServer"], found.why) == ("tcp://e:2375", "DOCKER_HOST")


def test_the_named_context_goes_before_the_current_one(tmp_path: Path) -> None:
    environ = context(tmp_path, "shop", {"Host": "unix:///c"})
    config(tmp_path, currentContext="other")

    found = chosen(environ)

    assert found.fields == {"server": "2", "otherServer": "unix:///c"}
    assert found.why == "the context shop (DOCKER_CONTEXT)"


def test_the_current_context_counts_without_any_variable(tmp_path: Path) -> None:
    context(tmp_path, "größe", {"Host": "unix:///c"})
    config(tmp_path, currentContext="größe")

    found = chosen({"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": ""})

    assert (found.fields["otherServer"], found.why) == (
        "unix:///c",
        "the context größe (currentContext in config.json)",
    )


def test_a_context_brings_its_certificates_and_no_others(tmp_path: Path) -> None:
    pem = {"ca": "ca", "cert": "cert", "key": "key"}
    environ = context(tmp_path, "far", {"Host": "tcp://e:2376", "SkipTLSVerify": False}, **pem)

    found = chosen({**environ, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/nowhere"})

    assert found.fields == {
        "server": "2",
        "otherServer": "https://e:2376",
        "tlsCa": "ca",
        "tlsCertificate": "cert",
        "tlsKey": "key",
    }
    assert "key" not in repr(found)


def test_a_context_may_skip_the_check_and_may_speak_plainly(tmp_path: Path) -> None:
    skipping = context(tmp_path, "skips", {"Host": "tcp://e:2376", "SkipTLSVerify": True})
    plain = context(tmp_path, "plain", {"Host": "tcp://e:2375"})

    assert chosen(skipping).fields == {"server": "2", "otherServer": "https://e:2376", "tlsVerify": "skip"}
    assert chosen(plain).fields == {"server": "2", "otherServer": "tcp://e:2375"}


def test_the_context_default_is_none(listening: Path) -> None:
    environ = {"HOME": str(listening), "DOCKER_CONTEXT": "default", "DOCKER_CONFIG": str(listening / "none")}

    assert chosen(environ).why.startswith(("the default socket", "the socket "))


def test_a_context_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    environ = context(tmp_path, "shop", {"Host": "unix:///c"})

    with pytest.raises(UsageError, match=r"no context 'shpo'.*here: shop"):
        chosen({**environ, "DOCKER_CONTEXT": "shpo"})


@pytest.mark.parametrize("endpoint", [None, {}, {"Host": ""}, {"Host": 5}, ["unix:///c"]])
def test_a_context_without_an_engine_is_named(tmp_path: Path, endpoint: Any) -> None:
    with pytest.raises(UsageError, match="'odd' names no Docker Engine"):
        chosen(context(tmp_path, "odd", endpoint))


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, '"' + "x" * 5_000_000 + '"'])
def test_a_file_that_is_wrong_is_named_and_not_quoted(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)

    with pytest.raises(UsageError, match=r"config\.json") as raised:
        chosen({"DOCKER_CONFIG": str(tmp_path)})

    assert len(str(raised.value)) < 400


def test_a_device_in_the_place_of_the_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").symlink_to("/dev/zero")

    with pytest.raises(UsageError, match="no plain file"):
        chosen({"DOCKER_CONFIG": str(tmp_path)})


def test_a_current_context_that_is_no_text_is_refused(tmp_path: Path) -> None:
    config(tmp_path, currentContext=5)

    with pytest.raises(UsageError, match="currentContext"):
        chosen({"DOCKER_CONFIG": str(tmp_path)})


def test_the_socket_of_the_user_is_found_where_the_default_one_does_not_answer(listening: Path) -> None:
    found = chosen({"HOME": str(listening)})
    desktop = f"unix://{listening}/.docker/run/docker.sock"

    assert found.found
    assert (found.fields.get("otherServer") == desktop) == (found.why != "the default socket")


def test_verify_tells_what_named_the_engine(tmp_path: Path) -> None:
    environ = context(tmp_path, "shop", {"Host": f"unix://{tmp_path}/nobody.sock"})

    ended = run("verify", "--json", component=None, **environ)

    assert ended.code == 1
    (verdict,) = ended.emissions
    assert verdict["engineFrom"] == "the context shop (DOCKER_CONTEXT)"
    assert "nobody.sock" in verdict["reason"]
