"""A container's log as engines serve it: what `since`, `until` and `tail` leave out, by the age of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lib.trigger.clock import iso

SECOND = 1_000_000_000


@dataclass
class Log:
    """`messages` are (stream, Unix nanoseconds, bytes): what the log driver keeps, in the order of the file."""

    messages: list[tuple[str, int, bytes]] = field(default_factory=list)
    terminal: bool = False

    def served(self, query: Mapping[str, str], *, filters_all: bool) -> bytes:
        """The answer to ContainerLogs with timestamps."""
        kept = self.messages[-int(query["tail"]) :] if query.get("tail", "all") != "all" else self.messages
        since, until = _nanos(query.get("since")), _nanos(query.get("until"))
        if since and filters_all:
            kept = [one for one in kept if one[1] >= since]
        elif since:
            begin = next((place for place, one in enumerate(kept) if one[1] >= since), len(kept))
            kept = kept[begin:]
        if until:
            end = next((place for place, one in enumerate(kept) if one[1] > until), len(kept))
            kept = kept[:end]
        return b"".join(self._message(*one) for one in kept)

    def _message(self, stream: str, time: int, data: bytes) -> bytes:
        payload = iso_nanos(time).encode() + b" " + data
        if self.terminal:
            return payload
        return bytes([1 if stream == "stdout" else 2, 0, 0, 0]) + len(payload).to_bytes(4) + payload


def iso_nanos(time: int) -> str:
    """A time as engines write it: always with nine decimals."""
    return iso(time) if time % SECOND else iso(time + 1).replace("000000001Z", "000000000Z")


def _nanos(written: str | None) -> int:
    if not written:
        return 0
    seconds, _, part = written.partition(".")
    return int(seconds) * SECOND + int(part.ljust(9, "0") or 0)
