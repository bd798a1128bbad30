"""Trigger containerStateChanged: crashed, exited, restart loop, unhealthy, healthy, started, removed and so on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.engine.errors import NotFound, Refused
from lib.form import Form, shown, whole, words, wrong
from lib.polling.clock import SECOND, iso, nanoseconds
from lib.polling.compact import pieces
from lib.polling.container import DIGITS, SHORT, Container, listed, pack_id, selected, unpack_id
from lib.polling.events import read_ring, verb
from lib.polling.lifecycle import WIDTH, Condition, Loop, changes, counted
from lib.polling.matching import Selection
from lib.selection import containers, images, labels
from lib.trigger import Finding, Found, Poll, trigger

__all__ = ["container_state_changed", "containers", "images", "labels"]

SAMPLE = {
    "kind": "change",
    "change": "crashed",
    "container": {
        "id": "8f0f1c1ed3a6e3ba7b6d4d0a3f5f0c1b2a394857660718293a4b5c6d7e8f9012",
        "name": "web-1",
        "image": "shop/web:2.4",
        "labels": {"team": "shop"},
    },
    "from": {"status": "running", "health": "healthy", "exitCode": None, "restartCount": 0},
    "to": {"status": "exited", "health": "unhealthy", "exitCode": 137, "restartCount": 0},
    "exitCode": 137,
    "oomKilled": True,
    "restarts": 0,
    "error": "",
    "startedAt": "2026-01-01T09:00:00.5Z",
    "finishedAt": "2026-01-01T12:00:00.123456789Z",
    "timestamp": "2026-01-01T12:00:00.123456789Z",
}


@dataclass(frozen=True)
class Conditions:
    """All selected containers as the last poll saw them, by the kept part of their ids."""

    at: int
    known: Mapping[str, Condition] = field(default_factory=dict)

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form: 20 characters a container."""
        return {"at": self.at, "containers": "".join(pack_id(k) + c.pack() for k, c in self.known.items())}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Conditions:
        """Read `to_state`."""
        packed = pieces(state["containers"], DIGITS + WIDTH)
        return cls(
            int(state["at"]), {unpack_id(one[:DIGITS]): Condition.unpack(one[DIGITS:]) for one in packed}
        )


@dataclass(frozen=True)
class Look:
    """One container now."""

    container: Container
    inspected: Mapping[str, Any]
    condition: Condition

    def time(self, name: str) -> int:
        """Return one of the times in its state as nanoseconds, 0 for never."""
        return nanoseconds(self.inspected["State"].get(name) or "0001-01-01T00:00:00Z")


def running(poll: Poll[Conditions]) -> dict[str, Any] | None:
    """Return the state of the first selected container as if it had just started, for a debug run."""
    for look in _looks(poll, selected(listed(poll.engine), Selection.of(poll.form), poll.engine)):
        return _body("started", look, None, poll.now)
    return None


