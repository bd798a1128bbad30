"""Finds what happened to a container between two inspects (docs/triggers.md#containerstatechanged), without events.

`Condition` is what one inspect shows, in the form that a snapshot stores. `changes` compares two conditions;
`counted` counts restarts for the change restartLoop.
"""

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
"""Bytes of the numbers of a row: head, exit code, restarts, started, finished, recent, age."""
_RESTARTS = (1 << 24) - 1
_CODE = (1 << 32) - 1
_RECENT = 255
_TIME = (1 << 63) - 1


@dataclass(frozen=True)
class Condition:
    """A container as one inspect shows it.

    `started` and `finished` are the engine's times in nanoseconds, 0 for never. They are only compared for equality,
    since clocks may be set back. `recent`: restarts since the window for restart loops began, `age` minutes ago.
    `told`: restartLoop was emitted in this window. `stale`: the last poll could not inspect the container.
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
        """Return the condition to store for a new container that could not be inspected yet."""
        return cls("created", "none", 0, 0, 0, 1, stale=True)

    @property
    def unseen(self) -> bool:
        """Whether this is `awaited`: nothing about the container was emitted."""
        return (self.status, self.started, self.finished) == ("created", 0, 1)

    @classmethod
    def of(cls, inspected: Mapping[str, Any]) -> Condition:
        """Read an answer of ContainerInspect; raises KeyError, TypeError, ValueError or StreamFailed for others."""
        state = inspected["State"]
        probes = state.get("Health") or {}
        health = (probes.get("Status") or "none").lower()
        if health == "unhealthy" and probes.get("FailingStreak") == 0:
            health = "starting"  # no probe failed: engines report this when they pause or end a container
        return cls(
            state.get("Status") if state.get("Status") in STATUSES else "exited",
            health if health in HEALTHS else "none",
            int(state.get("ExitCode") or 0) & _CODE,
            min(max(int(inspected.get("RestartCount") or 0), 0), _RESTARTS),
            min(nanoseconds(state.get("StartedAt") or NEVER), _TIME),
            min(nanoseconds(state.get("FinishedAt") or NEVER), _TIME),
        )

    def row(self) -> tuple[int, ...]:
        """Return it as whole numbers; WIDTHS has the bytes of each."""
        head = (
            STATUSES.index(self.status) << 4 | HEALTHS.index(self.health) << 2 | self.told << 1 | self.stale
        )
        window = (min(self.recent, _RECENT), min(self.age, _RECENT))
        return (head, self.exit_code, self.restarts, self.started, self.finished, *window)

    @classmethod
    def of_row(cls, row: tuple[int, ...]) -> Condition:
        """Read `row`; raises IndexError or ValueError for anything else."""
        head, code, restarts, started, finished, recent, age = row
        told, stale = bool(head >> 1 & 1), bool(head & 1)
        status, health = STATUSES[head >> 4], HEALTHS[head >> 2 & 3]
        return cls(status, health, code, restarts, started, finished, recent, age, told, stale)

    def body(self) -> dict[str, Any]:
        """Return {status, health, exitCode, restartCount} for messages; health and exitCode may be None."""
        health = None if self.health == "none" else self.health
        code = self.exit_code if self.status in (*ENDED, "restarting") else None
        return {"status": self.status, "health": health, "exitCode": code, "restartCount": self.restarts}


def seen(old: Condition | None) -> Condition | None:
    """Return a condition that an inspect has shown, None for `awaited` and for None."""
    return None if old is None or old.unseen else old


@dataclass(frozen=True)
class Loop:
    """When restarts are a loop: `restarts` or more within `minutes`; each at most 63."""

    restarts: int = 3
    minutes: int = 10


def restarts_since(before: Condition | None, now: Condition) -> int:
    """Return how often the restart policy has started the container since `before`, at least.

    A start by hand sets the engine's count to 0. So a count above 0 after a new start counts only starts by the policy.
    """
    if before is None:
        return now.restarts
    if now.restarts > before.restarts:
        return now.restarts - before.restarts
    return now.restarts if now.started != before.started else 0


def changes(before: Condition | None, now: Condition, *, crash: bool, since: int = 0) -> tuple[str, ...]:
    """Return the changes since `before` (None: the container is new), in the order in which they happened.

    `crash`: the present exit code, or an end for lack of memory, counts as a crash. `since`: for a new container that
    is up again, an earlier end counts only if it was later than this, in nanoseconds.
    """
    again = restarts_since(before, now) > 0
    if before is None:
        return (*_new(now, crash=crash, again=again, ended=now.finished > since), *_health(None, now))
    found: list[str] = []
    stopped = now.status in ENDED and before.status not in (*ENDED, "created")
    moved = now.finished != before.finished
    if moved and (now.status in ENDED or again):
        # If it is up again, its exit code is gone: a restart by the policy counts as a crash.
        found.append("crashed" if crash or (again and now.status in UP) else "exited")
    elif stopped and not moved:  # its end was emitted while the engine waited to restart it: no second crash
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
    """Return `now` with its restarts added to the window for loops, and whether to emit restartLoop.

    `minutes` have passed since `before`. After a window, the next one begins at the last poll.
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
    """Return the change of health, if any.

    A new run begins without health, so the same health is a change. Only a running container counts: engines report
    unhealthy without a probe when they pause or end a container.
    """
    same = before and before.health == now.health and before.started == now.started
    told = now.status == "running" and now.health in ("healthy", "unhealthy")
    return (now.health,) if told and not same else ()
