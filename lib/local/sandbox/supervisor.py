"""Runs a private service (an engine, a broker) that leaves nothing behind, however its owner ends."""

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
    """The service cannot be run here; the text says why."""


class Supervisor:
    """A folder, namespaces and a program in them; all of it goes with `close()`, or when this process dies.

    `private` names folders of the system that the service gets empty ones of its own for (in a mount
    namespace), `network` gives it a network namespace, `cgroup` names a cgroup to remove at the end ("{name}"
    in it is the folder's name), `patience` the seconds that the program has to end by itself. Raises
    SupervisorError where the machine does not allow it.
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
        # Paths of unix sockets end at 107 characters, so TMPDIR (which may be long) is not asked.
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
            start_new_session=True,  # Ctrl-C is for the owner, not for its service
        )
        self.cgroup = cgroup = cgroup.format(name=os.path.basename(self.folder))
        setup = {"folder": self.folder, "private": list(private), "network": network, "cgroup": cgroup}
        answer = self._ask(setup | {"patience": patience})
        self._namespace = answer["namespace"]

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], *, listen: int | None = None
    ) -> int:
        """Start the program; its output goes to `log`, the answer is the port (0 without one).

        `listen` (a port, 0 for any free one) hands it a socket that listens on the loopback out here.
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
        """Ask the program to end and wait for it; it is killed after `seconds`."""
        self._ask({"stop": seconds})

    @property
    def running(self) -> bool:
        return self.pid > 0 and os.path.exists(f"/proc/{self.pid}")

    def inside(self, command: Sequence[str]) -> list[str]:
        """`command`, to be run in the service's network namespace."""
        if not self._network:
            return list(command)
        return ["nsenter", f"--net={self.namespace}", *command]

    @property
    def namespace(self) -> str:
        """The path of the network namespace."""
        return f"/proc/{self._process.pid}/fd/{self._namespace}"

    def last_words(self, lines: int = 5) -> str:
        """The end of the program's log, for error messages."""
        with contextlib.suppress(OSError), open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:]).strip()
        return ""

    def close(self) -> None:
        """End the program and everything it started, remove the folder, mounts, namespaces and cgroups."""
        if self._process.stdin is None or self._process.stdin.closed:
            return
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        pipe, answers = self._process.stdin, self._process.stdout
        if pipe is None or answers is None:  # never so, but the type says it might be
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
