"""Identifies the engine: asks for its id, and again after SECONDS or after a poll that failed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from lib.engine import Engine
from lib.engine.errors import EngineError, Unreachable
from lib.engine.http.sender import Sender
from lib.trigger.marks.compact import mark

WIDTH = 12
"""Digits of the mark."""
SECONDS = 900
"""How long an answer is used. If another engine takes its place before, connections end and a poll fails."""
PATIENCE = 10
"""Upper bound of the call in seconds."""
_OTHERWISE = "Libpod"
_known: WeakKeyDictionary[Sender, tuple[str, float]] = WeakKeyDictionary()


def identity(engine: Engine) -> str:
    """Return a mark (WIDTH digits) of the engine's id, the last known one or "" if it cannot be read: SystemInfo.

    A proxy may refuse the call, or the engine may be too slow: it counts all images and containers for the answer.
    Raises Unreachable.
    """
    found, until = _known.get(engine.sender, ("", 0.0))
    if time.monotonic() < until:
        return found
    try:
        reply = engine.limited(PATIENCE).get("/info")
        about = reply.json()
    except Unreachable:
        raise
    except (EngineError, ValueError):
        about = None
        reply = None
    said = _said(about, reply.headers.get("Server", "") if reply else "")
    found = mark(said, WIDTH) if said else found
    _known[engine.sender] = found, time.monotonic() + SECONDS
    return found


def _said(about: object, server: str) -> str:
    """Return what an engine says it is; Podman, whose id is another one in each answer, is its host and its folder."""
    if not isinstance(about, Mapping):
        return ""
    if server.startswith(_OTHERWISE):
        return f"{about.get('Name')}:{about.get('DockerRootDir')}"
    return str(about.get("ID") or "")


def forget(engine: Engine) -> None:
    """Drop the stored answer, so that the next poll asks again."""
    _known.pop(engine.sender, None)
