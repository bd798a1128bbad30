"""Images that come from a registry beside the engine, or go there."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.jobs.crash import Delivery
from tests.jobs.scenes.scene import Scene
from tests.lab.registry import Registry
from tests.lab.registry_content import digest_of, put_image


@dataclass
class _Registered(Scene):
    """An image NAME:1 that the registry has, and the engine has not."""

    registry: Registry = field(init=False)

    def furnish(self) -> str:
        self.registry = Registry(self.engine)
        put_image(self.registry, f"{self.name}:1", mark=self.name)
        return self.full(self.name)

    def full(self, repository: str) -> str:
        return f"{self.registry.address}/{repository}:1"

    def end(self) -> None:
        for name in (self.name, f"{self.name}-copy"):
            self.engine.wire.ask("DELETE", f"/images/{self.full(name)}")
        self.registry.close()


class Image(_Registered):
    key = "EnsureImage"

    def begin(self) -> Delivery:
        return self.delivery({"reference": self.furnish()})

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery({"reference": self.full(f"{self.name}-none")}), "NotFound"

    def good(self) -> None:
        assert self.there(f"/images/{self.full(self.name)}/json")


class Mirror(_Registered):
    key = "MirrorImage"

    def begin(self) -> Delivery:
        return self.copied(self.furnish())

    def copied(self, source: str) -> Delivery:
        return self.delivery({"from": source, "to": self.full(f"{self.name}-copy")})

    def wrong(self) -> tuple[Delivery, str]:
        return self.copied(self.full(f"{self.name}-none")), "NotFound"

    def good(self) -> None:
        assert digest_of(self.registry, f"{self.name}-copy:1")
        assert not self.there(f"/images/{self.full(self.name)}/json")
