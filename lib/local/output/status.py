"""What a terminal shows while a step works, and while the next poll is waited for; it goes away by itself."""

from __future__ import annotations

import time
from collections import deque

from rich.console import Console, ConsoleOptions, RenderResult
from rich.spinner import Spinner
from rich.text import Text

from lib.local.output.shown import one_line, shown

_LINES = 8
"""Lines of a step's progress that are shown."""


class Working:
    """A spinner with the name of what works, and below it the last lines of its progress."""

    def __init__(self, name: str, lines: deque[str]) -> None:
        self._spinner = Spinner("dots", shown(one_line(name)))
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._spinner
        for line in list(self._lines.copy())[-_LINES:]:
            yield Text(f"  {one_line(line)}", style="dim", no_wrap=True, overflow="ellipsis")


class Waiting:
    """How many polls there were, what the last one found, and the seconds until the next."""

    def __init__(self, poll: int, new: int, seconds: float) -> None:
        self._poll, self._new = poll, new
        self._end = time.monotonic() + seconds

    def __rich__(self) -> Text:
        left = max(0.0, self._end - time.monotonic())
        return Text(f"poll {self._poll}, next in {left:.0f} s, {self._new} new", style="dim")
