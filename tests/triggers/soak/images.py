"""Images of the soak: names that move from one to another, here and in a registry."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.lab.engine import LabEngine
from tests.lab.registry import Registry
from tests.triggers.soak.record import Record, Retag, spanned

REFERENCES = ("shop/web:stable", "shop/db:1", "shop/job:1")
SOURCES = 3


class Images:
    """Some images with contents of their own, and names that go around."""

    def __init__(self, engine: LabEngine, registry: Registry, record: Record, chance: random.Random) -> None:
        self.engine, self.registry, self.record, self.chance = engine, registry, record, chance
        self._sources: list[str] = []
        self._owners: dict[str, str] = {}
        container = engine.create(["true"])
        for number in range(SOURCES):
            query = {"container": container, "repo": "source", "tag": str(number)}
            engine.wire.do("POST", "/commit", {"Labels": {"number": str(number)}}, **query)
            self._sources.append(f"source:{number}")
        engine.remove(container)
        self.references = [self._push(name) for name in REFERENCES]

    def actions(self) -> list[tuple[int, Callable[[], None]]]:
        """What can be done, with its weight."""
        return [(2, self._move), (2, self._untag), (2, self._push_any)]

    def _push_any(self) -> None:
        self._push(self.chance.choice(REFERENCES))

    def _push(self, name: str) -> str:
        source = self.chance.choice(self._sources)
        full = f"{self.registry.address}/{name}"
        repository, _, tag = full.rpartition(":")
        self._tag(source, repository, tag)
        with spanned() as span:
            self.record.pushes.append((span, full, ""))
            answer = self.engine.wire.ask(
                "POST", f"/images/{repository}/push", headers=self.registry.header, tag=tag
            )
        digest = next(line["aux"]["Digest"] for line in answer.lines() if "Digest" in (line.get("aux") or {}))
        self.record.pushes[-1] = (span, full, digest)
        return full

    def _move(self) -> None:
        self._tag(self.chance.choice(self._sources), "moving", str(self.chance.randrange(3)))

    def _tag(self, source: str, repository: str, tag: str) -> None:
        image = self.engine.wire.do("GET", f"/images/{source}/json").json()["Id"]
        name = f"{repository}:{tag}"
        with spanned() as span:
            self.record.retags.append(Retag(span, name, image, self._owners.get(name, "")))
            self._owners[name] = image
            self.engine.wire.do("POST", f"/images/{source}/tag", repo=repository, tag=tag)

    def _untag(self) -> None:
        names = sorted(name for name in self._owners if name.startswith("moving:"))
        if names:
            name = self.chance.choice(names)
            with spanned() as span:
                self.record.retags.append(Retag(span, name, "", self._owners.pop(name)))
                self.engine.wire.do("DELETE", f"/images/{name}")
