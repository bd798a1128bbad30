"""Services, secrets and configs of a swarm of one node."""

from __future__ import annotations

from typing import Any

from lib.job.vault.kind import CONFIG, SECRET, Kind
from tests.jobs.crash import Delivery
from tests.jobs.scenes.scene import Scene
from tests.jobs.swarms import IMAGE, inspected, made, running
from tests.jobs.vaults import cleared, make, names, reference

_KILLED = {"TaskTemplate": {"ContainerSpec": {"StopSignal": "SIGKILL"}}}


class _Swarm(Scene):
    kind: Kind = SECRET

    def end(self) -> None:
        cleared(self.engine, self.kind, self.name)


class Service(_Swarm):
    key = "EnsureService"

    def begin(self) -> Delivery:
        return self.wish(["sleep", "600"])

    def wish(self, command: list[str], **fields: Any) -> Delivery:
        wanted = {"name": self.name, "image": IMAGE, "command": command, "wait": self.waits, **fields}
        return self.delivery({**wanted, "spec": _KILLED})

    def wrong(self) -> tuple[Delivery, str]:
        return self.wish(["sleep", "600"], networks=[f"{self.name}-none"]), "NotFound"

    def good(self) -> None:
        assert inspected(self.engine, self.name)["Spec"]["TaskTemplate"]["ContainerSpec"]["Args"] == [
            "sleep",
            "600",
        ]
        assert not self.waits or running(self.engine, self.name)


class Rollout(_Swarm):
    key = "RolloutService"

    def begin(self) -> Delivery:
        made(self.engine, self.name, steady=self.waits)
        return self.changed(self.name)

    def changed(self, service: str) -> Delivery:
        return self.delivery({"service": service, "env": {"A": "2"}, "wait": self.waits})

    def wrong(self) -> tuple[Delivery, str]:
        return self.changed(f"{self.name}-none"), "NotFound"

    def good(self) -> None:
        container = inspected(self.engine, self.name)["Spec"]["TaskTemplate"]["ContainerSpec"]
        assert container["Env"] == ["A=2"]


class Secret(_Swarm):
    key = "EnsureSecret"

    def begin(self) -> Delivery:
        make(self.engine, self.kind, f"{self.name}-taken")
        return self.delivery({"name": self.name, "content": "sesame"})

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery({"name": self.name}), "BadInput"

    def good(self) -> None:
        assert names(self.engine, self.kind, f"{self.name}.") == [f"{self.name}.v1"]


class Config(Secret):
    key = "EnsureConfig"
    kind = CONFIG


class Rotate(_Swarm):
    """A secret of one version, and a service without tasks that uses it."""

    key = "RotateSecret"

    def begin(self) -> Delivery:
        version = f"{self.name}.v1"
        identity = make(self.engine, self.kind, version)
        container = {"Secrets": [reference(self.kind, identity, version, "password")]}
        made(
            self.engine,
            f"{self.name}-user",
            TaskTemplate={"ContainerSpec": container},
            Mode={"Replicated": {"Replicas": 0}},
            steady=False,
        )
        return self.delivery({"name": self.name, "content": "sesame"})

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery({"name": self.name}), "BadInput"

    def good(self) -> None:
        spec = inspected(self.engine, f"{self.name}-user")["Spec"]["TaskTemplate"]["ContainerSpec"]
        assert [one["SecretName"] for one in spec["Secrets"]] == [f"{self.name}.v2"]
