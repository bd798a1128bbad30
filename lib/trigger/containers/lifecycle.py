"""What became of a container between two looks (docs/triggers.md#containerstatechanged), from inspect answers alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lib.trigger.clock import nanoseconds

STATUSES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")
HEALTHS = ("none", "starting", "healthy", "unhealthy")
ENDED = ("exited", "dead")
UP = ("running", "paused")
NEVER = "0001-01-01T00:00:00Z"
WIDTHS = (1, 4, 3, 8, 8, 1, 1)
_RESTARTS = (1 << 24) - 1
_CODE = (1 << 32) - 1
_RECENT = 255
_TIME = (1 << 63) - 1


@dataclass(frozen=True)
class Condition:
    """One look at a container. `started` and `finished` are the engine's times in nanoseconds, 0 for never.

    They are compared for inequality only: clocks are set back. `recent` restarts were counted in the `age` minutes
    since the window for restart loops began; `told`: it was told as one. `stale`: the last poll could not look.
    """

    status: str
    health: str
    exit_code: int
    restarts: int
    started: int
    finished: int
    recent: int = 0
    age: int = 0
    told: bool = False
    stale: bool = False

    @classmethod
    def awaited(cls) -> Condition:
        """Return what is kept of a container that is news and could not be looked at yet."""
        return cls("created", "none", 0, 0, 0, 1, stale=True)

    @property
    def unseen(self) -> bool:
        """Whether it is `awaited`: nothing of it was told."""
        return (self.status, self.started, self.finished) == ("created", 0, 1)

    @classmethod
    def of(cls, inspected: Mapping[str, Any]) -> Condition:
        """Read an answer of ContainerInspect."""
        state = inspected["State"]
        probes = state.get("Health") or {}
        health = (probes.get("Status") or "none").lower()
        if health == "unhealthy" and probes.get("FailingStreak") == 0:
            health = "starting"  # no probe failed: engines call it so what they pause, or what ends
        return cls(
            state.get("Status") if state.get("Status") in STATUSES else "exited",
            health if health in HEALTHS else "none",
            int(state.get("ExitCode") or 0) & _CODE,
            min(max(int(inspected.get("RestartCount") or 0), 0), _RESTARTS),
            min(nanoseconds(state.get("StartedAt") or NEVER), _TIME),
            min(nanoseconds(state.get("FinishedAt") or NEVER), _TIME),
        )

    def row(self) -> tuple[int, ...]:
        """Return it as numbers of so many bytes as WIDTHS says."""
        head = (
            STATUSES.index(self.status) << 4 | HEALTHS.index(self.health) << 2 | self.told << 1 | self.stale
        )
        window = (min(self.recent, _RECENT), min(self.age, _RECENT))
        return (head, self.exit_code, self.restarts, self.started, self.finished, *window)

    @classmethod
    def of_row(cls, row: tuple[int, ...]) -> Condition:
        """Read `row`; IndexError, ValueError for anything else."""
        head, code, restarts, started, finished, recent, age = row
        told, stale = bool(head >> 1 & 1), bool(head & 1)
        status, health = STATUSES[head >> 4], HEALTHS[head >> 2 & 3]
        return cls(status, health, code, restarts, started, finished, recent, age, told, stale)

    def body(self) -> dict[str, Any]:
        """Return what messages say of it."""
        health = None if self.health == "none" else self.health
        code = self.exit_code if self.status in (*ENDED, "restarting") else None
        return {"status": self.status, "health": health, "exitCode": code, "restartCount": self.restarts}


def seen(old: Condition | None) -> Condition | None:
    """Return what a poll saw of a container; None also where it only kept a place for it."""
    return None if old is None or old.unseen else old


@dataclass(frozen=True)
class Loop:
    """When restarts are a loop: so many within so many minutes (at most 63)."""

    restarts: int = 3
    minutes: int = 10


def restarts_since(before: Condition | None, now: Condition) -> int:
    """Return how often the restart policy started it since, at least.

    A start by hand sets the engine's count to 0: a count above 0 after another start is of the policy's own starts.
    """
    if before is None:
        return now.restarts
    if now.restarts > before.restarts:
        return now.restarts - before.restarts
    return now.restarts if now.started != before.started else 0


def changes(before: Condition | None, now: Condition, *, crash: bool, since: int = 0) -> tuple[str, ...]:
    """Return what happened since `before` (None: the container is new), in the order in which it must have happened.

    `crash`: the present exit code, or an end for lack of memory, counts as one. `since`: that a new container which is
    up again had ended is news if that was later than this, in nanoseconds.
    """
    again = restarts_since(before, now) > 0
    if before is None:
        return (*_new(now, crash=crash, again=again, ended=now.finished > since), *_health(None, now))
    found: list[str] = []
    stopped = now.status in ENDED and before.status not in (*ENDED, "created")
    moved = now.finished != before.finished
    if moved and (now.status in ENDED or again):
        # Up again: its exit code is gone, and that the engine restarted it is all that is known.
        found.append("crashed" if crash or (again and now.status in UP) else "exited")
    elif stopped and not moved:  # its end was told while the engine waited to restart it: no other crash
        found.append("exited" if before.status == "restarting" or not crash else "crashed")
    started = now.started != before.started and now.status in UP
    if started:
        found.append("restarted" if moved and not found else "started")
    if now.status == "paused" and (before.status != "paused" or started):
        found.append("paused")
    if now.status == "running" and before.status == "paused" and not started:
        found.append("unpaused")
    return (*found, *_health(before, now))


def counted(before: Condition | None, now: Condition, minutes: int, loop: Loop) -> tuple[Condition, bool]:
    """Return `now` with its restarts counted into the window for loops, and whether there is a loop to be told.

    `minutes` passed since `before`. A window that is over is followed by one that begins at the last poll.
    """
    fresh = restarts_since(before, now)
    if before is None:
        return replace(now, recent=min(fresh, _RECENT), told=fresh >= loop.restarts), fresh >= loop.restarts
    over = before.age + minutes > loop.minutes
    recent = (0 if over else before.recent) + fresh
    known = before.told and not over
    loops = fresh > 0 and recent >= loop.restarts and not known
    age = minutes if over else before.age + minutes
    return replace(now, recent=min(recent, _RECENT), age=min(age, _RECENT), told=known or loops), loops


def _new(now: Condition, *, crash: bool, again: bool, ended: bool) -> tuple[str, ...]:
    if now.status in (*ENDED, "restarting"):
        return ("crashed" if crash else "exited",)
    if now.status == "created":
        return ("created",)
    paused = ("paused",) if now.status == "paused" else ()
    if again:
        return ("crashed", "started", *paused)
    return ("restarted" if ended else "started", *paused)


def _health(before: Condition | None, now: Condition) -> tuple[str, ...]:
    """A run that was started again begins without health, so the same health is news.

    An engine calls what it pauses, or what ends, unhealthy without a probe.
    """
    same = before and before.health == now.health and before.started == now.started
    told = now.status == "running" and now.health in ("healthy", "unhealthy")
    return (now.health,) if told and not same else ()
