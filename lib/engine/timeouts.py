"""How long a call may take, by name: a handler says which kind of call it makes, not a number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["short", "slow", "wait", "stream", "transfer"]


@dataclass(frozen=True, slots=True)
class Timeout:
    """Limits of a call in seconds; None: no limit.

    `first_byte`: from the end of the request to the end of the answer's head; interim answers do not extend it.
    `idle`: between two pieces of the body. `total`: the whole call, from its first byte on.
    """

    first_byte: float | None
    idle: float | None
    total: float | None = None
    repeat: bool = True
    """Whether a read of this kind that failed is sent again within the step."""
    setting: str | None = None
    """The setting of the step that made `total`, if one did."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The kinds of calls. `connect` holds for all of them.

    short: answers from memory or disk (a volume driver that does not exist takes the engine 15 s).
    slow: the engine works before it answers: stop, commit, prune, delete, swarm join, registry look-ups. Not
    repeated within the step: a registry that counts requests would count each try.
    wait: the head comes at once, the answer when a container ends; after an hour the step tries again later.
    stream: answers that go on as long as something happens; the step's limits end them.
    transfer: archives and images, where silence is a fault; sending one, until it is answered, may take an hour.
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
        """Return the same, every call ended after `seconds`; a stream has so long to begin and for each silence."""
        kinds = ("short", "slow", "wait", "stream", "transfer")
        return replace(
            self,
            connect=min(self.connect, seconds),
            **{name: _limited(self.of(name), seconds) for name in kinds},  # type: ignore[arg-type]
        )

    def with_timeouts(self, head: float, whole: float) -> Timeouts:
        """Return the same for a step whose streams begin within `head` seconds and whose work ends within `whole`.

        Where that makes a limit shorter, its setting (maxSeconds) is named when it passes.
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
