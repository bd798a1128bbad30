"""Jobs that change what runs."""

from __future__ import annotations

from typing import Any

from lib.job import Work, job
from lib.job.healing import healed
from lib.job.replacement.redeploy import redeployed
from lib.job.rotation.rotated import rotated
from lib.job.service.rollout import rolled_out_service


@job("RedeployContainer", changes=True)
def redeploy_container(work: Work) -> dict[str, Any]:
    """Give containers another image or other settings, and go back where that is bad."""
    return redeployed(work)


@job("HealContainers", changes=True)
def heal_containers(work: Work) -> dict[str, Any]:
    """Start sick containers anew, so often an hour, and tell what they said."""
    return healed(work)


@job("RolloutService", changes=True)
def rollout_service(work: Work) -> dict[str, Any]:
    """Change a service of a swarm and wait until it has arrived."""
    return rolled_out_service(work)


@job("RotateSecret", changes=True)
def rotate_secret(work: Work) -> dict[str, Any]:
    """Give a secret or config another content, and bring the services that use it over."""
    return rotated(work)
