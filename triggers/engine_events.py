"""Trigger engineEvents (docs/triggers.md#engineevents): each event once, and a gap where the engine has lost some.

The default mode reads the engine's ring of 256 events once in each poll and compares it with the last poll
(lib/trigger/events/ring.py). The real-time mode also reads the engine's stream of events between such comparisons
(lib/trigger/events/live.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lib.config.form import Form, choice, flag, whole
from lib.engine.errors import Refused
from lib.trigger import Finding, Found, Poll, trigger
from lib.trigger.clock import EDGE_SECONDS, SECOND, iso
from lib.trigger.dropdowns import containers, images, labels, networks, nodes, services
from lib.trigger.events import resync
from lib.trigger.events.filter import EXEC, EventFilter, body, engine_run, read_ring, verb
from lib.trigger.events.fingerprints import Event, known, nanos
from lib.trigger.events.live import Live
from lib.trigger.events.ring import FULL, Difference, Reason, difference, hidden_until
from lib.trigger.events.ring_memory import Memory
from lib.trigger.marks.compact import mark

__all__ = ["containers", "engine_events", "images", "labels", "networks", "nodes", "services"]

HEAD_ROOM = 3
"""Intervals of polling that the ring has to reach back; below it there is a warning."""
REASONS: dict[Reason, str] = {
    "overflow": "More happened than the engine remembers (256 events)",
    "restart": "The engine was restarted and its memory of events was empty",
    "clockSetBack": "The engine's clock was set back",
    "forgotten": "The engine's memory of events does not go back that far",
    "unproven": "The engine remembered only swarm-wide events, which prove nothing",
}
SAMPLE = {
    "kind": "event",
    "Type": "container",
    "Action": "die",
    "Actor": {
        "ID": "8f0f1c1ed3a6e3ba7b6d4d0a3f5f0c1b2a394857660718293a4b5c6d7e8f9012",
        "Attributes": {"exitCode": "1", "image": "shop/web:2.4", "name": "web-1"},
    },
    "scope": "local",
    "time": 1767268800,
    "timeNano": "1767268800123456789",
    "timestamp": "2026-01-01T12:00:00.123456789Z",
    "name": "web-1",
    "ordering": "publish",
    "synthetic": False,
}


def newest(poll: Poll[Memory]) -> dict[str, object] | None:
    """Return the body of the newest event in the ring that the filter takes, for a try-out; None if there is none."""
    wanted = EventFilter.of(poll.form)
    taken = [event for event in read_ring(poll.engine, poll.now) if wanted.takes(event)]
    return body(taken[-1]) if taken else None


def settings(form: Form) -> int | None:
    """Return for how many seconds to listen in real-time mode, None in the default mode; raises BadInput."""
    EventFilter.of(form)
    seconds = whole(form, "realTimeSeconds", 50, least=1, most=3600)
    return None if choice(form, "mode", ("poll", "realTime")) == "poll" else seconds


@trigger("engineEvents", read=Memory.from_state, sample=SAMPLE, live=newest, settings=settings)
def engine_events(poll: Poll[Memory]) -> Found[Memory] | Iterator[Found[Memory]]:
    """Compare the engine's ring with the last poll: SystemEvents. In real-time mode also read its stream."""
    seconds = settings(poll.form)
    return look(poll) if seconds is None else Live(poll, EventFilter.of(poll.form), compared).run(seconds)


def look(poll: Poll[Memory]) -> Found[Memory]:
    """Return what is new in the ring, with the warning `headRoom` if the ring turns over too fast for the polls."""
    found, ring = _looked(poll)
    before, memory = poll.state, found.state
    gap = any(finding.notice for finding in found.findings)
    if gap or before is None or memory is None or not _is_tight(poll.now, before.at, ring):
        return found
    findings = found.findings if before.tight else [*found.findings, _tight(poll, before, ring)]
    return Found(findings, replace(memory, tight=True))


def compared(poll: Poll[Memory]) -> Found[Memory]:
    """Return what is new in the ring, without that warning: the real-time mode does not depend on the ring's size."""
    return _looked(poll)[0]


def _looked(poll: Poll[Memory]) -> tuple[Found[Memory], list[Event]]:
    ring, run = _read(poll)
    until = hidden_until(ring, poll.state, poll.now) if poll.state else None
    if until is not None:  # it looks like a restart, but events of the last seconds may be the reason
        ring = read_ring(poll.engine, until, edge=0)
    change = (
        _first(poll, ring, run) if poll.state is None else difference(ring, poll.state, poll.now, run, until)
    )
    wanted = EventFilter.of(poll.form)
    findings = list(_gap(poll, change, ring, wanted))
    if flag(poll.form, "includeReplays"):
        findings += [
            _told(name, event, replayed=True) for name, event in change.replays if wanted.takes(event)
        ]
    findings += [_told(name, event) for name, event in change.new if wanted.takes(event)]
    probes = sum(verb(event) in EXEC for _, event in change.new)
    poll.log.debug("Compared the engine's memory", remembered=len(ring), new=len(change.new), execs=probes)
    return Found(findings, change.memory), ring


