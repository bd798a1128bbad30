"""Whether a new container is good: it lives, it is healthy, or it has written a line.

A container that its policy starts again and again looks as if it ran in half of all looks. So only one start counts: a
second one, or an end, is bad.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from lib.job.errors import NotReached
from lib.job.log_wait import waited_for_line
from lib.job.states import HEALTHY, LOG_LINE, NO_CHECK, RUNNING, State, look_at
from lib.job.waiting import TimeIsUp
from lib.job.work import Work

AUTO = "auto"
STABLE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` says why it is bad, "" for a good one."""

    state: State
    reason: str = ""

    @property
    def good(self) -> bool:
        return not self.reason


def judged(work: Work, identity: str, restarts: int = 0) -> Verdict:
    """Look at a container that was started until it is known whether it is good; at the deadline it is not.

    `restarts` are those by its policy that it had before, and that say nothing of now.
    """
    wanted = str(work.fields.get("check") or AUTO)
    first = look_at(work.engine, identity)
    if wanted == AUTO:
        wanted = RUNNING if first.health == NO_CHECK else HEALTHY
    if wanted == HEALTHY and first.health == NO_CHECK:
        return Verdict(first, "It has no health check to wait for")
    try:
        if wanted == LOG_LINE:
            waited_for_line(work, identity)
            return Verdict(look_at(work.engine, identity))
        reached = (
            _Healthy(restarts)
            if wanted == HEALTHY
            else _Alive(float(work.fields.get("stableSeconds", STABLE_SECONDS)), restarts)
        )
        return Verdict(work.until(lambda: look_at(work.engine, identity), reached, _late))
    except (NotReached, TimeIsUp) as bad:
        return Verdict(look_at(work.engine, identity), bad.message)


class _Alive:
    """Reached once it has lived for so long with one start."""

    def __init__(self, seconds: float, restarts: int) -> None:
        self._seconds, self._restarts = seconds, restarts
        self._since: tuple[str, float] | None = None

    def __call__(self, state: State) -> bool:
        _must_live(state, self._restarts)
        if state.status != RUNNING:
            return False
        if self._since is None:
            self._since = state.started, time.monotonic()
        if self._since[0] != state.started:
            raise NotReached(f"{state}: it ended and was started again", **state.output)
        return time.monotonic() - self._since[1] >= self._seconds


class _Healthy:
    """Reached once its check says so; unhealthy is bad at once, where a check has failed."""

    def __init__(self, restarts: int) -> None:
        self._restarts = restarts

    def __call__(self, state: State) -> bool:
        _must_live(state, self._restarts)
        if state.health == "unhealthy" and state.failures:
            raise NotReached(str(state), **state.output)
        return state.status == RUNNING and state.health == HEALTHY


def _must_live(state: State, restarts: int) -> None:
    if state.is_over or state.restarts > restarts:
        raise NotReached(str(state), **state.output)


def _late(state: State) -> tuple[str, dict[str, Any]]:
    return f"Its time is up: {state}", state.output
