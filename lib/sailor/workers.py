"""The threads in which functions run: as many as messages may be in work at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lib.sailor.step import Step
from lib.sailor.transport import Transport

MOST = 500


class Workers:
    """Each takes an input, runs the step with it, and takes the next, until `receive` says there is none."""

    def __init__(self, count: int, transport: Transport, step: Step, ended: Callable[[], None]) -> None:
        self.count = min(max(count, 1), MOST)
        self._transport = transport
        self._step = step
        self._ended = ended
        self._lock = threading.Lock()
        self._left = self.count

    def start(self) -> None:
        for number in range(self.count):
            threading.Thread(target=self._work, name=f"worker-{number + 1}", daemon=True).start()

    def _work(self) -> None:
        while (delivery := self._transport.receive()) is not None:
            self._step.run(delivery)
        with self._lock:
            self._left -= 1
            left = self._left
        if not left:
            self._ended()
