"""The create of a container that is missing, which others may be making at the same moment."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from lib.engine.errors import Conflict, EngineError
from lib.job.container.found import of_name
from lib.job.container.wish import Tree, Wish
from lib.job.errors import NotSettled
from lib.job.repeat import RUN
from lib.job.replacement.making import CREATE, connected
from lib.job.replacement.names import Part, there
from lib.job.waiting import Deadline, TimeIsUp, until
from lib.job.work import Work
from lib.job.writes import sent

DELETE = "/containers/{id}"
_PATIENCE = 5.0
"""Seconds in which a container that another run is making shows up."""


def created(work: Work, wish: Wish) -> Part | None:
    """Create the container in all its networks and return it, not started; None in a dry run.

    The name is the lock: where another run was faster, its container is returned.
    """
    others = list(wish.networks)[1:]
    entries = [work.will("create", "container", wish.name, "it is missing")]
    entries += [
        work.will("connect", "container", wish.name, f"to the network {network}") for network in others
    ]
    if not all(entries):
        return None
    body: Tree = {**wish.body, "Labels": {**(wish.body.get("Labels") or {}), **work.run.labels(wish.spec)}}
    main = next(iter(wish.networks), "")
    if main:
        body["NetworkingConfig"] = {"EndpointsConfig": {main: wish.networks[main]}}

    def create() -> None:
        try:
            reply = work.engine.post(
                CREATE[1], {"name": wish.name}, query=("name",), body=body, timeout="slow"
            )
        except Conflict:
            if not _shows_up(work, wish.name):
                raise
            for _ in entries:
                work.without_effect()
            return
        for warning in reply.read(lambda told: list(told.get("Warnings") or [])):
            work.warn(str(warning))

    sent(create, lambda: of_name(work, wish.name) is not None)
    made = of_name(work, wish.name)
    if made is None:
        raise NotSettled(f"{wish.name} was created, and is not there", hint="Something removes it")
    if made.labels.get(RUN) == work.run.id and not made.was_started:
        connected_whole(work, made, wish.networks)
    return there(work, made.id)


def connected_whole(work: Work, new: Part, networks: Mapping[str, Tree]) -> None:
    """Connect a new container to all its networks; one that is refused by one of them is removed again."""
    try:
        connected(work, new.id, networks)
    except EngineError:
        with suppress(EngineError):
            work.engine.delete(DELETE, {"id": new.id})
        raise


def _shows_up(work: Work, name: str) -> bool:
    """Whether the container whose name is taken is there: an engine holds the name a little before and after."""
    patience = Deadline(min(_PATIENCE, work.deadline.left))
    try:
        until(patience, work.context.cancelled, lambda: of_name(work, name), bool, lambda _: (name, {}))
    except TimeIsUp:
        return False
    return True
