"""One message for each job that changes something, the engine it finds, and what has to be so once it is through.

`Scene.begin` furnishes the engine and returns the message; `Scene.good` looks at the end, whatever deaths and repeats
the message has lived through; `Scene.end` clears away what the message made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from lib.sailor.message.ids import random_id
from tests.jobs.crash import Delivery
from tests.jobs.places import PLAIN_TAR, Place, tar_of
from tests.lab.engine import IMAGE, LabEngine

FILES = tar_of(("conf", None), ("conf/x", b"new"))


@dataclass
class Scene:
    """On `engine`, with attachments in `folder`; `name` is that of what the message is about."""

    key: ClassVar[str]
    engine: LabEngine
    folder: Path
    name: str = field(default_factory=lambda: f"scene-{random_id()}")

    @property
    def place(self) -> Place:
        return Place(self.engine, self.folder)

    def begin(self) -> Delivery:
        """Furnish the engine and return the message."""
        raise NotImplementedError

    def good(self) -> None:
        """Fail unless the engine is as the message wants it."""
        raise NotImplementedError

    def end(self) -> None:
        """Remove what was made."""

    def delivery(self, body: dict[str, Any], attachments: Any = None, **settings: Any) -> Delivery:
        settings = {"errorPolicy": "throwError", **settings}
        return Delivery(
            self.engine, self.key, body, settings, attachments=attachments or {}, folder=str(self.folder)
        )

    def there(self, path: str) -> bool:
        return bool(self.engine.wire.ask("GET", path).status == 200)

    def state(self, container: str) -> str:
        told = self.engine.wire.do("GET", f"/containers/{container}/json").json()
        return str(told["State"]["Status"])


class _Volume(Scene):
    """A volume `name` with FILES, and a container `NAME-user` that mounts it, never started."""

    def furnish(self, archive: bytes | None = FILES, *, runs: bool = False, **labels: str) -> None:
        self.engine.wire.do("POST", "/volumes/create", {"Name": self.name, "Labels": labels})
        self.use(runs=runs)
        if archive is not None:
            self.place.put(self.user, "/data", archive)

    def use(self, *, runs: bool = False) -> None:
        mount = {"Type": "volume", "Source": self.name, "Target": "/data", "VolumeOptions": {"NoCopy": True}}
        make = self.engine.run if runs else self.engine.create
        make(name=self.user, HostConfig={"Mounts": [mount]})

    @property
    def user(self) -> str:
        return f"{self.name}-user"

    def read(self, path: str) -> bytes:
        ((_, data),) = self.place.members(self.user, f"/data/{path}").values()
        return data

    def end(self) -> None:
        if self.there(f"/containers/{self.user}/json"):
            self.engine.remove(self.user)
        self.engine.wire.ask("DELETE", f"/volumes/{self.name}", force=True)


class FilesIn(_Volume):
    key = "CopyFilesIn"

    def begin(self) -> Delivery:
        self.furnish(None)
        return self.delivery({"place": f"volume:{self.name}", "path": "/f", "content": "x" * 10_000})

    def good(self) -> None:
        assert self.read("f") == b"x" * 10_000


class FilesOut(_Volume):
    key = "CopyFilesOut"

    def begin(self) -> Delivery:
        self.furnish()
        return self.delivery({"place": f"volume:{self.name}", "path": "/conf/x"})

    def good(self) -> None:
        assert self.read("conf/x") == b"new"


class Backup(_Volume):
    key = "BackupVolume"

    def begin(self) -> Delivery:
        self.furnish(runs=True)
        return self.delivery({"volume": self.name, "quiesce": "pause"})

    def good(self) -> None:
        assert self.state(self.user) == "running"


class Restore(_Volume):
    key = "RestoreVolume"

    def begin(self) -> Delivery:
        return self.filled("newVolume")

    def filled(self, mode: str) -> Delivery:
        stored = self.place.storage.store([FILES], content_type=PLAIN_TAR)
        return self.delivery({"volume": self.name, "attachment": "b", "mode": mode}, {"b": stored})

    def good(self) -> None:
        self.use()
        found = {name.strip("./") for name in self.place.members(self.user, "/data/.")}
        assert found == {"", "conf", "conf/x"}
        assert self.read("conf/x") == b"new"


class Replace(Restore):
    def begin(self) -> Delivery:
        self.furnish(tar_of(("old", b"1")), team="a")
        self.engine.remove(self.user)
        return self.filled("replace")

    def good(self) -> None:
        super().good()
        assert self.engine.wire.do("GET", f"/volumes/{self.name}").json()["Labels"]["team"] == "a"


class Container(Scene):
    """A container in a network of its own, and in the engine's."""

    key = "EnsureContainer"

    def begin(self) -> Delivery:
        self.engine.wire.do("POST", "/networks/create", {"Name": self.name})
        return self.wish(networks=[{"name": self.name, "aliases": ["shop"]}, {"name": "bridge"}])

    def wish(self, **fields: Any) -> Delivery:
        steady = {"command": ["sleep", "600"], "stableSeconds": 0.1, "stopSeconds": 0}
        return self.delivery({"name": self.name, "image": IMAGE, **steady, **fields})

    def told(self) -> Any:
        return self.engine.wire.do("GET", f"/containers/{self.name}/json").json()

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
        policy = {"RestartPolicy": {"Name": "always"}}
        self.engine.run(("sleep", "601"), name=self.name, HostConfig=policy, Env=["KEPT=1"])
        return self.wish()

    def good(self) -> None:
        told = self.told()
        assert told["State"]["Status"] == "running"
        assert told["Config"]["Cmd"] == ["sleep", "600"]
        assert "KEPT=1" in told["Config"]["Env"]
        assert told["HostConfig"]["RestartPolicy"]["Name"] == "always"


