"""Checks a tar while it passes: whether it is whole, or the engine wrote an error in the place of its end.

An engine that fails in the middle of ContainerExport, ImageGet or ImageGetAll has sent the status 200 already: it just
stops, or it appends its error as JSON. So the headers are followed, block by block, up to the zeros at the end.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator

from lib import jsontext
from lib.engine.answer.tar_header import is_header, pax_records, pax_size, size_of
from lib.engine.errors import StreamCut, StreamFailed

_BLOCK = tarfile.BLOCKSIZE
_ZEROS = bytes(_BLOCK)
_TAIL = 4096
LONGEST_META = 1 << 20
"""Bytes of one header before a member: pax records, long names, the maps of sparse files."""
MOST_META = 16
"""Headers before one member; tar readers nest one level deeper for each."""
_NO_CONTENT = b"123456"  # links, devices, directories, pipes: their size has no meaning
_SIZE = slice(124, 136)
_KIND = 156
_PAX, _GLOBAL, _SPARSE = b"xX", b"g", b"S"
_META = _PAX + _GLOBAL + b"LK"
# Where a sparse header, and a block of its map, says that another block of the map follows.
_SPARSE_MORE, _MAP_MORE = 482, 504


def whole(chunks: Iterable[bytes], *, sparse: bool = True) -> Iterator[bytes]:
    """Yield the chunks of a tar unchanged; raise at its end if it is not whole, or at once if no reader could go on.

    Raises StreamCut for a cut, StreamFailed for a wrong header, and with the engine's text for an error of the engine.
    Without `sparse`, files that are stored with a map of their holes are refused.
    """
    walk = _Walk(sparse=sparse)
    for chunk in chunks:
        walk.add(chunk)
        yield chunk
    walk.finish()


class _Walk:
    def __init__(self, *, sparse: bool) -> None:
        self._sparse = sparse
        self._members = 0
        self._skip = 0  # bytes of content and padding still to skip
        self._block = bytearray()  # a header that is not complete yet, or the content of a meta header
        self._want = _BLOCK
        self._meta_kind: int | None = None  # of the header whose content comes next
        self._meta_size = 0  # its length without padding
        self._metas = 0
        self._map_size = 0
        self._in_map = False
        self._pax_size: int | None = None
        self._zero_blocks = 0
        self._foreign = False
        self._tail = b""

    def add(self, chunk: bytes) -> None:
        self._tail = chunk[-_TAIL:] if len(chunk) >= _TAIL else (self._tail + chunk)[-_TAIL:]
        position, end = 0, len(chunk)
        while position < end and not self._foreign:
            if self._skip and not self._in_map:
                step = min(self._skip, end - position)
                self._skip -= step
            else:
                step = min(self._want - len(self._block), end - position)
                self._block += chunk[position : position + step]
                if len(self._block) == self._want:
                    self._take()
            position += step

    def _take(self) -> None:
        block, self._want = bytes(self._block), _BLOCK
        self._block.clear()
        if self._meta_kind is not None:
            kind, self._meta_kind = self._meta_kind, None
            self._meta(kind, block[: self._meta_size])
        elif self._in_map:
            self._map(block)
        elif block == _ZEROS:
            self._zero_blocks += 1
        elif self._zero_blocks or not is_header(block):
            self._foreign = True
        else:
            self._header(block)

    def _header(self, header: bytes) -> None:
        size, kind = size_of(header[_SIZE]), header[_KIND]
        if kind in _META:
            self._metas += 1
            if not 0 < size <= LONGEST_META or self._metas > MOST_META:
                raise StreamFailed(f"Member {self._members + 1} of the tar has an impossible header")
            self._meta_kind, self._meta_size, self._want = kind, size, size + -size % _BLOCK
            return
        if self._pax_size is not None:
            size, self._pax_size = self._pax_size, None
        if kind not in _NO_CONTENT:
            self._skip = size + -size % _BLOCK
        self._metas = 0
        self._members += 1
        if kind in _SPARSE:
            self._refuse_sparse()
            self._in_map, self._map_size = bool(header[_SPARSE_MORE]), 0

    def _meta(self, kind: int, content: bytes) -> None:
        if kind not in _PAX + _GLOBAL:
            return
        if any(name.startswith(b"GNU.sparse.") for name, _ in pax_records(content)):
            self._refuse_sparse()
        size = pax_size(content)
        if size is not None and kind in _GLOBAL:
            raise StreamFailed("A global header of the tar states a size for all members")
        if kind in _PAX:
            self._pax_size = size

    def _map(self, block: bytes) -> None:
        self._map_size += _BLOCK
        self._in_map = bool(block[_MAP_MORE])
        if self._map_size > LONGEST_META:
            raise StreamFailed(f"Member {self._members} of the tar has an impossible header")

    def _refuse_sparse(self) -> None:
        if not self._sparse:
            raise StreamFailed("A file in the tar is stored with a map of its holes, which is not read here")

    def finish(self) -> None:
        """Raise unless the tar came to its end and only zeros followed."""
        if self._zero_blocks and not self._foreign and not self._block.strip(b"\0"):
            return
        message = _message(self._tail)
        if message:
            raise StreamFailed(f"The engine failed while it wrote the archive: {message}")
        if self._foreign:
            raise StreamFailed(f"What follows member {self._members} of the archive is no tar")
        raise StreamCut(f"The archive was cut after member {self._members} began", records=self._members)


def _message(tail: bytes) -> str | None:
    """Return the text of an engine's error at the end of a tar, or None."""
    for mark in (b'{"errorDetail"', b'{"message"', b'{"error"'):
        start = tail.rfind(mark)
        if start >= 0:
            try:
                error = jsontext.decode(tail[start:].strip(b"\0\r\n "))
            except ValueError:
                continue
            detail = error.get("errorDetail")
            inner = detail.get("message") if isinstance(detail, dict) else None
            return str(inner or error.get("message") or error.get("error") or detail)
    return None
