"""Jobs for what nothing else does."""

from __future__ import annotations

from typing import Any

from lib.job import Work, job
from lib.job.request.request import requested


@job("EngineRequest", changes=True)
def engine_request(work: Work) -> dict[str, Any]:
    """Send one request as it is written."""
    return requested(work)
