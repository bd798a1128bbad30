"""What earlier runs of a step left behind: ended containers whose message comes no more."""

from __future__ import annotations

import time

from lib.engine.errors import EngineError
from lib.engine.request.query import filters
from lib.engine.request.times import SECOND
from lib.job.prune.rules import is_over
from lib.job.repeat import JOB, STEP
from lib.job.run.container import Seen, gone, look, moment
from lib.job.work import Work

_MOST = 20
"""Containers of one sweep."""
_KEPT_SECONDS = 900.0


def swept(work: Work) -> None:
    """Remove what this step has left, at most 20; what cannot be removed is left to the next run.

    A message that comes back after a pause waits about as long as it has waited before, so its container is of nobody's
    use when three times its life have passed since, and its time (label) is over.
    """
    labels = [f"{JOB}={work.run.key}", f"{STEP}={work.run.step}"]
    fields = {"all": True, "filters": {"label": labels, "status": ["exited"]}}
    try:
        listed = work.engine.get("/containers/json", fields, query=("all", filters()))
        there = listed.read(lambda told: [(str(one["Id"]), dict(one.get("Labels") or {})) for one in told])
        for identity in [identity for identity, labels in there if is_over(labels)][:_MOST]:
            seen = look(work, identity)
            if seen is not None and _is_forgotten(seen):
                gone(work, identity)
    except EngineError as fault:
        work.context.logger.warning("What earlier runs left was not removed", err=fault)


def _is_forgotten(seen: Seen) -> bool:
    ago = time.time() - moment(seen.finished) / SECOND
    return seen.is_over and ago > _KEPT_SECONDS + 2 * seen.lived
