"""How a command ended in one container, and what a message or an error says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.job.errors import BadExit, JobError, NotReached
from lib.job.targets import Target

NO_OUTPUT: Mapping[str, Any] = {"stdout": "", "stderr": "", "text": ""}
_LAST = 1000
_LONGEST = 16 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a command; `lost`: its output, or a part of it, was heard by another delivery or by nobody."""

    target: Target
    exit_code: int
    ok: bool
    repeat: bool
    lost: bool
    killed: bool
    output: Mapping[str, Any] = field(default_factory=lambda: NO_OUTPUT)

    @property
    def told(self) -> dict[str, Any]:
        """Return what a message says of it."""
        return {
            "container": self.target.output,
            "reached": not self.killed,
            "exitCode": self.exit_code,
            "ok": self.ok,
            **self.output,
            "repeat": self.repeat,
            "outputLost": self.lost,
        }

    def error(self, seconds: float) -> JobError:
        """Return the error that it is where the step is to fail; `seconds` is the setting killAfter."""
        text = str(self.output["text"])[-_LAST:].strip()
        last = f" Its last lines: {text}" if text else "" if self.lost else " It wrote nothing."
        more: dict[str, Any] = {"exitCode": self.exit_code, "container": self.target.output}
        more |= {name: str(self.output[name])[-_LONGEST:] for name in ("stdout", "stderr")}
        if self.killed:
            return NotReached(
                f"The command in {self.target.name} was ended after {seconds:g} s.{last}", **more
            )
        return BadExit(f"The command in {self.target.name} ended with code {self.exit_code}.{last}", **more)
