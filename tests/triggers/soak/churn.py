"""Changes all that an engine has, at random, as people and programs do, and records what it did."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tests.lab.engine import LabEngine
from tests.lab.registry import Registry
from tests.lab.wire import WireError
from tests.triggers.soak.containers import Containers
from tests.triggers.soak.images import Images
from tests.triggers.soak.record import Record, Thing, spanned

MOST = 12
"""Objects of a kind."""


class Churn:
    """`act` does one thing, chosen by `chance`."""

    def __init__(self, engine: LabEngine, registry: Registry, record: Record, chance: random.Random) -> None:
        self.engine, self.record, self.chance = engine, record, chance
        self.containers = Containers(engine, record, chance)
        self.images = Images(engine, registry, record, chance)
        self._number = 0
        actions: list[tuple[int, Callable[[], None]]] = [
            *self.containers.actions(),
            *self.images.actions(),
            (2, self._volume),
            (1, self._network),
            (1, self._secret),
            (2, self._service),
            (1, self._update),
            (3, self._remove),
        ]
        self._weights = [weight for weight, _ in actions]
        self._actions = [action for _, action in actions]

    def act(self) -> None:
        """Do one thing; that the engine refuses it, as with what has just ended, is part of it."""
        (action,) = self.chance.choices(self._actions, self._weights)
        self.record.actions += 1
        try:
            action()
        except WireError as refusal:
            self.record.refused.append(str(refusal))

    def of(self, *types: str) -> list[Thing]:
        """The things of these types that are there."""
        return [one for one in self.record.things if one.type in types and one.removed is None]

    def _make(self, kind: str, path: str, body: dict[str, Any], key: str = "ID") -> None:
        self._number += 1
        body["Name"] = f"{kind}{self._number}"
        with spanned() as span:
            answer = self.engine.wire.do("POST", path, body).json()
        self.record.things.append(Thing(kind, answer[key], span))

    def _volume(self) -> None:
        self._make("volume", "/volumes/create", {"Labels": {"soak": "1"}}, "Name")

    def _network(self) -> None:
        if len(self.of("network")) < MOST:
            self._make("network", "/networks/create", {}, "Id")

    def _secret(self) -> None:
        kind = self.chance.choice(("secret", "config"))
        self._make(kind, f"/{kind}s/create", {"Data": "aGVsbG8="})

    def _service(self) -> None:
        if len(self.of("service")) >= 3:
            return
        seconds, code = self.chance.choice(((0.5, 4), (1.5, 3), (2, 1), (600, 0)))
        command = ["sh", "-c", f"sleep {seconds}; exit {code}"]
        container = {"Image": self.engine.image, "Command": command, "StopSignal": "SIGKILL"}
        restart = {"Condition": "any", "Delay": 2_500_000_000}
        template = {"ContainerSpec": container, "RestartPolicy": restart}
        self._make(
            "service", "/services/create", {"TaskTemplate": template, "Mode": {"Replicated": {"Replicas": 1}}}
        )

    def _update(self) -> None:
        for one in self.chance.sample(services := self.of("service"), min(len(services), 1)):
            shown = self.engine.wire.do("GET", f"/services/{one.id}").json()
            spec = {**shown["Spec"], "Labels": {"round": str(self.record.actions)}}
            path = f"/services/{one.id}/update"
            with spanned() as span:
                self.engine.wire.do("POST", path, spec, version=shown["Version"]["Index"])
                now = self.engine.wire.do("GET", f"/services/{one.id}").json()
            one.versions.append((span, now["Version"]["Index"]))

    def _remove(self) -> None:
        there = self.of("volume", "network", "service", "secret", "config")
        for one in self.chance.sample(there, min(len(there), 1)):
            with spanned() as span:
                one.removed = span  # from here on nobody knows
                self.engine.wire.do("DELETE", f"/{one.type}s/{one.id}")
