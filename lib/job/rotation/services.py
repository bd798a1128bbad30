"""The services that have to go over to another version of a secret or config, and what that changes in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.errors import NotFound
from lib.engine.expected import expected_form
from lib.engine.swarm_update import merged
from lib.job.service.differences import Change
from lib.job.service.lists import texts
from lib.job.service.service import Service, Tree
from lib.job.vault.kind import Kind
from lib.job.vault.users import used_by
from lib.job.work import Work


@dataclass(frozen=True)
class User:
    """A service, and the names of older versions that it uses now; `moved`: it has gone over in this run."""

    service: Service
    old: tuple[str, ...]
    moved: bool

    @property
    def is_done(self) -> bool:
        """Whether it has gone over, and the swarm has ended its watch."""
        return self.moved and not self.old and self.service.update_state == "completed"


def all_services(work: Work) -> list[Service]:
    """Return all services in the order of their names."""
    found = work.engine.get("/services").read(lambda told: [Service.of(one) for one in told or ()])
    return sorted(found, key=lambda one: one.name)


def chosen(work: Work, services: list[Service]) -> list[Service]:
    """Return those that the input names, all without it; NotFound for one that is not there."""
    named = texts(work.fields, "services")
    if named is None:
        return services
    for name in named:
        if not any(name in (one.name, one.id) for one in services):
            raise NotFound(f"services: there is no service {name[:100]}")
    return [one for one in services if one.name in named or one.id in named]


def users(work: Work, kind: Kind, services: list[Service], older: Mapping[str, str]) -> list[User]:
    """Return those that use one of `older`, id -> name, and those that this run has changed before."""
    with expected_form():
        found = [
            User(
                one,
                tuple(older[used] for used in used_by(kind, one.spec) if used in older),
                one.was_changed_by(work.run.id),
            )
            for one in services
        ]
    return [one for one in found if one.old or one.moved]


def moved(kind: Kind, older: Mapping[str, str], identity: str, name: str) -> Change:
    """Return the change that puts another version in the place of older ones, into the same files."""
    title = kind.name.title()

    def one(reference: Any) -> Tree:
        if str(reference[f"{title}ID"]) not in older:
            return dict(reference)
        return {**reference, f"{title}ID": identity, f"{title}Name": name}

    def change(spec: Tree) -> Tree:
        container = (spec.get("TaskTemplate") or {}).get("ContainerSpec") or {}
        references = [one(reference) for reference in container.get(kind.part) or ()]
        return (
            merged(spec, {"TaskTemplate": {"ContainerSpec": {kind.part: references}}}) if references else spec
        )

    return change
