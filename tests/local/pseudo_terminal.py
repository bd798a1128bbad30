"""Runs the local runner in a terminal of its own, as a person does who looks at it."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.waiting import DEADLINE, wait_until
from tests.local.running import COMPONENT, command, environment


class Screen:
    """A run in a terminal; `text` is all that it has written so far."""

    def __init__(
        self, *arguments: str | Path, columns: int, component: Path | None, variables: dict[str, str]
    ) -> None:
        self._main, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.text = ""
        self._process = subprocess.Popen(
            command(*arguments, component=component),
            env=environment(TERM="xterm", **variables),
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
        )
        os.close(other)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def sees(self, text: str) -> None:
        """Wait until a text was written."""
        wait_until(lambda: text in self.text, f"{text!r} on the screen")

    def interrupt(self) -> int:
        """End the run as Ctrl-C does, and return its exit code; `text` is whole then."""
        self._process.send_signal(signal.SIGINT)
        return self.ends()

    def ends(self) -> int:
        code = self._process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        return code

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._reader.join(DEADLINE)
        os.close(self._main)

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._main, 65536)
            except OSError:  # Linux says so when the last writer is gone
                return
            if not piece:
                return
            self.text += piece.decode(errors="replace")


@contextmanager
def screen(
    *arguments: str | Path, columns: int = 100, component: Path | None = COMPONENT, **variables: str
) -> Iterator[Screen]:
    run = Screen(*arguments, columns=columns, component=component, variables=variables)
    try:
        yield run
    finally:
        run.close()
