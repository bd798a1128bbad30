"""Files of volumes: copied, kept, and brought back."""

from __future__ import annotations

from tests.jobs.crash import Delivery
from tests.jobs.places import PLAIN_TAR, tar_of
from tests.jobs.scenes.scene import Scene

FILES = tar_of(("conf", None), ("conf/x", b"new"))


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

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery({"place": f"{self.name}-none", "path": "/f", "content": "x"}), "NotFound"


class FilesOut(_Volume):
    key = "CopyFilesOut"
    changes = refused = False

    def begin(self) -> Delivery:
        self.furnish()
        return self.delivery({"place": f"volume:{self.name}", "path": "/conf/x"})

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery({"place": f"volume:{self.name}", "path": "/none"}), "NotFound"

    def good(self) -> None:
        assert self.read("conf/x") == b"new"


class Backup(_Volume):
    key = "BackupVolume"

    def begin(self) -> Delivery:
        self.furnish(runs=True)
        return self.delivery({"volume": self.name, "quiesce": "pause"})

    def wrong(self) -> tuple[Delivery, str]:
        return self.delivery({"volume": f"{self.name}-none"}), "NotFound"

    def good(self) -> None:
        assert self.state(self.user) == "running"


class Restore(_Volume):
    key = "RestoreVolume"

    def begin(self) -> Delivery:
        return self.filled("newVolume")

    def filled(self, mode: str) -> Delivery:
        stored = self.place.storage.store([FILES], content_type=PLAIN_TAR)
        return self.delivery({"volume": self.name, "attachment": "b", "mode": mode}, {"b": stored})

    def wrong(self) -> tuple[Delivery, str]:
        stored = self.place.storage.store([b"no archive"], content_type=PLAIN_TAR)
        return self.delivery({"volume": f"{self.name}-new", "attachment": "b"}, {"b": stored}), "BadInput"

    def good(self) -> None:
        if not self.there(f"/containers/{self.user}/json"):
            self.use()
        found = {name.strip("./") for name in self.place.members(self.user, "/data/.")}
        assert found - {""} == {"conf", "conf/x"}  # Podman leaves the root out
        assert self.read("conf/x") == b"new"


class Replace(Restore):
    def begin(self) -> Delivery:
        self.furnish(tar_of(("old", b"1")), team="a")
        self.engine.remove(self.user)
        return self.filled("replace")

    def good(self) -> None:
        super().good()
        assert self.engine.wire.do("GET", f"/volumes/{self.name}").json()["Labels"]["team"] == "a"
