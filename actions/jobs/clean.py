"""Jobs that clean up, and fill registries."""

from __future__ import annotations

from typing import Any

from lib.job import Work, job
from lib.job.mirror.mirrored import mirrored
from lib.job.prune.pruned import pruned


@job("PruneEngine", changes=True)
def prune_engine(work: Work) -> dict[str, Any]:
    """Remove what nothing uses, exactly what the report says."""
    return pruned(work)


@job("MirrorImage", changes=True)
def mirror_image(work: Work) -> dict[str, Any]:
    """Bring an image from one registry to another, and leave the engine as it was."""
    return mirrored(work)
