"""Who am I when the message comes again: a job's run id, the name that is its lock, and the labels of what it makes.

Platforms deliver a message again after a crash, after SIGTERM and after each rebound. The run id is made of flow, step
and message id, so all deliveries of one message have the same. A container that a job makes carries it in its name: of
several creates with one name the engine lets exactly one through. Labels say the rest; they are no lock.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from lib import jsontext
from lib.action import run_mark
from lib.sailor import Context
from lib.sailor.message.ids import derived_id, random_id

PREFIX, RUN = run_mark.PREFIX, run_mark.RUN
JOB, STEP, SPEC, UNTIL = (f"{PREFIX}{name}" for name in ("job", "step", "spec", "until"))
_NAME_LENGTH = 16
_MILLISECOND = 1_000_000  # nanoseconds
_SHORT_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job: all deliveries of its message have the same `id`; `repeated`: this is not the first one."""

    id: str
    key: str
    step: str
    repeated: bool
    recognisable: bool
    """Whether a later delivery will have the same id."""
    redelivered: bool = False
    """Whether a step died, or was stopped, with this message; a rebound alone is none."""
    made: int = 0
    """A time (Unix nanoseconds) before the message was made, by the clock of the platform; 0: none is known."""

    @classmethod
    def of(cls, context: Context, key: str, idempotency_key: str | None = None) -> Run:
        """Return the run of an input; `idempotency_key` takes the place of its message id."""
        step = f"{context.settings.flow_id}/{context.settings.step_id}"
        name = idempotency_key or context.input_id
        run = derived_id("job", key, step, name) if name else random_id()
        made = context.made * _MILLISECOND
        return cls(run, key, step, context.repeated, bool(name), context.redelivered, made)

    @property
    def name(self) -> str:
        """The name of the run's container."""
        return f"job-{self.id.replace('-', '')[:_NAME_LENGTH]}"

    @property
    def short(self) -> str:
        """A part of names that belong to this run."""
        return self.id.replace("-", "")[:_SHORT_LENGTH]

    def labels(self, spec: str, until: int = 0) -> dict[str, str]:
        """Return the labels of what the run makes; a sweep may take it after `until` (Unix time)."""
        labels = {RUN: self.id, JOB: self.key, STEP: self.step, SPEC: spec}
        return labels | ({UNTIL: str(until)} if until else {})


def spec_of(value: object) -> str:
    """Return the mark of a wish: equal for equal JSON values, whatever the order of their keys."""
    return hashlib.sha256(jsontext.encode(_ordered(value))).hexdigest()


def _ordered(value: object) -> object:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    return [_ordered(item) for item in value] if isinstance(value, list) else value
