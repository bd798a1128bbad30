"""Waiting for a line of a container's log: each look reads on from the time of the last line."""

from __future__ import annotations

from typing import Any

from lib.config.pattern import pattern
from lib.engine.answer.limits import Limits, bounded
from lib.engine.answer.log_lines import LogLine
from lib.engine.errors import BadInput, Conflict
from lib.engine.request.query import seconds
from lib.engine.request.times import SECOND, instant
from lib.job.errors import NotReached
from lib.job.last_end import end_before
from lib.job.states import State, look_at
from lib.job.work import Work

_A_LOOK = Limits(max_bytes=8 * 1024 * 1024, max_items=100_000, idle_seconds=10, max_seconds=30)
_EARLY = SECOND // 10
_LONGEST_LINE = 4096
"""Characters of a line in a message."""


def waited_for_line(work: Work, target: str) -> dict[str, Any]:
    """Return the output of WaitForContainer once the container has written a line that matches.

    Only lines since its last start count. Raises NotReached where it has ended without one.
    """
    matches = pattern(work.fields, "pattern")
    if matches is None:
        raise BadInput("pattern is needed to wait for a line", field="pattern")
    first = look_at(work.engine, target)
    place: list[Any] = [first.started, _beginning(work, first)]  # its start, time of the last line read

    def look() -> tuple[State, LogLine | None]:
        state = look_at(work.engine, first.id)  # before the log: what ended has written all of it then
        if state.started != place[0]:
            place[:] = [state.started, _beginning(work, state)]
        try:
            read = _read(work, state.id, place[1])
        except Conflict:  # it is being removed: the next look finds it gone
            return state, None
        with bounded(read, _A_LOOK, lambda line: len(line.text)) as lines:
            for line in lines:
                place[1] = line.time or place[1]
                if matches(line.text):
                    return state, line
        if state.is_over and lines.truncated is None:
            raise NotReached(f"No line has matched, and {state}", **state.output)
        return state, None

    def late(found: tuple[State, LogLine | None]) -> tuple[str, dict[str, Any]]:
        return f"No line of {found[0].name} has matched yet: {found[0]}", found[0].output

    state, line = work.until(look, lambda found: found[1] is not None, late)
    return {"reached": True, **state.output, "line": (line.text if line else "")[:_LONGEST_LINE]}


def _beginning(work: Work, state: State) -> int:
    """Return a time (Unix nanoseconds) after all lines of the run before and before all of this one; 0: there is none.

    Engines tell a start some milliseconds after the first lines. Where the end before it is not remembered, the times
    of the inspect serve: of one that runs the end before; else no container comes up again within a tenth of a second.
    """
    started, finished = _instant(state.started), _instant(state.finished)
    if not started or (not state.is_over and not finished):  # never started, or in its first run
        return 0
    if (end := end_before(work.engine, state.id, started)) is not None:
        return end
    return max(started - _EARLY, 0) if state.is_over else finished


def _instant(written: str) -> int:
    """Read a time of the engine, whose year 1 stands for never."""
    try:
        return instant(written, "time") if written else 0
    except BadInput:
        return 0


def _read(work: Work, identity: str, since: int | str) -> Any:
    fields = {"id": identity, "stdout": True, "stderr": True, "timestamps": True} | (
        {"since": since} if since else {}
    )
    query = ("stdout", "stderr", "timestamps", seconds("since"))
    return work.engine.logs("/containers/{id}/logs", fields, query=query, tty=None)
