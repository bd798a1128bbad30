"""What is said to a command while it runs and what it writes, by a thread while the step looks at its time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

from lib.engine.attach.session import Dialogue, upgrade
from lib.engine.errors import EngineError, LimitReached
from lib.engine.request.upload import Upload
from lib.job.command.turn import START
from lib.job.run.tail import Tail
from lib.job.work import Work

_A_LOOK = 0.2
"""Seconds between two looks at the end of the step."""
_SLACK = 1.0


class Conversation:
    """The connection of a command that it starts; `kept` takes what the command writes."""

    def __init__(self, work: Work, identity: str, source: Upload | None, kept: Tail) -> None:
        self.fault: EngineError | None = None
        self._source, self._kept = source, kept
        self._sent = source is None
        self._seconds = work.deadline.left + _SLACK
        body = {"Detach": False, "Tty": False}
        self._connection = upgrade(work.engine, START[1], {"id": identity}, body=body)
        self._over = threading.Event()
        threading.Thread(target=self._talk, name="command", daemon=True).start()

    def ended(self) -> bool:
        """Wait a moment for the end of the output; whether it is there."""
        return self._over.wait(_A_LOOK)

    @property
    def is_cut(self) -> bool:
        """Whether the command got less than its whole input, and did not end before that of its own."""
        return not self._sent and self._over.is_set() and self._connection.input_taken

    def _talk(self) -> None:
        source = None if self._source is None else self._counted(self._source)
        dialogue = Dialogue(self._connection, tty=False, stdin=source)
        try:
            dialogue.pace(None, self._seconds)
            for stream, payload in dialogue.frames():
                self._kept.add(stream, payload)
        except LimitReached:
            pass  # the time of the step is up
        except EngineError as fault:
            self.fault = fault
        finally:
            dialogue.close()
            if self._source is not None:
                with suppress(EngineError, ValueError):
                    self._source.close()
            self._over.set()

    def _counted(self, source: Upload) -> Iterator[bytes]:
        yield from source
        self._sent = True
