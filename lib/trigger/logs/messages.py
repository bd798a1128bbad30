"""Writes log lines as messages; a line that does not fit into one message is emitted in parts."""

from __future__ import annotations

from collections.abc import Iterator

from lib import jsontext
from lib.trigger.clock import iso
from lib.trigger.containers.container import Container
from lib.trigger.logs.position import Line
from lib.trigger.marks.compact import mark
from lib.trigger.poll import Finding

MOST_ESCAPED = 6
"""Upper bound of the bytes of JSON for one character, or for one byte that is no text."""
LEAST_PART = 1000
"""Lower bound of a part, in characters."""


def told(container: Container, line: Line, room: int) -> Iterator[Finding]:
    """Yield the finding for a line, or one for each part; `room` is how many bytes of JSON a body may have."""
    facts = [line.time, line.place, line.stream, line.data.hex()]
    identity = f"{container.id} {line.time} {mark(facts, 20)}"
    body = {
        "kind": "line",
        "container": container.body(),
        "stream": line.stream,
        "text": line.text,
        "whole": line.whole,
        **({"lossy": True} if line.lossy else {}),
        "timeNano": str(line.time),
        "timestamp": iso(line.time),
    }
    # Nearly all lines are short: their upper bound shows that they fit, without encoding them.
    if len(line.data) * MOST_ESCAPED < room // 2 or len(jsontext.encode(body)) <= room:
        yield Finding(body, identity)
        return
    around = len(jsontext.encode({**body, "text": "", "part": 1 << 32}))
    size = max((room - around) // MOST_ESCAPED, LEAST_PART)
    parts = range(0, len(line.text), size)
    for number, start in enumerate(parts, 1):
        whole_line = line.whole and start == parts[-1]
        part = {**body, "text": line.text[start : start + size], "whole": whole_line, "part": number}
        yield Finding(part, f"{identity} part {number}")
