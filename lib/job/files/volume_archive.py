"""The archive of a volume: a tar packed with gzip that holds manifest.json, and the volume's files below `volume/`.

Those are the names that the engine gives and takes at the root of a helper container, so nothing need be renamed, and
the archive goes back as it is. Other tars can be restored too: their names count from the volume's root on.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from posixpath import normpath
from typing import IO, Any, Self

from lib import jsontext
from lib.engine.answer.limits import capped
from lib.engine.answer.tar_reader import UnsafeArchive, members
from lib.engine.errors import BadInput, LimitReached
from lib.engine.request.archive_kind import check_archive
from lib.engine.request.upload import PIECE, Upload
from lib.job.files.unpacking import gunzipped, of_the_input

MANIFEST, FOLDER = "manifest.json", "volume"
_GZIP, _GZIP_START = 31, b"\x1f\x8b"
_FIELD = "attachment"
_MORE = "The volume holds more"
_BLOCK = tarfile.BLOCKSIZE
_MOST_MANIFEST = 64 * 1024
_MOST_MEMBERS = 1_000_000


class Held:
    """A file on the disk with its size and SHA-256."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - __exit__ closes it
        self._digest = hashlib.sha256()
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def sha256(self) -> str:
        """The hash of all that was written."""
        return self._digest.hexdigest()

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self.size += self._file.write(data)
        self._digest.update(data)

    def clear(self) -> None:
        """Begin anew."""
        self._file.seek(0)
        self._file.truncate()
        self._digest, self.size = hashlib.sha256(), 0

    def __call__(self) -> Iterator[bytes]:
        self._file.seek(0)
        while piece := self._file.read(PIECE):
            yield piece

    def upload(self) -> Upload:
        """Return the content for the engine; it can be sent again."""
        return Upload(self, self.size)


def pack(
    chunks: Iterable[bytes], held: Held, manifest: Mapping[str, Any], exclude: list[str], limit: int
) -> int:
    """Write a volume's tar, as the engine sends it of /volume, packed into `held`; return the number of files.

    `exclude`: patterns of paths below the volume's root; with a folder all in it is left out. `limit`: bytes of the
    tar. Raises StreamCut where the tar is not whole, LimitReached, and BadInput for a hard link to what is left out.
    """
    packer = zlib.compressobj(wbits=_GZIP)

    def put(data: bytes) -> None:
        held.write(packer.compress(data))

    text = json.dumps(dict(manifest), indent=1, sort_keys=True).encode()
    put(_member(MANIFEST, text))
    pieces = iter(chunks)
    first = next(pieces, b"")
    pieces = chain([first], pieces)
    if exclude or first.startswith(b"/"):  # Podman names a volume's files from its own root on
        files = _filtered(pieces, put, _excluding(exclude) if exclude else lambda _: False, limit)
    else:
        files = _passed(pieces, put, limit)
    held.write(packer.flush())
    return files


def _member(name: str, data: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = len(data), int(time.time())
    return info.tobuf(tarfile.PAX_FORMAT) + data + bytes(-len(data) % _BLOCK)


def _passed(chunks: Iterable[bytes], put: Callable[[bytes], None], limit: int) -> int:
    """Pass the tar on byte by byte, and look into it on the way."""

    def seen() -> Iterator[bytes]:
        for chunk in capped(chunks, limit, _MORE):
            put(chunk)
            yield chunk

    return sum(info.isreg() for info, _ in members(seen(), checked=False))


def _filtered(
    chunks: Iterable[bytes], put: Callable[[bytes], None], left_out: Callable[[str], bool], limit: int
) -> int:
    files, without = 0, set()
    for info, content in members(capped(chunks, limit, _MORE), checked=False):
        _rename(info)
        name = _below(info.name)
        if left_out(name):
            without.add(normpath(info.name))
            continue
        if info.islnk() and normpath(info.linkname) in without:
            raise BadInput(
                f"exclude: {name} is a hard link to what is left out; leave out both", field="exclude"
            )
        put(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))
        for piece in content:
            put(piece)
        put(bytes(-info.size % _BLOCK) if info.isreg() else b"")
        files += info.isreg()
    put(bytes(2 * _BLOCK))
    return files


