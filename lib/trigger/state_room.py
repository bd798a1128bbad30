"""Stores the state of a trigger: in the snapshot, or in an object of the object storage that the snapshot names.

A state that fits into the snapshot (under 4 KB) stays there. A larger one, up to 1 MB, is compressed and stored as an
object; the snapshot then has its name (`object`) and its SHA-256 (`digest`). The steps of one change are:

1. `kept` writes the new object and returns the snapshot that names it.
2. The findings are emitted and confirmed, and the snapshot is sent (lib/trigger/state_keeper.py).
3. `confirmed` deletes the object of the snapshot before the last. The last one's object stays, since the platform
   may still give back the last snapshot; the new snapshot names it too (`before`).
4. If the findings are not confirmed, `refused` deletes the new object instead.

So at most two objects are kept, and after a crash at any point the stored snapshot names an object that exists.
`opened` reads the state back; an object that is missing or has another digest is a LostState (docs/triggers.md).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib import jsontext
from lib.sailor.errors import StorageError
from lib.sailor.transport import StateStore
from lib.trigger import cursor
from lib.trigger.cursor import CursorTooLarge, LostState
from lib.trigger.poll import Log
from lib.trigger.turn import Turn

HEAD = 400
"""Bytes of a snapshot that are not the trigger's own state."""
LARGEST = 1 << 20
"""Upper bound of a state in an object, in bytes before compression; 2,000 watched objects need about a tenth."""
GONE = (404, 410)
"""HTTP statuses for an object that does not exist."""
LONGEST_NAME = 300
"""Upper bound of an object's name in a snapshot, in characters."""


@dataclass(frozen=True)
class StateRoom:
    """Stores the states of one trigger; `store` is the object storage, None if the step has none."""

    trigger: str
    store: StateStore | None
    log: Log

    @property
    def size(self) -> int:
        """Upper bound of a trigger's own state, in characters."""
        return LARGEST - HEAD if self.store else cursor.LIMIT - HEAD

    def opened(self, snapshot: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a snapshot with the fields of its state.

        Raises LostState if the object is gone or changed. Raises StorageError if the storage does not answer: the poll
        then fails, and a later one finds the state.
        """
        if snapshot["v"] != cursor.STORED:
            return snapshot
        name, digest = snapshot["object"], snapshot["digest"]
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
            raise LostState
        if self.store is None:
            raise StorageError(
                "The position of this step is in the storage of objects, which the step does not have now"
            )
        try:
            packed = self.store.get(name, LARGEST)
        except StorageError as error:
            if not error.final and error.status not in GONE:
                raise
            self.log.warning("The stored position is lost", reason=str(error))
            raise LostState from error
        if _digest(packed) != digest:
            raise LostState
        return {**_unpacked(packed), **snapshot}

    def kept(self, state: Mapping[str, Any], turn: Turn, engine: str, last: Any) -> dict[str, Any]:
        """Return the snapshot for a state; if it needs an object, the object is stored before the return.

        `last`: the snapshot of the last poll, None if it was not usable. Raises CursorTooLarge for a state that does
        not fit, and StorageError.
        """
        before = last.get("object") if isinstance(last, Mapping) and last.get("v") == cursor.STORED else None
        chain = {"before": before} if before else {}
        try:
            return cursor.dump({**turn.to_state(), **state, **chain}, self.trigger, engine)
        except CursorTooLarge:
            if self.store is None:  # without the stored failures it may fit; then they are emitted again
                return cursor.dump({**turn.without_faults(), **state, **chain}, self.trigger, engine)
        text = jsontext.encode({**turn.to_state(), **state})
        if len(text) > LARGEST:
            raise CursorTooLarge.of(self.trigger, len(text), LARGEST)
        packed = zlib.compress(text)
        if before and last["digest"] == _digest(packed):
            return dict(last)
        named = {"object": self.store.put(packed), "digest": _digest(packed), **chain}
        return {**cursor.head(self.trigger, engine, cursor.STORED), **named}

    def confirmed(self, snapshot: Any, last: Any) -> None:
        """Delete the object of the snapshot before `last`, once `snapshot` is confirmed."""
        if isinstance(last, Mapping):
            self._delete(last.get("before"), snapshot)

    def refused(self, snapshot: Any, last: Any) -> None:
        """Delete the object of a snapshot that is not sent."""
        if snapshot != last and isinstance(snapshot, Mapping):
            self._delete(snapshot.get("object"), last if isinstance(last, Mapping) else {})

    def _delete(self, name: Any, kept: Mapping[str, Any]) -> None:
        if (
            self.store is None
            or not isinstance(name, str)
            or name in (kept.get("object"), kept.get("before"))
        ):
            return
        try:
            self.store.delete(name)
        except StorageError as error:
            self.log.warning("An old position stays in the storage of objects", reason=str(error))


def _digest(packed: bytes) -> str:
    return hashlib.sha256(packed).hexdigest()


def _unpacked(packed: bytes) -> Mapping[str, Any]:
    try:
        inflate = zlib.decompressobj()
        text = inflate.decompress(packed, LARGEST + 1)
        state = jsontext.decode(text)
    except (zlib.error, ValueError):
        raise LostState from None
    if len(text) > LARGEST or not isinstance(state, dict):
        raise LostState
    return state
