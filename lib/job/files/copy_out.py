"""CopyFilesOut: a file or a folder of a place as an attachment, or a file's text in the message."""

from __future__ import annotations

import hashlib
import mimetypes
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from lib.action.settings import ARCHIVE_BYTES
from lib.config.form import whole
from lib.engine.answer.limits import capped
from lib.engine.answer.tar_reader import single_file
from lib.engine.errors import BadInput, NotFound, StreamCut
from lib.engine.text import plain
from lib.job.files.paths import FILE, FOLDER, Found, find, opened
from lib.job.files.place import Spot, at, checked_in
from lib.job.work import Work

AUTO, AS_FILE, TAR, TGZ, TEXT = "auto", "file", "tar", "tgz", "text"
TAR_TYPE, GZIP_TYPE, ANY_TYPE = "application/x-tar", "application/gzip", "application/octet-stream"
TEXT_BYTES = 1024 * 1024
"""Of a file's beginning in a message; a message holds little more."""
_GZIP = 31  # zlib's way to say: with the head of gzip
_LONGEST_NAME = 255


def copied_out(work: Work) -> dict[str, Any]:
    """Return the output of CopyFilesOut."""
    name = plain(str(work.fields.get("into") or ""), "into", line=True)
    if len(name) > _LONGEST_NAME:
        raise BadInput(f"into is longer than {_LONGEST_NAME} characters", field="into")
    limit = whole(work.config, "maxBytes", ARCHIVE_BYTES, least=1)
    return at(work, str(work.fields["place"]), lambda spot: _copied(work, spot, name, limit), writes=False)


def _copied(work: Work, spot: Spot, name: str, limit: int) -> dict[str, Any]:
    given = str(work.fields["path"])
    found = find(spot, given)
    if found.stat is None:
        raise NotFound(f"{given} is not there in {spot.told}")
    form = str(work.fields.get("as", AUTO))
    if form == AUTO:
        form = TAR if found.kind == FOLDER else AS_FILE
    if found.kind not in (FILE, FOLDER):
        raise BadInput(f"path: {given} is a {found.kind}, which has no content to copy", field="path")
    if found.kind == FOLDER and form in (AS_FILE, TEXT):
        raise BadInput(f"path: {given} is a folder", field="as", hint="Take it as tar or tgz")
    told = _told(spot, found, given)
    if form == TEXT:
        return told | _text(work, spot, found, limit)
    base = base_of(spot, found)
    name = name or (base if form == AS_FILE else f"{base}.{form}")
    kind = TGZ if form == TGZ else TAR if form == TAR else AS_FILE
    return told | stored(work, spot, found, kind, name, limit)


def _told(spot: Spot, found: Found, given: str) -> dict[str, Any]:
    stat = found.stat or {}
    told = {
        "path": given,
        "type": "folder" if found.kind == FOLDER else "file",
        "mode": stat["permissions"],
        "modified": str(stat.get("mtime") or ""),
    }
    return told | ({"linkTarget": spot.shown(found.path)} if found.through_link else {})


def base_of(spot: Spot, found: Found) -> str:
    """Return the last name of a path."""
    return spot.shown(found.path).rpartition("/")[2] or spot.told.rpartition(":")[2]


def stored(work: Work, spot: Spot, found: Found, form: str, name: str, limit: int) -> dict[str, Any]:
    """Store the content; a folder that was written to meanwhile can come as a broken tar, which is read again."""
    for last in (False, False, True):
        checked_in(work)
        seen = _Seen()
        try:
            # Without the folder's own name before each member.
            path = f"{found.path.rstrip('/')}/." if found.kind == FOLDER else found.path
            with opened(spot, path, work.deadline.left) as archive:
                content: Iterable[bytes] = single_file(archive)[1] if form == AS_FILE else archive
                content = capped(content, limit, "The content is longer")
                pieces = seen.passing(_gzipped(content) if form == TGZ else content)
                attachment = work.store(pieces, name, _type(form, name))
        except StreamCut as cut:
            if last:
                cut.hint = "Something writes to the folder: pause the container for the time of the copy"
                raise
            continue
        return {
            "attachment": attachment,
            "name": name,
            "size": seen.size,
            "sha256": seen.digest.hexdigest(),
        }
    raise AssertionError


def _type(form: str, name: str) -> str:
    if form == AS_FILE:
        return mimetypes.guess_type(name)[0] or ANY_TYPE
    return TAR_TYPE if form == TAR else GZIP_TYPE


def _text(work: Work, spot: Spot, found: Found, limit: int) -> dict[str, Any]:
    """Read a file's beginning; what is longer is told as truncated, and has no hash."""
    most = min(limit, TEXT_BYTES, work.context.emit.room // 4)
    held = bytearray()
    with opened(spot, found.path, work.deadline.left) as archive:
        info, content = single_file(archive)
        for piece in content:
            held += piece[: most + 1 - len(held)]
            if len(held) > most:
                break
    told: dict[str, Any] = {"size": info.size}
    told |= {"truncated": "maxBytes"} if len(held) > most else {"sha256": hashlib.sha256(held).hexdigest()}
    text = held[:most].decode("utf-8", "replace")
    if "\ufffd" in text:
        work.warn("The file is no whole UTF-8 text: what is none is replaced")
    return told | {"text": text}


class _Seen:
    """Knows size and SHA-256 of what goes out."""

    def __init__(self) -> None:
        self.size = 0
        self.digest = hashlib.sha256()

    def passing(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass on what is stored."""
        for piece in pieces:
            self.size += len(piece)
            self.digest.update(piece)
            yield piece


def _gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=_GZIP)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()
