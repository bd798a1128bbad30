"""What a function may use while it works: the first argument of `process`."""

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
    """The step around one message."""

    emit: Emitter
    logger: Logger
    variables: Mapping[str, Any]
    settings: Settings
    platform: Any
    """REST client of the platform's API; None in a run without a platform."""
    storage: Storage | None
    cancelled: threading.Event
    """Set when the step has to end before the function is through; long reads look at it and raise."""
    states: StateStore | None = None
    """For what does not fit into the snapshot; None where there is no such storage."""
    input_id: str | None = None
    """The id of the input message, the same when it is delivered again; None where it has none."""
    repeated: bool = False
    """Whether this input was delivered before: the broker says so, or it is a rebound."""
