"""The container that a call in doubt was about: as it is now, gone since, or another one under the same name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lib.job.run.container import Seen, look
from lib.job.settle.evidence import FORGOTTEN, Event, evidence_since
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import ASK, Verdict, at, happened, not_happened, thing, unknown, when
from lib.job.work import Work
from lib.trigger.clock import SECOND


def of_container(
    work: Work, tried: Tried, action: str, judge: Callable[[Seen], Verdict], *, gone: str = ASK
) -> Verdict:
    """Return the verdict of `judge` on the container in the field `id`.

    One that is not there any more is known by the event `action` alone; `gone` is what is next if there is one.
    """
    name = tried.needed("id")
    seen = look(work, name)
    if seen is None:
        return _gone(work, tried, action, gone)
    if is_another(tried, seen, name):
        text = f"{seen.name} was made at {at(when(seen.created))}, after the call: it is another container"
        return unknown(text, the(seen))
    return judge(seen)


def is_another(tried: Tried, seen: Seen, name: str) -> bool:
    """Whether a name belongs to another container now than it did when the call was tried."""
    return tried.exact and not seen.id.startswith(name) and when(seen.created) > tried.since + SECOND


def by_event(
    work: Work, tried: Tried, action: str, seen: Seen, fits: Callable[[Event], bool] = lambda _: True
) -> Verdict:
    """Settle by the events of a container alone."""
    events = evidence_since(work.engine, tried.since)
    found = events.of("container", action, lambda event: event.id == seen.id and fits(event))
    if found is not None:
        return happened(f"An event of {seen.name} at {at(found.time)} tells of it ({action})", the(seen))
    if events.complete:
        return not_happened(f"The engine has no event of {seen.name} since then ({action})", the(seen))
    return unknown(f"No event of {seen.name} tells of it ({action}), and {FORGOTTEN}", the(seen))


def the(seen: Seen) -> Any:
    """Return what an output says of a container."""
    return thing("container", seen.id, seen.name)


def _gone(work: Work, tried: Tried, action: str, then: str) -> Verdict:
    name = tried.text("id")
    events = evidence_since(work.engine, tried.since)
    found = events.of("container", action, lambda event: event.is_of(name))
    if found is None:
        return unknown(f"There is no container {name} any more, or it is on another engine")
    told = thing("container", found.id, found.says("name"))
    proof = f"An event of {name} at {at(found.time)} tells of it ({action}); the container is gone since"
    return happened(proof, told, then=then)
