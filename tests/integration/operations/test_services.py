"""Services and their tasks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.proving import Body, Names, refusals, success
from tests.integration.operations.site import Site
from tests.lab.waiting import wait_until

pytestmark = pytest.mark.engine

SAY = "echo hello; exec sleep 600"


def spec(site: Site, name: str, **more: Any) -> dict[str, Any]:
    container = {"Image": site.engine.image, "Command": ["sh", "-c", SAY], "StopGracePeriod": 10**8}
    return {"Name": name, "TaskTemplate": {"ContainerSpec": container}, "Labels": {"case": "service"}, **more}


@pytest.fixture(scope="session")
def service(swarm: Site) -> Iterator[str]:
    """A service whose one task runs."""
    made = swarm.do("ServiceCreate", {"requestBody": spec(swarm, "shown")})["ID"]
    wait_until(lambda: running_task(swarm, made), "the task to run")
    yield made
    swarm.engine.wire.ask("DELETE", f"/services/{made}")


def running_task(site: Site, service: str) -> str | None:
    tasks = site.engine.wire.do("GET", "/tasks", filters={"service": [service]}).json()
    return next((task["ID"] for task in tasks if task["Status"]["State"] == "running"), None)


@success("ServiceCreate", "ServiceInspect", "ServiceUpdate", "ServiceList", "ServiceDelete")
def test_a_service_is_made_changed_and_deleted(swarm: Site, site: Site) -> None:
    name = f"service-{random_id()}"
    body = spec(site, name, Mode={"Replicated": {"Replicas": 0}}, EndpointSpec={"Mode": "dnsrr"})
    made = site.do("ServiceCreate", {"requestBody": body})["ID"]
    site.do("ServiceUpdate", {"id": name, "requestBody": {"Labels": {"case": None, "more": "1"}}})
    found = site.do("ServiceInspect", {"id": made, "insertDefaults": True})
    assert found["Spec"]["Labels"] == {"more": "1"}
    assert found["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].startswith(site.engine.image)
    given = {**found["Spec"], "Labels": {}}
    version = found["Version"]["Index"]
    site.do("ServiceUpdate", {"id": made, "version": version, "requestBody": given})
    site.fails("ServiceUpdate", {"id": made, "version": version, "requestBody": given}, "EngineFault")
    results = site.do("ServiceList", {"filters": {"id": [made]}, "status": True})["results"]
    assert [service["ID"] for service in results] == [made]
    assert site.do("ServiceDelete", {"id": made}) == {}


@success("TaskList", "TaskInspect", "TaskLogs", "ServiceLogs")
def test_the_task_of_a_service_and_what_it_says(site: Site, service: str) -> None:
    results = site.do("TaskList", {"filters": {"service": ["shown"], "desired-state": ["running"]}})[
        "results"
    ]
    task = results[0]["ID"]
    assert site.do("TaskInspect", {"id": task})["ServiceID"] == service
    wait_until(lambda: said(site, "TaskLogs", task), "the first line")
    assert said(site, "TaskLogs", task) == ["hello"]
    assert said(site, "ServiceLogs", service) == ["hello"]


def said(site: Site, key: str, identity: str) -> list[str]:
    results = site.do(key, {"id": identity, "stdout": True, "timestamps": True})["results"]
    return [line["text"] for line in results]


@refusals(
    ServiceList=({"filters": {"nonsense": ["x"]}}, "Refused", "EngineFault"),
    ServiceCreate=({"requestBody": {"Name": "no spec"}}, "Refused", "EngineFault"),
    ServiceInspect=({"id": "nothing"}, "NotFound"),
    ServiceUpdate=({"id": "nothing", "requestBody": {"Labels": {}}}, "NotFound"),
    ServiceDelete=({"id": "nothing"}, "NotFound"),
    ServiceLogs=({"id": "nothing"}, "NotFound"),
    TaskList=({"filters": {"nonsense": ["x"]}}, "Refused", "EngineFault"),
    TaskInspect=({"id": "nothing"}, "NotFound"),
    TaskLogs=({"id": "nothing"}, "NotFound"),
)
def test_what_cannot_be_done(swarm: Site, site: Site, key: str, body: Body, names: Names) -> None:
    site.fails(key, body, *names)
