"""Containers and volumes that files are copied to and from, and a job's step on them."""

from __future__ import annotations

import hashlib
import io
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lib.sailor.standalone.folder import FolderStorage
from tests.actions.stepping import Outcome, run_step
from tests.jobs.engines import config
from tests.lab.engine import LabEngine

PLAIN_TAR = "application/x-tar"


class Place:
    """Steps on one engine whose attachments are files of a folder."""

    def __init__(self, engine: LabEngine, folder: Path) -> None:
        self.engine, self.storage = engine, FolderStorage(str(folder))

    def step(
        self,
        key: str,
        body: Mapping[str, Any],
        attachments: Mapping[str, bytes] | None = None,
        **settings: Any,
    ) -> Outcome:
        """What one message came to; a credential of its own in `server` settings wins."""
        stored = {
            name: self.storage.store([data], content_type=PLAIN_TAR)
            for name, data in (attachments or {}).items()
        }
        return run_step(key, body, config(self.engine, **settings), attachments=stored, storage=self.storage)

    def do(
        self, key: str, body: Mapping[str, Any], attachments: Any = None, **settings: Any
    ) -> dict[str, Any]:
        outcome = self.step(key, body, attachments, **settings)
        assert not outcome.errors, outcome.errors
        assert not outcome.rebounds, outcome.rebounds
        (answer,) = outcome.bodies
        assert isinstance(answer, dict)
        return answer

    def fails(
        self, key: str, body: Mapping[str, Any], name: str, attachments: Any = None, **settings: Any
    ) -> str:
        outcome = self.step(key, body, attachments, **{"errorPolicy": "throwError", **settings})
        assert not outcome.messages, outcome.bodies
        (error,) = outcome.errors
        assert error["name"] == name, error
        return str(error["message"])

    def content(self, answer: Mapping[str, Any]) -> bytes:
        """The attachment of an answer, which is what its size and hash say."""
        with self.storage.open(answer["attachment"]) as blob:
            data = b"".join(blob.chunks())
        assert (len(data), hashlib.sha256(data).hexdigest()) == (answer["size"], answer["sha256"])
        return data

    # --- without the code that is tested ---

    def put(self, container: str, folder: str, archive: bytes) -> None:
        path = f"/containers/{container}/archive?path={quote(folder)}"
        self.engine.wire.do("PUT", path, archive)

    def members(self, container: str, path: str) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
        answer = self.engine.wire.do("GET", f"/containers/{container}/archive?path={quote(path)}")
        return unpacked(answer.body)

    @contextmanager
    def volume(self, name: str, archive: bytes | None = None) -> Iterator[str]:
        """A volume with files, and a container `NAME-user` that mounts it at /data, never started."""
        self.engine.wire.do("POST", "/volumes/create", {"Name": name})
        mount = {"Type": "volume", "Source": name, "Target": "/data", "VolumeOptions": {"NoCopy": True}}
        user = self.engine.create(name=f"{name}-user", HostConfig={"Mounts": [mount]})
        if archive is not None:
            self.put(user, "/data", archive)
        try:
            yield user
        finally:
            self.engine.remove(user)
            self.engine.wire.ask("DELETE", f"/volumes/{name}", force=True)

    def happened(self, action: str) -> list[dict[str, str]]:
        """Name, image and labels of the containers of all events of a kind so far."""
        filters = f'{{"type":["container"],"event":["{action}"]}}'
        until = f"{time.time():.6f}"
        events = self.engine.wire.do("GET", "/events", since="0", until=until, filters=filters).lines()
        return [event["Actor"]["Attributes"] for event in events]

    def created(self, prefix: str) -> list[dict[str, str]]:
        """Those of all containers made so far whose name begins so."""
        return [one for one in self.happened("create") if one["name"].startswith(prefix)]

    def helpers(self) -> list[str]:
        """Names of containers, and tags of images, that jobs left."""
        containers = self.engine.wire.do("GET", "/containers/json", all=True).json()
        names = [name for one in containers for name in one["Names"] if name.startswith("/job-")]
        images = self.engine.wire.do("GET", "/images/json").json()
        return names + [
            tag for one in images for tag in one["RepoTags"] or [] if "docker-engine-connector" in tag
        ]


def tar_of(*members: tuple[str, bytes | str | None], mode: int = 0o644, owner: int = 0) -> bytes:
    """A tar: bytes are a file, a text is where a link leads, None is a folder."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, what in members:
            info = tarfile.TarInfo(name)
            info.uid = info.gid = owner
            info.mode = mode if isinstance(what, bytes) else 0o755
            if isinstance(what, bytes):
                info.size = len(what)
            elif isinstance(what, str):
                info.type, info.linkname = tarfile.SYMTYPE, what
            else:
                info.type = tarfile.DIRTYPE
            archive.addfile(info, io.BytesIO(what) if isinstance(what, bytes) else None)
        end = archive.offset
    # Two blocks of zeros end an archive. Podman stops reading there, and where it has not taken what comes behind them
    # by then, it says so: "broken pipe".
    return target.getvalue()[: end + 2 * tarfile.BLOCKSIZE]


def unpacked(archive: bytes) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {
            info.name: (info, file.read() if info.isreg() and (file := tar.extractfile(info)) else b"")
            for info in tar.getmembers()
        }
