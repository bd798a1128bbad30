"""Who is measured: a start command, and what the operating system says of its process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from bench.queues import IN, Queues

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
IDENTITY = {
    "FLOW_ID": "flow1",
    "EXEC_ID": "exec1",
    "STEP_ID": "step_1",
    "CONTAINER_ID": "container1",
    "WORKSPACE_ID": "workspace1",
    "USER_ID": "user1",
    "COMP_ID": "comp1",
    "API_USERNAME": "task-flow1",
    "API_KEY": "key",
    # The platform's limit is 100 a second; here the runtime is measured, not the limit.
    "DATA_RATE_LIMIT": "1000000",
    "ERROR_RATE_LIMIT": "1000000",
}


@dataclass(frozen=True)
class Contestant:
    """A name, a start command and the component's folder, which is relative to the project's."""

    name: str
    command: tuple[str, ...]
    component: str = ""
    echo: bool = False
    """Hands inputs on as they are: its outputs say nothing of an operation."""

    def start(self, queues: Queues, platform_url: str, function: str, prefetch: int) -> Running:
        """Start the process and return when it consumes."""
        variables = {
            **IDENTITY,
            "API_URI": platform_url,
            "FUNCTION": function,
            "RABBITMQ_PREFETCH_SAILOR": str(prefetch),
            "COMPONENT_PATH": self.component,
        }
        environment = {f"ELASTICIO_{name}": value for name, value in variables.items()}
        return Running(self, queues, {**environment, **queues.environment()})


class Running:
    """A started contestant."""

    def __init__(self, contestant: Contestant, queues: Queues, environment: Mapping[str, str]) -> None:
        began = time.perf_counter()
        self._process = subprocess.Popen(
            contestant.command,
            cwd=ROOT,
            env={**_given(), "LOG_LEVEL": "info", **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        while queues.count(IN)[1] < 1:
            if self._process.poll() is not None:
                raise RuntimeError(
                    f"{contestant.name} ended: {self._process.stderr and self._process.stderr.read()!r}"
                )
            time.sleep(0.002)
        self.seconds_to_consume = time.perf_counter() - began

    def cpu(self) -> float:
        """CPU seconds used so far, by the program and by the kernel for it."""
        with open(f"/proc/{self._process.pid}/stat", encoding="ascii") as file:
            values = file.read().rpartition(")")[2].split()
        return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mib(self) -> float:
        """The most memory that it ever held."""
        with open(f"/proc/{self._process.pid}/status", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            if self._process.stderr:
                self._process.stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _given() -> dict[str, str]:
    """What a contestant gets of the caller's environment."""
    return {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}


def contestants() -> list[Contestant]:
    """This project, the Node runtime where it is installed, and the bare echo."""
    python = sys.executable
    found = [Contestant("python", (python, "-m", "lib.sailor.run"))]
    if shutil.which("node"):
        done = subprocess.run([f"{ROOT}/scripts/node"], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            run = f"{done.stdout.strip()}/node_modules/elasticio-sailor-nodejs/run.js"
            found.append(Contestant("node", ("node", run), "bench/node"))
    found.append(Contestant("echo", (python, "bench/echo.py"), echo=True))
    return found
