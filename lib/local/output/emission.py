"""The interface between running steps and showing what they do: `Emission` and `Output`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from lib.local.catalog.catalog import Function

PROGRESS = "progress"
"""Text of the lines of level trace in whose field `line` a function says what it reads or waits for."""


@dataclass(frozen=True)
class Emission:
    """One emission of a step; `event` has the platform's name: data, error, rebound, snapshot and so on."""

    step: str
    event: str
    message: Mapping[str, Any]


class Output(Protocol):
    """Shows a run: `JsonLines` for pipes, `Terminal` for people."""

    live: bool
    """Whether it wants the progress of functions, as log lines of level trace."""

    def running(self, functions: Mapping[str, Function]) -> None:
        """Take which function each step runs, by step id; called before the first emission."""

    def emission(self, emission: Emission, *, brief: bool = False) -> None:
        """Show one emission; with `brief`, people see errors and rebounds only, since a report shows the rest."""

    def report(self, title: str, report: Any) -> None:
        """Show the result of a flow's report mapper."""

    def note(self, text: str) -> None:
        """Show one line about what is going on."""

    def problem(self, text: str) -> None:
        """Show an error: what is wrong and what to do."""

    def working(self, text: str) -> AbstractContextManager[object]:
        """Show that work is going on while the `with` block runs."""

    def waiting(self, poll: int, new: int, seconds: float) -> AbstractContextManager[object]:
        """Show, while the `with` block waits, how many polls there were and how many messages the last one emitted."""

    def interrupted(self) -> None:
        """Show what a step has read and not emitted, since a person has ended the run."""

    def verdict(self, verdict: Mapping[str, Any]) -> None:
        """Show the result of verifying a credential: `verified`, and `reason` or other details."""

    def log_line(self, line: Mapping[str, Any]) -> None:
        """Show one line of a step's log (protocol 10)."""
