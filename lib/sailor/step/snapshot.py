"""The step's snapshot: one for the process, shared by all inputs in work (protocol 5.6)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from lib import jsontext


class Snapshot:
    """Keeps the snapshot as JSON text, so that changes of a function's copy do not reach it; safe for threads."""

    def __init__(self, value: Any = None) -> None:
        self._text = jsontext.encode(value or {})
        self._lock = threading.Lock()

    def copy(self) -> Any:
        """Return a copy of the snapshot."""
        return jsontext.decode(self._text)

    def replace(self, text: bytes) -> None:
        """Replace the snapshot by JSON text."""
        with self._lock:
            self._text = text

    def merge(self, delta: Mapping[str, Any]) -> None:
        """Replace these keys; a snapshot that is no object is replaced as a whole."""
        with self._lock:
            present = self.copy()
            merged = {**present, **delta} if isinstance(present, dict) else dict(delta)
            self._text = jsontext.encode(merged)
