"""Containers of an engine as the engine keeps them: they start, crash, pause, turn ill, go; each with its events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.triggers.fake_engine import Answer, FakeEngine
from tests.triggers.model import SECOND, Ring

NEVER = "0001-01-01T00:00:00Z"


def written(nanos: int) -> str:
    """A time as the engine writes it."""
    if not nanos:
        return NEVER
    whole, part = divmod(nanos, SECOND)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{part:09d}Z"


def human(seconds: float) -> str:
    """An age in the words of the engine's Status texts (go-units, HumanDuration)."""
    hours = int(seconds / 3600 + 0.5)
    found = [
        (seconds < 1, "Less than a second"),
        (seconds < 2, "1 second"),
        (seconds < 60, f"{int(seconds)} seconds"),
        (seconds < 120, "About a minute"),
        (seconds < 3600, f"{int(seconds / 60)} minutes"),
        (hours == 1, "About an hour"),
        (hours < 48, f"{hours} hours"),
        (hours < 24 * 14, f"{hours // 24} days"),
        (hours < 24 * 60, f"{hours // 168} weeks"),
        (hours < 24 * 730, f"{hours // 720} months"),
        (True, f"{int(seconds / 3600 / 24 / 365)} years"),
    ]
    return next(text for holds, text in found if holds)


@dataclass
class Box:
    """One container."""

    id: str
    name: str
    created: int
    policy: bool
    checked: bool
    status: str = "created"
    started: int = 0
    finished: int = 0
    code: int = 0
    restarts: int = 0
    health: str = "none"

    def shown(self, now: int) -> str:
        up, ended = human((now - self.started) / SECOND), human((now - self.finished) / SECOND)
        if self.status == "exited":
            return f"Exited ({self.code}) {ended} ago"
        if self.status == "created":
            return "Created"
        note = " (Paused)" if self.status == "paused" else ""
        if not note and self.health != "none":
            note = " (health: starting)" if self.health == "starting" else f" ({self.health})"
        return f"Up {up}{note}"

    def inspected(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "Status": self.status,
            "ExitCode": self.code,
            "OOMKilled": False,
            "Error": "",
            "StartedAt": written(self.started),
            "FinishedAt": written(self.finished),
        }
        if self.checked:
            state["Health"] = {"Status": self.health}
        config = {"Image": "shop/web:1", "Labels": {}}
        return {"Id": self.id, "RestartCount": self.restarts, "State": state, "Config": config}


@dataclass
class World:
    """`told` by nobody: `boxes` are what there is, `ring` the clock and the memory of events."""

    ring: Ring = field(default_factory=Ring)
    boxes: dict[str, Box] = field(default_factory=dict)
    made: int = 0

    @property
    def now(self) -> int:
        return int(self.ring.now * SECOND)

    def happen(self, box: Box, action: str, **attributes: str) -> None:
        """Publish an event of a container."""
        event = {
            "Type": "container",
            "Action": action,
            "Actor": {
                "ID": box.id,
                "Attributes": {"name": box.name, "image": "shop/web:1", **attributes},
            },
            "scope": "local",
            "time": self.now // SECOND,
            "timeNano": self.now,
        }
        self.ring.published.append(event)
        self.ring.kept.append(event)
        self.ring.now += 0.001

    def noise(self, count: int) -> None:
        """Health probes of others, say."""
        for _ in range(count):
            self.ring.publish(action="exec_create: /bin/true")

    def create(self, *, policy: bool = False, checked: bool = False) -> Box:
        self.made += 1
        box = Box(f"{self.made:06x}".ljust(64, "a"), f"box{self.made}", self.now, policy, checked)
        self.boxes[box.id] = box
        self.happen(box, "create")
        return box

    def start(self, box: Box, *, by_hand: bool = True) -> None:
        box.status, box.started, box.code = "running", self.now, 0
        box.restarts = 0 if by_hand else box.restarts + 1
        box.health = "starting" if box.checked else "none"
        self.happen(box, "start")

    def end(self, box: Box, code: int) -> None:
        """The end of its process; its policy may start it again at once."""
        box.status, box.finished, box.code = "exited", self.now, code
        self.happen(box, "die", exitCode=str(code))
        if box.policy:
            self.start(box, by_hand=False)

    def restart(self, box: Box) -> None:
        box.status, box.finished, box.code = "exited", self.now, 137
        self.happen(box, "kill", signal="15")
        self.happen(box, "die", exitCode="137")
        self.start(box)
        self.happen(box, "restart")

    def pause(self, box: Box) -> None:
        box.status = "paused" if box.status == "running" else "running"
        self.happen(box, "pause" if box.status == "paused" else "unpause")

    def turn(self, box: Box, health: str) -> None:
        if box.health != health:
            box.health = health
            self.happen(box, f"health_status: {health}")

    def remove(self, box: Box) -> None:
        if box.status in ("running", "paused"):
            self.happen(box, "kill", signal="9")
            self.happen(box, "die", exitCode="137")
        del self.boxes[box.id]
        self.happen(box, "destroy")

    def serve(self, engine: FakeEngine, *, texts: bool = True) -> None:
        """Let a fake engine answer from here; without `texts` its list tells no state."""
        engine.ring = self.ring
        routes = engine.routes
        routes["/containers/json"] = lambda _: (200, [self._entry(one, texts) for one in self.boxes.values()])
        for number in range(1, 400):
            identity = f"{number:06x}".ljust(64, "a")
            routes[f"/containers/{identity}/json"] = lambda _, one=identity: self._inspect(one)

    def _inspect(self, identity: str) -> Answer:
        box = self.boxes.get(identity)
        return (200, box.inspected()) if box else (404, {"message": "no such container"})

    def _entry(self, box: Box, texts: bool) -> dict[str, Any]:
        return {
            "Id": box.id,
            "Names": [f"/{box.name}"],
            "Image": "shop/web:1",
            "ImageID": "sha256:1",
            "State": box.status,
            "Status": box.shown(self.now) if texts else "",
            "Created": box.created // SECOND,
            "Labels": {},
        }
