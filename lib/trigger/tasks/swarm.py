"""The swarm that an engine belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.trigger.marks.compact import mark

CLUSTER_MARK = 8


def cluster_mark(swarm: Mapping[str, Any]) -> str:
    """Return a mark (CLUSTER_MARK digits) of the swarm's id; `swarm` is an answer of SwarmInspect."""
    return mark(str(swarm["ID"]), CLUSTER_MARK)
