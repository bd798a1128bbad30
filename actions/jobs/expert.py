"""Jobs for what nothing else does."""

from __future__ import annotations

from typing import Any

from lib.job import Work, job
from lib.job.request.request import requested
from lib.job.settle.settled import settled


@job("EngineRequest", changes=True)
def engine_request(work: Work) -> dict[str, Any]:
    """Send one request as it is written."""
    return requested(work)


@job("SettleOutcome")
def settle_outcome(work: Work) -> dict[str, Any]:
    """Look what became of a call whose answer was lost."""
    return settled(work)
