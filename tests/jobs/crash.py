"""A step that is killed at one of its changing calls, and the same message delivered again to a new process.

Each delivery runs in a process of its own that reaches the engine through a proxy. The proxy counts the calls that
change something and sends SIGKILL before one is passed on (BEFORE), or once its answer is here and before it is handed
on (AFTER). What the step published until then is kept: the platform has it.

    delivery = Delivery(engine, "RunContainer", {"image": IMAGE, "command": ["true"]})
    dead = delivery.run(die=(2, AFTER))
    again = delivery.run()
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.sailor.message.ids import random_id
from lib.sailor.transport import Kind
from tests.jobs.deaths import FRESH, counted, leftovers
from tests.jobs.killing_proxy import AFTER, BEFORE, Death, KillingProxy
from tests.jobs.step_process import BaseProcess, StepProcess
from tests.jobs.things import nothing_left, things
from tests.lab.engine import LabEngine

__all__ = ["AFTER", "BEFORE", "Death", "Delivery", "Life", "deaths", "nothing_left", "things"]


def deaths(calls: int) -> list[Death]:
    """All places to die at in a step that makes so many changing calls."""
    return [(number, side) for number in range(1, calls + 1) for side in (BEFORE, AFTER)]


@dataclass(frozen=True)
class Life:
    """What one process did: `finished` is None where it was killed, else whether its message ended well."""

    published: list[dict[str, Any]]
    calls: list[str]
    """Changing calls that reached the engine, as "METHOD /path"."""
    finished: bool | None

    def of(self, kind: Kind) -> list[Any]:
        return [one["value"] for one in self.published if one["kind"] == kind.name]

    @property
    def bodies(self) -> list[Any]:
        return self.of(Kind.DATA)

    @property
    def errors(self) -> list[Any]:
        return self.of(Kind.ERROR)

    @property
    def rebounds(self) -> list[Any]:
        return self.of(Kind.REBOUND)

    @property
    def ids(self) -> list[str]:
        """Message ids of what was emitted."""
        return [one["id"] for one in self.published if one["kind"] == Kind.DATA.name]


@dataclass(eq=False)
class Delivery:
    """One message for one step; each `run` delivers it to a new process."""

    engine: LabEngine
    key: str
    body: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    attachments: Mapping[str, Any] = field(default_factory=dict)
    folder: str = ""
    """Where attachments are stored, "" for none."""
    message_id: str = field(default_factory=random_id)
    headers: Mapping[str, Any] = field(default_factory=dict)
    """Of the message, beside its id."""
    began: float = field(default_factory=time.time)
    runs: int = 0
    looks: list[str] = field(default_factory=list)
    """Calls that change nothing, as "METHOD /path"."""
    at: int = 0
    """The last changing call that it was killed at."""
    before: set[str] = field(default_factory=set)
    """What jobs had left on the engine before."""
    told: set[str] = field(default_factory=set)
    """Ids of all messages that were emitted."""

    def run(self, die: Death | None = None, during: Callable[[BaseProcess], None] = lambda _: None) -> Life:
        """Deliver it, killed where `die` says; `during` is called with the process while it works."""
        self.runs += 1
        if self.runs == 1:
            self.before = leftovers(things(self.engine))
        with (
            tempfile.TemporaryDirectory() as folder,
            KillingProxy(self.engine.socket, self.looks, folder, die) as proxy,
        ):
            spec = {
                "key": self.key,
                "body": self.body,
                "config": {"server": "2", "otherServer": proxy.url, **self.settings},
                "attachments": self.attachments,
                "folder": self.folder,
                "headers": {**self.headers, "messageId": self.message_id},
                "redelivered": self.runs > 1,
            }
            one = StepProcess()
            proxy.kill = one.process.kill
            lines = one.work(spec, during)
            told = [line["finished"] for line in lines if "finished" in line]
            assert not [line for line in lines if "broken" in line], lines
            killed = not told
            if killed and die:
                self.at = die[0]
            assert killed or die is None, f"it made {len(proxy.calls)} changing calls: {proxy.calls}"
            published = [line for line in lines if "kind" in line]
            life = Life(published, proxy.calls, told[0] if told else None)
            self.told.update(life.ids)
            if self.at and not killed:
                FRESH[self] = counted(self)
            return life

    def left(self) -> set[str]:
        """What jobs have made for themselves since the first delivery, and not taken away."""
        return leftovers(things(self.engine)) - self.before

    def events(self, action: str, kind: str = "container") -> list[dict[str, Any]]:
        """The engine's events of an action since the message was made: start tells how often programs ran."""
        filters = json.dumps({"type": [kind], "event": [action]})
        times = {"since": f"{self.began:.6f}", "until": f"{time.time():.6f}"}
        events: list[dict[str, Any]] = self.engine.wire.do("GET", "/events", **times, filters=filters).lines()
        return events
