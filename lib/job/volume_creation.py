"""The create of a volume, which another run may send at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lib.engine.errors import Conflict
from lib.job.work import Work
from lib.job.writes import sent


def volume_created(work: Work, body: Mapping[str, Any], is_there: Callable[[], bool]) -> None:
    """Send the create of a volume; it, or one of the same name, is there afterwards.

    Docker answers a create of a volume that is there as if it were new. Podman does so too, but refuses (500) one whose
    volume another call makes at this moment. Raises Conflict where the volume is not there after that.
    """
    try:
        sent(lambda: work.engine.post("/volumes/create", body=body), is_there)
    except Conflict:
        if not is_there():
            raise
