"""The names of the containers of a replacement: they are its memory, for nothing else outlives the step.

| Name | Means |
|---|---|
| N.next-RUN | the new one is made, the old one is N |
| N.previous-RUN | the old one, once it has stopped; the new one is about to be N |
| N.failed-RUN | the new one was bad: the decision to go back |
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.errors import NoSuchOperation, NotFound
from lib.job.errors import NotSettled
from lib.job.repeat import PREFIX, RUN
from lib.job.work import Work

REPLACES, POLICY, WAS_UP, STARTS = (f"{PREFIX}{name}" for name in ("replaces", "policy", "was-up", "starts"))
_OURS = re.compile(r"(.+)\.(next|previous|failed)-([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class Names:
    """All names of one container's replacement in this run."""

    name: str
    run: str

    @property
    def next(self) -> str:
        return f"{self.name}.next-{self.run}"

    @property
    def previous(self) -> str:
        return f"{self.name}.previous-{self.run}"

    @property
    def failed(self) -> str:
        return f"{self.name}.failed-{self.run}"


@dataclass(frozen=True, slots=True)
class Part:
    """One of the two containers, as it is inspected."""

    told: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.told["Id"])

    @property
    def name(self) -> str:
        return str(self.told["Name"]).removeprefix("/")

    @property
    def labels(self) -> Mapping[str, str]:
        return self.told["Config"].get("Labels") or {}

    @property
    def up(self) -> bool:
        """Whether it runs, or its policy is about to start it again."""
        return bool(self.told["State"].get("Running") or self.told["State"].get("Restarting"))

    @property
    def was_started(self) -> bool:
        return not str(self.told["State"].get("StartedAt") or "0001").startswith("0001")

    @property
    def policy(self) -> dict[str, Any]:
        return dict(self.told["HostConfig"].get("RestartPolicy") or {})


def base_of(name: str) -> str:
    """Return the name of the container that a replacement is about, also for the names that it uses on its way."""
    found = _OURS.fullmatch(name)
    return found[1] if found else name


def run_of(name: str, base: str) -> str:
    """Return the run in a name that the replacement of `base` uses on its way, "" for any other name."""
    found = _OURS.fullmatch(name)
    return found[3] if found and found[1] == base else ""


def is_evidence(name: str) -> bool:
    """Whether a name is that of a bad container that was kept."""
    found = _OURS.fullmatch(name)
    return found is not None and found[2] == "failed"


def look(work: Work, target: str) -> Part | None:
    """Return a container by id or name, None where it is not there."""
    try:
        return work.engine.get("/containers/{id}/json", {"id": target}).read(
            lambda told: Part(_checked(told))
        )
    except NoSuchOperation:
        raise
    except NotFound:
        return None


def new_one(work: Work, names: Names) -> Part | None:
    """Return the new container of this run, whatever its name is by now; None where it is not made yet."""
    for name in (names.name, names.next, names.failed):
        found = look(work, name)
        ours = found is not None and found.labels.get(RUN) == work.run.id and REPLACES in found.labels
        if found and ours and found.id not in work.planned_away:
            return found
    return None


def there(work: Work, target: str) -> Part:
    """Return a container that has to be there; raises NotSettled where it is not."""
    return sure(look(work, target), target)


def sure(part: Part | None, name: str) -> Part:
    """Return a container that was found; raises NotSettled where it was not."""
    if part is None:
        raise NotSettled(
            f"{name} was removed in the middle of its replacement",
            hint="Another delivery of the message may have done the rest; look at the container",
        )
    return part


def memory(old: Part) -> dict[str, str]:
    """Return the labels of the new container that say what the old one was like."""
    return {REPLACES: old.id, POLICY: json.dumps(old.policy), WAS_UP: "true" if old.up else "false"}


def starts(labels: Mapping[str, str]) -> bool:
    """Whether the new container is started: as its maker said, else where the old one ran."""
    return labels.get(STARTS, labels.get(WAS_UP)) != "false"


def policy_in(labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the restart policy that `memory` has kept; an empty one where somebody has spoilt the label."""
    try:
        found = json.loads(labels.get(POLICY, "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def as_it_was(old: Part, new: Part, name: str) -> Part:
    """Return the old container as it is once a replacement is taken back: what a dry run goes on with."""
    state, host = dict(old.told["State"]), dict(old.told["HostConfig"])
    if new.labels.get(WAS_UP) != "false":
        state |= {"Running": True, "Status": "running"}
    if policy := policy_in(new.labels):
        host["RestartPolicy"] = policy
    return Part({**old.told, "Name": f"/{name}", "State": state, "HostConfig": host})


def _checked(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an inspect; TypeError, KeyError or ValueError where it has another form than engines give it."""
    rooms = [told[room] for room in ("Config", "HostConfig", "State", "NetworkSettings")]
    rooms += [told["Config"].get("Labels") or {}, told["HostConfig"].get("RestartPolicy") or {}]
    if not all(isinstance(room, Mapping) for room in rooms):
        raise TypeError("a part is no object")
    str(told["Id"]), str(told["Name"])
    return told
