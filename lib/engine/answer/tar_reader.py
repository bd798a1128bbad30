"""Reads a tar as it streams in: its members one by one, or the one file that it holds."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator
from posixpath import dirname, join, normpath
from typing import IO, cast

from lib.engine.answer.tar_check import whole
from lib.engine.errors import EngineError, StreamFailed
from lib.engine.request.upload import PIECE

_UNREADABLE = (tarfile.TarError, ValueError, OverflowError, RecursionError, LookupError)
"""What tarfile raises for headers that are not valid."""
Member = tuple[tarfile.TarInfo, Iterator[bytes]]


class UnsafeArchive(EngineError):
    """A member of a tar would be unpacked outside of its directory, links to the outside, or is a device."""


class NotOneFile(EngineError):
    """The archive does not hold exactly one regular file."""


def members(chunks: Iterable[bytes], *, checked: bool = True) -> Iterator[Member]:
    """Yield (info, content) of each member; read the content before you ask for the next member.

    Raises UnsafeArchive for a name or link that leads outside, StreamCut and StreamFailed as `whole`. Without `checked`
    the caller judges names and links itself.
    """
    source = _Source(whole(chunks, sparse=False))
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", source), mode="r|") as tar:
            while (info := tar.next()) is not None:
                if checked:
                    check(info)
                info.mode &= 0o7777  # some engines add the bits of the file type
                yield info, _content(tar, info)
                tar.members.clear()  # type: ignore[attr-defined] # it would keep all of them
    except _UNREADABLE as fault:
        raise StreamFailed(f"The archive cannot be read: {fault}") from fault
    source.drain()


def check(info: tarfile.TarInfo) -> None:
    """Raise UnsafeArchive if the member would be unpacked outside of its directory, links there, or is a device."""
    if _outside(info.name):
        raise UnsafeArchive(f"The archive names a file outside of its directory: {info.name!r}")
    target = join(dirname(info.name), info.linkname) if info.issym() else info.linkname
    if (info.issym() or info.islnk()) and _outside(target):
        raise UnsafeArchive(f"{info.name!r} in the archive links to the outside: {info.linkname!r}")
    if info.isdev():
        raise UnsafeArchive(f"{info.name!r} in the archive is a device or pipe")


def _outside(path: str) -> bool:
    normal = normpath(path)
    return normal == ".." or normal.startswith(("/", "../"))


def _content(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Iterator[bytes]:
    file = tar.extractfile(info) if info.isreg() else None
    while file is not None and (piece := file.read(PIECE)):
        yield piece


def single_file(chunks: Iterable[bytes]) -> Member:
    """Return (info, content) of a tar that holds one regular file, as ContainerArchive sends for a file's path.

    Raises NotOneFile at once for a directory or link, and at the end of the content for a second member.
    """
    every = members(chunks)
    first = next(every, None)
    if first is None:
        raise NotOneFile("The archive is empty")
    info, content = first
    if not info.isreg():
        kind = "a directory" if info.isdir() else "no regular file"
        raise NotOneFile(f"{info.name!r} is {kind}", hint="Take the whole archive instead of the file alone")

    def checked() -> Iterator[bytes]:
        yield from content
        for second, _ in every:
            raise NotOneFile(f"The archive holds more than one file: {second.name!r} follows {info.name!r}")

    return info, checked()


class _Source:
    """The chunks as the file object that tarfile reads."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return 1 to `size` bytes, as many as are there; b"" at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = chunk
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def drain(self) -> None:
        """Read what follows the last member: the error of an engine would be there."""
        for _ in self._chunks:
            pass
