"""Jobs that read, or that send what they are told to."""

from __future__ import annotations

from tests.jobs.crash import Delivery
from tests.jobs.scenes.scene import Scene
from tests.lab.engine import IMAGE


class _Ended(Scene):
    """A container that has said something and ended."""

    def furnish(self) -> None:
        self.engine.wait(self.engine.run(("echo", "hello"), name=self.name, Labels={self.name: ""}))

    def end(self) -> None:
        self.engine.remove(self.name)


class Lookup(_Ended):
    key = "LookupObject"

    def begin(self) -> Delivery:
        self.furnish()
        return self.delivery({"value": self.name}, objectType="container")

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery({"value": f"{self.name}-none"}, objectType="container"), "NotFound"


class Lookups(_Ended):
    key = "LookupObjects"

    def begin(self) -> Delivery:
        self.furnish()
        return self.by("name", "=", self.name)

    def by(self, field: str, condition: str, value: str) -> Delivery:
        terms = [{"field": field, "condition": condition, "value": value}]
        return self.delivery({"terms": terms}, objectType="container")

    def wrong(self) -> tuple[Delivery, str]:
        return self.by("name", "resembles", self.name), "BadInput"


class Search(_Ended):
    key = "SearchLogs"

    def begin(self) -> Delivery:
        self.furnish()
        return self.delivery({"pattern": "hel+o", "target": self.name})

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery({"pattern": "hel+o", "target": f"{self.name}-none"}), "NotFound"


class Report(_Ended):
    key = "ReportEngine"

    def begin(self) -> Delivery:
        self.furnish()
        return self.delivery({})

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery({"parts": ["weather"]}), "BadInput"


class Request(Scene):
    """A call that is sent once: where nothing proves what became of it, it is not sent again."""

    key = "EngineRequest"
    unsure = ("NotSettled",)

    def begin(self) -> Delivery:
        return self.delivery({"method": "POST", "path": "/volumes/create", "body": {"Name": self.name}})

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery({"method": "GET", "path": f"/volumes/{self.name}-none"}), "NotFound"

    def end(self) -> None:
        self.engine.wire.ask("DELETE", f"/volumes/{self.name}")


class Settle(Scene):
    """A create in doubt that took place."""

    key = "SettleOutcome"

    def begin(self) -> Delivery:
        self.engine.create(name=self.name)
        fields = {"name": self.name, "requestBody": {"Image": IMAGE, "Cmd": ["sleep", "600"]}}
        return self.delivery({"operation": "ContainerCreate", "fields": fields})

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery({"operation": "ContainerDream", "fields": {}}), "BadInput"

    def end(self) -> None:
        self.engine.remove(self.name)
