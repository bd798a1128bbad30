"""What is to be written into a place, with all contents in one file on the disk: they are needed more than once."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import IO, Self

from lib.engine.errors import BadInput, LimitReached
from lib.engine.request.upload import PIECE, Upload

MOST = 20_000
"""Files and folders of one step."""
FILE, FOLDER, LINK = "file", "folder", "link"
_BLOCK = tarfile.BLOCKSIZE
_END = bytes(2 * _BLOCK)
_TYPES = {FILE: tarfile.REGTYPE, FOLDER: tarfile.DIRTYPE, LINK: tarfile.SYMTYPE}
_MODES = {FILE: 0o644, FOLDER: 0o755, LINK: 0o777}


@dataclass(frozen=True, slots=True)
class Entry:
    """One member: `name` below the target folder; mode and owner None: those of what is there, or of its folder."""

    name: str
    kind: str = FILE
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    modified: float | None = None
    target: str = ""
    start: int = 0
    size: int = 0
    sha256: str = ""

    def owned(self, mode: int | None, uid: int, gid: int) -> Entry:
        """Return it with mode and owner where it has none of its own."""
        return replace(
            self,
            mode=self.mode if self.mode is not None else mode if mode is not None else _MODES[self.kind],
            uid=self.uid if self.uid is not None else uid,
            gid=self.gid if self.gid is not None else gid,
        )

    def header(self, name: str, now: float) -> bytes:
        """Return the tar header; `name` is the one from the folder of the upload on."""
        info = tarfile.TarInfo(name)
        info.type, info.linkname = _TYPES[self.kind], self.target
        info.size = self.size if self.kind == FILE else 0
        info.mode = _MODES[self.kind] if self.mode is None else self.mode
        info.uid, info.gid = self.uid or 0, self.gid or 0
        info.mtime = int(now if self.modified is None else self.modified)
        return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


class Entries:
    """The members by name, the later of two with one name; contents of `limit` bytes at most, in a file."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - close() closes it
        self._size = 0
        self._by_name: dict[str, Entry] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def add(self, entry: Entry, content: Iterable[bytes] = ()) -> Entry:
        """Take in a member and its content; LimitReached for more than the limits, BadInput for clashing names."""
        if len(self._by_name) >= MOST and entry.name not in self._by_name:
            raise LimitReached(f"There are more than {MOST} files", limit="files", hint="Copy them in parts")
        start, digest = self._size, hashlib.sha256()
        for piece in content:
            self._size += len(piece)
            if self._size > self._limit:
                raise LimitReached(
                    f"The content is longer than {self._limit} bytes", limit="maxBytes", hint="Raise maxBytes"
                )
            self._file.write(piece)
            digest.update(piece)
        whole = replace(entry, start=start, size=self._size - start, sha256=digest.hexdigest())
        self._by_name.pop(entry.name, None)
        self._by_name[entry.name] = whole
        return whole

    def again(self, entry: Entry, target: str) -> None:
        """Take in a second name of a file that is here; BadInput where it is not."""
        first = self._by_name.get(target)
        if first is None or first.kind != FILE:
            raise BadInput(f"{entry.name[:200]!r} is a hard link to no file before it: {target[:200]!r}")
        self.add(entry)
        self._by_name[entry.name] = replace(first, name=entry.name)

    def kind(self, name: str) -> str:
        """Return what a name is here, "" for one that is not."""
        return self._by_name[name].kind if name in self._by_name else ""

    def override(self, mode: int | None, uid: int | None, gid: int | None) -> None:
        """Give all files a mode and all members an owner, where they are not None."""
        for name, entry in self._by_name.items():
            own = mode if mode is not None and entry.kind == FILE else entry.mode
            owner = (entry.uid if uid is None else uid), (entry.gid if gid is None else gid)
            self._by_name[name] = replace(entry, mode=own, uid=owner[0], gid=owner[1])

    def tar(self, entries: list[tuple[str, Entry]], now: float) -> Upload:
        """Return the tar of some members, each with its name in it; it can be sent again."""
        headers = [(entry.header(name, now), entry) for name, entry in entries]
        size = sum(len(head) + entry.size + -entry.size % _BLOCK for head, entry in headers) + len(_END)

        def chunks() -> Iterator[bytes]:
            for head, entry in headers:
                yield head
                yield from self._content(entry)
                yield bytes(-entry.size % _BLOCK)
            yield _END

        return Upload(chunks, size)

    def _content(self, entry: Entry) -> Iterator[bytes]:
        self._file.seek(entry.start)
        left = entry.size
        while left and (piece := self._file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece


def below(name: str, field: str) -> str:
    """Return a relative name in its plain form; BadInput for one that is empty, absolute or leads upwards."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    upwards = ".." in name.replace("\\", "/").split("/")
    if not parts or name.startswith(("/", "\\")) or upwards or "\0" in name:
        raise BadInput(f"{field}: {name[:200]!r} is no file below the target folder", field=field)
    return "/".join(parts)
