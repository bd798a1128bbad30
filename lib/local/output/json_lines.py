"""Output for pipes: emissions as JSON lines on stdout, everything else as JSON lines on stderr."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, BinaryIO

from lib.jsontext import encode
from lib.local.catalog.catalog import Function
from lib.local.output.emission import Emission
from lib.local.problems import OutputClosed


class JsonLines:
    """Writes whole lines and flushes each, so that a reader gets an emission at once; OutputClosed without a reader."""

    live = False

    def __init__(self, out: BinaryIO | None = None, log: BinaryIO | None = None) -> None:
        self._out = out or sys.stdout.buffer
        self._log = log or sys.stderr.buffer

    def running(self, functions: Mapping[str, Function]) -> None:
        """Do nothing: a pipe gets what the steps emit as it is."""

    def emission(self, emission: Emission, *, brief: bool = False) -> None:  # noqa: ARG002 - pipes always get the whole emission
        _write(self._out, {"step": emission.step, "event": emission.event, "message": emission.message})

    def value(self, value: Mapping[str, Any]) -> None:
        """Write one line that is no emission (list, describe, verify)."""
        _write(self._out, value)

    def report(self, title: str, report: Any) -> None:
        """Write nothing: the report's message is on stdout already."""

    def note(self, text: str) -> None:
        _write(self._log, {"name": "local", "level": 30, "msg": text})

    def problem(self, text: str) -> None:
        _write(self._log, {"name": "local", "level": 50, "msg": text})

    def verdict(self, verdict: Mapping[str, Any]) -> None:
        self.value(verdict)

    def working(self, text: str) -> AbstractContextManager[object]:  # noqa: ARG002 - progress is for people
        return nullcontext()

    def waiting(self, poll: int, new: int, seconds: float) -> AbstractContextManager[object]:  # noqa: ARG002 - as above
        return nullcontext()

    def interrupted(self) -> None:
        """Write nothing: a pipe gets whole messages or none."""

    def log_line(self, line: Mapping[str, Any]) -> None:
        _write(self._log, line)


def _write(stream: BinaryIO, value: Mapping[str, Any]) -> None:
    try:
        stream.write(encode(value) + b"\n")
        stream.flush()
    except BrokenPipeError:
        raise OutputClosed from None
