"""What is on an engine, and that a block leaves nothing there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.engine import LabEngine


@contextmanager
def nothing_left(engine: LabEngine) -> Iterator[None]:
    """Fail where a block leaves containers, volumes or networks."""
    before = things(engine)
    yield
    assert things(engine) == before


def things(engine: LabEngine) -> dict[str, list[str]]:
    """The names of all containers (with their state), volumes and networks."""
    containers = engine.wire.do("GET", "/containers/json", all=True).json()
    volumes = engine.wire.do("GET", "/volumes").json()["Volumes"] or []
    networks = engine.wire.do("GET", "/networks").json()
    return {
        "containers": sorted(f"{one['Names'][0]} {one['State']}" for one in containers),
        "volumes": sorted(one["Name"] for one in volumes),
        "networks": sorted(one["Name"] for one in networks),
    }
