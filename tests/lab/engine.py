"""Real engines for tests. `python -m tests.lab.engine` runs one until it is interrupted."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

from lib.local.sandbox.busybox_image import busybox_archive
from lib.local.sandbox.private_engine import PrivateEngine
from tests.lab.certificates import Certificates
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.ports import HeldPort
from tests.lab.waiting import wait_until
from tests.lab.wire import Wire, WireError

IMAGE = "busybox:local"
# At home, without dockerd: an engine to throw away. Never DOCKER_HOST, which may name a dear one.
GIVEN = "LAB_ENGINE"


class LabEngine:
    """An engine with the image `busybox:local`, and switches for what can go wrong with an engine.

    `socket` is the path of its unix socket, `url` the same as unix://, `tcp_url` HTTP on the loopback (HTTPS if it
    has `certificates`), `version` as in "20.10.24", `api` as in "1.41", `wire` a client of the lab's own.
    """

    kind = ""
    """What the tables of tests call it, "" for its version."""

    def __init__(
        self, private: PrivateEngine | None, url: str, tcp_url: str, certificates: Certificates | None = None
    ) -> None:
        self.private, self.url, self.tcp_url, self._certificates = private, url, tcp_url, certificates
        self.socket = url.removeprefix("unix://")
        self.wire = Wire(url)
        self._door: FaultyProxy | None = None
        self._port: HeldPort | None = None
        about = self.wire.do("GET", "/version").json()
        self.version = about["Version"].partition("+")[0]
        self.api, self.minimum_api = about["ApiVersion"], about["MinAPIVersion"]
        self.image = IMAGE
        self.import_image(IMAGE)

    @classmethod
    def begin(
        cls,
        *,
        certificates: Certificates | None = None,
        daemon: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        binaries: str = "",
        number: int = 1,
    ) -> LabEngine:
        """A new private engine; raises PrivateEngineError where that is impossible."""
        with ExitStack() as undo:
            port = undo.enter_context(HeldPort())
            private = PrivateEngine(
                listen=port.number,
                daemon={**(daemon or {}), **(certificates.daemon_settings() if certificates else {})},
                environment=environment,
                binaries=binaries,
                number=number,
            )
            undo.callback(private.close)
            scheme = "https" if certificates else "http"
            engine = cls(private, private.url, f"{scheme}://127.0.0.1:{port.number}", certificates)
            engine._port = port
            undo.pop_all()
        return engine

    @classmethod
    def given(cls, url: str) -> LabEngine:
        """An engine of the user's own, at unix:///path or http://host:port; it cannot be stopped or killed."""
        if not url.startswith("unix://"):
            return cls(None, url, url)
        door = FaultyProxy(url.removeprefix("unix://"))
        engine = cls(None, url, f"http://{door.host}:{door.port}")
        engine._door = door
        return engine

    @cached_property
    def keeps_images_in_containerd(self) -> bool:
        """Whether its image store is containerd's, which can more and does some things in another way."""
        status = self.wire.do("GET", "/info").json()["DriverStatus"]
        return ["driver-type", "io.containerd.snapshotter.v1"] in status

    @property
    def certificates(self) -> Certificates:
        if self._certificates is None:
            raise WireError("this engine does not speak TLS")
        return self._certificates

    @property
    def pid(self) -> int:
        return self._own.supervisor.pid

    @property
    def folder(self) -> str:
        return self._own.supervisor.folder

    @property
    def _own(self) -> PrivateEngine:
        if self.private is None:
            raise WireError(f"the engine given by {GIVEN} is not ours to stop")
        return self.private

    def stop(self) -> None:
        """Stopped as by a system: containers end, the socket file goes, connects are refused."""
        self._own.stop()

    def kill(self) -> None:
        """Killed: everything ends at once, the socket file stays, connects are refused."""
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not self._own.supervisor.running, "the engine to die")

    def start(self) -> None:
        """Up again after `stop` or `kill`, on the same socket and port."""
        self._own.start()

    def freeze(self) -> None:
        """Connects succeed, nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)
        wait_until(lambda: all(state == "T" for state in _states(self.pid)), "the engine to freeze")

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    @property
    def namespace(self) -> str:
        """The path of the engine's network namespace, "" if it has none of its own."""
        return self.private.supervisor.namespace if self.private and self.private.networked else ""

    def inside(self, command: Sequence[str]) -> list[str]:
        """`command` in the network namespace of the engine, where its published ports are."""
        return self.private.inside(command) if self.private else list(command)

    def import_image(self, name: str) -> str:
        """Another image with the content of busybox."""
        repository, _, tag = name.rpartition(":")
        self.wire.do(
            "POST",
            "/images/create",
            busybox_archive(),
            fromSrc="-",
            repo=repository,
            tag=tag,
            changes='CMD ["sh"]',
        )
        return name

    def create(self, command: Sequence[str] = ("sleep", "600"), *, name: str = "", **settings: Any) -> str:
        """A container (not started) and its id; `settings` are keys of the create body."""
        query = {"name": name} if name else {}
        # sleep ignores TERM as process 1; KILL makes a stop take no time
        body = {"Image": IMAGE, "Cmd": list(command), "StopSignal": "SIGKILL", **settings}
        identity: str = self.wire.do("POST", "/containers/create", body, **query).json()["Id"]
        return identity

    def run(self, command: Sequence[str] = ("sleep", "600"), *, name: str = "", **settings: Any) -> str:
        """A started container's id."""
        identity = self.create(command, name=name, **settings)
        self.wire.do("POST", f"/containers/{identity}/start")
        return identity

    def wait(self, container: str) -> int:
        """The exit code, once the container has ended, and the engine's lists and events say so.

        The engine answers a wait in the middle of what it does then; asked for the container, it does all of it first.
        """
        code: int = self.wire.do("POST", f"/containers/{container}/wait").json()["StatusCode"]
        self.wire.ask("GET", f"/containers/{container}/json")
        return code

    def remove(self, container: str) -> None:
        self.wire.ask("DELETE", f"/containers/{container}", force=True, v=True)

    def close(self) -> None:
        """Remove the engine, or from one that was given the image."""
        if self._port is not None:
            self._port.close()
        if self.private is not None:
            self.private.close()
            return
        self.wire.ask("DELETE", f"/images/{IMAGE}", force=True)
        if self._door is not None:
            self._door.close()


def _states(pid: int) -> list[str]:
    """The state letter of each thread of a process; SIGSTOP takes a moment to reach all of them."""
    stats = Path(f"/proc/{pid}/task").glob("*/stat")
    return [stat.read_text().rpartition(")")[2].split()[0] for stat in stats]


def main() -> None:
    engine = LabEngine.begin()
    try:
        print(f"engine {engine.version} (API {engine.api}), image {engine.image}; Ctrl-C removes it")
        print(f"export DOCKER_HOST={engine.url}")
        print(f"# or {engine.tcp_url}", flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    finally:
        engine.close()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main()