def rerooted(held: Held, into: Held) -> None:
    """Write the files of an archive of ours as a tar whose names count from the volume's root on, unpacked."""
    for number, (info, content) in enumerate(members(gunzipped(held(), _FIELD), checked=False)):
        if number == 0:  # the manifest
            continue
        _named(info, _below(info.name) or ".", _below(info.linkname) if info.islnk() else info.linkname)
        into.write(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))
        for piece in content:
            into.write(piece)
        into.write(bytes(-info.size % _BLOCK) if info.isreg() else b"")
    into.write(bytes(2 * _BLOCK))


def _rename(info: tarfile.TarInfo) -> None:
    """Give a name of Podman, such as /a, the folder that all files have: volume/a."""
    if not info.name or info.name.startswith("/"):
        link = f"{FOLDER}{info.linkname}" if info.islnk() and info.linkname.startswith("/") else info.linkname
        _named(info, FOLDER + info.name.rstrip("/"), link)


def _named(info: tarfile.TarInfo, name: str, link: str) -> None:
    """Set name and target of a link; the texts of its extended header would go before them."""
    info.name, info.linkname = name, link
    kept = {key: value for key, value in info.pax_headers.items() if key not in ("path", "linkpath")}
    info.pax_headers = kept


def _below(name: str) -> str:
    return normpath(name).removeprefix(FOLDER).removeprefix("/")


def _excluding(patterns: list[str]) -> Callable[[str], bool]:
    """Return whether a path is left out: one of its beginnings up to a slash fits one of the patterns."""
    # A star also stands for slashes; translated patterns hold no nested repeats, so they take polynomial time at most
    # on names whose length the tar's reader bounds.
    whole = re.compile("|".join(fnmatch.translate(pattern.strip("/")) for pattern in patterns))

    def left_out(name: str) -> bool:
        parts = name.split("/") if name not in ("", ".") else []
        return any(whole.match("/".join(parts[: number + 1])) for number in range(len(parts)))

    return left_out


class Contents:
    """What an archive holds: `manifest` ({} in a foreign one), where it goes in a helper, and how many files."""

    def __init__(self, manifest: Mapping[str, Any], target: str, files: int) -> None:
        self.manifest, self.target, self.files = manifest, target, files

    @classmethod
    def of(cls, held: Held, limit: int) -> Contents:
        """Read an archive, tar or tar.gz, to its end; `limit`: bytes of the tar.

        Raises UnsafeArchive for members outside of the volume and for devices, BadInput for what is no whole archive,
        LimitReached.
        """
        start = next(held(), b"")
        check_archive(start, _FIELD)
        with of_the_input(_FIELD):
            return cls._read(gunzipped(held(), _FIELD) if start.startswith(_GZIP_START) else held(), limit)

    @classmethod
    def _read(cls, pieces: Iterable[bytes], limit: int) -> Contents:
        manifest: Mapping[str, Any] | None = None
        files = 0
        for number, (info, content) in enumerate(members(capped(pieces, limit, _MORE), checked=False)):
            if number > _MOST_MEMBERS:
                raise LimitReached(f"The archive has more than {_MOST_MEMBERS} members", limit="files")
            if number == 0 and info.name == MANIFEST and (text := _manifest(info, content)) is not None:
                manifest = text
                continue
            _check(info, ours=manifest is not None)
            files += info.isreg()
        return cls(manifest or {}, "/" if manifest is not None else f"/{FOLDER}", files)


def _manifest(info: tarfile.TarInfo, content: Iterator[bytes]) -> Mapping[str, Any] | None:
    """Return the manifest; None for another file of this name, which a foreign archive may begin with."""
    if not info.isreg() or info.size > _MOST_MANIFEST:
        return None
    try:
        told = jsontext.decode(b"".join(content))
    except ValueError:
        return None
    return told if isinstance(told, dict) and "volume" in told and "labels" in told else None


def _check(info: tarfile.TarInfo, *, ours: bool) -> None:
    name = normpath(info.name)
    outside = name == ".." or name.startswith(("/", "../"))
    if ours:
        outside = outside or not ((name == FOLDER and info.isdir()) or name.startswith(f"{FOLDER}/"))
    link = normpath(info.linkname) if info.islnk() else ""
    if outside or link == ".." or link.startswith(("/", "../")) or "\0" in name:
        raise UnsafeArchive(f"The archive names a file outside of the volume: {info.name[:200]!r}")
    if info.ischr() or info.isblk():
        raise UnsafeArchive(f"{info.name[:200]!r} in the archive is a device")
    if ours and link and not link.startswith(f"{FOLDER}/"):
        raise UnsafeArchive(f"{info.name[:200]!r} in the archive links to the outside")
