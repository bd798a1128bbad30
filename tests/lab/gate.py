"""A step of a build, or a container, that says when it runs and waits until it may go on: a socket on each side."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.netns import listen_inside
from tests.lab.waiting import DEADLINE, wait_until


class Gate:
    """`command` runs in the engine's own network (networkmode host) and waits there until `open`."""

    def __init__(self, namespace: str) -> None:
        self._door = listen_inside(namespace)
        self._door.settimeout(DEADLINE)
        self._inside: socket.socket | None = None
        self.port = self._door.getsockname()[1]
        self.command = f"nc 127.0.0.1 {self.port}"

    def entered(self) -> None:
        """Return when the command runs."""
        self._inside = self._door.accept()[0]
        self._inside.settimeout(DEADLINE)

    def open(self) -> None:
        """Let it go on."""
        assert self._inside is not None
        self._inside.close()

    def abandoned(self) -> None:
        """Return when the command was ended from outside: its connection is gone, and no process of it is left."""
        if self._inside is not None:
            with suppress(ConnectionResetError):
                assert self._inside.recv(1) == b""
        self.left()

    def left(self) -> None:
        """Return when no process of the command is left."""
        wait_until(lambda: not self.processes(), "the processes of the step to end")

    def processes(self) -> list[str]:
        """The command lines that are left of it."""
        found = []
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:  # it has ended meanwhile
                continue
            if self.command in line:
                found.append(line)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._door.close()
        if self._inside is not None:
            self._inside.close()
