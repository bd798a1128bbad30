"""The inputs in work across reconnects: which delivery tag is theirs now, and which redelivery is one of them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

LONGEST_MEMORY = 10_000


@dataclass(slots=True, eq=False)
class Input:
    """One input in work; `channel` counts the channels, a tag of an earlier one is worth nothing."""

    key: Hashable
    channel: int
    tag: int
    ok: bool | None = None
    """Set when it was finished while its channel was gone; its redelivery is finished at once."""


class Inflight:
    """Knows every input from its arrival to its ack. Not thread-safe: the I/O thread owns it."""

    def __init__(self) -> None:
        self.channel = 0
        self._inputs: dict[Hashable, list[Input]] = {}
        self._orphans = 0

    def next_channel(self) -> None:
        """From now on tags belong to a new channel."""
        self.channel += 1

    def arrived(self, key: Hashable, tag: int, *, redelivered: bool) -> tuple[Input, bool]:
        """Return the input of a delivery, and whether it is new; only a redelivery can be an old one (protocol 3.6)."""
        if redelivered:
            for known in self._inputs.get(key, ()):
                if known.channel != self.channel:
                    known.channel, known.tag = self.channel, tag
                    return known, False
        arrived = Input(key, self.channel, tag)
        self._inputs.setdefault(key, []).append(arrived)
        return arrived, True

    def finished(self, done: Input, ok: bool) -> bool:
        """Tell whether the input can be acked or rejected now; otherwise its redelivery is waited for."""
        if done.channel == self.channel:
            self.forget(done)
            return True
        done.ok = ok
        self._orphans += 1
        if self._orphans > LONGEST_MEMORY:  # redelivered elsewhere, to another replica
            self._forget_orphans()
        return False

    def forget(self, done: Input) -> None:
        """Drop an input that was acked or rejected."""
        same = self._inputs.get(done.key, [])
        if done in same:
            same.remove(done)
        if not same:
            self._inputs.pop(done.key, None)

    def _forget_orphans(self) -> None:
        for inputs in list(self._inputs.values()):
            for known in list(inputs):
                if known.ok is not None and known.channel != self.channel:
                    self.forget(known)
        self._orphans = 0
