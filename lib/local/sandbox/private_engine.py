"""A private Docker Engine: Debian's dockerd with its own folder, network and cgroup; all are removed at its end."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lib.local.sandbox.supervisor import SYSTEM_PATH, Supervisor, SupervisorError

# The engine writes also into these folders; it gets empty ones of its own there.
SYSTEM_FOLDERS = ("/etc/docker", "/run/docker", "/run/containerd")
NEEDS = "it needs root with the rights of a virtual machine (or of `docker run --privileged`)"
REMEDY = "set DOCKER_HOST to an engine that may be used instead"


class PrivateEngineError(Exception):
    """A private engine cannot run on this machine; the text has the reason and the remedy."""


class PrivateEngine:
    """A running dockerd with its own images and containers and, if the machine allows it, its own network namespace.

    `listen` is a TCP port of the loopback on which it listens, too (0: any free one), `daemon` has more settings for
    daemon.json, `binaries` is a folder with dockerd and containerd of another version. Engines in one network need
    different values of `number` (1-250). Raises PrivateEngineError.
    """

    def __init__(
        self,
        *,
        listen: int | None = None,
        daemon: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        binaries: str = "",
        number: int = 1,
    ) -> None:
        self._environment = {
            "PATH": f"{binaries}:{SYSTEM_PATH}" if binaries else SYSTEM_PATH,
            **(environment or {}),
        }
        if shutil.which("dockerd", path=self._environment["PATH"]) is None:
            raise PrivateEngineError(f"dockerd is not installed: install the package docker.io, or {REMEDY}")
        self.supervisor, self.networked = _supervisor()
        self.socket = os.path.join(self.supervisor.folder, "docker.sock")
        self.url = f"unix://{self.socket}"
        self.port = 0
        self._listen = listen
        self._write_settings(number, daemon or {})
        self.start()

    def start(self, seconds: float = 300) -> None:
        """Start dockerd (again) and return when it answers; PrivateEngineError after `seconds`, or when it ends."""
        command = ["dockerd", "--config-file", os.path.join(self.supervisor.folder, "daemon.json")]
        self.port = self.supervisor.start(command, self._environment, listen=self._listen)
        deadline = time.monotonic() + seconds
        while not _answers(self.socket):
            if not self.supervisor.running or time.monotonic() > deadline:
                words = self.supervisor.last_words()
                self.close()
                raise PrivateEngineError(
                    f"dockerd does not start here; {NEEDS}, or {REMEDY}. Its last words: {words}"
                )
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop dockerd with SIGTERM; containers and images stay for the next `start()`."""
        self.supervisor.stop()

    def close(self) -> None:
        """End the engine and remove everything that it made."""
        self.supervisor.close()

    def inside(self, command: Sequence[str]) -> list[str]:
        """Return `command` changed so that it runs in the network of the engine's containers and published ports."""
        return self.supervisor.inside(command)

    def _write_settings(self, number: int, daemon: Mapping[str, Any]) -> None:
        folder = self.supervisor.folder
        settings: dict[str, Any] = {
            "data-root": f"{folder}/data",
            "exec-root": f"{folder}/exec",
            "pidfile": f"{folder}/pid",
            "hosts": [self.url, *(["fd://"] if self._listen is not None else [])],
            "cgroup-parent": f"/{self.supervisor.cgroup}",
            "exec-opts": ["native.cgroupdriver=cgroupfs"],
            "experimental": True,
            "shutdown-timeout": 2,
        }
        if self._listen is not None:
            settings["tls"] = False
        if self.networked:
            settings["bip"] = f"10.99.{number}.1/24"
            settings["default-address-pools"] = [{"base": f"10.98.{number}.0/24", "size": 28}]
        else:
            without = {"bridge": "none", "iptables": False, "ip6tables": False, "ip-forward": False}
            settings |= without | {"ip-masq": False}
        with open(f"{folder}/daemon.json", "w", encoding="utf-8") as file:
            json.dump(settings | dict(daemon), file)


@contextmanager
def private_engine() -> Iterator[PrivateEngine]:
    """Yield a private engine and close it after the block; raises PrivateEngineError."""
    engine = PrivateEngine()
    try:
        yield engine
    finally:
        engine.close()


def _supervisor() -> tuple[Supervisor, bool]:
    """Return a supervisor, and whether it has its own network namespace; without one, containers have no network."""
    names: dict[str, Any] = {"private": SYSTEM_FOLDERS, "cgroup": "{name}"}
    try:
        return Supervisor("engine", **names, network=True), True
    except SupervisorError:
        try:
            return Supervisor("engine", **names), False
        except SupervisorError as problem:
            raise PrivateEngineError(
                f"a private engine cannot be started: {problem}; {NEEDS}, or {REMEDY}"
            ) from problem


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        try:
            connection.connect(path)
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(64)
        except OSError:
            return False
