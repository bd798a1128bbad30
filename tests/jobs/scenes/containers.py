"""Containers that shall be there, get other settings, are healed, or are waited for."""

from __future__ import annotations

from typing import Any

from tests.jobs.crash import Delivery
from tests.jobs.scenes.scene import Scene
from tests.lab.engine import IMAGE, LabEngine
from tests.lab.podman import PodmanEngine
from tests.lab.waiting import wait_until


def policy_of(engine: LabEngine) -> str:
    """A policy of one that is made anew: Podman has no ContainerUpdate to take it from the old one."""
    return "no" if isinstance(engine, PodmanEngine) else "always"


class Container(Scene):
    """A container in a network of its own, and in the engine's."""

    key = "EnsureContainer"

    def begin(self) -> Delivery:
        self.engine.wire.do("POST", "/networks/create", {"Name": self.name})
        return self.wish(networks=[{"name": self.name, "aliases": ["shop"]}, {"name": "bridge"}])

    def wish(self, **fields: Any) -> Delivery:
        steady = {"command": ["sleep", "600"], "stableSeconds": 0.1, "stopSeconds": 0}
        return self.delivery({"name": self.name, "image": IMAGE, **steady, **fields})

    def wrong(self) -> tuple[Delivery, str]:
        return self.wish(image="none:1", pull="never"), "NotFound"

    def told(self) -> Any:
        return self.ask(f"/containers/{self.name}/json")

    def good(self) -> None:
        told = self.told()
        assert told["State"]["Status"] == "running"
        assert set(told["NetworkSettings"]["Networks"]) == {self.name, "bridge"}
        assert "shop" in told["NetworkSettings"]["Networks"][self.name]["Aliases"]

    def end(self) -> None:
        self.engine.wire.ask("DELETE", f"/containers/{self.name}", force=True)
        self.engine.wire.ask("DELETE", f"/networks/{self.name}")


class ContainerAnew(Container):
    """One that runs another command, and has a policy that the new one keeps."""

    def begin(self) -> Delivery:
        policy = {"RestartPolicy": {"Name": policy_of(self.engine)}}
        self.engine.run(("sleep", "601"), name=self.name, HostConfig=policy, Env=["KEPT=1"])
        return self.wish()

    def good(self) -> None:
        told = self.told()
        assert told["State"]["Status"] == "running"
        assert told["Config"]["Cmd"] == ["sleep", "600"]
        assert "KEPT=1" in told["Config"]["Env"]
        assert told["HostConfig"]["RestartPolicy"]["Name"] == policy_of(self.engine)


class Redeploy(Container):
    """One that gets another variable, and keeps its restart policy."""

    key = "RedeployContainer"

    def begin(self) -> Delivery:
        policy = {"RestartPolicy": {"Name": policy_of(self.engine)}}
        self.engine.run(("sleep", "600"), name=self.name, HostConfig=policy, Env=["KEPT=1", "A=1"])
        return self.other(self.name)

    def other(self, target: str) -> Delivery:
        soon = {"stableSeconds": 0.1, "stopSeconds": 0, "pull": "never"}
        return self.delivery({"target": target, "env": {"A": "2"}, **soon})

    def wrong(self) -> tuple[Delivery, str]:
        return self.other(f"{self.name}-none"), "NotFound"

    def good(self) -> None:
        told = self.told()
        assert told["State"]["Status"] == "running"
        assert {"KEPT=1", "A=2"} <= set(told["Config"]["Env"])
        assert told["HostConfig"]["RestartPolicy"]["Name"] == policy_of(self.engine)


class Heal(Container):
    """One that is sick until it is started again."""

    key = "HealContainers"

    def begin(self) -> Delivery:
        check = {
            "Test": ["CMD-SHELL", "test ! -e /sick"],
            "Interval": 100_000_000,
            "Timeout": 10**10,
            "Retries": 1,
        }
        script = "test -e /was && rm -f /sick || touch /was /sick; sleep 600"
        self.engine.run(("sh", "-c", script), name=self.name, Healthcheck=check, Labels={self.name: ""})
        wait_until(lambda: self.health() == "unhealthy", "it to be sick")
        return self.delivery({"targets": {"labels": [self.name]}})

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery({"targets": {"labels": [self.name]}, "when": ["bored"]}), "BadInput"

    def health(self) -> str:
        return str(self.told()["State"]["Health"]["Status"])

    def good(self) -> None:
        wait_until(lambda: self.health() == "healthy", "it to be well")


class Wait(Container):
    key = "WaitForContainer"

    def begin(self) -> Delivery:
        self.engine.run(name=self.name)
        return self.delivery({"target": self.name, "for": "running", "stableSeconds": 0.1})

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery({"target": f"{self.name}-none", "for": "running"}), "NotFound"

    def good(self) -> None:
        assert self.state(self.name) == "running"
