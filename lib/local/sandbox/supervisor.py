"""Runs a private service (an engine, a broker) and removes all its traces, however this process ends.

A second process (supervisor_process.py) makes namespaces, starts the service and cleans up. Both talk over the pipes
of its stdin and stdout: one JSON object per line, an order and its answer. When this process ends or is killed, the
pipe closes, and that is the order to clean up.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "supervisor_process.py")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class SupervisorError(Exception):
    """The service cannot run on this machine; the text has the reason."""


class Supervisor:
    """A folder, namespaces and a program in them; all are removed by `close()`, or when this process ends.

    `private` names folders of the system in whose place the service sees empty ones (in a mount namespace). `network`
    gives it a network namespace. `cgroup` names a cgroup to remove at the end; "{name}" in it becomes the folder's
    name. `patience` is how many seconds the program has to end after SIGTERM. Raises SupervisorError when the machine
    does not allow it.
    """

    def __init__(
        self,
        name: str,
        *,
        private: Sequence[str] = (),
        network: bool = False,
        cgroup: str = "",
        patience: float = 20,
    ) -> None:
        # The path of a unix socket has at most 107 characters, and TMPDIR may be long; so it is not used.
        self.folder = tempfile.mkdtemp(prefix=f"{name}-", dir="/tmp" if os.access("/tmp", os.W_OK) else None)  # noqa: S108
        self.log = os.path.join(self.folder, "log")
        self.pid = 0
        self._network = network
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PATH": SYSTEM_PATH},
            start_new_session=True,  # Ctrl-C must not reach the service
        )
        self.cgroup = cgroup = cgroup.format(name=os.path.basename(self.folder))
        setup = {"folder": self.folder, "private": list(private), "network": network, "cgroup": cgroup}
        answer = self._ask(setup | {"patience": patience})
        self._namespace = answer["namespace"]

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], *, listen: int | None = None
    ) -> int:
        """Start the program, with its output in the file `log`, and return the port of `listen`, 0 without it.

        With `listen` (a port, 0 for any free one) the program gets a socket, by systemd's convention, that listens on
        the loopback of this process's network.
        """
        order = {
            "command": list(command),
            "environment": dict(environment),
            "listen": listen,
            "log": self.log,
        }
        answer = self._ask(order)
        self.pid = answer["pid"]
        return answer["port"] or 0

    def stop(self, seconds: float = 60) -> None:
        """Send the program SIGTERM and wait for its end; kill it after `seconds`."""
        self._ask({"stop": seconds})

    @property
    def running(self) -> bool:
        return self.pid > 0 and os.path.exists(f"/proc/{self.pid}")

    def inside(self, command: Sequence[str]) -> list[str]:
        """Return `command` changed so that it runs in the service's network namespace."""
        if not self._network:
            return list(command)
        return ["nsenter", f"--net={self.namespace}", *command]

    @property
    def namespace(self) -> str:
        """The path of the network namespace."""
        return f"/proc/{self._process.pid}/fd/{self._namespace}"

    def last_words(self, lines: int = 5) -> str:
        """Return the last lines of the program's log, for error messages."""
        with contextlib.suppress(OSError), open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:]).strip()
        return ""

    def close(self) -> None:
        """End the program and all processes that it started; remove the folder, mounts, namespaces and cgroups."""
        if self._process.stdin is None or self._process.stdin.closed:
            return
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        pipe, answers = self._process.stdin, self._process.stdout
        if pipe is None or answers is None:  # cannot be, but their type allows it
            raise SupervisorError("no pipe to the supervisor")
        try:
            print(json.dumps(order), file=pipe, flush=True)
            line = answers.readline()
        except OSError:
            line = ""
        answer: dict[str, Any] = json.loads(line or '{"error": "the supervisor has died"}')
        if "error" in answer:
            self.close()
            raise SupervisorError(answer["error"])
        return answer
