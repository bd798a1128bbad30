"""Ends the process, although threads of functions may still run."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import NoReturn


def end_process(code: int) -> NoReturn:
    """End the process with an exit code; other threads and a closed stdout do not delay it.

    Buffered output is written first. No `finally` block and no exit handler runs.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or never open
            stream.flush()
    os._exit(code)
