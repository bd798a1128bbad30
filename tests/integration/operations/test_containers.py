"""Containers: what there is, and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.declared import undeclared
from tests.integration.operations.proving import Body, Make, Names, failure, refusals, success
from tests.integration.operations.site import Site
from tests.lab.waiting import wait_until

pytestmark = pytest.mark.engine


def state(site: Site, container: str) -> dict[str, object]:
    found: dict[str, object] = site.engine.wire.do("GET", f"/containers/{container}/json").json()["State"]
    return found


@success("ContainerList")
@pytest.mark.parametrize(
    "filters", [{"label": ["case=list"]}, '{"label": ["case=list"]}', {"label": "case=list"}]
)
def test_a_list_takes_filters_as_object_and_as_text(site: Site, create: Make, filters: object) -> None:
    made = create(Labels={"case": "list"})
    results = site.do("ContainerList", {"all": True, "size": "true", "filters": filters})["results"]
    assert [container["Id"] for container in results] == [made]
    one_by_one = site.run("ContainerList", {"all": "1", "filters": filters}, emitBehavior="emitIndividually")
    assert [body["Id"] for body in one_by_one.bodies] == [made]
    assert undeclared("ContainerList", one_by_one.bodies[0], item=True, more=site.name == "podman") == []


@success("ContainerCreate", "ContainerInspect", "ContainerRename", "ContainerDelete")
def test_a_container_is_made_looked_at_renamed_and_deleted(site: Site) -> None:
    name, later = f"made-{random_id()}", f"renamed-{random_id()}"
    body = {"Image": site.engine.image, "Cmd": ["true"], "Env": ["A=b=c"], "HostConfig": {"Memory": 64 << 20}}
    made = site.do("ContainerCreate", {"name": name, "requestBody": body})["Id"]
    found = site.do("ContainerInspect", {"id": name, "size": True})
    assert (found["Id"], found["Name"]) == (made, f"/{name}")
    assert "A=b=c" in found["Config"]["Env"]
    assert site.do("ContainerRename", {"id": f"/{name}", "name": later}) == {}
    assert site.do("ContainerDelete", {"id": later, "force": True, "v": True}) == {}
    site.fails("ContainerInspect", {"id": made}, "NotFound")


@success("ContainerStart", "ContainerStop", "ContainerRestart", "ContainerKill")
def test_a_container_is_started_restarted_stopped_and_killed(site: Site, create: Make) -> None:
    made = create()
    assert site.do("ContainerStart", {"id": made}) == {"changed": True}
    assert site.do("ContainerStart", {"id": made}) == {"changed": False}
    first = state(site, made)["StartedAt"]
    assert site.do("ContainerRestart", {"id": made, "t": 0}) == {"changed": True}
    assert state(site, made)["StartedAt"] != first
    assert site.do("ContainerKill", {"id": made, "signal": "SIGKILL"}) == {}
    wait_until(lambda: not state(site, made)["Running"], "the container to end")
    site.do("ContainerStart", {"id": made})
    assert site.do("ContainerStop", {"id": made, "t": "0"}) == {"changed": True}
    assert site.do("ContainerStop", {"id": made}) == {"changed": False}


@success("ContainerPause", "ContainerUnpause")
@failure("ContainerPause", "ContainerUnpause")
def test_a_container_is_paused_and_goes_on(site: Site, start: Make) -> None:
    made = start()
    assert site.do("ContainerPause", {"id": made}) == {}
    assert state(site, made)["Paused"]
    site.fails("ContainerPause", {"id": made}, "Conflict", "EngineFault")
    site.fails("ContainerStart", {"id": made}, "Conflict", "EngineFault")
    assert site.do("ContainerUnpause", {"id": made}) == {}
    assert not state(site, made)["Paused"]
    site.fails("ContainerUnpause", {"id": made}, "Conflict", "EngineFault")


@success("ContainerUpdate")
def test_limits_are_changed(site: Site, start: Make) -> None:
    made = start()
    body = {"Memory": 128 << 20, "MemorySwap": 256 << 20, "RestartPolicy": {"Name": "no"}}
    site.do("ContainerUpdate", {"id": made, "requestBody": body})
    found = site.engine.wire.do("GET", f"/containers/{made}/json").json()
    assert found["HostConfig"]["Memory"] == 128 << 20


@success("ContainerTop", "ContainerResize")
def test_the_processes_and_the_terminal_of_a_running_container(site: Site, start: Make) -> None:
    made = start(Tty=True)
    # A container counts as started a moment before its runtime has become its command.
    wait_until(
        lambda: "sleep 600" in str(site.engine.wire.do("GET", f"/containers/{made}/top").json()),
        "the command to run",
    )
    top = site.do("ContainerTop", {"id": made, "ps_args": "-ef"})
    assert "sleep 600" in str(top["Processes"])
    assert site.do("ContainerResize", {"id": made, "h": 30, "w": "100"}) == {}


@success("ContainerStats")
def test_a_sample_has_raw_counters_and_percentages(site: Site, running: str) -> None:
    sample = site.do("ContainerStats", {"id": running})
    assert sample["running"] is True
    assert sample["cpuPercent"] is not None
    assert sample["memoryBytes"] > 0
    assert sample["cpu_stats"]["cpu_usage"]["total_usage"] > 0


@success("ContainerStats")
def test_a_stream_of_samples_ends_at_the_limit_of_the_step(site: Site, running: str) -> None:
    samples = site.run(
        "ContainerStats", {"id": running, "stream": True}, maxItems="1", emitBehavior="emitAll"
    )
    assert not samples.errors
    assert len(samples.bodies[0]["results"]) == 1
    assert samples.bodies[0]["truncated"] == "maxItems"


@success("ContainerWait")
def test_waiting_gives_the_exit_code(site: Site, start: Make) -> None:
    made = start("sh", "-c", "exit 7")
    assert site.do("ContainerWait", {"id": made})["StatusCode"] == 7
    assert site.do("ContainerWait", {"id": made, "condition": "not-running"})["StatusCode"] == 7


@success("ContainerPrune")
def test_stopped_containers_with_a_label_are_pruned(site: Site, create: Make) -> None:
    made, kept = create(Labels={"case": "prune"}), create()
    pruned = site.do("ContainerPrune", {"filters": {"label": ["case=prune"]}})
    assert pruned["ContainersDeleted"] == [made]
    site.do("ContainerInspect", {"id": kept})


def ports_of(site: Site, container: str) -> dict[str, Any]:
    found: dict[str, Any] = site.engine.wire.do("GET", f"/containers/{container}/json").json()[
        "NetworkSettings"
    ]
    return found["Ports"] or {}


@success("ContainerCreate")
@failure("ContainerCreate")
def test_a_port_is_published_at_the_address_that_was_given(site: Site, start: Make) -> None:
    """Fault 8.13: Docker Engines read what is no address as all addresses; the step sends no such thing."""
    bound = {"80/tcp": [{"HostIp": "localhost", "HostPort": ""}]}
    if site.name != "podman":
        made = start(ExposedPorts={"80/tcp": {}}, HostConfig={"PortBindings": bound})
        assert "0.0.0.0" in [entry["HostIp"] for entry in ports_of(site, made)["80/tcp"]]
    body = {"Image": site.engine.image, "Cmd": ["sleep", "600"], "HostConfig": {"PortBindings": bound}}
    told = site.fails("ContainerCreate", {"requestBody": body}, "BadInput")
    assert "requestBody.HostConfig.PortBindings.80/tcp[0].HostIp" in told
    assert "Write 127.0.0.1" in told
    bound["80/tcp"][0]["HostIp"] = "127.0.0.1"
    made = site.do("ContainerCreate", {"requestBody": body})
    try:
        assert "80/tcp" in str(made["Warnings"])
        site.do("ContainerStart", {"id": made["Id"]})
        addresses = [entry["HostIp"] for entry in ports_of(site, made["Id"])["80/tcp"]]
        assert addresses == ["127.0.0.1"]
    finally:
        site.remove(made["Id"])


@failure("ContainerStart", "ContainerUnpause", "ContainerLogs")
def test_what_an_engine_tells_as_its_own_fault(site: Site, create: Make, start: Make) -> None:
    """Fault 8.20: engines answer 500 and 501; none of it comes again by itself."""
    if site.name == "podman":
        pytest.skip("Podman has other texts")
    settings: dict[str, Any] = {"errorPolicy": "byComponent"}
    ports = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18099"}]}
    bound = {"ExposedPorts": {"80/tcp": {}}, "HostConfig": {"PortBindings": ports}}
    start(**bound)
    assert "HostPort" in site.fails("ContainerStart", {"id": create(**bound)}, "Conflict", **settings)
    made = start(HostConfig={"LogConfig": {"Type": "none"}})
    site.fails("ContainerUnpause", {"id": made}, "Conflict", **settings)
    assert "json-file" in site.fails("ContainerLogs", {"id": made}, "NotSupported", **settings)
    body = {"Image": site.engine.image, "HostConfig": {"Binds": ["C:\\data:/data"]}}
    told = site.fails("ContainerCreate", {"requestBody": body}, "Refused", **settings)
    assert "Windows engines" in told
    body = {"Image": site.engine.image, "Cmd": ["no-such-program"]}
    wrong = site.do("ContainerCreate", {"requestBody": body})["Id"]
    assert "program" in site.fails("ContainerStart", {"id": wrong}, "Refused", **settings)
    site.remove(wrong)


NOTHING = {"id": "nothing"}


@refusals(
    ContainerList=({"filters": {"nonsense": ["x"]}}, "Refused", "EngineFault"),
    ContainerCreate=({"requestBody": {"Image": "nothing:here"}}, "NotFound"),
    ContainerInspect=(NOTHING, "NotFound"),
    ContainerTop=(NOTHING, "NotFound"),
    ContainerStats=(NOTHING, "NotFound"),
    ContainerResize=({**NOTHING, "h": 1, "w": 1}, "NotFound"),
    ContainerStart=(NOTHING, "NotFound"),
    ContainerStop=(NOTHING, "NotFound"),
    ContainerRestart=(NOTHING, "NotFound"),
    ContainerKill=(NOTHING, "NotFound"),
    ContainerUpdate=({**NOTHING, "requestBody": {"Memory": 64 << 20}}, "NotFound"),
    ContainerRename=({**NOTHING, "name": "other"}, "NotFound"),
    ContainerPause=(NOTHING, "NotFound"),
    ContainerUnpause=(NOTHING, "NotFound"),
    ContainerWait=(NOTHING, "NotFound"),
    ContainerDelete=(NOTHING, "NotFound"),
    ContainerPrune=({"filters": {"nonsense": ["x"]}}, "Refused", "EngineFault"),
)
def test_what_cannot_be_done(site: Site, key: str, body: Body, names: Names) -> None:
    assert "/containers/" in site.fails(key, body, *names)
