"""The inputs in work across reconnects: which delivery tag is theirs now, and which redelivery is one of them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MEMORY_SECONDS = 300.0
LONGEST_MEMORY = 10_000
TAIL = 64

Fingerprint = tuple[str, str, int, bytes]


@dataclass(slots=True, eq=False)
class Input:
    """One input; `channel` counts the channels, a tag of an earlier one is worth nothing."""

    key: Fingerprint
    channel: int
    tag: int
    ok: bool | None = None
    """Set when it was finished, at `when`."""
    when: float = 0.0


def fingerprint(headers: Mapping[str, Any], body: bytes) -> Fingerprint:
    """Return what a redelivery is recognised by; different messages may carry one id (protocol D-01).

    The end of a sealed body depends on all of it, so it stands for the whole.
    """
    iteration = str(headers.get("reboundIteration"))
    return str(headers.get("messageId")), iteration, len(body), body[-TAIL:]


class Inflight:
    """Knows every input from its arrival to the ack that the broker has seen. Only for the I/O thread."""

    def __init__(self) -> None:
        self._channel = 0
        self._inputs: dict[Fingerprint, list[Input]] = {}
        self._settled: list[Input] = []
        """Acked on this channel; if it is lost now, the ack may have been, too."""
        self._remembered: deque[Input] = deque()
        """Finished, and perhaps to come again; a connection that is lost every few seconds must not fill the memory."""

    def channel_lost(self) -> None:
        """Forget all tags. What was acked of late may come again and must not be worked on twice."""
        self._channel += 1
        for done in self._settled:
            self._inputs.setdefault(done.key, []).append(done)
        self._remembered.extend(self._settled)
        self._settled = []
        self._forget()

    def arrived(self, key: Fingerprint, tag: int, *, redelivered: bool) -> tuple[Input, bool]:
        """Return the input of a delivery, and whether it is new; only a redelivery can be an old one (protocol 3.6)."""
        if redelivered:
            known = [known for known in self._inputs.get(key, ()) if known.channel != self._channel]
            if known:
                found = min(
                    known, key=lambda one: one.ok is not None
                )  # one in work before one that was finished
                found.channel, found.tag = self._channel, tag
                return found, False
        arrived = Input(key, self._channel, tag)
        self._inputs.setdefault(key, []).append(arrived)
        return arrived, True

    def finished(self, done: Input, ok: bool) -> bool:
        """Tell whether the input can be acked or rejected now; otherwise its redelivery is waited for."""
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
