"""What a message says of a container that was ensured."""

from __future__ import annotations

from typing import Any

from lib.engine.expected import expected_form
from lib.job.comparison import Difference
from lib.job.replacement.names import Part
from lib.job.states import State
from lib.job.work import Work

NONE, CREATED, RECREATED, UPDATED = "none", "created", "recreated", "updated"
STARTED, STOPPED_NOW, REMOVED = "started", "stopped", "removed"
Tree = dict[str, Any]


def output(work: Work, action: str, part: Part | None, found: list[Difference]) -> Tree:
    """Return the output of EnsureContainer; `part` is the container as it is now, None where there is none."""
    told: Tree = {"action": action, "differences": found}
    told["changed"] = action != NONE and not work.settings.dry_run
    if part is not None:
        with expected_form():
            told["container"] = _container(part)
    return told


def _container(part: Part) -> Tree:
    state, network = State.of(part.told), part.told["NetworkSettings"]
    ports = [
        {"port": str(key), "hostIp": str(one.get("HostIp") or ""), "hostPort": str(one.get("HostPort") or "")}
        for key, places in (network.get("Ports") or {}).items()
        for one in places or ()
    ]
    ends = (network.get("Networks") or {}).items()
    return {
        "id": state.id,
        "name": state.name,
        "state": state.status,
        "health": state.health,
        "image": {
            "reference": str(part.told["Config"].get("Image") or ""),
            "id": str(part.told.get("Image") or ""),
        },
        "ports": ports,
        "networks": {str(key): str((end or {}).get("IPAddress") or "") for key, end in ends},
    }
