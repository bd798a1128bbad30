"""Jobs that change what runs."""

from __future__ import annotations

from typing import Any

from lib.job import Work, job
from lib.job.healing import healed
from lib.job.replacement.redeploy import redeployed


@job("RedeployContainer", changes=True)
def redeploy_container(work: Work) -> dict[str, Any]:
    """Give containers another image or other settings, and go back where that is bad."""
    return redeployed(work)


@job("HealContainers", changes=True)
def heal_containers(work: Work) -> dict[str, Any]:
    """Start sick containers anew, so often an hour, and tell what they said."""
    return healed(work)
