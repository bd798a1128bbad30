"""JSON records out of a stream of bytes: one a line (LF or CRLF), or json-seq (each begins with 0x1E)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from lib.engine.errors import StreamCut, StreamFailed

_SHOWN = 60


def records(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the objects of a stream, wherever the chunks were cut; blank lines count for nothing.

    A last record without a line end is a record if it is whole, else a StreamCut. A line that is no JSON
    object is a StreamFailed. When the source itself fails, what it had brought whole comes first.
    """
    count = 0
    rest = _Rest()
    try:
        for chunk in chunks:
            for line in rest.lines(chunk):
                record = _record(line, count)
                count += 1
                yield record
    except Exception:
        # The source failed: a failure that the engine reported last must not be lost behind it.
        last = _whole(rest.take())
        if last is not None:
            yield last
        raise
    line = rest.take()
    if line:
        last = _whole(line)
        if last is None:
            raise StreamCut(
                f"The stream was cut inside record {count + 1}; {count} came whole", records=count
            )
        yield last


class _Rest:
    """The beginning of a line whose end has not come yet, in pieces: joining is done once a line."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def lines(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the lines that `chunk` completes, without blank ones."""
        if b"\x1e" in chunk:  # never inside a JSON text, where control characters are escaped
            chunk = chunk.replace(b"\x1e", b"\n")
        *whole, last = chunk.split(b"\n")
        for piece in whole:
            self._pieces.append(piece)
            line = self.take()
            if line:
                yield line
        if last:
            self._pieces.append(last)

    def take(self) -> bytes:
        """Return what has gathered and begin anew."""
        if not self._pieces:
            return b""
        line = b"".join(self._pieces).strip()
        self._pieces.clear()
        return line


def _parse(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        # orjson is stricter than some engines: NaN, or bytes that are no UTF-8 in a program's output.
        return json.loads(line.decode("utf-8", "replace"))


def _record(line: bytes, count: int) -> dict[str, Any]:
    try:
        value = _parse(line)
    except ValueError:
        value = None
    if isinstance(value, dict):
        return value
    shown = line[:_SHOWN].decode("utf-8", "replace")
    raise StreamFailed(
        f"Record {count + 1} of the stream is no JSON object: {shown!r}",
        hint="Check that the address leads to a Docker Engine and that no proxy answers in its place",
    )


def _whole(line: bytes) -> dict[str, Any] | None:
    try:
        value = _parse(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
