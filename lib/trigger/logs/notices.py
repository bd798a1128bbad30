"""Gaps of containerLogs: a log that was rotated or replaced, or a container that was removed with unread lines.

The reasons are those of docs/triggers.md#containerlogs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lib.config.selection import Selection
from lib.trigger.clock import iso
from lib.trigger.containers.container import KEY, SHORT, Container
from lib.trigger.containers.messages import attributes, removed_body
from lib.trigger.events.filter import verb
from lib.trigger.events.fingerprints import Event
from lib.trigger.events.recent import RecentEvents
from lib.trigger.logs.places import MUTE, NAME, OPEN, Places
from lib.trigger.logs.position import Position, Tail
from lib.trigger.marks.compact import mark
from lib.trigger.poll import Finding, Poll


def changed_log(poll: Poll[Places], container: Container, before: Position, tail: Tail) -> Finding:
    """Return the gap for a log in which the stored position was not found; `before` is that position."""
    texts = {
        "rotated": "The log was rotated or emptied beyond the last line that was read",
        "rewritten": "The log is not the one that was read before",
    }
    gap = tail.gap or "rotated"
    text = f"{texts[gap]}; lines of {container.name} since {iso(before.time)} may be missing"
    identity = f"{container.id} {before.time} {before.count} {before.hash}"
    return poll.gap(gap, text, identity, container=container.body(), **{"from": iso(before.time)})


def gone(
    poll: Poll[Places], everything: Sequence[Container], chosen: Sequence[Container], recent: RecentEvents
) -> Iterator[Finding]:
    """Yield the gaps for known containers that were removed with unread lines, or recreated under the same name.

    `everything`: all containers now, `chosen`: the selected ones. A container that had ended and was read to its end
    has no unread lines, unless it was started again.
    """
    before = poll.state
    if before is None:
        return
    present = {one.key for one in everything} | {one.short for one in everything}
    fresh = {mark(one.name, NAME): one for one in chosen if before.of(one) is None}
    for kept, place in before.known.items():
        if kept in present or place.flag == MUTE or (place.flag != OPEN and not _ran(recent.fresh(kept))):
            continue
        since = iso(place.position.time) if place.position.time else None
        successor = next((one for name, one in fresh.items() if name.startswith(place.name)), None)
        if successor:
            text = f"{successor.name} was recreated; lines of the old container {_from(since)} may be missing"
            body = successor.body()
        else:
            body = removed_body(kept, recent.remembered(kept), None, 0)["container"]
            text = f"Container {body['name'] or kept} was removed; its lines {_from(since)} may be missing"
        yield _gap(poll, kept, "recreated" if successor else "removed", text, body, since)


def never_seen(
    poll: Poll[Places], everything: Sequence[Container], selection: Selection, recent: RecentEvents
) -> Iterator[Finding]:
    """Yield the gaps for containers that were created, ran and were removed since the last poll.

    The events end before the list was made. So a container that starts in them and is missing in the list was removed,
    even if its removal is too young to be among the events.
    """
    if poll.state is None or not recent.complete:
        return
    present = {one.id for one in everything}
    for identity, event in recent.began("start").items():
        known = identity[:KEY] in poll.state.known or identity[:SHORT] in poll.state.known
        facts, events = attributes(event), recent.fresh(identity)
        name, image = str(facts.get("name")), str(facts.get("image"))
        if known or identity in present:
            continue
        if selection.takes((name,), (identity,), facts, image):
            text = f"Container {name} was made and removed between two polls; its lines may be missing"
            yield _gap(
                poll, identity, "removed", text, removed_body(identity, events, None, 0)["container"], None
            )


def _ran(events: Sequence[Event]) -> bool:
    return any(verb(event) == "start" for event in events)


def _from(since: str | None) -> str:
    return f"since {since}" if since else "since its start"


def _gap(
    poll: Poll[Places], identity: str, reason: str, text: str, container: dict[str, Any], since: str | None
) -> Finding:
    # A container is removed once, so its id alone identifies the message, whatever its text.
    return poll.gap(reason, text, identity[:SHORT], container=container, **({"from": since} if since else {}))
