"""Conversations with processes over TLS with a client certificate: stdin ends, output goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.actions.stepping import forget_engines, run_step
from tests.lab.engine import LabEngine

pytestmark = pytest.mark.engine


@pytest.fixture
def config(tls_engine: LabEngine) -> Iterator[dict[str, Any]]:
    held = tls_engine.certificates
    yield {
        "server": "2",
        "otherServer": tls_engine.tcp_url,
        "tlsCa": held.ca.read_text(),
        "tlsCertificate": held.client.read_text(),
        "tlsKey": held.client_key.read_text(),
    }
    forget_engines()


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


def test_a_build_gets_its_secret(tls_engine: LabEngine, config: dict[str, Any]) -> None:
    line = "RUN --mount=type=secret,id=token wc -c /run/secrets/token"
    text = f"FROM {tls_engine.image}\n{line}\n"
    body = {
        "dockerfileText": text,
        "networkmode": "host",
        "nocache": True,
        "secrets": {"token": "x" * 100_000},
    }
    built = one(run_step("ImageBuild", body, config))
    assert any(line.endswith("100000 /run/secrets/token") for line in built["lines"])


def test_a_session_is_opened(config: dict[str, Any]) -> None:
    assert one(run_step("Session", {}, config))["upgraded"] is True
