"""What a judge knows of one trigger: its polls, its messages, what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from lib.trigger.clock import SECOND, nanoseconds
from tests.triggers.soak.life import Life
from tests.triggers.soak.record import Record
from tests.triggers.soak.step import Told, Window
from tests.triggers.soak.verdict import NOTICES, Verdict

T = TypeVar("T")
Event = Mapping[str, Any]
EDGE = 3
"""Seconds before its begin up to which a poll surely saw the events."""
MEMORY = 250


@dataclass(frozen=True)
class Case:
    """`events`: the engine's stream as the lab's own reader got it."""

    trigger: str
    windows: Sequence[Window]
    told: Sequence[Told]
    events: Sequence[Event]
    record: Record

    @cached_property
    def messages(self) -> list[Told]:
        """What was told, without notices."""
        return [one for one in self.told if one.body.get("kind") not in NOTICES]

    @cached_property
    def notices(self) -> list[Told]:
        """Gaps and warnings."""
        return [one for one in self.told if one.body.get("kind") in NOTICES]

    def verdict(self) -> Verdict:
        """A verdict to be filled."""
        found = Verdict(self.trigger, polls=len(self.windows))
        found.note(self.told)
        return found

    @property
    def begin(self) -> float:
        """What happened later than this the first poll did not see."""
        return self.windows[0].end

    def after(self, at: float) -> Window | None:
        """The first poll that began after a time, None where there was none any more."""
        return next((one for one in self.windows if one.begin > at), None)

    def before(self, at: float) -> Window | None:
        """The last poll that had ended by a time."""
        return next((one for one in reversed(self.windows) if one.end < at), None)

    def changes(self, value: Callable[[Window], T | None]) -> Iterator[tuple[Window, Window, T, T]]:
        """Two polls and two values that were surely so during them, where they differ; in between nobody knows."""
        before, old = None, None
        for now in self.windows:
            new = value(now)
            if new is not None:
                if before is not None and old is not None and old != new:
                    yield before, now, old, new
                before, old = now, new

    def during(self, begin: Window, end: Window | None = None) -> list[Told]:
        """The messages from the begin of a poll to its end, or to that of a later one."""
        return [one for one in self.messages if begin.begin <= one.at <= (end or begin).end]

    def remembered(self, before: Window, now: Window) -> bool:
        """Whether the engine's memory of 256 events surely reached from one poll to another."""
        begin, end = (before.begin - EDGE) * SECOND, now.end * SECOND
        return sum(begin < event["timeNano"] < end for event in self.events) < MEMORY

    def poll_before(self, at: float) -> int:
        """The number of polls that were stored before a time: two messages of one number have the same place."""
        return sum(window.end < at for window in self.windows)

    @cached_property
    def lives(self) -> dict[str, list[tuple[float, str, Mapping[str, str]]]]:
        """By container: its events as (time in seconds, action, attributes), without those of execs."""
        found: dict[str, list[tuple[float, str, Mapping[str, str]]]] = {}
        for event in self.events:
            if event["Type"] == "container" and not event["Action"].startswith("exec_"):
                one = (event["timeNano"] / SECOND, event["Action"], event["Actor"]["Attributes"])
                found.setdefault(event["Actor"]["ID"], []).append(one)
        return found

    def life(self, identity: str) -> Life:
        """What is known of a container."""
        return Life(self.lives[identity], self.record.removals.get(identity, 0))


def seconds(text: str | None) -> float:
    """A time of a message."""
    return nanoseconds(text) / SECOND if text else 0
