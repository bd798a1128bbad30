"""Splits a stream of bytes into JSON records: one a line (LF or CRLF), or json-seq (each begins with 0x1E)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lib import jsontext
from lib.engine.errors import StreamCut, StreamFailed

LONGEST_LINE = 1 << 21
"""Bytes of one record. Engines write some kB; the values of a hostile record need about 20 times its bytes."""
_SHOWN = 60
_WHO = "Check that the address leads to a Docker Engine and that no proxy answers in its place"


def records(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a stream; chunks may end anywhere, and blank lines are skipped.

    The last record needs no line end. Raises StreamCut if it is not whole, StreamFailed for a line that is not a JSON
    object or is longer than LONGEST_LINE. If the source fails, a whole last record is yielded before its error is
    raised.
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
        # The last record may be a failure that the engine reported: it comes before the source's error.
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
    """The beginning of a line whose end has not come yet, kept in pieces that are joined once."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def lines(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the lines that `chunk` completes, without blank ones. Raises StreamFailed."""
        if b"\x1e" in chunk:  # never inside JSON text, which escapes control characters
            chunk = chunk.replace(b"\x1e", b"\n")
        *whole, last = chunk.split(b"\n")
        for piece in whole:
            self._add(piece)
            line = self.take()
            if line:
                yield line
        if last:
            self._add(last)

    def _add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > LONGEST_LINE:
            shown = self._pieces[0][:_SHOWN].decode("utf-8", "replace")
            self.take()
            raise StreamFailed(
                f"A record of the stream is longer than {LONGEST_LINE} bytes: {shown!r}", hint=_WHO
            )

    def take(self) -> bytes:
        """Return the line so far, and start a new one."""
        if not self._pieces:
            return b""
        line = b"".join(self._pieces).strip()
        self._pieces.clear()
        self._size = 0
        return line


def _parse(line: bytes) -> Any:
    try:
        return jsontext.decode(line)
    except ValueError:
        # Some engines pass on the output of a program, which may not be UTF-8.
        return jsontext.decode(line.decode("utf-8", "replace").encode())


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
        hint=_WHO,
    )


def _whole(line: bytes) -> dict[str, Any] | None:
    try:
        value = _parse(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
