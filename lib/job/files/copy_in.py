"""CopyFilesIn: files into a place, as one tar, after a look at what is there."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

from lib.action.settings import ARCHIVE_BYTES
from lib.config.form import whole
from lib.engine.answer.tar_reader import NotOneFile
from lib.engine.errors import BadInput, NoAnswer, NotFound, OutcomeUnknown, Refused, StreamFailed
from lib.job.errors import WouldDestroy
from lib.job.files.contents import gathered
from lib.job.files.entries import FILE, FOLDER, LINK, Entries, Entry
from lib.job.files.folders import Folders
from lib.job.files.paths import FOLDER as IS_FOLDER
from lib.job.files.paths import Found, digest_of, find, header_of, path_at
from lib.job.files.place import NotLookedAt, Spot, at, checked_in
from lib.job.work import Work

IF_DIFFERENT, REPLACE, KEEP, FAIL = "ifDifferent", "replace", "keep", "fail"
SHOWN = 500
"""Files that a plan and an output name one by one."""
_LOOKS = 3
"""Looks at a file that somebody else writes or removes meanwhile."""
_PUT = "/containers/{id}/archive"
_READ_ONLY = "read-only"
_UNSEEN = "no container mounts the volume, so what it holds cannot be seen"


def copied_in(work: Work) -> dict[str, Any]:
    """Return the output of CopyFilesIn."""
    work.permit(("PUT", "/containers/place/archive"))
    place, given = str(work.fields["place"]), str(work.fields["path"])
    limit = whole(work.config, "maxBytes", ARCHIVE_BYTES, least=1)
    with Entries(limit) as entries:
        single = gathered(work, entries, limit)
        try:
            return at(work, place, lambda spot: _written(work, spot, given, entries, single), writes=True)
        except NotLookedAt as blind:
            if not work.settings.dry_run:
                raise
            work.warn(str(blind))
            changes = [(entry, _UNSEEN) for entry in entries]
            return _output(work, changes, entries, given, given)


def _written(work: Work, spot: Spot, given: str, entries: Entries, single: str | None) -> dict[str, Any]:
    """Look and write; `single`: the name that an only file has where the path is a folder."""
    work.plan.clear()  # this may be a second try
    found, members = find(spot, given), list(entries)
    if single is not None:
        found, members = _one_file(spot, found, given, single, members[0])
    elif found.stat is not None and found.kind != IS_FOLDER:
        raise BadInput(f"path: {given} is no folder", field="path")
    if found.missing and work.fields.get("makeFolders") is False:
        there = spot.shown(found.folder)
        raise BadInput(
            f"path: {there} has no folder {found.missing[0]!r}", field="path", hint="Set makeFolders"
        )
    prefix = "".join(f"{name}/" for name in found.missing)
    base = found.path if found.stat else found.folder
    owner = _owner(work, spot, base)
    changes: list[tuple[Entry, str]] = []
    folders = Folders(spot, base, entries, fresh=bool(prefix))
    for entry in members:
        checked_in(work)
        fresh = not folders.is_there(entry.name)
        if (change := _change(work, spot, base, entry, owner, fresh=fresh)) is not None:
            changes.append(change)
    shown = f"{spot.shown(base).rstrip('/')}/{prefix}"
    answer = _output(work, changes, members, shown, given if single is None else f"{shown}{members[0].name}")
    if changes and not work.settings.dry_run:
        above = ["/".join(found.missing[: number + 1]) for number in range(len(found.missing))]
        made = [(name, Entry("", FOLDER).owned(None, *owner)) for name in above]
        _put(spot, base, entries, made + [(f"{prefix}{entry.name}", entry) for entry, _ in changes])
    return answer


def _one_file(spot: Spot, found: Found, given: str, name: str, entry: Entry) -> tuple[Found, list[Entry]]:
    """Return the folder and the file in it, of a path that names a file, or a folder and `name` the file."""
    if found.kind == IS_FOLDER or given.endswith("/"):
        if not name:
            raise BadInput(
                f"path: {given} is a folder", field="path", hint="Give the path of the file itself"
            )
        found = find(spot, f"{given.rstrip('/')}/{name}")
        if found.kind == IS_FOLDER:
            raise BadInput(f"path: {given.rstrip('/')}/{name} is a folder", field="path")
    if found.stat is not None:
        return replace(found, path=found.folder, missing=()), [replace(entry, name=_last(found.path))]
    *missing, last = found.missing
    return replace(found, missing=tuple(missing)), [replace(entry, name=last)]


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _change(
    work: Work, spot: Spot, base: str, entry: Entry, owner: tuple[int, int], *, fresh: bool
) -> tuple[Entry, str] | None:
    """Return a member as it is to be written and why, None where nothing is to be done."""
    for _ in range(_LOOKS - 1):
        with suppress(
            NotOneFile, StreamFailed, NotFound
        ):  # somebody writes it just now, another delivery perhaps
            return _compared(work, spot, base, entry, owner, fresh=fresh)
    return _compared(work, spot, base, entry, owner, fresh=fresh)


def _compared(
    work: Work, spot: Spot, base: str, entry: Entry, owner: tuple[int, int], *, fresh: bool
) -> tuple[Entry, str] | None:
    policy = str(work.fields.get("ifExists", IF_DIFFERENT))
    path = f"{base.rstrip('/')}/{entry.name}"
    there = None if fresh else path_at(spot, path)
    if there is None:
        return entry.owned(None, *owner), "it is not there"
    shown, is_folder = spot.shown(path), there["kind"] == IS_FOLDER
    if entry.kind == FOLDER and is_folder:
        return None
    if policy == FAIL:
        raise WouldDestroy(f"{shown} is there already", hint="Set ifExists to ifDifferent or replace")
    if policy == KEEP:
        return None
    if is_folder or entry.kind == FOLDER:
        raise WouldDestroy(f"{shown} is a {there['kind']}, and a {entry.kind} would take its place")
    if there["kind"] == LINK and entry.kind == LINK:
        return _link(entry, path, there, owner, policy)
    if there["kind"] != FILE or entry.kind != FILE:
        return entry.owned(None, *owner), f"a {there['kind']} is there"
    return _file(work, spot, entry, path, int(there["size"]), policy)


def _link(
    entry: Entry, path: str, there: dict[str, Any], owner: tuple[int, int], policy: str
) -> tuple[Entry, str] | None:
    from posixpath import dirname, join, normpath

    same = normpath(join(dirname(path), entry.target)) == there.get("linkTarget")
    if same and policy == IF_DIFFERENT:
        return None
    return entry.owned(None, *owner), "it leads elsewhere" if not same else "it is to be replaced"


def _file(
    work: Work, spot: Spot, entry: Entry, path: str, size: int, policy: str
) -> tuple[Entry, str] | None:
    """Compare a file with the one that is there, whose mode and owner it keeps where it has none of its own."""
    if policy == REPLACE or size != entry.size:
        info = header_of(spot, path, work.deadline.left)
        whole = entry.owned(info.mode, info.uid, info.gid)
        return whole, "it is to be replaced" if policy == REPLACE else "its size differs"
    info, digest = digest_of(spot, path, work.deadline.left)
    whole = entry.owned(info.mode, info.uid, info.gid)
    if digest != entry.sha256:
        return whole, "its content differs"
    if (whole.mode, whole.uid, whole.gid) != (info.mode, info.uid, info.gid):
        return whole, "its mode or owner differs"
    return None


def _owner(work: Work, spot: Spot, folder: str) -> tuple[int, int]:
    """Return who owns what is new: the input's, or that of the folder it comes into."""
    uid, gid = work.fields.get("uid"), work.fields.get("gid")
    if uid is not None and gid is not None:
        return int(uid), int(gid)
    info = header_of(spot, folder, work.deadline.left)
    return (int(uid) if uid is not None else info.uid), (int(gid) if gid is not None else info.gid)


