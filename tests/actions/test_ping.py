"""SystemPing tells what the engine says now, not what it said when its version was settled."""

from __future__ import annotations

from pathlib import Path

from actions.system import system_ping
from lib.engine import Endpoint, Engine
from tests.engine.scripted import PING, Scripted, say


def test_a_ping_tells_the_present_state_of_the_swarm(tmp_path: Path) -> None:
    def ping(swarm: bytes) -> bytes:
        return PING.replace(b"Content-Length", b"Swarm: " + swarm + b"\r\nContent-Length")

    answers = [say(ping(b"active/worker")), say(ping(b"active/manager"))]
    with (
        Scripted(tmp_path, *answers, ping=ping(b"inactive")) as server,
        Engine(Endpoint.parse(server.url)) as engine,
    ):
        assert engine.facts.swarm == "inactive"
        assert [system_ping(engine, {})["swarm"] for _ in range(2)] == ["active/worker", "active/manager"]
