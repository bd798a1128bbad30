"""A street of objects of all types that look alike, and the steps that look for them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from tests.actions.stepping import Outcome, run_step
from tests.jobs.engines import config
from tests.lab.engine import IMAGE, LabEngine
from tests.lab.waiting import wait_until

SWARM = {"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1"}
WEB = "registry.local/shop/web:1"


def furnish(engine: LabEngine) -> None:
    """Make containers whose names begin alike, two networks of one name, and one of each type of the swarm."""
    wire = engine.wire
    engine.import_image(WEB)
    ports = {"HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}}}
    labels = {"app": "web", "com.example.team": "shop"}
    engine.run(name="web", Image=WEB, Labels=labels, ExposedPorts={"80/tcp": {}}, **ports)
    engine.create(name="web-2", Image=WEB, Labels={"app": "web"})
    engine.wait(engine.run(("sh", "-c", "exit 3"), name="over", Labels={"app": "batch"}))
    engine.import_image(WEB)  # other bytes, so the tag is on another image now
    for name in ("shop", "shop", "shop-2"):  # the same name twice, which newer engines refuse
        body = {"Name": name, "CheckDuplicate": False, "Labels": {"app": "web"}}
        made = wire.ask("POST", "/v1.41/networks/create", body)
        assert made.status in (HTTPStatus.CREATED, HTTPStatus.CONFLICT), made.body
    wire.do("POST", "/volumes/create", {"Name": "data", "Labels": {"app": "web"}})
    wire.do("POST", "/volumes/create", {"Name": "data-2"})
    wire.do("POST", "/swarm/init", SWARM)
    for name in ("db", "db-2"):
        spec = {"Name": name, "Labels": {"app": name}, "Data": "eA=="}
        wire.do("POST", "/secrets/create", spec)
        wire.do("POST", "/configs/create", spec)
        template = {"ContainerSpec": {"Image": IMAGE, "Command": ["sleep", "600"], "StopGracePeriod": 1}}
        mode = {"Replicated": {"Replicas": 1 if name == "db" else 0}}
        wire.do(
            "POST", "/services/create", {"Name": name, "Labels": {}, "TaskTemplate": template, "Mode": mode}
        )
    # Until its container runs it is `created`, as only web-2 shall be.
    wait_until(
        lambda: [one["Status"]["State"] for one in wire.do("GET", "/tasks").json()] == ["running"], "the task"
    )


def step(engine: LabEngine, key: str, body: dict[str, Any], kind: str, **settings: Any) -> Outcome:
    """Run one message through the step of a job on an engine."""
    return run_step(key, body, config(engine, objectType=kind, errorPolicy="throwError", **settings))


def done(outcome: Outcome) -> Any:
    """Return the body of the one message of a step."""
    assert not outcome.errors, outcome.errors
    assert len(outcome.bodies) == 1, outcome.bodies
    body = outcome.bodies[0]
    return body.parse() if hasattr(body, "parse") else body


def failed(outcome: Outcome) -> tuple[str, str]:
    """Return name and message of the error that a step ended with."""
    assert not outcome.messages, outcome.bodies
    (error,) = outcome.errors
    return str(error["name"]), str(error["message"])
