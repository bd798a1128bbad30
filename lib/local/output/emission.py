"""What the runs report and to whom: the seam between running steps and showing what they do."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Emission:
    """One event of one step, named as the platform names it: data, error, rebound, snapshot and so on."""

    step: str
    event: str
    message: Mapping[str, Any]


class Output(Protocol):
    """Where a run is shown: JSON lines for pipes, readable text for people."""

    def emission(self, emission: Emission, *, brief: bool = False) -> None:
        """Show one event of a step; `brief` where a report says the rest to people."""

    def report(self, title: str, report: Any) -> None:
        """Show what a flow's report mapper made of a message."""

    def note(self, text: str) -> None:
        """Say what goes on, in one line."""

    def problem(self, text: str) -> None:
        """Say what went wrong and what to do."""

    def working(self, text: str) -> AbstractContextManager[object]:
        """Show that work is going on while the `with` block runs."""

    def verdict(self, verdict: Mapping[str, Any]) -> None:
        """Show what the verification of a credential found."""

    def log_line(self, line: Mapping[str, Any]) -> None:
        """Pass on one line of the steps' log."""
