"""Time limits of a call, by its kind: a handler names the kind of its call, not a number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["short", "slow", "wait", "stream", "transfer"]


@dataclass(frozen=True, slots=True)
class Timeout:
    """Limits of one call in seconds; None means no limit.

    `first_byte`: from the end of the request to the end of the answer's head; interim answers do not extend it.
    `idle`: between two pieces of the body. `total`: the whole call, from its first byte on.
    """

    first_byte: float | None
    idle: float | None
    total: float | None = None
    repeat: bool = True
    """Whether a failed read of this kind is sent again within the step."""
    setting: str | None = None
    """The step's setting from which `total` comes; None for a default."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The limits of each kind of call, in seconds. `connect` holds for all kinds.

    - short: answers from memory or disk (for a volume driver that does not exist, the engine takes 15 s).
    - slow: the engine works before it answers: stop, commit, prune, delete, swarm join, registry look-ups. These calls
      are not repeated within the step, because a registry may count each try.
    - wait: the head comes at once, the body when a container ends. After an hour the step tries again later.
    - stream: answers that go on as long as something happens; the step's limits end them.
    - transfer: archives and images, where silence is a fault; the upload and the answer together may take an hour.
    """

    connect: float = 5
    short: Timeout = Timeout(60, 60, 120)
    slow: Timeout = Timeout(900, 300, 3600, repeat=False)
    wait: Timeout = Timeout(60, None, 3600)
    stream: Timeout = Timeout(60, None)
    transfer: Timeout = Timeout(900, 300, 3600)

    def of(self, kind: Kind) -> Timeout:
        """Return the limits of a kind of call."""
        timeout: Timeout = getattr(self, kind)
        return timeout

    def limited(self, seconds: float) -> Timeouts:
        """Return a copy whose calls end after `seconds`; for a stream they limit the head and each silence."""
        kinds = ("short", "slow", "wait", "stream", "transfer")
        return replace(
            self,
            connect=min(self.connect, seconds),
            **{name: _limited(self.of(name), seconds) for name in kinds},  # type: ignore[arg-type]
        )

    def with_timeouts(self, head: float, whole: float) -> Timeouts:
        """Return the limits for a step whose streams begin within `head` seconds and whose work ends within `whole`.

        If `whole` is the shorter limit, the error names its setting (maxSeconds).
        """
        wait = _shorter(self.wait, whole)
        stream, transfer = _sooner(self.stream, head), _sooner(_shorter(self.transfer, whole), head)
        if wait is self.wait and stream is self.stream and transfer is self.transfer:
            return self
        return replace(self, stream=stream, transfer=transfer, wait=wait)


def _limited(kind: Timeout, seconds: float) -> Timeout:
    def shorter(limit: float | None) -> float:
        return seconds if limit is None else min(limit, seconds)

    return replace(
        kind, first_byte=shorter(kind.first_byte), idle=shorter(kind.idle), total=shorter(kind.total)
    )


def _sooner(kind: Timeout, head: float) -> Timeout:
    return replace(kind, first_byte=head) if head < (kind.first_byte or head) else kind


def _shorter(kind: Timeout, whole: float) -> Timeout:
    return replace(kind, total=whole, setting="maxSeconds") if whole < (kind.total or float("inf")) else kind
