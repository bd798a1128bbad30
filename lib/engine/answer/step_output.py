"""What build steps write: pieces that are cut anywhere become lines, and the last ones are kept for an error."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator

LONGEST_LINE = 4_096
"""Characters kept of a line of text."""
LAST_LINES = 20
_MOST = (
    100  # steps whose output is held at one time; of more, those that were silent the longest are forgotten
)


class StepOutput:
    """The output of one step: stdout and stderr are joined by lines, as they came."""

    def __init__(self) -> None:
        self.last: deque[str] = deque(maxlen=LAST_LINES)
        self._partial: dict[bool, bytes] = {}

    def feed(self, stream: int, message: bytes) -> Iterator[str]:
        """Yield the lines that a piece completes, without blank ones."""
        errors = stream == 2  # noqa: PLR2004 - as the engine numbers them
        *whole, rest = (self._partial.pop(errors, b"") + message).split(b"\n")
        for line in whole:
            yield from self._line(line)
        if rest:
            self._partial[errors] = _cut(rest)

    def rest(self) -> Iterator[str]:
        """Yield what came without a line end."""
        for errors in sorted(self._partial):
            yield from self._line(self._partial.pop(errors))

    def _line(self, line: bytes) -> Iterator[str]:
        text = _cut(line).rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace").rstrip()
        if len(text) > LONGEST_LINE:
            text = f"{text[: LONGEST_LINE - 1]}…"
        if text:
            self.last.append(text)
            yield text


def _cut(line: bytes) -> bytes:
    """Return a line without what a progress bar overwrote, and not longer than its beginning may be."""
    if len(line) <= 4 * LONGEST_LINE:
        return line
    end = b"\r" if line.endswith(b"\r") else b""
    return line.rstrip(b"\r").rpartition(b"\r")[2][: 4 * LONGEST_LINE] + end


class Outputs:
    """The outputs of all steps, by the name of the step."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, StepOutput] = OrderedDict()

    def of(self, step: str) -> StepOutput:
        """Return the output of a step, an empty one if it wrote nothing yet."""
        output = self._of.setdefault(step, StepOutput())
        self._of.move_to_end(step)
        if len(self._of) > _MOST:
            self._of.popitem(last=False)
        return output

    def known(self, step: str) -> StepOutput | None:
        """Return the output of a step that wrote something, and is not forgotten."""
        return self._of.get(step)

    def forget(self, step: str) -> None:
        """Hold the output of a step no longer."""
        self._of.pop(step, None)
