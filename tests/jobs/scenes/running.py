"""Programs that run to their end, and commands in a container that runs."""

from __future__ import annotations

import time

from tests.jobs.crash import Delivery
from tests.jobs.scenes.scene import Scene, Tree
from tests.lab.engine import IMAGE

_HOUR = 3600
"""By so much the clocks of an engine and of the platform may differ for the job."""


class Run(Scene):
    """A program whose ended container is kept, so that the message is known when it comes again."""

    key = "RunContainer"
    keeps = True

    def begin(self) -> Delivery:
        return self.program(["sh", "-c", "echo hello; exit 0"])

    def program(self, command: list[str], image: str = IMAGE) -> Delivery:
        body = {"image": image, "command": command, "labels": {"scene": self.name}, "pull": "never"}
        return self.delivery(body, evidence="keep")

    def wrong(self) -> tuple[Delivery, str]:
        return self.program(["true"], image="none:1"), "NotFound"

    def made(self) -> list[Tree]:
        listed = self.engine.wire.do("GET", "/containers/json", all=True).json()
        return [one for one in listed if (one["Labels"] or {}).get("scene") == self.name]

    def good(self) -> None:
        (one,) = self.made()
        told = self.ask(f"/containers/{one['Id']}/json")["State"]
        assert (told["Status"], told["ExitCode"]) == ("exited", 0)

    def end(self) -> None:
        for one in self.made():
            self.engine.remove(one["Id"])


class Command(Scene):
    """A command that leaves a line each time it runs."""

    key = "RunCommand"

    def begin(self) -> Delivery:
        self.engine.run(name=self.name)
        message = self.delivery({"target": self.name, "command": ["sh", "-c", "echo x >>/ran; echo hello"]})
        # An engine remembers 256 events: with the time of the message the job knows whether these reach back so far.
        message.headers = {"start": int((time.time() + _HOUR) * 1000)}
        return message

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery({"target": self.name, "command": ["sh", "-c", "exit 3"]}), "BadExit"

    def good(self) -> None:
        ((_, data),) = self.place.members(self.name, "/ran").values()
        assert data == b"x\n"

    def end(self) -> None:
        self.engine.remove(self.name)
