"""What was to be made: an object of that name, made since the call, with the run's mark or equal to the input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.action.run_mark import RUN
from lib.engine.errors import NoSuchOperation, NotFound
from lib.engine.expected import expected_form
from lib.engine.request.query import filters
from lib.job.settle.evidence import FORGOTTEN, evidence_since
from lib.job.settle.made import Made, Tree
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import ASK, GO_ON, Verdict, at, happened, not_happened, thing, unknown
from lib.job.work import Work
from lib.trigger.clock import SECOND

_HIDDEN = "what it holds is not told"


def settled(work: Work, tried: Tried, made: Made) -> Verdict:
    """Return what became of a creation."""
    if tried.run and (marked := _marked(work, tried, made)) is not None:
        return marked
    name = made.name_in(tried)
    if not name:
        return _without_name(tried, made)
    told = _named(work, made, name)
    if told is None:
        return _absent(work, tried, made, name)
    seen = thing(made.kind, str(told.get(made.id) or name), name)
    created = made.time(told)
    if created and created + SECOND < tried.since:  # some are told to the second
        return _older(work, tried, made, told, seen)
    if made.taken and created < tried.since and _was_not_asked_for(work, tried, made, name):
        return _older(work, tried, made, told, seen)
    return _since_then(work, tried, made, told, seen)


def _marked(work: Work, tried: Tried, made: Made) -> Verdict | None:
    """Return the verdict where an object has the mark of the run: all deliveries of one message have the same."""
    query = {"all": True, "filters": {"label": [f"{RUN}={tried.run}"]}}
    listed = work.engine.get(made.listing, query, query=("all", filters()))
    found = listed.read(
        lambda told: [one for one in made.entries(told) if made.labels(one).get(RUN) == tried.run]
    )
    if not found:
        return None
    with expected_form():
        names = [made.name(one) for one in found]
        identity = str(found[0].get("Id") or found[0].get("ID") or names[0])
    seen = thing(made.kind, identity, names[0] or identity)
    if len(found) > 1:
        text = f"{len(found)} {made.kind}s have the mark of the run: the message was worked on more than once"
        return happened(text, seen, then=ASK)
    return happened(f"The {made.kind} {names[0] or identity} has the mark of the run", seen)


def _without_name(tried: Tried, made: Made) -> Verdict:
    if tried.run:
        return not_happened(f"No {made.kind} has the mark of the run")
    text = (
        f"The {made.kind} had no name and no mark, so it cannot be told from others: see the setting markRun"
    )
    return unknown(text)


def _named(work: Work, made: Made, name: str) -> Tree | None:
    """Return the object of exactly that name, of several the youngest; lists and paths also find by parts and ids."""
    if made.by_list:
        listed = work.engine.get(made.listing, {"filters": {"name": [name]}}, query=(filters(),))
        found = listed.read(lambda told: [one for one in made.entries(told) if made.name(one) == name])
        return max(found, key=made.time, default=None)
    try:
        told: Tree = work.engine.get(made.one, {"name": name}).read(dict)
    except NoSuchOperation:
        raise
    except NotFound:
        return None
    with expected_form():
        return told if made.name(told) == name else None


def _absent(work: Work, tried: Tried, made: Made, name: str) -> Verdict:
    """Return the verdict where no such object is there: it may have been, and be gone again."""
    events = evidence_since(work.engine, tried.since)
    created = events.of(made.kind, "create", lambda event: name in (event.says("name"), event.id))
    if created is not None:
        return unknown(f"A {made.kind} {name} was made at {at(created.time)}, and is gone again")
    text = f"There is no {made.kind} {name}"
    return not_happened(text if events.complete else f"{text}; whether there was one, {FORGOTTEN}")


def _older(work: Work, tried: Tried, made: Made, told: Tree, seen: Tree) -> Verdict:
    """Return the verdict on an object that was there before; of volumes a creation takes one that is there."""
    text = f"The {made.kind} {seen['name']} is older than the call: {at(made.time(told))}"
    same = made.taken and _same(work, tried, made, told)
    return not_happened(text, seen, then=GO_ON if same else ASK)


def _was_not_asked_for(work: Work, tried: Tried, made: Made, name: str) -> bool:
    """Whether no event tells of a creation, which engines tell also where it takes what is there."""
    events = evidence_since(work.engine, tried.since)
    return events.complete and events.of(made.kind, "create", lambda event: event.is_of(name)) is None


def _since_then(work: Work, tried: Tried, made: Made, told: Tree, seen: Tree) -> Verdict:
    """Return the verdict on an object that was made since the call, without its mark."""
    name = f"{made.kind} {seen['name']}"
    if tried.run:
        return unknown(f"The {name} was made since then, and has not the mark of the run", seen)
    if made.equal is None:
        return unknown(f"The {name} was made since then, by whom is not known: {_HIDDEN}", seen)
    if not _same(work, tried, made, told):
        return unknown(f"The {name} was made since then, and is not as the input wanted it", seen)
    return happened(f"The {name} was made since then, and is as the input wanted it", seen)


def _same(work: Work, tried: Tried, made: Made, told: Mapping[str, Any]) -> bool:
    with expected_form():
        return made.equal is not None and made.equal(work, tried, told)