def _output(
    work: Work,
    changes: list[tuple[Entry, str]],
    members: Any,
    folder: str,
    path: str,
) -> dict[str, Any]:
    """Enter the changes into the plan and return the output."""
    if len(changes) > SHOWN:
        work.will("write", "folder", folder, f"{len(changes)} files and folders differ or are not there")
    else:
        for entry, reason in changes:
            work.will("write", entry.kind, f"{folder.rstrip('/')}/{entry.name}", reason)
    written = {entry.name for entry, _ in changes}
    files = [
        {"name": one.name, "size": one.size, "action": "written" if one.name in written else "kept"}
        for one in members
        if one.kind != FOLDER
    ]
    if len(files) > SHOWN:
        work.warn(f"files names the first {SHOWN} of {len(files)} files")
    answer: dict[str, Any] = {"path": path, "size": sum(one["size"] for one in files), "files": files[:SHOWN]}
    only = [one for one in members if one.kind == FILE]
    return answer | ({"sha256": only[0].sha256} if len(only) == 1 else {})


def _put(spot: Spot, folder: str, entries: Entries, members: list[tuple[str, Entry]]) -> None:
    fields = {"id": spot.container, "path": folder, "noOverwriteDirNonDir": True}
    upload = entries.tar(members, time.time())
    try:
        spot.engine.put(_PUT, fields, query=("path", "noOverwriteDirNonDir"), body=upload, timeout="transfer")
    except OutcomeUnknown as unknown:
        raise NoAnswer(
            f"The upload was cut: {unknown.message}", hint="Files may be cut off; a repeat writes them again"
        ) from unknown
    except Refused as refused:
        if _READ_ONLY in refused.message:
            refused.hint = "Files go into a volume of such a container: give volume:NAME as the place"
        raise
