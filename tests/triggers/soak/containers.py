"""Containers of the soak: made, started, crashing, renamed, paused, sick, removed; their log lines are unique."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lib.trigger.clock import nanoseconds
from tests.lab.engine import LabEngine
from tests.triggers.soak.record import Record

MOST = 14
SECOND = 1_000_000_000
SICK = {
    "Test": ["CMD-SHELL", "[ ! -e /tmp/sick ]"],
    "Interval": 2 * SECOND,
    "Timeout": 20 * SECOND,
    "Retries": 1,
}
# A line names its container, its number and the moment, so that no two lines are alike, those after a restart neither.
LINES = "i=0; while [ $i -lt {count} ]; do read up _ </proc/uptime; echo {name}.$i.$up; i=$((i+1)); sleep {pause}; done"
TURNS = "trap 'touch /tmp/sick' USR1; trap 'rm -f /tmp/sick' USR2; while :; do sleep 0.2; done"


@dataclass
class Worker:
    """A container as it was meant; what became of it the events tell."""

    id: str
    has_health: bool = False
    sick: bool = False
    paused: bool = False


class Containers:
    """What happens to them."""

    def __init__(self, engine: LabEngine, record: Record, chance: random.Random) -> None:
        self.engine, self.record, self.chance = engine, record, chance
        self.workers: list[Worker] = []
        self._number = 0

    def actions(self) -> list[tuple[int, Callable[[], None]]]:
        """What can be done, with its weight."""
        return [
            (2, self._create),
            (4, self._short),
            (3, self._long),
            (2, self._gone),
            (2, self._looping),
            (1, self._patient),
            (2, lambda: self._post("start")),
            (2, lambda: self._post("restart", t=0)),
            (2, lambda: self._post("kill")),
            (2, lambda: self._post("rename", name=self._name("renamed"))),
            (3, self._pause),
            (3, self._turn),
            (6, self._remove),
        ]

    def _name(self, what: str) -> str:
        self._number += 1
        return f"{what}{self._number}"

    def _make(
        self, command: str, *, keep: bool = True, name: str = "", start: bool = True, **settings: Any
    ) -> None:
        if len(self.workers) >= MOST:
            self._remove()
        name = name or self._name("c")
        identity = self.engine.create(["sh", "-c", command], name=name, **settings)
        self.record.names[identity] = {name}
        if keep:
            self.workers.append(Worker(identity, has_health="Healthcheck" in settings))
        if start:
            self.engine.wire.do("POST", f"/containers/{identity}/start")

    def _create(self) -> None:
        self._make("exit 0", start=False)

    def _lines(self, name: str, count: int, pause: float) -> str:
        return LINES.format(name=name, count=count, pause=pause)

    def _short(self) -> None:
        name, code = self._name("short"), self.chance.choice((0, 1, 3, 137))
        self._make(f"{self._lines(name, self.chance.randrange(4), 0.1)}; exit {code}", name=name)

    def _long(self) -> None:
        name = self._name("long")
        self._make(self._lines(name, 10_000, self.chance.choice((0.2, 0.7, 3))), name=name)

    def _gone(self) -> None:
        code = self.chance.choice((0, 5))
        self._make(
            f"sleep {self.chance.choice((0, 1, 4))}; exit {code}", keep=False, HostConfig={"AutoRemove": True}
        )

    def _looping(self) -> None:
        name, most = self._name("loop"), self.chance.choice((1, 2, 4))
        policy = {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": most}}
        self._make(f"{self._lines(name, 1, 0.1)}; exit 1", name=name, HostConfig=policy)

    def _patient(self) -> None:
        if sum(one.has_health for one in self.workers) < 2:
            self._make(TURNS, Healthcheck=SICK)

    def _any(self) -> Worker | None:
        return self.chance.choice(self.workers) if self.workers else None

    def _post(self, verb: str, **query: Any) -> None:
        if one := self._any():
            self.engine.wire.do("POST", f"/containers/{one.id}/{verb}", **query)
            if verb == "rename":
                self.record.names[one.id].add(query["name"])
            one.paused = False

    def _pause(self) -> None:
        if one := self._any():
            self.engine.wire.do("POST", f"/containers/{one.id}/{'unpause' if one.paused else 'pause'}")
            one.paused = not one.paused

    def _turn(self) -> None:
        for one in self.workers:
            if one.has_health:
                signal = "SIGUSR2" if one.sick else "SIGUSR1"
                self.engine.wire.do("POST", f"/containers/{one.id}/kill", signal=signal)
                one.sick = not one.sick
                return

    def _remove(self) -> None:
        if one := self._any():
            self.workers.remove(one)
            if self.chance.random() < 0.7:
                self.engine.wire.ask("POST", f"/containers/{one.id}/kill")
                self.engine.wait(one.id)
            self.read_log(one.id)
            self.record.removals[one.id] = time.time()
            self.engine.wire.do("DELETE", f"/containers/{one.id}", force=True)

    def read_log(self, identity: str) -> None:
        """Record the lines of a container: what the lab itself reads of its log."""
        query = {"stdout": True, "stderr": True, "timestamps": True}
        raw = self.engine.wire.do("GET", f"/containers/{identity}/logs", **query).body
        found: dict[str, float] = {}
        while len(raw) >= 8:
            length = int.from_bytes(raw[4:8], "big")
            at, _, text = raw[8 : 8 + length].decode().rstrip("\n").partition(" ")
            found[text] = nanoseconds(at) / SECOND
            raw = raw[8 + length :]
        self.record.lines[identity] = found
