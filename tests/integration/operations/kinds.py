"""The engines that every operation is shown on, and what they are known to do differently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.lab import newer
from tests.lab.engine import LabEngine
from tests.lab.podman import PodmanService


@dataclass(frozen=True)
class Kind:
    """One column of the table: how to start such an engine, and the API version that it speaks."""

    name: str
    api: tuple[int, int]
    start: Callable[[int], LabEngine | PodmanService]


def _newer(suite: str, number: int, *, minimum: str = "", image_store: bool = False) -> LabEngine:
    daemon = {"features": {"containerd-snapshotter": True}} if image_store else {}
    environment = {"DOCKER_MIN_API_VERSION": minimum} if minimum else {}
    return LabEngine.begin(
        binaries=str(newer.binaries(suite)), daemon=daemon, environment=environment, number=number
    )


KINDS = {
    kind.name: kind
    for kind in (
        Kind("20.10", (1, 41), lambda number: LabEngine.begin(number=number)),
        Kind("26.1", (1, 45), partial(_newer, "trixie")),
        Kind("28.5", (1, 51), partial(_newer, "sid")),
        Kind("28.5-from-1.44", (1, 51), partial(_newer, "sid", minimum="1.44")),
        Kind("28.5-containerd", (1, 51), partial(_newer, "sid", image_store=True)),
        Kind("podman", (1, 41), lambda _: PodmanService()),
    )
}
