"""A swarm of one engine, with secrets and configs that jobs make, and services that use them."""

from __future__ import annotations

from typing import Any

import pytest

from lib.job.vault.kind import CONFIG, SECRET, Kind
from tests.actions.stepping import run_step
from tests.jobs.engines import config, own
from tests.jobs.finding import SWARM
from tests.lab.engine import IMAGE, LabEngine

__all__ = ["BOTH_KINDS", "MARK", "own"]
BOTH_KINDS = pytest.mark.parametrize("kind", [SECRET, CONFIG], ids=["secret", "config"])
MARK = "docker-engine-connector.mark"


@pytest.fixture(scope="module")
def manager(own: LabEngine) -> LabEngine:
    own.wire.do("POST", "/swarm/init", SWARM)
    return own


def key_of(kind: Kind) -> str:
    return f"Ensure{kind.name.title()}"


def ensure(
    engine: LabEngine,
    kind: Kind,
    name: str,
    content: str,
    settings: dict[str, Any] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """The output of the job; without an id of the input, so no run recognises itself."""
    body = {"name": name, "content": content, **fields}
    found = run_step(key_of(kind), body, config(engine, **(settings or {}))).body
    assert isinstance(found, dict)
    return found


def refused(engine: LabEngine, kind: Kind, name: str, content: str, **fields: Any) -> dict[str, Any]:
    """The error of the job, as a message."""
    return ensure(engine, kind, name, content, {"errorPolicy": "emit"}, **fields)["error"]  # type: ignore[no-any-return]


def names(engine: LabEngine, kind: Kind, beginning: str) -> list[str]:
    """The names of all that begin so, the oldest first."""
    listed = engine.wire.do("GET", kind.list, filters={"name": [beginning]}).json()
    ordered = sorted(listed, key=lambda one: _number(one["Spec"]["Name"]))
    return [one["Spec"]["Name"] for one in ordered]


def told(engine: LabEngine, kind: Kind, name: str) -> dict[str, Any]:
    return engine.wire.do("GET", f"{kind.list}/{name}").json()  # type: ignore[no-any-return]


def make(engine: LabEngine, kind: Kind, name: str, data: str = "eA==", **spec: Any) -> str:
    """One that no job made, and its id."""
    made = engine.wire.do("POST", kind.create, {"Name": name, "Data": data, "Labels": {}, **spec}).json()
    return str(made["ID"])


def reference(kind: Kind, identity: str, name: str, file: str) -> dict[str, Any]:
    """What a service has of it."""
    title = kind.name.title()
    mounted = {"Name": file, "UID": "0", "GID": "0", "Mode": 0o444}
    return {f"{title}ID": identity, f"{title}Name": name, "File": mounted}


def service(engine: LabEngine, kind: Kind, name: str, *references: dict[str, Any], replicas: int = 0) -> str:
    """A service that uses them, and its id."""
    container = {
        "Image": IMAGE,
        "Command": ["sleep", "600"],
        "StopGracePeriod": 1,
        kind.part: list(references),
    }
    spec = {"Name": name, "TaskTemplate": {"ContainerSpec": container}}
    body = spec | {"Mode": {"Replicated": {"Replicas": replicas}}}
    return str(engine.wire.do("POST", "/services/create", body).json()["ID"])


def cleared(engine: LabEngine, kind: Kind, beginning: str) -> None:
    """Remove all services and objects whose names begin so."""
    for path in ("/services", kind.list):
        for one in engine.wire.do("GET", path, filters={"name": [beginning]}).json():
            engine.wire.ask("DELETE", f"{path}/{one['ID']}")


def _number(name: str) -> int:
    digits = name.rpartition(".v")[2]
    return int(digits) if digits.isdigit() else 0
