"""One step as a process of its own: the same runtime as on the platform. A thread reads its log lines."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lib.jsontext import decode
from lib.local.output.emission import Output

READY = "Fully initialized and waiting for messages"
_OWN = ("URL_", "ATTACHMENT_")
"""Prefixes of variables that a step takes over: which hosts addresses of messages may name."""
_PARENT = Path(__file__).resolve().parents[3]
_PATIENCE = 40.0
"""Seconds."""
# PR_SET_PDEATHSIG, which exec keeps: the step gets SIGTERM when this process ends, also when it is killed.
_TIED = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 15);"
    "os.execv(sys.executable, [sys.executable, '-m', 'lib.sailor.run'])"
)


class StepProcess:
    """A running step; `died` is called with step id and exit code when it ends without `end`."""

    def __init__(
        self,
        step_id: str,
        component: Path,
        variables: Mapping[str, str],
        output: Output,
        died: Callable[[str, int], None],
    ) -> None:
        self.step_id = step_id
        self.settled = threading.Event()
        """Set when the step consumes, or has ended."""
        self._output = output
        self._died = died
        self._ending = variables.get("ELASTICIO_HOOK_SHUTDOWN") == "true"
        known = ("PATH", "HOME", "LANG", "TMPDIR", "SSH_AUTH_SOCK")
        kept = {name: value for name, value in os.environ.items() if name in known or name.startswith(_OWN)}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _TIED],
            cwd=component,
            env={**kept, "PYTHONPATH": str(_PARENT), **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C must not reach the step: the run ends its steps in order
        )
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def end(self) -> int:
        """Send SIGTERM, so that the step finishes its inputs in work; wait for its end and return its exit code."""
        self._ending = True
        if self.running:
            self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for the step's end and return its exit code; kill it after 40 s, longer than its shutdown deadline."""
        try:
            return self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - Popen was given a pipe
        with self._process.stdout as lines:
            for line in lines:
                entry = self._entry(line)
                self._output.log_line({**entry, "step": self.step_id})
                if entry.get("msg") == READY:
                    self.settled.set()
        code = self._process.wait()
        self.settled.set()
        if not self._ending:
            self._died(self.step_id, code)

    def _entry(self, line: bytes) -> Mapping[str, Any]:
        try:
            entry = decode(line)
        except ValueError:
            entry = None
        if isinstance(entry, dict):
            return entry
        return {"level": 40, "msg": line.decode(errors="replace").rstrip()}
