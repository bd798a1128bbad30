"""One message for each job, and the scenes that test what is particular to some."""

from __future__ import annotations

from tests.jobs.scenes.containers import Container, ContainerAnew, Heal, Redeploy, Wait
from tests.jobs.scenes.files import Backup, FilesIn, FilesOut, Replace, Restore
from tests.jobs.scenes.finding import Lookup, Lookups, Report, Request, Search, Settle
from tests.jobs.scenes.images import Image, Mirror
from tests.jobs.scenes.objects import Deletion, Network, Prune, Volume
from tests.jobs.scenes.running import Command, Run
from tests.jobs.scenes.scene import Scene
from tests.jobs.scenes.swarm import Config, Rollout, Rotate, Secret, Service

__all__ = ["OF_ALL_JOBS", "SCENES", "Scene"]

SCENES: tuple[type[Scene], ...] = (
    FilesIn,
    FilesOut,
    Backup,
    Restore,
    Replace,
    Container,
    ContainerAnew,
    Image,
    Network,
    Volume,
    Deletion,
    Prune,
)
OF_ALL_JOBS: tuple[type[Scene], ...] = (
    Run,
    Command,
    Wait,
    Lookup,
    Lookups,
    Deletion,
    Search,
    Report,
    ContainerAnew,
    Image,
    Network,
    Volume,
    Service,
    Secret,
    Config,
    Redeploy,
    Heal,
    Rollout,
    Rotate,
    FilesIn,
    FilesOut,
    Backup,
    Restore,
    Prune,
    Mirror,
    Request,
    Settle,
)
