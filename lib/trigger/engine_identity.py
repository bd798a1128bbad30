"""Which engine this is: asked once, and again after a while or after a poll that failed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from lib.engine import Engine
from lib.engine.errors import EngineError, Unreachable
from lib.engine.http.sender import Sender
from lib.trigger.marks.compact import mark

WIDTH = 12
SECONDS = 900
"""How long the answer holds. An engine that was exchanged meanwhile has also ended its connections and failed polls."""
PATIENCE = 10
_known: WeakKeyDictionary[Sender, tuple[str, float]] = WeakKeyDictionary()


def identity(engine: Engine) -> str:
    """Return a mark of the engine's id (SystemInfo), "" where it cannot be known; Unreachable where nothing answers.

    A proxy may refuse the call, and counting all images and containers for it may take an engine too long.
    """
    found, until = _known.get(engine.sender, ("", 0.0))
    if time.monotonic() < until:
        return found
    try:
        about = engine.limited(PATIENCE).get("/info").json()
    except Unreachable:
        raise
    except (EngineError, ValueError):
        about = None
    said = about.get("ID") if isinstance(about, Mapping) else None
    found = mark(str(said), WIDTH) if said else found
    _known[engine.sender] = found, time.monotonic() + SECONDS
    return found


def forget(engine: Engine) -> None:
    """Ask again at the next poll: something about the engine has changed."""
    _known.pop(engine.sender, None)
