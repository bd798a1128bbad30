"""The worker threads, in which functions run: one for each input that may be in work at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lib.sailor.step.step import Step
from lib.sailor.transport import Transport

MOST = 500
"""Threads (protocol 3.2)."""


class Workers:
    """Starts `count` threads, each of which takes inputs and runs the step with them until `receive` returns None.

    `ended` is called by the last thread that ends, `failed` with an exception in one of them.
    """

    def __init__(
        self,
        count: int,
        transport: Transport,
        step: Step,
        ended: Callable[[], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self.count = min(max(count, 1), MOST)
        self._transport = transport
        self._step = step
        self._ended = ended
        self._failed = failed
        self._lock = threading.Lock()
        self._left = self.count

    def start(self) -> None:
        for number in range(self.count):
            threading.Thread(target=self._work, name=f"worker-{number + 1}", daemon=True).start()

    def _work(self) -> None:
        try:
            while (delivery := self._transport.receive()) is not None:
                self._step.run(delivery)
        except BaseException as error:  # noqa: BLE001 - the process ends (protocol D-12); otherwise it would go on with fewer workers
            self._failed(error)
            return
        with self._lock:
            self._left -= 1
            left = self._left
        if not left:
            self._ended()
