"""What can end a job beside the errors of its calls.

JobError
├── Ambiguous        several objects match where one is wanted
├── BadExit          a program ended with a code that is not among `okCodes`
├── NotStarted       the engine refused to start a container or a command
├── NotReached       a wait came to its end before the state was there
├── Differs          what is there is not as wanted, and the input does not let it be made anew
├── NotSettled       this message came before, and nothing proves what became of it then
├── WouldDestroy     data would be lost, and nothing in the input allows that
├── RolledBack       the new one was bad; the old one could not be brought back whole, or a swarm went back by itself
└── EngineRestarted  a program was killed because its engine ended

All are EngineErrors, so the setting errorPolicy decides as it does for operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.engine.errors import EngineError


class JobError(EngineError):
    """Root; `details` are emitted beside name and message where errorPolicy is `emit`."""

    def __init__(self, message: str, *, hint: str | None = None, **details: Any) -> None:
        super().__init__(message, hint=hint)
        self.details: Mapping[str, Any] = details


class Ambiguous(JobError):
    """More than one match where one is wanted; the text names the first ones."""


class BadExit(JobError):
    """A program ended with a code that is an error here; details: exitCode, stderr."""


class NotStarted(JobError):
    """The engine refused to start a container or a command; nothing ran."""


class NotReached(JobError):
    """The state that was waited for did not come; details say what was seen last."""


class NotSettled(JobError):
    """A repeat was found, and nothing proves the outcome of the first try."""


class Differs(JobError):
    """What is there is not as wanted, and the input does not let it be made anew; details: differences."""


class WouldDestroy(JobError):
    """What the job would have to do loses data; the text names the data and the input that allows it."""


class RolledBack(JobError):
    """The new one was bad, and the old one could not be brought back whole; details: kept, oldState.

    Of a service: its swarm went back to what it was before; details: the output of the job.
    """


class EngineRestarted(JobError):
    """A program was killed with its engine: exit code 137, and the engine began later than the program."""


class Interrupted(Exception):
    """The step has to end now. What the job made stays; the message comes again and finds it."""
