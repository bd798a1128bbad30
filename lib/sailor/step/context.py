"""The context: the first argument of `process` (protocol 5.1)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.sailor.logging import Logger
from lib.sailor.settings import Settings
from lib.sailor.step.emitter import Emitter
from lib.sailor.transport import StateStore, Storage


@dataclass(frozen=True, slots=True)
class Context:
    """What a function may use while it works on one input."""

    emit: Emitter
    logger: Logger
    variables: Mapping[str, Any]
    settings: Settings
    platform: Any
    """Client of the platform's API (`lib.sailor.platform.api.Platform`); None in a run without a platform."""
    storage: Storage | None
    cancelled: threading.Event
    """Set when the step has to end soon (protocol 9). It ends pauses between the tries of an engine call, waits for the
    rate limit, polls of triggers, and the real-time mode. An engine call under way does not look at it: it goes on to
    its own time limit."""
    states: StateStore | None = None
    """Storage for what does not fit into the snapshot; None when the platform has none."""
    input_id: str | None = None
    """The id of the input message, the same when it is delivered again; None where it has none."""
    repeated: bool = False
    """Whether this input was delivered before: the broker says so, or it is a rebound."""
    redelivered: bool = False
    """Whether the broker delivers it again, because a step had it and did not come to an end with it."""
    made: int = 0
    """Milliseconds since 1970: a time before the input was made, by the platform's clock; 0 where none is told."""
    rebound_reason: str = ""
    """Why the last delivery of this input put it back (`emit.rebound`), "" where none did, or none says so."""
