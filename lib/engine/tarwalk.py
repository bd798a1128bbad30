"""Watching a tar go by: whether it is whole, and what the engine wrote into it in place of an end."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator

from lib import jsontext
from lib.engine.errors import StreamCut, StreamFailed

_BLOCK = tarfile.BLOCKSIZE
_ZEROS = bytes(_BLOCK)
_TAIL = 4096
_PAX_LONGEST = 1 << 20
_NO_CONTENT = b"123456"  # links, devices, directories, pipes: a size they may state means nothing
_CHECKSUM = slice(148, 156)
_SIZE = slice(124, 136)
_KIND = 156


def whole(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass a tar through unchanged and raise at its end if it is not whole.

    An engine that fails in the middle of ContainerExport, ImageGet or ImageGetAll has said 200 already: it
    just stops (StreamCut), or it appends its error as JSON (StreamFailed with that text).
    """
    walk = _Walk()
    for chunk in chunks:
        walk.add(chunk)
        yield chunk
    walk.finish()


class _Walk:
    def __init__(self) -> None:
        self._members = 0
        self._skip = 0  # bytes of content and padding still to go by
        self._block = b""  # a header not complete yet, or the content of a pax header
        self._want = _BLOCK
        self._pax_size: int | None = None
        self._in_pax = 0  # its length without padding
        self._zero_blocks = 0
        self._foreign = False
        self._tail = b""

    def add(self, chunk: bytes) -> None:
        self._tail = chunk[-_TAIL:] if len(chunk) >= _TAIL else (self._tail + chunk)[-_TAIL:]
        position, end = 0, len(chunk)
        while position < end and not self._foreign:
            if self._skip:
                step = min(self._skip, end - position)
                self._skip -= step
            else:
                step = min(self._want - len(self._block), end - position)
                self._block += chunk[position : position + step]
                if len(self._block) == self._want:
                    self._take()
            position += step

    def _take(self) -> None:
        block, self._block, self._want = self._block, b"", _BLOCK
        if self._in_pax:
            self._pax_size = _pax_size(block[: self._in_pax])
            self._in_pax = 0
        elif block == _ZEROS:
            self._zero_blocks += 1
        elif self._zero_blocks or not _is_header(block):
            self._foreign = True
        else:
            self._header(block)

    def _header(self, header: bytes) -> None:
        size, kind = _number(header[_SIZE]), header[_KIND]
        if kind == ord("x"):
            if not 0 < size <= _PAX_LONGEST:
                raise StreamFailed(f"Member {self._members + 1} of the tar has an impossible header")
            self._in_pax, self._want = size, size + -size % _BLOCK
            return
        if self._pax_size is not None and kind not in b"gLK":
            size, self._pax_size = self._pax_size, None
        if kind not in _NO_CONTENT:
            self._skip = size + -size % _BLOCK
        self._members += kind not in b"gLK"

    def finish(self) -> None:
        """Raise unless the tar came to its end and nothing but zeros followed."""
        if self._zero_blocks and not self._foreign and not self._block.strip(b"\0"):
            return
        message = _message(self._tail)
        if message:
            raise StreamFailed(f"The engine failed while it wrote the archive: {message}")
        if self._foreign:
            raise StreamFailed(f"What follows member {self._members} of the archive is no tar")
        raise StreamCut(f"The archive was cut after member {self._members} began", records=self._members)


def _is_header(block: bytes) -> bool:
    try:
        stated = int(block[_CHECKSUM].strip(b" \0") or b"-1", 8)
    except ValueError:
        return False
    # Over all bytes of the header, its own field taken as eight spaces.
    return stated == sum(block) - sum(block[_CHECKSUM]) + 8 * 0x20


def _number(field: bytes) -> int:
    if field[0] & 0x80:  # binary, for sizes that eleven octal digits cannot hold
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:])
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        raise StreamFailed("A size in the tar is no number") from None


def _pax_size(content: bytes) -> int | None:
    """Return the record `size` of a pax header, which replaces the one of the member's own header."""
    while content:
        length, _, _ = content.partition(b" ")
        if not length.isdigit() or not 0 < int(length) <= len(content):
            return None
        record, content = content[len(length) + 1 : int(length)], content[int(length) :]
        name, _, value = record.partition(b"=")
        if name == b"size" and value.strip().isdigit():
            return int(value)
    return None


def _message(tail: bytes) -> str | None:
    """Return the engine's error at the end of what should be a tar."""
    for mark in (b'{"errorDetail"', b'{"message"', b'{"error"'):
        start = tail.rfind(mark)
        if start >= 0:
            try:
                error = jsontext.decode(tail[start:].strip(b"\0\r\n "))
            except ValueError:
                continue
            detail = error.get("errorDetail") or {}
            return str(detail.get("message") or error.get("message") or error.get("error"))
    return None
