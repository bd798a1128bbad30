"""Containers in which commands run, and messages of RunCommand that are delivered again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from lib.sailor.message.ids import random_id
from tests.actions.stepping import Outcome, run_step
from tests.jobs.engines import config
from tests.jobs.places import Place, tar_of, unpacked
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until

KEY = "RunCommand"
UNTIL_GO = "until [ -e /go ]; do sleep 0.1; done"
READY = "echo x >/ready"


@contextmanager
def alive(
    engine: LabEngine, name: str = "", command: tuple[str, ...] = ("sleep", "600"), **more: Any
) -> Iterator[str]:
    """The name of a container that runs."""
    name = name or f"web-{random_id()[:8]}"
    engine.create(command, name=name, **more)
    engine.wire.do("POST", f"/containers/{name}/start")
    try:
        yield name
    finally:
        engine.remove(name)


def go(place: Place, name: str) -> None:
    place.put(name, "/", tar_of(("go", b"")))


def running(engine: LabEngine, name: str) -> bool:
    """Whether a command runs in a container."""
    ids = engine.wire.do("GET", f"/containers/{name}/json").json()["ExecIDs"] or []
    return any(engine.wire.do("GET", f"/exec/{one}/json").json()["Running"] for one in ids)


def state(engine: LabEngine, name: str) -> str:
    return str(engine.wire.do("GET", f"/containers/{name}/json").json()["State"]["Status"])


def lines(place: Place, name: str, path: str) -> int:
    """How many lines a file has in a container, 0 where it is not there."""
    answer = place.engine.wire.ask("GET", f"/containers/{name}/archive?path={path}")
    if answer.status == HTTPStatus.NOT_FOUND:
        return 0
    ((_, data),) = unpacked(answer.body).values()
    return data.count(b"\n")


@dataclass
class Same:
    """One message that is delivered again and again, as after a rebound."""

    place: Place
    wish: dict[str, Any]
    message_id: str = field(default_factory=random_id)
    headers: dict[str, Any] = field(default_factory=dict)
    attachments: dict[str, Any] = field(default_factory=dict)
    times: int = 0

    def again(self, *, redelivered: bool = False, **settings: Any) -> Outcome:
        headers = {"messageId": self.message_id, "reboundIteration": self.times, **self.headers}
        self.times += 1
        step = config(self.place.engine, **settings)
        outcome = run_step(
            KEY,
            self.wish,
            step,
            attachments=self.attachments,
            storage=self.place.storage,
            headers=headers,
            redelivered=redelivered,
        )
        self.headers = {"reboundReason": outcome.rebounds[0]} if outcome.rebounds else {}
        return outcome


def begun(place: Place, wish: dict[str, Any]) -> Same:
    """A message whose command runs and has said so by READY; its delivery had no time left."""
    message = Same(place, wish)
    outcome = message.again(maxSeconds="0.1", killAfter="6000")
    assert (len(outcome.rebounds), outcome.bodies, outcome.errors) == (1, [], [])
    wait_until(lambda: lines(place, wish["target"], "/ready"), "the command to be ready")
    return message


def sh(target: str, script: str, **fields: Any) -> dict[str, Any]:
    return {"target": target, "command": ["sh", "-c", script], **fields}
