"""Files that go into a container before its program starts, and those that are taken out after its end."""

from __future__ import annotations

import time
from typing import Any

from lib.action.settings import ARCHIVE_BYTES
from lib.engine.errors import BadInput
from lib.engine.text import named, parsed, utf8
from lib.job.files.contents import mode_of
from lib.job.files.copy_out import AS_FILE, TAR, base_of, stored
from lib.job.files.entries import Entries, Entry, below
from lib.job.files.paths import FILE, FOLDER, find, parts_of
from lib.job.files.place import Spot, timed
from lib.job.run.container import PUT
from lib.job.work import Work


def gathered(work: Work, entries: Entries) -> None:
    """Read `filesIn` into entries, whose names are paths from the root; BadInput for what is none."""
    for number, file in enumerate(parsed(work.fields.get("filesIn") or [], "filesIn")):
        field = f"filesIn[{number}]"
        path = str(file["path"])
        if not path.startswith("/"):
            raise BadInput(f"{field}.path must be absolute", field=field)
        entry = Entry(
            below(path.lstrip("/"), f"{field}.path"), mode=mode_of(file.get("mode"), f"{field}.mode")
        )
        content, attachment = file.get("content"), file.get("attachment")
        if (content is None) == (attachment is None):
            raise BadInput(f"{field} must have content or attachment", field=field)
        if attachment is None:
            entries.add(entry, [utf8(str(content), f"{field}.content")])
            continue
        upload = work.attached(str(attachment), f"{field}.attachment")
        upload.open()
        try:
            entries.add(entry, upload)
        finally:
            upload.close()


def put_in(work: Work, identity: str, entries: Entries) -> None:
    """Write the files into a container that was not started; missing folders are made by the engine."""
    members = [(entry.name, entry.owned(None, 0, 0)) for entry in entries]
    body = entries.tar(members, time.time())
    timed(work).put(PUT[1], {"id": identity, "path": "/"}, query=("path",), body=body, timeout="transfer")


def wanted(work: Work) -> list[str]:
    """Return the paths of `filesOut`; BadInput for one that is not absolute, and where nothing can be stored."""
    paths = [str(path) for path in parsed(work.fields.get("filesOut") or [], "filesOut")]
    for number, path in enumerate(paths):
        parts_of(path, named("filesOut", number))
    if paths and work.context.storage is None:
        raise BadInput("There is no storage for attachments here", field="filesOut")
    return paths


def taken_out(work: Work, identity: str) -> list[dict[str, Any]]:
    """Store the files of `filesOut` as attachments and return what a message says of them.

    What is not there is a warning: the program has run, and its output is not to be lost for a file.
    """
    spot, told = Spot(timed(work), identity, "/", "the container"), []
    for path in wanted(work):
        found = find(spot, path, "filesOut")
        if found.kind not in (FILE, FOLDER):
            work.warn(f"filesOut: {path} is {'not there' if not found.kind else f'a {found.kind}'}")
            continue
        is_folder = found.kind == FOLDER
        base = base_of(spot, found) or "files"
        name = f"{base}.tar" if is_folder else base
        name = name if name not in work.attachments else f"{len(work.attachments)}-{name}"
        kept = stored(work, spot, found, TAR if is_folder else AS_FILE, name, ARCHIVE_BYTES)
        told.append({"path": path, **kept})
    return told
