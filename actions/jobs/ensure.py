"""Jobs that bring something into a state, and do nothing where it is in that state."""

from __future__ import annotations

from typing import Any

from lib.job import Work, job
from lib.job.container.ensured import ensured_container
from lib.job.image_update import ensured_image
from lib.job.networks.ensured import ensured_network
from lib.job.service.ensured import ensured_service
from lib.job.vault.ensured import ensured
from lib.job.vault.kind import CONFIG, SECRET
from lib.job.volume import ensured_volume


@job("EnsureImage", changes=True)
def ensure_image(work: Work) -> dict[str, Any]:
    """Have an image on the engine, the registry's present one if that is wanted."""
    return ensured_image(work)


@job("EnsureVolume", changes=True)
def ensure_volume(work: Work) -> dict[str, Any]:
    """Have a volume with a driver, options and labels, or have none of that name."""
    return ensured_volume(work)


@job("EnsureNetwork", changes=True)
def ensure_network(work: Work) -> dict[str, Any]:
    """Have a network with a driver, subnets and more, or have none of that name."""
    return ensured_network(work)


@job("EnsureSecret", changes=True)
def ensure_secret(work: Work) -> dict[str, Any]:
    """Have a secret of the swarm with a content, as its newest version or under that very name, or have none."""
    return ensured(work, SECRET)


@job("EnsureConfig", changes=True)
def ensure_config(work: Work) -> dict[str, Any]:
    """Have a config of the swarm with a content, as its newest version or under that very name, or have none."""
    return ensured(work, CONFIG)


@job("EnsureContainer", changes=True)
def ensure_container(work: Work) -> dict[str, Any]:
    """Have a container like this in a state, or have none of that name."""
    return ensured_container(work)


@job("EnsureService", changes=True)
def ensure_service(work: Work) -> dict[str, Any]:
    """Have a service of the swarm as it is wanted, with its tasks arrived, or have none of that name."""
    return ensured_service(work)
