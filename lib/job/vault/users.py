"""Which services use a secret or config, by its id: the engine keeps what a service uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lib.engine import Engine
from lib.engine.errors import NoSuchOperation, NotFound, Refused
from lib.job.errors import WouldDestroy
from lib.job.users import named
from lib.job.vault.kind import Kept, Kind, is_there
from lib.job.work import Work
from lib.job.writes import sent

User = dict[str, str]
"""A service as {id, name}."""


def services_with(engine: Engine, kind: Kind, wanted: Iterable[str]) -> list[Mapping[str, Any]]:
    """Return the services that use one of several, by their ids, as the engine's list has them."""
    ids = set(wanted)

    def using(services: Any) -> list[Mapping[str, Any]]:
        return [one for one in services or () if not ids.isdisjoint(used_by(kind, one["Spec"]))]

    return engine.get("/services").read(using)


def used_by(kind: Kind, spec: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ids of the secrets or configs that the spec of a service has."""
    container = (spec.get("TaskTemplate") or {}).get("ContainerSpec") or {}
    for reference in container.get(kind.part) or ():
        yield str(reference[f"{kind.name.title()}ID"])


def users_of(engine: Engine, kind: Kind, kept: Iterable[Kept]) -> list[User]:
    """Return the services that use one of several."""
    services = services_with(engine, kind, [one.id for one in kept])
    return [{"id": str(one["ID"]), "name": str(one["Spec"]["Name"])} for one in services]


def guard(work: Work, kind: Kind, what: str, kept: list[Kept], **details: Any) -> None:
    """Raise WouldDestroy where services use one of several that are to go."""
    if users := users_of(work.engine, kind, kept):
        names = ", ".join(one.name for one in kept)
        raise WouldDestroy(
            f"{what} the {kind.name} {names} is not possible: the services {named(users)} use it",
            usedBy=users,
            hint="Take it out of them first, or use versions",
            **details,
        )


def remove(work: Work, kind: Kind, kept: Kept, reason: str, what: str, **details: Any) -> None:
    """Remove one that nothing used when it was looked at; WouldDestroy where a service uses it now."""
    if not work.will("remove", kind.name, kept.name, reason):
        return
    fields = {"id": kept.id}
    try:
        sent(lambda: work.engine.delete(kind.one, fields), lambda: not is_there(work.engine, kind, kept.id))
    except NoSuchOperation:
        raise
    except NotFound:
        work.without_effect()  # somebody else was faster
    except Refused:
        guard(work, kind, what, [kept], **details)
        raise
