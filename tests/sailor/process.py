"""A step or a service call as the platform runs it: a child process with an environment and a log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, Self

from tests.lab.waiting import DEADLINE, ended

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
READY = "Fully initialized and waiting for messages"
ERROR = 50

IDENTITY = {
    "ELASTICIO_FLOW_ID": "flow1",
    "ELASTICIO_EXEC_ID": "exec1",
    "ELASTICIO_STEP_ID": "step_1",
    "ELASTICIO_CONTAINER_ID": "container1",
    "ELASTICIO_WORKSPACE_ID": "workspace1",
    "ELASTICIO_USER_ID": "user1",
    "ELASTICIO_COMP_ID": "comp1",
    "ELASTICIO_FUNCTION": "act",
    "ELASTICIO_API_USERNAME": "task-flow1",
    "ELASTICIO_API_KEY": "the-api-key-canary",
    "ELASTICIO_COMPONENT_PATH": "tests/sailor/component",
}


class Process:
    """A running child; its log lines are parsed as they come."""

    def __init__(self, module: str, environment: dict[str, str | None], *arguments: str) -> None:
        given = {key: value for key, value in environment.items() if value is not None}
        self.raw: list[str] = []
        self.lines: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            self.command(module, *arguments),
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **given},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.stderr = ""
        self._said_all = False
        self._readers = [
            threading.Thread(target=read, daemon=True) for read in (self._read, self._read_errors)
        ]
        for reader in self._readers:
            reader.start()

    def command(self, module: str, *arguments: str) -> list[str]:
        """What is started; the same process in another language has another one."""
        return [sys.executable, "-m", module, *arguments]

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_line(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first log line that fits; fails at once when the process has ended without it."""

        def found() -> bool:
            return any(map(wanted, self.lines)) or self._said_all

        with self._changed:
            self._changed.wait_for(found, DEADLINE)
        for line in self.lines:
            if wanted(line):
                return line
        raise TimeoutError(
            f"no such log line; exit {self._process.poll()}; log: {self.raw}; stderr: {self.stderr}"
        )

    def wait_message(self, text: str) -> dict[str, Any]:
        return self.wait_line(lambda line: text in line["msg"])

    def ready(self) -> Self:
        self.wait_message(READY)
        return self

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def exit_code(self) -> int:
        """How it ended by itself."""
        try:
            code = self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise TimeoutError(
                f"still running after {DEADLINE} s; log: {self.raw}; stderr: {self.stderr}"
            ) from None
        for reader in self._readers:
            ended(reader)
        return code

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.exit_code()

    def close(self) -> None:
        """End it, whatever it does; a test that wants to see how it ends calls `stop` before."""
        if self.running:
            self._process.kill()
            self._process.wait(DEADLINE)
        for reader in self._readers:
            ended(reader)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> None:
        for text in self._process.stdout or ():
            with self._changed:
                self.raw.append(text)
                try:
                    self.lines.append(json.loads(text))
                except ValueError:
                    self.lines.append({"msg": text, "level": 0, "not_json": True})
                self._changed.notify_all()
        with self._changed:
            self._said_all = True
            self._changed.notify_all()

    def _read_errors(self) -> None:
        for text in self._process.stderr or ():
            self.stderr += text
