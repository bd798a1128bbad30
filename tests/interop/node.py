"""The same step in the other language: the runtime of which ours has to be indistinguishable."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

from tests.lab.skipping import missing, skip_anywhere
from tests.sailor.process import ROOT, Process
from tests.sailor.step_harness import StepHarness


def node_runtime() -> str:
    """The folder into which scripts/node has installed the runtime; without it there is nothing to compare with."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        skip_anywhere("node and npm are not installed")
    done = subprocess.run([f"{ROOT}/scripts/node"], capture_output=True, text=True, check=False)
    if done.returncode:
        missing(f"the Node runtime cannot be installed: {done.stderr}")
    return done.stdout.strip()


class NodeProcess(Process):
    """A step run by Node."""

    runtime = ""

    def command(self, module: str, *arguments: str) -> list[str]:
        return ["node", f"{self.runtime}/node_modules/elasticio-sailor-nodejs/run.js", *arguments]


class Twin(StepHarness):
    """A step with the twin of one language, `js` or `py`."""

    def __init__(self, uri: str, language: str) -> None:
        super().__init__(uri)
        self.language = language

    def launch(self, **changes: Any) -> None:
        """Start it; changes name variables without their prefix, in lower case."""
        given = {f"ELASTICIO_{name.upper()}": value for name, value in changes.items()}
        given |= {"ELASTICIO_COMPONENT_PATH": f"tests/interop/{self.language}", "ELASTICIO_FUNCTION": "twin"}
        environment = self.environment(**given)
        kind = NodeProcess if self.language == "js" else Process
        self.process = kind("lib.sailor.run", {"LOG_LEVEL": "info", **environment})
        self.process.ready()

    def is_step(self, step_id: str) -> None:
        """Let the platform answer for a step of this name."""
        self.platform.on("GET", f"/v1/tasks/flow1/steps/{step_id}", (200, self.platform.step))


def end_in_order(*stages: StepHarness) -> None:
    for stage in stages:
        assert stage.process is None or stage.process.stop() == 0
    for stage in stages:
        stage.unconsumed()
        assert stage.wires.depth("in") == 0
