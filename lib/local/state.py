"""The state file of a trigger, which holds its snapshot.

A new snapshot is written to a file beside it, which is then renamed. So the state file is whole after a kill, too.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from lib.local.problems import UsageError


class StateFile:
    """The snapshot of one trigger, in the file `path` or, without a path, in memory only.

    Raises UsageError when the file cannot be read or written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.snapshot: dict[str, Any] = self._read() if path and path.exists() else {}

    @property
    def folder(self) -> str | None:
        """The folder for what does not fit into the snapshot, beside the file; None without a file."""
        return f"{self._path}.objects" if self._path else None

    def save(self, snapshot: dict[str, Any]) -> None:
        """Replace the snapshot and write it to the disk."""
        self.snapshot = snapshot
        if self._path is None:
            return
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("w", encoding="utf-8") as file:
                json.dump(snapshot, file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            raise UsageError(f"The state file {self._path} cannot be written: {error.strerror}") from error

    def _read(self) -> dict[str, Any]:
        path = self._path
        try:
            snapshot = json.loads(path.read_text("utf-8")) if path else {}
        except (OSError, ValueError) as error:
            raise UsageError(
                f"The state file {path} cannot be read: {error}",
                hint="Move it away to start from the beginning",
            ) from error
        if not isinstance(snapshot, dict):
            raise UsageError(f"The state file {path} holds no snapshot object")
        return snapshot
