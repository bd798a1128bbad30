"""Knows the inputs that have no ack yet, across lost channels (protocol 3.6).

A delivery tag is valid on its channel only. After a loss the broker delivers each input without ack again. `arrived`
compares the redelivery with the known inputs by their fingerprint: one in work gets its new tag, one that is finished
can be acked at once. Finished inputs are remembered for five minutes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MEMORY_SECONDS = 300.0
LONGEST_MEMORY = 10_000
"""Finished inputs that are remembered at most."""
TAIL = 64
"""Bytes."""

Fingerprint = tuple[str, str, int, bytes]


@dataclass(slots=True, eq=False)
class Input:
    """One input; its `tag` is valid only on the channel with the number `channel`."""

    key: Fingerprint
    channel: int
    tag: int
    ok: bool | None = None
    """None while it is in work, then whether it is acked or rejected."""
    when: float = 0.0
    """When it was finished, by time.monotonic()."""


def fingerprint(headers: Mapping[str, Any], body: bytes) -> Fingerprint:
    """Return the fingerprint of an input: message id, rebound iteration, length and last bytes of its body.

    The id alone is not enough: different messages may have the same one (protocol D-01). The last bytes of a sealed
    body depend on all of it, so the whole body need not be compared.
    """
    iteration = str(headers.get("reboundIteration"))
    return str(headers.get("messageId")), iteration, len(body), body[-TAIL:]


class Inflight:
    """The inputs from their arrival until they cannot be delivered again; for the I/O thread only."""

    def __init__(self) -> None:
        self._channel = 0
        self._inputs: dict[Fingerprint, list[Input]] = {}
        self._settled: list[Input] = []
        """Acked or rejected on this channel; if the channel is lost now, the ack may be lost, too."""
        self._remembered: deque[Input] = deque()
        """Finished inputs that may be delivered again; bounded, for connections that are lost every few seconds."""

    def channel_lost(self) -> None:
        """Make all tags invalid; inputs that were acked on the lost channel may be delivered again."""
        self._channel += 1
        for done in self._settled:
            self._inputs.setdefault(done.key, []).append(done)
        self._remembered.extend(self._settled)
        self._settled = []
        self._forget()

    def arrived(self, key: Fingerprint, tag: int, *, redelivered: bool) -> tuple[Input, bool]:
        """Return the input of a delivery, and whether it is new; without `redelivered` it is always new."""
        if redelivered:
            known = [known for known in self._inputs.get(key, ()) if known.channel != self._channel]
            if known:
                found = min(
                    known, key=lambda one: one.ok is not None
                )  # prefer an input in work to a finished one
                found.channel, found.tag = self._channel, tag
                return found, False
        arrived = Input(key, self._channel, tag)
        self._inputs.setdefault(key, []).append(arrived)
        return arrived, True

    def finished(self, done: Input, ok: bool) -> bool:
        """Mark an input as finished; return whether it can be acked now, or only when it is delivered again."""
        done.ok, done.when = ok, time.monotonic()
        if done.channel != self._channel:
            self._remembered.append(done)
            self._forget()
            return False
        self._drop(done)
        self._settled.append(done)
        if len(self._settled) > LONGEST_MEMORY:
            del self._settled[: LONGEST_MEMORY // 2]
        return True

    def _forget(self) -> None:
        border = time.monotonic() - MEMORY_SECONDS
        while self._remembered and (
            len(self._remembered) > LONGEST_MEMORY or self._remembered[0].when < border
        ):
            self._drop(self._remembered.popleft())

    def _drop(self, done: Input) -> None:
        same = self._inputs.get(done.key, [])
        if done in same:
            same.remove(done)
        if not same:
            self._inputs.pop(done.key, None)
