"""The steps of a build, of either builder, in one form; and BuildKit's trace as lines in the manner of plain progress.

BuildKit announces its steps in any order, some backwards, and tells each one again with more fields. A step gets its
number when it first starts. It may start and end several times: its intervals are added up, and it is counted once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lib.engine.answer.names import LONGEST_NAME, MOST_NAMES, too_many
from lib.engine.answer.step_output import LONGEST_LINE, Outputs
from lib.engine.answer.trace import Item, Log, Vertex, items

DONE, CACHED, FAILED, CANCELED = "done", "cached", "failed", "canceled"
_CANCEL = "context canceled"
# "[2/4] RUN make", "[base 2/4] RUN make", "[linux/arm64 base 2/4] RUN make"
_BRACKETS = re.compile(r"\[([^\[\]]{0,200}?)\s*\d+/\d+\] ")
# What BuildKit does for itself is told only if it fails.
_INTERNAL = ("[internal]", "copy /context /")


@dataclass
class Step:
    """One step; `number` is 0 as long as it is not shown. `seconds` is the time that it ran."""

    label: str = ""
    number: int = 0
    status: str = ""
    seconds: float = 0.0
    error: str = ""
    failed_at: float = 0.0
    interval: tuple[float, float] = field(default=(0.0, 0.0))

    @property
    def internal(self) -> bool:
        return self.label.startswith(_INTERNAL)

    def as_dict(self) -> dict[str, Any]:
        """Return {number, name, stage, status, seconds}; `stage` is "" where it has no name."""
        found = _BRACKETS.match(self.label)
        return {
            "number": self.number,
            "name": self.label[found.end() :] if found else self.label,
            "stage": found[1] if found else "",
            "status": self.status or CANCELED,
            "seconds": round(self.seconds, 3),
        }


class BuildSteps:
    """Takes the records of BuildKit's trace. Its memory is bounded by MOST_NAMES steps, and by that of Outputs."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}
        self._shown: list[Step] = []
        self._outputs = Outputs()

    def shown(self) -> list[Step]:
        """Return the steps that are shown, in the order in which they began."""
        return list(self._shown)

    def feed(self, aux: Any) -> Iterator[str | Item]:
        """Yield the lines that a record adds, and those of its items that are no steps and no output.

        A record may hold the last output of a step behind its end; the end is told last.
        """
        for item in items(aux):
            if isinstance(item, Vertex) and item.digest:
                yield from self._begin(item)
        for item in items(aux):
            if isinstance(item, Log):
                yield from self._log(item)
            elif not isinstance(item, Vertex):
                yield item
        for item in items(aux):
            if isinstance(item, Vertex) and item.digest in self._steps:
                yield from self._end(self._steps[item.digest], item)

    def failed(self) -> tuple[Step, list[str]] | None:
        """Return the step that failed first and its last lines; None if no step has failed."""
        broken = [
            (step.failed_at, number, digest)
            for number, (digest, step) in enumerate(self._steps.items())
            if step.status == FAILED
        ]
        if not broken:
            return None
        digest = min(broken)[2]
        output = self._outputs.known(digest)
        return self._steps[digest], list(output.last) if output else []

    def _begin(self, item: Vertex) -> Iterator[str]:
        step = self._steps.get(item.digest)
        if step is None:
            if len(self._steps) >= MOST_NAMES:
                raise too_many("build steps")
            step = self._steps[item.digest] = Step()
        if item.name:
            step.label = " ".join(item.name[:LONGEST_LINE].split())[:LONGEST_NAME]
        if item.started is not None and not step.internal:
            yield from self._show(step)

    def _show(self, step: Step) -> Iterator[str]:
        if not step.number:
            self._shown.append(step)
            step.number = len(self._shown)
            yield f"#{step.number} {step.label}"

    def _log(self, log: Log) -> Iterator[str]:
        step = self._steps.get(log.vertex)
        if step is not None:
            for line in self._outputs.of(log.vertex).feed(log.stream, log.message):
                if step.number:
                    yield f"#{step.number} {line}"

    def _end(self, step: Step, item: Vertex) -> Iterator[str]:
        interval = (item.started or 0.0, item.completed or 0.0)
        if item.completed is None or interval == step.interval:
            return
        step.interval = interval
        if item.started is not None:
            step.seconds += max(item.completed - item.started, 0.0)
        output = self._outputs.known(item.digest)
        rest = list(output.rest()) if output else []
        if item.error:
            step.error = item.error[:LONGEST_LINE]
            step.status = CANCELED if item.error.endswith(_CANCEL) else FAILED
            step.failed_at = item.completed
            yield from self._show(step)
        else:
            step.status = CACHED if item.cached else DONE
            self._outputs.forget(item.digest)
        if step.number:
            yield from (f"#{step.number} {line}" for line in rest)
            yield f"#{step.number} {self._ended(step)}"

    @staticmethod
    def _ended(step: Step) -> str:
        if step.status == FAILED:
            return f"ERROR: {step.error}"
        return f"DONE {step.seconds:.1f}s" if step.status == DONE else step.status.upper()
