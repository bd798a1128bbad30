"""The settings that all actions share (README.md#settings-of-a-step), and what they make of an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from lib.config.form import choice, flag, number, whole
from lib.engine.answer.limits import Limits
from lib.engine.errors import (
    BadInput,
    Busy,
    EngineError,
    EngineFault,
    LimitReached,
    NoAnswer,
    NoSuchOperation,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    ReadOnly,
    Unreachable,
)

# What a step takes of a stream when its settings do not say otherwise: streams are always bounded.
# The bytes are those of the message's JSON, which grow by a third on the wire; a full message ends a stream earlier.
DEFAULTS = Limits(max_items=1000, max_bytes=6 * 1024 * 1024, max_seconds=300, idle_seconds=60)
# A build or transfer that a limit ends is undone work, so it gets an hour; silence is normal in a long RUN step.
WORK = Limits(max_seconds=3600, idle_seconds=900)
# A process may think for long before it says something; its output is told by stream and as a whole.
TALK = Limits(max_bytes=2 * 1024 * 1024, max_seconds=300)
ARCHIVE_BYTES = 1024 * 1024 * 1024
EMIT_BEHAVIORS = ("emitAll", "emitIndividually", "emitPage")  # a page is for jobs with lists
TEXT, BASE64, ATTACHMENT = "text", "base64", "attachment"
_READS = ("GET", "HEAD")
_SHORTEST = 0.001  # seconds of a limit


class Outcome(Enum):
    """What becomes of a message whose call failed."""

    FAIL = "error, the message is rejected"
    REBOUND = "the message comes again later"
    EMIT = "the error is emitted as data"
    EMPTY = "an empty result is emitted"


@dataclass(frozen=True, slots=True)
class StepSettings:
    """Step settings after parsing; numbers came as texts."""

    individually: bool = False
    error_policy: str = "byComponent"
    empty_when_not_found: bool = False
    limits: Limits = DEFAULTS
    """Of streams that end well at a limit: logs, events, stats."""
    work: Limits = WORK
    """Of builds and transfers, which fail at a limit."""
    talk: Limits = TALK
    """Of attach and exec."""
    archive_bytes: int = ARCHIVE_BYTES
    """Of what becomes an attachment."""
    unknown_fields: bool = False
    """Whether fields of a request body that no schema knows, or not the engine, go to the engine."""
    output: str = TEXT
    """What the output of processes and logs becomes: TEXT, BASE64 or ATTACHMENT."""
    verbose: bool = False

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> StepSettings:
        """Read the settings of a step; a wrong one is a BadInput that names it."""
        items, size = whole(config, "maxItems", 0, least=1), whole(config, "maxBytes", 0, least=1)
        seconds = number(config, "maxSeconds", 0, least=_SHORTEST)
        idle = number(config, "idleSeconds", 0, least=_SHORTEST)
        return cls(
            individually=choice(config, "emitBehavior", EMIT_BEHAVIORS) == "emitIndividually",
            error_policy=choice(config, "errorPolicy", ("byComponent", "throwError", "rebound", "emit")),
            empty_when_not_found=choice(config, "notFound", ("throwError", "emitEmpty")) == "emitEmpty",
            limits=_over(DEFAULTS, items, size, seconds, idle),
            work=_over(WORK, 0, 0, seconds, idle),
            talk=_over(TALK, 0, size, seconds, idle),
            archive_bytes=size or ARCHIVE_BYTES,
            unknown_fields=choice(config, "unknownFields", ("refuse", "pass")) == "pass",
            output=choice(config, "output", (TEXT, BASE64, ATTACHMENT)),
            verbose=flag(config, "verbose"),
        )

    @property
    def whole_seconds(self) -> float:
        """How long a wait or a transfer may take in all."""
        return self.work.max_seconds or float("inf")

    @property
    def head_seconds(self) -> float:
        """How long a stream may take to begin: the limits of the step hold for that, too."""
        return min(limit for limit in (self.work.max_seconds, self.work.idle_seconds) if limit)

    def outcome(self, error: EngineError, emitted: int = 0) -> Outcome:
        """Decide what becomes of a failed call.

        Nothing that may have taken effect is repeated, and nothing that would fail again in the same way, and
        nothing of which messages were `emitted`: the next steps would get them twice, or others in their place.
        """
        outcome = self._outcome(error)
        return Outcome.FAIL if emitted and outcome in (Outcome.REBOUND, Outcome.EMPTY) else outcome

    def _outcome(self, error: EngineError) -> Outcome:
        absent = isinstance(error, NotFound) and not isinstance(error, NoSuchOperation)
        if absent and self.empty_when_not_found:
            return Outcome.EMPTY
        if self.error_policy == "emit":
            return Outcome.EMIT
        if self.error_policy == "rebound":
            never = isinstance(error, BadInput | ReadOnly | OutcomeUnknown | LimitReached | NotSupported)
            return Outcome.FAIL if never else Outcome.REBOUND
        if self.error_policy == "byComponent" and _passes(error):
            return Outcome.REBOUND
        return Outcome.FAIL


def _passes(error: EngineError) -> bool:
    """Whether the fault is likely to be gone later and the call can be repeated without harm."""
    if isinstance(error, Unreachable):
        return error.retriable
    if isinstance(error, NotSupported):
        return False
    return isinstance(error, NoAnswer | Busy) or (isinstance(error, EngineFault) and error.method in _READS)


def error_as_data(error: EngineError, masked: Callable[[Any], Any]) -> dict[str, Any]:
    """Return the body that `errorPolicy: emit` hands on: {error: {name, message, status, method, path, hint}}.

    `masked` blanks out secrets in a value.
    """
    told = {
        "name": type(error).__name__,
        "message": error.message,
        "status": error.status,
        "method": error.method,
        "path": error.path,
        "hint": error.hint,
        "field": getattr(error, "field", None),
    }
    known = {key: value for key, value in told.items() if value is not None}
    # A detail of a name that errors have, the container's for one, does not hide which error it is.
    whole = {**getattr(error, "details", {}), **known}
    return {"error": {key: masked(value) for key, value in whole.items() if value is not None}}


def _over(default: Limits, items: int, size: int, seconds: float, idle: float) -> Limits:
    return Limits(
        items or default.max_items,
        size or default.max_bytes,
        seconds or default.max_seconds,
        idle or default.idle_seconds,
    )
