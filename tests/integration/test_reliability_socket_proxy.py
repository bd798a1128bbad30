"""Proxies before the engine that let some calls through: what works, and what the refused steps say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.reliability_lab import Way, steps_forgotten
from tests.integration.test_verify_credentials import Silent
from tests.lab.engine import LabEngine
from tests.lab.fixtures import MakeContainer
from tests.lab.socket_proxy import EVENTS, NO_EXEC, PING, READS, SocketProxy
from tests.lab.waiting import wait_until
from tests.triggers.poll_harness import PollHarness
from verify_credentials import verify

__all__ = ["steps_forgotten"]

pytestmark = pytest.mark.engine


def behind(lab: LabEngine, proxy: SocketProxy, folder: Path) -> Way:
    return Way(lab, proxy.url, folder)


def verified(proxy: SocketProxy) -> dict[str, Any]:
    context: Any = Silent()
    return verify(context, {"server": "2", "otherServer": proxy.url})


def forbidden(way: Way, key: str, body: Any = None) -> None:
    """The step fails at once, and says who may have forbidden what."""
    outcome = way.run(key, body)
    (error,) = outcome.errors
    assert (outcome.bodies, outcome.rebounds) == ([], [])
    assert error["name"] == "Unauthorized"
    assert "proxy before" in error["message"]
    assert "403" in error["message"]
    assert "<html" not in error["message"]


def test_a_proxy_that_allows_events_only_verifies_and_says_what_is_open(
    engine_lab: LabEngine, tmp_path: Path
) -> None:
    with SocketProxy(engine_lab.socket, PING, EVENTS) as proxy:
        facts = verified(proxy)
        assert facts["verified"] is True
        assert facts["apiVersion"] == engine_lab.api
        assert facts["forbidden"] == ["SystemVersion", "SystemInfo", "ContainerList"]
        way = behind(engine_lab, proxy, tmp_path)
        assert way.do("SystemPing")["text"] == "OK"
        assert way.do("SystemEvents", {"since": "0", "until": "1"}) == {"results": []}
        for key, body in (
            ("ContainerList", None),
            ("SystemInfo", None),
            ("ContainerCreate", {"requestBody": {"Image": "x"}}),
            ("ContainerAttach", {"id": "x"}),
            ("ContainerLogs", {"id": "x"}),
            ("ContainerArchive", {"id": "x", "path": "/"}),
            ("ContainerArchiveInfo", {"id": "x", "path": "/"}),
            ("ImageBuild", {"dockerfileText": "FROM x"}),
        ):
            forbidden(way, key, body)


def test_a_proxy_that_allows_reads_only(
    engine_lab: LabEngine, tmp_path: Path, make_container: MakeContainer
) -> None:
    made = make_container()
    with SocketProxy(engine_lab.socket, READS) as proxy:
        facts = verified(proxy)
        assert facts["forbidden"] == []
        assert facts["apiVersions"] == f"{engine_lab.minimum_api}-{engine_lab.api}"
        way = behind(engine_lab, proxy, tmp_path)
        assert way.do("ContainerInspect", {"id": made})["Id"] == made
        assert way.do("ContainerLogs", {"id": made}) == {"results": []}
        for key, body in (
            ("ContainerStart", {"id": made}),
            ("ContainerDelete", {"id": made}),
            ("ContainerWait", {"id": made}),
            ("ContainerAttach", {"id": made}),
            ("ContainerExec", {"id": made, "requestBody": {"Cmd": ["true"]}}),
            ("PutContainerArchive", {"id": made, "path": "/", "file": {"name": "x", "content": "y"}}),
        ):
            forbidden(way, key, body)


def test_a_proxy_that_forbids_commands_in_containers(
    engine_lab: LabEngine, tmp_path: Path, run_container: MakeContainer
) -> None:
    made = run_container()
    with SocketProxy(engine_lab.socket, NO_EXEC) as proxy:
        way = behind(engine_lab, proxy, tmp_path)
        assert verified(proxy)["verified"] is True
        forbidden(way, "ContainerExec", {"id": made, "requestBody": {"Cmd": ["true"]}})
        forbidden(way, "ExecStart", {"id": made})
        assert way.do("ContainerKill", {"id": made}) == {}
        heard = way.do("ContainerAttach", {"id": made, "logs": True})
        assert heard["exitCode"] == 137


def test_a_proxy_that_forbids_everything_is_no_working_credential(engine_lab: LabEngine) -> None:
    with SocketProxy(engine_lab.socket) as proxy:
        facts = verified(proxy)
        assert facts["verified"] is False
        assert "403" in facts["reason"]
        assert "proxy before" in facts["reason"]


def test_events_are_told_through_a_proxy_that_allows_nothing_else(engine_lab: LabEngine) -> None:
    filters = {"types": "image", "actions": "tag", "names": "reliability/proxied:1"}
    with SocketProxy(engine_lab.socket, PING, EVENTS) as proxy:
        desk = PollHarness("engine_events", {"server": "2", "otherServer": proxy.url, **filters})
        assert desk.poll().of("event") == []
        engine_lab.wire.do("POST", f"/images/{engine_lab.image}/tag", repo="reliability/proxied", tag="1")
        found: list[Any] = []

        def told() -> bool:
            emitted = desk.poll()
            assert emitted.errors == []
            found.extend(emitted.of("event"))
            return bool(found)

        wait_until(told, "the event")
        assert [event["Action"] for event in found] == ["tag"]
        assert set(proxy.refused) <= {"GET /info", "GET /networks/bridge"}
    engine_lab.wire.do("DELETE", "/images/reliability/proxied:1")
