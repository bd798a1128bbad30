"""A real engine with everything that an operation may need, and the steps that are run against it."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lib.engine.version import Version
from lib.sailor.standalone.folder import FolderStorage
from tests.actions.stepping import Outcome, forget_engines, run_step
from tests.integration.operations.declared import undeclared
from tests.lab.engine import LabEngine
from tests.lab.podman import PodmanService
from tests.lab.registry import Registry, RegistryError
from tests.lab.skipping import missing
from tests.lab.ssh_server import SshServer
from tests.lab.swarm import SwarmPair


@dataclass
class Site:
    """One engine; `other` is a second one, linked to it and in no swarm, made when first asked for.

    With `ssh` the steps reach both by way of this server, unless a test has an address of its own.
    """

    name: str
    engine: LabEngine | PodmanService
    make_other: Callable[[], LabEngine] | None = None
    prefix: str = ""
    folder: str = ""
    ssh: SshServer | None = None
    _closing: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        temporary = tempfile.TemporaryDirectory(prefix="site-")
        self.folder = temporary.name
        self.storage = FolderStorage(self.folder)
        self._closing.append(temporary.cleanup)
        self._closing.append(self.engine.close)

    @cached_property
    def version(self) -> str:
        """The engine's newest API version."""
        return str(self.engine.wire.do("GET", "/version").json()["ApiVersion"])

    def at_least(self, version: str) -> bool:
        """Whether the engine's newest API version is this one or a later one."""
        return Version.parse(self.version) >= Version.parse(version)

    @cached_property
    def containerd(self) -> bool:
        """Whether the engine keeps its images in containerd's store."""
        return isinstance(self.engine, LabEngine) and self.engine.keeps_images_in_containerd

    @cached_property
    def lab(self) -> LabEngine:
        assert isinstance(self.engine, LabEngine)
        return self.engine

    @cached_property
    def pair(self) -> SwarmPair:
        assert self.make_other is not None
        other = self.make_other()
        self._closing.append(other.close)
        pair = SwarmPair(self.lab, other)
        pair.link()
        return pair

    @property
    def other(self) -> LabEngine:
        return self.pair.second

    @cached_property
    def registry(self) -> Registry:
        return self._kept(secured=False)

    @cached_property
    def secured(self) -> Registry:
        return self._kept(secured=True)

    def _kept(self, *, secured: bool) -> Registry:
        try:
            registry = Registry(self.lab, secured=secured)
        except RegistryError as problem:
            missing(str(problem))
        self._closing.append(registry.close)
        return registry

    def config(self, engine: LabEngine | None = None, **settings: Any) -> dict[str, Any]:
        asked = engine or self.engine
        if self.ssh and "otherServer" not in settings:
            return {**self.ssh.credential(asked.socket), **settings}
        url = asked.url
        if self.prefix and isinstance(asked, LabEngine):
            url = asked.tcp_url + self.prefix
        return {"server": "2", "otherServer": url, **settings}

    def run(
        self,
        key: str,
        body: Any = None,
        *,
        at: LabEngine | None = None,
        attachments: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> Outcome:
        """One message through the step of an operation."""
        config = self.config(at, **settings)
        return run_step(key, body or {}, config, attachments=attachments, storage=self.storage)

    def do(self, key: str, body: Any = None, **options: Any) -> Any:
        """The body of the one message that the step emits; it holds what the out-schema declares and no more."""
        outcome = self.run(key, body, **options)
        assert not outcome.errors, (key, outcome.errors)
        assert not outcome.rebounds, (key, outcome.rebounds)
        assert len(outcome.messages) == 1, (key, outcome.bodies)
        answer = outcome.bodies[0]
        wrong = undeclared(key, answer, more=self.name == "podman")
        assert not wrong, f"{key} at API {self.version}: {wrong}"
        return answer

    def fails(self, key: str, body: Any = None, *names: str, **options: Any) -> str:
        """The message of the error that the step ends with; its class is one of `names`."""
        outcome = self.run(key, body, **{"errorPolicy": "throwError", **options})
        assert outcome.messages == [], (key, outcome.bodies)
        assert len(outcome.errors) == 1
        error = outcome.errors[0]
        if self.name == "podman":  # says 500 of nearly everything
            names = (*names, "EngineFault")
        assert error["name"] in names, (key, error["name"], error["message"])
        return str(error["message"])

    # --- things to work on, made without the code that is tested ---

    def create(self, *command: str, **settings: Any) -> str:
        """A container that was not started."""
        body = {"Image": self.engine.image, "Cmd": list(command) or ["sleep", "600"], "StopSignal": "SIGKILL"}
        name = settings.pop("name", None)
        query = {"name": name} if name else {}
        made: str = self.engine.wire.do("POST", "/containers/create", body | settings, **query).json()["Id"]
        return made

    def started(self, *command: str, **settings: Any) -> str:
        container = self.create(*command, **settings)
        self.engine.wire.do("POST", f"/containers/{container}/start")
        return container

    def ended(self, *command: str, **settings: Any) -> str:
        container = self.started(*command, **settings)
        self.engine.wire.do("POST", f"/containers/{container}/wait")
        return container

    def remove(self, container: str) -> None:
        self.engine.wire.ask("DELETE", f"/containers/{container}", force="true", v="true")

    def attachment(self, content: bytes, content_type: str = "application/x-tar") -> dict[str, Any]:
        return self.storage.store(iter(io.BytesIO(content).readlines()), content_type=content_type)

    def content(self, attachment: Mapping[str, Any]) -> bytes:
        with self.storage.open(attachment) as blob:
            return b"".join(blob.chunks())

    def close(self) -> None:
        forget_engines()
        for close in reversed(self._closing):
            with suppress(OSError):
                close()
