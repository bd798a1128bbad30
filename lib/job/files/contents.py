"""The contents that an input of CopyFilesIn gives, in one of five ways, as members of the target folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lib.action.input.sources import url_upload
from lib.engine.errors import BadInput
from lib.engine.request.upload import Upload
from lib.engine.text import utf8
from lib.job.files.entries import FILE, Entries, Entry, below
from lib.job.files.unpacking import unpack
from lib.job.work import Work

_WAYS = ("content", "attachment", "url", "archive", "files")
_MOST_OWNER = 2**32 - 2


def gathered(work: Work, entries: Entries, limit: int) -> str | None:
    """Read the contents into `entries`; return the name of an only file, "" where it has none, None for a folder's.

    Raises BadInput where the input gives none or several of the ways, and what their sources raise.
    """
    fields = work.fields
    given = [name for name in _WAYS if fields.get(name) is not None]
    if len(given) != 1:
        told = f"{' and '.join(given)} are given" if given else "Nothing to write is given"
        raise BadInput(f"{told}: give one of {', '.join(_WAYS)}", field=given[-1] if given else "content")
    (way,) = given
    mode, owner = mode_of(fields.get("mode"), "mode"), (_id(fields, "uid"), _id(fields, "gid"))
    mine = Entry("file", FILE, mode, *owner)
    if way == "archive":
        unpack(work.attached(str(fields["archive"]), "archive"), entries, limit)
        entries.override(mode, *owner)
        return None
    if way == "files":
        _many(work, fields["files"], entries, mine)
        return None
    if way == "content":
        entries.add(mine, [utf8(str(fields["content"]), "content")])
        return ""
    if way == "url":
        _read(url_upload(str(fields["url"]), work.context.settings.urls), entries, mine)
        return ""
    name = str(fields["attachment"])
    _read(work.attached(name), entries, mine)
    return below(name.rpartition("/")[2], "attachment")


def mode_of(value: Any, field: str) -> int | None:
    """Return the bits of octal text such as 0640, None where there is none."""
    if value is None or value == "":
        return None
    text = str(value)
    if not text or len(text) > 5 or text.strip("01234567"):  # noqa: PLR2004 - 0 and four digits
        raise BadInput(f"{field} must be octal text such as 0644", field=field)
    mode = int(text, 8)
    if mode > 0o7777:  # noqa: PLR2004 - all bits there are
        raise BadInput(f"{field} must be octal text such as 0644", field=field)
    return mode


def _id(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if not 0 <= int(value) <= _MOST_OWNER:
        raise BadInput(f"{name} must be a number from 0 to {_MOST_OWNER}", field=name)
    return int(value)


def _many(work: Work, files: list[Mapping[str, Any]], entries: Entries, mine: Entry) -> None:
    for number, file in enumerate(files):
        field = f"files[{number}]"
        name, own = below(str(file["name"]), f"{field}.name"), mode_of(file.get("mode"), f"{field}.mode")
        entry = replace(mine, name=name, mode=mine.mode if own is None else own)
        content, attachment = file.get("content"), file.get("attachment")
        if (content is None) == (attachment is None):
            raise BadInput(f"{field} must have content or attachment", field=field)
        if attachment is None:
            entries.add(entry, [utf8(str(content), f"{field}.content")])
        else:
            _read(work.attached(str(attachment), f"{field}.attachment"), entries, entry)


def _read(upload: Upload, entries: Entries, entry: Entry) -> None:
    upload.open()
    try:
        entries.add(entry, upload)
    finally:
        upload.close()
