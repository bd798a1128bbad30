"""Snapshots of triggers: {"v", "trigger", "engine", ...state}, always under 4 KB, and what to do with unusable ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

FORMAT = 1
STORED = 2
"""The format of a snapshot that names an object with the state in it."""
# The platform keeps 5 KB; the rest is room for the platform's own additions and a later format.
LIMIT = 4096

State = TypeVar("State")
Problem = Literal["corrupt", "future", "otherTrigger", "otherEngine", "lostState"]

PROBLEMS: Mapping[str, str] = {
    "corrupt": "The stored position cannot be read",
    "future": "The stored position was written by a newer version of this component",
    "otherTrigger": "The stored position belongs to another trigger",
    "otherEngine": "The stored position belongs to another engine",
    "lostState": "The stored position is not in the storage of objects any more, or not as it was",
}


class LostState(Exception):
    """The object that a snapshot names is missing, or is not the one that was stored."""


class CursorTooLarge(Exception):
    """The selection needs more room than a snapshot has; nothing is cut off, the selection has to be narrowed."""

    @classmethod
    def of(cls, trigger: str, size: int, room: int) -> CursorTooLarge:
        """Return the refusal of a state of `size` bytes."""
        return cls(
            f"To remember its place in all that is selected, {trigger} needs {size} bytes; a snapshot has room for "
            f"{room}. Narrow the filter, or split the selection over several flows"
        )


@dataclass(frozen=True)
class Cursor(Generic[State]):
    """Where the last poll ended: `state` is None on the first run and where `problem` made it one.

    `engine` is the mark of the engine that the state belongs to, "" where its identity was never readable. `shared`
    is the whole of what was stored, for what all triggers keep.
    """

    state: State | None = None
    engine: str = ""
    problem: Problem | None = None
    shared: Mapping[str, Any] = field(default_factory=dict, compare=False)


def load(
    snapshot: Any,
    trigger: str,
    engine: str,
    read: Callable[[Mapping[str, Any]], State],
    opened: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda snapshot: snapshot,
) -> Cursor[State]:
    """Read a snapshot; whatever is wrong with it becomes a first run with a `problem`, never an error.

    `engine` is "" where the engine's identity cannot be read now: then the snapshot's word is taken. `opened` returns
    what a snapshot stands for, with the state that was stored elsewhere; LostState where that is gone.
    """
    if snapshot is None or snapshot == {}:
        return Cursor(engine=engine)
    if problem := _problem(snapshot, trigger, engine):
        return Cursor(engine=engine, problem=problem)
    owner = engine or snapshot.get("engine", "")
    try:
        whole = opened(snapshot)
        return Cursor(read(whole), owner, shared=whole)
    except LostState:
        return Cursor(engine=owner, problem="lostState")
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError):
        return Cursor(engine=owner, problem="corrupt")


def _problem(snapshot: Any, trigger: str, engine: str) -> Problem | None:
    if not isinstance(snapshot, Mapping):
        return "corrupt"
    version, owner, saved = snapshot.get("v"), snapshot.get("trigger"), snapshot.get("engine", "")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        return "corrupt"
    if version > STORED:
        return "future"
    if not isinstance(owner, str) or not isinstance(saved, str):
        return "corrupt"
    if owner != trigger:
        return "otherTrigger"
    return "otherEngine" if saved and engine and saved != engine else None


def head(trigger: str, engine: str, version: int = FORMAT) -> dict[str, Any]:
    """Return what every snapshot begins with."""
    return {"v": version, "trigger": trigger, "engine": engine}


def dump(state: Mapping[str, Any], trigger: str, engine: str) -> dict[str, Any]:
    """Return the snapshot of a state; CursorTooLarge if it does not fit."""
    snapshot = {**head(trigger, engine), **state}
    size = len(json.dumps(snapshot, separators=(",", ":")).encode())
    if size >= LIMIT:
        raise CursorTooLarge.of(trigger, size, LIMIT)
    return snapshot
