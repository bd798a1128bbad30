"""Networks and volumes that shall be there, and what is removed."""

from __future__ import annotations

from typing import Any

from tests.jobs.crash import Delivery
from tests.jobs.scenes.scene import Scene


class Network(Scene):
    key = "EnsureNetwork"

    def begin(self) -> Delivery:
        self.engine.wire.do("POST", "/networks/create", {"Name": f"{self.name}-other"})
        return self.delivery({"name": self.name, "labels": {"a": "1"}})

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery({"name": f"{self.name}-other", "labels": {"a": "2"}}), "Differs"

    def good(self) -> None:
        named = [one for one in self.engine.wire.do("GET", "/networks").json() if one["Name"] == self.name]
        assert [one["Labels"]["a"] for one in named] == ["1"]

    def end(self) -> None:
        for name in (self.name, f"{self.name}-other"):
            self.engine.wire.ask("DELETE", f"/networks/{name}")


class Volume(Scene):
    key = "EnsureVolume"

    def begin(self) -> Delivery:
        self.engine.wire.do("POST", "/volumes/create", {"Name": self.name, "Labels": {"a": "1"}})
        wish = {"name": self.name, "labels": {"a": "2"}, "recreate": "whenUnused", "allowDataLoss": True}
        return self.delivery(wish)

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery({"name": self.name, "labels": {"a": "3"}}), "Differs"

    def good(self) -> None:
        assert self.ask(f"/volumes/{self.name}")["Labels"]["a"] == "2"

    def end(self) -> None:
        self.engine.wire.ask("DELETE", f"/volumes/{self.name}")


class Deletion(Scene):
    key = "DeleteObject"

    def begin(self) -> Delivery:
        self.engine.create(name=self.name)
        self.engine.run(name=f"{self.name}-runs")
        return self.delivery({"value": self.name}, objectType="container")

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery({"value": f"{self.name}-runs"}, objectType="container"), "Conflict"

    def good(self) -> None:
        assert not self.there(f"/containers/{self.name}/json")
        assert self.state(f"{self.name}-runs") == "running"

    def end(self) -> None:
        self.engine.remove(self.name)
        self.engine.remove(f"{self.name}-runs")


class Prune(Scene):
    """Two containers and a network go; those without the label stay."""

    key = "PruneEngine"

    def begin(self) -> Delivery:
        mine = {"scene": self.name}
        for number in (1, 2):
            self.engine.wait(self.engine.run(("true",), name=f"{self.name}-{number}", Labels=mine))
        self.engine.create(name=f"{self.name}-stays")
        self.engine.wire.do("POST", "/networks/create", {"Name": self.name, "Labels": mine})
        return self.delivery(self.what())

    def what(self, **fields: Any) -> dict[str, Any]:
        return {"what": ["containers", "networks"], "labels": [f"scene={self.name}"], **fields}

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery(self.what(atMost=1)), "WouldDestroy"

    def good(self) -> None:
        listed = self.engine.wire.do("GET", "/containers/json", all=True).json()
        named = {name for one in listed for name in one["Names"] if self.name in name}
        assert named == {f"/{self.name}-stays"}
        assert not self.there(f"/networks/{self.name}")

    def end(self) -> None:
        for part in ("1", "2", "stays"):
            self.engine.remove(f"{self.name}-{part}")
        self.engine.wire.ask("DELETE", f"/networks/{self.name}")
