"""Jobs that clean up."""

from __future__ import annotations

from typing import Any

from lib.job import Work, job
from lib.job.prune.pruned import pruned


@job("PruneEngine", changes=True)
def prune_engine(work: Work) -> dict[str, Any]:
    """Remove what nothing uses, exactly what the report says."""
    return pruned(work)
