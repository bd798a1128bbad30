"""The engines that every operation is shown on, and what they are known to do differently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from lib.engine import Version
from lib.metadata.facts import load
from lib.metadata.podman import Podman
from tests.lab import newer
from tests.lab.certificates import Certificates
from tests.lab.engine import LabEngine
from tests.lab.engine_folders import FOLDERS
from tests.lab.podman import PodmanService


@dataclass(frozen=True)
class Kind:
    """One column of the table: how to start such an engine, and the API version that is spoken with it.

    `prefix` ends the address of the engine, as in credentials of the older connector. `resources` are those
    whose operations are shown, if not all; `operations` are the only ones that are. With `over_ssh` it is reached by
    way of an SSH server. `start` takes the number of the engine and, but for podman, `certificates`.
    """

    name: str
    api: tuple[int, int]
    start: Callable[..., LabEngine | PodmanService]
    prefix: str = ""
    resources: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    over_ssh: bool = False


def _newer(
    suite: str,
    number: int,
    *,
    minimum: str = "",
    image_store: bool = False,
    certificates: Certificates | None = None,
) -> LabEngine:
    daemon = {"features": {"containerd-snapshotter": True}} if image_store else {}
    environment = {"DOCKER_MIN_API_VERSION": minimum} if minimum else {}
    return LabEngine.begin(
        certificates=certificates,
        binaries=str(newer.binaries(suite)),
        daemon=daemon,
        environment=environment,
        number=number,
    )


_EACH_WAY = (
    *("SystemVersion", "SystemInfo", "SystemPing", "SystemEvents", "ContainerList", "ContainerInspect"),
    *("ContainerLogs", "ContainerAttach", "ContainerAttachWebsocket", "ContainerStats", "ContainerWait"),
    *("ContainerArchive", "ContainerArchiveInfo", "PutContainerArchive", "ContainerExport"),
    *(
        "ContainerExec",
        "ExecStart",
        "ExecInspect",
        "ExecResize",
        "ImageBuild",
        "ImageGet",
        "ImageLoad",
        "Session",
    ),
)
"""Operations of each kind of request and answer: JSON, archives in and out, streams, conversations, builds."""

KINDS = {
    kind.name: kind
    for kind in (
        Kind("20.10", (1, 41), lambda number, **more: LabEngine.begin(number=number, **more)),
        Kind("26.1", (1, 45), partial(_newer, "trixie")),
        # What is written and read differently below 1.42: streams above all.
        Kind("26.1-at-1.33", (1, 33), partial(_newer, "trixie"), "/v1.33", ("containers", "execs")),
        Kind("28.5", (1, 51), partial(_newer, "sid")),
        # As Engine 29 is; the version in the address gives way.
        Kind("28.5-from-1.44", (1, 51), partial(_newer, "sid", minimum="1.44"), "/v1.33"),
        Kind("28.5-containerd", (1, 51), partial(_newer, "sid", image_store=True)),
        Kind("28.5-over-ssh", (1, 51), partial(_newer, "sid"), operations=_EACH_WAY, over_ssh=True),
        Kind("podman", (1, 41), lambda _: PodmanService()),
        *(Kind(folder.name, folder.api, folder.begin) for folder in FOLDERS.values()),
    )
}

PODMAN = Podman.load()


@cache
def _facts() -> dict[str, dict[str, str]]:
    facts: dict[str, dict[str, str]] = load().operations
    return facts


def lacks(kind: str, key: str) -> bool:
    """Whether the engine has no such operation, so that the step says so."""
    return newer_than(kind, key) or (kind == "podman" and PODMAN.lacks(key, _facts()[key]["resource"]))


def newer_than(kind: str, key: str) -> bool:
    """Whether the operation came with a later API version than the engine's."""
    return Version.parse(_facts()[key]["since"]) > Version(*KINDS[kind].api)


def differs(kind: str, key: str) -> bool:
    """Whether tests of an operation cannot run on a kind of engine."""
    return (
        lacks(kind, key) or left_out(kind, key) or (kind == "podman" and key in PODMAN.partly["operations"])
    )


def left_out(kind: str, key: str) -> bool:
    """Whether an operation is shown on other kinds only."""
    resources, operations = KINDS[kind].resources, KINDS[kind].operations
    if operations:
        return key not in operations
    return bool(resources) and _facts()[key]["resource"] not in resources
