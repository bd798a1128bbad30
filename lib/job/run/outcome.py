"""How a program ended: its exit code, its output, who ended it, and what that means for the step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lib.engine.answer.limits import Limits, bounded
from lib.engine.errors import EngineError, NotSupported
from lib.job.errors import BadExit, EngineRestarted, JobError, NotReached
from lib.job.image import Image, look_for
from lib.job.run.container import Seen, moment
from lib.job.run.tail import Tail
from lib.job.work import Work

PROGRAM, TIMEOUT, RESTART = "program", "timeout", "engineRestart"
_KILLED = 137
_AROUND = 16 * 1024
"""Bytes of a message for everything but output and files."""
_LAST = 1000
_LONGEST = 16 * 1024
_LINE_COST = 75  # bytes that a log file holds beside the text of a line
_NEARLY = 0.9
_UP_AGAIN = 60 * 10**9
"""Nanoseconds in which an engine that is up again says that what had run has ended."""
_READING = Limits(max_seconds=300, idle_seconds=60)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run; `output` are stdout, stderr, text and perhaps truncated."""

    seen: Seen
    ended_by: str
    ok: bool
    output: Mapping[str, Any]
    image: Image

    @property
    def told(self) -> dict[str, Any]:
        """Return what a message says of it."""
        return {
            "reached": self.ended_by != TIMEOUT,
            "exitCode": self.seen.exit_code,
            "ok": self.ok,
            **self.output,
            "oomKilled": self.seen.oom,
            "endedBy": self.ended_by,
            # Engines tell a start some milliseconds late, and so a short program's after its end.
            "startedAt": self.seen.started if self.seen.lasted > 0 else self.seen.finished,
            "finishedAt": self.seen.finished,
            "image": self.image.output,
            "container": {"id": self.seen.id, "name": self.seen.name},
        }

    def error(self, seconds: float) -> JobError:
        """Return the error that it is where the step is to fail."""
        text = str(self.output["text"])[-_LAST:].strip()
        last = f" Its last lines: {text}" if text else " It wrote nothing."
        more: dict[str, Any] = {"exitCode": self.seen.exit_code, "endedBy": self.ended_by}
        more |= {name: str(self.output[name])[-_LONGEST:] for name in ("stdout", "stderr")}
        if self.ended_by == TIMEOUT:
            return NotReached(f"The program was stopped after {seconds:g} s.{last}", **more)
        if self.ended_by == RESTART:
            return EngineRestarted(f"The program was killed with its engine.{last}", **more)
        hint = "It was killed for want of memory: raise memoryMb" if self.seen.oom else None
        return BadExit(
            f"The program ended with code {self.seen.exit_code}.{last}",
            hint=hint,
            **more,
            oomKilled=self.seen.oom,
        )


def outcome_of(
    work: Work,
    seen: Seen,
    image: Image,
    ok_codes: frozenset[int],
    heard: Tail | None,
    log_bytes: int,
) -> Outcome:
    """Return how a run ended; `heard` is what was heard of it where its log cannot be read.

    `image` is what the reference is known to mean; it is looked at where the container was made from another one.
    """
    kept, cut = _log(work, seen, heard)
    if image.id != seen.image:
        image = replace(look_for(work, seen.image) or Image("", seen.image), reference=image.reference)
    output = kept.body(work.context.emit.room - _AROUND)
    written = kept.seen + kept.frames_seen * _LINE_COST
    if cut or (log_bytes and written > _NEARLY * log_bytes):  # the engine has let go of what came first
        output.setdefault("truncated", cut or "maxBytes")
    if "\ufffd" in output["text"]:
        work.warn("The output is no whole UTF-8 text: what is none is replaced")
    ended_by = RESTART if _fell_with_its_engine(work, seen) else PROGRAM
    ok = seen.exit_code in ok_codes and ended_by == PROGRAM
    return Outcome(seen, ended_by, ok, output, image)


def _log(work: Work, seen: Seen, heard: Tail | None) -> tuple[Tail, str | None]:
    if heard is not None:
        return heard, None
    kept = Tail(work.settings.max_bytes)
    fields = {"id": seen.id, "stdout": True, "stderr": True}
    try:
        with work.engine.logs(
            "/containers/{id}/logs", fields, query=("stdout", "stderr"), tty=lambda *_: False
        ) as logs:
            logs.pace(_READING.idle_seconds, _READING.max_seconds)
            frames = bounded(logs.frames(), replace(_READING, idle_seconds=None))
            for stream, payload in frames:
                kept.add(stream, payload)
    except NotSupported as refused:
        work.warn(f"The output cannot be read any more: {refused.message}")
        return kept, None
    return kept, frames.truncated


def _fell_with_its_engine(work: Work, seen: Seen) -> bool:
    if seen.exit_code != _KILLED or seen.oom:
        return False
    try:
        began = work.engine.get("/networks/{id}", {"id": "bridge"}).read(
            lambda told: moment(str(told["Created"]))
        )
    except EngineError:  # without the network, or the permission to look at it, nothing is known
        return False
    started, finished = moment(seen.started), moment(seen.finished)
    return started < began and finished < began + _UP_AGAIN
