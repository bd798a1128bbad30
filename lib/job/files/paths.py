"""Paths of a place: what is there, where links lead, and the nearest folder of what is not there yet."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lib.engine.answer.pathstat import HEADER, path_stat
from lib.engine.answer.streams import Archive
from lib.engine.answer.tar_reader import members, single_file
from lib.engine.errors import BadInput, NotFound, StreamFailed
from lib.engine.text import plain
from lib.job.files.place import Spot

_MOST_LINKS = 10
_MOST_PARTS = 64
_IDLE_SECONDS = 120.0
FOLDER, FILE, LINK = "directory", "file", "link"


@dataclass(frozen=True, slots=True)
class Found:
    """What a path leads to; `path` and `folder` are paths of the container without links.

    `folder` is the nearest folder that is there: the one that holds the path, or would if `missing` were made.
    """

    path: str
    stat: dict[str, Any] | None
    folder: str
    missing: tuple[str, ...]
    through_link: bool

    @property
    def kind(self) -> str:
        """Return directory, file and others, "" for what is not there."""
        return str(self.stat["kind"]) if self.stat else ""


def parts_of(path: str, field: str = "path") -> list[str]:
    """Return the names in an absolute path; BadInput for any other, and for one that leads upwards."""
    plain(path, field, line=True)
    names = [name for name in path.split("/") if name not in ("", ".")]
    if not path.startswith("/") or ".." in names or len(names) > _MOST_PARTS:
        raise BadInput(
            f"{field} must be an absolute path without .., of {_MOST_PARTS} names at most", field=field
        )
    return names


def find(spot: Spot, path: str, field: str = "path") -> Found:
    """Follow a path of a place, name by name.

    Links are followed ten times at most; BadInput for one that leads out of a volume or nowhere, and for a path through
    a file. Raises NotFound where the container is gone.
    """
    names, here, links = parts_of(path, field), spot.root, 0
    folder, stat = here, path_at(spot, here)
    for number, name in enumerate(names):
        if stat is not None and stat["kind"] != FOLDER:
            raise BadInput(f"{field}: {spot.shown(here)} is no folder", field=field)
        folder, here = here, _joined(here, name)
        stat = path_at(spot, here)
        while stat is not None and stat["kind"] == LINK:
            links += 1
            target = str(stat.get("linkTarget") or "")
            if links > _MOST_LINKS or not _inside(target, spot.root):
                raise BadInput(f"{field}: the link {spot.shown(here)} leads out of {spot.told}", field=field)
            link, here = here, target
            stat = path_at(spot, here)
            if stat is None:
                raise BadInput(f"{field}: the link {spot.shown(link)} leads nowhere", field=field)
        if stat is None:
            return Found(_joined(here, *names[number + 1 :]), None, folder, tuple(names[number:]), links > 0)
    return Found(here, stat, here.rpartition("/")[0] or "/", (), links > 0)


def path_at(spot: Spot, path: str) -> dict[str, Any] | None:
    """Return what `path_stat` tells of a path of the container, None for one that is not there."""
    fields = {"id": spot.container, "path": path}
    try:
        head = spot.engine.head("/containers/{id}/archive", fields, query=("path",))
    except NotFound:
        spot.engine.get("/containers/{id}/json", fields)  # or is it the container that is gone?
        return None
    return path_stat(head.headers.get(HEADER, ""))


@contextmanager
def opened(spot: Spot, path: str, seconds: float) -> Iterator[Archive]:
    """Open a path of the container as tar."""
    fields = {"id": spot.container, "path": path}
    with spot.engine.tar("/containers/{id}/archive", fields, query=("path",)) as archive:
        archive.pace(_IDLE_SECONDS, max(seconds, 1.0))
        yield archive


def header_of(spot: Spot, path: str, seconds: float) -> tarfile.TarInfo:
    """Return the header of a file or folder, which alone tells the owner; the content is not read."""
    with opened(spot, path, seconds) as archive:
        for info, _ in members(archive):
            return info
    raise StreamFailed(f"The archive of {path} is empty")


def digest_of(spot: Spot, path: str, seconds: float) -> tuple[tarfile.TarInfo, str]:
    """Return the header of a file and the SHA-256 of its content."""
    digest = hashlib.sha256()
    with opened(spot, path, seconds) as archive:
        info, content = single_file(archive)
        for piece in content:
            digest.update(piece)
    return info, digest.hexdigest()


def _joined(folder: str, *names: str) -> str:
    return "/".join([folder.rstrip("/"), *names])


def _inside(target: str, root: str) -> bool:
    return target.startswith("/") and (root in ("/", target) or target.startswith(f"{root}/"))