@trigger("containerStateChanged", read=Conditions.from_state, sample=SAMPLE, live=running)
def container_state_changed(poll: Poll[Conditions]) -> Found[Conditions]:
    """Compare every selected container with the last poll: ContainerList, ContainerInspect."""
    normal = _normal_codes(poll.form)
    everything = listed(poll.engine)
    before = poll.state
    wanted = frozenset(words(poll.form, "changes"))
    loop = Loop(
        whole(poll.form, "loopRestarts", 3, least=1, most=63),
        whole(poll.form, "loopMinutes", 10, least=1, most=60),
    )
    findings: list[Finding] = []
    known: dict[str, Condition] = {}
    chosen = selected(everything, Selection.of(poll.form), poll.engine)
    if before:  # one that goes between list and inspect stays known, so that the next poll tells it
        known = {one.short: before.known[one.short] for one in chosen if one.short in before.known}
    for look in _looks(poll, chosen):
        old = before.known.get(look.container.short) if before else None
        minutes = max(poll.now // 60 - before.at // 60, 0) if before else 0
        now = counted(old, look.condition, minutes, loop)
        known[look.container.short] = now
        if old is None and not _is_news(poll, look):
            continue
        found = changes(old, now, crash=_crashed(look, normal), loop=loop)
        findings.extend(
            _finding(change, look, old, poll) for change in found if not wanted or change in wanted
        )
    present = {one.short for one in everything}
    gone = {short: old for short, old in before.known.items() if short not in present} if before else {}
    if gone and (not wanted or "removed" in wanted):
        events = _destroyed(poll)
        findings.extend(_removed(short, old, events, poll) for short, old in gone.items())
    return Found(findings, Conditions(poll.now, known))


def _normal_codes(form: Form) -> frozenset[str]:
    codes = words(form, "normalExitCodes") or ("0",)
    for code in codes:
        if not (code.isascii() and code.isdecimal()):
            raise wrong(
                form, "normalExitCodes", f"{shown(code)} is no exit code. Write whole numbers such as 0, 143"
            )
    return frozenset(str(int(code[:4])) for code in codes)


def _looks(poll: Poll[Conditions], chosen: list[Container]) -> Iterator[Look]:
    for container in chosen:
        try:
            inspected = poll.engine.get("/containers/{id}/json", {"id": container.id}).json()
        except NotFound:
            continue
        yield Look(container, inspected, Condition.of(inspected))


def _is_news(poll: Poll[Conditions], look: Look) -> bool:
    """Whether a container that the cursor does not know changed in the time that this poll is about.

    Unknown and older: it was selected only now, or this is a first run.
    """
    times = (look.container.created, look.time("StartedAt"), look.time("FinishedAt"))
    if poll.state is None:
        return poll.start is not None and max(times) >= poll.start
    return poll.now < poll.state.at or max(times) >= poll.state.at * SECOND


def _crashed(look: Look, normal: frozenset[str]) -> bool:
    state = look.inspected["State"]
    return bool(state.get("OOMKilled")) or str(state.get("ExitCode", 0)) not in normal


def _finding(change: str, look: Look, old: Condition | None, poll: Poll[Conditions]) -> Finding:
    state = look.inspected["State"]
    at = poll.state.at if poll.state else 0
    facts = (
        state.get("StartedAt"),
        state.get("FinishedAt"),
        look.condition.restarts,
        look.condition.health,
        at,
    )
    return Finding(_body(change, look, old, poll.now), f"{look.container.id} {change} {facts}")


def _body(change: str, look: Look, old: Condition | None, now: int) -> dict[str, Any]:
    state = look.inspected["State"]
    times = {
        "crashed": "FinishedAt",
        "exited": "FinishedAt",
        "started": "StartedAt",
        "restarted": "StartedAt",
    }
    moment = look.time(times[change]) if change in times else 0
    moment = look.container.created if change == "created" else moment
    to = look.condition.body()
    return {
        "kind": "change",
        "change": change,
        "container": look.container.body(),
        "from": old.body() if old else None,
        "to": to,
        "exitCode": to["exitCode"],
        "oomKilled": bool(state.get("OOMKilled")),
        "restarts": max(look.condition.restarts - old.restarts, 0) if old else look.condition.restarts,
        "error": state.get("Error") or "",
        "startedAt": iso(look.time("StartedAt")) if look.time("StartedAt") else None,
        "finishedAt": iso(look.time("FinishedAt")) if look.time("FinishedAt") else None,
        "timestamp": iso(moment or now * SECOND),
    }


def _removed(short: str, old: Condition, events: Mapping[str, Any], poll: Poll[Conditions]) -> Finding:
    event = events.get(short, {})
    actor = event.get("Actor") or {}
    attributes = dict(actor.get("Attributes") or {})
    name, image = attributes.pop("name", None), attributes.pop("image", None)
    body = {
        "kind": "change",
        "change": "removed",
        "container": {"id": actor.get("ID", short), "name": name, "image": image, "labels": attributes},
        "from": old.body(),
        "to": None,
        "timestamp": iso(int(event.get("timeNano") or poll.now * SECOND)),
    }
    return Finding(body, f"{short} removed")


def _destroyed(poll: Poll[Conditions]) -> dict[str, Mapping[str, Any]]:
    """Return the engine's remembered destroy events: they alone still know names, images and full ids."""
    try:
        ring = read_ring(poll.engine, poll.now, edge=-1)
    except Refused:  # a proxy that does not let events through
        return {}
    return {
        event["Actor"]["ID"][:SHORT]: event
        for event in ring
        if event.get("Type") == "container" and verb(event) == "destroy"
    }
