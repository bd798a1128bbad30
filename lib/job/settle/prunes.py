"""What was to be pruned: engines tell of each prune by an event, since API 1.41. A prune may always be sent again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.engine.version import Version
from lib.job.settle.evidence import evidence_since
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import REPEAT, Verdict, at, happened, not_happened, unknown
from lib.job.work import Work

KIND_OF = {
    "ContainerPrune": "container",
    "ImagePrune": "image",
    "VolumePrune": "volume",
    "NetworkPrune": "network",
    "BuildPrune": "builder",
}
_SINCE = Version(1, 41)
_CONTAINERD = "io.containerd.snapshotter"


def pruned(work: Work, tried: Tried) -> Verdict:
    """Return what became of a prune; one of anybody has done the same."""
    events = evidence_since(work.engine, tried.since)
    found = events.of(KIND_OF[tried.operation], "prune")
    if found is not None:
        return happened(f"An event of {at(found.time)} tells of a prune")
    if events.complete and work.engine.version >= _SINCE and _tells(work, tried):
        return not_happened("The engine has no event of a prune since then")
    return unknown("No event tells of a prune, nor that there was none; a repeat is harmless", then=REPEAT)


def _tells(work: Work, tried: Tried) -> bool:
    """Whether the engine tells of this prune: not of that of images in containerd's store."""

    def keeps_its_own(told: Mapping[str, Any]) -> bool:
        return not any(_CONTAINERD in str(pair) for pair in told.get("DriverStatus") or ())

    return tried.operation != "ImagePrune" or work.engine.get("/info").read(keeps_its_own)
