"""Waiting for a state of one container, by looks at it: nothing is asked of the engine but reads.

What a look shows misleads in two places. A container in a restart loop is `running` in half of all looks, so a steady
one is known by a start time and a count of restarts that stay the same. Between two restarts its status is
`restarting`, not `exited`, so `exited` means that no policy starts it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine import Engine
from lib.engine.errors import BadInput, NotFound
from lib.job.errors import NotReached
from lib.job.work import Work

RUNNING, HEALTHY, EXITED, REMOVED, LOG_LINE = "running", "healthy", "exited", "removed", "logLine"
NO_CHECK = "none"
_ENDED = ("exited", "dead")
_STEADY_SECONDS = 3.0
_LONGEST_OUTPUT = 4096
"""Characters of a health check's output in a message."""


@dataclass(frozen=True, slots=True)
class State:
    """One look at a container; `status` is `removed` for one that is gone."""

    id: str
    name: str
    status: str
    health: str = NO_CHECK
    exit_code: int = 0
    restarts: int = 0
    started: str = ""
    finished: str = ""
    """When it ended last: of one that runs, the run before."""
    policy: str = ""
    last_check: Mapping[str, Any] | None = None
    failures: int = 0
    """Health checks that failed in a row. A pause and a stop make a container unhealthy without any."""

    @classmethod
    def of(cls, inspected: Mapping[str, Any]) -> State:
        """Read an answer of ContainerInspect."""
        state = inspected["State"]
        health = state.get("Health") or {}
        checks = health.get("Log") or []
        return cls(
            id=str(inspected["Id"]),
            name=str(inspected["Name"]).removeprefix("/"),
            status=str(state["Status"]),
            health=str(health.get("Status") or NO_CHECK).lower(),
            exit_code=int(state.get("ExitCode") or 0),
            restarts=int(inspected.get("RestartCount") or 0),
            started=str(state.get("StartedAt") or ""),
            finished=str(state.get("FinishedAt") or ""),
            policy=str(((inspected.get("HostConfig") or {}).get("RestartPolicy") or {}).get("Name") or ""),
            last_check=_check(checks[-1]) if checks else None,
            failures=int(health.get("FailingStreak") or 0),
        )

    @property
    def is_over(self) -> bool:
        """Whether it has ended and nothing starts it again."""
        return self.status in _ENDED

    @property
    def output(self) -> dict[str, Any]:
        """Return what a message says of it."""
        told: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "state": self.status,
            "health": self.health,
            "exitCode": self.exit_code,
            "restarts": self.restarts,
        }
        return told | ({"lastCheck": self.last_check} if self.last_check else {})

    def __str__(self) -> str:
        """Return a sentence for people: "web is running, health starting, 3 restarts"."""
        parts = [f"{self.name} is {self.status}"]
        parts += [f"its exit code was {self.exit_code}"] if self.is_over else []
        parts += [f"health {self.health}"] if self.health != NO_CHECK else []
        parts += [f"{self.restarts} restarts"] if self.restarts else []
        text = ", ".join(parts)
        return f"{text}; the last check said: {self.last_check['output']}" if self.last_check else text


def look_at(engine: Engine, target: str) -> State:
    """Return a container's state; NotFound where it is not there."""
    return engine.get("/containers/{id}/json", {"id": target}).read(State.of)


def waited(work: Work, target: str, wanted: str) -> dict[str, Any]:
    """Return the output of WaitForContainer once the container has the wanted state."""
    if wanted == REMOVED:
        return _until_removed(work, target)
    first = look_at(work.engine, target)
    reached = _steady(work) if wanted == RUNNING else _healthy(work) if wanted == HEALTHY else _over
    # By its id from here on: another one that takes over the name meanwhile is not the one that was meant.
    found = work.until(lambda: look_at(work.engine, first.id), reached, late_for(wanted))
    return {"reached": True, **found.output}


def late_for(wanted: str) -> Callable[[State], tuple[str, dict[str, Any]]]:
    """Return what is said when the time is up before a state was there."""

    def late(state: State) -> tuple[str, dict[str, Any]]:
        return f"{state.name} is not {wanted} yet: {state}", state.output

    return late


def _until_removed(work: Work, target: str) -> dict[str, Any]:
    known = [State(target, target, REMOVED)]

    def look() -> State:
        last = known[0]
        try:
            known[0] = look_at(work.engine, last.id)
        except NotFound:
            return State(last.id, last.name, REMOVED, last.health, last.exit_code, last.restarts)
        return known[0]

    found = work.until(look, lambda state: state.status == REMOVED, late_for(REMOVED))
    return {"reached": True, **found.output}


def _steady(work: Work) -> Callable[[State], bool]:
    seconds = float(work.fields.get("stableSeconds", _STEADY_SECONDS))
    since: list[tuple[str, int, float]] = []

    def reached(state: State) -> bool:
        if state.is_over:
            raise NotReached(f"{state}, and nothing starts it again", **state.output)
        if state.status != RUNNING:
            since.clear()
            return False
        now = time.monotonic()
        if not since or since[0][:2] != (state.started, state.restarts):
            since[:] = [(state.started, state.restarts, now)]
        return now - since[0][2] >= seconds

    return reached


def _healthy(work: Work) -> Callable[[State], bool]:
    gives_up = bool(work.fields.get("failOnUnhealthy"))

    def reached(state: State) -> bool:
        if state.is_over:
            raise NotReached(f"{state}, and nothing starts it again", **state.output)
        if state.health == NO_CHECK and state.status == RUNNING:
            raise BadInput(
                f"{state.name} has no health check",
                field="for",
                hint="Wait for running, or for a line of its log",
            )
        if gives_up and state.health == "unhealthy":
            raise NotReached(str(state), **state.output)
        return state.status == RUNNING and state.health == HEALTHY

    return reached


def _over(state: State) -> bool:
    return state.is_over


def _check(probe: Mapping[str, Any]) -> dict[str, Any]:
    output = str(probe.get("Output") or "").strip()
    return {
        "exitCode": int(probe.get("ExitCode") or 0),
        "output": output if len(output) <= _LONGEST_OUTPUT else f"{output[:_LONGEST_OUTPUT]} ...",
        "end": str(probe.get("End") or ""),
    }