class Network(Scene):
    key = "EnsureNetwork"

    def begin(self) -> Delivery:
        return self.delivery({"name": self.name, "labels": {"a": "1"}})

    def good(self) -> None:
        named = [one for one in self.engine.wire.do("GET", "/networks").json() if one["Name"] == self.name]
        assert [one["Labels"]["a"] for one in named] == ["1"]

    def end(self) -> None:
        self.engine.wire.do("DELETE", f"/networks/{self.name}")


class Volume(Scene):
    key = "EnsureVolume"

    def begin(self) -> Delivery:
        self.engine.wire.do("POST", "/volumes/create", {"Name": self.name, "Labels": {"a": "1"}})
        wish = {"name": self.name, "labels": {"a": "2"}, "recreate": "whenUnused", "allowDataLoss": True}
        return self.delivery(wish)

    def good(self) -> None:
        assert self.engine.wire.do("GET", f"/volumes/{self.name}").json()["Labels"]["a"] == "2"

    def end(self) -> None:
        self.engine.wire.do("DELETE", f"/volumes/{self.name}")


class Deletion(Scene):
    key = "DeleteObject"

    def begin(self) -> Delivery:
        self.engine.create(name=self.name)
        return self.delivery({"value": self.name}, objectType="container")

    def good(self) -> None:
        assert not self.there(f"/containers/{self.name}/json")


class Prune(Scene):
    """Two containers and a network go; those without the label stay."""

    key = "PruneEngine"

    def begin(self) -> Delivery:
        mine = {"scene": self.name}
        for number in (1, 2):
            self.engine.wait(self.engine.run(("true",), name=f"{self.name}-{number}", Labels=mine))
        self.engine.create(name=f"{self.name}-stays")
        self.engine.wire.do("POST", "/networks/create", {"Name": self.name, "Labels": mine})
        return self.delivery({"what": ["containers", "networks"], "labels": [f"scene={self.name}"]})

    def good(self) -> None:
        listed = self.engine.wire.do("GET", "/containers/json", all=True).json()
        named = {name for one in listed for name in one["Names"] if self.name in name}
        assert named == {f"/{self.name}-stays"}
        assert not self.there(f"/networks/{self.name}")

    def end(self) -> None:
        self.engine.remove(f"{self.name}-stays")


SCENES: tuple[type[Scene], ...] = (
    FilesIn,
    FilesOut,
    Backup,
    Restore,
    Replace,
    Container,
    ContainerAnew,
    Network,
    Volume,
    Deletion,
    Prune,
)
