"""Conversations with processes over TLS with a client certificate: stdin ends, output goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.private_engine import PrivateEngineError
from lib.sailor.standalone.folder import FolderStorage
from tests.actions.stepping import forget_engines, run_step
from tests.lab import newer
from tests.lab.certificates import Certificates
from tests.lab.engine import LabEngine
from tests.lab.skipping import skip_anywhere

pytestmark = pytest.mark.engine


@pytest.fixture
def config(tls_engine: LabEngine) -> Iterator[dict[str, Any]]:
    yield credential(tls_engine)
    forget_engines()


def credential(engine: LabEngine) -> dict[str, Any]:
    held = engine.certificates
    return {
        "server": "2",
        "otherServer": engine.tcp_url,
        "tlsCa": held.ca.read_text(),
        "tlsCertificate": held.client.read_text(),
        "tlsKey": held.client_key.read_text(),
    }


def one(outcome: Any) -> Any:
    assert not outcome.errors, outcome.errors
    (body,) = outcome.bodies
    return body


def test_a_command_gets_its_stdin_and_is_heard_to_the_end(
    tls_engine: LabEngine, config: dict[str, Any]
) -> None:
    container = tls_engine.run()
    command = ["sh", "-c", "wc -c; sleep 0.1; echo rest >&2; exit 6"]
    body = {"id": container, "requestBody": {"Cmd": command, "AttachStdin": True}}
    made = one(run_step("ContainerExec", body, config))["Id"]
    heard = one(run_step("ExecStart", {"id": made, "stdin": "x" * 500_000}, config))
    assert (heard["stdout"].strip(), heard["stderr"], heard["exitCode"]) == ("500000", "rest\n", 6)
    tls_engine.remove(container)


@pytest.mark.parametrize("key", ["ContainerAttach", "ContainerAttachWebsocket"])
def test_a_container_gets_its_stdin(tls_engine: LabEngine, config: dict[str, Any], key: str) -> None:
    container = tls_engine.run(["sh", "-c", "cat; sleep 0.1; echo rest"], OpenStdin=True, StdinOnce=True)
    heard = one(run_step(key, {"id": container, "stdinText": "hello\n"}, config))
    assert heard["text"] == "hello\nrest\n"
    tls_engine.remove(container)


def gets_its_secret(engine: LabEngine, config: dict[str, Any], folder: Path) -> None:
    line = "RUN --mount=type=secret,id=token wc -c /run/secrets/token"
    body = {
        "dockerfileText": f"FROM {engine.image}\n{line}\n",
        "networkmode": "host",
        "nocache": True,
        "secrets": {"token": "x" * 100_000},
    }
    built = one(run_step("ImageBuild", body, config))
    assert any(line.endswith("100000 /run/secrets/token") for line in built["lines"])
    body["outputs"] = [{"type": "tar"}]
    built = one(run_step("ImageBuild", body, config, storage=FolderStorage(str(folder))))
    assert built["attachment"]["size"] > 1_000_000


def test_a_build_gets_its_secret_and_gives_its_files(
    tls_engine: LabEngine, config: dict[str, Any], tmp_path: Path
) -> None:
    gets_its_secret(tls_engine, config, tmp_path)


@pytest.mark.parametrize("kind", ["26.1", "28.5", "28.5-containerd"])
def test_so_it_does_on_newer_engines(kind: str, tmp_path: Path) -> None:
    """These speak HTTP/2 on their port themselves, if it is offered; sessions need HTTP/1.1."""
    suite, daemon = ("trixie" if kind == "26.1" else "sid"), {}
    if kind == "28.5-containerd":
        daemon = {"features": {"containerd-snapshotter": True}}
    try:
        certificates = Certificates.made_in(tmp_path)
        engine = LabEngine.begin(
            binaries=str(newer.binaries(suite)), daemon=daemon, certificates=certificates
        )
    except (PrivateEngineError, LocalImageError, newer.NewerEngineError) as problem:
        skip_anywhere(f"no engine {kind}: {problem}")
    try:
        gets_its_secret(engine, credential(engine), tmp_path)
    finally:
        forget_engines()
        engine.close()


def test_a_session_is_opened(config: dict[str, Any]) -> None:
    assert one(run_step("Session", {}, config))["upgraded"] is True
