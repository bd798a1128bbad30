"""Trigger containerLogs (docs/triggers.md#containerlogs): each new log line of the selected containers once, in order.

One poll:

1. Read the events, then list the containers. A container that starts in the events and is missing in the list is gone.
2. Emit the gaps for containers that were removed with unread lines (lib/trigger/logs/notices.py).
3. Skip containers that had ended, were read to their end and did not run since (`_is_still`).
4. Read on in the logs of the others, eight at once, with a share of the poll's bytes each (`_tails`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lib.config.form import Form, choice, whole
from lib.config.pattern import pattern
from lib.config.selection import Selection
from lib.engine import Engine
from lib.engine.errors import EngineError
from lib.trigger import Fault, Found, Poll, trigger
from lib.trigger.budget import Budget
from lib.trigger.clock import EDGE_SECONDS, SECOND
from lib.trigger.containers.container import Container, listing, selected
from lib.trigger.containers.list_status import shown
from lib.trigger.dropdowns import containers, images, labels
from lib.trigger.events.recent import Place as EventsPlace
from lib.trigger.events.recent import RecentEvents
from lib.trigger.logs.messages import told
from lib.trigger.logs.notices import changed_log, gone, never_seen
from lib.trigger.logs.places import FINISHED, LEAST, MUTE, OPEN, Place, Places
from lib.trigger.logs.position import Line, Position, Tail
from lib.trigger.logs.reading import ENDED, last_lines, read_on
from lib.trigger.logs.unreadable import unreadable

__all__ = ["container_logs", "containers", "images", "labels"]

SAMPLE = {
    "kind": "line",
    "container": {
        "id": "8f0f1c1ed3a6e3ba7b6d4d0a3f5f0c1b2a394857660718293a4b5c6d7e8f9012",
        "name": "web-1",
        "image": "shop/web:2.4",
        "labels": {"team": "shop"},
    },
    "stream": "stderr",
    "text": "ERROR payment service does not answer",
    "whole": True,
    "timeNano": "1767268800123456789",
    "timestamp": "2026-01-01T12:00:00.123456789Z",
}


def last_line(poll: Poll[Places]) -> Mapping[str, Any] | None:
    """Return the body of the last line of the first container that has one, for a try-out; None if none has."""
    keeps = _Chooser(poll.form)
    for container in selected(listing(poll.engine).containers, Selection.of(poll.form), poll.engine)[:10]:
        try:
            tail = last_lines(poll.engine, container, 50, 1 << 20)
        except EngineError:  # this log cannot be read
            continue
        lines = [line for line in tail.lines if keeps(line)]
        if lines:
            return next(told(container, lines[-1], poll.body_room)).body
    return None


def _settings(form: Form) -> None:
    _Chooser(form)
    _most_bytes(form)


def _most_bytes(form: Form) -> int:
    return whole(form, "maxBytes", 1_000_000, least=1000, most=8_000_000)


@trigger("containerLogs", read=Places.from_state, sample=SAMPLE, live=last_line, settings=_settings)
def container_logs(poll: Poll[Places]) -> Found[Places]:
    """Read on in the logs of the selected containers: SystemEvents, ContainerList, ContainerLogs."""
    selection = Selection.of(poll.form)
    # Events first, also if they are read up to the present: a container that starts in them and is not listed is gone.
    recent = RecentEvents.read(poll.engine, poll.state.events if poll.state else EventsPlace(), poll.now)
    if poll.state is None:  # so the second poll does not report containers that are gone already
        recent.deepen()
    found = listing(poll.engine)
    chosen = selected(found.containers, selection, poll.engine)
    poll.need_room(len(chosen) * LEAST)
    findings = [
        *gone(poll, found.containers, chosen, recent),
        *never_seen(poll, found.containers, selection, recent),
    ]
    made = frozenset(recent.began("create") if recent.complete else ())
    places = {container.id: _before(poll, container, made) for container in chosen}
    unread, touched = [], recent.touched(recent.before.until)
    for container in chosen:
        place = places[container.id]
        if _is_still(poll, container, place, found.made, recent, touched):
            poll.skip(container.id)
        else:
            unread.append(container)
            # If the poll does not reach this log, or reading fails, the next poll must read it.
            places[container.id] = replace(place, flag=MUTE if place.flag == MUTE else OPEN)
    keeps = _Chooser(poll.form)
    for container, tail in _tails(poll, unread, places):
        before = places[container.id]
        findings += [changed_log(poll, container, before.position, tail)] if tail.gap else []
        for line in tail.lines:
            findings += told(container, line, poll.body_room) if keeps(line) else ()
        finished = container.status in ENDED and not tail.more
        places[container.id] = Place.of(container, tail.position, FINISHED if finished else OPEN)
    return Found(findings, Places(poll.now, {one.key: places[one.id] for one in chosen}, recent.place))


def _tails(
    poll: Poll[Places], unread: Sequence[Container], places: dict[str, Place]
) -> Iterator[tuple[Container, Tail]]:
    """Yield what is new in each log, within the bytes of a poll; a fault changes the flag in `places`."""
    budget = Budget(_most_bytes(poll.form), len(unread))

    def work(engine: Engine, container: Container) -> Tail:
        share = budget.take()
        tail = read_on(engine, container, places[container.id].position, now=poll.now, limit=share)
        budget.give_back(share, sum(len(line.data) for line in tail.lines))
        return tail

    def fault(container: Container, error: Exception) -> Fault | None:
        flag, told_of_it = unreadable(container, error)
        places[container.id] = replace(places[container.id], flag=flag)
        return told_of_it

    return poll.each(unread, work, key=_id, name=_name, fault=fault)


def _before(poll: Poll[Places], container: Container, made: frozenset[str]) -> Place:
    """Return where to begin in a container's log.

    A first run begins at `poll.start`, or at the present if that is None. A later poll continues a known log at its
    place; it reads a new container from the beginning of its log, and any other one from the present. `made`: ids of
    containers with a create event; these are new, although their creation may have begun before the last poll.
    """
    edge = Position((poll.now - EDGE_SECONDS) * SECOND)
    if poll.state is None:
        return Place.of(container, edge if poll.start is None else Position(max(poll.start - 1, 0)))
    known = poll.state.of(container)
    if known:
        return Place.of(container, known.position, known.flag)
    is_new = container.created >= poll.state.at * SECOND or poll.now < poll.state.at
    return Place.of(container, Position() if is_new or container.id in made else edge)


def _is_still(
    poll: Poll[Places],
    container: Container,
    place: Place,
    made: int | None,
    recent: RecentEvents,
    touched: frozenset[str],
) -> bool:
    """Return whether a container had ended and did not run since its log was read to the end.

    `made`: when the list was made, in Unix seconds. `touched`: ids of containers that the events name.
    """
    if place.flag == OPEN or container.status not in ENDED:
        return False
    if container.status != "exited":  # created, dead or removing: it does not run
        return True
    age = shown(container.shown)
    if age is None or made is None or poll.state is None or poll.now < poll.state.at:
        return False
    if recent.complete and container.id in touched:
        return False
    since = recent.until if recent.complete else poll.state.at
    return age.least > made + 1 - since


class _Chooser:
    """Which lines the step emits. It does not affect the cursor, so users may change it at any time."""

    def __init__(self, form: Form) -> None:
        self._matches = pattern(form, "pattern")
        self._stream = choice(form, "stream", ("both", "stdout", "stderr"))

    def __call__(self, line: Line) -> bool:
        if self._stream not in ("both", line.stream):
            return False
        return self._matches is None or self._matches(line.text)


def _id(container: Container) -> str:
    return container.id


def _name(container: Container) -> str:
    return container.name
