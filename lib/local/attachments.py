"""Makes attachments of a message from the user's files, and files of the user from attachments."""

from __future__ import annotations

import mimetypes
import os
import re
import shutil
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

_UNTYPED = "application/octet-stream"
_ODD = re.compile(r"[^\w.+@=, -]")
"""Characters that are replaced in names of files."""
_LONGEST = 100
"""Characters of a name; a number may follow, and a name has at most 255 bytes."""


def attached(path: Path) -> dict[str, Any]:
    """Return the attachment entry of a file for a message; its url is a file:// address, the file is not copied."""
    content_type = mimetypes.guess_type(path.name)[0] or _UNTYPED
    return {"url": path.resolve().as_uri(), "size": path.stat().st_size, "content-type": content_type}


class SavedAttachments:
    """Saves what steps attach under its name in the folder that people gave; `stored` is where the runner keeps it.

    Names come from outside: what is no plain name of a file becomes one, and no file is overwritten.
    """

    def __init__(self, folder: Path, stored: Path) -> None:
        self._folder, self._stored = folder, stored

    def save(self, attachments: Mapping[str, Any]) -> dict[str, Path]:
        """Return name of an attachment -> its file, for those that this run has stored; raises OSError."""
        saved = {}
        for name, entry in attachments.items():
            source = self._source(entry)
            if source is not None:
                saved[name] = self._copied(source, plain_name(str(name)))
        return saved

    def _source(self, entry: Any) -> Path | None:
        """Return the file of an attachment, None where its address leads to anything that the runner has not stored."""
        url = entry.get("url") if isinstance(entry, Mapping) else None
        if not isinstance(url, str):
            return None
        try:
            name = unquote(urlsplit(url).path).rpartition("/")[2]
        except ValueError:
            return None
        path = self._stored / name
        known = name not in ("", ".", "..") and "\0" not in name and path.is_file() and not path.is_symlink()
        return path if known else None

    def _copied(self, source: Path, name: str) -> Path:
        stem, ending = os.path.splitext(name)
        for number in count(1):
            path = self._folder / (name if number == 1 else f"{stem}-{number}{ending}")
            try:
                target = path.open("xb")  # also where a link leads nowhere
            except FileExistsError:
                continue
            with target, source.open("rb") as file:
                shutil.copyfileobj(file, target)
            return path
        raise AssertionError  # the numbers do not end


def plain_name(name: str) -> str:
    """Return a name for a file: of the last part of a path, without control characters or a dot in front, not empty."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    stem, ending = os.path.splitext(_ODD.sub("_", last).strip(" ."))
    kept = _LONGEST - len(ending) if len(ending) <= 10 else 0  # noqa: PLR2004 - longer ones are no endings
    text = f"{stem[:kept]}{ending}" if kept else f"{stem}{ending}"[:_LONGEST]
    return text.encode()[:200].decode(errors="ignore") or "attachment"
