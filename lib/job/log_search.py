"""SearchLogs: lines of many containers' logs that match, with the lines around them, in the order of their times.

Nothing but the newest matches is held, so a log may have any length. The engine reads each log from its beginning,
also where `since` leaves out most of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lib.config.pattern import pattern
from lib.engine.answer.limits import Limits, bounded
from lib.engine.answer.log_lines import LogLine
from lib.engine.errors import BadInput, Busy, NoSuchOperation, Refused, Unauthorized
from lib.engine.request.query import is_true, seconds
from lib.engine.request.times import instant
from lib.job.errors import Interrupted
from lib.job.targets import Target, targets_of
from lib.job.work import Work

MOST_MATCHES = 200
TIME_IS_UP = "maxSeconds"
_QUERY = ("stdout", "stderr", "timestamps", seconds("since"), seconds("until"))
_LONGEST = 4096
"""Characters of a line in a message."""
_CUT_EVERY = 64
"""Matches of a log after which the oldest are let go."""


@dataclass(slots=True)
class Match:
    """A line that matched; `at` in Unix nanoseconds, `after` grows as the log is read on."""

    container: str
    line: LogLine
    at: int
    before: list[str]
    after: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Characters of all its lines."""
        return sum(map(len, (self.line.text[:_LONGEST], *self.before, *self.after)))

    @property
    def output(self) -> dict[str, Any]:
        """Return what a message says of it."""
        told = {"container": self.container, "time": self.line.time, "stream": self.line.stream}
        return told | {"text": self.line.text[:_LONGEST], "before": self.before, "after": self.after}


@dataclass(slots=True)
class Newest:
    """The newest matches of all logs, so many and so many characters at most; `truncated` says which limit it was."""

    most: int
    characters: int
    truncated: str = ""
    kept: deque[Match] = field(default_factory=deque)

    def take(self, found: deque[Match]) -> None:
        """Add the matches of one log."""
        self.kept = deque(sorted([*self.kept, *found], key=lambda one: one.at))
        self.cut(self.kept)

    def cut(self, matches: deque[Match]) -> None:
        """Leave out the oldest of what is in order already."""
        size, number = 0, 0
        for one in reversed(matches):
            size += one.size
            if number >= self.most or size > self.characters:
                break
            number += 1
        if number < len(matches):
            self.truncated = "maxMatches" if number >= self.most else "maxBytes"
        for _ in range(len(matches) - number):
            matches.popleft()


def searched(work: Work) -> dict[str, Any]:
    """Return the output of SearchLogs."""
    matches = _pattern(work)
    newest = Newest(int(work.fields.get("maxMatches") or MOST_MATCHES), work.settings.max_bytes)
    counts: list[dict[str, Any]] = []
    skipped: list[dict[str, str]] = []
    for target in targets_of(work.engine, work.fields):
        if work.deadline.left <= 0:
            newest.truncated = TIME_IS_UP
            skipped.append({**target.output, "reason": "the time was up"})
            continue
        try:
            counts.append(_search(work, target, matches, newest))
        except (Unauthorized, NoSuchOperation, Busy):
            raise
        except Refused as refusal:  # it has gone, or its log is where the engine cannot read it
            skipped.append({**target.output, "reason": str(refusal.message)[:500]})
    return {
        "matches": sum(one["matches"] for one in counts),
        "results": [one.output for one in newest.kept],
        "perContainer": counts,
        "skipped": skipped,
    } | ({"truncated": newest.truncated} if newest.truncated else {})


def _pattern(work: Work) -> Callable[[str], bool]:
    written = str(work.fields.get("pattern") or "")
    case = "(?i)" if is_true(work.fields.get("ignoreCase")) else ""
    matches = pattern({"pattern": f"{case}{written}" if written.strip() else ""}, "pattern")
    if matches is None:
        raise BadInput("pattern is needed", field="pattern")
    return matches


def _search(work: Work, target: Target, matches: Callable[[str], bool], newest: Newest) -> dict[str, Any]:
    """Read one log to its end, or to the end of the time; return {id, name, lines, matches}."""
    before, after = int(work.fields.get("before") or 0), int(work.fields.get("after") or 0)
    around: deque[str] = deque(maxlen=before)
    found: deque[Match] = deque()
    lines = hits = at = 0
    time: str | None = None
    for line in _lines(work, target, newest):
        lines += 1
        time = line.time or time
        text = line.text[:_LONGEST]
        if after:
            for one in _open(found, after):
                one.after.append(text)
        if matches(line.text):
            hits += 1
            at = _at(time, at)  # of these alone: reading a time costs more than all else of a line
            found.append(Match(target.name, line, at, list(around)))
            if hits % _CUT_EVERY == 0:
                newest.cut(found)
        around.append(text)
    newest.take(found)
    return {**target.output, "lines": lines, "matches": hits}


def _open(found: deque[Match], after: int) -> Iterator[Match]:
    """Yield the matches that want more lines behind them, the newest first."""
    for one in reversed(found):
        if len(one.after) >= after:
            return
        yield one


def _lines(work: Work, target: Target, newest: Newest) -> Iterator[LogLine]:
    stream = str(work.fields.get("stream") or "both")
    fields = {"id": target.id, "stdout": stream != "stderr", "stderr": stream != "stdout", "timestamps": True}
    fields |= {name: work.fields[name] for name in ("since", "until") if work.fields.get(name)}
    left = work.deadline.left
    logs = work.engine.logs("/containers/{id}/logs", fields, query=_QUERY, tty=None)
    with bounded(logs, Limits(max_seconds=left, idle_seconds=left)) as read:
        for line in read:
            if work.context.cancelled.is_set():
                raise Interrupted
            yield line
        if read.truncated:
            newest.truncated = TIME_IS_UP


def _at(time: str | None, last: int) -> int:
    """Return a time in Unix nanoseconds, `last` for one that is none."""
    try:
        return instant(time, "time") if time else last
    except BadInput:
        return last
