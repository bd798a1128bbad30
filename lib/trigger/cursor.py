"""Reads and writes the snapshots of triggers: {"v", "trigger", "engine", ...state}, always under 4 KB.

A snapshot that cannot be used makes the poll a first run with a gap: docs/triggers.md lists the reasons.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

FORMAT = 1
"""The format of a snapshot that holds the state itself."""
STORED = 2
"""The format of a snapshot that names an object with the state in it."""
# Bytes of a snapshot. The platform keeps 5 KB; the rest is for its own additions and for a later format.
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
    """The object that a snapshot names is missing, or its content is not what was stored."""


class CursorTooLarge(Exception):
    """The state of the selection is too large to be stored. Nothing is cut off: users have to narrow the selection."""

    @classmethod
    def of(cls, trigger: str, size: int, room: int) -> CursorTooLarge:
        """Return the error for a state of `size` bytes where `room` bytes are possible."""
        return cls(
            f"To remember its place in all that is selected, {trigger} needs {size} bytes; a snapshot has room for "
            f"{room}. Narrow the filter, or split the selection over several flows"
        )


@dataclass(frozen=True)
class Cursor(Generic[State]):
    """What the last poll stored.

    `state`: the trigger's own state, None on a first run. `problem`: why a stored state could not be used; then this is
    a first run too. `engine`: mark of the engine that the state belongs to, "" if its identity was never readable.
    `shared`: all that was stored, for the parts that all triggers have (lib/trigger/turn.py).
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
    """Return the cursor in a snapshot; a snapshot that cannot be used gives a first run with a `problem`, no error.

    `engine`: mark of this engine, "" if its identity cannot be read now; then the mark in the snapshot is used. `read`
    makes the state. `opened` adds a state that is stored in an object, and raises LostState if that is gone.
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
    """Return the first fields of every snapshot."""
    return {"v": version, "trigger": trigger, "engine": engine}


def dump(state: Mapping[str, Any], trigger: str, engine: str) -> dict[str, Any]:
    """Return the snapshot for a state; raises CursorTooLarge above LIMIT bytes."""
    snapshot = {**head(trigger, engine), **state}
    size = len(json.dumps(snapshot, separators=(",", ":")).encode())
    if size >= LIMIT:
        raise CursorTooLarge.of(trigger, size, LIMIT)
    return snapshot
