"""Trigger containerLogs: every new log line of the selected containers once, joined and in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.engine import Engine, Fields
from lib.engine.errors import EngineFault, NotFound
from lib.form import Form, choice, whole
from lib.polling.clock import EDGE_SECONDS, SECOND, iso, wire
from lib.polling.compact import mark, pieces
from lib.polling.container import DIGITS, Container, listed, pack_id, selected, unpack_id
from lib.polling.logtail import WIDTH, Line, Position, Tail, framed, read, terminal
from lib.polling.matching import Selection
from lib.polling.pattern import pattern
from lib.selection import containers, images, labels
from lib.trigger import Finding, Found, Poll, trigger

__all__ = ["container_logs", "containers", "images", "labels"]

# A line without an end is waited for, so long; then it is told as it stands.
PATIENCE_SECONDS = 10
NAME = 3
ENDED = ("exited", "dead")
FINISHED, MUTE = "f", "m"
FLAGS = {FINISHED, MUTE, "-"}
NOT_IMPLEMENTED = 501
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


@dataclass(frozen=True)
class Place:
    """How far one container's log is read. `flag`: FINISHED (it had ended and is read to the end) or MUTE (no log)."""

    name: str
    position: Position
    flag: str = "-"


@dataclass(frozen=True)
class Places:
    """All selected containers, by the kept part of their ids: 32 characters each."""

    at: int
    known: Mapping[str, Place] = field(default_factory=dict)

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form."""
        packed = (pack_id(k) + p.name + p.position.pack() for k, p in self.known.items())
        flags = "".join(place.flag for place in self.known.values())
        return {"at": self.at, "logs": "".join(packed), "flags": flags}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Places:
        """Read `to_state`."""
        known = {}
        for one, flag in zip(pieces(state["logs"], DIGITS + NAME + WIDTH), state["flags"], strict=True):
            if flag not in FLAGS:
                raise ValueError(f"{flag!r} is no flag")
            name, position = one[DIGITS : DIGITS + NAME], Position.unpack(one[DIGITS + NAME :])
            known[unpack_id(one[:DIGITS])] = Place(name, position, flag)
        return cls(int(state["at"]), known)


def last_line(poll: Poll[Places]) -> dict[str, Any] | None:
    """Return the last line of the first selected container that has one, for a debug run."""
    keeps = _Chooser(poll.form)
    for container in selected(listed(poll.engine), Selection.of(poll.form))[:10]:
        tail = _tail(poll, container, Position(), limit=1 << 20, last=50)
        lines = [line for line in tail.lines if keeps(line)] if tail else []
        if lines:
            return _body(container, lines[-1])
    return None


@trigger("containerLogs", read=Places.from_state, sample=SAMPLE, live=last_line)
def container_logs(poll: Poll[Places]) -> Found[Places]:
    """Read every selected container's log from where it was left: ContainerList, ContainerLogs."""
    everything = listed(poll.engine)
    chosen = selected(everything, Selection.of(poll.form), poll.engine)
    keeps = _Chooser(poll.form)
    budget = whole(poll.form, "maxBytes", 1_000_000, least=1000, most=8_000_000)
    findings = list(_vanished(poll, everything, chosen))
    known: dict[str, Place] = {}
    for place_in_line, container in enumerate(chosen):
        before = _before(poll, container)
        # What the containers before left over is shared out, so that a loud one cannot silence the others.
        tail = _tail(poll, container, before.position, limit=budget // (len(chosen) - place_in_line))
        if tail is None:
            findings += [] if before.flag == MUTE else [_mute(poll, container)]
            known[container.short] = Place(before.name, before.position, MUTE)
            continue
        budget = max(budget - sum(len(line.data) for line in tail.lines), 1000)
        findings += [_gap(poll, container, before, tail)] if tail.gap else []
        findings += [_finding(container, line) for line in tail.lines if keeps(line)]
        finished = container.status in ENDED and not tail.more
        known[container.short] = Place(before.name, tail.position, FINISHED if finished else "-")
    return Found(findings, Places(poll.now, known))


def _before(poll: Poll[Places], container: Container) -> Place:
    """Return where to begin: where it was left; at the beginning of a new container; else as for a first run."""
    name = mark(container.name, NAME)
    if poll.state is None:
        edge = (poll.now - EDGE_SECONDS) * SECOND
        return Place(name, Position(edge if poll.start is None else max(poll.start - 1, 0)))
    known = poll.state.known.get(container.short)
    if known:
        return Place(name, known.position, known.flag)
    is_new = container.created >= poll.state.at * SECOND or poll.now < poll.state.at
    return Place(name, Position() if is_new else Position((poll.now - EDGE_SECONDS) * SECOND))


def _tail(
    poll: Poll[Places], container: Container, before: Position, *, limit: int, last: int = 0
) -> Tail | None:
    """Read on; None where the container's log driver cannot be read."""
    until = (poll.now - EDGE_SECONDS) * SECOND
    ended = container.status in ENDED
    window: dict[str, Any] = {"id": container.id, "stdout": True, "stderr": True, "timestamps": True}
    window |= {"since": wire(before.time)} if before.time else {}
    # Nobody writes to the log of an ended container any more; and with the engine's clock behind the last line, the
    # end of the window would hide everything.
    window |= {"until": wire(until)} if before.time <= until and not ended else {}
    window |= {"tail": str(last)} if last else {}
    settled = (1 << 63) if ended else until - PATIENCE_SECONDS * SECOND
    names = ("stdout", "stderr", "timestamps", "since", "until", "tail")
    try:
        with poll.engine.logs("/containers/{id}/logs", window, query=names, tty=_has_terminal) as logs:
            logs.pace(30, 120)
            frames = terminal(logs.frames()) if logs.tty else framed(logs.frames())
            return read(frames, before, settled=settled, limit=limit)
    except NotFound:  # removed since it was listed: the next poll tells
        return Tail(before)
    except EngineFault as fault:
        if fault.status != NOT_IMPLEMENTED:
            raise
        return None


def _has_terminal(engine: Engine, fields: Fields) -> bool:
    return bool(engine.get("/containers/{id}/json", fields).json()["Config"]["Tty"])


class _Chooser:
    """Which lines the step wants; asked after the cursor, so that it may change at any time."""

    def __init__(self, form: Form) -> None:
        self._matches = pattern(form, "pattern")
        self._stream = choice(form, "stream", ("both", "stdout", "stderr"))

    def __call__(self, line: Line) -> bool:
        if self._stream not in ("both", line.stream):
            return False
        return self._matches is None or self._matches(line.text)


def _finding(container: Container, line: Line) -> Finding:
    identity = f"{container.id} {line.time} {line.ordinal} {line.stream} {mark(line.data.hex(), 10)}"
    return Finding(_body(container, line), identity)


def _body(container: Container, line: Line) -> dict[str, Any]:
    return {
        "kind": "line",
        "container": container.body(),
        "stream": line.stream,
        "text": line.text,
        "whole": line.whole,
        "timeNano": str(line.time),
        "timestamp": iso(line.time),
    }


def _gap(poll: Poll[Places], container: Container, before: Place, tail: Tail) -> Finding:
    texts = {
        "rotated": "The log was rotated or emptied beyond the last line that was read",
        "rewritten": "The log is not the one that was read before",
    }
    gap = tail.gap or "rotated"
    text = f"{texts[gap]}; lines of {container.name} since {iso(before.position.time)} may be missing"
    identity = f"{container.id} {before.position.pack()}"
    return poll.gap(gap, text, identity, container=container.body(), **{"from": iso(before.position.time)})


def _vanished(
    poll: Poll[Places], everything: Sequence[Container], chosen: Sequence[Container]
) -> Iterator[Finding]:
    """Tell of containers that went, recreated under their name or not, before their last lines could be read."""
    if poll.state is None:
        return
    present = {one.short for one in everything}
    fresh = {mark(one.name, NAME): one for one in chosen if one.short not in poll.state.known}
    for short, place in poll.state.known.items():
        if short in present or place.flag == MUTE:
            continue
        successor = fresh.get(place.name)
        since = iso(place.position.time) if place.position.time else "its start"
        identity = f"{short} {place.position.pack()}"
        if successor:
            text = f"{successor.name} was recreated; lines of the old container since {since} may be missing"
            yield poll.gap("recreated", text, identity, container=successor.body(), **{"from": since})
        elif place.flag != FINISHED:
            text = f"Container {short} was removed; its lines since {since} may be missing"
            yield poll.gap("removed", text, identity, container={"id": short}, **{"from": since})


def _mute(poll: Poll[Places], container: Container) -> Finding:
    text = f"The log driver of {container.name} cannot be read, so its lines are not seen. Use json-file or local"
    return poll.warning("unreadable", text, container.id, container=container.body())
