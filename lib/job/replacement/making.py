"""Makes the new container beside the old one and connects it to its networks; nothing of it is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.engine.errors import Conflict, Refused
from lib.job.errors import NotSettled
from lib.job.replacement.names import STARTS, Names, Part, look, memory, new_one, there
from lib.job.waiting import Deadline, TimeIsUp, until
from lib.job.work import Work
from lib.job.writes import removed, sent

CREATE, CONNECT = ("POST", "/containers/create"), ("POST", "/networks/{id}/connect")
Tree = dict[str, Any]
_DELETE = "/containers/{id}"
_PATIENCE = 5.0
"""Seconds in which the container that another delivery is making shows up."""


@dataclass(frozen=True, slots=True)
class Wish:
    """`body` is that of ContainerCreate without networks, `networks` their settings, the main one first."""

    body: Tree
    networks: Mapping[str, Tree] = field(default_factory=dict)
    reason: str = ""
    starts: bool | None = None
    """Whether the new one is started; None: if the old one ran."""
    spec: str = ""
    image: str = ""
    """The id of its image, "" where that is not there yet."""


def made(work: Work, names: Names, old: Part, wish: Wish) -> str:
    """Create the new container in its main network and return its id, "" in a dry run; see `connected`."""
    if not work.will("create", "container", names.next, wish.reason):
        return ""
    labels = {**wish.body.get("Labels", {}), **work.run.labels(wish.spec), **memory(old)}
    if wish.starts is not None:
        labels[STARTS] = "true" if wish.starts else "false"
    body = wish.body | {"Labels": {name: value for name, value in labels.items() if value}}
    main = next(iter(wish.networks), "")
    if main and wish.networks[main]:
        body["NetworkingConfig"] = {"EndpointsConfig": {main: wish.networks[main]}}
    ours: list[str] = []
    sent(lambda: ours.append(_create(work, names, body)), lambda: look(work, names.next) is not None)
    if ours and ours[0] and _is_late(work, names, old):
        removed(lambda: work.engine.delete(_DELETE, {"id": ours[0]}), lambda: look(work, ours[0]) is None)
        raise NotSettled(f"Another delivery of the message has replaced {names.name} meanwhile")
    return there(work, names.next).id


def connected(work: Work, identity: str, networks: Mapping[str, Tree]) -> None:
    """Connect a container to what is missing of its networks; engines before API 1.44 take one at the creation."""
    present = there(work, identity).told["NetworkSettings"].get("Networks") or {}
    for network in list(networks)[1:]:
        if network not in present:
            _connect(work, identity, network, networks[network])


def forgotten(work: Work, names: Names, new: Part) -> None:
    """Remove a new container that was never started; NotSettled where another delivery has started it meanwhile."""
    if work.settings.dry_run:
        work.planned_away.add(new.id)
        return
    try:
        removed(lambda: work.engine.delete(_DELETE, {"id": new.id}), lambda: look(work, new.id) is None)
    except Conflict as conflict:
        raise NotSettled(f"Another delivery of the message goes on with {names.name}") from conflict
    if work.plan and work.plan[-1]["name"] == names.next:
        work.without_effect()


def _is_late(work: Work, names: Names, old: Part) -> bool:
    """Whether another delivery has made a new one before, whose name is another by now: old ones are renamed first."""
    now = look(work, old.id)
    return now is None or now.name != names.name or look(work, names.failed) is not None


def _create(work: Work, names: Names, body: Tree) -> str:
    """Create the new container and return its id, "" where another delivery has made it."""
    fields = {"name": names.next}
    try:
        reply = work.engine.post(CREATE[1], fields, query=("name",), body=body, timeout="slow")
    except Conflict:  # another delivery of the message was faster
        if not _shows_up(work, names):
            raise
        return ""
    identity, warnings = reply.read(lambda told: (str(told["Id"]), list(told.get("Warnings") or [])))
    for warning in warnings:
        work.warn(str(warning))
    return identity


def _shows_up(work: Work, names: Names) -> bool:
    """Whether the new container is there: an engine holds a name a little before and after the container."""
    patience = Deadline(min(_PATIENCE, work.deadline.left))
    try:
        until(
            patience, work.context.cancelled, lambda: new_one(work, names), bool, lambda _: (names.next, {})
        )
    except TimeIsUp:
        return False
    return True


def _connect(work: Work, identity: str, network: str, settings: Tree) -> None:
    body = {"Container": identity, "EndpointConfig": settings}

    def is_in() -> bool:
        return network in (there(work, identity).told["NetworkSettings"].get("Networks") or {})

    def connect() -> None:
        try:
            work.engine.post(CONNECT[1], {"id": network}, body=body)
        except Refused:
            if not is_in():
                raise

    sent(connect, is_in)
