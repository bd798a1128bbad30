"""docs/proxy-rules.md is enough: steps behind a proxy that has the rules of their own and no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.metadata import facts as fact_files
from lib.metadata import words as word_files
from lib.metadata.jobs import load as load_jobs
from lib.metadata.proxy_rules import ALWAYS, pattern, rules
from tests.integration.reliability_lab import Way, steps_forgotten
from tests.jobs.engines import begin
from tests.lab.engine import LabEngine
from tests.lab.socket_proxy import SocketProxy
from tests.local.running import ROOT
from tests.triggers.poll_harness import PollHarness

__all__ = ["steps_forgotten"]

pytestmark = pytest.mark.engine

FACTS = fact_files.load()
WORDS = word_files.load()
JOBS = load_jobs(ROOT / "lib/metadata/words/jobs", FACTS, WORDS)
STEPS: dict[str, dict[str, Any]] = {
    "ContainerList": {"all": True},
    "ContainerInspect": {"id": "shop"},
    "ContainerLogs": {"id": "shop"},
    "ContainerAttach": {"id": "shop", "logs": True},
    "ContainerStart": {"id": "made"},
    "ContainerStop": {"id": "running", "t": 0},
    "ContainerCreate": {"requestBody": {"Image": "busybox:local"}},
    "ContainerDelete": {"id": "old"},
    "ImageInspect": {"name": "busybox:local"},
    "ImageTag": {"name": "busybox:local", "repo": "registry.example.org/team/shop", "tag": "1"},
    "ImageDelete": {"name": "registry.example.org/team/shop:old"},
    "ImageBuild": {"dockerfileText": "FROM busybox:local\nLABEL of=rules\n", "t": "rules:1"},
    "SystemDataUsage": {},
    "RunContainer": {"image": "busybox:local", "command": ["true"], "filesOut": ["/etc/passwd"]},
    "RunCommand": {"target": "shop", "command": ["echo", "there"]},
    "WaitForContainer": {"target": "shop", "for": "running", "stableSeconds": 0},
    "LookupObject": {"value": "shop"},
    "LookupObjects": {},
    "SearchLogs": {"target": "shop", "pattern": "last"},
    "EnsureVolume": {"name": "new"},
    "EnsureNetwork": {"name": "new"},
    "EnsureContainer": {
        "name": "new",
        "image": "busybox:local",
        "command": "sleep 600",
        "stableSeconds": 0,
    },
    "ReportEngine": {},
    "BackupVolume": {"volume": "data"},
    "DeleteObject": {"value": "lan"},
    "PruneEngine": {"what": ["networks"]},
}
"""What each is told; what it needs is there, see `shop`."""
SETTINGS: dict[str, dict[str, Any]] = {
    "ContainerAttach": {"maxSeconds": "2"},
    "LookupObject": {"objectType": "container"},
    "LookupObjects": {"objectType": "image"},
    "DeleteObject": {"objectType": "network"},
}
TRIGGERS = (
    "engineEvents",
    "containerStateChanged",
    "containerLogs",
    "resourceThreshold",
    "diskUsage",
)


@pytest.fixture(scope="module")
def shop() -> Iterator[LabEngine]:
    """An engine with a container that writes a line and goes on, and with what STEPS change."""
    engine = begin("20.10")
    engine.run(("sh", "-c", "echo last words; sleep 600"), name="shop")
    engine.run(name="running")
    engine.create(name="made")
    engine.create(name="old")
    engine.wire.do("POST", "/volumes/create", {"Name": "data"})
    engine.wire.do("POST", "/networks/create", {"Name": "lan"})
    engine.wire.do("POST", f"/images/{engine.image}/tag", repo="registry.example.org/team/shop", tag="old")
    yield engine
    engine.close()


def allowed(key: str, *, all_of_them: bool = True) -> list[str]:
    makes, may = rules(key, FACTS, JOBS, WORDS.triggers)
    return [pattern(call) for call in (*ALWAYS, *makes, *(may if all_of_them else ()))]


@pytest.mark.parametrize("key", STEPS)
def test_a_step_needs_the_calls_of_its_row_and_no_others(key: str, shop: LabEngine, tmp_path: Path) -> None:
    with SocketProxy(shop.socket, *allowed(key)) as proxy:
        way = Way(shop, proxy.url, tmp_path)
        outcome = way.run(key, STEPS[key], **SETTINGS.get(key, {}))

        assert (outcome.errors, outcome.rebounds) == ([], [])
        assert outcome.bodies
        assert proxy.refused == []


@pytest.mark.parametrize("key", TRIGGERS)
@pytest.mark.parametrize("all_of_them", [True, False], ids=["may make", "makes"])
def test_a_trigger_polls_with_the_calls_that_it_makes(key: str, all_of_them: bool, shop: LabEngine) -> None:
    module = Path(WORDS.triggers[key]["main"]).stem
    settings = {"memoryPercent": "90", "imagesGigabytes": "1"}
    form = {name: value for name, value in settings.items() if name in WORDS.triggers[key].get("fields", {})}
    with SocketProxy(shop.socket, *allowed(key, all_of_them=all_of_them)) as proxy:
        harness = PollHarness(module, {"server": "2", "otherServer": proxy.url, **form})
        for _ in range(2):
            harness.poll()

        assert harness.snapshot
        if all_of_them:
            assert proxy.refused == []


def test_a_call_that_the_rules_do_not_have_is_refused_and_named(shop: LabEngine, tmp_path: Path) -> None:
    with SocketProxy(shop.socket, *allowed("ContainerInspect")) as proxy:
        (error,) = Way(shop, proxy.url, tmp_path).run("ContainerLogs", {"id": "shop"}).errors

    assert error["name"] == "Unauthorized"
    assert "GET /v" in error["message"]
    assert "/containers/shop/logs" in error["message"]
