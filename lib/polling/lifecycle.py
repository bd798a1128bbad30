"""What became of a container between two looks at it (triggers, T2): a pure comparison of inspect answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lib.polling.compact import digits, mark, number

STATUSES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")
HEALTHS = ("none", "starting", "healthy", "unhealthy")
ENDED = ("exited", "dead")
UP = ("running", "paused")
WIDTH = 13
_RESTARTS = 1 << 12
_BYTE = 0xFF
_DIGIT = 63


@dataclass(frozen=True)
class Condition:
    """One look at a container, as far as the cursor can keep it.

    `started` and `finished` are marks of the engine's times, compared for inequality only: clocks are set back.
    `recent` restarts were counted in the `age` minutes since the window for restart loops began; `told`: it was told
    as one.
    """

    status: str
    health: str
    exit_code: int
    restarts: int
    started: str
    finished: str
    recent: int = 0
    age: int = 0
    told: bool = False

    @classmethod
    def of(cls, inspected: Mapping[str, Any]) -> Condition:
        """Read an answer of ContainerInspect."""
        state = inspected["State"]
        health = ((state.get("Health") or {}).get("Status") or "none").lower()
        return cls(
            state.get("Status") if state.get("Status") in STATUSES else "exited",
            health if health in HEALTHS else "none",
            int(state.get("ExitCode") or 0) & _BYTE,
            int(inspected.get("RestartCount") or 0) % _RESTARTS,
            mark(state.get("StartedAt") or "", 3),
            mark(state.get("FinishedAt") or "", 3),
        )

    def pack(self) -> str:
        """Write it in 13 digits."""
        head = (
            STATUSES.index(self.status) << 11
            | HEALTHS.index(self.health) << 9
            | self.told << 8
            | self.exit_code
        )
        window = digits(min(self.recent, _DIGIT), 1) + digits(min(self.age, _DIGIT), 1)
        return digits(head, 3) + digits(self.restarts, 2) + self.started + self.finished + window

    @classmethod
    def unpack(cls, packed: str) -> Condition:
        """Read what `pack` wrote; ValueError or IndexError for anything else."""
        head = number(packed[:3])
        return cls(
            STATUSES[head >> 11],
            HEALTHS[head >> 9 & 3],
            head & _BYTE,
            number(packed[3:5]),
            packed[5:8],
            packed[8:11],
            number(packed[11]),
            number(packed[12]),
            bool(head >> 8 & 1),
        )

    def body(self) -> dict[str, Any]:
        """Return what messages say of it."""
        health = None if self.health == "none" else self.health
        code = self.exit_code if self.status in (*ENDED, "restarting") else None
        return {"status": self.status, "health": health, "exitCode": code, "restartCount": self.restarts}


@dataclass(frozen=True)
class Loop:
    """When restarts are a loop: so many within so many minutes (at most 63)."""

    restarts: int = 3
    minutes: int = 10


def changes(before: Condition | None, now: Condition, *, crash: bool, loop: Loop) -> tuple[str, ...]:
    """Return what happened since `before` (None: the container is new), in the order in which it must have happened.

    `crash`: the present exit code, or an end for lack of memory, counts as one. `now` is as `counted` returns it.
    """
    if before is None:
        return (*_new(now, crash=crash), *_health(None, now))
    again = now.restarts > before.restarts
    found: list[str] = []
    ended = now.finished != before.finished or (
        now.status in ENDED and before.status not in (*ENDED, "created")
    )
    if ended and (now.status in ENDED or again):
        # Up again: its exit code is gone, and that the engine restarted it is all that is known.
        found.append("crashed" if crash or (again and now.status in UP) else "exited")
    started = now.started != before.started and now.status in UP
    if started:
        found.append("restarted" if ended and not found else "started")
    if now.status != before.status and now.status == "paused":
        found.append("paused")
    if now.status == "running" and before.status == "paused" and not started:
        found.append("unpaused")
    if now.recent >= loop.restarts and not before_told(before, now):
        found.append("restartLoop")
    return (*found, *_health(before, now))


def counted(before: Condition | None, now: Condition, minutes: int, loop: Loop) -> Condition:
    """Return `now` with its restarts counted into the window for loops; `minutes` passed since `before`."""
    if before is None:
        return now
    age = before.age + minutes
    over = age > loop.minutes
    recent = (0 if over else before.recent) + max(now.restarts - before.restarts, 0)
    told = (before.told and not over) or recent >= loop.restarts
    return replace(now, recent=min(recent, _DIGIT), age=0 if over else min(age, _DIGIT), told=told)


def before_told(before: Condition, now: Condition) -> bool:
    """Whether the loop that `now` is in was told already; a new window tells it again."""
    return before.told and now.age >= before.age


def _new(now: Condition, *, crash: bool) -> tuple[str, ...]:
    if now.status in ENDED:
        return ("crashed" if crash else "exited",)
    if now.status == "restarting":
        return ("crashed" if crash else "exited",)
    return ("created",) if now.status == "created" else ("started",)


def _health(before: Condition | None, now: Condition) -> tuple[str, ...]:
    if now.health not in ("healthy", "unhealthy") or (before and before.health == now.health):
        return ()
    return (now.health,)
