"""Archives of the input as members: tar, tar.gz and zip. All of it is hostile: names, links, sizes, counts."""

from __future__ import annotations

import calendar
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO

from lib.engine.answer.limits import capped
from lib.engine.answer.tar_reader import members
from lib.engine.errors import BadInput, LimitReached, StreamCut, StreamFailed
from lib.engine.request.archive_kind import check_archive
from lib.engine.request.upload import PIECE, Upload
from lib.job.files.entries import FILE, FOLDER, LINK, MOST, Entries, Entry, below

_FIELD = "archive"
_GZIP_START, _ZIP_STARTS = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
_GZIP = 31
_END_OF_ZIP = b"PK\x05\x06"
_END_LENGTH, _LONGEST_COMMENT, _LOCATOR_LENGTH = 22, 65_535, 20
_MOST_DIRECTORY = 4 * 1024 * 1024
"""Bytes of a zip's list of contents, which is held in memory."""
_LONGEST_LINK = 4096


def unpack(upload: Upload, entries: Entries, limit: int) -> None:
    """Read an archive into `entries`; `limit`: bytes of the archive itself, and of a zip before it is unpacked.

    Raises BadInput for what is no whole archive, UnsafeArchive and BadInput for members that would end up outside,
    LimitReached for more than the limits.
    """
    upload.open()
    try:
        start = upload.beginning
        if start.startswith(_ZIP_STARTS):
            _unzip(upload, entries, limit)
            return
        if not start.startswith(_GZIP_START):
            check_archive(start, _FIELD)
        pieces: Iterable[bytes] = capped(upload, limit)
        with of_the_input(_FIELD):
            _untar(_gunzipped(pieces, limit) if start.startswith(_GZIP_START) else pieces, entries)
    finally:
        upload.close()


def _gunzipped(pieces: Iterable[bytes], limit: int) -> Iterator[bytes]:
    # The tar around the files is some more than they are; without a bound here, zeros alone could go on for ever.
    yield from capped(gunzipped(pieces), 2 * limit + MOST * 2048)


@contextmanager
def of_the_input(field: str) -> Iterator[None]:
    """A tar of the input that is cut or broken stays so: BadInput, where one of the engine could be read again."""
    try:
        yield
    except (StreamCut, StreamFailed) as fault:
        raise BadInput(f"{field}: {fault.message}", field=field) from fault


def gunzipped(pieces: Iterable[bytes], field: str = _FIELD) -> Iterator[bytes]:
    """Unpack gzip, in pieces of 64 kB whatever it was packed to; BadInput where it is broken or cut."""
    unpacker, between = zlib.decompressobj(_GZIP), False
    try:
        for piece in pieces:
            rest = piece
            while rest:
                if between:  # several files of gzip after each other are one
                    rest = rest.lstrip(b"\0")
                    if not rest:
                        break
                    unpacker, between = zlib.decompressobj(_GZIP), False
                yield unpacker.decompress(rest, PIECE)
                rest, between = (
                    (unpacker.unused_data, True) if unpacker.eof else (unpacker.unconsumed_tail, False)
                )
        while not between and (more := unpacker.decompress(unpacker.unconsumed_tail, PIECE)):
            yield more
    except zlib.error as fault:
        raise BadInput(f"{field} is a broken gzip: {fault}", field=field) from fault
    if not (between or unpacker.eof):
        raise BadInput(f"{field} is a gzip that was cut", field=field)


def _untar(pieces: Iterable[bytes], entries: Entries) -> None:
    for info, content in members(pieces):
        if info.name.strip("./") == "":  # the folder that was packed: the target is there, and stays as it is
            continue
        name = below(info.name, _FIELD)
        if info.islnk():
            entries.again(Entry(name), below(info.linkname, _FIELD))
            continue
        kind = FOLDER if info.isdir() else LINK if info.issym() else FILE
        mode = None if kind == LINK else info.mode
        target = info.linkname if kind == LINK else ""
        entries.add(Entry(name, kind, mode, info.uid, info.gid, _time(info), target), content)


def _time(info: tarfile.TarInfo) -> float:
    return float(min(max(info.mtime, 0), 2**33))


def _unzip(upload: Upload, entries: Entries, limit: int) -> None:
    with tempfile.TemporaryFile() as held:
        for piece in capped(upload, limit):
            held.write(piece)
        _check_directory(held)
        try:
            with zipfile.ZipFile(held) as archive:
                for info in archive.infolist():
                    _take(archive, info, entries)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
            ValueError,
            OSError,
        ) as bad:
            raise BadInput(f"{_FIELD} is a zip that cannot be read: {bad}", field=_FIELD) from bad


def _check_directory(file: IO[bytes]) -> None:
    """Look at the list of contents before it is read: zipfile holds all of it, whatever its size."""
    size = file.seek(0, 2)
    file.seek(max(size - _END_LENGTH - _LONGEST_COMMENT - _LOCATOR_LENGTH, 0))
    tail = file.read()
    at = tail.rfind(_END_OF_ZIP)
    if at < 0 or len(tail) - at < _END_LENGTH:
        raise BadInput(f"{_FIELD} is a zip without its end", field=_FIELD)
    count, length = struct.unpack_from("<HL", tail, at + 10)
    if b"PK\x06\x07" in tail or count > MOST or length > _MOST_DIRECTORY:
        raise LimitReached(
            f"The zip has more than {MOST} files, or is one of the 64-bit kind",
            limit="files",
            hint="Pack it as tar.gz",
        )


def _take(archive: zipfile.ZipFile, info: zipfile.ZipInfo, entries: Entries) -> None:
    name = below(info.filename, _FIELD)
    mode = info.external_attr >> 16
    rights = mode & 0o7777 or None
    when = _when(info)
    if info.is_dir():
        entries.add(Entry(name, FOLDER, rights, modified=when))
        return
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFLNK):
        raise BadInput(f"{_FIELD}: {name!r} is a device or pipe", field=_FIELD)
    with archive.open(info) as content:
        if stat.S_ISLNK(mode):
            target = content.read(_LONGEST_LINK + 1).decode("utf-8", "surrogateescape")
            _check_link(name, target)
            entries.add(Entry(name, LINK, modified=when, target=target))
        else:
            entries.add(Entry(name, FILE, rights, modified=when), iter(lambda: content.read(PIECE), b""))


def _when(info: zipfile.ZipInfo) -> float | None:
    """Return its time, which has no zone; None where a writer left it empty."""
    try:
        return float(calendar.timegm(info.date_time))
    except (ValueError, OverflowError):
        return None


def _check_link(name: str, target: str) -> None:
    parts, depth = target.split("/"), name.count("/")
    for part in parts:
        depth += -1 if part == ".." else 0 if part in ("", ".") else 1
        if depth < 0 or target.startswith("/") or not target or "\0" in target or len(target) > _LONGEST_LINK:
            raise BadInput(f"{_FIELD}: {name!r} links to the outside", field=_FIELD)
