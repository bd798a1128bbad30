"""The swarm that an engine belongs to."""

from __future__ import annotations

from lib.engine import Engine
from lib.polling.compact import mark

CLUSTER_MARK = 8


def cluster_mark(engine: Engine) -> str:
    """Return a mark of the swarm's id (SwarmInspect); NoManager where this engine manages none."""
    return mark(str(engine.get("/swarm").json()["ID"]), CLUSTER_MARK)
