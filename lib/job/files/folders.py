"""The folders between the target and the members that come into it: a link among them would lead elsewhere."""

from __future__ import annotations

from lib.engine.errors import BadInput
from lib.job.files.entries import FOLDER, Entries
from lib.job.files.paths import FOLDER as IS_FOLDER
from lib.job.files.paths import path_at
from lib.job.files.place import Spot


class Folders:
    """What is known of the folders below `base`; `fresh`: base itself is yet to be made, so none is there."""

    def __init__(self, spot: Spot, base: str, entries: Entries, *, fresh: bool) -> None:
        self._spot, self._base, self._entries = spot, base.rstrip("/"), entries
        self._known: dict[str, bool] = {"": not fresh}

    def is_there(self, name: str) -> bool:
        """Whether the folder of a member is there; BadInput where it is, or would be, no folder but a link or file."""
        folder = name.rpartition("/")[0]
        if folder not in self._known:
            above = self.is_there(folder)
            if self._entries.kind(folder) not in ("", FOLDER):
                raise BadInput(
                    f"{folder!r} is a folder of {name!r} and a {self._entries.kind(folder)} at once"
                )
            self._known[folder] = above and self._looked_at(folder)
        return self._known[folder]

    def _looked_at(self, folder: str) -> bool:
        there = path_at(self._spot, f"{self._base}/{folder}")
        if there is not None and there["kind"] != IS_FOLDER:
            shown = self._spot.shown(f"{self._base}/{folder}")
            raise BadInput(f"{shown} is a {there['kind']}, so nothing can be written below it", field="path")
        return there is not None
