"""The settings that all actions share (docs/steps.md#settings-of-a-step), and what an error becomes by errorPolicy."""

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

# Default limits of a stream; every stream is bounded. Bytes are of the message's JSON, which is a third larger when it
# is sealed. A full message ends a stream earlier.
DEFAULTS = Limits(max_items=1000, max_bytes=6 * 1024 * 1024, max_seconds=300, idle_seconds=60)
# Default limits of a build or transfer. One that a limit ends has failed, so it gets one hour; a long RUN step is
# silent for minutes.
WORK = Limits(max_seconds=3600, idle_seconds=900)
# Default limits of attach and exec. There is no limit of silence: a process may work for long without output. Output is
# limited to 2 MiB, since a message has it twice: by stream, and together.
TALK = Limits(max_bytes=2 * 1024 * 1024, max_seconds=300)
ARCHIVE_BYTES = 1024 * 1024 * 1024
EMIT_BEHAVIORS = ("emitAll", "emitIndividually", "emitPage")  # a page is for jobs with lists
TEXT, BASE64, ATTACHMENT = "text", "base64", "attachment"
_READS = ("GET", "HEAD")
_SHORTEST = 0.001  # lower bound of a limit, in seconds


class Outcome(Enum):
    """What happens to a message whose call failed."""

    FAIL = "error, the message is rejected"
    REBOUND = "the message comes again later"
    EMIT = "the error is emitted as data"
    EMPTY = "an empty result is emitted"


@dataclass(frozen=True, slots=True)
class StepSettings:
    """The settings of a step after parsing."""

    individually: bool = False
    error_policy: str = "byComponent"
    empty_when_not_found: bool = False
    limits: Limits = DEFAULTS
    """For streams that end with success at a limit: logs, events, stats."""
    work: Limits = WORK
    """For builds and transfers, which fail at a limit."""
    talk: Limits = TALK
    """For attach and exec."""
    archive_bytes: int = ARCHIVE_BYTES
    """Upper bound of an attachment in bytes."""
    unknown_fields: bool = False
    """Whether fields of a request body that the schema or the engine's version does not know are sent."""
    output: str = TEXT
    """Form of the output of processes and logs: TEXT, BASE64 or ATTACHMENT."""
    as_response: bool = False
    """Whether an answer is emitted in the form of the connector of 2019, in one message."""
    verbose: bool = False
    mark_run: bool = False
    """Whether what is made gets the label of the run."""

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> StepSettings:
        """Read the settings of a step; raises BadInput with the name of a wrong one."""
        items, size = whole(config, "maxItems", 0, least=1), whole(config, "maxBytes", 0, least=1)
        seconds = number(config, "maxSeconds", 0, least=_SHORTEST)
        idle = number(config, "idleSeconds", 0, least=_SHORTEST)
        as_response = choice(config, "outputForm", ("values", "response")) == "response"
        individually = choice(config, "emitBehavior", EMIT_BEHAVIORS) == "emitIndividually"
        return cls(
            individually=individually and not as_response,
            error_policy=choice(config, "errorPolicy", ("byComponent", "throwError", "rebound", "emit")),
            empty_when_not_found=choice(config, "notFound", ("throwError", "emitEmpty")) == "emitEmpty",
            limits=_over(DEFAULTS, items, size, seconds, idle),
            work=_over(WORK, 0, 0, seconds, idle),
            talk=_over(TALK, 0, size, seconds, idle),
            archive_bytes=size or ARCHIVE_BYTES,
            unknown_fields=choice(config, "unknownFields", ("refuse", "pass")) == "pass",
            output=choice(config, "output", (TEXT, BASE64, ATTACHMENT)),
            as_response=as_response,
            verbose=flag(config, "verbose"),
            mark_run=flag(config, "markRun"),
        )

    @property
    def whole_seconds(self) -> float:
        """Upper bound of a wait or a transfer, in seconds."""
        return self.work.max_seconds or float("inf")

    @property
    def head_seconds(self) -> float:
        """Upper bound of the time until an answer begins, in seconds."""
        return min(limit for limit in (self.work.max_seconds, self.work.idle_seconds) if limit)

    def outcome(self, error: EngineError, emitted: int = 0) -> Outcome:
        """Return the outcome for a failed call after which `emitted` messages were emitted.

        A call is not repeated if it may have taken effect, if it would fail again in the same way, or if messages were
        emitted before: the next steps would get these twice, or different ones.
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
    """Return whether the error may be gone later and the call can be repeated without harm."""
    if isinstance(error, Unreachable):
        return error.retriable
    if isinstance(error, NotSupported):
        return False
    return isinstance(error, NoAnswer | Busy) or (isinstance(error, EngineFault) and error.method in _READS)


def error_as_data(error: EngineError, masked: Callable[[Any], Any]) -> dict[str, Any]:
    """Return the body that `errorPolicy: emit` emits: {error: {name, message, status, method, path, hint, field, run}}.

    Fields without a value are left out. `masked` returns a value with its secrets replaced by `***`.
    """
    told = {
        "name": type(error).__name__,
        "message": error.message,
        "status": error.status,
        "method": error.method,
        "path": error.path,
        "hint": error.hint,
        "field": getattr(error, "field", None),
        "run": error.run,
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
