"""Stores the states of one poll, each after its findings are confirmed: emit, confirm, snapshot."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lib.sailor.step.emitter import Emitter
from lib.trigger.poll import Storable
from lib.trigger.state_room import StateRoom
from lib.trigger.turn import Turn

LAZY_SECONDS = 1.0
"""Lower bound of the time between two snapshots of lazy states."""


class StateKeeper:
    """Holds the last snapshot, and the lazy state that is not stored yet. `last` is None if none was usable."""

    def __init__(self, room: StateRoom, emit: Emitter, turn: Turn, engine: str, last: Any) -> None:
        self._room, self._emit, self._turn, self._engine, self._last = room, emit, turn, engine, last
        self._pending: Storable | None = None
        self._stored = time.monotonic()

    @contextmanager
    def prepared(self, state: Storable | None, *, lazy: bool) -> Iterator[None]:
        """Store `state` at the end of the `with` block, in which its findings are emitted.

        The snapshot is made before the block, so CursorTooLarge and StorageError come before anything is emitted. If
        the block raises, the snapshot is not sent, and its object is removed.
        """
        if state is None or (lazy and time.monotonic() - self._stored < LAZY_SECONDS):
            yield
            self._pending = state or self._pending
            return
        snapshot = self._snapshot(state)
        try:
            yield
        except BaseException:
            self._room.refused(snapshot, self._last)
            raise
        self._store(snapshot)

    def settle(self) -> None:
        """Store the lazy state that is not stored yet, if there is one."""
        if self._pending is not None:
            self._store(self._snapshot(self._pending))

    def _snapshot(self, state: Storable) -> dict[str, Any]:
        return self._room.kept(state.to_state(), self._turn, self._engine, self._last)

    def _store(self, snapshot: dict[str, Any]) -> None:
        self._pending = None
        self._stored = time.monotonic()
        if snapshot != self._last:
            self._emit.snapshot(snapshot)
            self._room.confirmed(snapshot, self._last)
            self._last = snapshot
