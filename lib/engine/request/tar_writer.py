"""Writes tars as streams: one file for PutContainerArchive, a Dockerfile for ImageBuild.

The header of a file holds its size and comes before its content. So content of unknown size goes to a temporary file
first, on the disk, not in memory.
"""

from __future__ import annotations

import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from posixpath import normpath
from typing import IO

from lib.engine.errors import BadInput
from lib.engine.request.upload import PIECE, Chunks, Upload

_BLOCK = tarfile.BLOCKSIZE
_END = bytes(2 * _BLOCK)


@dataclass(frozen=True)
class File:
    """A file for a tar. `content` and `size` (bytes) are as for Upload, `modified` is in Unix seconds (None: now)."""

    name: str
    content: Chunks
    size: int | None = None
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    modified: float | None = None


def archive(files: Sequence[File], *, root: bool = False) -> Upload:
    """Return the tar of `files` as an Upload; its size is known if the sizes of all files are.

    With `root` the folder itself, `./`, stands before them.

    Raises BadInput for a name that is empty, absolute or leads upwards. The upload raises UploadBroken for a content
    whose length is not the announced one.
    """
    now = time.time()
    sources = [Upload(file.content, file.size) for file in files]
    names = [_name(file.name) for file in files]

    first = _root(now) if root else b""

    def chunks() -> Iterator[bytes]:
        yield first
        for file, name, source in zip(files, names, sources, strict=True):
            yield from _member(file, name, source, now)
        yield _END

    total: int | None = len(first) + len(_END)
    for file, name, source in zip(files, names, sources, strict=True):
        if total is None or source.size is None:
            total = None
        else:
            total += len(_header(file, name, source.size, now)) + source.size + _padding(source.size)
    opened = chunks if all(source.repeatable for source in sources) else chunks()
    return Upload(opened, total)


def file_archive(name: str, content: Chunks, *, size: int | None = None, mode: int = 0o644) -> Upload:
    """Return the tar of one file (PutContainerArchive)."""
    return archive([File(name, content, size, mode)])


def _name(name: str) -> str:
    normal = normpath(name)
    if not name or name.endswith("/") or normal.startswith(("/", "../")) or normal in (".", ".."):
        raise BadInput(
            f"name: {name!r} is no file below the target directory",
            field="name",
            hint="Give a relative name such as settings.json; the directory is another field (path)",
        )
    if "\0" in name:
        raise BadInput("name: a file name must not hold a NUL character", field="name")
    return normal


def _member(file: File, name: str, source: Upload, now: float) -> Iterator[bytes]:
    if source.size is not None:
        yield _header(file, name, source.size, now)
        yield from source
        yield bytes(_padding(source.size))
        return
    with tempfile.TemporaryFile() as held:
        for piece in source:
            held.write(piece)
        size = held.tell()
        held.seek(0)
        yield _header(file, name, size, now)
        yield from _read(held)
        yield bytes(_padding(size))


def _read(held: IO[bytes]) -> Iterable[bytes]:
    return iter(lambda: held.read(PIECE), b"")


def _header(file: File, name: str, size: int, now: float) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.uid, info.gid = size, file.mode, file.uid, file.gid
    info.mtime = int(now if file.modified is None else file.modified)
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _root(now: float) -> bytes:
    info = tarfile.TarInfo("./")
    info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o755, int(now)
    return info.tobuf(tarfile.USTAR_FORMAT)


def _padding(size: int) -> int:
    return -size % _BLOCK
