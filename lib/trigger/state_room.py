"""Where the state of a trigger is kept: in the snapshot, or in an object that the snapshot names.

An object is written before the snapshot that names it. As a platform takes snapshots over a while after they are
confirmed, the object of the snapshot before stays until the next snapshot is confirmed: `before` names it. An object
is proven by the SHA-256 in the snapshot; a missing or another one is a LostState.
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
"""Bytes of a snapshot beside the trigger's own state."""
LARGEST = 1 << 20
"""Bytes of a state in an object: 2,000 of anything that triggers watch need a tenth of it."""
GONE = (404, 410)
LONGEST_NAME = 300


@dataclass(frozen=True)
class StateRoom:
    """Keeps the states of one trigger of one engine. `store` is None where a step has no storage for objects."""

    trigger: str
    store: StateStore | None
    log: Log

    @property
    def size(self) -> int:
        """How many characters a trigger's own state may have."""
        return LARGEST - HEAD if self.store else cursor.LIMIT - HEAD

    def opened(self, snapshot: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a snapshot with its state; StorageError where the storage is away.

        That is no reason to start anew: the poll fails, and a later one finds the state.
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
        """Return the snapshot that stands for a state; its object, if it needs one, is stored then.

        Raises CursorTooLarge where there is no room. `last` is the snapshot before, None where it was not usable.
        """
        before = last.get("object") if isinstance(last, Mapping) and last.get("v") == cursor.STORED else None
        chain = {"before": before} if before else {}
        try:
            return cursor.dump({**turn.to_state(), **state, **chain}, self.trigger, engine)
        except CursorTooLarge:
            if self.store is None:  # what is known of failures only keeps them from being told again
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
        """Remove the object that neither the new snapshot nor the one before it names."""
        if isinstance(last, Mapping):
            self._delete(last.get("before"), snapshot)

    def refused(self, snapshot: Any, last: Any) -> None:
        """Remove the object of a snapshot that was not sent."""
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
