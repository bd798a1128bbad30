"""What is said to a program while it runs: its input, sent by a thread while the step looks whether it has ended.

The connection stays open to the end of the program. An engine that sees it go ends the program's input there, and the
program cannot tell that from the end of all of it: so a program whose input did not come whole is stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

from lib.engine.attach.duplex import Duplex
from lib.engine.attach.session import Dialogue, upgrade
from lib.engine.errors import EngineError, LimitReached
from lib.engine.request.upload import Upload
from lib.job.run.container import ATTACH
from lib.job.run.tail import Tail
from lib.job.work import Work

_LAST_WORDS = 10.0
"""Seconds in which the rest of the output arrives once a program has ended."""
_SLACK = 1.0


def attached(work: Work, identity: str, source: Upload | None, kept: Tail) -> Conversation:
    """Return a conversation with a container that is about to be started; see Conversation."""
    fields = {"id": identity, "stream": True, "stdin": source is not None, "stdout": True, "stderr": True}
    query = ("stream", "stdin", "stdout", "stderr")
    return Conversation(work, upgrade(work.engine, ATTACH[1], fields, query=query), source, kept)


class Conversation:
    """A connection to a program; `kept` takes what it writes.

    `source` is its input, None where it has none and only its output is heard.
    """

    def __init__(self, work: Work, connection: Duplex, source: Upload | None, kept: Tail) -> None:
        self.fault: EngineError | None = None
        self._kept, self._source = kept, source
        self._sent = source is None
        self._seconds = work.deadline.left + _SLACK
        self._connection = connection
        self._thread = threading.Thread(target=self._talk, name="run-input", daemon=True)

    def begin(self) -> None:
        """Send the input, now that the program runs."""
        self._thread.start()

    @property
    def is_cut(self) -> bool:
        """Whether the program got less than its whole input, and did not end before that of its own."""
        return not self._sent and not self._thread.is_alive() and self._connection.input_taken

    @property
    def is_whole(self) -> bool:
        """Whether all of the input was sent."""
        return self._sent

    def ended(self, seconds: float = _LAST_WORDS) -> bool:
        """Wait so long for the end of the output, which for one that has ended is near; whether it is there."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def close(self) -> None:
        """End a connection over which nothing was said."""
        self._connection.close()

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

    def _counted(self, source: Upload) -> Iterator[bytes]:
        yield from source
        self._sent = True
