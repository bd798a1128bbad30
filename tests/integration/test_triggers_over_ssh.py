"""Triggers on an engine behind SSH tell what they tell at its socket, also after the SSH connection was lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.trigger_lab import engines_closed, settled
from tests.lab.engine import LabEngine
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.ssh_server import SshServer
from tests.triggers.poll_harness import PollHarness
from tests.triggers.table import record

__all__ = ["engines_closed"]
pytestmark = pytest.mark.engine


@pytest.fixture
def way(ssh_server: SshServer) -> Iterator[FaultyProxy]:
    with FaultyProxy(("127.0.0.1", ssh_server.port)) as way:
        yield way


@pytest.fixture
def config(way: FaultyProxy, ssh_server: SshServer, engine_lab: LabEngine) -> dict[str, Any]:
    address = f"ssh://{ssh_server.user}@{way.host}:{way.port}{engine_lab.socket}"
    return {**ssh_server.credential(engine_lab.socket, server=address), "labels": ["case=over-ssh"]}


@pytest.fixture
def name(engine_lab: LabEngine) -> Iterator[str]:
    """A container that has said something and failed, once a test has made it."""
    yield "over-ssh"
    engine_lab.remove("over-ssh")


def failed(engine: LabEngine, name: str) -> None:
    container = engine.run(["sh", "-c", "echo one; echo two; exit 3"], name=name, Labels={"case": "over-ssh"})
    engine.wait(container)
    settled()


@pytest.mark.parametrize(
    ("trigger", "module", "what", "truth"),
    [
        ("engineEvents", "engine_events", "Action", ["create", "start", "die"]),
        ("containerLogs", "container_logs", "text", ["one", "two"]),
        ("containerStateChanged", "container_state_changed", "change", ["crashed"]),
    ],
)
def test_what_happened_is_told_once(
    engine_lab: LabEngine,
    way: FaultyProxy,
    config: dict[str, Any],
    name: str,
    trigger: str,
    module: str,
    what: str,
    truth: list[str],
) -> None:
    step = PollHarness(module, config)
    step.poll()
    way.reset()
    failed(engine_lab, name)
    step.poll()
    step.replay()
    way.reset()
    assert step.poll().bodies == []
    told = step.told(lambda body: body[what])
    record(trigger, f"{engine_lab.version} over ssh", "connection lost between polls", told=told, truth=truth)
