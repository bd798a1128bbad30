"""What was to be pruned: engines tell of each prune by an event."""

from __future__ import annotations

from lib.job.settle.evidence import evidence_since
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import Verdict, at, happened, not_happened, unknown
from lib.job.work import Work

KIND_OF = {
    "ContainerPrune": "container",
    "ImagePrune": "image",
    "VolumePrune": "volume",
    "NetworkPrune": "network",
    "BuildPrune": "builder",
}


def pruned(work: Work, tried: Tried) -> Verdict:
    """Return what became of a prune. A repeat does what is left to do."""
    events = evidence_since(work.engine, tried.since)
    found = events.of(KIND_OF[tried.operation], "prune")
    if found is not None:
        return happened(f"An event of {at(found.time)} tells of a prune")
    if events.complete:
        return not_happened("The engine has no event of a prune since then")
    return unknown("The engine does not remember so far back")
