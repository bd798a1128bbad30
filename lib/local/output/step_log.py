"""The log of steps in a local run: the same lines as on the platform, shown by the run's output."""

from __future__ import annotations

from lib.jsontext import decode
from lib.local.output.emission import Output
from lib.sailor.logging import LEVELS, Logger, Sink


class OutputSink(Sink):
    """A sink that hands each line to the output."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output

    def write(self, line: bytes) -> None:
        self._output.log_line(decode(line))


def step_logger(output: Output, step: str, function: str, *, debug: bool) -> Logger:
    """Return the logger of one step, of level debug or info; trace where the output wants progress."""
    level = LEVELS["trace" if output.live else "debug" if debug else "info"]
    return Logger("sailor", level, OutputSink(output), {"step": step, "function": function})