def _read(poll: Poll[Memory]) -> tuple[list[Event], str]:
    """Return the ring, and the mark of the engine's start, "" if local events make it unnecessary.

    The mark is read before the ring: if the engine restarts in between, the next poll reads another mark.
    """
    run = "" if poll.state and poll.state.anchored else engine_run(poll.engine)
    ring = read_ring(poll.engine, poll.now)
    if run or any(event.get("scope") != "swarm" for event in ring):
        return ring, run
    run = engine_run(poll.engine)
    return read_ring(poll.engine, poll.now) if run else ring, run


def _told(name: str, event: Event, **more: bool) -> Finding:
    return Finding(body(event, **more), f"event {name}")


def _first(poll: Poll[Memory], ring: Sequence[Event], run: str) -> Difference:
    present = known(ring)
    memory = Memory(poll.now, tuple(name for name, _ in present), run=run)
    if poll.start is None:
        return Difference(memory)
    new = tuple(pair for pair in present if nanos(pair[1]) >= poll.start)
    forgotten = poll.start > 0 and len(new) == len(present)
    return Difference(memory, new, gap="forgotten" if forgotten else None, gap_from=poll.start // SECOND)


def _gap(
    poll: Poll[Memory], change: Difference, ring: Sequence[Event], wanted: EventFilter
) -> Iterator[Finding]:
    """Yield the gap, if there is one, and the reconstructed container events, if the step wants them."""
    if not change.gap:
        return
    # After a crash the same loss must have the same id.
    identity = mark([change.gap, change.gap_from, poll.state.to_state() if poll.state else poll.start], 20)
    # The last poll did not read the events of its last EDGE_SECONDS.
    since = change.gap_from if change.gap == "forgotten" else change.gap_from - EDGE_SECONDS
    text = f"{REASONS[change.gap]}; events since {iso(since * SECOND)} may be missing"
    details = _extent(poll, since, ring)
    oldest = min((nanos(event) for _, event in change.new if event.get("scope") != "swarm"), default=None)
    events: list[Event] = []
    if flag(poll.form, "resync"):
        before = poll.now * SECOND if oldest is None else oldest
        try:
            events, missed = resync.lost_events(
                poll.engine, since * SECOND, before, lambda: not poll.turn.left
            )
            details["resync"] = "Containers that were removed meanwhile cannot be recovered" + (
                f"; {missed} could not be asked" if missed else ""
            )
        except Refused as refusal:
            details["resync"] = f"The containers could not be asked: {refusal}"
    yield poll.gap(change.gap, text, identity, **details)
    for event in events:
        if wanted.takes(event):
            name = f"synthetic {event['Actor']['ID']} {event['Action']} {event['timeNano']}"
            yield Finding(body(event, synthetic=True, ordering="time"), name)


def _extent(poll: Poll[Memory], since: int, ring: Sequence[Event]) -> dict[str, object]:
    """Return the fields of a gap: the time in doubt, and how fast the ring turns over."""
    times = [nanos(event) for event in ring] or [poll.now * SECOND]
    span = (max(times) - min(times)) / SECOND
    return {
        "from": iso(since * SECOND),
        "to": iso(poll.now * SECOND),
        "remembered": len(ring),
        "oldest": iso(min(times)),
        "newest": iso(max(times)),
        "eventsPerSecond": round(len(ring) / span, 3) if span else None,
    }


def _head_room(now: int, ring: Sequence[Event]) -> int:
    """Return how many seconds the ring reaches back."""
    return now - min(nanos(event) for event in ring) // SECOND


def _is_tight(now: int, before: int, ring: Sequence[Event]) -> bool:
    """Return whether the ring is full and reaches back less than HEAD_ROOM intervals of the polls."""
    return len(ring) >= FULL and _head_room(now, ring) < HEAD_ROOM * max(now - before, 1)


def _tight(poll: Poll[Memory], state: Memory, ring: Sequence[Event]) -> Finding:
    room, interval = _head_room(poll.now, ring), poll.now - state.at
    text = (
        f"The engine remembers {room} s of events and is asked every {interval} s. Poll more often, use the real-time "
        "mode, or lengthen the intervals of health checks (each probe makes three events)"
    )
    return poll.warning("headRoom", text, str(state.at), headRoomSeconds=room, intervalSeconds=interval)
