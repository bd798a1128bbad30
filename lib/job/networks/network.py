"""A network as the engine tells it, and all that have one name: the engine's filter finds parts of names too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine import Engine
from lib.engine.errors import NoSuchOperation, NotFound
from lib.engine.request.query import filters
from lib.job.repeat import JOB

KEY = "EnsureNetwork"
PREDEFINED = ("bridge", "host", "none", "nat", "ingress", "docker_gwbridge")
PATH = "/networks/{id}"


@dataclass(frozen=True)
class Network:
    """One network; `told` is the engine's answer."""

    id: str
    name: str
    created: str
    told: Mapping[str, Any]
    labels: Mapping[str, str]
    options: Mapping[str, str]
    pools: tuple[Mapping[str, str], ...]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Network:
        """Read an answer of NetworkInspect, or an entry of NetworkList."""
        return cls(
            id=str(told["Id"]),
            name=str(told["Name"]),
            created=str(told.get("Created") or ""),
            told=dict(told),
            labels=dict(told.get("Labels") or {}),
            options=dict(told.get("Options") or {}),
            pools=tuple(dict(pool) for pool in (told.get("IPAM") or {}).get("Config") or ()),
        )

    @property
    def made_by_job(self) -> bool:
        """Whether EnsureNetwork made it, in whatever run."""
        return self.labels.get(JOB) == KEY

    @property
    def is_swarm_wide(self) -> bool:
        """Whether nodes of a swarm share it."""
        return self.told.get("Scope") == "swarm"

    @property
    def short(self) -> str:
        """Its id as people read it."""
        return self.id[:12]


def of_name(engine: Engine, name: str) -> list[Network]:
    """Return all networks with a name, the first made first."""
    reply = engine.get("/networks", {"filters": {"name": [name]}}, query=(filters(),))
    found: list[Network] = reply.read(lambda told: [Network.of(one) for one in told if one["Name"] == name])
    return sorted(found, key=lambda network: (network.created, network.id))


def all_networks(engine: Engine) -> list[Network]:
    """Return all networks."""
    found: list[Network] = engine.get("/networks").read(lambda told: [Network.of(one) for one in told])
    return found


def of_id(engine: Engine, identity: str) -> Network | None:
    """Return a network by its id, None where it is gone."""
    try:
        return engine.get(PATH, {"id": identity}).read(Network.of)
    except NoSuchOperation:
        raise
    except NotFound:
        return None
