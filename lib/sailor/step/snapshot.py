"""The step's snapshot: one for the process, shared by all messages in work (protocol 5.6)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from lib import jsontext


class Snapshot:
    """Keeps the snapshot as JSON text, so that nobody's changes leak into it."""

    def __init__(self, value: Any = None) -> None:
        self._text = jsontext.encode(value or {})
        self._lock = threading.Lock()

    def copy(self) -> Any:
        """Return the snapshot as a value of the caller's own."""
        return jsontext.decode(self._text)

    def replace(self, text: bytes) -> None:
        """Take over JSON text as the new snapshot."""
        with self._lock:
            self._text = text

    def merge(self, delta: Mapping[str, Any]) -> None:
        """Overwrite the named keys."""
        with self._lock:
            present = self.copy()
            merged = {**present, **delta} if isinstance(present, dict) else dict(delta)
            self._text = jsontext.encode(merged)
